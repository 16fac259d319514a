"""Reading one text by one statement, past the object layer: the way of planned reads."""

import logging
import sqlite3
from collections.abc import Sequence
from typing import Any

from tortoise.connection import get_connections

from models.database import POSTGRESQL, dialect

# Where Tortoise's own statements are told too.
_log = logging.getLogger("tortoise.db_client")
_TOO_DEEP = ("parser stack overflow", "too large", "too many")


class StatementTooDeep(Exception):
    """SQLite takes no statement as deep, wide or long as this one."""


async def read_text(sql: str, values: Sequence[Any]) -> str | None:
    """The only value of the only row."""
    _log.debug("%s: %s", sql, values)
    connections = get_connections()
    if dialect() == POSTGRESQL:
        pool: Any = connections.get("default")
        if pool._pool is None:
            await pool.create_connection(with_db=True)
        text: str | None = await pool._pool.fetchval(sql, *values)
        return text
    reader: Any = connections.get("read")
    if reader._connection is None:
        await reader.create_connection(with_db=True)
    try:
        found = await reader._connection.execute_fetchall(sql, values)
    except sqlite3.OperationalError as error:
        if any(sign in str(error) for sign in _TOO_DEEP):
            raise StatementTooDeep from error
        raise
    return found[0][0] if found else None


async def explain(sql: str, values: Sequence[Any]) -> list[str]:
    """The database's own plan of a statement, a step in a line."""
    connection = get_connections().get("default")
    if dialect() == POSTGRESQL:
        found = await connection.execute_query_dict(f"EXPLAIN {sql}", list(values))
        return [str(row["QUERY PLAN"]) for row in found]
    found = await connection.execute_query_dict(f"EXPLAIN QUERY PLAN {sql}", list(values))
    depths = {0: 0}
    for row in found:
        depths[row["id"]] = depths.get(row["parent"], 0) + 1
    return [f"{'  ' * (depths[row['id']] - 1)}{row['detail']}" for row in found]

"""Reading one text by one statement, past the object layer: the way of planned reads."""

import logging
from collections.abc import Sequence
from typing import Any

from models.database import POSTGRESQL, SQLITE, current_snapshot, dialect, reader
from models.snapshot import snapshot

# Where Tortoise's own statements are told too.
_log = logging.getLogger("tortoise.db_client")


async def read_text(sql: str, values: Sequence[Any], seconds: float) -> str | None:
    """The only value of the only row.

    Raises TimeoutError after so many seconds, and StatementTooDeep.
    """
    if _log.isEnabledFor(logging.DEBUG):
        _log.debug("%s: %s", sql, values)
    client = current_snapshot.get() or reader()
    text: str | None = await client.read_text(sql, values, seconds)
    return text


def reads_at_once(dialect: str) -> bool:
    """Whether a database of this dialect can be read without waiting: in this process."""
    return dialect == SQLITE


def read_at_once(sql: str, values: Sequence[Any]) -> str | None:
    """The only value of the only row, outside a snapshot; raises NotAtOnce, StatementTooDeep."""
    if _log.isEnabledFor(logging.DEBUG):
        _log.debug("%s: %s", sql, values)
    text: str | None = reader().read_at_once(sql, values)
    return text


async def explain(sql: str, values: Sequence[Any]) -> list[str]:
    """The database's own plan of a statement, a step in a line, where only reads are run."""
    async with snapshot():
        connection = current_snapshot.get()
        if dialect() == POSTGRESQL:
            async with connection.acquire_connection() as reading:
                return await _generic_plan(reading, sql)
        found = await connection.execute_query_dict(f"EXPLAIN QUERY PLAN {sql}", list(values))
    depths = {0: 0}
    for row in found:
        depths[row["id"]] = depths.get(row["parent"], 0) + 1
    return [f"{'  ' * (depths[row['id']] - 1)}{row['detail']}" for row in found]


async def _generic_plan(reader: Any, sql: str) -> list[str]:
    """The plan by which PostgreSQL reads a prepared statement, whatever its values.

    EXPLAIN of the text and its values would plan for these, as no planned read is.
    """
    statement = await reader.prepare(sql)
    values = ", ".join(["NULL"] * len(statement.get_parameters()))
    explaining = f"EXPLAIN EXECUTE {statement.get_name()}" + (f"({values})" if values else "")
    return [str(row["QUERY PLAN"]) for row in await reader.fetch(explaining)]

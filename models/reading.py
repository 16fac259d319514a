"""Reading one text by one statement, past the object layer: the way of planned reads."""

from collections.abc import Sequence
from typing import Any

from tortoise.connection import get_connections

from models.database import POSTGRESQL, dialect


async def read_text(sql: str, values: Sequence[Any]) -> str | None:
    """The only value of the only row."""
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
    found = await reader._connection.execute_fetchall(sql, values)
    return found[0][0] if found else None

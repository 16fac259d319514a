"""Turns: one unit of work at a time for a name, whether or not there is a row by that name."""

from tortoise.connection import get_connections

from models.database import POSTGRESQL, dialect


async def take_turns(*names: str) -> None:
    """Waits for each name in this order; the turns end with the caller's unit of work.

    Whoever waits for several names them in the same order everywhere, so that nobody waits in a
    circle. SQLite's unit holds the only write lock already.
    """
    if dialect() != POSTGRESQL:
        return
    connection = get_connections().get("default")
    for name in names:
        statement = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))"
        await connection.execute_query(statement, [name])

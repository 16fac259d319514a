"""Planned reads have connections of their own, which only read."""

import asyncio

import asyncpg
import pytest

from models.database import POSTGRESQL, dialect, reader
from models.reading import read_text
from models.sqlite_engine import StatementTooDeep


async def test_a_read_yields_the_only_value(database: str) -> None:
    assert await read_text("SELECT 'да'", ()) == "да"
    assert await read_text("SELECT 'да' WHERE 1 = 0", ()) is None


async def test_a_read_cannot_write(database: str) -> None:
    with pytest.raises(Exception, match=r"read-only|readonly"):
        await read_text("DELETE FROM audit_entry", ())


async def test_more_reads_than_connections_take_turns(database: str) -> None:
    found = await asyncio.gather(*(read_text(f"SELECT '{number}'", ()) for number in range(50)))
    assert found == [str(number) for number in range(50)]


async def test_a_broken_connection_is_replaced(database: str) -> None:
    if dialect() != POSTGRESQL:
        pytest.skip("SQLite has no connection that a server could break")
    await read_text("SELECT 'a'", ())
    (broken,) = reader()._readers
    other = await asyncpg.connect(database)
    await other.execute("SELECT pg_terminate_backend($1)", broken.get_server_pid())
    await other.close()
    async with asyncio.timeout(5):
        while not broken.is_closed():  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.01)
    assert await read_text("SELECT 'a'", ()) == "a"


async def test_a_read_that_is_given_up_leaves_its_connection_usable(database: str) -> None:
    if dialect() != POSTGRESQL:
        pytest.skip("SQLite's thread goes on to the end")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await read_text("SELECT 'late' FROM pg_sleep(5)", ())
    async with asyncio.timeout(3):
        assert await read_text("SELECT 'next'", ()) == "next"


async def test_a_statement_that_sqlite_cannot_take_says_so(database: str) -> None:
    if dialect() == POSTGRESQL:
        pytest.skip("PostgreSQL takes it")
    with pytest.raises(StatementTooDeep):
        await read_text(f"SELECT {'(' * 2_000}'a'{')' * 2_000}", ())

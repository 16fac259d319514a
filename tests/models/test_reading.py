"""Planned reads have connections of their own, which only read, for so many seconds."""

import asyncio
import time

import asyncpg
import pytest

from models.database import POSTGRESQL, StatementTooDeep, current_snapshot, dialect, reader
from models.reading import explain, read_text
from models.snapshot import snapshot

SECONDS = 5.0
COUNTING = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {})"


async def test_a_read_yields_the_only_value(database: str) -> None:
    assert await read_text("SELECT 'да'", (), SECONDS) == "да"
    assert await read_text("SELECT 'да' WHERE 1 = 0", (), SECONDS) is None


async def test_a_read_cannot_write(database: str) -> None:
    with pytest.raises(Exception, match=r"read-only|readonly"):
        await read_text("DELETE FROM audit_entry", (), SECONDS)


async def test_more_reads_than_connections_take_turns(database: str) -> None:
    found = await asyncio.gather(
        *(read_text(f"SELECT '{number}'", (), SECONDS) for number in range(50))
    )
    assert found == [str(number) for number in range(50)]


async def test_a_long_statement_is_prepared_once(database: str) -> None:
    if dialect() != POSTGRESQL:
        pytest.skip("SQLite's statements are kept by their number")
    for text in ("a" * 40_000, "b" * 70_000):
        for _ in range(3):
            assert await read_text(f"SELECT '{text}'", (), SECONDS) == text
    (connection,) = reader()._readers
    kept = await connection.fetch(
        "SELECT generic_plans FROM pg_prepared_statements WHERE length(statement) > 15000"
    )
    assert [row["generic_plans"] for row in kept] == [3]


async def test_what_is_explained_is_the_plan_of_planned_reads(database: str) -> None:
    if dialect() != POSTGRESQL:
        pytest.skip("SQLite plans for no values")
    plan = "\n".join(await explain("SELECT 'a' FROM account WHERE public_id = $1::text", ["x'y"]))
    assert "$1" in plan
    assert "x'y" not in plan
    assert await explain("SELECT 'a'", []) == ["Result  (cost=0.00..0.01 rows=1 width=32)"]
    async with snapshot():
        (row,) = await current_snapshot.get().execute_query_dict("SHOW jit")
    assert row == {"jit": "off"}


async def test_a_broken_connection_is_replaced(database: str) -> None:
    if dialect() != POSTGRESQL:
        pytest.skip("SQLite has no connection that a server could break")
    await read_text("SELECT 'a'", (), SECONDS)
    (broken,) = reader()._readers
    other = await asyncpg.connect(database)
    await other.execute("SELECT pg_terminate_backend($1)", broken.get_server_pid())
    await other.close()
    async with asyncio.timeout(5):
        while not broken.is_closed():  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.01)
    assert await read_text("SELECT 'a'", (), SECONDS) == "a"


async def test_a_read_that_is_given_up_leaves_its_connection_usable(database: str) -> None:
    if dialect() != POSTGRESQL:
        pytest.skip("SQLite's thread goes on to the end")
    with pytest.raises(TimeoutError):
        await read_text("SELECT 'late' FROM pg_sleep(5)", (), 0.1)
    async with asyncio.timeout(3):
        assert await read_text("SELECT 'next'", (), SECONDS) == "next"


async def test_a_read_that_waits_for_its_turn_is_given_up_in_its_time(database: str) -> None:
    if dialect() != POSTGRESQL:
        pytest.skip("SQLite has no connections to wait for")
    slow = [
        asyncio.create_task(read_text("SELECT 'slow' FROM pg_sleep(1)", (), SECONDS))
        for _ in range(10)
    ]
    await asyncio.sleep(0.5)
    begun = time.perf_counter()
    with pytest.raises(TimeoutError):
        await read_text("SELECT 'next'", (), 0.05)
    assert time.perf_counter() - begun < 0.4
    # The time that it waited counts: what is left is too little for this one.
    with pytest.raises(TimeoutError):
        await read_text("SELECT 'next' FROM pg_sleep(1)", (), 1.2)
    assert await asyncio.gather(*slow) == ["slow"] * 10
    assert await read_text("SELECT 'next'", (), SECONDS) == "next"


async def test_a_statement_that_sqlite_cannot_take_says_so(database: str) -> None:
    if dialect() == POSTGRESQL:
        pytest.skip("PostgreSQL takes it")
    with pytest.raises(StatementTooDeep):
        await read_text(f"SELECT {'(' * 2_000}'a'{')' * 2_000}", (), SECONDS)


async def test_a_long_read_of_sqlite_keeps_nobody_waiting(database: str) -> None:
    if dialect() == POSTGRESQL:
        pytest.skip("PostgreSQL reads in processes of its own")
    counted = f"{COUNTING.format(3_000_000)} SELECT CAST(max(i) AS TEXT) FROM n"
    long = asyncio.create_task(read_text(counted, (), SECONDS))
    await asyncio.sleep(0)
    # Were it run where it was asked, it would be done by now.
    assert not long.done()
    assert await read_text("SELECT 'short'", (), SECONDS) == "short"
    assert not long.done()
    assert await long == "3000000"


async def test_a_read_that_was_long_is_not_begun_in_vain_again(database: str) -> None:
    if dialect() == POSTGRESQL:
        pytest.skip("PostgreSQL reads in processes of its own")
    counted = f"{COUNTING.format('?')} SELECT CAST(max(i) AS TEXT) FROM n"
    assert await read_text(counted, (10,), SECONDS) == "10"
    assert reader()._long == set()
    assert await read_text(counted, (200_000,), SECONDS) == "200000"
    assert reader()._long == {counted}
    assert await read_text(counted, (10,), SECONDS) == "10"
    assert await read_text("SELECT 'short'", (), SECONDS) == "short"
    assert reader()._long == {counted}


async def test_a_long_read_of_sqlite_ends_with_its_time(database: str) -> None:
    if dialect() == POSTGRESQL:
        pytest.skip("told of PostgreSQL above")
    begun = time.perf_counter()
    for _ in range(6):
        with pytest.raises(TimeoutError):
            await read_text(f"{COUNTING.format(300_000_000)} SELECT max(i) FROM n", (), 0.05)
    # It is stopped, and what comes next finds a connection.
    assert time.perf_counter() - begun < 5
    counted = f"{COUNTING.format(500_000)} SELECT CAST(max(i) AS TEXT) FROM n"
    assert await read_text(counted, (), SECONDS) == "500000"

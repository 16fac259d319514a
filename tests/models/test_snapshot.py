"""One snapshot: what is committed between two reads is not seen by the second."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest
from tortoise.connection import get_connections

from models.database import POSTGRESQL, dialect, settle, unit_of_work
from models.organisation import Organisation
from models.reading import read_text
from models.snapshot import SnapshotOver, snapshot
from tests import factories as make

COUNT = """SELECT CAST(count(*) AS TEXT) FROM organisation"""
SLOW = {
    POSTGRESQL: "SELECT pg_sleep(60)::text",
    "sqlite": """WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)
        SELECT CAST(count(*) AS TEXT) FROM n""",
}


async def test_a_write_between_two_reads_is_not_seen_by_the_second(database: str) -> None:
    await make.organisation()
    async with snapshot():
        assert await Organisation.all().count() == 1
        # By nobody's hand within the block: another task, as another request is.
        await asyncio.create_task(make.organisation())
        assert await Organisation.all().count() == 1
        assert await read_text(COUNT, (), 90) == "1"
        async with snapshot():
            assert await Organisation.all().count() == 1
    assert await Organisation.all().count() == 2
    assert await read_text(COUNT, (), 90) == "2"


async def test_others_see_a_write_while_a_snapshot_lasts(database: str) -> None:
    found = asyncio.Event()

    async def look() -> tuple[int, int]:
        async with snapshot():
            before = await Organisation.all().count()
            found.set()
            await asyncio.sleep(0.05)
            return before, await Organisation.all().count()

    looking = asyncio.create_task(look())
    await found.wait()
    await make.organisation()
    assert await Organisation.all().count() == 1
    assert await read_text(COUNT, (), 90) == "1"
    assert await looking == (0, 0)


async def test_a_snapshot_begins_at_its_first_read(database: str) -> None:
    async with snapshot():
        await make.organisation()
        assert await Organisation.all().count() == 1


async def test_a_unit_of_work_within_a_snapshot_writes_and_reads_what_it_wrote(
    database: str,
) -> None:
    @unit_of_work
    async def found_another() -> int:
        await make.organisation()
        return await Organisation.all().count()

    async with snapshot():
        assert await Organisation.all().count() == 0
        assert await found_another() == 1
        assert await Organisation.all().count() == 0


async def test_a_snapshot_writes_nothing(database: str) -> None:
    async with snapshot():
        with pytest.raises(Exception, match=r"read-only|readonly"):
            await read_text("DELETE FROM organisation RETURNING 'gone'", (), 90)


async def test_reads_within_a_snapshot_take_turns(database: str) -> None:
    async with snapshot():
        found = await asyncio.gather(*(read_text(f"SELECT '{n}'", (), 90) for n in range(30)))
    assert found == [str(n) for n in range(30)]


async def test_more_snapshots_than_connections_take_turns(database: str) -> None:
    async def look() -> str | None:
        async with snapshot():
            await read_text(COUNT, (), 90)
            await asyncio.sleep(0.01)
            return await read_text(COUNT, (), 90)

    assert await asyncio.gather(*(look() for _ in range(30))) == ["0"] * 30


async def test_a_statement_that_fails_leaves_a_snapshot_to_go_on_with(database: str) -> None:
    async with snapshot():
        with pytest.raises(Exception, match="nowhere"):
            await read_text("SELECT * FROM nowhere", (), 90)
        assert await read_text(COUNT, (), 90) == "0"


@pytest.mark.parametrize("patience", [0.0, 0.001, 0.02])
async def test_snapshots_that_are_given_up_leave_nothing_behind(
    database: str, patience: float
) -> None:
    async def look() -> None:
        async with snapshot():
            await Organisation.all().count()
            await asyncio.gather(*(read_text(SLOW[dialect()], (), 90) for _ in range(2)))

    for _ in range(40):
        task = asyncio.create_task(look())
        await asyncio.sleep(patience)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    await settle()
    async with asyncio.timeout(5):
        await asyncio.gather(*(_count_in_a_snapshot() for _ in range(12)))
    assert await _left(database) == []


async def test_a_read_that_outlives_its_snapshot_is_stopped(database: str) -> None:
    async with snapshot():
        await Organisation.all().count()
        late = asyncio.create_task(read_text(SLOW[dialect()], (), 90))
        later = asyncio.create_task(read_text(COUNT, (), 90))
        await asyncio.sleep(0.05)
    async with asyncio.timeout(5):
        found = await asyncio.gather(late, later, return_exceptions=True)
    assert [type(each) for each in found] == [asyncio.CancelledError, SnapshotOver]
    await settle()
    await _count_in_a_snapshot()
    assert await _left(database) == []


async def _count_in_a_snapshot() -> None:
    async with snapshot():
        assert await Organisation.all().count() == 0


async def _left(url: str) -> list[str]:
    """What still goes on in connections of which nobody should make use any more."""
    if dialect() != POSTGRESQL:
        # While somebody reads the past, the log of writes cannot be emptied.
        await make.organisation()
        connection = get_connections().get("default")
        (found,) = await connection.execute_query_dict("PRAGMA wal_checkpoint(TRUNCATE)")
        return ["a reader"] if found["busy"] else []
    async with _connected(url) as connection:
        for _ in range(50):
            rows = await connection.fetch(
                "SELECT state, query FROM pg_stat_activity WHERE datname = current_database()"
                " AND pid <> pg_backend_pid() AND state <> 'idle'"
            )
            if not rows:
                break
            await asyncio.sleep(0.05)
        return [f"{row['state']}: {row['query']}" for row in rows]


@asynccontextmanager
async def _connected(url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()

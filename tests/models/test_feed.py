"""The change feed: what is committed is heard, here and in other processes, once."""

import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest

from core.clock import utc_now
from models.change import Change, ChangeKind
from models.database import POSTGRESQL, dialect_of, unit_of_work
from models.feed import ChangesLost, Feed, Subscription, announce

ROOT = Path(__file__).parents[2]
ACCOUNT = UUID(int=7)

_OTHER_PROCESS = """
import asyncio, sys
from uuid import UUID
from models.change import ChangeKind
from models.database import opened, unit_of_work
from models.feed import announce

@unit_of_work
async def change(note):
    announce(ChangeKind.SESSION, account_id=UUID(int=7), note=note)

async def main():
    async with opened(sys.argv[1]):
        for note in sys.argv[2:]:
            await change(note)

asyncio.run(main())
"""


@unit_of_work
async def change(note: str, kind: ChangeKind = ChangeKind.SESSION) -> None:
    announce(kind, account_id=ACCOUNT, note=note)


async def change_elsewhere(url: str, *notes: str) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _OTHER_PROCESS, url, *notes, cwd=ROOT, env={**os.environ}
    )
    assert await asyncio.wait_for(process.wait(), 30) == 0


@asynccontextmanager
async def running(feed: Feed) -> AsyncIterator[Feed]:
    task = asyncio.create_task(feed.run())
    await until_fresh(feed)
    try:
        yield feed
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def until_fresh(feed: Feed) -> None:
    for _ in range(1_000):
        if feed.fresh(time.monotonic()):
            return
        await asyncio.sleep(0.01)
    raise TimeoutError


async def next_of(subscription: Subscription) -> Change:
    return await asyncio.wait_for(anext(subscription), 10)


async def test_an_own_change_is_heard_before_the_unit_returns(database: str) -> None:
    heard: list[str] = []
    async with running(Feed(database)) as feed:
        feed.listen(lambda told: heard.append(told.note if told else "LOST"))

        await change("own")

        assert heard == ["own"]
        await asyncio.sleep(0.5)
    assert heard == ["own"]


async def test_a_change_that_is_rolled_back_is_never_heard(database: str) -> None:
    @unit_of_work
    async def broken() -> None:
        announce(ChangeKind.SESSION, note="broken")
        raise LookupError

    async with running(Feed(database)) as feed:
        with feed.subscribe() as subscription:
            with pytest.raises(LookupError):
                await broken()
            await change("whole")

            assert (await next_of(subscription)).note == "whole"


# More than twenty are read at a time, and fewer.
@pytest.mark.parametrize("at_once", [500, 3])
async def test_another_process_is_heard_within_a_second_in_order_and_once(
    database: str, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr("models.feed._AT_ONCE", at_once)
    notes = [str(number) for number in range(20)]
    async with running(Feed(database)) as feed:
        with feed.subscribe() as subscription:
            await change_elsewhere(database, *notes)
            ended_at = time.monotonic()

            heard = [await next_of(subscription) for _ in notes]

            assert time.monotonic() - ended_at < 1
            await change("last")
            assert (await next_of(subscription)).note == "last"
    assert [told.note for told in heard] == notes
    assert {(told.kind, told.account_id, told.subject_id) for told in heard} == {
        (ChangeKind.SESSION, ACCOUNT, None)
    }


async def test_what_was_announced_is_what_is_heard(database: str) -> None:
    @unit_of_work
    async def full() -> None:
        announce(ChangeKind.SHIFT, account_id=ACCOUNT, subject_id=UUID(int=9), note="note")

    async with running(Feed(database)) as feed:
        with feed.subscribe() as subscription:
            await full()
            told = await next_of(subscription)

    row = await Change.get()
    for found in (told, row):
        assert (found.kind, found.account_id, found.subject_id, found.note) == (
            ChangeKind.SHIFT,
            ACCOUNT,
            UUID(int=9),
            "note",
        )
    assert told.id == row.id


async def test_a_subscription_takes_only_what_it_wants(database: str) -> None:
    async with running(Feed(database)) as feed:
        with feed.subscribe(lambda told: told.kind is ChangeKind.SHIFT) as subscription:
            await change("a session")
            await change("a shift", ChangeKind.SHIFT)

            assert (await next_of(subscription)).note == "a shift"


async def test_a_slow_consumer_is_told_that_it_lost_changes(database: str) -> None:
    async with running(Feed(database)) as feed:
        with feed.subscribe(size=2) as subscription:
            for note in ("1", "2", "3"):
                await change(note)

            with pytest.raises(ChangesLost):
                await next_of(subscription)
            await change("4")
            assert (await next_of(subscription)).note == "4"


async def test_a_feed_that_does_not_run_is_not_fresh(database: str) -> None:
    feed = Feed(database)
    assert not feed.fresh(time.monotonic())

    async with running(feed):
        now = time.monotonic()
        assert feed.fresh(now)
        assert not feed.fresh(now + 2)

    assert not feed.fresh(time.monotonic())


async def test_subscriptions_end_with_the_feed(database: str) -> None:
    async with running(Feed(database)) as feed:
        with feed.subscribe() as subscription:
            waiting = asyncio.create_task(anext(subscription, None))
            await asyncio.sleep(0)
    assert await asyncio.wait_for(waiting, 5) is None


async def test_a_feed_that_starts_again_tells_that_changes_were_lost(database: str) -> None:
    heard: list[str] = []
    feed = Feed(database)
    feed.listen(lambda told: heard.append(told.note if told else "LOST"))

    async with running(feed):
        await change("first")
    await change("unheard")
    async with running(feed):
        await change("second")

    assert heard == ["LOST", "first", "LOST", "second"]


async def test_two_feeds_of_one_process_hear_alike(database: str) -> None:
    async with running(Feed(database)) as one, running(Feed(database)) as other:
        with one.subscribe() as first, other.subscribe() as second:
            await change("both")

            assert (await next_of(first)).note == "both"
            assert (await next_of(second)).note == "both"


async def test_old_changes_are_pruned_and_young_ones_kept(database: str) -> None:
    await Change.create(kind=ChangeKind.SHIFT, note="old", at=utc_now() - timedelta(minutes=61))
    await Change.create(kind=ChangeKind.SHIFT, note="young", at=utc_now() - timedelta(minutes=59))

    async with running(Feed(database)):
        for _ in range(500):
            if await Change.all().count() == 1:
                break
            await asyncio.sleep(0.02)

    assert [row.note for row in await Change.all()] == ["young"]


async def test_a_broken_connection_loses_nothing(database: str) -> None:
    if dialect_of(database) != POSTGRESQL:
        pytest.skip("SQLite has no connection that a server could break")
    async with running(Feed(database)) as feed:
        with feed.subscribe() as subscription:
            other = await asyncpg.connect(database)
            cut = await other.fetch(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND query LIKE '%max(id)%change%'"
                " AND pid <> pg_backend_pid()"
            )
            await other.close()
            assert len(cut) == 1
            await change_elsewhere(database, "meanwhile")

            assert (await next_of(subscription)).note == "meanwhile"
            await until_fresh(feed)
            await change("after")
            assert (await next_of(subscription)).note == "after"


async def test_a_lower_number_that_is_committed_later_is_heard(database: str) -> None:
    if dialect_of(database) != POSTGRESQL:
        pytest.skip("SQLite commits in the order of numbers")
    async with running(Feed(database)) as feed:
        with feed.subscribe() as subscription:
            slow = await asyncpg.connect(database)
            transaction = slow.transaction()
            await transaction.start()
            number = await slow.fetchval(
                "INSERT INTO change (at, kind, note) VALUES (now(), 'SHIFT', 'slow') RETURNING id"
            )
            await slow.execute(
                "SELECT pg_notify('cabinet_change', $1)",
                f'[{number}, "2026-03-02T09:00:00+00:00", "SHIFT", "", "", "slow"]',
            )
            await change("quick")
            assert (await next_of(subscription)).note == "quick"
            await asyncio.sleep(0.6)
            await transaction.commit()
            await slow.close()

            assert (await next_of(subscription)).note == "slow"

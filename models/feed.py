"""The change feed: what is committed with a change, and how each process hears of it.

A process hears of its own changes when they commit. It hears of others' through a connection
of its own: SQLite's is asked for ``data_version``, PostgreSQL's listens to NOTIFY. What was
not heard is read again from the table, which is kept for an hour.
"""

import asyncio
import json
import logging
import math
import sqlite3
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
from tortoise.connection import get_connections
from tortoise.exceptions import BaseORMException

from core.clock import Clock, utc_now
from core.errors import Unavailable
from models.change import Change, ChangeKind
from models.database import (
    POSTGRESQL,
    SQLITE,
    configuration,
    current_unit,
    dialect,
    dialect_of,
    unit_of_work,
)

CHANNEL = "cabinet_change"
KEPT = timedelta(hours=1)
# Silence after which nobody may trust what they have heard, in seconds.
SILENCE = 1.0

_POLL_SECONDS = 0.1
_HEARTBEAT_SECONDS = 0.25
_RETRY_SECONDS = 0.2
# So long the loop may wait for a database that is being closed or recovered by another process.
_LOCKED_SECONDS = 0.05
# Changes read before others have a turn.
_AT_ONCE = 500
_PRUNE_SECONDS = 60.0
# PostgreSQL gives numbers out before it commits: so far back a late one may still appear.
_WINDOW = 1_000
_FAILURES = (
    OSError,
    TimeoutError,
    sqlite3.Error,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    BaseORMException,
)
_NEWEST = "SELECT coalesce(max(id), 0) FROM change"
_COLUMNS = "id, at, kind, account_id, subject_id, note"

_log = logging.getLogger(__name__)
_open: set["Feed"] = set()


def announce(
    kind: ChangeKind,
    *,
    account_id: UUID | None = None,
    subject_id: UUID | None = None,
    note: str = "",
) -> None:
    """Adds a change to the current unit of work."""
    unit = current_unit()

    async def write() -> None:
        change = await Change.create(
            kind=kind, account_id=account_id, subject_id=subject_id, note=note
        )
        if dialect() == POSTGRESQL:
            await (
                get_connections()
                .get("default")
                .execute_query("SELECT pg_notify($1, $2)", [CHANNEL, _packed(change)])
            )

        def tell() -> None:
            for feed in list(_open):
                feed.hear(change)

        current_unit().after_commit.append(tell)

    unit.before_commit.append(write)


class ChangesLost(Exception):
    """Some changes did not reach this listener: whatever it shows must be read anew."""


class Subscription:
    """The changes that one consumer waits for, at most ``size`` of them in store.

    A consumer that is too slow, or a feed that was cut off, raises ChangesLost once; then the
    subscription goes on with what comes after. It ends when the feed does.
    """

    def __init__(self, wanted: Callable[[Change], bool], size: int) -> None:
        self._wanted = wanted
        self._size = size
        self._waiting: deque[Change] = deque()
        self._lost = False
        self._ended = False
        self._wake = asyncio.Event()

    def offer(self, change: Change | None) -> None:
        """Takes a change in; None stands for changes that were lost."""
        if change is not None and not self._wanted(change):
            return
        if change is None or len(self._waiting) >= self._size:
            self._waiting.clear()
            self._lost = True
        else:
            self._waiting.append(change)
        self._wake.set()

    def end(self) -> None:
        self._ended = True
        self._wake.set()

    def __aiter__(self) -> "Subscription":
        return self

    async def __anext__(self) -> Change:
        while True:
            if self._lost:
                self._lost = False
                raise ChangesLost
            if self._waiting:
                return self._waiting.popleft()
            if self._ended:
                raise StopAsyncIteration
            self._wake.clear()
            await self._wake.wait()


def _every(_change: Change) -> bool:
    return True


class Feed:
    """One process's ear for the database at an address. ``run`` must be running to hear."""

    def __init__(self, url: str, *, clock: Clock = utc_now) -> None:
        self._url = url
        self._clock = clock
        self._heard_at = -math.inf
        # The newest change read in the order of numbers.
        self._last: int | None = None
        # What was told lately, oldest first, so that nothing is told twice.
        self._told: dict[int, None] = {}
        self._listeners: list[Callable[[Change | None], None]] = []
        self._subscriptions: set[Subscription] = set()

    def fresh(self, moment: float) -> bool:
        """Whether every change older than a second is known; ``moment`` is time.monotonic()."""
        return moment - self._heard_at <= SILENCE

    def listen(self, listener: Callable[[Change | None], None]) -> None:
        """Calls a function with each change, or with None when changes may have been missed."""
        self._listeners.append(listener)

    @contextmanager
    def subscribe(
        self, wanted: Callable[[Change], bool] = _every, *, size: int = 100
    ) -> Iterator[Subscription]:
        """A subscription to the changes that are wanted, until the block ends."""
        subscription = Subscription(wanted, size)
        self._subscriptions.add(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions.discard(subscription)
            subscription.end()

    async def run(self) -> None:
        """Hears and prunes until cancelled; faults of the database are waited out."""
        _open.add(self)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._keep_listening())
                tasks.create_task(self._keep_pruning())
        finally:
            _open.discard(self)
            self._heard_at = -math.inf
            self._last = None
            for subscription in self._subscriptions:
                subscription.end()

    def hear(self, change: Change) -> None:
        """Tells a change to everybody who listens, once."""
        if change.id in self._told:
            return
        self._told[change.id] = None
        if len(self._told) > 2 * _WINDOW:
            del self._told[next(iter(self._told))]
        self._tell(change)

    def _tell(self, change: Change | None) -> None:
        for listener in self._listeners:
            listener(change)
        for subscription in self._subscriptions:
            subscription.offer(change)

    async def _keep_listening(self) -> None:
        listen = self._listen_sqlite if dialect_of(self._url) == SQLITE else self._listen_postgresql
        while True:
            try:
                await listen()
            except _FAILURES as error:
                _log.warning("the change feed was cut off (%s); trying again", type(error).__name__)
            await asyncio.sleep(_RETRY_SECONDS)

    def _begin(self, newest: int) -> int:
        """The number after which nothing was heard; tells of a gap that the table cannot fill."""
        long_ago = time.monotonic() - KEPT.total_seconds() / 2
        if self._last is None or self._heard_at < long_ago:
            self._last = newest
            self._tell(None)
        return self._last

    async def _listen_sqlite(self) -> None:
        path = configuration(self._url)["connections"]["default"]["credentials"]["file_path"]
        # All of it are short looks into memory, and asked where they are: a thread's answer would
        # wait for a turn of a loop that may be busy for longer than the feed may be silent.
        connection = sqlite3.connect(path, timeout=_LOCKED_SECONDS, isolation_level=None)
        try:
            connection.execute("PRAGMA query_only = ON")
            self._begin(_one(connection, _NEWEST))
            version = None
            while True:
                asked_at = time.monotonic()
                current = _one(connection, "PRAGMA data_version")
                if current != version and self._read_on(connection) == _AT_ONCE:
                    # There may be more of them.
                    await asyncio.sleep(0)
                    continue
                version = current
                self._heard_at = asked_at
                await asyncio.sleep(_POLL_SECONDS)
        finally:
            connection.close()

    def _read_on(self, connection: sqlite3.Connection) -> int:
        """Tells the next changes, and how many there were."""
        # One process writes at a time: numbers are committed in their order.
        rows = connection.execute(
            f"SELECT {_COLUMNS} FROM change WHERE id > ? ORDER BY id LIMIT ?",  # noqa: S608 - constant text
            (self._last, _AT_ONCE),
        ).fetchall()
        for row in rows:
            self.hear(_from_row(row))
            self._last = int(row[0])
        return len(rows)

    async def _listen_postgresql(self) -> None:
        credentials = configuration(self._url)["connections"]["default"]["credentials"]
        names = ("host", "port", "user", "password", "database", "ssl")
        connection = await asyncpg.connect(
            **{name: credentials[name] for name in names if credentials.get(name) is not None},
            timeout=5,
        )
        try:
            await connection.add_listener(CHANNEL, self._notified)
            newest = await connection.fetchval(_NEWEST)
            began = self._last is None
            after = self._begin(newest)
            if not began:
                rows = await connection.fetch(
                    f"SELECT {_COLUMNS} FROM change WHERE id > $1 ORDER BY id",  # noqa: S608 - constant text
                    after - _WINDOW,
                )
                for row in rows:
                    self.hear(_from_row(row))
            while True:
                asked_at = time.monotonic()
                # The answer comes after every notice committed before the question.
                self._last = await connection.fetchval(_NEWEST, timeout=SILENCE)
                self._heard_at = asked_at
                await asyncio.sleep(_HEARTBEAT_SECONDS)
        finally:
            connection.terminate()

    def _notified(self, _connection: object, _pid: int, _channel: str, payload: object) -> None:
        self.hear(_unpacked(str(payload)))

    async def _keep_pruning(self) -> None:
        while True:
            try:
                await _prune(self._clock() - KEPT)
            except (*_FAILURES, Unavailable) as error:
                _log.warning("old changes were not pruned (%s)", type(error).__name__)
            await asyncio.sleep(_PRUNE_SECONDS)


@unit_of_work
async def _prune(before: datetime) -> None:
    await Change.filter(at__lt=before).delete()


def _one(connection: sqlite3.Connection, statement: str) -> int:
    (row,) = connection.execute(statement).fetchall()
    return int(row[0])


def _from_row(row: Any) -> Change:
    identifier, at, kind, account_id, subject_id, note = row
    return _change(identifier, at, kind, account_id, subject_id, note)


def _packed(change: Change) -> str:
    return json.dumps(
        [
            change.id,
            change.at.isoformat(),
            change.kind,
            str(change.account_id or ""),
            str(change.subject_id or ""),
            change.note,
        ]
    )


def _unpacked(payload: str) -> Change:
    return _change(*json.loads(payload))


def _change(
    identifier: int, at: object, kind: str, account_id: object, subject_id: object, note: str
) -> Change:
    moment = at if isinstance(at, datetime) else datetime.fromisoformat(str(at))
    return Change(
        id=identifier,
        at=moment.astimezone(UTC),
        kind=ChangeKind(kind),
        account_id=UUID(str(account_id)) if account_id else None,
        subject_id=UUID(str(subject_id)) if subject_id else None,
        note=note,
    )

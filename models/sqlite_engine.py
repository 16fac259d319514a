"""The SQLite client of ours: Tortoise's, with transactions that begin IMMEDIATE, zones and masks.

A deferred BEGIN fails at once when it must upgrade to a write while another process writes;
IMMEDIATE waits for its turn (``busy_timeout``). Planned reads are run where they are asked,
without the hop to another thread, as long as they are short. Named as the engine in the
connection's configuration, hence ``client_class``.
"""

import asyncio
import sqlite3
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

import aiosqlite
from tortoise.backends.base.client import TransactionalDBClient, TransactionContext
from tortoise.backends.sqlite.client import (
    SqliteClient,
    SqliteTransactionContext,
    SqliteTransactionWrapper,
)
from tortoise.exceptions import OperationalError

from core.clock import day_of
from core.text import mask
from models.database import NotAtOnce, StatementTooDeep, finish

# Snapshots at a time; each has a thread.
_SNAPSHOTS = 4
# Seconds from one interrupt of what still runs to the next.
_MOMENT = 0.01


class _Wrapper(SqliteTransactionWrapper):
    async def begin(self) -> None:
        try:
            await self._connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            raise OperationalError(error) from error


class _Context(SqliteTransactionContext):
    def __init__(self, connection: Any, lock: asyncio.Lock) -> None:
        super().__init__(connection, lock)

    async def __aenter__(self) -> TransactionalDBClient:
        try:
            return await super().__aenter__()
        except BaseException:
            # Tortoise leaves the lock held when BEGIN itself fails: nobody could write again.
            if self._trxlock.locked():
                self._trxlock.release()
            raise


# A read may keep the event loop for so many times so many steps of SQLite's machine, a
# millisecond or two; and not for longer than this, should it have to wait for the disk.
_STEPS = 10_000
_STRETCHES = 10
_SHORT_SECONDS = 0.1
_REMEMBERED = 1_000
_NOT_NOW = (sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_BUSY)
_TOO_DEEP = ("parser stack overflow", "too large", "too many")


def _told(error: sqlite3.OperationalError) -> Exception:
    is_too_deep = any(sign in str(error) for sign in _TOO_DEEP)
    return StatementTooDeep(str(error)) if is_too_deep else error


@lru_cache(maxsize=100_000)
def _day_of(moment: str | None, zone: str) -> str | None:
    """The calendar day of a stored moment in an IANA time zone: SQLite itself knows no zones."""
    return None if moment is None else day_of(datetime.fromisoformat(moment), zone).isoformat()


def _masked(text: str | None, keep: int) -> str | None:
    """A text as it is shown to whom it is masked: SQLite has no regular expressions."""
    return None if text is None else mask(text, keep)


_FUNCTIONS: dict[str, Callable[[Any, Any], Any]] = {"day_of": _day_of, "masked": _masked}


class ImmediateSqliteClient(SqliteClient):
    """SQLite whose transactions take the write lock when they begin; it knows zones and masks.

    Snapshots have connections of their own: in a transaction, the shared one would show others
    rows of the past.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._idle: list[aiosqlite.Connection] = []
        self._turns = asyncio.Semaphore(_SNAPSHOTS)
        self._short: sqlite3.Connection | None = None
        self._stretches, self._until = 0, 0.0
        # Statements that were too long to wait for.
        self._long: set[str] = set()

    async def _post_connect(self) -> None:
        await super()._post_connect()
        assert self._connection is not None
        for name, function in _FUNCTIONS.items():
            await self._connection.create_function(name, 2, function, deterministic=True)

    async def read_text(self, sql: str, values: Sequence[Any], seconds: float) -> str | None:
        """The only value of the only row; raises StatementTooDeep, TimeoutError."""
        try:
            return self.read_at_once(sql, values)
        except NotAtOnce:
            async with asyncio.timeout(seconds):
                return await self._long_read(sql, values)

    def read_at_once(self, sql: str, values: Sequence[Any]) -> str | None:
        """The same while everybody waits; raises StatementTooDeep, NotAtOnce."""
        if sql in self._long:
            raise NotAtOnce
        try:
            return self._short_read(sql, values)
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode not in _NOT_NOW:
                raise _told(error) from None
            if self._stretches > _STRETCHES:
                self._remember(sql)
            raise NotAtOnce from None

    def _short_read(self, sql: str, values: Sequence[Any]) -> str | None:
        if self._short is None:
            self._short = sqlite3.connect(self.filename, isolation_level=None)
            for name, function in _FUNCTIONS.items():
                self._short.create_function(name, 2, function, deterministic=True)
            self._short.execute("PRAGMA query_only = ON")
            self._short.execute("PRAGMA busy_timeout = 0")
            self._short.set_progress_handler(self._is_too_long, _STEPS)
        self._stretches, self._until = 0, time.perf_counter() + _SHORT_SECONDS
        found = self._short.execute(sql, values).fetchall()
        return found[0][0] if found else None

    def _is_too_long(self) -> bool:
        self._stretches += 1
        return self._stretches > _STRETCHES or time.perf_counter() > self._until

    def _remember(self, sql: str) -> None:
        if len(self._long) >= _REMEMBERED:
            self._long.clear()
        self._long.add(sql)

    async def _long_read(self, sql: str, values: Sequence[Any]) -> str | None:
        """Reads in a thread, on a connection of its own: given up, it is stopped."""
        connection = await self.begin_snapshot()
        try:
            return await self.text(connection, sql, values)
        finally:
            await finish(self.end_snapshot(connection))

    async def text(self, connection: Any, sql: str, values: Sequence[Any]) -> str | None:
        """The only value of the only row, read on a connection of the caller's own."""
        try:
            found = list(await connection.execute_fetchall(sql, values))
        except sqlite3.OperationalError as error:
            raise _told(error) from None
        return found[0][0] if found else None

    async def begin_snapshot(self) -> Any:
        """A connection of the caller's own that reads one state until ``end_snapshot``."""
        await self._turns.acquire()
        try:
            while not self._idle:
                await finish(self._open_another())
            connection = self._idle.pop()
        except BaseException:
            self._turns.release()
            raise
        try:
            await connection.execute("BEGIN")
        except BaseException:
            # It may have begun: a connection's thread goes on to the end of what it was given.
            await finish(self.end_snapshot(connection))
            raise
        return connection

    async def end_snapshot(self, connection: Any) -> None:
        """Takes a connection back; what still runs on it is stopped."""
        ending = asyncio.create_task(connection.rollback())
        try:
            # What waits for its turn in the connection's thread begins only after an interrupt.
            while not (await asyncio.wait({ending}, timeout=_MOMENT))[0]:
                await connection.interrupt()
            await ending
            self._idle.append(connection)
        except sqlite3.OperationalError:
            await connection.close()
        finally:
            self._turns.release()

    async def _open_another(self) -> None:
        other = ImmediateSqliteClient(self.filename, connection_name="", **self.pragmas)
        await other.create_connection(with_db=True)
        assert other._connection is not None
        self._idle.append(other._connection)

    async def close(self) -> None:
        while self._idle:
            await self._idle.pop().close()
        if self._short is not None:
            self._short.close()
            self._short = None
        await super().close()

    def _in_transaction(self) -> TransactionContext:
        return _Context(_Wrapper(self), self._lock)


client_class = ImmediateSqliteClient

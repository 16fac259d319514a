"""The SQLite client of ours: Tortoise's, with transactions that begin IMMEDIATE, and with zones.

A deferred BEGIN fails at once when it must upgrade to a write while another process writes;
IMMEDIATE waits for its turn (``busy_timeout``). Planned reads are run where they are asked,
without the hop to another thread, as long as they are short. Named as the engine in the
connection's configuration, hence ``client_class``.
"""

import asyncio
import sqlite3
import time
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from tortoise.backends.base.client import TransactionalDBClient, TransactionContext
from tortoise.backends.sqlite.client import (
    SqliteClient,
    SqliteTransactionContext,
    SqliteTransactionWrapper,
)
from tortoise.exceptions import OperationalError

from core.clock import day_of


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
_STEPS = 1_000
_STRETCHES = 100
_SHORT_SECONDS = 0.02
_REMEMBERED = 1_000
_NOT_NOW = (sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_BUSY)
_TOO_DEEP = ("parser stack overflow", "too large", "too many")


class StatementTooDeep(Exception):
    """SQLite takes no statement as deep, wide or long as this one."""


@lru_cache(maxsize=100_000)
def _day_of(moment: str | None, zone: str) -> str | None:
    """The calendar day of a stored moment in an IANA time zone: SQLite itself knows no zones."""
    return None if moment is None else day_of(datetime.fromisoformat(moment), zone).isoformat()


class ImmediateSqliteClient(SqliteClient):
    """SQLite whose transactions take the write lock when they begin, and that knows zones."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._short: sqlite3.Connection | None = None
        self._stretches, self._until = 0, 0.0
        # Statements that were too long to wait for.
        self._long: set[str] = set()

    async def _post_connect(self) -> None:
        await super()._post_connect()
        assert self._connection is not None
        await self._connection.create_function("day_of", 2, _day_of, deterministic=True)

    async def read_text(self, sql: str, values: Sequence[Any], seconds: float) -> str | None:
        """The only value of the only row; raises StatementTooDeep, TimeoutError."""
        try:
            if sql not in self._long:
                try:
                    return self._short_read(sql, values)
                except sqlite3.OperationalError as error:
                    if error.sqlite_errorcode not in _NOT_NOW:
                        raise
                    if self._stretches > _STRETCHES:
                        self._remember(sql)
            async with asyncio.timeout(seconds):
                return await self._long_read(sql, values)
        except sqlite3.OperationalError as error:
            if any(sign in str(error) for sign in _TOO_DEEP):
                raise StatementTooDeep from error
            raise

    def _short_read(self, sql: str, values: Sequence[Any]) -> str | None:
        """Reads while everybody waits; raises where that would be for too long."""
        if self._short is None:
            self._short = sqlite3.connect(self.filename, isolation_level=None)
            self._short.create_function("day_of", 2, _day_of, deterministic=True)
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
        if self._connection is None:
            # Whoever else comes meanwhile must not open one of their own.
            async with self._lock:
                await self.create_connection(with_db=True)
        assert self._connection is not None
        found = list(await self._connection.execute_fetchall(sql, values))
        return found[0][0] if found else None

    async def close(self) -> None:
        if self._short is not None:
            self._short.close()
            self._short = None
        await super().close()

    def _in_transaction(self) -> TransactionContext:
        return _Context(_Wrapper(self), self._lock)


client_class = ImmediateSqliteClient

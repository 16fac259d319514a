"""The SQLite client of ours: Tortoise's, with transactions that begin IMMEDIATE, and with zones.

A deferred BEGIN fails at once when it must upgrade to a write while another process writes;
IMMEDIATE waits for its turn (``busy_timeout``). Named as the engine in the connection's
configuration, hence ``client_class``.
"""

import asyncio
import sqlite3
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


_TOO_DEEP = ("parser stack overflow", "too large", "too many")


class StatementTooDeep(Exception):
    """SQLite takes no statement as deep, wide or long as this one."""


@lru_cache(maxsize=100_000)
def _day_of(moment: str | None, zone: str) -> str | None:
    """The calendar day of a stored moment in an IANA time zone: SQLite itself knows no zones."""
    return None if moment is None else day_of(datetime.fromisoformat(moment), zone).isoformat()


class ImmediateSqliteClient(SqliteClient):
    """SQLite whose transactions take the write lock when they begin, and that knows zones."""

    async def _post_connect(self) -> None:
        await super()._post_connect()
        assert self._connection is not None
        await self._connection.create_function("day_of", 2, _day_of, deterministic=True)

    async def read_text(self, sql: str, values: Sequence[Any]) -> str | None:
        """The only value of the only row; raises StatementTooDeep."""
        if self._connection is None:
            # Whoever else comes meanwhile must not open one of their own.
            async with self._lock:
                await self.create_connection(with_db=True)
        assert self._connection is not None
        try:
            found = list(await self._connection.execute_fetchall(sql, values))
        except sqlite3.OperationalError as error:
            if any(sign in str(error) for sign in _TOO_DEEP):
                raise StatementTooDeep from error
            raise
        return found[0][0] if found else None

    def _in_transaction(self) -> TransactionContext:
        return _Context(_Wrapper(self), self._lock)


client_class = ImmediateSqliteClient

"""One snapshot: all reads within a block see the database as it was at the first of them.

They run on a connection that nobody else's reads share, in a transaction that only reads. It is
taken at the first read, so that a block without one costs nothing, and given back when the block
ends, however it ends: by a task that cancellation cannot reach. Whatever still runs on it then,
for an answer that nobody waits for, is stopped. Units of work go to the writer as ever.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from tortoise.backends.asyncpg.client import AsyncpgDBClient
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.backends.sqlite.client import SqliteClient
from tortoise.connection import get_connections

from models.database import POSTGRESQL, SNAPSHOT, current_snapshot, dialect, finish, reader


@asynccontextmanager
async def snapshot() -> AsyncIterator[None]:
    """Reads within the block see one state of the database. A block inside a block joins it."""
    if current_snapshot.get() is not None:
        yield
        return
    client = (_Postgresql if dialect() == POSTGRESQL else _Sqlite)(reader())
    token = current_snapshot.set(client)
    connections = get_connections()
    routed = connections.set(SNAPSHOT, client)
    try:
        yield
    finally:
        connections.reset(routed)
        current_snapshot.reset(token)
        await client.end()


class SnapshotOver(Exception):
    """A read that comes after the end of its block: nobody waits for what it would find."""


class _Snapshot(BaseDBAsyncClient):
    """A client of Tortoise's on one connection, whose reads take turns."""

    def __init__(self, engine: Any) -> None:
        # Not the engine's own, which would see to connections.
        BaseDBAsyncClient.__init__(self, SNAPSHOT)
        self._engine: Any = engine
        self._connection: Any = None
        self._lock = asyncio.Lock()
        self._is_over = False
        # Whoever reads at the moment.
        self._reading: asyncio.Task[Any] | None = None

    def acquire_connection(self) -> Any:
        return self._turn()

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[Any]:
        async with self._lock:
            if self._is_over:
                raise SnapshotOver
            self._reading = asyncio.current_task()
            try:
                if self._connection is None:
                    self._connection = await self._engine.begin_snapshot()
                yield self._connection
            finally:
                self._reading = None

    async def read_text(self, sql: str, values: Sequence[Any], seconds: float) -> str | None:
        """The only value of the only row; raises TimeoutError, StatementTooDeep."""
        async with asyncio.timeout(seconds), self._turn() as connection:
            try:
                text: str | None = await self._engine.text(connection, sql, values)
            except Exception:
                # PostgreSQL answers nothing more in this transaction: the next read begins anew.
                await finish(self._give_back())
                raise
            return text

    async def end(self) -> None:
        self._is_over = True
        if self._connection is not None or self._reading is not None:
            await finish(self._stop())

    async def _stop(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
        async with self._lock:
            await self._give_back()

    async def _give_back(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await self._engine.end_snapshot(connection)


class _Sqlite(_Snapshot, SqliteClient):
    pass


class _Postgresql(_Snapshot, AsyncpgDBClient):
    pass

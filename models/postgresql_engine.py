"""The PostgreSQL client of ours: Tortoise's, with connections beside its pool that only read.

Planned reads are single statements that change nothing of their connection. The pool would
reset a connection whenever it is given back, a second round trip that a small read is too
small for. Named as the engine in the connection's configuration, hence ``client_class``.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import asyncpg
from tortoise.backends.asyncpg.client import AsyncpgDBClient

from models.database import StatementTooDeep

# Dates are printed by casting them to text, which is several times cheaper than to_char.
_ISO = {"datestyle": "ISO"}
# Reads are short, and a core serves only so many at a time.
_READERS = 10
# Snapshots at a time: those that execute must not keep planned reads waiting.
_SNAPSHOTS = 5
# Seconds in which a connection must have come out of its transaction.
_PATIENCE = 5.0
_SETTINGS = {
    "default_transaction_read_only": "on",
    # Compiling a statement costs more than any page of rows, and so does planning it anew for
    # the values of each request.
    "jit": "off",
    "plan_cache_mode": "force_generic_plan",
    # What is read often is in memory: a page costs less, and wherever it lies the same. For half
    # of this again, PostgreSQL would count in the table instead of the index.
    "seq_page_cost": "0.6",
    "random_page_cost": "0.6",
}

# What a reading connection keeps prepared. For each character of a statement's text the server
# holds about 250 bytes there: what is longer than the limits of an operation usually allow is
# planned for itself, and what nobody has asked for since is let go of. Whoever reads through
# PgBouncer may say otherwise in the database's address.
_PREPARED = {
    "statement_cache_size": 100,
    "max_cacheable_statement_size": 64 * 1024,
    "max_cached_statement_lifetime": 300,
}

_OF_THE_POOL = {"max_queries", "max_inactive_connection_lifetime", "setup", "init", "reset"}
_GONE = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
)


class ReadingAsyncpgClient(AsyncpgDBClient):
    """PostgreSQL with a stack of connections for planned reads."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.server_settings |= _ISO
        self._readers: list[asyncpg.Connection] = []
        self._turns = asyncio.Semaphore(_READERS)
        self._snapshots = asyncio.Semaphore(_SNAPSHOTS)

    async def read_text(self, sql: str, values: Sequence[Any], seconds: float) -> str | None:
        """The only value of the only row; raises TimeoutError, StatementTooDeep."""
        # A timer of asyncio's costs a quarter of a small read, one of the driver's much less: the
        # first is for what waits before the driver is asked.
        until = time.monotonic() + seconds
        if self._turns.locked():
            async with asyncio.timeout(seconds):
                await self._turns.acquire()
        else:
            await self._turns.acquire()
        try:
            reader = self._idle()
            if reader is None:
                async with asyncio.timeout(until - time.monotonic()):
                    reader = await self._connect()
            try:
                return await self.text(reader, sql, values, until - time.monotonic())
            finally:
                if not reader.is_closed():
                    self._readers.append(reader)
        finally:
            self._turns.release()

    async def text(
        self, connection: Any, sql: str, values: Sequence[Any], seconds: float | None = None
    ) -> str | None:
        """The only value of the only row, read on a connection."""
        try:
            text: str | None = await connection.fetchval(sql, *values, timeout=seconds)
        except asyncpg.ProgramLimitExceededError as error:
            raise StatementTooDeep(str(error)) from None
        return text

    async def begin_snapshot(self) -> Any:
        """A connection of the caller's own that reads one state until ``end_snapshot``."""
        await self._snapshots.acquire()
        try:
            connection = await self._reader()
            try:
                await connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            except BaseException:
                connection.terminate()
                raise
        except BaseException:
            self._snapshots.release()
            raise
        return connection

    async def end_snapshot(self, connection: Any) -> None:
        """Takes a connection back; one that does not come out of its transaction is cut off."""
        try:
            await connection.execute("ROLLBACK", timeout=_PATIENCE)
            self._readers.append(connection)
        except _GONE:
            connection.terminate()
        finally:
            self._snapshots.release()

    async def _reader(self) -> asyncpg.Connection:
        return self._idle() or await self._connect()

    def _idle(self) -> asyncpg.Connection | None:
        """A reader that waits to be used."""
        while self._readers:
            reader = self._readers.pop()
            if not reader.is_closed():
                return reader
        return None

    async def _connect(self) -> asyncpg.Connection:
        said = {name: value for name, value in self.extra.items() if name not in _OF_THE_POOL}
        return await asyncpg.connect(
            host=self.host,
            port=self.port,
            user=self.user,
            password=self.password,
            database=self.database,
            server_settings={**self.server_settings, **_SETTINGS},
            **{**_PREPARED, **said},
        )

    async def close(self) -> None:
        while self._readers:
            await self._readers.pop().close()
        await super().close()


client_class = ReadingAsyncpgClient

"""The Redis that tests run against, and ways to it that can be cut or fall silent."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest

# Where Redis is there, a machine that is busy must not make it look away.
PATIENCE = 30.0

REDIS = os.environ.get("CABINET_TEST_REDIS_URL", "")


def needed_redis() -> str:
    """The address of Redis; skips the test, which CI does not allow, where there is none."""
    if not REDIS:
        if os.environ.get("CI") == "true":
            pytest.fail("CABINET_TEST_REDIS_URL is not set, and in CI limits in Redis are tested")
        pytest.skip("LIMITS IN REDIS ARE NOT TESTED: set CABINET_TEST_REDIS_URL=redis://…")
    return REDIS


class Way:
    """A port of this machine that leads to Redis until it is cut, or that swallows what comes."""

    def __init__(self, *, silent: bool = False) -> None:
        self._silent = silent
        self._open: dict[asyncio.Task[None], asyncio.StreamWriter] = {}
        self._server: asyncio.Server | None = None
        self._port = 0
        self.asked = 0

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self._port}"

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """As when Redis is killed: connections are reset, and new ones refused."""
        assert self._server is not None
        self._server.close()
        for writer in self._open.values():
            writer.transport.abort()
        await asyncio.gather(*self._open)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.asked += 1
        task = asyncio.current_task()
        assert task is not None
        self._open[task] = writer
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                if self._silent:
                    await reader.read()
                else:
                    await self._lead(reader, writer)
        finally:
            del self._open[task]
            writer.transport.abort()

    async def _lead(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        parts = urlsplit(needed_redis())
        inner, outer = await asyncio.open_connection(parts.hostname, parts.port or 6379)
        to_redis = asyncio.create_task(_copied(reader, outer))
        try:
            await _copied(inner, writer)
        finally:
            to_redis.cancel()
            await asyncio.gather(to_redis, return_exceptions=True)
            outer.transport.abort()


async def _copied(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def way(*, silent: bool = False) -> AsyncIterator[Way]:
    """A way that is open."""
    found = Way(silent=silent)
    await found.open()
    try:
        yield found
    finally:
        await found.cut()

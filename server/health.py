"""Health over HTTP: whether the process serves, and how each part is, without a secret."""

import asyncio
import sqlite3
import time

import asyncpg
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from tortoise.exceptions import BaseORMException

from core.clock import utc_now
from core.errors import Unavailable
from models.notice import ServicePart
from resolvers.health import Health, health_of_parts

# Anybody may ask, as often as they like: the database is asked once in so many seconds.
_KEPT_SECONDS = 1.0
_WAITED_SECONDS = 2.0
_FAILURES = (
    OSError,
    TimeoutError,
    sqlite3.Error,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    BaseORMException,
    Unavailable,
)


class _Known:
    """What was found out last, by whoever asked first."""

    def __init__(self) -> None:
        self._until = 0.0
        self._parts: dict[ServicePart, Health] = {}
        self._asking = asyncio.Lock()

    async def parts(self) -> dict[ServicePart, Health]:
        async with self._asking:
            if time.monotonic() >= self._until:
                self._parts = await self._found()
                self._until = time.monotonic() + _KEPT_SECONDS
            return self._parts

    async def _found(self) -> dict[ServicePart, Health]:
        try:
            async with asyncio.timeout(_WAITED_SECONDS):
                return await health_of_parts(utc_now())
        except _FAILURES:
            # Of the others nothing is known then.
            return {ServicePart.DATABASE: Health.DOWN}


def route() -> Route:
    """``GET /health``: 200 while requests can be answered, 503 while the database is down.

    A part that mail or SMS go by does not stop the whole: it is told beside.
    """
    known = _Known()

    async def health(_request: Request) -> Response:
        parts = await known.parts()
        is_up = len(parts) == len(ServicePart)
        told = {part.value: health.value for part, health in parts.items()}
        body = {"status": "ok" if is_up else "down", "parts": told}
        return JSONResponse(body, status_code=200 if is_up else 503)

    return Route("/health", health)

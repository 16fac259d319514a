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
from server.services import Services

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
        self._parts: dict[ServicePart, Health] | None = None
        self._asking = asyncio.Lock()

    async def parts(self, services: Services) -> dict[ServicePart, Health] | None:
        """How each part is; None while the database cannot be asked."""
        async with self._asking:
            if time.monotonic() >= self._until:
                self._parts = await self._found(services)
                self._until = time.monotonic() + _KEPT_SECONDS
            return self._parts

    async def _found(self, services: Services) -> dict[ServicePart, Health] | None:
        try:
            async with asyncio.timeout(_WAITED_SECONDS):
                return await health_of_parts(
                    utc_now(), settings=services.settings, esia=services.esia
                )
        except _FAILURES:
            return None


def route() -> Route:
    """``GET /health``: 200 while requests can be answered, 503 while the database is down.

    A part that mail or SMS go by does not stop the whole: it is told beside.
    """
    known = _Known()

    async def health(request: Request) -> Response:
        parts = await known.parts(request.app.state.services)
        is_up = parts is not None
        # Of the others nothing is known while it is down.
        parts = parts or {ServicePart.DATABASE: Health.DOWN}
        told = {part.value: health.value for part, health in parts.items()}
        body = {"status": "ok" if is_up else "down", "parts": told}
        return JSONResponse(body, status_code=200 if is_up else 503)

    return Route("/health", health)

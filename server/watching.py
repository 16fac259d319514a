"""Watching: looks now and then at the parts whose failure nobody would be told of otherwise."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime

from adapters.oidc import Client
from adapters.storage import Storage
from core.clock import Clock, utc_now
from models.notice import ServicePart
from resolvers.health import parts_of
from server.outages import Outages
from server.services import Services

# One failure may be a connection that was lost.
OUTAGE = 2
_EVERY_SECONDS = 5.0

_log = logging.getLogger(__name__)


class Watching:
    """Looks at each part of this kind that the installation has."""

    def __init__(self, services: Services, *, clock: Clock = utc_now) -> None:
        looks: dict[ServicePart, Callable[[datetime], Awaitable[bool | None]]] = {
            ServicePart.ESIA: lambda _now: _is_here(services.esia),
            ServicePart.SIGNATURES: services.signatures.works,
            ServicePart.LIMITS: lambda _now: services.gate.limiter.works(),
            ServicePart.FILES: lambda _now: _can_be_written(services.storage),
        }
        here = parts_of(services.settings)
        self._looks = {part: look for part, look in looks.items() if part in here}
        self._outages = Outages(OUTAGE)
        self._clock = clock

    async def run(self) -> None:
        """Looks again and again until cancelled; faults are waited out."""
        while True:
            try:
                await self.look()
            except Exception as error:
                _log.warning("the health of parts was not told (%s)", type(error).__name__)
            await asyncio.sleep(_EVERY_SECONDS)

    async def look(self) -> None:
        """Looks once at each part, and tells where one fails or works again."""
        now = self._clock()
        found = await asyncio.gather(*(look(now) for look in self._looks.values()))
        for part, works in zip(self._looks, found, strict=True):
            if works is not None:
                await self._outages.note(part, works, now)


async def _is_here(esia: Client | None) -> bool | None:
    """Whether Gosuslugi answers; None where nothing new can be told."""
    if esia is None:
        return None
    if not await esia.answers():
        return False
    # That it shows its page ends only what was found by that: whether codes are redeemed again,
    # the next one tells.
    is_back, esia.was_away = esia.was_away, False
    return True if is_back else None


async def _can_be_written(storage: Storage) -> bool:
    try:
        async with storage.draft() as draft:
            await draft.write(b"?")
            await draft.read()
    except OSError:
        return False
    return True

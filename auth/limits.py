"""Rate limits: how often something may be done within a window, counted for a key.

A hit is counted when it is asked for, and not when it has failed: fifty at once get no more
than the limit.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from auth.hours import on_our_clock
from auth.keys import HashKey
from auth.turns import take_turns
from auth.viewer import Viewer
from core.errors import Problem
from models.database import outside_units, unit_of_work
from models.hit import Hit


class TooManyAttempts(Problem):
    """It was tried too often: the next try is looked at from ``until`` on."""

    code = "TOO_MANY_ATTEMPTS"


@dataclass(frozen=True, slots=True)
class Limit:
    """So many times within a window. The name keeps the counts of different limits apart."""

    name: str
    times: int
    window: timedelta


class Limiter(Protocol):
    """Counts hits against limits. ``key`` is whom a limit is for: an address, a contact, an id."""

    async def hit(self, viewer: Viewer, limit: Limit, key: str) -> None:
        """Counts one; raises TooManyAttempts and counts nothing.

        Outside of units of work, for what is counted must stay when these fail.
        """

    async def forget(self, limit: Limit, key: str) -> None:
        """Begins to count anew."""

    async def works(self) -> bool:
        """Whether what counts first can be written to now."""

    async def close(self) -> None:
        """Lets go of what it holds open: called when the server ends."""


@dataclass(frozen=True, slots=True)
class DatabaseLimiter:
    """Keeps the hits as rows, under keyed hashes of whom they are for."""

    hashes: HashKey

    async def hit(self, viewer: Viewer, limit: Limit, key: str) -> None:
        outside_units()
        until = await _counted(key_hash(self.hashes, limit, key), limit, viewer.now)
        if until is not None:
            raise TooManyAttempts(until=await on_our_clock(viewer, until))

    async def forget(self, limit: Limit, key: str) -> None:
        await _forgotten(key_hash(self.hashes, limit, key))

    async def works(self) -> bool:
        return True

    async def close(self) -> None:
        """Nothing: the database is the server's."""


def key_hash(hashes: HashKey, limit: Limit, key: str) -> str:
    """Under what the hits of a key are kept: nobody can read there whom they are of."""
    return hashes.hash(f"limit {limit.name}", key)


@unit_of_work
async def _counted(key_hash: str, limit: Limit, now: datetime) -> datetime | None:
    """Counts a hit; where there were too many, until when instead."""
    await take_turns(f"hit {key_hash}")
    await Hit.filter(ends_at__lte=now).delete()
    newest = await Hit.filter(key_hash=key_hash).order_by("-at", "-id").limit(limit.times)
    if len(newest) >= limit.times:
        return newest[-1].ends_at
    await Hit.create(key_hash=key_hash, at=now, ends_at=now + limit.window)
    return None


@unit_of_work
async def _forgotten(key_hash: str) -> None:
    await Hit.filter(key_hash=key_hash).delete()

"""Rate limits in Redis, shared by all workers; while it is away, the database counts instead.

The database counts from nothing then, so that of each limit there may be twice as much, and never
more: what cannot be counted is not let through. What Redis says late is not waited for.
"""

import asyncio
import logging
import secrets
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from auth.hours import on_our_clock
from auth.keys import HashKey
from auth.limits import Limit, Limiter, TooManyAttempts, key_hash
from auth.viewer import Viewer
from models.database import outside_units

# One step for Redis: nobody comes between the count and the hit. Scores are milliseconds on the
# workers' clock. Tells the oldest hit that counts where there are too many.
_HIT = """
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[1] - ARGV[2])
local oldest = redis.call('ZREVRANGE', KEYS[1], ARGV[3] - 1, ARGV[3] - 1, 'WITHSCORES')
if oldest[2] then
  return oldest[2]
end
redis.call('ZADD', KEYS[1], ARGV[1], ARGV[4])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return false
"""
_CONNECTIONS = 16

_log = logging.getLogger(__name__)


class _Away(Exception):
    """Redis does not answer."""


class RedisLimiter:
    """Keeps the hits of a key as a sorted set; ``beyond`` counts while Redis is away.

    An answer is waited for ``patience`` seconds; when none came, Redis is left alone for ``rest``.
    """

    def __init__(
        self,
        hashes: HashKey,
        url: str,
        *,
        beyond: Limiter,
        patience: float = 0.5,
        rest: float = 5.0,
    ) -> None:
        self._hashes = hashes
        self._beyond = beyond
        self._patience = patience
        self._rest = rest
        # Waited for as a whole below, and not tried again.
        pool = BlockingConnectionPool.from_url(
            url, max_connections=_CONNECTIONS, retry=Retry(NoBackoff(), 0)
        )
        self._redis = Redis.from_pool(pool)
        self._script = self._redis.register_script(_HIT)
        self._rests_until = 0.0

    async def hit(self, viewer: Viewer, limit: Limit, key: str) -> None:
        outside_units()
        window = limit.window // timedelta(milliseconds=1)
        given = (int(viewer.now.timestamp() * 1000), window, limit.times, secrets.token_hex(8))
        try:
            oldest = await self._told(lambda: self._script([self._key(limit, key)], given))
        except _Away:
            await self._beyond.hit(viewer, limit, key)
            return
        if oldest is not None:
            until = datetime.fromtimestamp(float(oldest) / 1000, UTC) + limit.window
            raise TooManyAttempts(until=await on_our_clock(viewer, until))

    async def forget(self, limit: Limit, key: str) -> None:
        try:
            await self._told(lambda: self._redis.delete(self._key(limit, key)))
        except _Away:
            await self._beyond.forget(limit, key)

    async def works(self) -> bool:
        try:
            # A write, for Redis that is full still answers; and it is asked though left alone.
            await self._answered(lambda: self._redis.set("cabinet:works", 1, px=1))
        except _Away:
            return False
        self._rests_until = 0.0
        return True

    async def close(self) -> None:
        await self._redis.aclose()
        await self._beyond.close()

    def _key(self, limit: Limit, key: str) -> str:
        return f"cabinet:hits:{key_hash(self._hashes, limit, key)}"

    async def _told(self, ask: Callable[[], Awaitable[Any]]) -> Any:
        """What Redis answers; raises _Away, and then asks nothing of it for a while."""
        if time.monotonic() < self._rests_until:
            raise _Away
        return await self._answered(ask)

    async def _answered(self, ask: Callable[[], Awaitable[Any]]) -> Any:
        try:
            async with asyncio.timeout(self._patience):
                return await ask()
        except (RedisError, OSError, TimeoutError) as error:
            _log.warning("Redis is away: the database keeps limits (%s)", type(error).__name__)
            self._rests_until = time.monotonic() + self._rest
            raise _Away from None

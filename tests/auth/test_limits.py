"""Rate limits, in the database and in Redis: how often, for whom, and that nobody races them."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from auth.limits import DatabaseLimiter, Limit, Limiter, TooManyAttempts
from auth.redis_limits import RedisLimiter
from models.database import unit_of_work
from models.hit import Hit
from tests.auth import entrance
from tests.auth.redis_server import PATIENCE, needed_redis
from tests.factories import NOW

MINUTE = timedelta(minutes=1)
LIMIT = Limit("knocking", 3, 10 * MINUTE)
ADDRESS = "192.0.2.7"


@pytest.fixture
def in_database(database: str, tmp_path: Path) -> DatabaseLimiter:
    gate = entrance.gate(tmp_path)
    gate.passwords.close()
    assert isinstance(gate.limiter, DatabaseLimiter)
    return gate.limiter


@pytest.fixture(params=["database", "redis"])
async def limiter(
    request: pytest.FixtureRequest, in_database: DatabaseLimiter
) -> AsyncIterator[Limiter]:
    if request.param == "database":
        yield in_database
        return
    limiter = RedisLimiter(
        in_database.hashes, needed_redis(), beyond=in_database, patience=PATIENCE
    )
    yield limiter
    await limiter.close()
    # Redis did it all.
    assert await Hit.all().count() == 0


async def hit(limiter: Limiter, now: datetime = NOW, key: str = ADDRESS) -> None:
    await limiter.hit(entrance.visitor(now), LIMIT, key)


async def test_one_more_than_the_limit_waits_until_the_first_is_forgotten(limiter: Limiter) -> None:
    for minute in range(3):
        await hit(limiter, NOW + minute * MINUTE)

    with pytest.raises(TooManyAttempts) as refused:
        await hit(limiter, NOW + 9 * MINUTE)
    await hit(limiter, NOW + 10 * MINUTE)
    with pytest.raises(TooManyAttempts) as again:
        await hit(limiter, NOW + 10 * MINUTE)

    assert refused.value.values == {"until": NOW + 10 * MINUTE}
    assert again.value.values == {"until": NOW + 11 * MINUTE}


async def test_keys_and_limits_are_counted_apart(limiter: Limiter) -> None:
    for _ in range(3):
        await hit(limiter)

    await hit(limiter, key="192.0.2.8")
    await limiter.hit(entrance.visitor(), Limit("ringing", 3, MINUTE), ADDRESS)


async def test_of_fifty_at_once_three_get_through(limiter: Limiter) -> None:
    answers = await asyncio.gather(*(hit(limiter) for _ in range(50)), return_exceptions=True)

    assert sum(answer is None for answer in answers) == 3
    assert sum(isinstance(answer, TooManyAttempts) for answer in answers) == 47


async def test_what_is_forgotten_counts_anew(limiter: Limiter) -> None:
    for _ in range(3):
        await hit(limiter)
    await hit(limiter, key="192.0.2.8")

    await limiter.forget(LIMIT, ADDRESS)

    for key, more in ((ADDRESS, 3), ("192.0.2.8", 2)):
        for _ in range(more):
            await hit(limiter, key=key)
        with pytest.raises(TooManyAttempts):
            await hit(limiter, key=key)


async def test_hits_that_count_no_longer_are_not_kept_and_keys_never(
    in_database: DatabaseLimiter,
) -> None:
    await hit(in_database, key="192.0.2.8")

    await hit(in_database, NOW + 10 * MINUTE)

    row = await Hit.get()
    assert row.at == NOW + 10 * MINUTE
    assert ADDRESS not in row.key_hash


async def test_a_hit_may_not_be_taken_back_with_the_work_around_it(limiter: Limiter) -> None:
    @unit_of_work
    async def inside() -> None:
        await hit(limiter)

    with pytest.raises(RuntimeError):
        await inside()

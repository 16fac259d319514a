"""Limits in Redis: what is kept there, and that nothing is let through while it is away."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from auth.gate import open_gate
from auth.limits import DatabaseLimiter, Limit, TooManyAttempts, key_hash
from auth.redis_limits import RedisLimiter
from core.sealing import open_vault
from core.settings import Settings
from models.hit import Hit
from models.role import Role
from resolvers.guesses import IN_SESSION
from tests.api import Api, serving
from tests.auth import entrance
from tests.auth.redis_server import PATIENCE, Way, needed_redis, way
from tests.server.people import somebody

LIMIT = Limit("knocking", 3, timedelta(minutes=10))
ADDRESS = "192.0.2.7"


@pytest.fixture
def in_database(database: str, tmp_path: Path) -> DatabaseLimiter:
    gate = entrance.gate(tmp_path)
    gate.passwords.close()
    return DatabaseLimiter(gate.hashes)


@asynccontextmanager
async def over(
    url: str, in_database: DatabaseLimiter, **seconds: float
) -> AsyncIterator[RedisLimiter]:
    seconds = {"patience": PATIENCE, **seconds}
    limiter = RedisLimiter(in_database.hashes, url, beyond=in_database, **seconds)
    try:
        yield limiter
    finally:
        await limiter.close()


async def hits(limiter: RedisLimiter, times: int) -> list[bool]:
    """Of so many at once, which were let through."""
    answers = await asyncio.gather(
        *(limiter.hit(entrance.visitor(), LIMIT, ADDRESS) for _ in range(times)),
        return_exceptions=True,
    )
    assert all(answer is None or isinstance(answer, TooManyAttempts) for answer in answers)
    return sorted(answer is None for answer in answers)


async def test_workers_share_one_count_under_a_keyed_hash_that_passes(
    in_database: DatabaseLimiter,
) -> None:
    async with over(needed_redis(), in_database) as one, over(needed_redis(), in_database) as other:
        taken = await asyncio.gather(hits(one, 25), hits(other, 25))
    assert sum(map(sum, taken)) == 3
    assert await Hit.all().count() == 0

    name = f"cabinet:hits:{key_hash(in_database.hashes, LIMIT, ADDRESS)}"
    assert ADDRESS not in name
    client = Redis.from_url(needed_redis())
    try:
        assert await client.zcard(name) == 3
        assert 590_000 < await client.pttl(name) <= 600_000
    finally:
        await client.aclose()


async def test_nobody_waits_for_a_redis_that_never_answers(in_database: DatabaseLimiter) -> None:
    async with way(silent=True) as silent:
        limiter = RedisLimiter(in_database.hashes, silent.url, beyond=in_database, rest=600)
        begun = time.perf_counter()
        assert await hits(limiter, 1) == [True]
        assert time.perf_counter() - begun < 1

        # It is left alone for a while.
        assert await hits(limiter, 50) == [False] * 48 + [True] * 2
        assert silent.asked == 1
        await limiter.close()
    assert await Hit.all().count() == 3


async def test_the_database_counts_from_the_moment_that_redis_is_killed(
    in_database: DatabaseLimiter,
) -> None:
    needed_redis()
    async with way() as to_redis, over(to_redis.url, in_database, rest=0.2) as limiter:
        assert await hits(limiter, 2) == [True, True]
        await to_redis.cut()
        assert await hits(limiter, 50) == [False] * 47 + [True] * 3
        await limiter.forget(LIMIT, ADDRESS)
        assert await Hit.all().count() == 0

        # When it is back, it knows what it counted before.
        await to_redis.open()
        await asyncio.sleep(0.25)
        assert await hits(limiter, 2) == [False, True]
        assert await Hit.all().count() == 0


async def test_a_redis_that_has_lost_the_script_is_told_it_again(
    in_database: DatabaseLimiter,
) -> None:
    async with over(needed_redis(), in_database) as limiter:
        assert await hits(limiter, 1) == [True]
        client = Redis.from_url(needed_redis())
        try:
            await client.script_flush()
        finally:
            await client.aclose()
        assert await hits(limiter, 3) == [False, True, True]
    assert await Hit.all().count() == 0


async def test_the_setting_makes_the_gate_count_in_redis(tmp_path: Path) -> None:
    vault = open_vault(tmp_path / "vault.keys")
    settings = Settings(database_url="", home=tmp_path, redis_url="redis://127.0.0.1:1")
    gate = open_gate(settings, vault)
    gate.passwords.close()
    assert isinstance(gate.limiter, RedisLimiter)
    await gate.limiter.close()


@pytest.fixture(params=["killed", "silent"])
async def lost(request: pytest.FixtureRequest) -> AsyncIterator[Way]:
    async with way(silent=request.param == "silent") as found:
        if request.param == "killed":
            await found.cut()
            yield found
            await found.open()
        else:
            yield found


async def test_without_redis_reads_go_on_and_codes_are_limited(
    lost: Way, database_url: str, tmp_path: Path
) -> None:
    async with serving(database_url, tmp_path / "home", redis_url=lost.url) as api:
        person = await somebody(Role.DOCTOR)
        token = await api.token(person.account, Role.DOCTOR)
        guesses = await asyncio.gather(*(_guess(api, token, number) for number in range(20)))
        codes = [code for guess in guesses for code in guess]
        assert codes.count("TOO_MANY_ATTEMPTS") == 20 - IN_SESSION
        read = await api.ask("{ viewer { activeRole } }", token)
        assert read.data == {"viewer": {"activeRole": "DOCTOR"}}


async def _guess(api: Api, token: str, number: int) -> list[Any]:
    call = f'confirmFactor(factor: RECOVERY_CODE, password: "x", code: "{number:06}")'
    document = f"mutation {{ {call} {{ errors {{ code }} }} }}"
    payload = (await api.ask(document, token)).data["confirmFactor"]
    return [problem["code"] for problem in payload["errors"]]

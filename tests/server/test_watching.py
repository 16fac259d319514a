"""Parts that are looked at by themselves: everybody is told when they fail, and when they work."""

import shutil
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from core.clock import utc_now
from core.settings import Signatures
from models.notice import ServiceNotice
from server.watching import OUTAGE, Watching
from tests.api import Api, serving
from tests.auth.redis_server import needed_redis, way
from tests.certificates import authority
from tests.journeys.hospital import Caller, journal

# What is tried here, no database decides.
pytestmark = pytest.mark.any_database


@pytest.fixture
async def api(database_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    async with serving(database_url, tmp_path / "home") as client:
        yield client


class Watched:
    """A watching of an installation, whose clock can be moved."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.now = utc_now()
        self.watching = Watching(api.services, clock=lambda: self.now)

    async def after(self, looks: int, **later: float) -> dict[str, str]:
        """The health of each part, as everybody is told, after so many looks."""
        self.now += timedelta(**later)
        for _ in range(looks):
            await self.watching.look()
        seen = await Caller(self.api).sees("{ serviceStatus { parts { part health } } }")
        return {one["part"]: one["health"] for one in seen["serviceStatus"]["parts"]}


async def open_notices() -> list[str]:
    return [notice.source for notice in await ServiceNotice.filter(ended_at__isnull=True)]


async def test_a_list_of_revoked_certificates_that_cannot_be_had_is_an_outage(
    database_url: str, tmp_path: Path
) -> None:
    root, trusted = authority("Удостоверяющий центр"), tmp_path / "trusted"
    trusted.mkdir()
    (trusted / "root.pem").write_bytes(root.pem)
    file = tmp_path / "root.crl"
    settings = Signatures(trusted, (str(file),))
    async with serving(database_url, tmp_path / "home", signatures=settings) as api:
        watched = Watched(api)
        once = await watched.after(OUTAGE - 1)
        missing = await watched.after(1)
        told = await open_notices()
        file.write_bytes(root.revocations())
        found = await watched.after(1, minutes=1)
        closed = await open_notices()
        # A list holds for a while: one that is not renewed is as good as none.
        await watched.after(OUTAGE, days=3_650)
        run_out = await open_notices()

    states = [one["SIGNATURES"] for one in (once, missing, found)]
    assert states == ["OK", "DOWN", "OK"]
    assert (told, closed, run_out) == (["SIGNATURES"], [], ["SIGNATURES"])


async def test_authorities_without_any_list_take_no_signature(
    database_url: str, tmp_path: Path
) -> None:
    (tmp_path / "root.pem").write_bytes(authority("Удостоверяющий центр").pem)
    settings = Signatures(tmp_path, ())
    async with serving(database_url, tmp_path / "home", signatures=settings) as api:
        assert (await Watched(api).after(OUTAGE))["SIGNATURES"] == "DOWN"


async def test_redis_that_is_away_is_an_outage_until_it_is_back(
    database_url: str, tmp_path: Path
) -> None:
    needed_redis()
    async with (
        way() as to_redis,
        serving(database_url, tmp_path / "home", redis_url=to_redis.url) as api,
    ):
        watched = Watched(api)
        well = await watched.after(OUTAGE)
        await to_redis.cut()
        away = await watched.after(OUTAGE)
        told = await open_notices()
        await to_redis.open()
        back = await watched.after(1)

        assert [one["LIMITS"] for one in (well, away, back)] == ["OK", "DOWN", "OK"]
        assert (told, await open_notices()) == (["LIMITS"], [])
        actions = [action for action, _, _ in await journal()]
        assert actions == ["OUTAGE_BEGAN", "OUTAGE_ENDED"]


async def test_files_that_cannot_be_kept_are_an_outage(api: Api, tmp_path: Path) -> None:
    watched, files = Watched(api), tmp_path / "home" / "files"
    well = await watched.after(OUTAGE)
    left = list(files.iterdir())
    shutil.rmtree(files)
    gone = await watched.after(OUTAGE)
    files.mkdir()
    back = await watched.after(1)

    assert [one["FILES"] for one in (well, gone, back)] == ["OK", "DOWN", "OK"]
    assert left == []


async def test_what_is_not_configured_is_neither_looked_at_nor_told(api: Api) -> None:
    assert set(await Watched(api).after(OUTAGE)) == {"DATABASE", "EMAIL", "SMS", "FILES"}
    assert set((await api.client.get("/health")).json()["parts"]) == {
        "DATABASE",
        "EMAIL",
        "SMS",
        "FILES",
    }

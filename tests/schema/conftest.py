"""The application over the populated world, with limits wide enough for whole-schema documents."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core.settings import Limits
from tests.api import Api, serving
from tests.world import World, world

ROOMY = Limits(
    tokens=100_000,
    depth=50,
    aliases=10_000,
    directives=10_000,
    cost=10_000_000,
    errors=10_000,
    operation_seconds=60.0,
)


@pytest.fixture
async def roomy(database_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    """The running application over an empty database, with hardly a limit."""
    async with serving(database_url, tmp_path / "home", limits=ROOMY) as client:
        yield client


@pytest.fixture
async def populated(roomy: Api) -> World:
    """The world, served by ``roomy``."""
    return await world(roomy.services.vault)

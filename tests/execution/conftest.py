"""The world that stands still, made once for the tests of a module, which only read it."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.api import serving
from tests.schema.conftest import ROOMY
from tests.still import Still, still


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def still_world(
    module_database: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Still]:
    """To be used by tests that run in the loop of their module."""
    async with serving(module_database, tmp_path_factory.mktemp("home"), limits=ROOMY) as api:
        yield await still(api)

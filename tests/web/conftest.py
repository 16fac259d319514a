"""The browser of the page's tests, and the server it opens: one of each for a module."""

import collections.abc
import shutil

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from tests.browsing import ARGUMENTS, ROOT, needed
from tests.live import DemoServer, shown


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> collections.abc.AsyncIterator[Browser]:
    program = shutil.which("chromium")
    needed(program, "there is no `chromium` on the PATH")
    needed((ROOT / "web" / "dist" / "index.html").exists(), "web/dist is missing: run `make web`")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield browser
        await browser.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def demo_server(
    module_database: str, tmp_path_factory: pytest.TempPathFactory
) -> collections.abc.AsyncIterator[DemoServer]:
    """Each test of a module signs in as another, since a code works once."""
    async with shown(module_database, tmp_path_factory.mktemp("home")) as server:
        yield server

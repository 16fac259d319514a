"""The browser of the page's tests: one for a module."""

import collections.abc
import shutil

import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from tests.browsing import ARGUMENTS, ROOT, needed


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium() -> collections.abc.AsyncIterator[Browser]:
    program = shutil.which("chromium")
    needed(program, "there is no `chromium` on the PATH")
    needed((ROOT / "web" / "dist" / "index.html").exists(), "web/dist is missing: run `make web`")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield browser
        await browser.close()

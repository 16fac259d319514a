"""A headless Chromium that reaches this machine only, and what a person does first on the page."""

import collections.abc
import contextlib
import os
import pathlib

import pyotp
import pytest
from playwright.async_api import Browser, ConsoleMessage, Page, expect

from resolvers.demo import DemoAccount

ROOT = pathlib.Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images"

ARGUMENTS = [
    "--no-sandbox",
    "--no-proxy-server",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost",
]
EDITOR = ".graphiql-query-editor .view-lines"
RESPONSE = ".graphiql-response .view-lines"
KEEP_VIOLATIONS = """
    window.violations = [];
    document.addEventListener('securitypolicyviolation', (event) => {
        window.violations.push(`${event.violatedDirective} ${event.blockedURI}`);
    });
"""


def needed(what: object, why: str) -> None:
    if what:
        return
    if os.environ.get("CI") == "true":
        pytest.fail(f"{why}, and in CI the page is tested")
    pytest.skip(f"THE GRAPHIQL PAGE IS NOT TESTED: {why}")


@contextlib.asynccontextmanager
async def opened(
    chromium: Browser,
    url: str,
    *,
    script: str = "",
    locale: str = "ru-RU",
    refusals: tuple[int, ...] = (400,),
) -> collections.abc.AsyncIterator[Page]:
    """The page, freshly loaded. On leaving, it must have broken neither its policy nor itself.

    `refusals` are the statuses of answers that may refuse: Chromium notes each by itself.
    """
    context = await chromium.new_context(
        locale=locale, color_scheme="light", viewport={"width": 1400, "height": 900}
    )
    page = await context.new_page()
    complaints: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        is_refusal = any(f"a status of {status}" in message.text for status in refusals)
        if message.type in {"error", "warning"} and not is_refusal:
            complaints.append(message.text)

    page.on("console", listen)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    await page.add_init_script(KEEP_VIOLATIONS + script)
    await page.goto(f"{url}/graphiql")
    yield page
    assert await page.evaluate("window.violations") == []
    assert not complaints, complaints
    await context.close()


async def fill_in(page: Page, account: DemoAccount) -> None:
    await page.get_by_test_id("open-sign-in").click()
    await page.get_by_test_id("login").fill(account.login)
    await page.get_by_test_id("password").fill(account.password)
    await page.get_by_test_id("code").fill(pyotp.TOTP(account.totp_secret).now())


async def sign_in(page: Page, account: DemoAccount) -> None:
    await fill_in(page, account)
    await page.get_by_test_id("submit").click()
    await expect(page.get_by_test_id("account")).to_contain_text(account.login)


async def run_example(page: Page, name: str, operation: str) -> None:
    await page.get_by_test_id("examples").click()
    await page.get_by_test_id(f"example-{name}").click()
    # Some examples first ask the server for an id to stand in their variables.
    await expect(page.locator(EDITOR)).to_contain_text(operation)
    await page.get_by_role("button", name="Execute query").click()


async def keep_picture(page: Page, name: str) -> None:
    if os.environ.get("CABINET_SCREENSHOTS") == "1":
        IMAGES.mkdir(parents=True, exist_ok=True)
        await page.mouse.move(720, 880)
        for scheme in ("light", "dark"):
            await page.emulate_media(color_scheme=scheme)
            await page.wait_for_timeout(700)
            await page.screenshot(path=IMAGES / f"{name}-{scheme}.png")
        await page.emulate_media(color_scheme="light")

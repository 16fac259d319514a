"""The GraphiQL page as a person meets it, in a headless Chromium that reaches this machine only."""

import collections.abc
import contextlib
import os
import pathlib
import shutil
import time
import typing

import pyotp
import pytest
from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright, expect

ROOT = pathlib.Path(__file__).parents[2]
IMAGES = ROOT / "docs" / "images"

ARGUMENTS = [
    "--no-sandbox",
    "--no-proxy-server",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
]
TOTP_PERIOD = 30
RESPONSE = ".graphiql-response .view-lines"
DISTINCT_COLOURS = """() => new Set(
    [...document.querySelectorAll('.graphiql-query-editor .view-line span span')]
        .map((piece) => getComputedStyle(piece).color)
).size"""
KEEP_VIOLATIONS = """
    window.violations = [];
    document.addEventListener('securitypolicyviolation', (event) => {
        window.violations.push(`${event.violatedDirective} ${event.blockedURI}`);
    });
"""

pytestmark = pytest.mark.browser


class DemoAccount(typing.Protocol):
    login: str
    password: str
    totp_secret: str


class LiveServer(typing.Protocol):
    """The server on a port of 127.0.0.1, with demo data; `doctor` is an admin as well."""

    url: str
    doctor: DemoAccount


def needed(what: object, why: str) -> None:
    if what:
        return
    if os.environ.get("CI") == "true":
        pytest.fail(f"{why}, and in CI the page is tested")
    pytest.skip(f"THE GRAPHIQL PAGE IS NOT TESTED: {why}")


@pytest.fixture
async def chromium() -> collections.abc.AsyncIterator[Browser]:
    program = shutil.which("chromium")
    needed(program, "there is no `chromium` on the PATH")
    needed((ROOT / "web" / "dist" / "index.html").exists(), "web/dist is missing: run `make web`")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield browser
        await browser.close()


@contextlib.asynccontextmanager
async def opened(
    chromium: Browser, server: LiveServer, *, script: str = "", locale: str = "ru-RU"
) -> collections.abc.AsyncIterator[Page]:
    """The page, freshly loaded. On leaving, it must have broken neither its policy nor itself."""
    context = await chromium.new_context(
        locale=locale, color_scheme="light", viewport={"width": 1440, "height": 900}
    )
    page = await context.new_page()
    complaints: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            complaints.append(message.text)

    page.on("console", listen)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    await page.add_init_script(KEEP_VIOLATIONS + script)
    await page.goto(f"{server.url}/graphiql")
    yield page
    assert await page.evaluate("window.violations") == []
    assert complaints == []
    await context.close()


async def sign_in(page: Page, account: DemoAccount) -> None:
    await page.get_by_test_id("open-sign-in").click()
    await page.get_by_test_id("login").fill(account.login)
    await page.get_by_test_id("password").fill(account.password)
    code = pyotp.TOTP(account.totp_secret)
    await page.get_by_test_id("code").fill(code.now())
    await page.get_by_test_id("submit").click()
    told = page.get_by_test_id("account").or_(page.get_by_test_id("problem-code"))
    await expect(told).to_be_visible()
    if await page.get_by_test_id("problem-code").is_visible():
        # Another test has spent this code, and one code opens the door once.
        await expect(page.get_by_test_id("problem-code")).to_contain_text("CODE_REUSED")
        await page.wait_for_timeout((TOTP_PERIOD - time.time() % TOTP_PERIOD) * 1000 + 100)
        await page.get_by_test_id("code").fill(code.now())
        await page.get_by_test_id("submit").click()
    await expect(page.get_by_test_id("account")).to_be_visible()


async def run_example(page: Page, name: str) -> None:
    await page.get_by_test_id("examples").click()
    await page.get_by_test_id(f"example-{name}").click()
    await page.get_by_role("button", name="Execute query").click()


async def write(page: Page, query: str) -> None:
    await page.locator(".graphiql-query-editor .monaco-editor").first.click()
    await page.keyboard.press("Control+A")
    await page.keyboard.insert_text(query)


async def keep_picture(page: Page, name: str) -> None:
    if os.environ.get("CABINET_SCREENSHOTS") == "1":
        IMAGES.mkdir(parents=True, exist_ok=True)
        await page.mouse.move(720, 880)
        await page.wait_for_timeout(700)
        await page.screenshot(path=IMAGES / f"{name}.png")


async def test_doctor_becomes_admin_and_sees_the_schema_change(
    chromium: Browser, live_server: LiveServer
) -> None:
    async with opened(chromium, live_server) as page:
        docs = page.locator(".graphiql-doc-explorer")
        role = page.get_by_test_id("role-switch")
        response = page.locator(RESPONSE)
        # Documentation opens at its root again when the schema is another one.
        mutations = docs.get_by_role("link", name="Mutation", exact=True)

        await sign_in(page, live_server.doctor)
        await expect(role).to_have_value("DOCTOR")
        await mutations.click()
        await expect(docs).to_contain_text("requestShift")
        await expect(docs).not_to_contain_text("createPractitioner")
        await run_example(page, "2-my-file")
        await expect(response).to_contain_text('"lastName"')
        await expect(response).not_to_contain_text('"errors"')
        assert await page.evaluate(DISTINCT_COLOURS) >= 4
        await keep_picture(page, "graphiql-doctor")

        await role.select_option("ADMIN")
        await mutations.click()
        await expect(docs).to_contain_text("createPractitioner")
        await expect(role).to_have_value("ADMIN")
        await expect(response).to_have_text("")
        await run_example(page, "2-staff")
        await expect(response).to_contain_text('"inn"')
        await expect(response).not_to_contain_text('"errors"')
        await keep_picture(page, "graphiql-admin")

        await role.select_option("DOCTOR")
        await mutations.click()
        await expect(docs).to_contain_text("requestShift")
        await expect(docs).not_to_contain_text("createPractitioner")


async def test_wrong_code_is_said_beside_its_field(
    chromium: Browser, live_server: LiveServer
) -> None:
    async with opened(chromium, live_server) as page:
        await page.get_by_test_id("open-sign-in").click()
        await page.get_by_test_id("submit").click()
        await expect(page.get_by_test_id("problem-login")).to_have_text("Заполните это поле.")
        await expect(page.get_by_test_id("problem-password")).to_have_text("Заполните это поле.")

        wrong = "000000" if pyotp.TOTP(live_server.doctor.totp_secret).now()[0] != "0" else "999999"
        await page.get_by_test_id("login").fill(live_server.doctor.login)
        await page.get_by_test_id("password").fill(live_server.doctor.password)
        await page.get_by_test_id("code").fill(wrong)
        await keep_picture(page, "graphiql-sign-in")
        await page.get_by_test_id("submit").click()

        await expect(page.get_by_test_id("problem-code")).to_contain_text("CODE_INVALID")
        await expect(page.get_by_test_id("role-switch")).to_have_value("VISITOR")


async def test_signing_out_leaves_nothing_behind(
    chromium: Browser, live_server: LiveServer
) -> None:
    async with opened(chromium, live_server) as page:
        await sign_in(page, live_server.doctor)
        await write(page, "query Private { me { lastName } }")
        await page.get_by_role("button", name="Execute query").click()
        await expect(page.locator(RESPONSE)).to_contain_text('"lastName"')

        await page.get_by_test_id("sign-out").click()

        await expect(page.get_by_test_id("open-sign-in")).to_be_visible()
        await expect(page.get_by_test_id("role-switch")).to_have_value("VISITOR")
        await expect(page.locator(RESPONSE)).to_have_text("")
        await expect(page.locator(".graphiql-query-editor")).not_to_contain_text("Private")
        await page.get_by_role("button", name="Show History").click()
        await expect(page.locator(".graphiql-history")).not_to_contain_text("Private")
        kept = "[localStorage.length, sessionStorage.length, document.cookie]"
        assert await page.evaluate(kept) == [0, 0, ""]


async def test_too_old_browser_is_told_so(chromium: Browser, live_server: LiveServer) -> None:
    old = "delete window.structuredClone;"
    async with opened(chromium, live_server, script=old, locale="en-GB") as page:
        notice = page.get_by_test_id("notice")

        await expect(notice).to_contain_text("Your browser is too old")
        await expect(notice).to_contain_text("Missing: structuredClone")

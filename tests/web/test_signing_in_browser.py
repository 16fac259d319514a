"""Signing in on the page: given up on its way, what is recommended after it, and narrow windows."""

import contextlib

import pyotp
import pytest
from playwright.async_api import Browser, Error, Page, Request, Route, expect

from core.clock import utc_now
from models.role import Role
from tests.browsing import EDITOR, RESPONSE, fill_in, opened, sign_in
from tests.live import DemoServer
from tests.web.test_shared_session_browser import Held

# What stands outside of the window, where the document is wider than it.
OUTSIDE = """() => document.documentElement.scrollWidth <= innerWidth ? [] :
    [...document.querySelectorAll('body *')]
        .filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
        .map((one) => `${one.tagName}.${one.className}`)"""

pytestmark = [
    pytest.mark.browser,
    pytest.mark.any_database,
    pytest.mark.asyncio(loop_scope="module"),
]


@pytest.mark.parametrize(
    ("operation", "role"), [("SignIn", Role.OPERATOR), ("query Account", Role.INSPECTOR)]
)
async def test_who_closes_the_dialog_is_not_signed_in_after_all(
    chromium: Browser, demo_server: DemoServer, operation: str, role: Role
) -> None:
    async with opened(chromium, demo_server.url) as page:
        await fill_in(page, demo_server.one_who_is(role))
        held = Held(operation)

        async def hold(route: Route) -> None:
            # What was given up cannot be let go.
            with contextlib.suppress(Error):
                await held(route)

        await page.route("**/graphql", hold)
        await page.get_by_test_id("submit").click()
        await held.arrived.wait()
        await page.keyboard.press("Escape")
        held.let_go.set()
        await page.wait_for_timeout(1_000)

        await expect(page.get_by_test_id("open-sign-in")).to_be_visible()
        await page.reload()
        await expect(page.get_by_test_id("open-sign-in")).to_be_visible()


async def test_whoever_comes_to_a_closed_dialog_signs_in_from_its_first_step(
    chromium: Browser, demo_server: DemoServer
) -> None:
    ward = next(one for one in demo_server.accounts if one.login.startswith("ward@"))
    async with opened(chromium, demo_server.url) as page:
        await page.get_by_test_id("open-sign-in").click()
        await page.get_by_test_id("login").fill(ward.login)
        await page.get_by_test_id("password").fill(ward.password)
        await page.get_by_test_id("submit").click()
        await page.get_by_test_id("factor").wait_for()
        await page.keyboard.press("Escape")
        await page.get_by_test_id("open-sign-in").click()

        await expect(page.get_by_test_id("login")).to_be_visible()
        assert await page.evaluate("sessionStorage.length") == 0


async def test_a_session_that_cannot_be_asked_for_is_told_and_lives_on(
    chromium: Browser, demo_server: DemoServer
) -> None:
    context = await chromium.new_context(locale="ru-RU")
    page = await context.new_page()
    await page.goto(f"{demo_server.url}/graphiql")
    ward = next(one for one in demo_server.accounts if one.login.startswith("ward@"))
    await sign_in(page, ward)
    await page.route("**/graphql", lambda route: route.abort())
    await page.reload()
    await expect(page.get_by_test_id("problems")).to_contain_text("UNREACHABLE")
    await page.unroute("**/graphql")
    await page.reload()
    await expect(page.get_by_test_id("account")).to_contain_text(ward.login)

    # What was in focus is gone with the session.
    await page.get_by_test_id("sign-out").click()
    await expect(page.get_by_test_id("open-sign-in")).to_be_focused()
    await context.close()


async def test_what_is_recommended_is_told_after_signing_in_until_it_is_put_aside(
    chromium: Browser, demo_server: DemoServer
) -> None:
    async with opened(chromium, demo_server.url) as page:
        analyst = demo_server.one_who_is(Role.ANALYST)
        await sign_in(page, analyst)
        told = page.get_by_test_id("recommended")

        await expect(told).to_contain_text("Добавить ключ доступа")
        # What was done meanwhile is told no more.
        await expect(told).to_contain_text("резервные коды")
        await page.get_by_test_id("protect").click()
        await page.get_by_test_id("create-codes").click()
        later = pyotp.TOTP(analyst.totp_secret).at(utc_now(), counter_offset=1)
        await page.get_by_test_id("password").fill(analyst.password)
        await page.get_by_test_id("code").fill(later)
        await page.get_by_test_id("submit").click()
        await page.get_by_test_id("recovery-codes").wait_for()
        await page.get_by_test_id("close").click()
        await expect(told).not_to_contain_text("резервные коды")
        await page.get_by_test_id("heed").click()
        await expect(told).to_have_count(0)


async def test_a_double_click_creates_recovery_codes_once(
    chromium: Browser, demo_server: DemoServer
) -> None:
    asked: list[Request] = []
    async with opened(chromium, demo_server.url) as page:
        await sign_in(page, demo_server.doctor)
        page.on("request", lambda request: asked.append(request))
        await page.get_by_test_id("protect").click()
        await page.get_by_test_id("create-codes").dblclick()
        await expect(page.get_by_test_id("factor")).to_be_visible()

        sent = [one for one in asked if "mutation CreateCodes" in (one.post_data or "")]
        assert len(sent) == 1


async def is_as_wide_as_its_window(page: Page) -> None:
    for width in (320, 360, 390):
        await page.set_viewport_size({"width": width, "height": 700})
        assert await page.evaluate(OUTSIDE) == []


async def test_a_narrow_window_needs_no_scrolling_to_the_side(
    chromium: Browser, demo_server: DemoServer
) -> None:
    async with opened(chromium, demo_server.url) as page:
        await page.set_viewport_size({"width": 390, "height": 700})
        await page.reload()
        await page.get_by_test_id("open-sign-in").wait_for()
        await expect(page.locator(".graphiql-doc-explorer")).to_have_count(0)
        await is_as_wide_as_its_window(page)
        await sign_in(page, demo_server.one_who_is(Role.NURSE))
        await is_as_wide_as_its_window(page)
        await page.get_by_label("Show Documentation Explorer").click()
        await expect(page.locator(".graphiql-doc-explorer")).to_be_visible()
        await is_as_wide_as_its_window(page)


async def test_a_narrow_window_shows_the_whole_of_a_notice(
    chromium: Browser, demo_server: DemoServer
) -> None:
    address = "https://status.cabinet.example/" + "later" * 24
    times = {"startsAt": utc_now().isoformat(), "endsAt": None}
    notice = {"id": "1", "kind": "OUTAGE", "title": "Сбой", "text": address, **times}

    async def announce(route: Route) -> None:
        if "serviceStatus" in (route.request.post_data or ""):
            await route.fulfill(json={"data": {"serviceStatus": {"notices": [notice]}}})
        else:
            await route.continue_()

    async with opened(chromium, demo_server.url) as page:
        await page.route("**/graphql", announce)
        await page.set_viewport_size({"width": 360, "height": 700})
        await page.reload()
        shown = page.get_by_test_id("notices")
        await expect(shown).to_contain_text(address)
        assert await shown.evaluate("(one) => one.scrollWidth - one.clientWidth") == 0


async def test_a_narrow_window_shows_what_is_answered_under_what_was_asked(
    chromium: Browser, demo_server: DemoServer
) -> None:
    async with opened(chromium, demo_server.url) as page:
        await page.set_viewport_size({"width": 360, "height": 740})
        await page.reload()
        await expect(page.locator(EDITOR)).to_contain_text("Войдите")
        await page.get_by_role("button", name="Execute query").click()
        answer = page.locator(RESPONSE)
        await expect(answer).to_contain_text('"VISITOR"')

        asked = await page.locator(".graphiql-query-editor").bounding_box()
        shown = await page.locator(".graphiql-response").bounding_box()
        assert asked is not None
        assert shown is not None
        assert shown["width"] > 200
        assert shown["height"] > 200
        assert shown["y"] > asked["y"] + asked["height"]
        # The documentation scrolls in its own pane.
        before = await page.evaluate("document.documentElement.scrollHeight")
        await page.get_by_label("Show Documentation Explorer").click()
        await expect(page.locator(".graphiql-doc-explorer")).to_be_visible()
        assert await page.evaluate("document.documentElement.scrollHeight") == before

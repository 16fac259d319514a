"""Signing in on the page: given up on its way, what is recommended after it, and narrow windows."""

import contextlib

import pytest
from playwright.async_api import Browser, Error, Page, Request, Route, expect

from models.role import Role
from tests.browsing import EDITOR, RESPONSE, fill_in, opened, sign_in
from tests.live import LiveServer
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
    chromium: Browser, demo_server: LiveServer, operation: str, role: Role
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


async def test_what_is_recommended_is_told_after_signing_in_until_it_is_put_aside(
    chromium: Browser, demo_server: LiveServer
) -> None:
    async with opened(chromium, demo_server.url) as page:
        await sign_in(page, demo_server.one_who_is(Role.ANALYST))
        told = page.get_by_test_id("recommended")

        await expect(told).to_contain_text("Добавить ключ доступа")
        await page.get_by_test_id("heed").click()
        await expect(told).to_have_count(0)


async def test_a_double_click_creates_recovery_codes_once(
    chromium: Browser, demo_server: LiveServer
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
    chromium: Browser, demo_server: LiveServer
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


async def test_a_narrow_window_shows_what_is_answered_under_what_was_asked(
    chromium: Browser, demo_server: LiveServer
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

"""The session that a browser's pages share: whose dialogs are open, and when it is over."""

import asyncio
from dataclasses import dataclass, field

import pytest
from playwright.async_api import Browser, Page, Route, expect

from models.role import Role
from tests.browsing import opened, sign_in
from tests.live import DemoServer

pytestmark = [
    pytest.mark.browser,
    pytest.mark.any_database,
    pytest.mark.asyncio(loop_scope="module"),
]


@dataclass
class Held:
    """Requests that wait until they are let go."""

    operation: str
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    let_go: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, route: Route) -> None:
        if self.operation in (route.request.post_data or ""):
            self.arrived.set()
            await self.let_go.wait()
        await route.continue_()


async def another(page: Page) -> Page:
    """A second page of the same browser, in front."""
    other = await page.context.new_page()
    await other.goto(page.url)
    await other.bring_to_front()
    return other


async def test_what_one_person_opened_is_shown_to_nobody_else(
    chromium: Browser, demo_server: DemoServer
) -> None:
    nurse, analyst = demo_server.one_who_is(Role.NURSE), demo_server.one_who_is(Role.ANALYST)
    # What is asked for in the role of the one may arrive in the session of the other, who has none.
    async with opened(chromium, demo_server.url, refusals=(400, 403)) as page:
        await sign_in(page, nurse)
        await page.get_by_test_id("protect").click()
        other = await another(page)
        # So slow that it learns of both at once.
        held = Held("")
        await page.route("**/graphql", held)
        await other.get_by_test_id("sign-out").click()
        await held.arrived.wait()
        await sign_in(other, analyst)
        held.let_go.set()

        await expect(page.get_by_test_id("account")).to_contain_text(analyst.login)
        await expect(page.locator("dialog")).to_have_count(0)


async def test_signing_out_that_fails_is_told_and_tried_again(
    chromium: Browser, demo_server: DemoServer
) -> None:
    inspector = demo_server.one_who_is(Role.INSPECTOR)

    async def fail(route: Route) -> None:
        if "mutation SignOut" in (route.request.post_data or ""):
            await route.fulfill(json={"data": None})
        else:
            await route.continue_()

    async with opened(chromium, demo_server.url) as page:
        await sign_in(page, inspector)
        await page.route("**/graphql", fail)
        await page.get_by_test_id("sign-out").click()

        await expect(page.get_by_test_id("problems")).to_be_visible()
        await expect(page.get_by_test_id("account")).to_contain_text(inspector.login)
        await page.unroute("**/graphql")
        await page.get_by_test_id("sign-out").click()
        await expect(page.get_by_test_id("open-sign-in")).to_be_visible()
        await page.reload()
        await expect(page.get_by_test_id("open-sign-in")).to_be_visible()


async def test_the_way_in_closes_when_another_page_signs_in(
    chromium: Browser, demo_server: DemoServer
) -> None:
    operator = demo_server.one_who_is(Role.OPERATOR)
    async with opened(chromium, demo_server.url) as page:
        await page.get_by_test_id("open-sign-in").click()
        await sign_in(await another(page), operator)

        await expect(page.get_by_test_id("account")).to_contain_text(operator.login)
        await expect(page.get_by_test_id("sign-in")).to_have_count(0)

        # Nor does it open for what came back from Gosuslugi to somebody who is signed in.
        await page.goto(f"{page.url}?state=stolen&code=code")
        await expect(page.get_by_test_id("problems")).to_contain_text("ESIA_STATE_MISMATCH")
        await expect(page.get_by_test_id("account")).to_contain_text(operator.login)
        await expect(page.get_by_test_id("sign-in")).to_have_count(0)

"""Registering on the page, where what the form shows is not what is in force."""

import pytest
from playwright.async_api import Browser, Route, expect

from tests.live import DemoServer
from tests.web.test_account_browser import FORM, at_localhost, fill, sent_code, submit

PHONE = "8 (926) 555-30-01"

pytestmark = [
    pytest.mark.browser,
    pytest.mark.any_database,
    pytest.mark.asyncio(loop_scope="module"),
]


async def test_terms_that_are_no_longer_in_force_are_shown_anew_and_accepted_again(
    chromium: Browser, demo_server: DemoServer
) -> None:
    async def answer_with_former(route: Route) -> None:
        if "{ terms" not in (route.request.post_data or ""):
            await route.continue_()
        else:
            former = {"version": "2020-01-01", "text": "Прежние условия."}
            await route.fulfill(json={"data": {"terms": former}})

    async with at_localhost(chromium, demo_server) as page:
        await page.get_by_test_id("open-sign-in").click()
        await page.get_by_test_id("register").click()
        await fill(page, phone=PHONE)
        await submit(page)
        await page.get_by_test_id("send-again").wait_for()
        await page.route("**/graphql", answer_with_former)
        await fill(page, code=await sent_code(demo_server, PHONE))
        await submit(page)
        await expect(page.locator("summary")).to_contain_text("2020-01-01")
        await page.unroute("**/graphql")
        await fill(page, **FORM)
        await page.get_by_test_id("terms").check()
        await submit(page)
        await expect(page.get_by_test_id("problems")).to_contain_text("TERMS_OUTDATED")
        await expect(page.locator("summary")).not_to_contain_text("2020-01-01")
        await expect(page.get_by_test_id("terms")).not_to_be_checked()

        # What was typed stays.
        await page.get_by_test_id("terms").check()
        await submit(page)
        await expect(page.get_by_test_id("registered")).to_be_visible()

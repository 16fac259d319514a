"""A code on its way is given back, whatever was closed or loaded anew meanwhile."""

import pytest
from playwright.async_api import Browser, Page, expect

from tests.live import DemoServer
from tests.web.test_account_browser import (
    FORM,
    at_localhost,
    fill,
    register,
    sent_code,
    submit,
)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.any_database,
    pytest.mark.asyncio(loop_scope="module"),
]


async def registers_again(page: Page, phone: str) -> None:
    await page.get_by_test_id("open-sign-in").click()
    await page.get_by_test_id("register").click()
    await fill(page, phone=phone)
    await submit(page)


async def test_a_registration_goes_on_after_a_reload_and_after_its_dialog_was_closed(
    chromium: Browser, demo_server: DemoServer
) -> None:
    phone = "8 (926) 555-20-01"
    async with at_localhost(chromium, demo_server) as page:
        await registers_again(page, phone)
        await page.get_by_test_id("send-again").wait_for()
        await page.reload()
        await registers_again(page, phone)
        await page.get_by_test_id("send-again").click()
        # Only at the code's field is it told that the next comes later.
        await expect(page.get_by_test_id("problems")).to_contain_text("RESEND_TOO_SOON")
        await fill(page, code=await sent_code(demo_server, phone))
        await submit(page)
        await page.get_by_test_id("lastName").wait_for()

        await page.keyboard.press("Escape")
        await registers_again(page, phone)
        await fill(page, **FORM)
        await page.get_by_test_id("terms").check()
        await submit(page)
        await page.get_by_test_id("done").click()
        await expect(page.get_by_test_id("account")).to_be_visible()
        assert await page.evaluate("sessionStorage.length") == 0


async def test_a_factor_s_code_is_taken_after_its_dialog_was_closed(
    chromium: Browser, demo_server: DemoServer
) -> None:
    phone = "8 (926) 555-20-02"
    async with at_localhost(chromium, demo_server) as page:
        code = await register(page, demo_server, phone)
        await page.get_by_test_id("protect").click()
        await page.get_by_test_id("create-codes").click()
        async with page.expect_response("**/graphql"):
            await page.get_by_test_id("send-code").click()
        code = await sent_code(demo_server, phone, after=code)
        await page.reload()
        await page.get_by_test_id("protect").click()
        await page.get_by_test_id("create-codes").click()
        await fill(page, password=FORM["password"], code=code)
        await submit(page)

        await expect(page.get_by_test_id("recovery-codes")).to_be_visible()
        assert await page.evaluate("sessionStorage.length") == 0


async def test_a_sign_in_that_waits_goes_on_after_a_reload(
    chromium: Browser, demo_server: DemoServer
) -> None:
    phone = "8 (926) 555-20-03"
    async with at_localhost(chromium, demo_server) as page:
        code = await register(page, demo_server, phone)
        await page.get_by_test_id("sign-out").click()
        await page.get_by_test_id("open-sign-in").click()
        await fill(page, login=phone, password=FORM["password"])
        await submit(page)
        async with page.expect_response("**/graphql"):
            await page.get_by_test_id("send-code").click()
        code = await sent_code(demo_server, phone, after=code)
        await page.reload()
        await page.get_by_test_id("open-sign-in").click()
        await fill(page, code=code)
        await submit(page)

        await expect(page.get_by_test_id("account")).to_be_visible()
        assert await page.evaluate("sessionStorage.length") == 0


async def test_the_code_of_one_phone_is_not_asked_for_at_another(
    chromium: Browser, demo_server: DemoServer
) -> None:
    mine, others = "8 (926) 555-20-04", "8 (926) 555-20-05"
    async with at_localhost(chromium, demo_server) as page:
        for phone in (mine, others, mine):
            await registers_again(page, phone)
            await page.get_by_test_id("send-again").wait_for()
            await page.keyboard.press("Escape")
        await page.reload()
        await registers_again(page, mine)
        await fill(page, code=await sent_code(demo_server, mine))
        await submit(page)

        await expect(page.get_by_test_id("lastName")).to_be_visible()


async def test_the_address_given_at_registering_confirms_the_account(
    chromium: Browser, demo_server: DemoServer
) -> None:
    phone, address = "8 (926) 555-20-06", "elkina@example.org"
    async with at_localhost(chromium, demo_server) as page:
        await registers_again(page, phone)
        await page.get_by_test_id("send-again").wait_for()
        await fill(page, code=await sent_code(demo_server, phone))
        await submit(page)
        await fill(page, **FORM, email=address)
        await page.get_by_test_id("terms").check()
        await submit(page)
        await page.get_by_test_id("done").click()
        await page.get_by_test_id("account").click()
        await page.get_by_test_id("confirming").click()
        await page.get_by_test_id("channel").select_option("EMAIL")
        await submit(page)
        await fill(page, code=await sent_code(demo_server, address), snils="112-233-445 95")
        await submit(page)

        await expect(page.get_by_test_id("told")).to_contain_text("подтверждена")
        await expect(page.get_by_test_id("account")).to_contain_text(address)
        assert await page.evaluate("sessionStorage.length") == 0

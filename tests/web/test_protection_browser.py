"""What protects an account, on the page: what there is, and how it is taken off."""

import pyotp
import pytest
from playwright.async_api import Browser, expect

from tests.live import DemoServer
from tests.web.test_account_browser import (
    SMALL,
    another_phone,
    at_localhost,
    authenticator,
    fill,
    register,
    show_again,
    submit,
)

pytestmark = [
    pytest.mark.browser,
    pytest.mark.any_database,
    pytest.mark.asyncio(loop_scope="module"),
]


async def test_what_protects_an_account_is_listed_and_taken_off(
    chromium: Browser, demo_server: DemoServer
) -> None:
    phone = another_phone()
    async with at_localhost(chromium, demo_server) as page:
        await authenticator(page)
        proved = await register(page, demo_server, phone)
        await page.get_by_test_id("protect").click()
        passkey, app = page.get_by_test_id("passkey"), page.get_by_test_id("app")
        codes = page.get_by_test_id("create-codes")
        await expect(codes).to_have_text("Резервные коды: Создать коды")
        await page.get_by_test_id("add-passkey").click()
        await fill(page, name="Ключ от кабинета")
        await submit(page)
        await show_again(page, demo_server, phone, proved)
        await expect(passkey).to_contain_text("Ключ от кабинета")
        await page.get_by_test_id("begin-totp").click()
        secret = await page.get_by_test_id("totp-secret").inner_text()
        await fill(page, code=pyotp.TOTP(secret).now())
        await submit(page)
        await expect(app).to_be_visible()
        await expect(page.get_by_test_id("begin-totp")).to_have_text("Подключить другое приложение")
        await codes.click()
        await expect(codes).to_contain_text("осталось 10")
        assert await page.evaluate(SMALL) == []

        await page.get_by_test_id("disable-totp").click()
        await expect(app).to_have_count(0)
        await page.get_by_test_id("remove-passkey").click()
        await expect(passkey).to_have_count(0)
        await expect(page.get_by_test_id("told")).to_contain_text("Убрано")

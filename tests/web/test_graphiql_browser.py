"""The GraphiQL page as a person meets it, in a headless Chromium that reaches this machine only."""

import pyotp
import pytest
from playwright.async_api import Browser, Page, expect

from models.role import Role
from tests.browsing import RESPONSE, fill_in, keep_picture, opened, run_example, sign_in
from tests.live import DemoServer

DISTINCT_COLOURS = """() => new Set(
    [...document.querySelectorAll('.graphiql-query-editor .view-line span span')]
        .map((piece) => getComputedStyle(piece).color)
).size"""
pytestmark = [
    pytest.mark.browser,
    pytest.mark.any_database,
    pytest.mark.asyncio(loop_scope="module"),
]


async def write(page: Page, text: str) -> None:
    await page.locator(".graphiql-query-editor .monaco-editor").first.click()
    await page.keyboard.press("Control+A")
    await page.keyboard.insert_text(text)


async def completed(page: Page, text: str) -> list[str]:
    """What the editor offers at the end of a text."""
    await write(page, text)
    await page.keyboard.press("Control+Space")
    offered = page.locator(".suggest-widget.visible .monaco-list-row .label-name")
    await expect(offered.first).to_be_visible()
    names: list[str] = await offered.all_inner_texts()
    await page.keyboard.press("Escape")
    return names


async def test_doctor_becomes_admin_and_sees_the_schema_change(
    chromium: Browser, demo_server: DemoServer
) -> None:
    async with opened(chromium, demo_server.url) as page:
        docs = page.locator(".graphiql-doc-explorer")
        role = page.get_by_test_id("role-switch")
        response = page.locator(RESPONSE)

        async def look_up(*names: str) -> None:
            # Documentation opens at its root again when the schema is another one.
            for name in names:
                await docs.get_by_role("link", name=name, exact=True).first.click()

        await fill_in(page, demo_server.doctor)
        await keep_picture(page, "sign-in")
        await page.get_by_test_id("submit").click()
        await expect(page.get_by_test_id("account")).to_contain_text(demo_server.doctor.login)
        await expect(role).to_have_value("DOCTOR")
        await look_up("Query", "Practitioner")
        await expect(docs).to_contain_text("inn: String")
        await expect(docs).not_to_contain_text("createdAt")
        await run_example(page, "01-home", "query Home")
        await expect(response).to_contain_text('"lastName"')
        await expect(response).not_to_contain_text('"errors"')
        assert await page.evaluate(DISTINCT_COLOURS) >= 4
        await docs.get_by_text("inn: String").first.scroll_into_view_if_needed()
        await keep_picture(page, "doctor")
        await run_example(page, "04-request-shift", "mutation RequestShift")
        await expect(response).to_contain_text('"REQUESTED"')

        await role.select_option("ADMIN")
        await expect(role).to_have_value("ADMIN")
        await expect(response).to_have_text("")
        await look_up("Query", "Practitioner")
        await expect(docs).to_contain_text("inn: Masked")
        await expect(docs).to_contain_text("createdAt: DateTime!")
        await run_example(page, "01-staff", "query Staff")
        await expect(response).to_contain_text('"inn"')
        await expect(response).not_to_contain_text('"errors"')
        await docs.get_by_text("inn: Masked").first.scroll_into_view_if_needed()
        await keep_picture(page, "admin")
        assert "createPractitioner" in await completed(page, "mutation { createP")

        await role.select_option("DOCTOR")
        await look_up("Query", "Practitioner")
        await expect(docs).to_contain_text("inn: String")
        await expect(docs).not_to_contain_text("createdAt")
        assert "createPractitioner" not in await completed(page, "mutation { createP")


async def test_wrong_code_is_said_beside_its_field(
    chromium: Browser, demo_server: DemoServer
) -> None:
    async with opened(chromium, demo_server.url) as page:
        await page.get_by_test_id("open-sign-in").click()
        await page.get_by_test_id("submit").click()
        await expect(page.get_by_test_id("problem-login")).to_have_text("Заполните это поле.")
        await expect(page.get_by_test_id("problem-password")).to_have_text("Заполните это поле.")

        wrong = "000000" if pyotp.TOTP(demo_server.doctor.totp_secret).now()[0] != "0" else "999999"
        await page.get_by_test_id("login").fill(demo_server.doctor.login)
        await page.get_by_test_id("password").fill(demo_server.doctor.password)
        await page.get_by_test_id("code").fill(wrong)
        await page.get_by_test_id("submit").click()

        await expect(page.get_by_test_id("problem-code")).to_contain_text("CODE_INVALID")
        await expect(page.get_by_test_id("role-switch")).to_have_value("VISITOR")


async def test_a_password_is_masked_until_it_is_to_be_shown(
    chromium: Browser, demo_server: DemoServer
) -> None:
    async with opened(chromium, demo_server.url) as page:
        await page.get_by_test_id("open-sign-in").click()
        password = page.get_by_test_id("password")
        await expect(password).to_have_attribute("type", "password")
        await page.get_by_test_id("show-password").click()
        await expect(password).to_have_attribute("type", "text")
        await page.get_by_test_id("show-password").click()
        await expect(password).to_have_attribute("type", "password")


async def test_a_password_is_pasted_and_filled_in_by_its_manager(
    chromium: Browser, demo_server: DemoServer
) -> None:
    async with opened(chromium, demo_server.url) as page:
        await page.get_by_test_id("open-sign-in").click()
        login, password = page.get_by_test_id("login"), page.get_by_test_id("password")
        # By these words a manager finds the fields.
        await expect(login).to_have_attribute("autocomplete", "username webauthn")
        await expect(password).to_have_attribute("autocomplete", "current-password")
        await login.fill(demo_server.doctor.password)
        for key in ("Control+A", "Control+C"):
            await login.press(key)
        await password.press("Control+V")
        await expect(password).to_have_value(demo_server.doctor.password)


async def test_without_a_code_the_page_asks_how_to_confirm(
    chromium: Browser, demo_server: DemoServer
) -> None:
    operator = demo_server.one_who_is(Role.OPERATOR)
    async with opened(chromium, demo_server.url) as page:
        await fill_in(page, operator)
        await page.get_by_test_id("code").fill("")
        await page.get_by_test_id("submit").click()

        await expect(page.get_by_test_id("factor")).to_have_value("TOTP")
        await expect(page.get_by_test_id("password")).to_have_count(0)
        await page.get_by_test_id("code").fill(pyotp.TOTP(operator.totp_secret).now())
        await page.get_by_test_id("submit").click()

        await expect(page.get_by_test_id("account")).to_contain_text(operator.login)


async def test_signing_out_leaves_nothing_behind(
    chromium: Browser, demo_server: DemoServer
) -> None:
    async with opened(chromium, demo_server.url) as page:
        await sign_in(page, demo_server.one_who_is(Role.NURSE))
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


async def test_too_old_browser_is_told_so(chromium: Browser, demo_server: DemoServer) -> None:
    old = "delete window.structuredClone;"
    async with opened(chromium, demo_server.url, script=old, locale="en-GB") as page:
        notice = page.get_by_test_id("notice")

        await expect(notice).to_contain_text("Your browser is too old")
        await expect(notice).to_contain_text("Missing: structuredClone")

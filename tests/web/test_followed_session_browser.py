"""The session that the page shows is the one that the browser keeps, whoever changed it."""

import json
from dataclasses import dataclass
from typing import Any

import httpx
import pyotp
import pytest
from playwright.async_api import Browser, Page, expect

from models.role import Role
from tests.browsing import opened, sign_in
from tests.live import DemoServer
from tests.web.test_shared_session_browser import another

GRANTS = "{ roleGrants(first: 100) { nodes { id role holds account { id publicId } } } }"
REVOKE = "mutation($id: ID!) { revokeRole(id: $id) { errors { code } } }"
GRANT = "mutation($id: ID!) { grantRole(accountId: $id, role: ADMIN) { errors { code } } }"
SIGN_IN = "mutation { signIn(login: %s, password: %s, code: %s) { errors { code } } }"

pytestmark = [
    pytest.mark.browser,
    pytest.mark.any_database,
    pytest.mark.asyncio(loop_scope="module"),
]


@dataclass
class Head:
    """The administrator of the organisation, who grants the role and takes it away."""

    server: DemoServer
    token: str
    # The number of the account that it is about.
    whose: str

    async def asks(self, document: str, **variables: str) -> Any:
        async with httpx.AsyncClient() as client:
            answer = await client.post(
                f"{self.server.url}/graphql",
                json={"query": document, "variables": variables},
                headers={"authorization": f"Bearer {self.token}"},
            )
        (value,) = answer.json()["data"].values()
        assert value.get("errors", []) == []
        return value

    async def grants(self) -> list[dict[str, Any]]:
        """Those of the account that hold."""
        nodes = (await self.asks(GRANTS))["nodes"]
        held = [one for one in nodes if one["holds"] and one["account"]]
        return [one for one in held if one["account"]["publicId"] == self.whose]

    async def grant_admin(self) -> None:
        await self.asks(GRANT, id=(await self.grants())[0]["account"]["id"])

    async def revoke_admin(self) -> None:
        for one in await self.grants():
            if one["role"] == "ADMIN":
                await self.asks(REVOKE, id=one["id"])


async def write(page: Page, document: str) -> None:
    """Writes an operation into the editor, and runs it."""
    await page.locator(".graphiql-query-editor .monaco-editor").first.click()
    await page.keyboard.press("Control+A")
    await page.keyboard.insert_text(document)
    await page.keyboard.press("Control+Enter")


async def test_who_loses_the_role_goes_on_in_another_that_is_held(
    chromium: Browser, demo_server: DemoServer
) -> None:
    nurse = demo_server.one_who_is(Role.NURSE)
    boss = next(one for one in demo_server.accounts if one.login.startswith("head@"))
    context = await chromium.new_context(locale="ru-RU")
    page = await context.new_page()
    await page.goto(f"{demo_server.url}/graphiql")
    await sign_in(page, nurse)
    role = page.get_by_test_id("role-switch")
    gone = page.get_by_text("Прежняя роль больше не действует")
    number = await page.locator(".bar-number").inner_text()
    head = Head(demo_server, await demo_server.token(boss), number)

    await head.grant_admin()
    await page.reload()
    await role.select_option("ADMIN")
    await page.get_by_test_id("account").click()
    await head.revoke_admin()
    # What was asked for in a dialog is done in the role that is left.
    await page.get_by_test_id("password").click()
    await page.get_by_test_id("old").fill(nurse.password)
    await page.get_by_test_id("new").fill("тёплый кит 17 омутов")
    await page.get_by_test_id("submit").click()
    await expect(page.get_by_test_id("factor")).to_be_visible()
    await expect(role).to_have_value("NURSE")
    await expect(gone).to_be_visible()
    await page.keyboard.press("Escape")

    await head.grant_admin()
    await page.reload()
    await role.select_option("ADMIN")
    await expect(page.locator(".page")).to_have_attribute("data-role", "ADMIN")
    await head.revoke_admin()
    await page.reload()
    await expect(page.get_by_test_id("account")).to_contain_text(nurse.login)
    await expect(role).to_have_value("NURSE")
    await expect(gone).to_be_visible()
    await context.close()


async def test_a_page_keeps_its_role_while_another_acts_in_another(
    chromium: Browser, demo_server: DemoServer
) -> None:
    async with opened(chromium, demo_server.url) as page:
        await sign_in(page, demo_server.doctor)
        shown = page.get_by_test_id("role-switch")
        # By the keyboard, which goes on from there.
        for key, role in (("ArrowDown", "ADMIN"), ("ArrowUp", "DOCTOR")):
            await shown.press(key)
            await expect(page.locator(".page")).to_have_attribute("data-role", role)
            await expect(shown).to_be_focused()
        other = await another(page)
        await other.get_by_test_id("role-switch").select_option("ADMIN")
        await expect(other.locator(".page")).to_have_attribute("data-role", "ADMIN")
        async with page.expect_response("**/graphql"):
            # As pages do when the account is another than it was.
            await other.evaluate("new BroadcastChannel('cabinet').postMessage(null)")
        await page.wait_for_timeout(500)

        await expect(shown).to_have_value("DOCTOR")


async def test_what_is_written_in_the_editor_signs_the_page_in_and_out(
    chromium: Browser, demo_server: DemoServer
) -> None:
    operator = demo_server.one_who_is(Role.OPERATOR)
    given = (operator.login, operator.password, pyotp.TOTP(operator.totp_secret).now())
    async with opened(chromium, demo_server.url) as page:
        other = await another(page)
        await page.bring_to_front()
        await write(page, SIGN_IN % tuple(json.dumps(one) for one in given))
        for one in (page, other):
            await expect(one.get_by_test_id("account")).to_contain_text(operator.login)

        await write(page, "mutation { signOut { errors { code } } }")
        for one in (page, other):
            await expect(one.get_by_test_id("sign-in")).to_contain_text("Сеанс закончился")


async def test_cookies_that_are_gone_are_told_as_the_end_of_the_session(
    chromium: Browser, demo_server: DemoServer
) -> None:
    context = await chromium.new_context(locale="ru-RU")
    page = await context.new_page()
    await page.goto(f"{demo_server.url}/graphiql")
    await sign_in(page, demo_server.one_who_is(Role.INSPECTOR))
    await context.clear_cookies()
    await page.get_by_role("button", name="Execute query").click()

    await expect(page.get_by_test_id("sign-in")).to_contain_text("Сеанс закончился")
    await context.close()

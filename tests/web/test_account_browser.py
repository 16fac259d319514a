"""An account's life on the page: registered, protected, entered in every way, recovered."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from html import unescape
from itertools import count
from pathlib import Path
from typing import NamedTuple, cast

import httpx
import pyotp
import pytest
from playwright._impl._api_structures import FilePayload, SetCookieParam
from playwright.async_api import Browser, CDPSession, Page, Route, expect

from core.clock import utc_now
from models.role import Role
from tests.browsing import RESPONSE, keep_picture, opened, run_example, sign_in
from tests.live import ListeningApi, DemoServer
from tests.pdfs import pdf

PASSWORD = "тихий омут 42 кита"
FORM = {
    "lastName": "Ёлкина",
    "firstName": "Анна",
    "birthDate": "1985-04-12",
    "passport": "4510 123456",
    "inn": "500100732259",
    "password": PASSWORD,
}
CODE = re.compile(r"\b\d{6}\b")
SMALL = """() => [
        ...document.querySelectorAll('dialog :is(button, input, select, textarea, summary)')
    ]
    .filter((one) => one.type !== 'checkbox' && one.getBoundingClientRect().height < 44)
    .map((one) => one.outerHTML)"""
HELD = "document.activeElement.dataset.testid"
_numbers = count(1)

Serving = DemoServer | ListeningApi

pytestmark = [
    pytest.mark.browser,
    pytest.mark.any_database,
    pytest.mark.asyncio(loop_scope="module"),
]


@asynccontextmanager
async def at_localhost(chromium: Browser, server: Serving, *, script: str = "") -> AsyncIterator[Page]:
    """The page by the name of this machine: passkeys hold for names alone."""
    async with opened(chromium, server.url.replace("127.0.0.1", "localhost"), script=script) as page:
        yield page


def another_phone() -> str:
    return f"8 (926) 555-00-{next(_numbers):02}"


async def sent_code(server: Serving, contact: str, after: str = "") -> str:
    """The code of the newest message to a contact, by the outbox page; not the one from before."""
    to = contact if "@" in contact else "+7" + re.sub(r"\D", "", contact)[1:]
    async with httpx.AsyncClient() as client, asyncio.timeout(10):
        while True:
            shown = unescape((await client.get(f"{server.url}/outbox")).text)
            articles = [one for one in shown.split("<article>")[1:] if to in one]
            codes = [CODE.search(one.partition("</p>")[2]) for one in articles]
            newest = next((code[0] for code in codes if code), after)
            if newest != after:
                return newest
            await asyncio.sleep(0.1)


async def press_until(page: Page, test_id: str) -> None:
    """Tab, as often as it takes to come to something."""
    for _ in range(40):
        await page.keyboard.press("Tab")
        if await page.evaluate(HELD) == test_id:
            return
    raise AssertionError(f"no Tab leads to {test_id}")


async def submit(page: Page) -> None:
    await page.get_by_test_id("submit").click()


async def fill(page: Page, **values: str) -> None:
    for name, value in values.items():
        await page.get_by_test_id(name).fill(value)


async def register(page: Page, server: Serving, phone: str) -> str:
    """Registers somebody and leaves them signed in; the code by which the phone was proved."""
    await page.get_by_test_id("open-sign-in").click()
    await page.get_by_test_id("register").click()
    await fill(page, phone=phone)
    await submit(page)
    await page.get_by_test_id("send-again").wait_for()
    code = await sent_code(server, phone)
    await fill(page, code=code)
    await submit(page)
    await fill(page, **FORM)
    await page.get_by_test_id("terms").check()
    await submit(page)
    await page.get_by_test_id("done").click()
    await expect(page.get_by_test_id("account")).to_be_visible()
    return code


async def begin_to_sign_in(page: Page, login: str, password: str = PASSWORD) -> None:
    await page.get_by_test_id("open-sign-in").click()
    await fill(page, login=login, password=password)
    await submit(page)
    await page.get_by_test_id("factor").wait_for()


async def choose(page: Page, factor: str, code: str = "") -> None:
    await page.get_by_test_id("factor").select_option(factor)
    if code:
        await fill(page, code=code)
    await submit(page)


async def show_again(page: Page, server: DemoServer, phone: str, proved: str) -> None:
    """Shows the telephone once more, for what signing in is not enough for."""
    await page.get_by_test_id("factor").select_option("SMS")
    await page.get_by_test_id("send-code").click()
    await fill(page, password=FORM["password"])
    await choose(page, "SMS", await sent_code(server, phone, after=proved))
    await expect(page.get_by_test_id("factor")).to_have_count(0)


async def is_in(page: Page) -> None:
    await expect(page.get_by_test_id("account")).to_be_visible()
    await expect(page.get_by_test_id("sign-in")).to_have_count(0)


async def sign_out(page: Page) -> None:
    await page.get_by_test_id("sign-out").click()
    await expect(page.get_by_test_id("open-sign-in")).to_be_visible()


class Authenticator(NamedTuple):
    """One of the browser's, which verifies its person."""

    devices: CDPSession
    id: str

    async def is_touched(self, *, by_itself: bool) -> None:
        """Whether somebody is always there to touch it, which answers whatever is asked of it."""
        presence = {"authenticatorId": self.id, "enabled": by_itself}
        await self.devices.send("WebAuthn.setAutomaticPresenceSimulation", presence)


@dataclass
class Ended:
    """Answers an operation once as if what it answers had ended meanwhile."""

    operation: str
    times: int = 0

    async def __call__(self, route: Route) -> None:
        if self.times or f"{self.operation}(" not in (route.request.post_data or ""):
            await route.continue_()
            return
        self.times += 1
        error = {"code": "CHALLENGE_INVALID", "field": None, "message": "Начните снова."}
        await route.fulfill(json={"data": {self.operation: {"errors": [error]}}})


async def authenticator(page: Page) -> Authenticator:
    """Gives the browser an authenticator that is touched by itself."""
    devices = await page.context.new_cdp_session(page)
    await devices.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "internal",
        "hasResidentKey": True,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    made = await devices.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    return Authenticator(devices, made["authenticatorId"])


async def test_a_newcomer_registers_by_the_keyboard_alone(
    chromium: Browser, demo_server: DemoServer
) -> None:
    phone = another_phone()
    async with at_localhost(chromium, demo_server) as page:
        await press_until(page, "open-sign-in")
        await page.keyboard.press("Enter")
        await expect(page.get_by_test_id("login")).to_be_focused()
        assert await page.evaluate(SMALL) == []
        await press_until(page, "register")
        await page.keyboard.press("Enter")
        await expect(page.get_by_test_id("phone")).to_be_focused()
        await page.keyboard.type(phone)
        await page.keyboard.press("Enter")
        await expect(page.get_by_test_id("code")).to_be_focused()
        await page.keyboard.type(await sent_code(demo_server, phone))
        await page.keyboard.press("Enter")

        # Everything that is wrong is told at its field, and the first of them is in focus.
        await expect(page.get_by_test_id("lastName")).to_be_focused()
        await page.keyboard.press("Enter")
        for name in ("lastName", "firstName", "birthDate", "passport", "inn", "password", "terms"):
            await expect(page.get_by_test_id(f"problem-{name}")).to_be_visible()
        await expect(page.get_by_test_id("lastName")).to_be_focused()
        assert await page.evaluate(SMALL) == []

        await page.keyboard.type(FORM["lastName"])
        for name in ("firstName", "birthDate", "passport", "inn", "password"):
            await press_until(page, name)
            day = "04121985" if await _is_american(page) else "12041985"
            await page.keyboard.type(day if name == "birthDate" else FORM[name])
        await press_until(page, "show-password")
        await page.keyboard.press("Space")
        await expect(page.get_by_test_id("password")).to_have_attribute("type", "text")
        await press_until(page, "terms")
        await page.keyboard.press("Space")
        await press_until(page, "submit")
        await page.keyboard.press("Enter")

        await expect(page.get_by_test_id("registered")).to_contain_text(
            "Подтвердить учётную запись"
        )
        await expect(page.get_by_test_id("done")).to_be_focused()
        await page.keyboard.press("Enter")
        await is_in(page)
        await expect(page.get_by_test_id("role-switch")).to_have_value("CITIZEN")


async def _is_american(page: Page) -> bool:
    """Whether a date is typed from its month: headless Chromium follows its own language there."""
    first: str = await page.evaluate("new Intl.DateTimeFormat().formatToParts()[0].type")
    return first == "month"


async def test_every_second_factor_signs_in(chromium: Browser, demo_server: DemoServer) -> None:
    phone = another_phone()
    async with at_localhost(chromium, demo_server) as page:
        proved = await register(page, demo_server, phone)
        await page.get_by_test_id("protect").click()
        await page.get_by_test_id("begin-totp").click()
        await show_again(page, demo_server, phone, proved)
        secret = await page.get_by_test_id("totp-secret").inner_text()
        await expect(page.locator("img.sign-in-qr")).to_have_js_property("complete", value=True)
        enrolled = pyotp.TOTP(secret)
        await fill(page, code=enrolled.now())
        await submit(page)
        await expect(page.get_by_test_id("told")).to_have_text("Приложение подключено.")
        # What was told is about the step before.
        await page.get_by_test_id("begin-totp").click()
        await expect(page.get_by_test_id("told")).to_have_text("")
        await page.get_by_test_id("cancel").click()
        await page.get_by_test_id("create-codes").click()
        codes = (await page.get_by_test_id("recovery-codes").inner_text()).split()
        assert len(codes) == 10
        await page.get_by_test_id("close").click()
        await sign_out(page)

        await begin_to_sign_in(page, phone)
        # A code works once; the next of the authenticator is not waited for.
        later = enrolled.at(utc_now(), counter_offset=1)
        await choose(page, "TOTP", later)
        await is_in(page)
        await sign_out(page)

        await begin_to_sign_in(page, phone)
        await choose(page, "RECOVERY_CODE", codes[0])
        await is_in(page)


async def test_a_code_by_sms_signs_in(chromium: Browser, demo_server: DemoServer) -> None:
    phone = another_phone()
    async with at_localhost(chromium, demo_server) as page:
        proved = await register(page, demo_server, phone)
        await sign_out(page)

        await begin_to_sign_in(page, phone)
        await page.get_by_test_id("factor").select_option("SMS")
        await page.get_by_test_id("send-code").click()
        await choose(page, "SMS", await sent_code(demo_server, phone, after=proved))
        await is_in(page)


async def test_a_passkey_is_added_and_signs_in_in_every_way(
    chromium: Browser, demo_server: DemoServer
) -> None:
    phone = another_phone()
    async with at_localhost(chromium, demo_server) as page:
        device = await authenticator(page)
        proved = await register(page, demo_server, phone)
        await page.get_by_test_id("protect").click()
        await page.get_by_test_id("add-passkey").click()
        await submit(page)
        await show_again(page, demo_server, phone, proved)
        await expect(page.get_by_test_id("told")).to_have_text("Ключ доступа добавлен.")
        await page.get_by_test_id("close").click()
        await sign_out(page)

        # It is offered beside the login, and again where it came to nothing; headless, whoever is
        # there has chosen it.
        await page.route("**/graphql", Ended("signInByPasskey"))
        await page.get_by_test_id("open-sign-in").click()
        await is_in(page)
        await page.unroute("**/graphql")
        await device.is_touched(by_itself=False)
        await sign_out(page)

        await begin_to_sign_in(page, phone)
        await device.is_touched(by_itself=True)
        await choose(page, "PASSKEY")
        await is_in(page)
        await device.is_touched(by_itself=False)
        await sign_out(page)

        # What is asked for while nobody is there stays unanswered: the offer is under way by then.
        async with page.expect_response("**/graphql"):
            await page.get_by_test_id("open-sign-in").click()
        await page.wait_for_timeout(300)
        await device.is_touched(by_itself=True)
        await page.get_by_test_id("by-passkey").click()
        await is_in(page)
        await sign_out(page)

        # A browser without it says so, and the password is still there.
        await device.devices.send("WebAuthn.disable")
        await authenticator(page)
        await page.get_by_test_id("open-sign-in").click()
        await page.get_by_test_id("by-passkey").click()
        await expect(page.get_by_test_id("problems")).to_contain_text("PASSKEY_CANCELLED")
        await expect(page.get_by_test_id("password")).to_be_enabled()


async def test_an_offered_passkey_is_asked_for_anew_before_its_time_ends(
    chromium: Browser, demo_server: DemoServer
) -> None:
    asked = '"query":"mutation BeginPasskeySignIn'
    async with at_localhost(chromium, demo_server) as page:
        await page.clock.install()
        await page.reload()
        is_offered = lambda request: asked in (request.post_data or "")  # noqa: E731
        async with page.expect_request(is_offered):
            await page.get_by_test_id("open-sign-in").click()
        async with page.expect_request(is_offered):
            await page.clock.fast_forward("04:01")


async def test_an_address_of_digits_says_where_passkeys_work(
    chromium: Browser, demo_server: DemoServer
) -> None:
    async with opened(chromium, demo_server.url) as page:
        await page.get_by_test_id("open-sign-in").click()

        named = demo_server.url.replace("127.0.0.1", "localhost")
        await expect(page.get_by_test_id("sign-in")).to_contain_text(f"{named}/graphiql")
        await expect(page.get_by_test_id("by-passkey")).to_have_count(0)
        # Nor is what this installation has not got offered.
        await expect(page.get_by_test_id("by-esia")).to_have_count(0)
        await expect(page.get_by_test_id("by-signature")).to_have_count(0)


async def test_a_forgotten_password_is_replaced(chromium: Browser, demo_server: DemoServer) -> None:
    phone, another = another_phone(), "тёплый кит 17 омутов"
    async with at_localhost(chromium, demo_server) as page:
        proved = await register(page, demo_server, phone)
        await sign_out(page)
        await page.get_by_test_id("open-sign-in").click()
        await page.get_by_test_id("recover").click()
        await fill(page, contact=phone)
        await submit(page)
        await page.get_by_test_id("send-again").wait_for()
        code = await sent_code(demo_server, phone, after=proved)
        await fill(page, code=code, password="123")
        await submit(page)
        await expect(page.get_by_test_id("problem-password")).to_contain_text("PASSWORD_WEAK")
        await fill(page, password=another)
        await submit(page)
        await expect(page.get_by_test_id("sign-in")).to_contain_text("Пароль изменён")

        await fill(page, login=phone, password=PASSWORD)
        await submit(page)
        await expect(page.get_by_test_id("problems")).to_be_visible()
        await fill(page, password=another)
        await submit(page)
        await expect(page.get_by_test_id("factor")).to_have_value("SMS")


async def test_a_ticket_is_filed_without_signing_in(
    chromium: Browser, demo_server: DemoServer, tmp_path: Path
) -> None:
    document = tmp_path / "Паспорт.pdf"
    document.write_bytes(pdf())
    async with at_localhost(chromium, demo_server) as page:
        await page.get_by_test_id("open-sign-in").click()
        await fill(page, login="nobody@example.org", password="совсем не тот")
        await submit(page)
        trouble = await page.get_by_test_id("problems").locator("code").inner_text()
        await page.get_by_test_id("support").click()
        # The exact text of the error goes with it.
        await expect(page.get_by_test_id("errorText")).to_have_value(re.compile(f"^{trouble}: "))
        await page.get_by_test_id("reason").select_option("ACCOUNT_LOCKED")
        await submit(page)
        for name in ("contact", "text", "attachments"):
            await expect(page.get_by_test_id(f"problem-{name}")).to_be_visible()
        assert await page.evaluate(SMALL) == []

        await fill(page, contact="8 900 123-45-67", text="Учётная запись заблокирована.")
        for content in (b"", bytes(10 * 2**20 + 1)):
            chosen = FilePayload(name="Скан.pdf", mimeType="application/pdf", buffer=content)
            await page.get_by_test_id("attachments").set_input_files(chosen)
            await submit(page)
            await expect(page.get_by_test_id("problem-attachments")).to_contain_text("больше 10 МБ")
            await expect(page.get_by_test_id("submit")).to_have_attribute("aria-disabled", "false")
        await page.get_by_test_id("attachments").set_input_files(document)
        await submit(page)
        await expect(page.get_by_test_id("ticket-number")).to_have_text(re.compile("^TK-"))
        await page.get_by_test_id("done").click()
        await expect(page.get_by_test_id("login")).to_be_visible()


async def test_a_role_is_switched_after_a_chosen_factor_and_a_notice_is_read_by_all(
    chromium: Browser, demo_server: DemoServer
) -> None:
    doctor = demo_server.doctor
    async with at_localhost(chromium, demo_server) as page:
        await begin_to_sign_in(page, doctor.login, doctor.password)
        await keep_picture(page, "second-factor")
        await choose(page, "TOTP", pyotp.TOTP(doctor.totp_secret).now())
        await is_in(page)
        role = page.get_by_test_id("role-switch")
        await role.select_option("ADMIN")
        await expect(role).to_have_value("ADMIN")

        announcing = "mutation { announceWork(titleRu: %s, titleEn: %s) { errors { code } } }"
        titles = (json.dumps("Плановые работы"), json.dumps("Planned work"))
        await page.locator(".graphiql-query-editor .monaco-editor").first.click()
        await page.keyboard.press("Control+A")
        await page.keyboard.insert_text(announcing % titles)
        await page.keyboard.press("Control+Enter")
        await expect(page.locator(".graphiql-response .view-lines")).to_contain_text('"errors": []')
    async with at_localhost(chromium, demo_server) as page:
        await expect(page.get_by_test_id("notices")).to_contain_text("Плановые работы")


async def test_a_browser_that_runs_no_modules_is_told_so(
    chromium: Browser, demo_server: DemoServer
) -> None:
    context = await chromium.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(f"{demo_server.url}/graphiql")

    await expect(page.locator("main")).to_contain_text("Нужен Chrome, Edge или Яндекс")
    await context.close()


async def test_a_session_outlives_the_page_and_no_script_reads_it(
    chromium: Browser, demo_server: DemoServer
) -> None:
    nurse = demo_server.one_who_is(Role.NURSE)
    async with opened(chromium, demo_server.url) as page:
        await sign_in(page, nurse)
        await page.reload()
        await expect(page.get_by_test_id("account")).to_contain_text(nurse.login)
        kept = "[document.cookie, localStorage.length, sessionStorage.length]"
        assert await page.evaluate(kept) == ["", 0, 0]

        # What one page asks for comes to the other, by its websocket.
        await run_example(page, "05-live", "subscription")
        other = await page.context.new_page()
        await other.goto(page.url)
        await expect(other.get_by_test_id("account")).to_contain_text(nurse.login)
        await run_example(other, "04-request-shift", "mutation RequestShift")
        await expect(page.locator(RESPONSE)).to_contain_text('"REQUESTED"')

        # Every page of the browser learns that the session is over.
        await other.get_by_test_id("sign-out").click()
        await expect(page.get_by_test_id("sign-in")).to_contain_text("Сеанс закончился")
        await expect(page.get_by_test_id("role-switch")).to_have_value("VISITOR")


async def test_a_token_that_is_not_taken_is_renewed_once_for_all_pages(
    chromium: Browser, demo_server: DemoServer
) -> None:
    phone = another_phone()
    context = await chromium.new_context(locale="ru-RU")
    pages = [await context.new_page() for _ in range(2)]
    for page in pages:
        await page.goto(f"{demo_server.url}/graphiql")
    # A page that is not in front draws seldom, and clicks wait for that.
    await pages[0].bring_to_front()
    await register(pages[0], demo_server, phone)
    await is_in(pages[1])
    (access,) = [one for one in await context.cookies() if one["name"] == "__Host-cabinet"]
    assert (access["httpOnly"], access["secure"], access["sameSite"]) == (True, True, "Strict")
    # The browser takes it for this machine over TLS, and keeps it for all its ports.
    safe = re.sub(r"^http:(.*):\d+$", r"https:\1", demo_server.url)
    spoilt = {"name": "__Host-cabinet", "value": "spoilt", "url": safe, "secure": True}
    await context.add_cookies([cast("SetCookieParam", spoilt)])

    await asyncio.gather(*(page.get_by_test_id("protect").click() for page in pages))
    await asyncio.gather(*(page.get_by_test_id("begin-totp").click() for page in pages))

    # Each is answered in its session: what is asked for now is a factor.
    for page in pages:
        await expect(page.get_by_test_id("factor")).to_be_visible()
    await context.close()

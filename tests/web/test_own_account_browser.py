"""One's own account on the page: confirmed, given a role, changed, its sessions ended."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, Route, expect

from core.clock import utc_now
from models.account import Account, ConfirmedBy
from models.change import ChangeKind
from models.database import unit_of_work
from models.feed import announce
from models.licence import LicenceKind
from tests import factories as make
from tests.journeys.hospital import Hospital, founded
from tests.live import ListeningApi, listening
from tests.web.test_account_browser import (
    FORM,
    PASSWORD,
    SMALL,
    at_localhost,
    begin_to_sign_in,
    choose,
    fill,
    register,
    sent_code,
    submit,
)

PHONE, EMAIL = "8 (926) 555-10-01", "anna@example.org"
SNILS, ACCREDITATION = "11223344595", "7723 012345678"
ANOTHER = "тёплый кит 17 омутов"

pytestmark = [
    pytest.mark.browser,
    pytest.mark.any_database,
    pytest.mark.asyncio(loop_scope="module"),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def registry(
    module_database: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Hospital]:
    """A hospital in whose registry stands whoever registers below."""
    async with listening(module_database, tmp_path_factory.mktemp("home")) as api:
        hospital = await founded(api)
        file = await make.practitioner(
            hospital.therapy,
            last_name=FORM["lastName"],
            first_name=FORM["firstName"],
            birth_date=FORM["birthDate"],
            snils=SNILS,
            personal_phone="+79265551001",
        )
        await make.licence(file, kind=LicenceKind.ACCREDITATION, number=ACCREDITATION)
        yield hospital


@unit_of_work
async def unconfirm() -> None:
    account = await Account.get(phone="+79265551001")
    await Account.filter(id=account.id).update(confirmed_at=None)
    announce(ChangeKind.SESSION, account_id=account.id)


async def confirm_by_esia(phone: str) -> None:
    esia = {"confirmed_at": utc_now(), "confirmed_by": ConfirmedBy.ESIA}
    await Account.filter(phone=phone).update(**esia)


async def told(page: Page, text: str) -> None:
    await expect(page.get_by_test_id("told")).to_contain_text(text)


async def test_an_account_is_confirmed_attached_and_changed(
    chromium: Browser, registry: Hospital
) -> None:
    api = registry.api
    assert isinstance(api, ListeningApi)
    async with at_localhost(chromium, api) as page:
        code = await register(page, api, PHONE)
        # By SMS, with the numbers that become the owner's.
        await page.get_by_test_id("account").click()
        await page.get_by_test_id("confirming").click()
        await expect(page.get_by_test_id("channel").locator("option")).to_have_text(["SMS"])
        await submit(page)
        await page.get_by_test_id("send-again").wait_for()
        assert await page.evaluate(SMALL) == []
        code = await sent_code(api, PHONE, after=code)
        await fill(page, code=code, snils="112-233-445 96")
        await submit(page)
        await expect(page.get_by_test_id("problem-snils")).to_contain_text("SNILS_CHECKSUM")
        await fill(page, snils="112-233-445 95")
        await submit(page)
        await told(page, "Учётная запись подтверждена")
        await expect(page.get_by_test_id("confirming")).to_have_count(0)

        await page.get_by_test_id("attaching").click()
        await fill(page, accreditationNumber=ACCREDITATION)
        await submit(page)
        # To the telephone in the registry's file, which need not be the account's.
        await expect(page.get_by_test_id("code-sent")).to_contain_text("1001")
        code = await sent_code(api, PHONE, after=code)
        await fill(page, code=code)
        await submit(page)
        await told(page, "Роль добавлена")
        await expect(page.get_by_test_id("role-switch")).to_have_value("DOCTOR")
        # From now on the registry says who it is.
        await page.get_by_test_id("stating").click()
        await expect(page.get_by_test_id("account-dialog")).to_contain_text("кадровая служба")
        await expect(page.get_by_test_id("lastName")).to_have_count(0)
        await page.get_by_test_id("cancel").click()

        # A factor is asked for again, and what was typed goes on after it.
        await page.get_by_test_id("password").click()
        await fill(page, old=PASSWORD, new=ANOTHER)
        await submit(page)
        await expect(page.get_by_test_id("factor")).to_have_value("SMS")
        await page.get_by_test_id("send-code").click()
        code = await sent_code(api, PHONE, after=code)
        await fill(page, password=ANOTHER, code=code)
        await submit(page)
        # Beside the field; the code is good still.
        await expect(page.get_by_test_id("problem-password")).to_contain_text("PASSWORD_WRONG")
        await fill(page, password=PASSWORD)
        await submit(page)
        await told(page, "Пароль изменён")

        await page.get_by_test_id("contact").click()
        await fill(page, contact=EMAIL)
        await submit(page)
        await page.get_by_test_id("send-again").wait_for()
        await fill(page, code=await sent_code(api, EMAIL))
        await submit(page)
        await told(page, "Контакт изменён")
        await expect(page.get_by_test_id("account")).to_contain_text(EMAIL)
        mailed = await sent_code(api, EMAIL)

        # By the e-mail address, which the account has now.
        await unconfirm()
        await page.reload()
        await page.get_by_test_id("account").click()
        await page.get_by_test_id("confirming").click()
        await page.get_by_test_id("channel").select_option("EMAIL")
        await submit(page)
        await page.get_by_test_id("send-again").wait_for()
        await fill(page, code=await sent_code(api, EMAIL, after=mailed), snils=SNILS)
        await submit(page)
        await told(page, "Учётная запись подтверждена")


async def test_a_session_on_another_device_is_ended_from_the_page(
    chromium: Browser, registry: Hospital
) -> None:
    api, phone = registry.api, "8 (926) 555-10-02"
    assert isinstance(api, ListeningApi)
    async with at_localhost(chromium, api) as page:
        code = await register(page, api, phone)
        stolen = await chromium.new_context(locale="ru-RU")
        other = await stolen.new_page()
        await other.goto(page.url)
        await begin_to_sign_in(other, phone)
        async with other.expect_response("**/graphql"):
            await other.get_by_test_id("send-code").click()
        code = await sent_code(api, phone, after=code)
        await choose(other, "SMS", code)
        await expect(other.get_by_test_id("account")).to_be_visible()

        await page.get_by_test_id("account").click()
        await page.get_by_test_id("sessions").click()
        await expect(page.get_by_test_id("session")).to_have_count(2)
        assert await page.evaluate(SMALL) == []
        # It is no small thing: password and factor are asked for, and then it is done.
        await page.get_by_test_id("end-session").click()
        async with page.expect_response("**/graphql"):
            await page.get_by_test_id("send-code").click()
        await fill(page, password=PASSWORD)
        await choose(page, "SMS", await sent_code(api, phone, after=code))
        await told(page, "Завершено")
        await page.get_by_test_id("sessions").click()
        await expect(page.get_by_test_id("session")).to_have_count(1)
        await expect(page.get_by_test_id("end-others")).to_have_count(0)

        await other.get_by_role("button", name="Execute query").click()
        await expect(other.get_by_test_id("sign-in")).to_contain_text("Сеанс закончился")
        await stolen.close()


async def test_what_one_said_of_oneself_is_shown_and_said_anew(
    chromium: Browser, registry: Hospital
) -> None:
    api, phone = registry.api, "8 (926) 555-10-03"
    assert isinstance(api, ListeningApi)
    async with at_localhost(chromium, api) as page:
        code = await register(page, api, phone)
        await page.get_by_test_id("account").click()
        await page.get_by_test_id("stating").click()
        # Of the numbers only the end is shown, and none stands in a field.
        await expect(page.get_by_test_id("lastName")).to_have_value(FORM["lastName"])
        await expect(page.get_by_test_id("birthDate")).to_have_value(FORM["birthDate"])
        await expect(page.get_by_text("•••• ••3456")).to_be_visible()
        await expect(page.get_by_test_id("passport")).to_have_value("")
        assert await page.evaluate(SMALL) == []
        await fill(page, lastName="Ёжикова", passport="4510 12345", inn=FORM["inn"])
        await submit(page)
        # A factor comes first; what was typed goes on after it, and stands there where it is wrong.
        async with page.expect_response("**/graphql"):
            await page.get_by_test_id("send-code").click()
        await fill(page, password=PASSWORD)
        await choose(page, "SMS", await sent_code(api, phone, after=code))
        await expect(page.get_by_test_id("problem-passport")).to_contain_text("PASSPORT")
        await expect(page.get_by_test_id("lastName")).to_have_value("Ёжикова")
        await fill(page, passport="4510 123457")
        await submit(page)
        await told(page, "подтвердите учётную запись заново")
        await page.get_by_test_id("stating").click()
        await expect(page.get_by_test_id("lastName")).to_have_value("Ёжикова")
        await expect(page.get_by_text("•••• ••3457")).to_be_visible()

        # What Gosuslugi has confirmed stays confirmed, and nobody is sent to do it.
        await confirm_by_esia("+79265551003")
        await fill(page, passport="4510 123457", inn=FORM["inn"])
        await submit(page)
        await told(page, "Данные сохранены")
        await expect(page.get_by_test_id("confirming")).to_have_count(0)


async def test_what_cannot_be_loaded_leaves_a_way_back(
    chromium: Browser, registry: Hospital
) -> None:
    api, phone = registry.api, "8 (926) 555-10-04"
    assert isinstance(api, ListeningApi)

    async def fail(route: Route) -> None:
        asked = route.request.post_data or ""
        if "OwnIdentity" in asked or "recoveryCodesLeft" in asked:
            await route.fulfill(json={"data": None})
        else:
            await route.continue_()

    async with at_localhost(chromium, api) as page:
        await register(page, api, phone)
        await page.route("**/graphql", fail)
        await page.get_by_test_id("account").click()
        await page.get_by_test_id("stating").click()
        await expect(page.get_by_test_id("problems")).to_be_visible()
        await expect(page.get_by_test_id("lastName")).to_have_count(0)
        await page.get_by_test_id("cancel").click()
        await page.get_by_test_id("password").click()
        await fill(page, old=PASSWORD, new=ANOTHER)
        await submit(page)
        await expect(page.get_by_test_id("problems")).to_be_visible()
        await page.get_by_test_id("cancel").click()
        await page.get_by_test_id("close").click()
        # Whether there are codes, which others would void, is not known.
        await page.get_by_test_id("protect").click()
        await expect(page.get_by_test_id("problems")).to_be_visible()
        await expect(page.get_by_test_id("create-codes")).to_have_count(0)
        await expect(page.get_by_test_id("begin-totp")).to_have_count(0)

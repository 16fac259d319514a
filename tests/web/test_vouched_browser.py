"""Signing in on the page by what others vouch for: a certificate, and Gosuslugi."""

import json
from collections.abc import AsyncIterator
from typing import NamedTuple

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, Route, expect

from core.clock import utc_now
from core.settings import EsiaSettings, Signatures
from models.account import Account
from models.factor import RecoveryCode
from tests.auth.entrance import PASSWORD
from tests.browsing import opened
from tests.certificates import FOR_PEOPLE, Authority, authority
from tests.journeys.hospital import founded
from tests.live import ListeningApi, free_port, listening
from tests.node import line, program, running
from tests.web.test_account_browser import Ended, fill, sent_code, submit

SNILS, INN = "11223344595", "500100732259"
SECRET = "s3cret"

pytestmark = [
    pytest.mark.browser,
    pytest.mark.any_database,
    pytest.mark.asyncio(loop_scope="module"),
]


class Vouching(NamedTuple):
    """A cabinet that trusts an authority and a provider, with one doctor whom both know."""

    api: ListeningApi
    root: Authority
    # The doctor's, who has no other factor.
    phone: str

    @property
    def url(self) -> str:
        return self.api.url


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def vouching(
    module_database: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Vouching]:
    node, home = program(), tmp_path_factory.mktemp("home")
    root = authority("Удостоверяющий центр «Пример»")
    (home / "root.pem").write_bytes(root.pem)
    (home / "root.crl").write_bytes(root.revocations())
    port, issuer = free_port(), f"http://127.0.0.1:{free_port()}"
    back = f"http://127.0.0.1:{port}/graphiql"
    client = {"client_id": "cabinet", "client_secret": SECRET, "redirect_uris": [back]}
    people = {"anna": {"snils": SNILS, "trusted": True}}
    told = {"CLIENTS": json.dumps([client]), "PEOPLE": json.dumps(people)}
    settings = EsiaSettings(
        issuer=issuer, client_id="cabinet", redirect_uri=back, client_secret=SECRET
    )
    trusted = Signatures(home, (str(home / "root.crl"),))
    async with (
        running(node, "esia.mjs", ISSUER=issuer, **told) as process,
        listening(
            module_database, home / "home", on_port=port, esia=settings, signatures=trusted
        ) as api,
    ):
        await line(process)
        doctor = await (await founded(api)).doctor(snils=SNILS)
        assert doctor.account is not None
        hashed = await api.services.gate.passwords.hash(PASSWORD)
        known = {"phone_confirmed_at": utc_now(), "password_hash": hashed}
        await doctor.account.update_from_dict(known).save()
        yield Vouching(api, root, doctor.account.phone or "")


async def is_a_doctor(page: Page) -> None:
    await expect(page.get_by_test_id("role-switch")).to_have_value("DOCTOR")
    await expect(page.get_by_test_id("sign-in")).to_have_count(0)


async def test_a_signature_that_is_pasted_signs_in(chromium: Browser, vouching: Vouching) -> None:
    person = vouching.root.person(snils=SNILS, inn=INN, purposes=FOR_PEOPLE)
    async with opened(chromium, vouching.url) as page:
        await page.get_by_test_id("open-sign-in").click()
        await page.get_by_test_id("by-signature").click()
        shown = page.get_by_test_id("to-be-signed")
        await expect(shown).not_to_be_empty()
        await page.get_by_test_id("signature").fill("MIIB")
        await page.get_by_test_id("submit").click()
        await expect(page.get_by_test_id("problem-signature")).to_be_visible()

        # A text that has ended gives way to another.
        ended = await shown.inner_text()
        await page.route("**/graphql", Ended("signInBySignature"))
        await page.get_by_test_id("submit").click()
        await expect(page.get_by_test_id("problems")).to_contain_text("CHALLENGE_INVALID")
        await expect(shown).not_to_have_text(ended)

        await page.get_by_test_id("signature").fill(person.sign(await shown.inner_text()))
        await page.get_by_test_id("submit").click()

        await is_a_doctor(page)


async def test_gosuslugi_sends_the_browser_back_signed_in(
    chromium: Browser, vouching: Vouching
) -> None:
    async with opened(chromium, vouching.url) as page:
        await page.get_by_test_id("open-sign-in").click()
        await page.get_by_test_id("by-esia").click()

        await is_a_doctor(page)
        assert page.url == f"{vouching.url}/graphiql"
        assert await page.evaluate("sessionStorage.length") == 0


async def test_who_cancels_at_gosuslugi_is_told_so(chromium: Browser, vouching: Vouching) -> None:
    async def cancel(route: Route) -> None:
        asked = httpx.URL(route.request.url).params
        back = {"error": "access_denied", "state": asked["state"]}
        there = httpx.URL(asked["redirect_uri"]).copy_merge_params(back)
        await route.fulfill(status=302, headers={"location": str(there)})

    async with opened(chromium, vouching.url) as page:
        await page.route("**/auth?**", cancel)
        await page.get_by_test_id("open-sign-in").click()
        await page.get_by_test_id("by-esia").click()

        await expect(page.get_by_test_id("problems")).to_contain_text("ESIA_CANCELLED")
        assert page.url == f"{vouching.url}/graphiql"


async def test_an_account_is_taken_off_gosuslugi_and_linked_again(
    chromium: Browser, vouching: Vouching
) -> None:
    async with opened(chromium, vouching.url) as page:
        await page.get_by_test_id("open-sign-in").click()
        await page.get_by_test_id("by-esia").click()
        await is_a_doctor(page)
        await page.get_by_test_id("account").click()
        await page.get_by_test_id("linking").click()
        # Who came by it is linked. Gosuslugi is no factor of ours: the telephone is shown, and what
        # was asked for goes on.
        await page.get_by_test_id("unlink-esia").click()
        await page.get_by_test_id("send-code").click()
        await fill(page, password=PASSWORD, code=await sent_code(vouching.api, vouching.phone))
        await submit(page)
        await expect(page.get_by_test_id("told")).to_contain_text("отключён")

        await page.get_by_test_id("linking").click()
        await page.get_by_test_id("link-esia").click()

        await expect(page.get_by_test_id("told")).to_contain_text("связана с Госуслугами")
        assert page.url == f"{vouching.url}/graphiql"
        assert await page.evaluate("sessionStorage.length") == 0


async def test_who_has_only_recovery_codes_is_offered_the_telephone(
    chromium: Browser, vouching: Vouching
) -> None:
    account = await Account.get(phone=vouching.phone)
    await RecoveryCode.create(account_id=account.id, code_hash="code", created_at=utc_now())
    async with opened(chromium, vouching.url) as page:
        await page.get_by_test_id("open-sign-in").click()
        await page.get_by_test_id("by-esia").click()
        await is_a_doctor(page)
        await page.get_by_test_id("protect").click()
        await page.get_by_test_id("begin-totp").click()

        await expect(page.get_by_test_id("factor")).to_have_value("SMS")
        await expect(page.get_by_test_id("factor").locator("option")).to_have_count(2)


async def test_who_comes_from_gosuslugi_in_another_tab_begins_again(
    chromium: Browser, vouching: Vouching
) -> None:
    async with opened(chromium, vouching.url) as page:
        await page.goto(f"{page.url}?state=stolen&code=code")

        await expect(page.get_by_test_id("problems")).to_contain_text("ESIA_STATE_MISMATCH")
        assert "stolen" not in page.url

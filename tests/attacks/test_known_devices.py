"""Locking somebody out for as long as one likes: not from where they have signed in before."""

import asyncio
from typing import Any

import pyotp

from core.clock import utc_now
from models.account import Account
from resolvers.accounts import create_account
from tests.api import Api
from tests.auth.entrance import PASSWORD, visitor
from tests.browsers import Browser
from tests.journeys.hospital import waited

LOGIN = "anna.petrova@example.org"
SIGN_IN = """mutation($login: String!, $password: String!, $code: String, $deviceToken: String) {
    signIn(login: $login, password: $password, code: $code, deviceToken: $deviceToken) {
        accessToken deviceToken viewer { activeRole } errors { code } } }"""
WHO = "{ viewer { activeRole } }"


async def anna(api: Api) -> dict[str, str]:
    """What somebody signs in with; a code works once, and theirs is a new one each time."""
    secret = pyotp.random_base32()
    await create_account(
        visitor(utc_now()),
        gate=api.services.gate,
        password=PASSWORD,
        totp_secret=secret,
        email=LOGIN,
    )
    return {"login": LOGIN, "password": PASSWORD, "code": pyotp.TOTP(secret).now()}


async def signs_in(api: Api, **given: Any) -> Any:
    return (await api.ask(SIGN_IN, **given)).data["signIn"]


async def a_stranger_goes_on_guessing(api: Api) -> None:
    for _ in range(5):
        await signs_in(api, login=LOGIN, password="не тот 42 42")
        await waited()
    refused = await signs_in(api, login=LOGIN, password="не тот 42 42")
    assert refused["errors"] == [{"code": "ACCOUNT_LOCKED"}]
    await Account.filter(email=LOGIN).update(totp_last_step=0)


async def test_a_program_enters_by_what_its_last_sign_in_gave_it(api: Api) -> None:
    right = await anna(api)
    token = (await signs_in(api, **right))["deviceToken"]
    await a_stranger_goes_on_guessing(api)

    assert (await signs_in(api, **right))["errors"] == [{"code": "ACCOUNT_LOCKED"}]
    again = await signs_in(api, **right, deviceToken=token)

    assert again["accessToken"] is not None
    assert again["deviceToken"] not in (None, token)


async def test_a_browser_enters_by_a_cookie_that_outlives_its_session(api: Api) -> None:
    right = await anna(api)
    browser = Browser(api)
    entered = (await browser.asks(SIGN_IN, right, "new-cookie")).data["signIn"]
    # No script of a page learns it.
    assert (entered["accessToken"], entered["deviceToken"]) == (None, None)
    await browser.asks("mutation { signOut { errors { code } } }")
    assert browser.kept == {}
    await a_stranger_goes_on_guessing(api)

    refused = (await Browser(api).asks(SIGN_IN, right, "new-cookie")).data["signIn"]
    assert refused["errors"] == [{"code": "ACCOUNT_LOCKED"}]
    again = (await browser.asks(SIGN_IN, right, "new-cookie")).data["signIn"]

    assert (again["viewer"], again["errors"]) == ({"activeRole": "CITIZEN"}, [])


async def test_the_cookie_of_a_device_is_no_session(api: Api) -> None:
    right = await anna(api)
    browser = Browser(api)
    await browser.asks(SIGN_IN, right, "new-cookie")
    only = Browser(api, device=browser.device)
    visitors = {"viewer": {"activeRole": "VISITOR"}}

    # It comes with every request of the browser, and none is refused for it.
    elsewhere: dict[str, Any] = {"origin": "https://evil.example", "sec_fetch_site": "cross-site"}
    assert (await only.asks(WHO, session=None)).data == visitors
    assert (await only.asks(WHO, session=None, **elsewhere)).data == visitors
    assert (await only.asks(WHO)).data == visitors
    # From elsewhere nobody signs in by it.
    refused = await only.asks(SIGN_IN, right, "new-cookie", **elsewhere)
    assert refused.codes == ["CROSS_SITE"]


async def test_of_guesses_at_once_a_known_device_has_five_beside_everybody_s(api: Api) -> None:
    right = await anna(api)
    token = (await signs_in(api, **right))["deviceToken"]
    wrong = {"login": LOGIN, "password": "не тот 42 42", "deviceToken": token}

    told: list[str] = []
    for _ in range(12):
        answers = await asyncio.gather(*(signs_in(api, **wrong) for _ in range(4)))
        told += [answer["errors"][0]["code"] for answer in answers]
        await waited()

    assert told.count("BAD_CREDENTIALS") == 10
    assert told[-1] == "ACCOUNT_LOCKED"

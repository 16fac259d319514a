"""What one holds before a sign-in, or gives to somebody else, is worth no more after it."""

from typing import Any

from core.clock import utc_now
from models.account import Session
from models.role import Role
from resolvers.sessions import script_token
from server.cookies import ACCESS
from tests.api import Api
from tests.attacks.codes import last_code
from tests.auth.entrance import PASSWORD, visitor
from tests.browsers import Browser
from tests.journeys.hospital import (
    Caller,
    Hospital,
    confirms,
    founded,
    mutation_document,
    sign_in,
)

WHO = "{ viewer { activeRole } }"
PHONE, OTHER_PHONE = "+79001234567", "+79007654321"
PENDING = "pending { handle } accessToken"


async def two_people(api: Api) -> tuple[Hospital, Caller, Caller]:
    """Somebody, and somebody else who means them ill."""
    hospital = await founded(api)
    owner = await hospital.signing_in(Role.DOCTOR)
    thief = await hospital.signing_in(Role.NURSE, email="thief@example.org", phone=OTHER_PHONE)
    return hospital, owner, thief


async def test_nothing_from_before_a_sign_in_is_worth_more_after_it(api: Api) -> None:
    """The thief puts their own session into the owner's browser, and waits."""
    _, owner, thief = await two_people(api)
    own = Browser(api)
    await _signs_in(own, thief, OTHER_PHONE)
    planted = Browser(api, dict(own.kept))

    await _signs_in(planted, owner, PHONE)

    assert planted.kept[ACCESS] != own.kept[ACCESS]
    assert (await planted.asks(WHO)).data == {"viewer": {"activeRole": "DOCTOR"}}
    answer = await own.asks(WHO)
    assert (answer.status, answer.codes) == (401, ["SESSION_EXPIRED"])
    assert await Session.filter(ended_at__isnull=True).count() == 1


async def test_a_token_from_before_a_factor_was_shown_again_is_void(api: Api) -> None:
    """The thief holds both tokens, and waits for the owner to show a factor."""
    hospital, owner, _ = await two_people(api)
    stolen = await sign_in(owner, PHONE, again=False)
    thief = Caller(api, stolen["accessToken"])
    assert await thief.sees(WHO) == {"viewer": {"activeRole": "DOCTOR"}}

    await confirms(owner, code=owner.code(seconds=30))

    answer = await thief.answer(WHO)
    assert (answer.status, answer.codes) == (401, ["UNAUTHENTICATED"])
    assert await owner.sees(WHO) == {"viewer": {"activeRole": "DOCTOR"}}
    await owner.does("createRecoveryCodes")
    # The refresh token is void as well: who shows it ends the session, as any that is used twice.
    renewing = {"refreshToken": stolen["refreshToken"]}
    refusal = [("REFRESH_INVALID", "refreshToken")]
    assert await hospital.visitor().refused("refreshSession", **renewing) == refusal
    assert (await owner.answer(WHO)).codes == ["SESSION_EXPIRED"]


async def test_a_session_goes_on_with_the_tokens_of_the_factor_shown_again(api: Api) -> None:
    hospital, owner, _ = await two_people(api)
    await sign_in(owner, PHONE, again=False)
    shown = await confirms(owner, code=owner.code(seconds=30))
    assert shown["session"] == {"isCurrent": True}

    renewed = await hospital.visitor().does(
        "refreshSession", "accessToken", refreshToken=shown["refreshToken"]
    )

    for token in (shown["accessToken"], renewed["accessToken"]):
        await Caller(api, token).does("createRecoveryCodes")


async def test_a_browser_s_cookies_are_others_after_a_factor_was_shown_again(api: Api) -> None:
    _, owner, _ = await two_people(api)
    browser = Browser(api)
    await _signs_in(browser, owner, PHONE)
    stolen = Browser(api, dict(browser.kept))
    arguments = {"password": PASSWORD, "code": owner.code(seconds=30)}
    document = mutation_document("confirmFactor", "accessToken refreshToken", arguments)

    answer = await browser.asks(document, arguments)

    told: dict[str, Any] = {"accessToken": None, "refreshToken": None, "errors": []}
    assert answer.data == {"confirmFactor": told}
    assert not set(browser.kept.values()) & set(stolen.kept.values())
    assert (await stolen.asks(WHO)).codes == ["UNAUTHENTICATED"]
    assert (await browser.asks(WHO)).data == {"viewer": {"activeRole": "DOCTOR"}}


async def test_a_script_s_session_has_no_refresh_token_after_a_factor_either(api: Api) -> None:
    _, owner, _ = await two_people(api)
    assert owner.account is not None
    viewer, gate = visitor(utc_now()), api.services.gate
    owner.token = await script_token(viewer, gate=gate, account=owner.account, role=Role.DOCTOR)

    shown = await confirms(owner, code=owner.code())

    assert shown["refreshToken"] is None
    await owner.does("createRecoveryCodes")


async def test_each_sign_in_is_a_session_of_its_own(api: Api) -> None:
    _, owner, _ = await two_people(api)
    first = await sign_in(owner, PHONE, seconds=-30)
    second = await sign_in(owner, PHONE)

    assert len({first["accessToken"], second["accessToken"]}) == 2
    assert len({first["refreshToken"], second["refreshToken"]}) == 2
    assert await Session.all().count() == 2


async def test_a_bearer_of_a_session_signs_nobody_in_beside_it(api: Api) -> None:
    """Whoever is signed in has no sign-in: a planted token cannot become somebody else's."""
    _, owner, thief = await two_people(api)
    await sign_in(thief, OTHER_PHONE)
    arguments = {"login": PHONE, "password": PASSWORD, "code": owner.code()}

    error = await thief.unknown(mutation_document("signIn", "", arguments), **arguments)

    assert "signIn" in error["message"]
    assert await Session.filter(account_id=owner.account_id).count() == 0


async def test_what_one_began_another_does_not_finish(api: Api) -> None:
    """The owner's code under the thief's handle, and the thief's under the owner's."""
    hospital, owner, thief = await two_people(api)
    visitor = hospital.visitor()
    handles = {}
    for login in (PHONE, OTHER_PHONE):
        begun = await visitor.does("signIn", PENDING, login=login, password=PASSWORD)
        handles[login] = begun["pending"]["handle"]

    for handle, code in ((handles[PHONE], thief.code()), (handles[OTHER_PHONE], owner.code())):
        given = {"handle": handle, "factor": "TOTP", "code": code}
        assert await visitor.refused("finishSignIn", **given) == [("CODE_INVALID", "code")]

    assert await Session.all().count() == 0
    given = {"handle": handles[PHONE], "factor": "TOTP", "code": owner.code()}
    shown = await visitor.does("finishSignIn", "accessToken", **given)
    assert shown["accessToken"]
    # A handle finishes once, also with a fresh code.
    again = {**given, "code": owner.code(seconds=30)}
    assert await visitor.refused("finishSignIn", **again) == [("CHALLENGE_INVALID", "handle")]


async def test_a_code_for_one_s_own_contact_does_nothing_to_another_s_account(api: Api) -> None:
    hospital, owner, _ = await two_people(api)
    visitor, gate = hospital.visitor(), api.services.gate
    owners = await visitor.does("requestRecovery", "handle", contact=PHONE)
    thieves = await visitor.does("requestRecovery", "handle", contact=OTHER_PHONE)
    code = await last_code(gate)
    before = await _hash_of(owner)
    given: dict[str, Any] = {"code": code, "password": "другой омут 43 сома"}

    wrong = await visitor.refused("resetPassword", handle=owners["handle"], **given)

    assert wrong == [("CODE_INVALID", "code")]
    await visitor.does("resetPassword", handle=thieves["handle"], **given)
    assert await _hash_of(owner) == before


async def _signs_in(browser: Browser, person: Caller, login: str) -> None:
    arguments = {"login": login, "password": PASSWORD, "code": person.code()}
    document = mutation_document("signIn", "viewer { activeRole }", arguments)
    answer = await browser.asks(document, arguments, "new-cookie")
    assert answer.data["signIn"]["errors"] == []


async def _hash_of(person: Caller) -> str | None:
    assert person.account is not None
    await person.account.refresh_from_db()
    return person.account.password_hash

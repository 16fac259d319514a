"""Journey 11, and the sessions of A10: kept by a browser in cookies, listed, idle, ended."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from core.clock import utc_now
from models.account import Session
from models.audit import AuditEntry
from models.database import settle
from models.role import Role
from resolvers.sessions import access_token
from server.cookies import ACCESS, REFRESH
from tests import factories as make
from tests.api import Answer
from tests.auth.entrance import PASSWORD
from tests.browsers import Browser
from tests.journeys.hospital import Caller, Hospital, confirms, sent, sign_in, was_shown
from tests.journeys.newcomers import code_sent, form

PHONE = "8 900 123-45-67"
WHO = "{ viewer { activeRole } }"
TOKENS = "accessToken refreshToken viewer { activeRole }"
NO_TOKENS = {"accessToken": None, "refreshToken": None}


@dataclass
class ByBrowser(Caller):
    """Somebody whose browser keeps the session; ``session`` is what its next request asks for."""

    browser: Browser = field(init=False)
    session: str = "cookie"

    def __post_init__(self) -> None:
        self.browser = Browser(self.api)

    async def answer(
        self,
        document: str,
        variables: dict[str, Any] | None = None,
        *,
        language: str = "en",
    ) -> Answer:
        return await self.browser.asks(
            document, sent(variables or {}), self.session, accept_language=language
        )


async def signed_in(hospital: Hospital, *roles: Role) -> tuple[Caller, ByBrowser]:
    """Somebody, and the browser in which they have just signed in."""
    person = await hospital.signing_in(*roles)
    browser = ByBrowser(hospital.api)
    shown = await browser.does("signIn", TOKENS, **factors(person, seconds=-30))
    assert shown == {**NO_TOKENS, "viewer": {"activeRole": roles[0].value}}
    return person, browser


def factors(person: Caller, **ahead: float) -> dict[str, str]:
    return {"login": PHONE, "password": PASSWORD, "code": person.code(**ahead)}


async def test_a_browser_keeps_the_session_from_sign_in_to_sign_out(hospital: Hospital) -> None:
    _, browser = await signed_in(hospital, Role.DOCTOR)
    assert set(browser.browser.kept) == {ACCESS, REFRESH}
    assert await browser.sees(WHO) == {"viewer": {"activeRole": "DOCTOR"}}

    before = dict(browser.browser.kept)
    browser.session = "new-cookie"
    shown = await browser.does("refreshSession", TOKENS)
    assert shown == {**NO_TOKENS, "viewer": {"activeRole": "DOCTOR"}}
    assert not set(browser.browser.kept.values()) & set(before.values())

    browser.session = "cookie"
    assert await browser.sees(WHO) == {"viewer": {"activeRole": "DOCTOR"}}
    await browser.does("signOut")
    assert browser.browser.kept == {}
    assert await browser.sees(WHO) == {"viewer": {"activeRole": "VISITOR"}}
    old = Browser(hospital.api, before)
    assert (await old.asks(WHO)).codes == ["SESSION_EXPIRED"]


async def test_a_browser_keeps_the_session_of_who_registers(hospital: Hospital) -> None:
    browser = ByBrowser(hospital.api)
    begun = await browser.does("beginRegistration", "handle", phone=PHONE)
    code = await code_sent(hospital, "+79001234567")
    await browser.does("checkRegistrationCode", "expiresAt", code=code, **begun)
    shown = await browser.does("register", TOKENS, input=await form(hospital), **begun)
    assert shown == {**NO_TOKENS, "viewer": {"activeRole": "CITIZEN"}}
    assert await browser.sees(WHO) == {"viewer": {"activeRole": "CITIZEN"}}


async def test_a_browser_whose_access_has_run_out_renews_it(hospital: Hospital) -> None:
    person, browser = await signed_in(hospital, Role.DOCTOR)
    session = await Session.get(account_id=person.account_id)
    issue = hospital.api.services.gate.signer.issue
    past = utc_now() - timedelta(minutes=11)
    browser.browser.kept[ACCESS] = issue(session.id, person.account_id, Role.DOCTOR, past)

    refused = await browser.answer(WHO)
    assert (refused.status, refused.codes) == (401, ["UNAUTHENTICATED"])
    # The cookie is still sent: that it is not to be heeded, the header says.
    assert (await browser.answer("mutation { refreshSession { accessToken } }")).status == 401
    browser.session = "new-cookie"
    await browser.does("refreshSession", TOKENS)
    browser.session = "cookie"
    assert await browser.sees(WHO) == {"viewer": {"activeRole": "DOCTOR"}}


async def test_signing_in_ends_the_session_that_the_browser_kept_before(
    hospital: Hospital,
) -> None:
    """What was planted, or left by another person, is worth nothing after (session fixation)."""
    planted_by, browser = await signed_in(hospital, Role.NURSE)
    planted = Browser(hospital.api, dict(browser.browser.kept))
    person = await hospital.signing_in(Role.DOCTOR, email="b@example.org", phone="+79007654321")
    browser.session = "new-cookie"
    given = {**factors(person), "login": "b@example.org"}
    # A failed attempt ends nothing.
    refused = await browser.refused("signIn", **{**given, "password": "не тот пароль 42"})
    assert refused == [("BAD_CREDENTIALS", None)]
    assert (await planted.asks(WHO)).status == 200

    await browser.does("signIn", TOKENS, **given)

    browser.session = "cookie"
    assert await browser.sees(WHO) == {"viewer": {"activeRole": "DOCTOR"}}
    assert (await planted.asks(WHO)).codes == ["SESSION_EXPIRED"]
    renewing = await planted.asks(
        "mutation { refreshSession { errors { code } } }", {}, "new-cookie"
    )
    assert renewing.data == {"refreshSession": {"errors": [{"code": "SESSION_EXPIRED"}]}}
    entry = await AuditEntry.get(action="SESSION_ENDED")
    assert (entry.account_id, entry.details) == (planted_by.account_id, {"reason": "REPLACED"})


async def test_a_switch_of_role_gives_a_browser_another_token(hospital: Hospital) -> None:
    _, browser = await signed_in(hospital, Role.DOCTOR, Role.ADMIN)
    before = dict(browser.browser.kept)

    shown = await browser.does("switchRole", "accessToken viewer { activeRole }", role="ADMIN")

    assert shown == {"accessToken": None, "viewer": {"activeRole": "ADMIN"}}
    assert browser.browser.kept[ACCESS] != before[ACCESS]
    assert browser.browser.kept[REFRESH] == before[REFRESH]
    assert await browser.sees(WHO) == {"viewer": {"activeRole": "ADMIN"}}


async def test_open_sessions_are_listed_with_where_and_how(hospital: Hospital) -> None:
    person, browser = await signed_in(hospital, Role.DOCTOR)
    await sign_in(person, PHONE, again=False)
    fields = "device address place method activeRole startedAt seenAt isCurrent"
    (mine, other) = (await person.sees(f"{{ openSessions {{ {fields} }} }}"))["openSessions"]
    assert [mine.pop("isCurrent"), other.pop("isCurrent")] == [True, False]
    for one in (mine, other):
        assert one.pop("startedAt") <= one.pop("seenAt")
        assert one == {
            "device": hospital.api.client.headers["user-agent"],
            "address": "127.0.0.1",
            "place": "",
            "method": "TOTP",
            "activeRole": "DOCTOR",
        }

    (shown,) = (await browser.sees("{ openSessions { id isCurrent } }"))["openSessions"][1:]
    assert shown["isCurrent"]
    await _last_used(UUID(shown["id"]), minutes=16)
    assert len((await person.sees("{ openSessions { id } }"))["openSessions"]) == 1


async def test_all_other_sessions_are_ended_at_once_and_nobody_else_s(hospital: Hospital) -> None:
    person, browser = await signed_in(hospital, Role.DOCTOR)
    await sign_in(person, PHONE)
    colleague = await hospital.doctor()
    third = Caller(hospital.api, person.token)
    await sign_in(person, PHONE, seconds=30)

    assert await person.does("endOtherSessions", "ended") == {"ended": 2}

    for other in (browser, third):
        answer = await other.answer(WHO)
        assert (answer.status, answer.codes) == (401, ["SESSION_EXPIRED"])
    for going_on in (person, colleague):
        assert await going_on.sees(WHO) == {"viewer": {"activeRole": "DOCTOR"}}
    assert await person.does("endOtherSessions", "ended") == {"ended": 0}


async def test_a_browser_that_ends_its_own_session_forgets_it_and_another_s_not(
    hospital: Hospital,
) -> None:
    person, browser = await signed_in(hospital, Role.DOCTOR)
    await sign_in(person, PHONE, again=False)
    other, own = (await browser.sees("{ openSessions { id } }"))["openSessions"]
    await confirms(browser, code=person.code(seconds=30))
    await browser.does("endSession", id=other["id"])
    assert set(browser.browser.kept) == {ACCESS, REFRESH}
    await browser.does("endSession", id=own["id"])
    assert browser.browser.kept == {}


async def test_an_idle_session_ends(hospital: Hospital) -> None:
    person = await hospital.signing_in(Role.DOCTOR)
    signed = await sign_in(person, PHONE)
    session = await Session.get(account_id=person.account_id)
    await _last_used(session.id, minutes=14)
    assert await person.sees(WHO) == {"viewer": {"activeRole": "DOCTOR"}}
    await settle()

    await _last_used(session.id, minutes=16)
    person.token = await fresh_token(person)
    answer = await person.answer(WHO)

    assert (answer.status, answer.codes) == (401, ["SESSION_EXPIRED"])
    renewing = {"refreshToken": signed["refreshToken"]}
    assert await hospital.visitor().refused("refreshSession", **renewing) == [
        ("SESSION_EXPIRED", "refreshToken")
    ]


async def test_a_busy_session_ends_after_twelve_hours(hospital: Hospital) -> None:
    person = await hospital.signing_in(Role.DOCTOR)
    signed = await sign_in(person, PHONE, again=False)
    session = await Session.get(account_id=person.account_id)
    assert session.expires_at - session.started_at == timedelta(hours=12)
    await Session.filter(id=session.id).update(expires_at=utc_now())
    person.token = await fresh_token(person)
    answer = await person.answer(WHO)
    assert (answer.status, answer.codes) == (401, ["SESSION_EXPIRED"])
    renewing = {"refreshToken": signed["refreshToken"]}
    assert await hospital.visitor().refused("refreshSession", **renewing) == [
        ("SESSION_EXPIRED", "refreshToken")
    ]


async def test_without_a_token_nothing_is_renewed(hospital: Hospital) -> None:
    assert await hospital.visitor().refused("refreshSession") == [("REQUIRED", "refreshToken")]
    browser = ByBrowser(hospital.api, session="new-cookie")
    assert await browser.refused("refreshSession") == [("REFRESH_INVALID", "refreshToken")]


async def _last_used(session_id: UUID, *, minutes: int) -> None:
    seen_at = utc_now() - timedelta(minutes=minutes)
    await Session.filter(id=session_id).update(seen_at=seen_at)


async def test_sessions_are_ended_with_a_factor_shown_lately(hospital: Hospital) -> None:
    person, browser = await signed_in(hospital, Role.DOCTOR)
    await sign_in(person, PHONE)
    other = (await person.sees("{ openSessions { id } }"))["openSessions"][1]
    await was_shown(person, minutes=11)

    for call in (f'endSession(id: "{other["id"]}")', "endOtherSessions"):
        answer = await person.answer(f"mutation {{ {call} {{ errors {{ code }} }} }}")
        assert answer.codes == ["FACTOR_NOT_FRESH"]
    assert await browser.sees(WHO) == {"viewer": {"activeRole": "DOCTOR"}}

    await confirms(person, code=person.code(seconds=30))
    assert await person.does("endOtherSessions", "ended") == {"ended": 1}


async def fresh_token(person: Caller) -> str:
    """A token of the newest session that no worker has seen yet."""
    session = await Session.filter(account_id=person.account_id).order_by("-id").first()
    assert session is not None
    return access_token(person.api.services.gate, session, utc_now())


@pytest.mark.parametrize("role", [Role.ADMIN, Role.OPERATOR])
async def test_whoever_administers_ends_the_sessions_of_another(
    hospital: Hospital, role: Role
) -> None:
    person, browser = await signed_in(hospital, Role.DOCTOR)
    await sign_in(person, PHONE)
    colleague = await hospital.doctor()
    keeper = await hospital.staff(role)
    given = {"accountId": person.account_id, "reason": "Украден телефон"}

    shown = await keeper.does("endSessionsOf", "account { id }", **given)

    assert shown == {"account": {"id": str(person.account_id)}}
    for ended in (person, browser):
        answer = await ended.answer(WHO)
        assert (answer.status, answer.codes) == (401, ["SESSION_EXPIRED"])
    assert await colleague.sees(WHO) == {"viewer": {"activeRole": "DOCTOR"}}
    entry = await AuditEntry.get(action="SESSIONS_ENDED")
    assert (entry.role, entry.subject_id) == (role, person.account_id)
    assert entry.details["reason"] == "Украден телефон"
    assert await AuditEntry.filter(action="SESSION_ENDED").count() == 2


async def test_nobody_else_ends_the_sessions_of_another(hospital: Hospital) -> None:
    person = await hospital.signing_in(Role.DOCTOR)
    await sign_in(person, PHONE)
    elsewhere = await make.organisation(name="Другая больница")
    account = await make.account(elsewhere)
    await make.grant(account, Role.ADMIN, elsewhere, starts_at=utc_now() - timedelta(days=1))
    stranger = Caller(hospital.api, await hospital.api.token(account, Role.ADMIN), account)
    given = {"accountId": person.account_id, "reason": "Любопытство"}

    assert await stranger.refused("endSessionsOf", **given) == [("NOT_FOUND", "accountId")]

    for other in (await hospital.doctor(), await hospital.inspector(), hospital.visitor()):
        await other.unknown(
            'mutation { endSessionsOf(accountId: "x", reason: "y") { errors { code } } }'
        )
    assert await person.sees(WHO) == {"viewer": {"activeRole": "DOCTOR"}}

"""Journeys 4 and 5: signing in with two factors, being locked out, and what ends a session."""

import re
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from core.clock import utc_now
from core.settings import SignInLimits
from models.account import Account, AccountState, Session, SignInFailure
from models.change import ChangeKind
from models.database import settle, unit_of_work
from models.feed import announce
from models.role import Role
from tests.api import serving
from tests.auth.entrance import PASSWORD
from tests.journeys.hospital import (
    Caller,
    Hospital,
    clear_of_a_step,
    failures_moved,
    founded,
    journal,
    mutation_document,
    sign_in,
    waited,
)
from tests.journeys.outbox import received

PHONE, EMAIL = "8 900 123-45-67", "anna.petrova@example.org"
WRONG = "не тот пароль 42"


@pytest.mark.parametrize(
    "login",
    [
        "8 900 123-45-67",
        " 8(900)1234567 ",
        "+7 900 123 45 67",
        "900 123-45-67",
        "ANNA.PETROVA@EXAMPLE.ORG",
        "  Anna.Petrova@example.org ",
    ],
)
async def test_a_login_is_understood_as_people_type_it(hospital: Hospital, login: str) -> None:
    person = await hospital.signing_in(Role.DOCTOR)
    signed_in = await sign_in(person, login)
    assert signed_in["viewer"] == {"activeRole": "DOCTOR", "roles": ["DOCTOR"]}
    seen = await person.sees("{ viewer { activeRole account { email phone } } }")
    assert seen == {
        "viewer": {
            "activeRole": "DOCTOR",
            "account": {"email": EMAIL, "phone": "+79001234567"},
        }
    }


async def test_without_a_role_one_is_a_citizen(hospital: Hospital) -> None:
    person = await hospital.signing_in()
    signed_in = await sign_in(person, PHONE)
    assert signed_in["viewer"] == {"activeRole": "CITIZEN", "roles": ["CITIZEN"]}


async def test_the_password_alone_is_not_enough(hospital: Hospital) -> None:
    await hospital.signing_in(Role.DOCTOR)
    visitor = hospital.visitor()
    shows = (
        "accessToken viewer { activeRole } pending { handle expiresAt factors { kind contact } }"
    )
    # Asking for the factors is no failure: it can be done as often as one likes.
    for _ in range(6):
        begun = await visitor.does("signIn", shows, login=PHONE, password=PASSWORD)
    assert [begun["accessToken"], begun["viewer"]] == [None, None]
    assert begun["pending"]["factors"] == [{"kind": "TOTP", "contact": None}]


async def test_an_unknown_login_and_a_wrong_password_are_answered_alike(
    hospital: Hospital,
) -> None:
    person = await hospital.signing_in(Role.DOCTOR)
    visitor = hospital.visitor()
    answers = [
        await visitor.tries("signIn", "accessToken", login=login, password=password, code=code)
        for login, password, code in (
            (EMAIL, WRONG, person.code()),
            ("nobody@example.org", PASSWORD, person.code()),
            ("8 900 765-43-21", PASSWORD, None),
        )
    ]
    refusal = {
        "accessToken": None,
        "errors": [
            {
                "code": "BAD_CREDENTIALS",
                "field": None,
                "message": "The login or the password is wrong.",
            }
        ],
    }
    assert answers == [refusal] * 3


@pytest.mark.parametrize("login", [EMAIL, "nobody@example.org"])
async def test_a_failure_lengthens_the_wait_before_the_next_try(
    hospital: Hospital, login: str
) -> None:
    await hospital.signing_in(Role.DOCTOR)
    visitor = hospital.visitor()
    given = {"login": login, "password": WRONG, "code": "000000"}
    document = mutation_document("signIn", "", given).replace("message", "until")
    assert await visitor.refused("signIn", **given) == [("BAD_CREDENTIALS", None)]
    waits: list[float] = []
    for _ in range(3):
        assert await visitor.refused("signIn", **given) == [("BAD_CREDENTIALS", None)]
        # As if it had only just failed, however long this machine takes to ask.
        await failures_moved(timedelta(minutes=1))
        (problem,) = (await visitor.answer(document, given)).data["signIn"]["errors"]
        assert (problem["code"], problem["field"]) == ("TOO_MANY_ATTEMPTS", None)
        newest = max(failure.at for failure in await SignInFailure.all())
        waits.append((datetime.fromisoformat(problem["until"]) - newest).total_seconds())
        await failures_moved(timedelta(minutes=-2))
    assert waits == [1, 2, 4]


async def test_a_password_of_long_ago_opens_its_account(hospital: Hospital) -> None:
    person = await hospital.signing_in(Role.DOCTOR)
    long_ago = utc_now() - timedelta(days=3_650)
    await Account.filter(id=person.account_id).update(password_changed_at=long_ago)

    shown = await person.does(
        "signIn",
        "accessToken recommendations",
        login=PHONE,
        password=PASSWORD,
        code=person.code(),
    )

    assert shown["accessToken"] is not None
    assert shown["recommendations"][0] == "PASSWORD_OLD"


async def test_a_keyboard_in_the_other_layout_is_hinted_at_whether_or_not_there_is_an_account(
    hospital: Hospital,
) -> None:
    await hospital.signing_in(Role.DOCTOR)
    visitor = hospital.visitor()
    for login in (EMAIL, "nobody@example.org"):
        assert await visitor.refused("signIn", login=login, password="зфыыцщкв") == [
            ("BAD_CREDENTIALS", None),
            ("KEYBOARD_LAYOUT", "password"),
        ]
    assert await visitor.refused("signIn", login="аnna.petrova@example.org", password=WRONG) == [
        ("BAD_CREDENTIALS", None),
        ("KEYBOARD_LAYOUT", "login"),
    ]
    given = {"login": "nobody@example.org", "password": "ghbdtn42"}
    assert (await visitor.told("signIn", language="ru", **given))[1] == (
        "Проверьте раскладку клавиатуры: похоже, включён другой язык."
    )


async def test_a_code_that_is_none_is_refused(hospital: Hospital) -> None:
    person = await hospital.signing_in(Role.DOCTOR)
    near = {person.code(seconds=30 * step) for step in range(-12, 13)}
    wrong = next(code for code in ("000000", *map(str, range(100000, 100030))) if code not in near)
    visitor = hospital.visitor()
    # The second is today's code in full-width digits.
    for code in (wrong, person.code().translate(_FULL_WIDTH), "12345", "code"):
        await waited()
        assert await visitor.refused("signIn", login=PHONE, password=PASSWORD, code=code) == [
            ("CODE_INVALID", "code")
        ]


_FULL_WIDTH = {ord("0") + digit: 0xFF10 + digit for digit in range(10)}


async def test_a_code_works_once(hospital: Hospital) -> None:
    person = await hospital.signing_in(Role.DOCTOR)
    code = person.code()
    given = {"login": PHONE, "password": PASSWORD, "code": code}
    await hospital.visitor().does("signIn", "accessToken", **given)
    assert await hospital.visitor().refused("signIn", **given) == [("CODE_REUSED", "code")]


async def test_an_authenticator_whose_clock_is_off_is_told_so(hospital: Hospital) -> None:
    person = await hospital.signing_in(Role.DOCTOR)
    given = {"login": PHONE, "password": PASSWORD, "code": person.code(minutes=3)}
    (problem,) = (await hospital.visitor().tries("signIn", **given))["errors"]
    assert (problem["code"], problem["field"]) == ("CLOCK_SKEW", "code")
    assert re.fullmatch(
        r"The clock of your authenticator is 1[58]0 s ahead: set it to automatic time\."
        r" If the code has changed by now, type the new one\.",
        problem["message"],
    )


async def test_a_code_is_good_for_its_own_step_alone_where_that_is_set(
    database_url: str, tmp_path: Path
) -> None:
    limits = SignInLimits(totp_steps=0, pause=timedelta(0))
    async with serving(database_url, tmp_path / "home", sign_in=limits) as api:
        person = await (await founded(api)).signing_in(Role.DOCTOR)
        given = {"login": PHONE, "password": PASSWORD}
        await clear_of_a_step()
        for seconds in (-30, 30):
            code = person.code(seconds=seconds)
            assert await person.refused("signIn", **given, code=code) == [("CLOCK_SKEW", "code")]
        await person.does("signIn", "accessToken", **given, code=person.code())


async def test_after_five_failures_even_the_right_password_waits_until_an_operator_helps(
    hospital: Hospital,
) -> None:
    person = await hospital.signing_in(Role.DOCTOR)
    operator = await hospital.staff(Role.OPERATOR)
    visitor = hospital.visitor()
    await sign_in(person, PHONE, seconds=-30)
    for _ in range(5):
        await waited()
        assert await visitor.refused("signIn", login=EMAIL, password=WRONG, code="000000") == [
            ("BAD_CREDENTIALS", None)
        ]

    right = {"login": EMAIL, "password": PASSWORD, "code": person.code()}
    assert await visitor.refused("signIn", **right) == [("ACCOUNT_LOCKED", None)]
    # It is the account that waits, and only whoever has its mail is told so of the telephone.
    by_phone = {**right, "login": PHONE}
    assert await visitor.refused("signIn", **by_phone) == [("BAD_CREDENTIALS", None)]
    assert person.account is not None
    (told,) = await received(hospital.api, EMAIL)
    assert person.account.public_id in told
    found = await operator.sees(
        "query ($id: String!) { accounts(filter: {publicId: {eq: $id}}) {"
        " nodes { id state lockedUntil email } } }",
        id=person.account.public_id,
    )
    (account,) = found["accounts"]["nodes"]
    # An operator sees that it is locked, and not whose address it is.
    assert (account["state"], account["email"]) == ("LOCKED", None)
    payload = await visitor.answer(
        mutation_document("signIn", "", right).replace("message", "until"), right
    )
    assert payload.data["signIn"]["errors"] == [
        {"code": "ACCOUNT_LOCKED", "field": None, "until": account["lockedUntil"]}
    ]
    # People are told on the clock of their organisation.
    until = datetime.fromisoformat(account["lockedUntil"]).astimezone(ZoneInfo("Europe/Moscow"))
    until += timedelta(seconds=-until.second % 60)
    (english,) = await visitor.told("signIn", **right)
    assert re.fullmatch(
        f"Too many failed attempts. You can sign in after {until:%Y-%m-%d %H:%M}"
        r" \(Europe/Moscow\)\. Quote ID-\w{4}-\w{4} to support\.",
        english,
    )
    (russian,) = await visitor.told("signIn", language="ru", **right)
    assert re.fullmatch(
        f"Слишком много неудачных попыток. Вход закрыт до {until:%H:%M %d.%m.%Y}"
        r" \(Europe/Moscow\)\. Номер для поддержки: ID-\w{4}-\w{4}\.",
        russian,
    )
    quoted = english.split()[-3]
    assert quoted == russian.split()[-1].rstrip(".") != person.account.public_id
    # The number quoted leads the operator to the account, and so to its unlocking.
    for number in (quoted, quoted.lower().replace("-", " ")):
        leads = await operator.does("findAccount", "found { publicId state }", publicId=number)
        assert leads == {"found": [{"publicId": person.account.public_id, "state": "LOCKED"}]}
    # Whoever is in stays in: a stranger must not throw the owner out.
    assert await person.sees("{ viewer { activeRole } }") == {"viewer": {"activeRole": "DOCTOR"}}

    unlocked = await operator.does(
        "unlockAccount", "account { state lockedUntil }", id=account["id"], reason="Позвонил сам"
    )
    assert unlocked == {"account": {"state": "ACTIVE", "lockedUntil": None}}
    # Whoever calls after it is over is found all the same.
    leads = await operator.does("findAccount", "found { publicId state }", publicId=quoted)
    assert leads == {"found": [{"publicId": person.account.public_id, "state": "ACTIVE"}]}
    await sign_in(person, PHONE, seconds=30)
    assert (await Account.get(id=person.account_id)).state is AccountState.ACTIVE
    assert [action for action, _, _ in await journal()] == [
        "ACCOUNT_CREATED",
        "SIGNED_IN",
        "SIGNED_IN",
        *["SIGN_IN_FAILED"] * 4,
        "SIGN_IN_LOCKED",
        # By telephone, while the account waited.
        "SIGN_IN_FAILED",
        *["ACCOUNT_FOUND"] * 2,
        "ACCOUNT_UNLOCKED",
        "ACCOUNT_FOUND",
        "SIGNED_IN",
    ]


async def test_a_number_told_of_a_login_leads_nowhere_when_the_login_is_another_s(
    hospital: Hospital,
) -> None:
    person = await hospital.signing_in(Role.DOCTOR)
    operator = await hospital.staff(Role.OPERATOR)
    visitor = hospital.visitor()
    for _ in range(5):
        await waited()
        await visitor.tries("signIn", login=PHONE, password=WRONG)
    (told,) = await visitor.told("signIn", login=PHONE, password=WRONG)
    quoted = told.split()[-3]
    await operator.does("findAccount", "found { publicId }", publicId=quoted)

    await Account.filter(id=person.account_id).update(phone="+79001234599")

    assert await operator.refused("findAccount", publicId=quoted) == [("NOT_FOUND", "publicId")]


async def test_a_login_that_nobody_has_is_locked_alike(hospital: Hospital) -> None:
    visitor = hospital.visitor()
    given = {"login": "nobody@example.org", "password": PASSWORD, "code": "123456"}
    for _ in range(5):
        await waited()
        assert await visitor.refused("signIn", **given) == [("BAD_CREDENTIALS", None)]
    first, second = [await visitor.told("signIn", **given) for _ in range(2)]
    assert first == second
    assert re.search(r"Quote ID-[0-9A-Z]{4}-[0-9A-Z]{4} to support\.", first[0])


async def test_a_refresh_token_renews_once_and_a_stolen_one_ends_the_session(
    hospital: Hospital,
) -> None:
    person = await hospital.signing_in(Role.DOCTOR)
    first = await sign_in(person, PHONE)
    visitor = hospital.visitor()
    shows = "accessToken refreshToken viewer { activeRole }"
    renewed = await visitor.does("refreshSession", shows, refreshToken=first["refreshToken"])
    assert renewed["viewer"] == {"activeRole": "DOCTOR"}
    person.token = renewed["accessToken"]
    assert await person.sees("{ viewer { activeRole } }") == {"viewer": {"activeRole": "DOCTOR"}}

    # Somebody has a copy of the first one: nobody knows who, so both are out.
    assert await visitor.refused("refreshSession", refreshToken=first["refreshToken"]) == [
        ("REFRESH_INVALID", "refreshToken")
    ]
    assert await _ended(person)
    assert await visitor.refused("refreshSession", refreshToken=renewed["refreshToken"]) == [
        ("SESSION_EXPIRED", "refreshToken")
    ]
    assert await visitor.refused("refreshSession", refreshToken="nothing of ours") == [
        ("REFRESH_INVALID", "refreshToken")
    ]


async def test_signing_out_ends_the_session_at_once(hospital: Hospital) -> None:
    person = await hospital.signing_in(Role.DOCTOR)
    await sign_in(person, PHONE)
    await person.does("signOut")
    assert await _ended(person)
    answer = await person.answer("{ viewer { activeRole } }", language="ru")
    assert answer.body["errors"][0]["message"] == "Сеанс завершён: войдите снова."


async def test_a_session_that_nobody_uses_ends(hospital: Hospital) -> None:
    person = await hospital.signing_in(Role.DOCTOR)
    signed_in = await sign_in(person, PHONE)
    await _was_used(person, timedelta(minutes=14))
    assert await person.sees("{ viewer { activeRole } }") == {"viewer": {"activeRole": "DOCTOR"}}

    # That it was used is noted beside the request.
    await settle()
    await _was_used(person, timedelta(minutes=16))

    assert await _ended(person)
    given = {"refreshToken": signed_in["refreshToken"]}
    assert await hospital.visitor().refused("refreshSession", **given) == [
        ("SESSION_EXPIRED", "refreshToken")
    ]


@unit_of_work
async def _was_used(person: Caller, ago: timedelta) -> None:
    await Session.filter(account_id=person.account_id).update(seen_at=utc_now() - ago)
    announce(ChangeKind.SESSION, account_id=person.account_id)


async def test_one_ends_a_session_that_was_left_open_elsewhere(hospital: Hospital) -> None:
    person = await hospital.signing_in(Role.DOCTOR)
    await sign_in(person, PHONE, seconds=-30)
    left_open = Caller(hospital.api, person.token)
    await sign_in(person, EMAIL)
    listed = await person.sees("{ sessions { nodes { id isCurrent endedAt } } }")
    assert sorted(one["isCurrent"] for one in listed["sessions"]["nodes"]) == [False, True]
    (other,) = [one for one in listed["sessions"]["nodes"] if not one["isCurrent"]]
    await person.does("endSession", "session { endedAt }", id=other["id"])
    assert await _ended(left_open)
    assert await person.sees("{ viewer { activeRole } }") == {"viewer": {"activeRole": "DOCTOR"}}


async def test_a_token_that_is_not_ours_is_never_a_visitor(hospital: Hospital) -> None:
    for token in ("nonsense", "eyJhbGciOiJub25lIn0.e30.", "Ж"):
        answer = await hospital.api.client.post(
            "/graphql",
            json={"query": "{ viewer { activeRole } }"},
            headers={b"authorization": f"Bearer {token}".encode()},
        )
        assert answer.status_code == 401
        assert answer.json()["errors"][0]["extensions"] == {"code": "UNAUTHENTICATED"}


async def _ended(person: Caller) -> bool:
    answer = await person.answer("{ viewer { activeRole } }")
    return (answer.status, answer.codes) == (401, ["SESSION_EXPIRED"])

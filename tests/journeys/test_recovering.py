"""Journey 6: a new password by a code, whoever asks, and an operator who starts it."""

import re
from datetime import datetime
from typing import Any

import pytest

from core.clock import utc_now
from models.account import Account, AccountState, Session
from models.audit import AuditEntry
from models.factor import SentCode
from models.hit import Hit
from models.message import Message, MessageState
from models.role import Role
from tests.auth.entrance import PASSWORD
from tests.journeys.hospital import Caller, Hospital, journal, mutation_document, sign_in
from tests.journeys.newcomers import later
from tests.journeys.outbox import code_in, received

PHONE, EMAIL = "+79001234567", "anna.petrova@example.org"
NEW = "другой омут 43 сома"
ASKED = "handle channel expiresAt resendAt"


async def new_code(hospital: Hospital, contact: str = "8 900 123-45-67") -> dict[str, str]:
    """A handle and the code that came with it."""
    asked = await hospital.visitor().does("requestRecovery", ASKED, contact=contact)
    to = EMAIL if "@" in contact else PHONE
    return {"handle": asked["handle"], "code": code_in((await received(hospital.api, to))[-1])}


async def refused_sign_in(person: Caller, password: str) -> list[tuple[str, str | None]]:
    return await Caller(person.api).refused(
        "signIn", login=EMAIL, password=password, code=person.code(seconds=30)
    )


@pytest.mark.parametrize("contact", ["8 (900) 123-45-67", " Anna.Petrova@Example.org "])
async def test_a_code_sets_a_new_password_and_every_session_ends(
    hospital: Hospital, contact: str
) -> None:
    person = await hospital.signing_in(Role.DOCTOR)
    await sign_in(person, PHONE, seconds=-30)
    assert person.account is not None

    given = await new_code(hospital, contact)
    await hospital.visitor().does("resetPassword", password=NEW, **given)

    answer = await person.answer("{ viewer { activeRole } }")
    assert (answer.status, answer.codes) == (401, ["SESSION_EXPIRED"])
    assert await Session.filter(ended_at__isnull=True).count() == 0
    assert await refused_sign_in(person, PASSWORD) == [("BAD_CREDENTIALS", None)]
    # The second factor is asked for as before.
    waiting = await Caller(person.api).does(
        "signIn", "accessToken pending { factors { kind } }", login=EMAIL, password=NEW
    )
    assert waiting["accessToken"] is None
    assert waiting["pending"]["factors"] != []
    told = "The password of your cabinet was changed"
    for to in (PHONE, EMAIL):
        assert (await received(hospital.api, to))[-1].count(told) == 1
    await Caller(person.api).does(
        "signIn", "accessToken", login=EMAIL, password=NEW, code=person.code(seconds=30)
    )
    assert [action for action, _, _ in await journal()] == [
        "ACCOUNT_CREATED",
        "SIGNED_IN",
        "RECOVERY_REQUESTED",
        "SESSION_ENDED",
        "PASSWORD_RESET",
        "SIGN_IN_FAILED",
        "FACTOR_ASKED_FOR",
        "SIGNED_IN",
    ]


async def test_a_code_that_came_back_confirms_its_contact(hospital: Hospital) -> None:
    person = await hospital.signing_in()

    await hospital.visitor().does("resetPassword", password=NEW, **await new_code(hospital))

    row = await Account.get(id=person.account_id)
    assert row.phone_confirmed_at is not None
    assert row.email_confirmed_at is None


async def test_a_contact_of_nobodys_is_answered_alike(hospital: Hospital) -> None:
    await hospital.signing_in()
    visitor = hospital.visitor()

    answers = [
        await visitor.tries("requestRecovery", ASKED, contact=contact)
        for contact in ("8 900 123-45-67", "8 900 765-43-21")
    ]
    again = [
        await visitor.refused("requestRecovery", contact=contact)
        for contact in ("8 900 123-45-67", "8 900 765-43-21")
    ]
    guesses = [
        await visitor.tries("resetPassword", handle=one["handle"], code="000000", password=NEW)
        for one in answers
    ]

    known, unknown = ({**one, "handle": re.sub(r"[\w-]", "x", one["handle"])} for one in answers)
    assert _without_moments(known) == _without_moments(unknown)
    assert known["errors"] == []
    assert again == [[("RESEND_TOO_SOON", "contact")]] * 2
    assert guesses[0] == guesses[1]
    assert [problem["code"] for problem in guesses[0]["errors"]] == ["CODE_INVALID"]
    states = sorted(message.state for message in await Message.all())
    assert states == [MessageState.QUEUED, MessageState.WITHHELD]


def _without_moments(answer: dict[str, Any]) -> dict[str, Any]:
    # The two are asked one after the other.
    return {key: value for key, value in answer.items() if key not in ("expiresAt", "resendAt")}


async def test_no_code_is_right_for_a_contact_of_nobodys(hospital: Hospital) -> None:
    asked = await hospital.visitor().does("requestRecovery", ASKED, contact="8 900 765-43-21")
    message = await Message.get()
    code = code_in(hospital.api.services.vault.open(message.body_sealed))

    assert await hospital.visitor().refused(
        "resetPassword", handle=asked["handle"], code=code, password=NEW
    ) == [("CODE_INVALID", "code")]


@pytest.mark.parametrize(
    "state", [AccountState.INVITED, AccountState.CLOSED], ids=lambda state: state.value
)
async def test_an_account_that_is_not_open_is_sent_nothing(
    hospital: Hospital, state: AccountState
) -> None:
    person = await hospital.signing_in()
    await Account.filter(id=person.account_id).update(state=state)

    await hospital.visitor().does("requestRecovery", ASKED, contact=EMAIL)

    assert await received(hospital.api, EMAIL) == []


async def test_a_weak_password_uses_no_code_up(hospital: Hospital) -> None:
    await hospital.signing_in()
    given = await new_code(hospital)
    visitor = hospital.visitor()

    for weak in ("12345678", "short", "qwerty2024"):
        assert await visitor.refused("resetPassword", password=weak, **given) == [
            ("PASSWORD_WEAK", "password")
        ]
    # One that is the person's own address is known to be only once the code is.
    for _ in range(6):
        assert await visitor.refused("resetPassword", password=EMAIL, **given) == [
            ("PASSWORD_WEAK", "password")
        ]
    await visitor.does("resetPassword", password=NEW, **given)


async def test_the_password_from_before_is_no_new_one(hospital: Hospital) -> None:
    person = await hospital.signing_in()
    given, visitor = await new_code(hospital), hospital.visitor()
    before = await Account.get(id=person.account_id)

    wrong = {**given, "code": f"{(int(given['code']) + 1) % 1_000_000:06}"}
    # To whom the code did not come nothing is told of it.
    assert await visitor.refused("resetPassword", password=PASSWORD, **wrong) == [
        ("CODE_INVALID", "code")
    ]
    for _ in range(4):
        assert await visitor.refused("resetPassword", password=PASSWORD, **given) == [
            ("PASSWORD_UNCHANGED", "password")
        ]
    assert (await Account.get(id=person.account_id)).password_hash == before.password_hash
    await visitor.does("resetPassword", password=NEW, **given)


async def test_passwords_are_not_tried_out_with_a_code(hospital: Hospital) -> None:
    await hospital.signing_in()
    given, visitor = await new_code(hospital), hospital.visitor()
    for _ in range(10):
        await visitor.refused("resetPassword", password=PASSWORD, **given)
    assert await visitor.refused("resetPassword", password=PASSWORD, **given) == [
        ("TOO_MANY_ATTEMPTS", None)
    ]


async def test_what_is_left_empty_is_named_at_once(hospital: Hospital) -> None:
    visitor = hospital.visitor()
    assert await visitor.refused("resetPassword", handle="", code=" ", password="") == [
        ("REQUIRED", "handle"),
        ("REQUIRED", "code"),
        ("REQUIRED", "password"),
    ]
    assert await visitor.refused("requestRecovery", contact=" ") == [("REQUIRED", "contact")]
    assert await visitor.refused("requestRecovery", contact="не телефон") == [
        ("EMAIL_INVALID", "contact")
    ]
    assert await visitor.refused("requestRecovery", contact="anna@") == [
        ("EMAIL_INVALID", "contact")
    ]


async def test_a_code_works_once_and_ends_those_before_it(hospital: Hospital) -> None:
    await hospital.signing_in()
    by_mail = await new_code(hospital, EMAIL)
    by_phone = await new_code(hospital)
    visitor = hospital.visitor()

    await visitor.does("resetPassword", password=NEW, **by_phone)

    for given in (by_phone, by_mail):
        assert await visitor.refused("resetPassword", password=NEW, **given) == [
            ("CODE_REUSED", "code")
        ]


@pytest.mark.parametrize(("contact", "column"), [(PHONE, "phone"), (EMAIL, "email")])
async def test_a_code_of_a_contact_that_was_the_account_s_sets_no_password(
    hospital: Hospital, contact: str, column: str
) -> None:
    """Whoever has the old telephone or mailbox reads what went there before it was changed."""
    person = await hospital.signing_in()
    given = await new_code(hospital, contact)
    other = {"phone": "+79007654321", "email": "new@example.org"}[column]
    await Account.filter(id=person.account_id).update(**{column: other})

    assert await hospital.visitor().refused("resetPassword", password=NEW, **given) == [
        ("CODE_INVALID", "code")
    ]
    await Account.filter(id=person.account_id).update(**{column: contact})
    await hospital.visitor().does("resetPassword", password=NEW, **given)


async def test_five_wrong_codes_end_the_right_one(hospital: Hospital) -> None:
    await hospital.signing_in()
    given = await new_code(hospital)
    wrong = {**given, "code": f"{(int(given['code']) + 1) % 1_000_000:06}"}
    visitor = hospital.visitor()

    for _ in range(5):
        assert await visitor.refused("resetPassword", password=NEW, **wrong) == [
            ("CODE_INVALID", "code")
        ]
    assert await visitor.refused("resetPassword", password=NEW, **given) == [
        ("CODE_EXPIRED", "code")
    ]
    entries = await AuditEntry.filter(action="CODE_REFUSED").order_by("position")
    assert [entry.details for entry in entries] == [
        *[{"purpose": "RECOVERY", "reason": "CODE_INVALID"}] * 5,
        {"purpose": "RECOVERY", "reason": "CODE_EXPIRED"},
    ]


async def test_a_new_password_ends_a_lock_of_failures_and_forgets_them(
    hospital: Hospital,
) -> None:
    person = await hospital.signing_in()
    for _ in range(5):
        await Caller(person.api).refused("signIn", login=EMAIL, password="не тот", code="000000")

    await hospital.visitor().does("resetPassword", password=NEW, **await new_code(hospital))

    await Caller(person.api).does(
        "signIn", "accessToken", login=EMAIL, password=NEW, code=person.code()
    )


async def test_a_lock_that_an_operator_put_on_stays(hospital: Hospital) -> None:
    person = await hospital.signing_in()
    await Account.filter(id=person.account_id).update(state=AccountState.LOCKED)

    await hospital.visitor().does("resetPassword", password=NEW, **await new_code(hospital))

    assert (await Account.get(id=person.account_id)).state is AccountState.LOCKED
    assert await refused_sign_in(person, NEW) == [("BAD_CREDENTIALS", None)]


async def test_one_code_is_asked_for_and_guessed_at_in_an_operation(hospital: Hospital) -> None:
    one = 'requestRecovery(contact: "anna@example.org") { handle }'
    guess = f'resetPassword(handle: "x", code: "1", password: "{NEW}") {{ errors {{ code }} }}'
    for document in (
        f"mutation {{ a: {one} b: {one} }}",
        f"mutation {{ {one} {guess} }}",
        f"mutation {{ a: {guess} b: {guess} }}",
    ):
        answer = await hospital.visitor().answer(document)
        assert answer.codes == ["ONE_SENSITIVE_FIELD"]
    assert await SentCode.all().count() == 0


async def test_contacts_and_addresses_are_asked_for_so_often(hospital: Hospital) -> None:
    visitor = hospital.visitor()
    answers = [
        await visitor.refused("requestRecovery", contact=f"nobody{number}@example.org")
        for number in range(21)
    ]
    assert answers == [[]] * 20 + [[("TOO_MANY_ATTEMPTS", None)]]


async def test_whoever_asks_in_vain_closes_no_recovery(hospital: Hospital) -> None:
    """Ten codes go to a contact within a day, be it somebody's or nobody's."""
    await hospital.signing_in()
    visitor = hospital.visitor()
    told: dict[str, list[Any]] = {EMAIL: [], "nobody@example.org": []}
    for contact, answers in told.items():
        for _ in range(11):
            answers.append(await visitor.refused("requestRecovery", contact=contact))
            answers.append(await visitor.refused("requestRecovery", contact=contact))
            await later(16)
            # They come from other addresses.
            for hit in await Hit.all():
                await hit.delete()
        await later(24 * 60)
        answers.append(await visitor.refused("requestRecovery", contact=contact))

    too_soon, too_many = ("RESEND_TOO_SOON", "contact"), ("TOO_MANY_ATTEMPTS", None)
    assert told[EMAIL] == [[], [too_soon]] * 10 + [[too_many]] * 2 + [[]]
    assert told["nobody@example.org"] == told[EMAIL]


async def test_a_code_that_came_back_does_not_tell_whose_the_contact_is(
    hospital: Hospital,
) -> None:
    await hospital.signing_in()
    given = await new_code(hospital)
    visitor, nobodys = hospital.visitor(), "8 900 765-43-21"
    await visitor.does("requestRecovery", contact=nobodys)

    await visitor.does("resetPassword", password=NEW, **given)

    for contact in (PHONE, nobodys):
        assert await visitor.refused("requestRecovery", contact=contact) == [
            ("RESEND_TOO_SOON", "contact")
        ]
    await later(1)
    waits = [await visitor.does("requestRecovery", ASKED, contact=it) for it in (PHONE, nobodys)]
    known, unknown = (
        datetime.fromisoformat(it["resendAt"]) - datetime.fromisoformat(it["expiresAt"])
        for it in waits
    )
    assert known == unknown


async def test_no_wait_tells_that_a_contact_has_become_somebodys(hospital: Hospital) -> None:
    visitor = hospital.visitor()
    await visitor.does("requestRecovery", contact=PHONE)

    await hospital.signing_in()

    assert await visitor.refused("requestRecovery", contact=PHONE) == [
        ("RESEND_TOO_SOON", "contact")
    ]
    await later(1)
    given = await new_code(hospital)
    await visitor.does("resetPassword", password=NEW, **given)


async def test_an_operator_starts_it_and_learns_nothing(hospital: Hospital) -> None:
    person = await hospital.signing_in(Role.DOCTOR)
    values = {"phone_confirmed_at": utc_now(), "language": "en"}
    await Account.filter(id=person.account_id).update(**values)
    operator = await hospital.staff(Role.OPERATOR)

    started = await operator.does("startReset", "account { state phone }", id=person.account_id)

    (text,) = await received(hospital.api, PHONE)
    assert text.startswith("Medical worker's cabinet.")
    found = re.search(r"RS(?:-[0-9A-Z]{4}){4}", text)
    assert found is not None
    assert started == {"account": {"state": "ACTIVE", "phone": None}}
    assert await hospital.visitor().refused(
        "resetPassword", handle="RS-0000-0000-0000-0000", code=code_in(text), password=NEW
    ) == [("CODE_INVALID", "code")]
    await hospital.visitor().does(
        "resetPassword",
        handle=f" {found[0].lower().replace('-', ' ').replace('0', 'o')} ",
        code=f"{code_in(text)[:3]} {code_in(text)[3:]}",
        password=NEW,
    )


async def test_an_operator_does_not_wait_for_what_strangers_ask_for(hospital: Hospital) -> None:
    person = await hospital.signing_in(Role.DOCTOR)
    await Account.filter(id=person.account_id).update(phone_confirmed_at=utc_now())
    operator = await hospital.staff(Role.OPERATOR)
    await new_code(hospital)

    await operator.does("startReset", "account { state }", id=person.account_id)

    # Their own does hold them up.
    assert await operator.refused("startReset", id=person.account_id) == [("RESEND_TOO_SOON", "id")]


async def test_an_operator_sends_no_code_to_what_nobody_confirmed(hospital: Hospital) -> None:
    person = await hospital.signing_in()
    operator = await hospital.staff(Role.OPERATOR)

    assert await operator.refused("startReset", id=person.account_id) == [
        ("CONTACT_UNCONFIRMED", "id")
    ]
    assert await SentCode.all().count() == 0


async def test_whoever_is_signed_in_has_no_way_to_recover(hospital: Hospital) -> None:
    for caller in (await hospital.doctor(), await hospital.citizen()):
        error = await caller.unknown(
            mutation_document("requestRecovery", "handle", {"contact": ""}), contact=EMAIL
        )
        assert "requestRecovery" in error["message"]

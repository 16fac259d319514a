"""Journey 1: a telephone number, a code, a form, an account."""

import asyncio
from datetime import date, timedelta
from typing import Any

import pytest

from auth.identities import number_hash, number_of
from core.clock import utc_now
from models.account import Account, AccountState, ConfirmedBy, Session, SignInMethod
from models.audit import AuditEntry
from models.factor import SentCode
from models.identity import Identity
from models.message import Message
from tests import factories as make
from tests.browsers import Browser
from tests.execution.test_query_counts import counted
from tests.journeys.hospital import Caller, Hospital, journal
from tests.journeys.newcomers import (
    FORM,
    INN,
    OTHER_INN,
    PASSPORT,
    PASSWORD,
    PHONE,
    SENT,
    SNILS,
    code_sent,
    confirmed_newcomer,
    form,
    later,
    newcomer,
    other_than,
    outbox,
    proved_phone,
)

REGISTERED = "accessToken refreshToken emailHandle viewer { activeRole roles }"


async def test_one_registers_by_phone_code_and_form(hospital: Hospital) -> None:
    visitor = hospital.visitor()
    specialty = await make.specialty()
    begun = await visitor.does("beginRegistration", SENT, phone="8 (926) 123-45-67")
    assert begun["resendAt"] < begun["expiresAt"]
    handle = begun["handle"]
    code = await code_sent(hospital, PHONE)
    assert await outbox(hospital, PHONE) == [
        f"Medical worker's cabinet. Your code to register: {code}. It is valid for 10 min."
        " Tell it to nobody."
    ]
    assert await visitor.refused("checkRegistrationCode", handle=handle, code=other_than(code)) == [
        ("CODE_INVALID", "code")
    ]
    typed = f"{code[:3]} {code[3:]}"
    await visitor.does("checkRegistrationCode", "expiresAt", handle=handle, code=typed)
    filled = await form(hospital, isMedicalWorker=True, specialty=specialty.id)
    registered = await visitor.does("register", REGISTERED, handle=handle, input=filled)

    assert registered["viewer"] == {"activeRole": "CITIZEN", "roles": ["CITIZEN"]}
    assert registered["emailHandle"] is None
    citizen = Caller(hospital.api, registered["accessToken"])
    seen = await citizen.sees("{ viewer { account { phone email state confirmedAt } } }")
    assert seen["viewer"]["account"] == {
        "phone": PHONE,
        "email": None,
        "state": "ACTIVE",
        "confirmedAt": None,
    }
    told = await outbox(hospital, PHONE)
    assert (
        "Your cabinet is open: " in told[-1]
        and "a passkey or an authenticator is safer" in told[-1]
    )
    account = await Account.get(phone=PHONE)
    gate = hospital.api.services.gate
    assert account.state is AccountState.ACTIVE
    assert await gate.passwords.verify(account.password_hash, PASSWORD)
    assert account.sms_factor
    assert account.phone_confirmed_at is not None
    assert account.terms_version == filled["termsVersion"]
    session = await Session.get(account_id=account.id)
    assert session.method is SignInMethod.SMS
    identity = await Identity.get(account_id=account.id)
    assert (identity.last_name, identity.specialty_id) == ("Ёлкина", specialty.id)
    assert number_of(gate, identity, "inn") == INN
    assert identity.passport_hash == number_hash(gate, "passport", PASSPORT)
    # What identifies is not kept in the clear, and the journal does not have it either.
    kept = str([vars(identity), *[vars(entry) for entry in await AuditEntry.all()]])
    assert all(number not in kept for number in (INN, PASSPORT, PASSPORT[5:], PHONE[2:]))
    entry = await AuditEntry.get(action="REGISTERED")
    assert (entry.account_id, entry.subject_id) == (account.id, account.id)


async def test_a_code_goes_only_where_an_sms_can_come(hospital: Hospital) -> None:
    for number, code in (("8 495 123-45-67", "PHONE_LANDLINE"), ("12", "PHONE_INVALID")):
        refused = await hospital.visitor().refused("beginRegistration", phone=number)
        assert refused == [(code, "phone")]


@pytest.mark.parametrize("name", ["О\u2019Коннор-Ли", "Мария Тереза", "Ёлкина (Сергеева)"])
async def test_a_name_is_written_as_people_write_theirs(hospital: Hospital, name: str) -> None:
    person = await newcomer(hospital, lastName=name)
    assert (await Identity.get(account_id=person.account_id)).last_name == name


async def test_every_wrong_field_is_named_at_once(hospital: Hospital) -> None:
    handle = await proved_phone(hospital)
    wrong = {
        "lastName": " ",
        "firstName": "А\u0007нна",
        "birthDate": (utc_now() + timedelta(days=2)).date().isoformat(),
        "passport": "4510 12345",
        "inn": "123456789037",
        "isMedicalWorker": True,
        "specialty": None,
        "email": "nonsense",
        "password": "qwerty123",
        "terms": False,
        "termsVersion": "2001-01-01",
    }
    assert await hospital.visitor().refused("register", handle=handle, input=wrong) == [
        ("REQUIRED", "input.lastName"),
        ("FIELD_INVALID", "input.firstName"),
        ("DATE_IN_FUTURE", "input.birthDate"),
        ("PASSPORT_FORMAT", "input.passport"),
        ("INN_CHECKSUM", "input.inn"),
        ("EMAIL_INVALID", "input.email"),
        ("SPECIALTY_REQUIRED", "input.specialty"),
        ("PASSWORD_WEAK", "input.password"),
        ("TERMS_REQUIRED", "input.terms"),
        ("TERMS_OUTDATED", "input.termsVersion"),
    ]
    no_entry = {**wrong, "specialty": "терапия"}
    told = await hospital.visitor().refused("register", handle=handle, input=no_entry)
    assert ("NOT_FOUND", "input.specialty") in told and len(told) == 10
    assert not await Account.exists(phone=PHONE)
    # What was wrong is mended under the same handle.
    await hospital.visitor().does("register", handle=handle, input=await form(hospital))


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ({"birthDate": None}, ("REQUIRED", "input.birthDate")),
        ({"birthDate": "1985-02-30"}, ("DATE_INVALID", "input.birthDate")),
        ({"birthDate": "31.04.1985"}, ("DATE_INVALID", "input.birthDate")),
        ({"birthDate": "12.04.85"}, ("DATE_INVALID", "input.birthDate")),
        ({"birthDate": "٠١.04.1985"}, ("DATE_INVALID", "input.birthDate")),
        ({"birthDate": "12.04.0985"}, ("DATE_TOO_EARLY", "input.birthDate")),
        ({"birthDate": "9999-12-31"}, ("DATE_IN_FUTURE", "input.birthDate")),
        ({"firstName": "123"}, ("NAME_INVALID", "input.firstName")),
        ({"lastName": "<script>"}, ("NAME_INVALID", "input.lastName")),
        ({"passport": "AB 1234567"}, ("PASSPORT_FORMAT", "input.passport")),
        ({"inn": "1234567890"}, ("INN_FORMAT", "input.inn")),
        ({"password": "Ёлкина2024"}, ("PASSWORD_WEAK", "input.password")),
        ({"password": PASSPORT}, ("PASSWORD_WEAK", "input.password")),
        ({"password": f"инн {INN}"}, ("PASSWORD_WEAK", "input.password")),
        ({"password": "12.04.1985"}, ("PASSWORD_WEAK", "input.password")),
        ({"password": ""}, ("PASSWORD_WEAK", "input.password")),
        (
            {"specialty": "01900000-0000-7000-8000-000000000000"},
            ("NOT_FOUND", "input.specialty"),
        ),
    ],
)
async def test_one_wrong_field_is_named(
    hospital: Hospital, value: dict[str, Any], problem: tuple[str, str]
) -> None:
    handle = await proved_phone(hospital)
    wrong = await form(hospital, **value)
    assert await hospital.visitor().refused("register", handle=handle, input=wrong) == [problem]


@pytest.mark.parametrize("written", ["1985-04-02", "02.04.1985", " 2.4.1985 "])
async def test_a_day_is_written_for_programs_or_as_people_do(
    hospital: Hospital, written: str
) -> None:
    person = await newcomer(hospital, birthDate=written)
    assert (await Identity.get(account_id=person.account_id)).birth_date == date(1985, 4, 2)


async def test_one_registers_from_the_age_of_eighteen(hospital: Hospital) -> None:
    handle = await proved_phone(hospital)
    # Where the house is, the day may be tomorrow already.
    now = utc_now().date() + timedelta(days=2)
    young = date(now.year - 18, now.month, now.day) if (now.month, now.day) != (2, 29) else now
    filled = await form(hospital, birthDate=young.isoformat())
    assert await hospital.visitor().refused("register", handle=handle, input=filled) == [
        ("UNDER_AGE", "input.birthDate")
    ]
    grown = young - timedelta(days=4)
    await hospital.visitor().does(
        "register", handle=handle, input=await form(hospital, birthDate=grown.isoformat())
    )


async def test_the_terms_are_read_in_both_languages(hospital: Hospital) -> None:
    document = "{ terms { version text } }"
    russian = (await hospital.visitor().answer(document, language="ru")).data["terms"]
    english = (await hospital.visitor().answer(document, language="en")).data["terms"]

    assert russian["version"] == english["version"]
    assert russian["text"].startswith("# Условия использования")
    assert english["text"].startswith("# Terms of use")


async def test_a_form_follows_its_code_within_half_an_hour_and_once(hospital: Hospital) -> None:
    visitor, filled = hospital.visitor(), await form(hospital)
    begun = await visitor.does("beginRegistration", SENT, phone=PHONE)
    unproved = {"handle": begun["handle"], "input": filled}
    assert await visitor.refused("register", **unproved) == [("CODE_EXPIRED", "handle")]
    await visitor.does(
        "checkRegistrationCode", handle=begun["handle"], code=await code_sent(hospital, PHONE)
    )
    await later(31)
    assert await visitor.refused("register", **unproved) == [("CODE_EXPIRED", "handle")]
    handle = await proved_phone(hospital)
    await visitor.does("register", handle=handle, input=filled)
    again = await form(hospital, inn=OTHER_INN)
    assert await visitor.refused("register", handle=handle, input=again) == [
        ("CODE_REUSED", "handle")
    ]


async def test_the_next_code_waits_and_the_old_one_expires(hospital: Hospital) -> None:
    visitor = hospital.visitor()
    begun = await visitor.does("beginRegistration", SENT, phone=PHONE)
    payload = await visitor.tries("beginRegistration", "handle", phone="926 123 45 67")
    (problem,) = payload["errors"]
    assert (problem["code"], problem["field"]) == ("RESEND_TOO_SOON", "phone")
    await later(11)
    await visitor.does("beginRegistration", SENT, phone=PHONE)
    code = (await outbox(hospital, PHONE))[0]
    digits = code.split(": ")[1][:6]
    assert await visitor.refused("checkRegistrationCode", handle=begun["handle"], code=digits) == [
        ("CODE_EXPIRED", "code")
    ]


async def test_a_phone_that_has_an_account_is_answered_like_any_other(hospital: Hospital) -> None:
    """The same answer, and the same statements; only the message tells."""
    await newcomer(hospital)
    # The code that opened the account has not ended the wait: that would tell of it, too.
    assert await hospital.visitor().refused("beginRegistration", phone=PHONE) == [
        ("RESEND_TOO_SOON", "phone")
    ]
    await later(1)
    visitor = hospital.visitor()
    # Whatever is read once and kept is read by now.
    await visitor.does("beginRegistration", SENT, phone="+79261234500")
    told = {}
    for phone in (PHONE, "+79261234568"):
        with counted() as statements:
            payload = await visitor.does("beginRegistration", SENT, phone=phone)
        refused = [
            await visitor.tries("checkRegistrationCode", handle=payload["handle"], code="12345")
        ]
        told[phone] = (
            payload.keys(),
            len(payload["handle"]),
            [shape(statement) for statement in statements],
            refused,
        )

    known, unknown = told.values()
    assert known == unknown
    assert (await outbox(hospital, PHONE))[-1].count("This telephone number has an account")
    assert "has an account" not in (await outbox(hospital, "+79261234568"))[-1]


def shape(statement: str) -> str:
    """A statement without the values that it binds."""
    return statement.rsplit(": [", 1)[0]


async def test_no_code_is_right_for_a_phone_that_has_an_account(hospital: Hospital) -> None:
    await newcomer(hospital)
    await later(1)
    visitor = hospital.visitor()
    await visitor.does("beginRegistration", SENT, phone=PHONE)
    assert len(await outbox(hospital, PHONE)) == 3
    sent = await SentCode.all().order_by("-id").first()
    assert sent is not None
    # Not even the one that would have been sent is kept: none has six digits.
    vault = hospital.api.services.vault
    message = await Message.all().order_by("-id").first()
    assert message is not None
    assert not any(sign.isdigit() for sign in vault.open(message.body_sealed))


async def test_the_first_sign_in_after_registering_is_advised_as_a_first_one(
    hospital: Hospital,
) -> None:
    person = await newcomer(hospital)
    asking = "{ viewer { account { recommendations } } }"
    first = (await person.sees(asking))["viewer"]["account"]["recommendations"]
    await _yesterday()
    advised = [await _recommended_at_sign_in(hospital) for _ in range(2)]

    advice = ["CONFIRM_ACCOUNT", "ADD_SECOND_METHOD", "CREATE_RECOVERY_CODES", "ADD_PASSKEY"]
    # The session that registering opened is no sign-in: its password was chosen just now.
    assert first == advice
    assert advised == [["CHANGE_PASSWORD", *advice], advice]


async def _yesterday() -> None:
    """Lets a day go by since the account was opened."""
    day = timedelta(days=1)
    account, session = await Account.get(phone=PHONE), await Session.get()
    for moment in ("terms_accepted_at", "password_changed_at", "phone_confirmed_at"):
        setattr(account, moment, getattr(account, moment) - day)
    session.started_at -= day
    await account.save()
    await session.save()


async def _recommended_at_sign_in(hospital: Hospital) -> Any:
    """What a sign-in with a code by SMS is answered with."""
    visitor = hospital.visitor()
    begun = await visitor.does("signIn", "pending { handle }", login=PHONE, password=PASSWORD)
    handle = begun["pending"]["handle"]
    await visitor.does("sendSignInCode", "expiresAt", handle=handle)
    code = await code_sent(hospital, PHONE)
    entered = await visitor.does(
        "finishSignIn", "recommendations", handle=handle, factor="SMS", code=code
    )
    await later(60)
    return entered["recommendations"]


async def test_an_address_is_asked_before_it_becomes_a_login(hospital: Hospital) -> None:
    await make.account(email="taken@example.org")
    told: list[int] = []
    guesses: list[Any] = []
    for phone, email, inn in (
        (PHONE, "Taken@example.org", INN),
        ("+79261234568", "free@example.org", OTHER_INN),
    ):
        handle = await proved_phone(hospital, phone)
        filled = await form(hospital, email=email, inn=inn)
        payload = await hospital.visitor().does(
            "register", "accessToken emailHandle", handle=handle, input=filled
        )
        account = await Account.get(phone=phone)
        assert account.email is None
        told.append(len(payload["emailHandle"]))
        person, guess = Caller(hospital.api, payload["accessToken"]), {"code": "12345"}
        mailed = payload["emailHandle"]
        guesses.append(await person.tries("confirmAccount", handle=mailed, snils=SNILS, **guess))

    assert told == [43, 43]
    assert guesses[0] == guesses[1]
    assert (await outbox(hospital, "taken@example.org"))[-1].startswith("This address has")
    assert (await outbox(hospital, "free@example.org"))[-1].startswith("Your code to confirm")


async def test_an_inn_is_refused_where_it_is_proved_and_not_where_it_is_stated(
    hospital: Hospital,
) -> None:
    # Who has only said that it is theirs keeps nobody out.
    await newcomer(hospital, "+79261234560")
    holder = await confirmed_newcomer(hospital, "+79261234561")
    handle = await proved_phone(hospital)
    filled = await form(hospital)
    await Account.filter(id=holder.account_id).update(confirmed_by=ConfirmedBy.VISIT)
    assert await hospital.visitor().refused("register", handle=handle, input=filled) == [
        ("INN_TAKEN", "input.inn")
    ]
    await later(1)
    handle = await proved_phone(hospital)
    told = await hospital.visitor().told("register", handle=handle, input=filled)
    assert all(name not in told[0] for name in (FORM["lastName"], SNILS, PHONE))


async def test_to_ask_for_an_inn_costs_a_proved_phone(hospital: Hospital) -> None:
    await confirmed_newcomer(hospital, "+79261234561")
    # By a visit: who only stated a number keeps nobody else from it.
    await Account.filter(phone="+79261234561").update(confirmed_by=ConfirmedBy.VISIT)
    handle = await proved_phone(hospital)
    visitor = hospital.visitor()
    # Nothing is told of it while anything else is wrong.
    for inn in (INN, OTHER_INN):
        for wrong in ({"terms": False}, {"password": "12345678"}, {"birthDate": "2020-01-01"}):
            filled = await form(hospital, inn=inn, **wrong)
            refusal = await visitor.refused("register", handle=handle, input=filled)
            assert [field for _, field in refusal] == [f"input.{next(iter(wrong))}"]
    # And then once: another question wants another code.
    filled = await form(hospital)
    assert await visitor.refused("register", handle=handle, input=filled) == [
        ("INN_TAKEN", "input.inn")
    ]
    filled = await form(hospital, inn=OTHER_INN)
    assert await visitor.refused("register", handle=handle, input=filled) == [
        ("CODE_REUSED", "handle")
    ]
    assert not await Account.filter(phone=PHONE).exists()
    assert ("REGISTRATION_REFUSED", "VISITOR", None) in await journal()
    await later(1)
    await newcomer(hospital, inn=OTHER_INN)


async def test_of_ten_forms_of_one_phone_one_opens_an_account(hospital: Hospital) -> None:
    handle = await proved_phone(hospital)
    filled = await form(hospital)
    payloads = await asyncio.gather(
        *(hospital.visitor().tries("register", handle=handle, input=filled) for _ in range(10))
    )
    codes = [[problem["code"] for problem in payload["errors"]] for payload in payloads]
    assert codes.count([]) == 1
    assert {code for refused in codes for code in refused} <= {"CODE_REUSED", "CODE_EXPIRED"}
    assert await Account.filter(phone=PHONE).count() == 1
    assert await Identity.all().count() == 1


async def test_two_codes_of_one_phone_open_one_account(hospital: Hospital) -> None:
    first = await proved_phone(hospital)
    await later(2)
    second = await proved_phone(hospital)
    visitor = hospital.visitor()
    await visitor.does("register", handle=first, input=await form(hospital))
    filled = await form(hospital, inn=OTHER_INN)
    assert await visitor.refused("register", handle=second, input=filled) == [
        ("IDENTITY_UNAVAILABLE", "handle")
    ]


async def test_a_phone_is_asked_for_ten_times_a_day_and_its_form_filled_in_ten_times_an_hour(
    hospital: Hospital,
) -> None:
    visitor = hospital.visitor()
    for _ in range(10):
        assert await visitor.refused("beginRegistration", phone=PHONE) == []
        # What is asked for in vain does not count.
        assert await visitor.refused("beginRegistration", phone=PHONE) == [
            ("RESEND_TOO_SOON", "phone")
        ]
        await later(16)
    assert await visitor.refused("beginRegistration", phone=PHONE) == [("TOO_MANY_ATTEMPTS", None)]
    handle = await proved_phone(hospital, "+79261234568")
    filled = await form(hospital, terms=False)
    for _ in range(10):
        assert await visitor.refused("register", handle=handle, input=filled) == [
            ("TERMS_REQUIRED", "input.terms")
        ]
    assert await visitor.refused("register", handle=handle, input=filled) == [
        ("TOO_MANY_ATTEMPTS", None)
    ]


async def test_guesses_at_a_code_are_five_however_many_come_at_once(hospital: Hospital) -> None:
    visitor = hospital.visitor()
    begun = await visitor.does("beginRegistration", SENT, phone=PHONE)
    wrong = other_than(await code_sent(hospital, PHONE))
    payloads = await asyncio.gather(
        *(
            hospital.visitor().tries("checkRegistrationCode", handle=begun["handle"], code=wrong)
            for _ in range(50)
        )
    )
    codes = [payload["errors"][0]["code"] for payload in payloads]
    assert (codes.count("CODE_INVALID"), codes.count("CODE_EXPIRED")) == (5, 45)


@pytest.mark.any_database
async def test_a_document_guesses_once(hospital: Hospital) -> None:
    asking = 'checkRegistrationCode(handle: "x", code: "000000") { errors { code } }'
    answer = await hospital.visitor().answer(f"mutation {{ a: {asking} b: {asking} }}")
    assert answer.codes == ["ONE_SENSITIVE_FIELD"]


@pytest.mark.any_database
async def test_nobody_who_is_signed_in_registers(hospital: Hospital) -> None:
    citizen = await hospital.citizen()
    await citizen.unknown('mutation { beginRegistration(phone: "1") { handle } }')


@pytest.mark.any_database
async def test_an_address_asks_for_sixty_phones_an_hour(hospital: Hospital) -> None:
    visitor = hospital.visitor()
    for number in range(60):
        payload = await visitor.tries("beginRegistration", phone=f"+792612345{number:02}")
        assert payload["errors"] == []
    assert await visitor.refused("beginRegistration", phone="+79261234599") == [
        ("TOO_MANY_ATTEMPTS", None)
    ]


async def test_registering_in_a_browser_keeps_the_session_in_its_cookies(
    hospital: Hospital,
) -> None:
    browser = Browser(hospital.api)
    document = """mutation($handle: String!, $input: RegisterInput!) {
        register(handle: $handle, input: $input) { accessToken refreshToken errors { code } }
    }"""
    given = {"handle": await proved_phone(hospital), "input": await form(hospital)}

    registered = await browser.asks(document, given, session="new-cookie")

    told: dict[str, Any] = {"accessToken": None, "refreshToken": None, "errors": []}
    assert registered.data == {"register": told}
    known = await browser.asks("{ viewer { activeRole } }")
    assert known.data == {"viewer": {"activeRole": "CITIZEN"}}

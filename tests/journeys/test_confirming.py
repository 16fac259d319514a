"""Journey 3: an account is confirmed by SMS, by e-mail or by a visit; until then it reads less."""

import asyncio
from datetime import date
from typing import Any

import pytest

from auth.identities import number_of
from models.account import Account, ConfirmedBy
from models.audit import AuditEntry
from models.identity import Identity
from models.role import Role
from tests import factories as make
from tests.journeys.hospital import Caller, Hospital, confirms
from tests.journeys.newcomers import (
    INN,
    OTHER_INN,
    OTHER_SNILS,
    PASSPORT,
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

LICENCES = "{ licences { totalCount } }"
OTHER_PHONE = "+79261234568"
REASON = "Паспорт проверен в центре обслуживания"


async def asked(hospital: Hospital, person: Caller, phone: str = PHONE) -> dict[str, Any]:
    """The handle and the code of a confirmation by SMS."""
    payload = await person.does("requestConfirmation", SENT, channel="SMS")
    return {"handle": payload["handle"], "code": await code_sent(hospital, phone)}


async def worker(hospital: Hospital, **values: Any) -> Caller:
    """A newcomer whose file the registry has, with the role of a doctor."""
    person = await newcomer(hospital)
    await Account.filter(id=person.account_id).update(organisation_id=hospital.organisation.id)
    await make.practitioner(hospital.therapy, account=person.account, **values)
    account = await Account.get(id=person.account_id)
    await make.grant(account, Role.DOCTOR, hospital.organisation)
    return Caller(hospital.api, person.token, account, role=Role.DOCTOR)


async def test_a_worker_reads_licences_as_soon_as_the_account_is_confirmed(
    hospital: Hospital,
) -> None:
    doctor = await worker(hospital)
    refused = await doctor.answer(LICENCES)
    assert refused.codes == ["ACCOUNT_UNCONFIRMED"]

    payload = await doctor.does("requestConfirmation", SENT, channel="SMS")
    assert (await outbox(hospital, PHONE))[-1].count("Your code to confirm your account")
    given = {"handle": payload["handle"], "code": await code_sent(hospital, PHONE)}
    confirmed = await doctor.does(
        "confirmAccount", "account { confirmedAt confirmedBy }", **given, snils="112-233-445 95"
    )

    assert confirmed["account"]["confirmedAt"] is not None
    assert confirmed["account"]["confirmedBy"] == "SMS"
    assert await doctor.sees(LICENCES) == {"licences": {"totalCount": 0}}
    identity = await Identity.get(account_id=doctor.account_id)
    gate = hospital.api.services.gate
    assert (number_of(gate, identity, "snils"), number_of(gate, identity, "inn")) == (SNILS, INN)
    entry = await AuditEntry.get(action="ACCOUNT_CONFIRMED")
    assert entry.details == {"way": "SMS"}
    assert await doctor.refused("requestConfirmation", channel="SMS") == [
        ("ALREADY_CONFIRMED", None)
    ]


async def test_the_code_and_the_snils_are_told_wrong_at_once(hospital: Hospital) -> None:
    person = await newcomer(hospital)
    given = await asked(hospital, person)
    wrong = {"handle": given["handle"], "code": other_than(given["code"])}
    assert await person.refused("confirmAccount", **wrong, snils="112-233-445 96") == [
        ("SNILS_CHECKSUM", "snils"),
        ("CODE_INVALID", "code"),
    ]
    assert await person.refused("confirmAccount", **given, snils=" ") == [("REQUIRED", "snils")]
    assert await person.refused("confirmAccount", **given, snils="12345") == [
        ("SNILS_FORMAT", "snils")
    ]
    for _ in range(4):
        assert await person.refused("confirmAccount", **given, snils="112-233-445 96") == [
            ("SNILS_CHECKSUM", "snils")
        ]
    # The code was right each time, and is not used up.
    await person.does("confirmAccount", **given, snils=SNILS)


async def test_a_code_expires_and_another_waits_longer_each_time(hospital: Hospital) -> None:
    person = await newcomer(hospital)
    given = await asked(hospital, person)
    answer = await person.answer(
        "mutation { requestConfirmation(channel: SMS) { handle errors { code field until } } }"
    )
    (problem,) = answer.data["requestConfirmation"]["errors"]
    assert (problem["code"], problem["field"]) == ("RESEND_TOO_SOON", "channel")
    assert problem["until"] is not None
    await later(1)
    await person.does("requestConfirmation", SENT, channel="SMS")
    await later(1)
    assert await person.refused("requestConfirmation", channel="SMS") == [
        ("RESEND_TOO_SOON", "channel")
    ]
    await later(9)
    assert await person.refused("confirmAccount", **given, snils=SNILS) == [
        ("CODE_EXPIRED", "code")
    ]


async def test_one_confirms_by_the_address_given_at_registering(hospital: Hospital) -> None:
    handle = await proved_phone(hospital)
    payload = await hospital.visitor().does(
        "register",
        "accessToken emailHandle",
        handle=handle,
        input=await form(hospital, email="Anna@Example.org"),
    )
    person = Caller(hospital.api, payload["accessToken"])
    code = await code_sent(hospital, "anna@example.org")
    await person.does("confirmAccount", handle=payload["emailHandle"], code=code, snils=SNILS)

    seen = await person.sees("{ viewer { account { email phone } } }")
    assert seen["viewer"]["account"] == {"email": "anna@example.org", "phone": PHONE}


async def test_the_address_given_at_registering_becomes_a_login_after_an_sms_was_first(
    hospital: Hospital,
) -> None:
    payload = await hospital.visitor().does(
        "register",
        "accessToken emailHandle",
        handle=await proved_phone(hospital),
        input=await form(hospital, email="anna@example.org"),
    )
    mailed = {
        "handle": payload["emailHandle"],
        "code": await code_sent(hospital, "anna@example.org"),
    }
    person = Caller(hospital.api, payload["accessToken"])
    await person.does("confirmAccount", **await asked(hospital, person), snils=SNILS)
    before = await Account.get(phone=PHONE)
    assert before.email is None

    # Whatever numbers come along are not bound: the account has its own.
    numbers = {"snils": "010079190 00", "inn": OTHER_INN}
    await person.does("confirmAccount", **mailed, **numbers)

    account = await Account.get(phone=PHONE)
    assert (account.email, account.confirmed_at) == ("anna@example.org", before.confirmed_at)
    assert account.email_confirmed_at is not None
    identity, gate = await Identity.get(account_id=account.id), hospital.api.services.gate
    assert (number_of(gate, identity, "snils"), number_of(gate, identity, "inn")) == (SNILS, INN)
    entry = await AuditEntry.get(action="CONTACT_CONFIRMED")
    assert entry.details == {"channel": "EMAIL"}
    told = "The contacts that open your cabinet were changed"
    assert sum(told in text for text in await outbox(hospital, PHONE)) == 1
    assert await person.refused("confirmAccount", **mailed, snils=SNILS) == [
        ("CODE_REUSED", "code")
    ]


async def test_an_address_that_somebody_has_meanwhile_is_told_by_what_was_given(
    hospital: Hospital,
) -> None:
    payload = await hospital.visitor().does(
        "register",
        "accessToken emailHandle",
        handle=await proved_phone(hospital),
        input=await form(hospital, email="anna@example.org"),
    )
    code = await code_sent(hospital, "anna@example.org")
    await make.account(email="anna@example.org")

    given = {"handle": payload["emailHandle"], "code": code, "snils": SNILS}
    person = Caller(hospital.api, payload["accessToken"])
    assert await person.refused("confirmAccount", **given) == [("IDENTITY_UNAVAILABLE", "handle")]


async def test_a_session_alone_adds_no_address_by_confirming(hospital: Hospital) -> None:
    person = await newcomer(hospital)
    stolen = Caller(hospital.api, person.token)
    assert await stolen.refused("requestConfirmation", channel="EMAIL") == [
        ("CONTACT_MISSING", "channel")
    ]
    await stolen.unknown(
        'mutation { requestConfirmation(channel: EMAIL, email: "evil@example.org") { handle } }'
    )
    added = await stolen.answer(
        'mutation { beginContactChange(contact: "evil@example.org") { handle } }'
    )
    assert added.codes == ["FACTOR_NOT_FRESH"]
    assert await outbox(hospital, "evil@example.org") == []


async def test_one_confirms_by_an_address_that_was_added_with_a_factor(hospital: Hospital) -> None:
    person, address = await newcomer(hospital), "anna@example.org"
    shown = await person.does("sendFactorCode", "handle")
    code = await code_sent(hospital, PHONE)
    await confirms(person, factor="SMS", code=code, handle=shown["handle"])
    added = await person.does("beginContactChange", "handle", contact=address)
    code = await code_sent(hospital, address)
    await person.does("changeContact", handle=added["handle"], code=code)

    payload = await person.does("requestConfirmation", SENT, channel="EMAIL")
    code = await code_sent(hospital, address)
    await person.does("confirmAccount", handle=payload["handle"], code=code, snils=SNILS)

    account = await Account.get(phone=PHONE)
    assert (account.email, account.confirmed_by) == (address, ConfirmedBy.EMAIL)


async def test_a_code_confirms_the_account_it_was_sent_for_alone(hospital: Hospital) -> None:
    person, other = await newcomer(hospital), await newcomer(hospital, OTHER_PHONE, inn=OTHER_INN)
    given = await asked(hospital, person)
    assert await other.refused("confirmAccount", **given, snils=SNILS) == [("CODE_INVALID", "code")]


async def test_an_inn_and_a_snils_confirm_one_account(hospital: Hospital) -> None:
    # Both say that the INN is theirs: whoever confirms first has it.
    first, second = await newcomer(hospital), await newcomer(hospital, OTHER_PHONE)
    await first.does("confirmAccount", **await asked(hospital, first), snils=SNILS)
    given = await asked(hospital, second, OTHER_PHONE)
    taken = {**given, "snils": OTHER_SNILS}
    assert await second.refused("confirmAccount", **taken) == [("INN_TAKEN", "inn")]
    # What was given wrongly is mended, and whose the other number is is not told.
    mended = {**given, "inn": OTHER_INN, "snils": SNILS}
    assert await second.refused("confirmAccount", **mended) == [("SNILS_TAKEN", "snils")]
    assert await second.told("confirmAccount", **mended) == [
        "This SNILS is another person's. If it is yours, sign in to the account that you had,"
        " or come to a service centre with your passport."
    ]
    await second.does("confirmAccount", **{**mended, "snils": OTHER_SNILS})


async def test_of_two_who_confirm_with_one_snils_at_once_one_does(hospital: Hospital) -> None:
    people = [
        (await newcomer(hospital), PHONE),
        (await newcomer(hospital, OTHER_PHONE, inn=OTHER_INN), OTHER_PHONE),
    ]
    given = [await asked(hospital, person, phone) for person, phone in people]
    payloads = await asyncio.gather(
        *(
            person.tries("confirmAccount", **one, snils=SNILS)
            for (person, _), one in zip(people, given, strict=True)
        )
    )
    codes = sorted([problem["code"] for problem in payload["errors"]] for payload in payloads)
    assert codes == [[], ["SNILS_TAKEN"]]
    assert await Account.filter(confirmed_at__isnull=False).count() == 1


async def test_the_registry_s_own_worker_confirms_with_the_registry_s_snils(
    hospital: Hospital,
) -> None:
    doctor = await worker(hospital, snils=SNILS)
    given = await asked(hospital, doctor)
    assert await doctor.refused("confirmAccount", **given, snils=OTHER_SNILS) == [
        ("SNILS_MISMATCH", "snils")
    ]
    await doctor.does("confirmAccount", **given, snils=SNILS)


async def numbers_of(hospital: Hospital, person: Caller) -> tuple[str | None, str | None]:
    """The SNILS that is bound to somebody's account, and the INN that is."""
    identity = await Identity.get(account_id=person.account_id)
    gate = hospital.api.services.gate
    snils = number_of(gate, identity, "snils") if identity.snils_hash else None
    return snils, number_of(gate, identity, "inn") if identity.inn_hash else None


async def test_the_registry_s_own_worker_confirms_with_the_registry_s_inn(
    hospital: Hospital,
) -> None:
    # Another was claimed at registering; the personnel department may have mended the file since.
    doctor = await worker(hospital, inn=OTHER_INN)
    given = await asked(hospital, doctor)
    assert await doctor.refused("confirmAccount", **given, snils=SNILS) == [("INN_MISMATCH", "inn")]
    (told,) = await doctor.told("confirmAccount", language="ru", **given, snils=SNILS, inn=INN)
    assert told.startswith("В реестре персонала у вас другой ИНН")
    await doctor.does("confirmAccount", **given, snils=SNILS, inn=OTHER_INN)
    identity = await Identity.get(account_id=doctor.account_id)
    assert number_of(hospital.api.services.gate, identity, "inn") == OTHER_INN


@pytest.mark.parametrize(
    "values",
    [
        {"last_name": "Сорокина", "first_name": "Вера"},
        {"last_name": "Ёлкина", "first_name": "Анна", "birth_date": date(1972, 1, 29)},
        {"last_name": "Ёлкина", "first_name": "Анна", "attached": True},
    ],
)
async def test_what_the_registry_knows_to_be_another_s_is_not_stated(
    hospital: Hospital, values: dict[str, Any]
) -> None:
    if values.pop("attached", False):
        values["account"] = await make.account(hospital.organisation)
    await make.practitioner(hospital.therapy, snils=SNILS, inn=INN, **values)
    person = await newcomer(hospital)
    given = await asked(hospital, person)
    taken = [("SNILS_TAKEN", "snils")]
    assert await person.refused("confirmAccount", **given, snils=SNILS, inn=OTHER_INN) == taken
    assert await person.refused("confirmAccount", **given, snils=OTHER_SNILS) == [
        ("INN_TAKEN", "inn")
    ]
    await person.does("confirmAccount", **given, snils=OTHER_SNILS, inn=OTHER_INN)


async def test_one_s_own_number_in_the_registry_is_stated(hospital: Hospital) -> None:
    await make.practitioner(
        hospital.therapy, last_name="ЕЛКИНА", first_name="Анна", snils=SNILS, inn=INN
    )
    person = await newcomer(hospital)
    await person.does("confirmAccount", **await asked(hospital, person), snils=SNILS)
    assert await numbers_of(hospital, person) == (SNILS, INN)


async def in_person(hospital: Hospital, person: Caller, **values: Any) -> list[Any]:
    """How an operator is refused who confirms somebody with the passport in their hands."""
    operator = await hospital.staff(Role.OPERATOR)
    assert person.account is not None
    given = {"publicId": person.account.public_id, "document": PASSPORT, "reason": REASON}
    return await operator.refused("confirmInPerson", **given, **values)


async def test_a_visit_takes_the_numbers_from_who_only_stated_them(hospital: Hospital) -> None:
    stranger = await newcomer(hospital)
    await stranger.does("confirmAccount", **await asked(hospital, stranger), snils=SNILS)
    # The form does not keep the owner out either.
    owner = await newcomer(hospital, OTHER_PHONE)
    given = await asked(hospital, owner, OTHER_PHONE)
    assert await owner.refused("confirmAccount", **given, snils=SNILS) == [("INN_TAKEN", "inn")]

    assert await in_person(hospital, owner, snils=SNILS, inn=INN) == []

    assert await numbers_of(hospital, owner) == (SNILS, INN)
    assert await numbers_of(hospital, stranger) == (None, None)
    account = await Account.get(id=stranger.account_id)
    assert not account.confirmed_at and not account.confirmed_by
    assert (await stranger.answer(LICENCES)).status == 401
    entries = await AuditEntry.filter(action="NUMBER_TAKEN_OVER", subject_id=account.id)
    assert sorted(entry.details["number"] for entry in entries) == ["inn", "snils"]
    told = [text for text in await outbox(hospital, PHONE) if "Another person has proved" in text]
    assert len(told) == 2
    # Who has come in person keeps them.
    third = await newcomer(hospital, "+79261234569", inn=OTHER_INN)
    assert await in_person(hospital, third, snils=SNILS) == [("SNILS_TAKEN", "snils")]
    assert await in_person(hospital, third, snils=OTHER_SNILS, inn=INN) == [("INN_TAKEN", "inn")]


async def test_a_file_that_is_attached_takes_the_number_from_who_only_stated_it(
    hospital: Hospital,
) -> None:
    stranger = await newcomer(hospital, OTHER_PHONE, inn=OTHER_INN)
    given = await asked(hospital, stranger, OTHER_PHONE)
    await stranger.does("confirmAccount", **given, snils=SNILS)
    doctor = await worker(hospital, snils=SNILS)
    await doctor.does("confirmAccount", **await asked(hospital, doctor), snils=SNILS)
    assert await numbers_of(hospital, doctor) == (SNILS, INN)
    assert await numbers_of(hospital, stranger) == (None, OTHER_INN)


async def test_a_visit_does_not_take_what_a_worker_s_file_says(hospital: Hospital) -> None:
    await hospital.doctor(snils=SNILS)
    person = await newcomer(hospital)
    assert await in_person(hospital, person, snils=SNILS) == [("SNILS_TAKEN", "snils")]


async def test_a_visit_proves_what_the_owner_only_stated(hospital: Hospital) -> None:
    person = await newcomer(hospital)
    await person.does("confirmAccount", **await asked(hospital, person), snils=SNILS)
    # The INN was claimed in the form, and the operator has not seen it.
    assert await in_person(hospital, person, snils=SNILS) == []
    assert await numbers_of(hospital, person) == (SNILS, None)
    assert (await Account.get(id=person.account_id)).confirmed_by is ConfirmedBy.VISIT
    assert await in_person(hospital, person, snils=SNILS) == [("ALREADY_CONFIRMED", None)]


async def test_of_two_who_prove_one_number_at_once_one_has_it(hospital: Hospital) -> None:
    stranger = await newcomer(hospital, inn=OTHER_INN)
    await stranger.does("confirmAccount", **await asked(hospital, stranger), snils=SNILS)
    people = [await newcomer(hospital, f"+7926123450{number}") for number in range(2)]
    refusals = await asyncio.gather(
        *(in_person(hospital, person, snils=SNILS) for person in people)
    )
    assert sorted(refusals) == [[], [("SNILS_TAKEN", "snils")]]
    assert (
        await Account.filter(confirmed_at__isnull=False, identity__snils_hash__isnull=False).count()
        == 1
    )


async def test_a_snils_is_asked_after_ten_times_an_hour(hospital: Hospital) -> None:
    person = await newcomer(hospital)
    given = await asked(hospital, person)
    for _ in range(10):
        await person.tries("confirmAccount", **given, snils="1")
    assert await person.refused("confirmAccount", **given, snils=SNILS) == [
        ("TOO_MANY_ATTEMPTS", None)
    ]


async def test_an_operator_confirms_a_visitor_by_the_passport(hospital: Hospital) -> None:
    person = await newcomer(hospital)
    operator = await hospital.staff(Role.OPERATOR)
    assert person.account is not None
    public_id = person.account.public_id
    shown = "found { publicId state confirmedAt lastName firstName patronymic birthDate phone }"
    for given in (
        {"phone": "8 926 123 45 67"},
        {"document": "4510123456"},
        {"publicId": public_id.lower()},
        {"publicId": f"{public_id.replace('-', ' ').replace('0', 'O').replace('1', 'l')} "},
    ):
        found = (await operator.does("findAccount", shown, **given))["found"]
        assert found == [
            {
                "publicId": public_id,
                "state": "ACTIVE",
                "confirmedAt": None,
                "lastName": "Ёлкина",
                "firstName": "Анна",
                "patronymic": "Сергеевна",
                "birthDate": "••••-••-12",
                "phone": "+•••••••4567",
            }
        ]

    stated = {"publicId": public_id.replace("-", " "), "snils": SNILS, "reason": REASON}
    wrong = {"publicId": "", "snils": "1", "reason": "ок", "document": "4510"}
    assert await operator.refused("confirmInPerson", **wrong) == [
        ("PASSPORT_FORMAT", "document"),
        ("REQUIRED", "publicId"),
        ("SNILS_FORMAT", "snils"),
        ("REASON_REQUIRED", "reason"),
    ]
    assert await operator.refused("confirmInPerson", **stated, document="4510 123457") == [
        ("DOCUMENT_MISMATCH", "document")
    ]
    payload = await operator.does(
        "confirmInPerson",
        "found { publicId confirmedAt confirmedBy }",
        **stated,
        document=PASSPORT,
    )
    assert payload["found"]["confirmedAt"] is not None
    assert payload["found"]["confirmedBy"] == "VISIT"
    entry = await AuditEntry.get(action="ACCOUNT_CONFIRMED")
    assert operator.account is not None
    assert (entry.account_id, entry.subject_id) == (operator.account_id, person.account_id)
    assert entry.details == {"way": "VISIT", "reason": REASON}
    refused = await AuditEntry.get(action="CONFIRMATION_REFUSED")
    assert refused.details == {"reason": "DOCUMENT_MISMATCH", "account": public_id}
    seen = await person.sees("{ viewer { account { confirmedAt } } }")
    assert seen["viewer"]["account"]["confirmedAt"] == payload["found"]["confirmedAt"]
    assert await operator.refused("confirmInPerson", **stated, document=PASSPORT) == [
        ("ALREADY_CONFIRMED", None)
    ]


async def test_who_is_confirmed_in_person_is_told_by_each_contact(hospital: Hospital) -> None:
    """The SNILS that an operator typed takes the place of the stated one, and opens the account."""
    person = await confirmed_newcomer(hospital)
    assert person.account is not None
    await Account.filter(id=person.account_id).update(email="anna@example.org", language="en")

    assert await in_person(hospital, person, snils=OTHER_SNILS) == []

    for contact in (PHONE, "anna@example.org"):
        told = (await outbox(hospital, contact))[-1]
        assert f"has confirmed your cabinet {person.account.public_id} with a SNILS" in told


async def test_an_operator_finds_by_exactly_one_thing_and_only_whom_they_may(
    hospital: Hospital,
) -> None:
    operator = await hospital.staff(Role.OPERATOR)
    elsewhere = await make.account(await make.organisation(), phone=PHONE)
    for given, problem in (
        ({}, ("EXACTLY_ONE", "publicId")),
        ({"phone": PHONE, "document": PASSPORT}, ("EXACTLY_ONE", "publicId")),
        ({"phone": PHONE}, ("NOT_FOUND", "phone")),
        ({"publicId": elsewhere.public_id}, ("NOT_FOUND", "publicId")),
        ({"phone": "12"}, ("PHONE_INVALID", "phone")),
    ):
        assert await operator.refused("findAccount", **given) == [problem]
    stated = {"snils": SNILS, "reason": REASON, "document": PASSPORT}
    assert await operator.refused("confirmInPerson", publicId=elsewhere.public_id, **stated) == [
        ("NOT_FOUND", "publicId")
    ]
    assert operator.account is not None
    own = operator.account.public_id
    assert await operator.refused("confirmInPerson", publicId=own, **stated) == [
        ("SELF_APPROVAL", "publicId")
    ]


async def test_an_operator_of_a_department_finds_nobody_of_another(hospital: Hospital) -> None:
    doctor, citizen = await hospital.doctor(hospital.therapy), await newcomer(hospital)
    nobodys = await hospital.staff(Role.ADMIN)
    here = await hospital.staff(Role.OPERATOR, department=hospital.therapy)
    elsewhere = await hospital.staff(Role.OPERATOR, department=hospital.surgery)
    numbers = [it.account.public_id for it in (doctor, citizen, nobodys) if it.account is not None]
    found = {}
    for operator in (here, elsewhere):
        refusals = [await operator.refused("findAccount", publicId=number) for number in numbers]
        found[operator.account_id] = [refusal == [] for refusal in refusals]
    assert found[here.account_id] == [True, True, False]
    assert found[elsewhere.account_id] == [False, True, False]

    given = {"publicId": numbers[0], "document": PASSPORT}
    refused = [("NOT_FOUND", "publicId")]
    stated = {**given, "snils": SNILS, "reason": REASON}
    # What they do not reach they use up for nobody.
    for _ in range(6):
        assert await elsewhere.refused("confirmInPerson", **stated) == refused
        assert await elsewhere.refused("beginContactReplacement", **given, contact=PHONE) == refused
    assert await here.refused("confirmInPerson", **stated) == [("ALREADY_CONFIRMED", None)]


async def test_a_passport_is_not_guessed_at_the_desk(hospital: Hospital) -> None:
    person = await newcomer(hospital)
    operator = await hospital.staff(Role.OPERATOR)
    assert person.account is not None
    stated = {"publicId": person.account.public_id, "snils": SNILS, "reason": REASON}
    for number in range(5):
        await operator.tries("confirmInPerson", **stated, document=f"4510 00000{number}")
    assert await operator.refused("confirmInPerson", **stated, document=PASSPORT) == [
        ("TOO_MANY_ATTEMPTS", None)
    ]


@pytest.mark.any_database
async def test_only_operators_confirm_others(hospital: Hospital) -> None:
    admin = await hospital.admin()
    await admin.unknown('mutation { findAccount(phone: "1") { errors { code } } }')

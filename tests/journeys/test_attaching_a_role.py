"""Journey 2: a worker of the registry attaches their role, by a number it knows and a code."""

import asyncio
from datetime import date
from typing import Any

import pytest

from core.clock import utc_now
from models.account import Account, AccountState
from models.audit import AuditEntry
from models.grant import RoleGrant
from models.licence import Licence, LicenceKind
from models.organisation import Department, Organisation
from models.practitioner import Practitioner, PractitionerStatus, Profession
from models.role import Role
from resolvers.demo import load_demo
from tests import factories as make
from tests.api import Api
from tests.journeys.hospital import Caller, Hospital
from tests.journeys.newcomers import (
    FORM,
    INN,
    OTHER_INN,
    OTHER_SNILS,
    PASSWORD,
    PHONE,
    SENT,
    SNILS,
    code_sent,
    confirmed_newcomer,
    newcomer,
    other_than,
    outbox,
)

LICENCE = "Л041-01021-66/00396056"
ACCREDITATION = "7723 012345678"
OTHER_PHONE = "+79261234568"
BORN = date(1985, 4, 12)
GONE_ON = "accessToken viewer { activeRole roles }"
WHO = "{ viewer { activeRole roles practitioner { lastName } } }"


async def registered(hospital: Hospital, **values: Any) -> Practitioner:
    """The file that an administrator's import made, with an accreditation and a licence."""
    file = await make.practitioner(
        hospital.therapy,
        **{
            "last_name": "ЕЛКИНА",
            "first_name": "Анна",
            "birth_date": BORN,
            "snils": SNILS,
            "personal_phone": PHONE,
            **values,
        },
    )
    await make.licence(file, kind=LicenceKind.ACCREDITATION, number=ACCREDITATION)
    await make.licence(file, kind=LicenceKind.MEDICAL_LICENCE, number=LICENCE, expires_on=None)
    return file


async def asked(
    hospital: Hospital, person: Caller, phone: str = PHONE, **number: Any
) -> dict[str, Any]:
    """What attaching takes: the handle, the code that came to a phone, and the number again."""
    payload = await person.does("requestRole", SENT, input=number)
    code = await code_sent(hospital, phone)
    return {"handle": payload["handle"], "code": code, "input": number}


async def test_a_doctor_attaches_the_role_by_licence_and_code(hospital: Hospital) -> None:
    file = await registered(hospital)
    person = await newcomer(hospital)
    assert (await person.sees("{ viewer { roles } }"))["viewer"]["roles"] == ["CITIZEN"]

    given = await asked(hospital, person, licenceNumber="л041-01021-66/00396056")
    assert (await outbox(hospital, PHONE))[-1].count("Your code to add a role")
    attached = await person.does("attachRole", GONE_ON, **given)

    assert attached["viewer"] == {"activeRole": "DOCTOR", "roles": ["DOCTOR"]}
    doctor = Caller(hospital.api, attached["accessToken"])
    for caller in (doctor, person):
        # The token from before goes on in the new role as well.
        assert (await caller.sees(WHO))["viewer"] == {
            "activeRole": "DOCTOR",
            "roles": ["DOCTOR"],
            "practitioner": {"lastName": "ЕЛКИНА"},
        }
    account = await Account.get(id=person.account_id)
    assert account.organisation_id == hospital.organisation.id
    assert (await Practitioner.get(id=file.id)).account_id == account.id
    grant = await RoleGrant.get(account_id=account.id)
    assert grant.holds_at(utc_now())
    assert (grant.department_id, grant.granted_by_id) == (None, None)
    entry = await AuditEntry.get(action="ROLE_ATTACHED")
    assert (entry.about_id, entry.details) == (
        file.id,
        {"by": "licence_number", "role": "DOCTOR"},
    )
    # What a role does not give is still missing: the account is not confirmed.
    assert (await doctor.answer("{ licences { totalCount } }")).codes == ["ACCOUNT_UNCONFIRMED"]
    assert await doctor.refused("requestRole", input={"snils": SNILS}) == [
        ("ALREADY_ATTACHED", None)
    ]


@pytest.mark.parametrize(
    "number",
    [
        {"accreditationNumber": "№ 7723 012345678"},
        {"accreditationNumber": "7723012345678"},
        {"accreditationNumber": "77 23-012345678"},
        {"snils": "112-233-445 95"},
    ],
)
async def test_a_nurse_attaches_the_role_by_what_is_their_own(
    hospital: Hospital, number: dict[str, str]
) -> None:
    await registered(hospital, profession=Profession.NURSE)
    person = await newcomer(hospital)
    given = await asked(hospital, person, **number)
    attached = await person.does("attachRole", GONE_ON, **given)
    assert attached["viewer"] == {"activeRole": "NURSE", "roles": ["NURSE"]}


async def test_the_number_and_the_code_are_told_wrong_at_once(hospital: Hospital) -> None:
    await registered(hospital)
    person = await newcomer(hospital)
    for number, problem in (
        ({"licenceNumber": "041-66"}, ("LICENCE_FORMAT", "input.licenceNumber")),
        ({"accreditationNumber": "12"}, ("LICENCE_FORMAT", "input.accreditationNumber")),
        ({"snils": "12"}, ("SNILS_FORMAT", "input.snils")),
        ({}, ("EXACTLY_ONE", "input.licenceNumber")),
        (
            {"licenceNumber": LICENCE, "snils": SNILS},
            ("EXACTLY_ONE", "input.snils"),
        ),
        (
            {"licenceNumber": "Л041-01021-66/00396057"},
            ("LICENCE_NOT_FOUND", "input.licenceNumber"),
        ),
        ({"snils": OTHER_SNILS}, ("NOT_IN_REGISTRY", "input.snils")),
    ):
        assert await person.refused("requestRole", input=number) == [problem]
    assert not any("add a role" in text for text in await outbox(hospital, PHONE))
    given = await asked(hospital, person, licenceNumber=LICENCE)
    wrong = {
        "handle": given["handle"],
        "code": other_than(given["code"]),
        "input": {"licenceNumber": "Л041-01021-66/00396057"},
    }
    assert await person.refused("attachRole", **wrong) == [
        ("CODE_INVALID", "code"),
        ("LICENCE_NOT_FOUND", "input.licenceNumber"),
    ]
    await person.does("attachRole", GONE_ON, **given)


@pytest.mark.parametrize(
    "values",
    [
        {"last_name": "Ёлкин"},
        {"first_name": "Инна"},
        {"birth_date": date(1985, 4, 13)},
        # A name alone is nobody.
        {"birth_date": None},
        {"birth_date": None, "snils": None},
        {"status": PractitionerStatus.DISMISSED},
        # Whatever else both know must agree.
        {"middle_name": "Петровна"},
        {"inn": OTHER_INN},
        {"passport": "4510 123457"},
    ],
)
async def test_somebody_else_s_number_is_as_unknown_as_none(
    hospital: Hospital, values: dict[str, Any]
) -> None:
    if passport := values.pop("passport", None):
        values["passport_sealed"] = hospital.api.services.vault.seal(passport)
    await registered(hospital, **values)
    person = await newcomer(hospital)
    told = [
        await person.tries("requestRole", input={"licenceNumber": number})
        for number in (LICENCE, "Л041-01021-66/00396057")
    ]
    assert told[0] == told[1]
    assert told[0]["errors"][0]["code"] == "LICENCE_NOT_FOUND"


async def test_a_renewed_passport_keeps_nobody_out_whose_inn_both_know(hospital: Hospital) -> None:
    old = hospital.api.services.vault.seal("4510 123457")
    await registered(hospital, passport_sealed=old, inn=INN)
    person = await newcomer(hospital)
    given = await asked(hospital, person, licenceNumber=LICENCE)
    await person.does("attachRole", GONE_ON, **given)


@pytest.mark.parametrize("number", [{"licenceNumber": LICENCE}, {"snils": SNILS}])
async def test_a_number_that_is_only_given_makes_up_for_no_passport(
    hospital: Hospital, number: dict[str, str]
) -> None:
    await registered(hospital, passport_sealed=hospital.api.services.vault.seal("4510 123457"))
    person = await newcomer(hospital)
    ((code, _),) = await person.refused("requestRole", input=number)
    assert code in ("LICENCE_NOT_FOUND", "NOT_IN_REGISTRY")


async def test_what_is_confirmed_must_agree_with_the_registry(hospital: Hospital) -> None:
    await registered(hospital, snils=OTHER_SNILS)
    person = await confirmed_newcomer(hospital)
    for number, code in (
        ({"licenceNumber": LICENCE}, "LICENCE_NOT_FOUND"),
        ({"snils": OTHER_SNILS}, "NOT_IN_REGISTRY"),
    ):
        refused = await person.refused("requestRole", input=number)
        assert [found for found, _ in refused] == [code]


async def test_a_confirmed_snils_makes_up_for_a_birth_date_the_registry_lacks(
    hospital: Hospital,
) -> None:
    await registered(hospital, birth_date=None)
    person = await confirmed_newcomer(hospital)
    given = await asked(hospital, person, licenceNumber=LICENCE)
    await person.does("attachRole", GONE_ON, **given)


@pytest.mark.parametrize(
    "values",
    [
        {"revoked_on": date(2025, 1, 1)},
        {"issued_on": date(2015, 1, 1), "expires_on": date(2020, 1, 1)},
    ],
)
async def test_a_licence_that_holds_no_more_attaches_nothing(
    hospital: Hospital, values: dict[str, Any]
) -> None:
    file = await make.practitioner(
        hospital.therapy, last_name="Ёлкина", first_name="Анна", birth_date=BORN
    )
    await make.licence(file, number=ACCREDITATION, **values)
    person = await newcomer(hospital)
    assert await person.refused("requestRole", input={"accreditationNumber": ACCREDITATION}) == [
        ("LICENCE_NOT_FOUND", "input.accreditationNumber")
    ]


async def test_several_files_are_not_chosen_from(hospital: Hospital) -> None:
    await registered(hospital, snils=None)
    await registered(hospital, snils=None)
    person = await newcomer(hospital)
    assert await person.refused("requestRole", input={"licenceNumber": LICENCE}) == [
        ("SEVERAL_FILES", "input.licenceNumber")
    ]


async def test_a_profession_without_a_role_attaches_nothing(hospital: Hospital) -> None:
    await registered(hospital, profession=Profession.OTHER)
    person = await newcomer(hospital)
    assert await person.refused("requestRole", input={"licenceNumber": LICENCE}) == [
        ("PROFESSION_UNKNOWN", None)
    ]


async def test_of_two_who_attach_one_file_at_once_one_does(hospital: Hospital) -> None:
    file = await registered(hospital, snils=None)
    people = [
        await newcomer(hospital),
        await newcomer(hospital, OTHER_PHONE, inn=OTHER_INN),
    ]
    given = [await asked(hospital, person, licenceNumber=LICENCE) for person in people]
    payloads = await asyncio.gather(
        *(person.tries("attachRole", **one) for person, one in zip(people, given, strict=True))
    )
    codes = sorted([problem["code"] for problem in payload["errors"]] for payload in payloads)
    assert codes == [[], ["LICENCE_NOT_FOUND"]]
    assert await RoleGrant.all().count() == 1
    holder = (await Practitioner.get(id=file.id)).account_id
    assert holder in {person.account_id for person in people}


async def test_one_code_attaches_once_however_many_come_at_once(hospital: Hospital) -> None:
    await registered(hospital)
    person = await newcomer(hospital)
    given = await asked(hospital, person, licenceNumber=LICENCE)
    payloads = await asyncio.gather(*(person.tries("attachRole", **given) for _ in range(5)))
    assert sum(payload["errors"] == [] for payload in payloads) == 1
    assert await RoleGrant.all().count() == 1


async def test_numbers_are_guessed_at_ten_times_an_hour(hospital: Hospital) -> None:
    await registered(hospital)
    person = await newcomer(hospital)
    for number in range(10):
        wrong = {"licenceNumber": f"Л041-01021-66/0039605{number}"}
        await person.tries("requestRole", input=wrong)
    assert await person.refused("requestRole", input={"licenceNumber": LICENCE}) == [
        ("TOO_MANY_ATTEMPTS", None)
    ]


async def test_asking_in_vain_closes_nothing_to_the_code_that_came(hospital: Hospital) -> None:
    await registered(hospital)
    person = await newcomer(hospital)
    given = await asked(hospital, person, licenceNumber=LICENCE)
    for _ in range(10):
        await person.tries("requestRole", input={"licenceNumber": LICENCE})
    assert await person.refused("requestRole", input={"licenceNumber": LICENCE}) == [
        ("TOO_MANY_ATTEMPTS", None)
    ]
    for _ in range(3):
        wrong = {**given, "code": other_than(given["code"])}
        assert await person.refused("attachRole", **wrong) == [("CODE_INVALID", "code")]
    assert await person.refused("attachRole", **given) == []


async def test_a_role_is_attached_in_ten_tries_an_hour(hospital: Hospital) -> None:
    await registered(hospital)
    person = await newcomer(hospital)
    given = await asked(hospital, person, licenceNumber=LICENCE)
    for number in range(10):
        wrong = {**given, "input": {"licenceNumber": f"Л041-01021-66/0039604{number}"}}
        assert await person.refused("attachRole", **wrong) == [
            ("LICENCE_NOT_FOUND", "input.licenceNumber")
        ]
    assert await person.refused("attachRole", **given) == [("TOO_MANY_ATTEMPTS", None)]


async def test_the_code_goes_to_the_telephone_that_the_registry_knows(hospital: Hospital) -> None:
    file = await registered(hospital, personal_phone=OTHER_PHONE)
    # Whoever knows a name, a birth date and a licence may have any telephone.
    person = await newcomer(hospital)
    shows = f"{SENT} sentTo"
    payload = await person.does("requestRole", shows, input={"licenceNumber": LICENCE})

    assert payload["sentTo"] == "+•••••••4568"
    assert not any("add a role" in text for text in await outbox(hospital, PHONE))
    (told,) = await outbox(hospital, OTHER_PHONE)
    assert told.endswith("gets your file in the staff registry: tell it to nobody.")
    given = {"handle": payload["handle"], "input": {"licenceNumber": LICENCE}}
    code = await code_sent(hospital, OTHER_PHONE)
    assert await person.refused("attachRole", **given, code=other_than(code)) == [
        ("CODE_INVALID", "code")
    ]
    await person.does("attachRole", GONE_ON, **given, code=code)
    assert (await Practitioner.get(id=file.id)).account_id == person.account_id


@pytest.mark.parametrize("phone", [None, "+74957654321"])
async def test_without_a_telephone_in_the_registry_nobody_attaches(
    hospital: Hospital, phone: str | None
) -> None:
    """One to which no SMS comes is none."""
    await registered(hospital, personal_phone=phone, work_phone=OTHER_PHONE)
    person = await newcomer(hospital)
    given = {"input": {"licenceNumber": LICENCE}}
    assert await person.refused("requestRole", **given) == [("REGISTRY_CONTACT_MISSING", None)]
    (russian,) = await person.told("requestRole", language="ru", **given)
    assert russian == (
        "В вашей карточке в реестре персонала нет личного мобильного телефона:"
        " попросите кадровую службу его внести, код придёт на него."
    )


async def test_a_code_attaches_the_file_that_it_was_sent_about(hospital: Hospital) -> None:
    """Of a namesake with another telephone, the number of a licence is not enough."""
    await registered(hospital, snils=None)
    await registered(hospital, snils=OTHER_SNILS, personal_phone=OTHER_PHONE)
    await Licence.filter(practitioner__snils=OTHER_SNILS).update(number="7723 087654321")
    person = await newcomer(hospital)
    given = await asked(hospital, person, accreditationNumber=ACCREDITATION)
    assert await person.refused("attachRole", **{**given, "input": {"snils": OTHER_SNILS}}) == [
        ("CODE_EXPIRED", "code")
    ]
    await person.does("attachRole", GONE_ON, **given)


async def test_whoever_stands_in_the_registry_hears_of_it(hospital: Hospital) -> None:
    await registered(hospital, personal_phone=OTHER_PHONE, work_email="anna@hospital.example")
    person = await newcomer(hospital)
    given = await asked(hospital, person, OTHER_PHONE, licenceNumber=LICENCE)
    await person.does("attachRole", GONE_ON, **given)
    assert person.account is not None
    for contact in (OTHER_PHONE, "anna@hospital.example"):
        assert person.account.public_id in (await outbox(hospital, contact))[-1]


async def test_whose_account_does_not_say_who_they_are_says_so_first(hospital: Hospital) -> None:
    file = await registered(hospital)
    person = await hospital.staff(Role.ADMIN)
    wanted = {"input": {"licenceNumber": LICENCE}}
    assert await person.refused("requestRole", **wanted) == [("IDENTITY_MISSING", None)]
    names = ("lastName", "firstName", "patronymic", "birthDate", "passport", "inn")
    stated = {name: FORM[name] for name in names}
    wrong = {**stated, "lastName": " ", "birthDate": "2020-01-01", "inn": "1"}
    assert await person.refused("stateIdentity", input=wrong) == [
        ("REQUIRED", "input.lastName"),
        ("UNDER_AGE", "input.birthDate"),
        ("INN_FORMAT", "input.inn"),
    ]
    await person.does("stateIdentity", "account { id }", input=stated)

    given = await asked(hospital, person, licenceNumber=LICENCE)
    attached = await person.does("attachRole", GONE_ON, **given)
    assert attached["viewer"] == {"activeRole": "DOCTOR", "roles": ["DOCTOR", "ADMIN"]}
    assert (await Practitioner.get(id=file.id)).account_id == person.account_id
    # Of a worker of the registry the registry says it.
    doctor = await hospital.doctor()
    assert await doctor.refused("stateIdentity", input=stated) == [("ALREADY_ATTACHED", None)]


async def test_an_invitation_that_nobody_took_up_keeps_its_worker_from_nothing(
    hospital: Hospital,
) -> None:
    file, admin = await registered(hospital), await hospital.admin()
    shows = "code account { id }"
    invited = await admin.does("invite", shows, practitionerId=str(file.id), role="NURSE")
    # Whoever registers by themselves may be told the registry's SNILS, and attach the file.
    person = await confirmed_newcomer(hospital)
    given = await asked(hospital, person, snils=SNILS)
    attached = await person.does("attachRole", GONE_ON, **given)

    assert attached["viewer"] == {"activeRole": "DOCTOR", "roles": ["DOCTOR"]}
    assert (await Practitioner.get(id=file.id)).account_id == person.account_id
    waiting = await Account.get(id=invited["account"]["id"])
    assert waiting.state is AccountState.CLOSED
    assert await RoleGrant.filter(account_id=waiting.id, revoked_at__isnull=True).count() == 0
    assert (await AuditEntry.get(action="INVITATION_SUPERSEDED")).about_id == file.id
    begun = {"code": invited["code"], "contact": OTHER_PHONE}
    assert await hospital.visitor().refused("beginInvitation", **begun) == [
        ("INVITATION_INVALID", "code")
    ]
    assert await admin.refused("invite", practitionerId=str(file.id), role="NURSE") == [
        ("ACCOUNT_EXISTS", "practitionerId")
    ]


async def test_of_who_accepts_an_invitation_and_who_attaches_its_file_at_once_one_does(
    hospital: Hospital,
) -> None:
    file, admin, visitor = await registered(hospital), await hospital.admin(), hospital.visitor()
    invited = await admin.does("invite", "code", practitionerId=str(file.id), role="DOCTOR")
    person = await newcomer(hospital)
    given = await asked(hospital, person, snils=SNILS)
    code = invited["code"]
    begun = await visitor.does("beginInvitation", "handle", code=code, contact=OTHER_PHONE)
    contact_code = await code_sent(hospital, OTHER_PHONE)
    accepting = {"code": code, "handle": begun["handle"], "contactCode": contact_code}

    payloads = await asyncio.gather(
        person.tries("attachRole", **given),
        visitor.tries("acceptInvitation", **accepting, password=PASSWORD),
    )

    assert sum(payload["errors"] == [] for payload in payloads) == 1
    holder = await Account.get(practitioner__id=file.id)
    assert holder.state is AccountState.ACTIVE
    roles = await RoleGrant.filter(revoked_at__isnull=True, role=Role.DOCTOR)
    assert [grant.account_id for grant in roles] == [holder.id]


async def test_a_file_that_is_closed_meanwhile_is_attached_to_nobody(hospital: Hospital) -> None:
    file, admin = await registered(hospital), await hospital.admin()
    person = await newcomer(hospital)
    given = await asked(hospital, person, snils=SNILS)
    await asyncio.gather(
        person.tries("attachRole", **given),
        admin.does("dismissPractitioner", id=str(file.id), version=1),
    )
    grants = RoleGrant.filter(account_id=person.account_id, revoked_at__isnull=True)
    assert await grants.count() == 0


async def test_the_demo_s_citizen_attaches_the_file_that_waits(api: Api) -> None:
    async def hashed(_password: str) -> str:
        return ""

    accounts = await load_demo(gate=api.services.gate, now=utc_now(), hash_password=hashed)
    login = next(account for account in accounts if account.login.startswith("citizen@"))
    account = await Account.get(email=login.login)
    person = Caller(api, await api.token(account, Role.CITIZEN), account)
    organisation = await Organisation.get()
    hospital = Hospital(api, organisation, *await Department.all().order_by("code").limit(2))
    given = await asked(hospital, person, login.phone, licenceNumber="Л041-01137-77/00370417")
    attached = await person.does("attachRole", GONE_ON, **given)
    assert attached["viewer"] == {"activeRole": "DOCTOR", "roles": ["DOCTOR"]}

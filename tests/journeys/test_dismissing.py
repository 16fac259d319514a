"""Workers who are dismissed keep no role, and go on elsewhere, or come back."""

import asyncio
from typing import Any

import pytest

from core.clock import utc_now
from models.account import Account, ConfirmedBy, Invitation
from models.audit import AuditEntry
from models.grant import RoleGrant
from models.practitioner import Practitioner, PractitionerStatus
from models.role import Role
from tests import factories as make
from tests.journeys.hospital import Caller, Hospital
from tests.journeys.newcomers import (
    FORM,
    OTHER_SNILS,
    PASSWORD,
    PHONE,
    SNILS,
    code_sent,
    later,
    newcomer,
    outbox,
)
from tests.journeys.test_attaching_a_role import BORN, GONE_ON, asked, registered

INVITED = "code account { id }"


async def dismisses(admin: Caller, file_id: Any, version: int = 1) -> None:
    await admin.does("dismissPractitioner", "practitioner { id }", id=file_id, version=version)


async def accepting(hospital: Hospital, code: str) -> dict[str, Any]:
    """What accepts an invitation, with the code that came to the contact."""
    begun = await hospital.visitor().does("beginInvitation", "handle", code=code, contact=PHONE)
    given = {"handle": begun["handle"], "contactCode": await code_sent(hospital, PHONE)}
    return {"code": code, "password": PASSWORD, **given}


async def living(account_id: Any) -> list[Role]:
    """The roles that an account has now."""
    grants = await RoleGrant.filter(account_id=account_id, revoked_at__isnull=True)
    return [grant.role for grant in grants]


async def test_whoever_was_dismissed_is_neither_invited_nor_given_a_clinical_role(
    hospital: Hospital,
) -> None:
    admin, doctor = await hospital.admin(), await hospital.doctor()
    await dismisses(admin, doctor.file_id)

    for role in ("DOCTOR", "NURSE"):
        assert await admin.refused("invite", practitionerId=doctor.file_id, role=role) == [
            ("PRACTITIONER_DISMISSED", "practitionerId")
        ]
        assert await admin.refused("grantRole", accountId=doctor.account_id, role=role) == [
            ("PRACTITIONER_DISMISSED", "accountId")
        ]
    # Who oversees need not be of the staff.
    await admin.does("grantRole", accountId=doctor.account_id, role="INSPECTOR")
    assert await living(doctor.account_id) == [Role.INSPECTOR]


async def test_whoever_is_dismissed_administers_and_oversees_no_more(hospital: Hospital) -> None:
    admin = await hospital.admin()
    leaving = await hospital.staff(Role.ADMIN, Role.OPERATOR, Role.INSPECTOR)
    file = await make.practitioner(hospital.therapy, account=leaving.account)

    await dismisses(admin, file.id)

    assert await living(leaving.account_id) == []
    answer = await leaving.answer("{ practitioners { totalCount } }")
    assert (answer.status, answer.codes) == (403, ["ROLE_NOT_HELD"])


async def test_the_last_administrator_is_not_dismissed(hospital: Hospital) -> None:
    last = await hospital.admin()
    file = await make.practitioner(hospital.therapy, account=last.account)
    given = {"id": file.id, "version": 1}
    assert await last.refused("dismissPractitioner", **given) == [("LAST_ADMIN", "id")]


async def test_who_is_limited_to_a_department_ends_no_role_of_more(hospital: Hospital) -> None:
    manager, head = await hospital.manager(hospital.therapy), await hospital.admin()
    await make.grant(await hospital.account(), Role.ADMIN, hospital.organisation)
    file = await make.practitioner(hospital.therapy, account=head.account)
    assert head.account is not None
    for role, ward in ((Role.DOCTOR, None), (Role.INSPECTOR, hospital.therapy)):
        await make.grant(head.account, role, hospital.organisation, department=ward)

    await dismisses(manager, file.id)

    assert await living(head.account_id) == [Role.ADMIN]


async def test_an_invitation_from_before_a_dismissal_opens_nothing(hospital: Hospital) -> None:
    admin, file = await hospital.admin(), await registered(hospital)
    invited = await admin.does("invite", INVITED, practitionerId=file.id, role="DOCTOR")
    given = await accepting(hospital, invited["code"])

    await dismisses(admin, file.id)

    visitor = hospital.visitor()
    refused = await visitor.refused("beginInvitation", code=invited["code"], contact=PHONE)
    assert refused == [("INVITATION_INVALID", "code")]
    assert ("INVITATION_INVALID", "code") in await visitor.refused("acceptInvitation", **given)
    assert await living(invited["account"]["id"]) == []


async def test_a_role_that_is_granted_during_a_dismissal_is_revoked_with_it(
    hospital: Hospital,
) -> None:
    admin, other = await hospital.admin(), await hospital.admin()
    for _ in range(5):
        account = await make.account(hospital.organisation)
        file = await make.practitioner(hospital.therapy, account=account)
        await asyncio.gather(
            other.tries("grantRole", accountId=account.id, role="DOCTOR"),
            dismisses(admin, file.id),
        )
        assert await living(account.id) == []


async def test_an_invitation_that_is_accepted_during_a_dismissal_gives_no_role(
    hospital: Hospital,
) -> None:
    admin, file = await hospital.admin(), await registered(hospital)
    invited = await admin.does("invite", INVITED, practitionerId=file.id, role="DOCTOR")
    given = await accepting(hospital, invited["code"])

    await asyncio.gather(
        hospital.visitor().tries("acceptInvitation", **given), dismisses(admin, file.id)
    )

    assert await living(invited["account"]["id"]) == []
    assert await Invitation.filter(used_at__isnull=True).count() == 0
    assert await Account.filter(id=invited["account"]["id"]).count() == 1


WORK_PHONE = "+74957654321"


async def left(hospital: Hospital, **values: Any) -> tuple[Caller, Practitioner]:
    """Somebody who had attached their file, and was dismissed; and that file."""
    file = await registered(hospital, **values)
    person = await newcomer(hospital)
    attached = await person.does(
        "attachRole", GONE_ON, **await asked(hospital, person, snils=SNILS)
    )
    assert attached["viewer"]["activeRole"] == "DOCTOR"
    await dismisses(await hospital.admin(), file.id)
    assert person.account is not None
    person.token = await hospital.api.token(person.account, Role.CITIZEN)
    return person, file


async def administers(hospital: Hospital, person: Caller) -> None:
    assert person.account is not None
    await make.grant(person.account, Role.ADMIN, hospital.organisation)
    person.token = await hospital.api.token(person.account, Role.ADMIN)


async def hired_elsewhere(**values: Any) -> Practitioner:
    """The file of the same person in another organisation."""
    ward = await make.department(await make.organisation(name="Городская больница № 2"))
    names = {"last_name": "Ёлкина", "first_name": "Анна", "birth_date": BORN}
    kept = {"snils": SNILS, "personal_phone": PHONE}
    return await make.practitioner(ward, **{**names, **kept, **values})


async def test_whoever_changes_jobs_attaches_the_role_of_the_new_one(hospital: Hospital) -> None:
    person, old = await left(hospital, work_phone=WORK_PHONE, personal_email="anna@example.org")
    account = await Account.get(id=person.account_id)
    # What the old organisation gave beside: it is not kept in another's.
    await administers(hospital, person)
    await Account.filter(id=account.id).update(confirmed_by=ConfirmedBy.INVITATION)
    new = await hired_elsewhere()

    attached = await person.does(
        "attachRole", GONE_ON, **await asked(hospital, person, snils=SNILS)
    )

    assert attached["viewer"] == {"activeRole": "DOCTOR", "roles": ["DOCTOR"]}
    account = await Account.get(id=person.account_id)
    assert account.organisation_id == new.organisation_id
    assert [account.confirmed_at, account.confirmed_by] == [None, None]
    assert (await Practitioner.get(id=new.id)).account_id == account.id
    old = await Practitioner.get(id=old.id)
    assert (old.account_id, old.status) == (None, PractitionerStatus.DISMISSED)
    entry = await AuditEntry.get(action="ACCOUNT_DETACHED")
    assert (entry.about_id, entry.organisation_id) == (old.id, hospital.organisation.id)
    assert entry.details == {"account": account.public_id, "emptied": []}
    told = (await outbox(hospital, "anna@example.org"))[-1]
    assert "больше не связана с вашей карточкой" in told


async def test_who_oversees_after_a_dismissal_attaches_the_role_of_a_new_job(
    hospital: Hospital,
) -> None:
    """Whatever is granted to them meanwhile, a citizen is no role beside it."""
    person, _ = await left(hospital)
    await hired_elsewhere()
    assert person.account is not None
    for role in (Role.INSPECTOR, Role.OPERATOR, Role.ANALYST):
        await make.grant(person.account, role, hospital.organisation)
    for role in (Role.INSPECTOR, Role.OPERATOR, Role.ANALYST):
        person.token = await hospital.api.token(person.account, role)
        await person.does("requestRole", "handle", input={"snils": SNILS})
        await later(10)

    given = await asked(hospital, person, snils=SNILS)
    attached = await person.does("attachRole", GONE_ON, **given)
    assert attached["viewer"] == {"activeRole": "DOCTOR", "roles": ["DOCTOR"]}


async def test_who_was_invited_to_the_old_job_says_whose_the_account_is(
    hospital: Hospital,
) -> None:
    doctor, admin = await hospital.doctor(), await hospital.admin()
    await dismisses(admin, doctor.file_id)
    await hired_elsewhere()
    assert doctor.account is not None
    doctor.token = await hospital.api.token(doctor.account, Role.CITIZEN)
    names = ("lastName", "firstName", "patronymic", "birthDate", "passport", "inn")
    stated = {name: FORM[name] for name in names}
    await doctor.does("stateIdentity", "account { id }", input=stated)
    await doctor.does("attachRole", GONE_ON, **await asked(hospital, doctor, snils=SNILS))


async def test_the_last_administrator_of_the_old_place_stays(hospital: Hospital) -> None:
    person, old = await left(hospital)
    await RoleGrant.filter(role=Role.ADMIN).delete()
    await administers(hospital, person)
    new = await hired_elsewhere()
    given = await asked(hospital, person, snils=SNILS)
    assert await person.refused("attachRole", **given) == [("LAST_ADMIN", "id")]
    assert (await Practitioner.get(id=new.id)).account_id is None
    assert (await Practitioner.get(id=old.id)).account_id == person.account_id


async def test_a_worker_who_comes_back_is_reinstated(hospital: Hospital) -> None:
    admin, doctor = await hospital.admin(), await hospital.doctor(birth_date=BORN, snils=SNILS)
    shows = "practitioner { status version }"
    known = {"id": doctor.file_id, "version": 1}
    assert await admin.refused("reinstatePractitioner", **known) == [("NOT_DISMISSED", "id")]
    await dismisses(admin, doctor.file_id)
    assert await admin.refused("reinstatePractitioner", **known) == [("CONFLICT", "version")]
    known["version"] = 2

    back = await admin.does("reinstatePractitioner", shows, **known, reason="Вернулась")

    assert back["practitioner"] == {"status": "ACTIVE", "version": 3}
    entry = await AuditEntry.get(action="PRACTITIONER_REINSTATED")
    assert (entry.about_id, entry.details) == (doctor.file_id, {"reason": "Вернулась"})
    # Roles are given anew.
    assert await living(doctor.account_id) == []
    await admin.does("grantRole", accountId=doctor.account_id, role="DOCTOR")
    assert await living(doctor.account_id) == [Role.DOCTOR]


async def test_a_file_that_was_left_is_attached_again_after_coming_back(
    hospital: Hospital,
) -> None:
    person, old = await left(hospital)
    account = await Account.get(id=person.account_id)
    await Practitioner.filter(id=old.id).update(account_id=None)
    await Account.filter(id=account.id).update(organisation_id=None)
    assert await person.refused("requestRole", input={"snils": SNILS}) == [
        ("NOT_IN_REGISTRY", "input.snils")
    ]
    admin = await hospital.admin()
    await admin.does("reinstatePractitioner", id=old.id, version=2)
    attached = await person.does(
        "attachRole", GONE_ON, **await asked(hospital, person, snils=SNILS)
    )
    assert attached["viewer"]["activeRole"] == "DOCTOR"


async def test_whose_data_are_missing_comes_back_incomplete(hospital: Hospital) -> None:
    admin, doctor = await hospital.admin(), await hospital.doctor(snils=OTHER_SNILS)
    await dismisses(admin, doctor.file_id)
    known = {"id": doctor.file_id, "version": 2}
    back = await admin.does("reinstatePractitioner", "practitioner { status }", **known)
    assert back["practitioner"] == {"status": "INCOMPLETE"}


async def test_a_file_that_is_opened_again_meanwhile_is_not_left(hospital: Hospital) -> None:
    person, old = await left(hospital)
    await hired_elsewhere()
    given = await asked(hospital, person, snils=SNILS)
    admin = await hospital.admin()
    attached, _ = await asyncio.gather(
        person.tries("attachRole", **given),
        admin.tries("reinstatePractitioner", id=old.id, version=2),
    )
    file = await Practitioner.get(id=old.id)
    assert (file.account_id is None) == (attached["errors"] == [])
    assert await Practitioner.filter(account_id=person.account_id).count() == 1


@pytest.mark.any_database
async def test_an_administrator_does_not_come_back_by_their_own_decision(
    hospital: Hospital,
) -> None:
    own = await hospital.staff(Role.ADMIN)
    file = await make.practitioner(hospital.therapy, account=own.account)
    other = await hospital.admin()
    await dismisses(other, file.id)
    # Administering needs no open file.
    await other.does("grantRole", accountId=own.account_id, role="ADMIN")

    given = {"id": file.id, "version": 2}
    assert await own.refused("reinstatePractitioner", **given) == [("SELF_APPROVAL", "id")]
    assert (await Practitioner.get(id=file.id)).status is PractitionerStatus.DISMISSED
    # Where there is no other, a small clinic must not stand still.
    await RoleGrant.filter(account_id=other.account_id).update(revoked_at=utc_now())
    await own.does("reinstatePractitioner", **given)
    entry = await AuditEntry.get(action="PRACTITIONER_REINSTATED")
    assert entry.details["only_administrator"] is True


async def test_only_administrators_reinstate(hospital: Hospital) -> None:
    operator = await hospital.staff(Role.OPERATOR)
    await operator.unknown(
        'mutation { reinstatePractitioner(id: "1", version: 1) { errors { code } } }'
    )

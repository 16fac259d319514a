"""Workers who are dismissed: nothing clinical is left to them, whatever comes at once."""

import asyncio
from typing import Any

from models.account import Account, Invitation
from models.grant import RoleGrant
from models.role import Role
from tests import factories as make
from tests.journeys.hospital import Caller, Hospital
from tests.journeys.newcomers import PASSWORD, PHONE, code_sent
from tests.journeys.test_attaching_a_role import registered

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

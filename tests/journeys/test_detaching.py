"""A file that the wrong account holds: an administrator detaches it, and its owner has it."""

from typing import Any

import pytest

from models.account import Account, AccountState, ConfirmedBy, Session
from models.audit import AuditEntry
from models.grant import RoleGrant
from models.identity import ExternalIdentity, Identity, Provider
from models.practitioner import Practitioner
from models.role import Role
from tests import factories as make
from tests.journeys.hospital import Caller, Hospital, coming
from tests.journeys.newcomers import (
    OTHER_INN,
    PHONE,
    SNILS,
    code_sent,
    confirmed_newcomer,
    later,
    newcomer,
    outbox,
)
from tests.journeys.test_attaching_a_role import GONE_ON, OTHER_PHONE, asked, registered

REASON = "Карточку добавил посторонний человек"


def of(person: Caller, **values: Any) -> dict[str, Any]:
    return {"id": str(person.file_id), "version": 1, "reason": REASON, **values}


async def test_a_file_goes_back_to_its_owner(hospital: Hospital) -> None:
    file = await registered(hospital)
    stranger = await hospital.staff(Role.DOCTOR, Role.OPERATOR)
    await Account.filter(id=stranger.account_id).update(confirmed_by=ConfirmedBy.INVITATION)
    await Practitioner.filter(id=file.id).update(account_id=stranger.account_id)
    await ExternalIdentity.create(
        account_id=stranger.account_id, provider=Provider.ESIA, subject="1", linked_at=make.NOW
    )
    stranger.file = file
    admin = await hospital.admin()
    shows = "practitioner { id version }"

    assert await admin.refused("detachAccount", **of(stranger, reason="ок")) == [
        ("REASON_REQUIRED", "reason")
    ]
    assert await admin.refused("detachAccount", **of(stranger, version=7)) == [
        ("CONFLICT", "version")
    ]
    detached = await admin.does("detachAccount", shows, **of(stranger))

    assert detached["practitioner"] == {"id": str(file.id), "version": 2}
    assert (await Practitioner.get(id=file.id)).account_id is None
    account = await Account.get(id=stranger.account_id)
    assert account.organisation_id is None and not account.confirmed_at
    assert account.state is AccountState.ACTIVE
    assert await RoleGrant.filter(account_id=account.id, revoked_at__isnull=True).count() == 0
    assert await Session.filter(account_id=account.id, ended_at__isnull=True).count() == 0
    assert await ExternalIdentity.all().count() == 0
    answer = await stranger.answer("{ viewer { activeRole } }")
    assert (answer.status, answer.codes) == (401, ["SESSION_EXPIRED"])
    entry = await AuditEntry.get(action="ACCOUNT_DETACHED")
    assert (entry.about_id, entry.details) == (
        file.id,
        {"account": account.public_id, "emptied": [], "lost": [], "reason": REASON},
    )
    assert account.phone is not None
    (theirs,) = await outbox(hospital, account.phone)
    assert "Карточка в реестре персонала больше не связана" in theirs
    (own,) = await outbox(hospital, PHONE)
    assert account.public_id in own

    owner = await newcomer(hospital)
    given = await asked(hospital, owner, snils=file.snils)
    attached = await owner.does("attachRole", GONE_ON, **given)
    assert attached["viewer"]["activeRole"] == "DOCTOR"
    assert (await Practitioner.get(id=file.id)).account_id == owner.account_id


async def test_contacts_that_the_account_wrote_lead_nobody_back(hospital: Hospital) -> None:
    stranger = await hospital.doctor(
        personal_phone=PHONE, personal_email="anna@example.org", address="Орёл"
    )
    changes = {"personalPhone": OTHER_PHONE, "address": "Тула"}
    await stranger.does("updateMyFile", "practitioner { id }", version=1, input=changes)
    admin = await hospital.admin()

    await admin.does("detachAccount", "practitioner { id }", **of(stranger, version=2))

    file = await Practitioner.get(id=stranger.file_id)
    assert not file.personal_phone
    assert (file.personal_email, file.address) == ("anna@example.org", "Тула")
    entry = await AuditEntry.get(action="ACCOUNT_DETACHED")
    assert entry.details["emptied"] == ["personal_phone"]


async def test_a_number_that_came_with_the_file_goes_back_to_who_had_it(
    hospital: Hospital,
) -> None:
    owner = await confirmed_newcomer(hospital)
    stranger = await newcomer(hospital, OTHER_PHONE, inn=OTHER_INN)
    file = await registered(hospital, account=stranger.account, inn=OTHER_INN)
    asked_for = await stranger.does("requestConfirmation", "handle", channel="SMS")
    code = await code_sent(hospital, OTHER_PHONE)
    await stranger.does("confirmAccount", handle=asked_for["handle"], code=code, snils=SNILS)
    assert (await Account.get(id=owner.account_id)).confirmed_at is None
    stranger.file = file
    admin = await hospital.admin()

    await admin.does("detachAccount", "practitioner { id }", **of(stranger))

    account = await Account.get(id=stranger.account_id)
    identity = await Identity.get(account_id=account.id)
    assert [account.confirmed_at, account.confirmed_by] == [None, None]
    assert [identity.snils_hash, identity.inn_hash] == [None, None]
    assert (await AuditEntry.get(action="ACCOUNT_DETACHED")).details["lost"] == ["snils", "inn"]
    await later(30)
    assert owner.account is not None
    owner.token = await hospital.api.token(owner.account, Role.CITIZEN)
    asked_for = await owner.does("requestConfirmation", "handle", channel="SMS")
    code = await code_sent(hospital, PHONE)
    await owner.does("confirmAccount", handle=asked_for["handle"], code=code, snils=SNILS)


async def test_a_contact_that_others_wrote_after_the_account_stays(hospital: Hospital) -> None:
    stranger, admin = await hospital.doctor(), await hospital.admin()
    own = {"personalPhone": OTHER_PHONE, "personalEmail": "stranger@example.org"}
    await stranger.does("updateMyFile", "practitioner { id }", version=1, input=own)
    # What a form only sends back, nobody has written.
    mended = {**own, "personalPhone": PHONE}
    await admin.does("updatePractitioner", id=stranger.file_id, version=2, input=mended)

    await admin.does("detachAccount", "practitioner { id }", **of(stranger, version=3))

    file = await Practitioner.get(id=stranger.file_id)
    assert file.personal_phone == PHONE
    assert not file.personal_email
    entry = await AuditEntry.get(action="ACCOUNT_DETACHED")
    assert entry.details["emptied"] == ["personal_email"]


@pytest.mark.parametrize("way", [ConfirmedBy.VISIT, ConfirmedBy.ESIA])
async def test_a_number_that_was_proved_without_the_file_stays(
    hospital: Hospital, way: ConfirmedBy
) -> None:
    person = await confirmed_newcomer(hospital)
    await Account.filter(id=person.account_id).update(confirmed_by=way)
    person.file = await registered(hospital, account=person.account)
    admin = await hospital.admin()

    await admin.does("detachAccount", "practitioner { id }", **of(person))

    account = await Account.get(id=person.account_id)
    assert account.confirmed_at is not None and account.confirmed_by is way
    assert (await Identity.get(account_id=account.id)).snils_hash is not None


async def test_an_invitation_that_nobody_took_up_ends(hospital: Hospital) -> None:
    file = await registered(hospital, personal_phone=OTHER_PHONE)
    admin = await hospital.admin()
    invited = await admin.does("invite", "code", practitionerId=str(file.id), role="DOCTOR")
    await file.refresh_from_db()
    account = await Account.get(id=file.account_id)

    given = {"id": str(file.id), "version": file.version, "reason": REASON}
    await admin.does("detachAccount", "practitioner { id }", **given)

    account = await Account.get(id=account.id)
    assert account.state is AccountState.CLOSED
    assert not account.phone and not account.email
    given = {"code": invited["code"], "contact": OTHER_PHONE}
    refused = await hospital.visitor().refused("beginInvitation", **given)
    assert refused == [("INVITATION_INVALID", "code")]
    again = await admin.does("invite", "code", practitionerId=str(file.id), role="DOCTOR")
    assert again["code"] != invited["code"]


async def test_what_is_nobody_s_or_one_s_own_is_not_detached(hospital: Hospital) -> None:
    own = await hospital.doctor()
    await make.grant(await Account.get(id=own.account_id), Role.ADMIN, hospital.organisation)
    admin = own.acting(Role.ADMIN)
    assert await admin.refused("detachAccount", **of(own)) == [("SELF_APPROVAL", "id")]
    free = Caller(hospital.api, file=await make.practitioner(hospital.therapy))
    assert await admin.refused("detachAccount", **of(free)) == [("NOT_ATTACHED", "id")]


async def test_the_last_administrator_stays(hospital: Hospital) -> None:
    head = await hospital.doctor()
    grant = await make.grant(
        await Account.get(id=head.account_id), Role.ADMIN, hospital.organisation
    )
    # One whose term ends is none to rely upon.
    passing = await hospital.admin()
    await RoleGrant.filter(account_id=passing.account_id).update(ends_at=coming(8))
    assert await passing.refused("detachAccount", **of(head)) == [("LAST_ADMIN", "id")]
    assert (await RoleGrant.get(id=grant.id)).revoked_at is None
    assert (await Practitioner.get(id=head.file_id)).account_id == head.account_id


async def test_who_administers_elsewhere_or_a_department_detaches_nobody(
    hospital: Hospital,
) -> None:
    doctor = await hospital.doctor()
    limited = await hospital.manager(hospital.therapy)
    assert await limited.refused("detachAccount", **of(doctor)) == [("NOT_FOUND", "id")]
    abroad = await make.organisation()
    stranger = await make.practitioner(
        await make.department(abroad), account=await make.account(abroad)
    )
    elsewhere = Caller(hospital.api, file=stranger)
    admin = await hospital.admin()
    assert await admin.refused("detachAccount", **of(elsewhere)) == [("NOT_FOUND", "id")]


@pytest.mark.any_database
async def test_only_administrators_detach(hospital: Hospital) -> None:
    operator = await hospital.staff(Role.OPERATOR)
    await operator.unknown(
        'mutation { detachAccount(id: "1", version: 1, reason: "x") { errors { code } } }'
    )

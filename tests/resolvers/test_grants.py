"""Role grants: where one may grant, and the last administrator."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from auth.rows import NotFound
from auth.viewer import Viewer
from core.errors import Problem
from models.account import AccountState
from models.audit import AuditEntry
from models.change import Change, ChangeKind
from models.grant import RoleGrant
from models.organisation import Organisation
from models.role import Role
from resolvers.grants import (
    GrantEnded,
    LastAdmin,
    PeriodInvalid,
    RoleAlreadyGranted,
    RoleNotGrantable,
    grant_role,
    limit_role,
    revoke_role,
)
from resolvers.versions import Stale
from tests import factories as make
from tests.auth.entrance import RIGHTS, admin_of
from tests.factories import NOW

DAY = timedelta(days=1)


async def refused(work: Any) -> tuple[type[Problem], str]:
    with pytest.raises(Problem) as problem:
        await work
    return type(problem.value), problem.value.field


async def limited_admin(organisation: Organisation) -> tuple[Viewer, Any]:
    """An administrator of one department, and that department."""
    ward = await make.department(organisation)
    account = await make.account(organisation)
    await make.grant(account, Role.ADMIN, organisation, department=ward)
    viewer = await make.viewer(
        Role.ADMIN,
        account=account,
        organisation=organisation,
        rights=RIGHTS[Role.ADMIN],
        department_id=ward.id,
    )
    return viewer, ward


async def test_a_role_is_granted_from_now_on(database: str) -> None:
    organisation = await make.organisation()
    chief = await admin_of(organisation)
    ward = await make.department(organisation)
    account = await make.account(organisation)
    person = await make.practitioner(ward, account=account)

    grant = await grant_role(chief, account_id=account.id, role=Role.NURSE, department_id=ward.id)

    row = await RoleGrant.get(id=grant.id)
    assert (row.account_id, row.organisation_id, row.department_id, row.role) == (
        account.id,
        organisation.id,
        ward.id,
        Role.NURSE,
    )
    assert [row.starts_at, row.ends_at, row.granted_at, row.granted_by_id, row.version] == [
        NOW,
        None,
        NOW,
        chief.account_id,
        1,
    ]
    entry = await AuditEntry.get()
    assert (entry.action, entry.subject_id, entry.about_id, entry.organisation_id) == (
        "ROLE_GRANTED",
        grant.id,
        person.id,
        organisation.id,
    )
    assert entry.details == {"role": "NURSE", "department": str(ward.id), "ends_at": None}
    change = await Change.get()
    assert (change.kind, change.account_id, change.subject_id) == (
        ChangeKind.SESSION,
        account.id,
        grant.id,
    )


async def test_a_period_may_lie_ahead(database: str) -> None:
    organisation = await make.organisation()
    chief = await admin_of(organisation)
    account = await make.account(organisation)

    grant = await grant_role(
        chief,
        account_id=account.id,
        role=Role.NURSE,
        starts_at=NOW + DAY,
        ends_at=NOW + 2 * DAY,
    )

    assert (grant.starts_at, grant.ends_at) == (NOW + DAY, NOW + 2 * DAY)
    assert not grant.holds_at(NOW)


@pytest.mark.parametrize("role", [Role.VISITOR, Role.CITIZEN])
async def test_what_everybody_is_cannot_be_granted(database: str, role: Role) -> None:
    organisation = await make.organisation()
    chief = await admin_of(organisation)
    account = await make.account(organisation)

    assert await refused(grant_role(chief, account_id=account.id, role=role)) == (
        RoleNotGrantable,
        "role",
    )
    assert await RoleGrant.filter(account=account).count() == 0


@pytest.mark.parametrize(
    ("starts", "ends"), [(None, timedelta(0)), (None, -DAY), (2 * DAY, DAY), (DAY, DAY)]
)
async def test_a_period_that_is_none_is_refused(
    database: str, starts: timedelta | None, ends: timedelta
) -> None:
    organisation = await make.organisation()
    chief = await admin_of(organisation)
    account = await make.account(organisation)

    problem = await refused(
        grant_role(
            chief,
            account_id=account.id,
            role=Role.NURSE,
            starts_at=None if starts is None else NOW + starts,
            ends_at=NOW + ends,
        )
    )

    assert problem == (PeriodInvalid, "ends_at")


async def test_a_role_is_not_granted_twice_in_one_place_and_time(database: str) -> None:
    organisation = await make.organisation()
    chief = await admin_of(organisation)
    ward = await make.department(organisation)
    account = await make.account(organisation)
    await grant_role(chief, account_id=account.id, role=Role.NURSE, ends_at=NOW + DAY)

    again = grant_role(chief, account_id=account.id, role=Role.NURSE)
    assert await refused(again) == (RoleAlreadyGranted, "role")

    await grant_role(chief, account_id=account.id, role=Role.NURSE, starts_at=NOW + DAY)
    await grant_role(chief, account_id=account.id, role=Role.NURSE, department_id=ward.id)
    await grant_role(chief, account_id=account.id, role=Role.DOCTOR)
    assert await RoleGrant.filter(account=account).count() == 4


async def test_two_grants_at_once_are_one(database: str) -> None:
    organisation = await make.organisation()
    chief = await admin_of(organisation)
    account = await make.account(organisation)

    answers = await asyncio.gather(
        *(grant_role(chief, account_id=account.id, role=Role.NURSE) for _ in range(5)),
        return_exceptions=True,
    )

    assert sorted(type(answer).__name__ for answer in answers) == ["RoleAlreadyGranted"] * 4 + [
        "RoleGrant"
    ]


async def test_strangers_and_other_organisations_are_not_found(database: str) -> None:
    organisation, elsewhere = await make.organisation(), await make.organisation()
    chief = await admin_of(organisation)
    account, stranger = await make.account(organisation), await make.account(elsewhere)
    ward = await make.department(elsewhere)

    unknown = grant_role(chief, account_id=uuid4(), role=Role.NURSE)
    assert await refused(unknown) == (NotFound, "account_id")
    foreign = grant_role(chief, account_id=stranger.id, role=Role.NURSE)
    assert await refused(foreign) == (NotFound, "account_id")
    there = grant_role(chief, account_id=account.id, role=Role.NURSE, department_id=ward.id)
    assert await refused(there) == (NotFound, "department_id")


async def test_an_admin_of_a_department_grants_only_within_it(database: str) -> None:
    organisation = await make.organisation()
    await admin_of(organisation)
    viewer, ward = await limited_admin(organisation)
    other = await make.department(organisation)
    account = await make.account(organisation)
    await make.practitioner(ward, account=account)

    for department_id in (None, other.id):
        attempt = grant_role(
            viewer, account_id=account.id, role=Role.NURSE, department_id=department_id
        )
        assert await refused(attempt) == (NotFound, "department_id")
    grant = await grant_role(viewer, account_id=account.id, role=Role.NURSE, department_id=ward.id)
    assert grant.department_id == ward.id


async def test_an_admin_of_a_department_changes_no_grant_outside_it(database: str) -> None:
    organisation = await make.organisation()
    viewer, ward = await limited_admin(organisation)
    account = await make.account(organisation)
    await make.practitioner(ward, account=account)
    wide = await make.grant(account, Role.NURSE, organisation)
    narrow = await make.grant(account, Role.DOCTOR, organisation, department=ward)

    assert await refused(revoke_role(viewer, id=wide.id)) == (NotFound, "id")
    widening = limit_role(viewer, id=narrow.id, version=1, department_id=None, ends_at=None)
    assert await refused(widening) == (NotFound, "department_id")
    assert (await revoke_role(viewer, id=narrow.id)).revoked_at == NOW


async def test_a_grant_is_limited_by_version(database: str) -> None:
    organisation = await make.organisation()
    chief = await admin_of(organisation)
    ward = await make.department(organisation)
    grant = await make.grant(await make.account(organisation), Role.NURSE, organisation)

    limited = await limit_role(
        chief, id=grant.id, version=1, department_id=ward.id, ends_at=NOW + DAY
    )
    row = await RoleGrant.get(id=grant.id)
    assert (row.department_id, row.ends_at, row.version) == (ward.id, NOW + DAY, 2)
    assert (limited.department_id, limited.ends_at, limited.version) == (ward.id, NOW + DAY, 2)

    stale = limit_role(chief, id=grant.id, version=1, department_id=None, ends_at=None)
    assert await refused(stale) == (Stale, "version")
    freed = await limit_role(chief, id=grant.id, version=2, department_id=None, ends_at=None)
    assert [freed.department_id, freed.ends_at, freed.version] == [None, None, 3]
    assert [entry.action for entry in await AuditEntry.all()] == ["ROLE_LIMITED"] * 2
    assert {change.account_id for change in await Change.all()} == {grant.account_id}


async def test_what_has_ended_is_not_changed(database: str) -> None:
    organisation = await make.organisation()
    chief = await admin_of(organisation)
    account = await make.account(organisation)
    revoked = await make.grant(account, Role.NURSE, organisation, revoked_at=NOW)
    over = await make.grant(account, Role.NURSE, organisation, ends_at=NOW)

    for grant in (revoked, over):
        assert await refused(revoke_role(chief, id=grant.id)) == (GrantEnded, "id")
        limiting = limit_role(chief, id=grant.id, version=1, department_id=None, ends_at=None)
        assert await refused(limiting) == (GrantEnded, "id")


async def test_the_last_admin_stays(database: str) -> None:
    organisation = await make.organisation()
    chief = await admin_of(organisation)
    ward = await make.department(organisation)
    grant = await RoleGrant.get(account_id=chief.account_id)
    # None of these administers the whole organisation for good.
    other = await make.account(organisation)
    await make.grant(other, Role.ADMIN, organisation, department=ward)
    await make.grant(other, Role.ADMIN, organisation, ends_at=NOW + DAY)
    await make.grant(other, Role.ADMIN, organisation, starts_at=NOW + DAY)
    await make.grant(other, Role.ADMIN, organisation, revoked_at=NOW)
    await make.grant(other, Role.DOCTOR, organisation)
    invited = await make.account(organisation, state=AccountState.INVITED)
    await make.grant(invited, Role.ADMIN, organisation)
    elsewhere = await make.organisation()
    await admin_of(elsewhere)

    assert await refused(revoke_role(chief, id=grant.id)) == (LastAdmin, "id")
    for department_id, ends_at in ((ward.id, None), (None, NOW + DAY)):
        limiting = limit_role(
            chief, id=grant.id, version=1, department_id=department_id, ends_at=ends_at
        )
        assert await refused(limiting) == (LastAdmin, "id")
    row = await RoleGrant.get(id=grant.id)
    assert [row.revoked_at, row.department_id, row.ends_at, row.version] == [None, None, None, 1]
    assert await AuditEntry.all().count() == 0


async def test_the_last_but_one_admin_may_go(database: str) -> None:
    organisation = await make.organisation()
    chief, _other = await admin_of(organisation), await admin_of(organisation)
    grant = await RoleGrant.get(account_id=chief.account_id)

    revoked = await revoke_role(chief, id=grant.id)

    assert (revoked.revoked_at, revoked.revoked_by_id, revoked.version) == (
        NOW,
        chief.account_id,
        2,
    )


async def test_two_admins_who_revoke_each_other_leave_one(database: str) -> None:
    for _ in range(5):
        organisation = await make.organisation()
        one, other = await admin_of(organisation), await admin_of(organisation)
        of_one = await RoleGrant.get(account_id=one.account_id)
        of_other = await RoleGrant.get(account_id=other.account_id)

        answers = await asyncio.gather(
            revoke_role(one, id=of_other.id),
            revoke_role(other, id=of_one.id),
            return_exceptions=True,
        )

        names = sorted(type(answer).__name__ for answer in answers)
        assert names == ["LastAdmin", "RoleGrant"]
        living = RoleGrant.filter(organisation=organisation, revoked_at__isnull=True)
        assert await living.count() == 1

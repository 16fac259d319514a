"""Role grants: given, limited and revoked; an organisation keeps an administrator."""

from collections.abc import Collection
from contextlib import suppress
from datetime import datetime
from typing import Any
from uuid import UUID

from tortoise.expressions import Q

from auth.audit import record
from auth.rows import NotFound, find, lock
from auth.viewer import Viewer
from core.errors import Problem
from models.account import Account, AccountState
from models.change import ChangeKind
from models.database import unit_of_work
from models.feed import announce
from models.grant import RoleGrant
from models.organisation import Department, Organisation
from models.practitioner import Practitioner, PractitionerStatus, Profession
from models.role import CLINICAL, GRANTED, Role
from resolvers.accounts import person_of
from resolvers.standing import PractitionerDismissed
from resolvers.versions import check_version, next_version


class RoleNotGrantable(Problem):
    """Nobody grants this role: everybody has it, or nobody signed in."""

    code = "ROLE_NOT_GRANTABLE"


class RoleAlreadyGranted(Problem):
    """The account has the role there in that period already."""

    code = "ROLE_ALREADY_GRANTED"


class PeriodInvalid(Problem):
    """The grant would end before it begins, or before now."""

    code = "PERIOD_INVALID"


class GrantEnded(Problem):
    """The grant was revoked or ran out: nothing is left to change."""

    code = "GRANT_ENDED"


class LastAdmin(Problem):
    """Without this grant nobody could administer the organisation."""

    code = "LAST_ADMIN"


class ProfessionWithoutRole(Problem):
    """The registry does not say of which clinical profession the worker is."""

    code = "PROFESSION_UNKNOWN"


# The rule by which a worker of the registry gets a role in the cabinet; the others get none.
ROLE_OF = {Profession.DOCTOR: Role.DOCTOR, Profession.NURSE: Role.NURSE}


@unit_of_work
async def grant_role(
    viewer: Viewer,
    *,
    account_id: UUID,
    role: Role,
    department_id: UUID | None = None,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
) -> RoleGrant:
    """Grants a role in the account's organisation, from now or from ``starts_at`` on.

    Raises RoleNotGrantable, PeriodInvalid, RoleAlreadyGranted, PractitionerDismissed, NotFound.
    """
    # The account is locked: two grants of one role do not pass each other.
    account = await lock(viewer, Account, account_id, "account_id")
    return await grant_to(
        viewer,
        account=account,
        role=role,
        department_id=department_id,
        starts_at=starts_at,
        ends_at=ends_at,
    )


async def grant_to(
    viewer: Viewer,
    *,
    account: Account,
    role: Role,
    department_id: UUID | None = None,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
) -> RoleGrant:
    """The granting itself, of an account that the caller has locked in its unit of work."""
    if role not in GRANTED:
        raise RoleNotGrantable("role")
    starts_at = starts_at or viewer.now
    _check_period(viewer, starts_at, ends_at)
    if account.organisation_id is None:
        raise NotFound("account_id")
    await _check_place(viewer, account.organisation_id, department_id)
    if role in CLINICAL:
        await _check_not_dismissed(account)
    await _check_not_twice(
        account.id, role, account.organisation_id, department_id, starts_at, ends_at
    )
    grant = await RoleGrant.create(
        account_id=account.id,
        organisation_id=account.organisation_id,
        department_id=department_id,
        role=role,
        starts_at=starts_at,
        ends_at=ends_at,
        granted_by_id=viewer.account_id,
        granted_at=viewer.now,
    )
    await _tell(viewer, "ROLE_GRANTED", grant)
    return grant


async def grant_instead(
    viewer: Viewer, *, account: Account, role: Role, department_id: UUID | None = None
) -> None:
    """Grants a role as ``grant_to`` does, in the place of whatever the viewer may revoke.

    One that stands already goes on. Raises RoleNotGrantable, PractitionerDismissed, NotFound.
    """
    with suppress(RoleAlreadyGranted):
        await grant_to(viewer, account=account, role=role, department_id=department_id)
    living = RoleGrant.filter(account_id=account.id, revoked_at__isnull=True)
    for grant in await living.order_by("id").select_for_update(no_key=True):
        is_meant = (grant.role, grant.department_id) == (role, department_id)
        if not is_meant and covers(viewer, grant.organisation_id, grant.department_id):
            await _revoke(viewer, grant)


async def grant_by_profession(viewer: Viewer, *, account: Account, person: Practitioner) -> Role:
    """The role that a worker's profession gives, all over their organisation.

    Nobody grants it: the registry says so. The caller has locked the account in its unit of work.
    Raises ProfessionWithoutRole.
    """
    role = ROLE_OF.get(person.profession)
    if role is None:
        raise ProfessionWithoutRole
    home = person.organisation_id
    with suppress(RoleAlreadyGranted):
        await _check_not_twice(account.id, role, home, None, viewer.now, None)
        grant = await RoleGrant.create(
            account_id=account.id,
            organisation_id=home,
            role=role,
            starts_at=viewer.now,
            granted_at=viewer.now,
        )
        await _tell(viewer, "ROLE_GRANTED", grant)
    return role


@unit_of_work
async def limit_role(viewer: Viewer, *, id: UUID, version: int, **limits: Any) -> RoleGrant:
    """Sets where (``department_id``) and until when (``ends_at``) a grant holds.

    A limit that is left out stays as it is; None lifts it. Raises Stale, GrantEnded,
    PeriodInvalid, LastAdmin, NotFound.
    """
    grant = await _lock_living(viewer, id)
    check_version(grant, version)
    department_id: UUID | None = limits.get("department_id", grant.department_id)
    ends_at: datetime | None = limits.get("ends_at", grant.ends_at)
    _check_period(viewer, grant.starts_at, ends_at)
    await _check_place(viewer, grant.organisation_id, department_id)
    if department_id is not None or ends_at is not None:
        await _keep_an_admin(grant, viewer.now)
    grant.update_from_dict({"department_id": department_id, "ends_at": ends_at})
    next_version(grant)
    await grant.save(update_fields=["department_id", "ends_at", "version"])
    await _tell(viewer, "ROLE_LIMITED", grant)
    return grant


@unit_of_work
async def revoke_role(viewer: Viewer, *, id: UUID) -> RoleGrant:
    """Ends a grant now; raises GrantEnded, LastAdmin, NotFound."""
    grant = await _lock_living(viewer, id)
    await _revoke(viewer, grant)
    return grant


async def revoke_all(
    viewer: Viewer, *, account_id: UUID, organisation_id: UUID, always: Collection[Role] = GRANTED
) -> None:
    """Ends an account's grants in an organisation, in the caller's unit of work.

    Those of other roles than ``always`` where the viewer may give them. Raises LastAdmin.
    """
    grants = RoleGrant.filter(
        account_id=account_id, organisation_id=organisation_id, revoked_at__isnull=True
    )
    for grant in await grants.order_by("id").select_for_update(no_key=True):
        if grant.role in always or covers(viewer, grant.organisation_id, grant.department_id):
            await _revoke(viewer, grant)


async def _revoke(viewer: Viewer, grant: RoleGrant) -> None:
    await _keep_an_admin(grant, viewer.now)
    grant.revoked_at, grant.revoked_by_id = viewer.now, viewer.account_id
    next_version(grant)
    await grant.save(update_fields=["revoked_at", "revoked_by_id", "version"])
    await _tell(viewer, "ROLE_REVOKED", grant)


async def _lock_living(viewer: Viewer, id: UUID) -> RoleGrant:
    grant = await lock(viewer, RoleGrant, id, "id")
    # One's own grants are visible anywhere; they are changed only where one may grant.
    if not covers(viewer, grant.organisation_id, grant.department_id):
        raise NotFound("id")
    if grant.revoked_at is not None or (grant.ends_at is not None and grant.ends_at <= viewer.now):
        raise GrantEnded("id")
    return grant


def covers(viewer: Viewer, organisation_id: UUID, department_id: UUID | None) -> bool:
    """Whether one of the viewer's places holds all of a place: the organisation or a department."""
    return any(
        place.organisation_id == organisation_id and place.department_id in (None, department_id)
        for place in viewer.places
    )


async def _check_place(viewer: Viewer, organisation_id: UUID, department_id: UUID | None) -> None:
    """A department of the organisation that the viewer sees and whose roles they may give."""
    if not covers(viewer, organisation_id, department_id):
        raise NotFound("department_id")
    if department_id is None:
        return
    department = await find(viewer, Department, department_id, "department_id")
    if department.organisation_id != organisation_id:
        raise NotFound("department_id")


async def _check_not_dismissed(account: Account) -> None:
    """Whoever dismisses locks the account too, and sees each grant that was made before."""
    if await Practitioner.exists(account_id=account.id, status=PractitionerStatus.DISMISSED):
        raise PractitionerDismissed("account_id")


def _check_period(viewer: Viewer, starts_at: datetime, ends_at: datetime | None) -> None:
    if ends_at is not None and ends_at <= max(starts_at, viewer.now):
        raise PeriodInvalid("ends_at")


async def _check_not_twice(
    account_id: UUID,
    role: Role,
    organisation_id: UUID,
    department_id: UUID | None,
    starts_at: datetime,
    ends_at: datetime | None,
) -> None:
    same = RoleGrant.filter(
        Q(ends_at__isnull=True) | Q(ends_at__gt=starts_at),
        account_id=account_id,
        role=role,
        organisation_id=organisation_id,
        department_id=department_id,
        revoked_at__isnull=True,
    )
    if ends_at is not None:
        same = same.filter(starts_at__lt=ends_at)
    if await same.exists():
        raise RoleAlreadyGranted("role")


async def _keep_an_admin(grant: RoleGrant, now: datetime) -> None:
    """Raises LastAdmin when this grant is the last that administers all of its organisation.

    The organisation is locked, so that two admins who revoke each other take turns.
    """
    if not _administers(grant, now):
        return
    organisation_id = grant.organisation_id
    await Organisation.filter(id=organisation_id).select_for_update(no_key=True).only("id")
    administering = await RoleGrant.filter(
        organisation_id=organisation_id,
        role=Role.ADMIN,
        department_id__isnull=True,
        starts_at__lte=now,
        ends_at__isnull=True,
        revoked_at__isnull=True,
        # An invitation that nobody took up administers nothing.
        account__state__in=[AccountState.ACTIVE, AccountState.LOCKED],
    )
    if [one.id for one in administering] == [grant.id]:
        raise LastAdmin("id")


def _administers(grant: RoleGrant, now: datetime) -> bool:
    """An administrator's grant without limits that holds now."""
    return (
        grant.role is Role.ADMIN
        and grant.department_id is None
        and grant.ends_at is None
        and grant.holds_at(now)
    )


async def _tell(viewer: Viewer, action: str, grant: RoleGrant) -> None:
    record(
        viewer,
        action,
        grant,
        about=await person_of(grant.account_id),
        role=grant.role.value,
        department=str(grant.department_id) if grant.department_id else None,
        ends_at=grant.ends_at.isoformat() if grant.ends_at else None,
    )
    announce(ChangeKind.SESSION, account_id=grant.account_id, subject_id=grant.id)

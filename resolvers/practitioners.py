"""The staff registry: a worker's file is made, edited and closed, and its owner's own edits."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from tortoise.exceptions import IntegrityError

from auth.audit import record
from auth.rows import NotFound, existing, lock
from auth.viewer import Viewer
from core.errors import Problem
from core.sealing import Vault
from models import identifiers
from models.account import Account
from models.change import ChangeKind
from models.database import unit_of_work, violated
from models.feed import announce
from models.organisation import SPECIALTIES, DictionaryEntry
from models.practitioner import Position, Practitioner, PractitionerStatus, Profession
from models.role import CLINICAL
from resolvers.forms import (
    Check,
    IdentityUnavailable,
    Required,
    as_given,
    complete,
    optional,
    past,
    prose,
    read,
    refuse,
    text,
)
from resolvers.foureyes import check_other_eyes
from resolvers.grants import revoke_all
from resolvers.invitations import end_invitations
from resolvers.shifts import release_shifts
from resolvers.standing import (
    PractitionerDismissed,
    department_of,
    is_limited,
    organisation_of,
    own_file,
)
from resolvers.versions import check_version, next_version


class SnilsTaken(Problem):
    """Another worker of the registry has this SNILS."""

    code = "DUPLICATE_SNILS"


class NotDismissed(Problem):
    """The worker is employed."""

    code = "NOT_DISMISSED"


# What a worker may change in their own file without asking anybody.
OWN_CONTACTS = ("personal_phone", "personal_email", "work_phone", "work_email")
OWN_VALUES = (*OWN_CONTACTS, "address")

_NEEDED = ("last_name", "first_name")
_NEVER_EMPTY = (*_NEEDED, "profession")
# What decides whose rows a worker sees: their open sessions must be read again.
_STANDING = ("department_id", "profession")


@unit_of_work
async def create_practitioner(
    viewer: Viewer, *, vault: Vault, organisation_id: UUID | None = None, **values: Any
) -> Practitioner:
    """Adds a worker to the registry; without a SNILS the file is INCOMPLETE.

    Raises Problems: Required, TooLong, TextInvalid, DateInFuture, SnilsTaken,
    IdentityUnavailable, NotFound and those of ``models.identifiers``.
    """
    home = organisation_of(viewer, organisation_id)
    row = Practitioner(organisation_id=home, profession=Profession.OTHER, last_name="")
    if values.get("profession") is None:
        values.pop("profession", None)
    if is_limited(viewer, home):
        values = complete(values, ("department_id",))
    await _write(viewer, row, complete(values, _NEEDED), _checks(viewer), vault)
    record(viewer, "PRACTITIONER_CREATED", row, about=row.id, fields=_given(values))
    return row


@unit_of_work
async def update_practitioner(
    viewer: Viewer, *, vault: Vault, id: UUID, version: int, **changes: Any
) -> Practitioner:
    """Changes the named values of a worker's file; None clears one.

    Raises NotFound, Stale, and Problems as ``create_practitioner`` does.
    """
    row = await lock(viewer, Practitioner, id)
    check_version(row, version)
    names = (*_STANDING, *OWN_CONTACTS)
    before = {name: getattr(row, name) for name in names}
    await _write(viewer, row, changes, _checks(viewer), vault)
    same = {name for name in names if getattr(row, name) == before[name]}
    if not same.issuperset(_STANDING) and row.account_id is not None:
        announce(ChangeKind.SESSION, account_id=row.account_id, subject_id=row.id)
    # A contact that a form only sends back is still who wrote it before (``detach_account``).
    fields = sorted(changes.keys() - same)
    record(viewer, "PRACTITIONER_UPDATED", row, about=row.id, fields=fields)
    return row


@unit_of_work
async def update_my_file(viewer: Viewer, *, version: int, **changes: Any) -> Practitioner:
    """Changes those values of the caller's own file that need nobody's consent.

    Raises WithoutFile, Stale, and Problems as ``create_practitioner`` does.
    """
    row = await own_file(viewer)
    check_version(row, version)
    checks = {name: check for name, check in _checks(viewer).items() if name in OWN_VALUES}
    await _write(viewer, row, changes, checks)
    record(viewer, "OWN_FILE_UPDATED", row, about=row.id, fields=sorted(changes))
    return row


@unit_of_work
async def dismiss_practitioner(
    viewer: Viewer, *, id: UUID, version: int, reason: str | None = None
) -> Practitioner:
    """Closes a worker's file today: positions, roles and invitations end, the shifts to come are
    nobody's again.

    Whoever is to oversee on is given that role anew. One who is limited to a department ends no
    role of more than that but the clinical ones. Raises NotFound, Stale, PractitionerDismissed,
    LastAdmin, Problems.
    """
    row = await lock(viewer, Practitioner, id)
    check_version(row, version)
    if row.status is PractitionerStatus.DISMISSED:
        raise PractitionerDismissed("id")
    given = optional(reason, prose(500), "reason")
    row.status = PractitionerStatus.DISMISSED
    next_version(row)
    await row.save()
    await _end_positions(row, viewer.today)
    await release_shifts(viewer, row)
    await _end_access(viewer, row)
    record(viewer, "PRACTITIONER_DISMISSED", row, about=row.id, reason=given)
    return row


@unit_of_work
async def reinstate_practitioner(
    viewer: Viewer, *, id: UUID, version: int, reason: str | None = None
) -> Practitioner:
    """Opens the file of a worker who was dismissed and comes back; posts and roles are given anew.

    Nobody comes back by their own decision while somebody else could take it (decision 0008).
    Raises NotFound, Stale, NotDismissed, SelfApproval, Problems.
    """
    row = await lock(viewer, Practitioner, id)
    check_version(row, version)
    if row.status is not PractitionerStatus.DISMISSED:
        raise NotDismissed("id")
    given = optional(reason, prose(500), "reason")
    details: dict[str, Any] = {}
    if row.account_id == viewer.account_id:
        details = await check_other_eyes(
            viewer, organisation_id=row.organisation_id, department_id=row.department_id
        )
    row.status = _status_of(row)
    next_version(row)
    await row.save()
    record(viewer, "PRACTITIONER_REINSTATED", row, about=row.id, reason=given, **details)
    return row


async def _end_positions(row: Practitioner, today: date) -> None:
    held = Position.filter(practitioner_id=row.id)
    await held.filter(starts_on__gt=today).delete()
    await held.filter(ends_on__isnull=True).update(ends_on=today)
    await held.filter(ends_on__gt=today).update(ends_on=today)


async def _end_access(viewer: Viewer, row: Practitioner) -> None:
    if row.account_id is None:
        return
    # Whoever grants a role to it, or accepts its invitation, has locked it as well.
    account = await Account.filter(id=row.account_id).select_for_update(no_key=True).get()
    await end_invitations(account)
    await revoke_all(
        viewer, account_id=account.id, organisation_id=row.organisation_id, always=CLINICAL
    )
    announce(ChangeKind.SESSION, account_id=account.id, subject_id=row.id)


def _checks(viewer: Viewer) -> dict[str, Check]:
    """How each value of a file is read."""
    return {
        "last_name": text(120),
        "first_name": text(120),
        "middle_name": text(120),
        "birth_date": past(viewer.today),
        "snils": identifiers.snils,
        "inn": identifiers.inn_of_person,
        "passport": identifiers.passport,
        "address": text(400),
        "personal_phone": identifiers.phone,
        "personal_email": identifiers.email,
        "work_phone": identifiers.phone,
        "work_email": identifiers.email,
        "profession": as_given,
        "specialty_id": as_given,
        "category": as_given,
        "category_assigned_on": past(viewer.today),
        "prescriber_code": text(20),
        "procedure_permits": lambda permits, _field: sorted({str(permit) for permit in permits}),
        "department_id": as_given,
    }


async def _write(
    viewer: Viewer,
    row: Practitioner,
    values: Mapping[str, Any],
    checks: Mapping[str, Check],
    vault: Vault | None = None,
) -> None:
    """Checks the values all at once, puts them into the row and saves it, new or not."""
    problems: list[Problem] = []
    stored = read(values, checks, required=_NEVER_EMPTY, problems=problems)
    problems += await _wrong_references(viewer, row, stored)
    if stored.get("snils") and await _is_seen_elsewhere(viewer, row, stored["snils"]):
        problems.append(SnilsTaken("snils"))
    if "passport" in stored and vault is not None:
        number = stored.pop("passport")
        stored["passport_sealed"] = vault.seal(number) if number else None
    if "procedure_permits" in stored:
        stored["procedure_permits"] = stored["procedure_permits"] or []
    assigned_on = stored.get("category_assigned_on", row.category_assigned_on)
    if stored.get("category", row.category) is None and assigned_on is not None:
        if stored.get("category_assigned_on") is not None:
            problems.append(Required("category"))
        stored["category_assigned_on"] = None
    refuse(problems)

    row.update_from_dict(stored)
    if row.status is not PractitionerStatus.DISMISSED:
        row.status = _status_of(row)
    if row._saved_in_db:
        next_version(row)
    try:
        await row.save()
    except IntegrityError as error:
        if not _is_about_snils(violated(error)):
            raise
        # Somebody else's file that the caller does not see, or one made this very moment.
        raise IdentityUnavailable("snils") from None


def _status_of(row: Practitioner) -> PractitionerStatus:
    """That of somebody who is employed."""
    is_complete = row.snils is not None and row.birth_date is not None
    return PractitionerStatus.ACTIVE if is_complete else PractitionerStatus.INCOMPLETE


async def _wrong_references(
    viewer: Viewer, row: Practitioner, stored: Mapping[str, Any]
) -> list[Problem]:
    problems: list[Problem] = []
    specialty_id = stored.get("specialty_id")
    if specialty_id is not None:
        specialties = existing(viewer, DictionaryEntry).filter(oid=SPECIALTIES)
        if not await specialties.filter(id=specialty_id).exists():
            problems.append(NotFound("specialty_id"))
    if "department_id" in stored:
        if stored["department_id"] is not None:
            try:
                await department_of(viewer, row.organisation_id, stored["department_id"])
            except NotFound as missing:
                problems.append(missing)
        elif is_limited(viewer, row.organisation_id):
            problems.append(Required("department_id"))
    return problems


async def _is_seen_elsewhere(viewer: Viewer, row: Practitioner, snils: str) -> bool:
    others = existing(viewer, Practitioner).exclude(id=row.id)
    return await others.filter(organisation_id=row.organisation_id, snils=snils).exists()


def _is_about_snils(name: str) -> bool:
    # SQLite names the columns; PostgreSQL the constraint, which Tortoise names by a digest.
    return "snils" in name or name.startswith("uid_practitione_organis")


def _given(values: Mapping[str, Any]) -> list[str]:
    return sorted(name for name, value in values.items() if value is not None)

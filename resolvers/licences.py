"""Licences, accreditations and certificates of the staff: entered, mended and revoked."""

from calendar import isleap
from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from tortoise.exceptions import IntegrityError

from auth.audit import record
from auth.rows import NotFound, existing, lock
from auth.viewer import Viewer
from core.errors import Problem
from models.database import unit_of_work, violated
from models.identifiers import credential_number, medical_licence_number
from models.licence import Licence, LicenceKind
from models.organisation import SPECIALTIES, DictionaryEntry
from models.practitioner import Practitioner
from resolvers.forms import (
    Check,
    DatesReversed,
    as_given,
    day,
    past,
    read,
    reason_of,
    refuse,
    text,
)
from resolvers.versions import check_version, next_version


class LicenceEntered(Problem):
    """The person has a licence of this kind and number already."""

    code = "DUPLICATE_LICENCE"


class LicenceRevoked(Problem):
    """The licence was revoked, and is kept as it was."""

    code = "LICENCE_REVOKED"


# DOMAIN rule 8. An organisation's licence is open-ended (rule 6).
_YEARS = 5
_NUMBERS: dict[LicenceKind, Check] = {
    LicenceKind.MEDICAL_LICENCE: medical_licence_number,
    LicenceKind.ACCREDITATION: credential_number,
    LicenceKind.SPECIALIST_CERTIFICATE: credential_number,
}
_NEEDED = ("number", "issuer", "issued_on")


@unit_of_work
async def create_licence(
    viewer: Viewer,
    *,
    practitioner_id: UUID,
    kind: LicenceKind,
    number: str,
    issuer: str,
    issued_on: date,
    expires_on: date | None = None,
    specialty_id: UUID | None = None,
) -> Licence:
    """Enters a worker's licence; a personal one holds five years where nothing else is said.

    Raises NotFound, and Problems: Required, TooLong, LicenceNumberMalformed, DateTooEarly,
    DatesReversed, LicenceEntered.
    """
    person = await lock(viewer, Practitioner, practitioner_id, "practitioner_id")
    licence = Licence(organisation_id=person.organisation_id, practitioner_id=person.id, kind=kind)
    values = {
        "number": number,
        "issuer": issuer,
        "issued_on": issued_on,
        "expires_on": expires_on,
        "specialty_id": specialty_id,
    }
    await _write(viewer, licence, values)
    record(viewer, "LICENCE_CREATED", licence, about=person.id)
    return licence


@unit_of_work
async def update_licence(viewer: Viewer, *, id: UUID, version: int, **changes: Any) -> Licence:
    """Mends the named values: number, issuer, issued_on, expires_on, specialty_id.

    Raises NotFound, Stale, LicenceRevoked, and Problems as ``create_licence`` does.
    """
    licence = await lock(viewer, Licence, id)
    check_version(licence, version)
    if licence.revoked_on is not None:
        raise LicenceRevoked("id")
    await _write(viewer, licence, changes)
    record(
        viewer,
        "LICENCE_UPDATED",
        licence,
        about=licence.practitioner_id,
        fields=sorted(changes),
    )
    return licence


@unit_of_work
async def revoke_licence(
    viewer: Viewer, *, id: UUID, version: int, reason: str, revoked_on: date | None = None
) -> Licence:
    """Revokes a licence, from today or an earlier day.

    Raises NotFound, Stale, LicenceRevoked, ReasonNeeded, and Problems: DateInFuture,
    DatesReversed.
    """
    licence = await lock(viewer, Licence, id)
    check_version(licence, version)
    if licence.revoked_on is not None:
        raise LicenceRevoked("id")
    given = reason_of(reason)
    problems: list[Problem] = []
    values = read(
        {"revoked_on": revoked_on or viewer.today},
        {"revoked_on": past(viewer.today)},
        problems=problems,
    )
    if "revoked_on" in values and values["revoked_on"] < licence.issued_on:
        problems.append(DatesReversed("revoked_on"))
    refuse(problems)
    licence.update_from_dict(values)
    next_version(licence)
    await licence.save()
    record(viewer, "LICENCE_REVOKED", licence, about=licence.practitioner_id, reason=given)
    return licence


def five_years_after(day: date) -> date:
    """The last valid day of a credential given on a day; 29 February ends on the 28th."""
    year = day.year + _YEARS
    if (day.month, day.day) == (2, 29) and not isleap(year):
        return date(year, 2, 28)
    return day.replace(year=year)


async def _write(viewer: Viewer, licence: Licence, values: Mapping[str, Any]) -> None:
    """Checks the values all at once, puts them into the row and saves it, new or not."""
    checks: dict[str, Check] = {
        "number": _NUMBERS[licence.kind],
        "issuer": text(400),
        "issued_on": day,
        "expires_on": day,
        "specialty_id": as_given,
    }
    problems: list[Problem] = []
    stored = read(values, checks, required=_NEEDED, problems=problems)
    specialty_id = stored.get("specialty_id")
    if specialty_id is not None:
        specialties = existing(viewer, DictionaryEntry).filter(oid=SPECIALTIES)
        if not await specialties.filter(id=specialty_id).exists():
            problems.append(NotFound("specialty_id"))
    issued_on = stored.get("issued_on", licence.issued_on)
    if issued_on is not None:
        is_personal = licence.kind is not LicenceKind.MEDICAL_LICENCE
        if is_personal and "expires_on" in stored and stored["expires_on"] is None:
            stored["expires_on"] = five_years_after(issued_on)
        expires_on = stored.get("expires_on", licence.expires_on)
        if expires_on is not None and expires_on < issued_on:
            problems.append(DatesReversed("expires_on"))
    refuse(problems)

    licence.update_from_dict(stored)
    if licence._saved_in_db:
        next_version(licence)
    try:
        await licence.save()
    except IntegrityError as error:
        if not _is_about_number(violated(error)):
            raise
        raise LicenceEntered("number") from None


def _is_about_number(name: str) -> bool:
    # SQLite names the columns; PostgreSQL the constraint, which Tortoise names by a digest.
    return "number" in name or name.startswith("uid_licence_practit")

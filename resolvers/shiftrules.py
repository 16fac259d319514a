"""What the domain asks of a person before a shift is theirs: profession, credentials, rest."""

from datetime import datetime, timedelta

from auth.viewer import Viewer
from core.clock import day_of
from core.errors import Problem
from models.licence import Licence, LicenceKind, LicenceStatus
from models.practitioner import Practitioner, PractitionerStatus, Profession
from models.shift import OCCUPYING, Shift, ShiftKind
from resolvers.standing import PractitionerDismissed


class ProfessionMismatch(Problem):
    """The shift is work of another profession."""

    code = "PROFESSION_MISMATCH"


class CredentialExpired(Problem):
    """None of the person's credentials is valid on the day of the shift."""

    code = "CREDENTIAL_EXPIRED"


class RestTooShort(Problem):
    """Too few hours between this shift and the one before or after it."""

    code = "REST_TOO_SHORT"


# DOMAIN rule 10; a setting of the organisation when there are such.
REST = timedelta(hours=10)
# Work that a nurse does not do.
_OF_DOCTORS = (ShiftKind.HOME_DUTY, ShiftKind.CONSULTATION)
_CREDENTIALS = (LicenceKind.ACCREDITATION, LicenceKind.SPECIALIST_CERTIFICATE)


async def check_person(viewer: Viewer, person: Practitioner, shift: Shift, field: str) -> None:
    """Whether the person may have the shift, whose row need not be theirs yet.

    The person's row is locked by the caller, so that no other shift becomes theirs meanwhile.
    Overlap is left to the database. Raises PractitionerDismissed, ProfessionMismatch,
    CredentialExpired, RestTooShort about ``field``.
    """
    if person.status is PractitionerStatus.DISMISSED:
        raise PractitionerDismissed(field)
    if shift.profession is not None and shift.profession is not person.profession:
        raise ProfessionMismatch(field, profession=shift.profession.value)
    if person.profession is Profession.NURSE and shift.kind in _OF_DOCTORS:
        raise ProfessionMismatch(field, profession=Profession.DOCTOR.value)
    await check_credentials(viewer, person, shift, field)
    await check_rest(person, shift, field)


async def check_credentials(viewer: Viewer, person: Practitioner, shift: Shift, field: str) -> None:
    """Refuses a person all of whose credentials are out of force; raises CredentialExpired.

    One without any at all passes: the registry of an imported person is not complete yet.
    """
    held = await Licence.filter(practitioner_id=person.id, kind__in=_CREDENTIALS)
    first_day = day_of(shift.starts_at, viewer.zone)
    if held and all(licence.status_on(first_day) is not LicenceStatus.VALID for licence in held):
        raise CredentialExpired(field, day=first_day)


async def check_rest(person: Practitioner, shift: Shift, field: str) -> None:
    """Refuses a shift too near to another of the person's; raises RestTooShort."""
    near = Shift.filter(practitioner_id=person.id, state__in=OCCUPYING).exclude(id=shift.id)
    before = near.filter(ends_at__lte=shift.starts_at, ends_at__gt=shift.starts_at - REST)
    after = near.filter(starts_at__gte=shift.ends_at, starts_at__lt=shift.ends_at + REST)
    if await before.exists() or await after.exists():
        raise RestTooShort(field, hours=REST // timedelta(hours=1))


def has_begun(shift: Shift, moment: datetime) -> bool:
    starts_at: datetime = shift.starts_at
    return starts_at <= moment

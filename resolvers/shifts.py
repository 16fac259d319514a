"""Shifts: planned, asked for, decided and cancelled, by the states of DOMAIN.md."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from tortoise.exceptions import IntegrityError

from auth.audit import record
from auth.rows import NotFound, find, lock
from auth.viewer import Viewer
from core.errors import Problem, Problems
from models.change import ChangeKind
from models.database import unit_of_work, violated
from models.feed import announce
from models.organisation import Department
from models.practitioner import Practitioner, Profession
from models.shift import OCCUPYING, Shift, ShiftKind, ShiftState
from resolvers.forms import DatesReversed, optional, prose
from resolvers.foureyes import check_other_eyes
from resolvers.shiftrules import check_credentials, check_person, has_begun
from resolvers.standing import ActionDenied, own_file
from resolvers.versions import check_version, next_version


class ShiftOverlaps(Problem):
    """The person has another shift at that time."""

    code = "SHIFT_OVERLAP"


class ShiftTaken(Problem):
    """Somebody else was quicker: the shift is no longer open."""

    code = "SHIFT_TAKEN"


class ShiftStateWrong(Problem):
    """The shift's state does not allow this."""

    code = "SHIFT_STATE"


class ShiftBegun(Problem):
    """The shift has begun."""

    code = "SHIFT_BEGUN"


class ShiftTooLong(Problem):
    """Longer than anybody may work at a stretch."""

    code = "SHIFT_TOO_LONG"


LONGEST = timedelta(hours=24)
_NOTE = prose(1000)
_REASON = prose(400)


@unit_of_work
async def plan_shift(
    viewer: Viewer,
    *,
    department_id: UUID,
    kind: ShiftKind,
    starts_at: datetime,
    ends_at: datetime,
    practitioner_id: UUID | None = None,
    profession: Profession | None = None,
    note: str | None = None,
) -> Shift:
    """Plans a shift: PLANNED for a person, or OPEN for whoever asks first.

    That of a person may have begun or be over: work that was done is entered late.

    Raises Problems (NotFound, DatesReversed, ShiftTooLong, ShiftBegun, TooLong) and, about the
    person, those of ``check_person`` and ShiftOverlaps.
    """
    ward = await find(viewer, Department, department_id, "department_id")
    shift = Shift(
        organisation_id=ward.organisation_id,
        department_id=ward.id,
        practitioner_id=practitioner_id,
        kind=kind,
        profession=profession,
        state=ShiftState.OPEN if practitioner_id is None else ShiftState.PLANNED,
        starts_at=starts_at.replace(microsecond=0),
        ends_at=ends_at.replace(microsecond=0),
        note=optional(note, _NOTE, "note"),
    )
    _check_times(viewer, shift)
    if practitioner_id is not None:
        person = await lock(viewer, Practitioner, practitioner_id, "practitioner_id")
        if person.organisation_id != ward.organisation_id:
            raise NotFound("practitioner_id")
        await check_person(viewer, person, shift, "practitioner_id")
    await _save(shift, "starts_at")
    await _tell(shift)
    record(viewer, "SHIFT_PLANNED", shift, about=practitioner_id)
    return shift


@unit_of_work
async def request_shift(viewer: Viewer, *, id: UUID, note: str | None = None) -> Shift:
    """Asks for an open shift: the first who does has it, until it is decided.

    Raises WithoutFile, NotFound, ShiftTaken, ShiftStateWrong, ShiftBegun, Problems, those of
    ``check_person`` and ShiftOverlaps.
    """
    # The person before the shift: two shifts at once for one person would else deadlock.
    person = await own_file(viewer)
    shift = await lock(viewer, Shift, id)
    if shift.state in OCCUPYING and shift.practitioner_id != person.id:
        raise ShiftTaken("id")
    _expect(viewer, shift, ShiftState.OPEN)
    _expect_before_start(viewer, shift)
    if person.organisation_id != shift.organisation_id:
        raise NotFound("id")
    await check_person(viewer, person, shift, "id")
    shift.practitioner_id, shift.state = person.id, ShiftState.REQUESTED
    shift.note = optional(note, _NOTE, "note") or shift.note
    next_version(shift)
    await _save(shift, "id")
    await _tell(shift)
    record(viewer, "SHIFT_REQUESTED", shift, about=person.id)
    return shift


@unit_of_work
async def withdraw_shift_request(viewer: Viewer, *, id: UUID) -> Shift:
    """Takes one's own request back: the shift is open again.

    Raises NotFound, ActionDenied, ShiftStateWrong, ShiftBegun.
    """
    shift = await lock(viewer, Shift, id)
    person_id = shift.practitioner_id
    if person_id is None or person_id != viewer.practitioner_id:
        raise ActionDenied("id")
    _expect(viewer, shift, ShiftState.REQUESTED)
    _expect_before_start(viewer, shift)
    await _tell(shift)
    shift.update_from_dict({"practitioner_id": None, "state": ShiftState.OPEN, "note": None})
    next_version(shift)
    await shift.save()
    record(viewer, "SHIFT_REQUEST_WITHDRAWN", shift, about=person_id)
    return shift


@unit_of_work
async def approve_shift(viewer: Viewer, *, id: UUID) -> Shift:
    """Approves a requested or planned shift.

    Raises NotFound, ShiftStateWrong, CredentialExpired, SelfApproval.
    """
    shift = await lock(viewer, Shift, id)
    _expect(viewer, shift, ShiftState.REQUESTED, ShiftState.PLANNED)
    person = await Practitioner.get(id=shift.practitioner_id)
    await check_credentials(viewer, person, shift, "id")
    details: dict[str, Any] = {}
    if person.id == viewer.practitioner_id:
        home, ward = shift.organisation_id, shift.department_id
        details = await check_other_eyes(viewer, organisation_id=home, department_id=ward)
    await _decide(viewer, shift, ShiftState.APPROVED)
    record(viewer, "SHIFT_APPROVED", shift, about=person.id, **details)
    return shift


@unit_of_work
async def decline_shift(viewer: Viewer, *, id: UUID, reason: str | None = None) -> Shift:
    """Declines a request. The work is still to be done: an open shift takes its place.

    Raises NotFound, ShiftStateWrong, Problems.
    """
    shift = await lock(viewer, Shift, id)
    _expect(viewer, shift, ShiftState.REQUESTED)
    shift.decision_reason = optional(reason, _REASON, "reason")
    await _decide(viewer, shift, ShiftState.DECLINED)
    record(viewer, "SHIFT_DECLINED", shift, about=shift.practitioner_id)
    await _open_again(viewer, shift)
    return shift


@unit_of_work
async def cancel_shift(viewer: Viewer, *, id: UUID, reason: str | None = None) -> Shift:
    """Cancels a shift before its start. Raises NotFound, ShiftStateWrong, ShiftBegun, Problems."""
    shift = await lock(viewer, Shift, id)
    _expect(viewer, shift, ShiftState.OPEN, *OCCUPYING)
    _expect_before_start(viewer, shift)
    shift.decision_reason = optional(reason, _REASON, "reason")
    await _decide(viewer, shift, ShiftState.CANCELLED)
    record(viewer, "SHIFT_CANCELLED", shift, about=shift.practitioner_id)
    return shift


@unit_of_work
async def update_shift_note(viewer: Viewer, *, id: UUID, version: int, note: str | None) -> Shift:
    """Changes the note of a shift, by those who may read it.

    Raises NotFound, Stale, ActionDenied, Problems.
    """
    shift = await lock(viewer, Shift, id)
    check_version(shift, version)
    # Where the role has cells that are only one's own, the note of another's shift is one.
    is_own = shift.practitioner_id is not None and shift.practitioner_id == viewer.practitioner_id
    if viewer.rights.models[Shift].cells and not is_own:
        raise ActionDenied("id")
    shift.note = optional(note, _NOTE, "note")
    next_version(shift)
    await shift.save()
    await _tell(shift)
    record(viewer, "SHIFT_NOTE_UPDATED", shift, about=shift.practitioner_id)
    return shift


async def release_shifts(viewer: Viewer, person: Practitioner) -> None:
    """Cancels the shifts that a person has yet to begin and opens each to others.

    Inside the caller's unit of work, which holds the person's row.
    """
    to_come = Shift.filter(practitioner_id=person.id, state__in=OCCUPYING, starts_at__gt=viewer.now)
    for shift in await to_come.order_by("starts_at").select_for_update(no_key=True):
        await _decide(viewer, shift, ShiftState.CANCELLED)
        record(viewer, "SHIFT_CANCELLED", shift, about=person.id)
        await _open_again(viewer, shift)


def _check_times(viewer: Viewer, shift: Shift) -> None:
    problems: list[Problem] = []
    if shift.ends_at <= shift.starts_at:
        problems.append(DatesReversed("ends_at"))
    elif shift.duration > LONGEST:
        problems.append(ShiftTooLong("ends_at", hours=LONGEST // timedelta(hours=1)))
    # Work that somebody did may be entered later; nobody can ask for work that has begun.
    if shift.state is ShiftState.OPEN and has_begun(shift, viewer.now):
        problems.append(ShiftBegun("starts_at"))
    if problems:
        raise Problems(problems)


def _expect(viewer: Viewer, shift: Shift, *states: ShiftState) -> None:
    status = shift.status_at(viewer.now)
    if status.value not in {state.value for state in states}:
        raise ShiftStateWrong("id", status=status)


def _expect_before_start(viewer: Viewer, shift: Shift) -> None:
    if has_begun(shift, viewer.now):
        raise ShiftBegun("id")


async def _decide(viewer: Viewer, shift: Shift, state: ShiftState) -> None:
    shift.state = state
    shift.decided_by_id, shift.decided_at = viewer.account_id, viewer.now
    next_version(shift)
    await shift.save()
    await _tell(shift)


async def _open_again(viewer: Viewer, shift: Shift) -> None:
    if has_begun(shift, viewer.now):
        return
    # Without the note: that was the person's own.
    copy = await Shift.create(
        organisation_id=shift.organisation_id,
        department_id=shift.department_id,
        kind=shift.kind,
        profession=shift.profession,
        starts_at=shift.starts_at,
        ends_at=shift.ends_at,
    )
    record(viewer, "SHIFT_OPENED", copy, instead_of=str(shift.id))


async def _save(shift: Shift, field: str) -> None:
    try:
        await shift.save()
    except IntegrityError as error:
        if violated(error) != "shift_no_overlap":
            raise
        raise ShiftOverlaps(field) from None


async def _tell(shift: Shift) -> None:
    """Lets the worker's open subscriptions know."""
    if shift.practitioner_id is None:
        return
    person = await Practitioner.get(id=shift.practitioner_id).only("id", "account_id")
    if person.account_id is not None:
        announce(ChangeKind.SHIFT, account_id=person.account_id, subject_id=shift.id)

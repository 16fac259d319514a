"""The catalogue of courses: announced and changed by the administration."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from tortoise.exceptions import IntegrityError

from auth.audit import record
from auth.rows import lock
from auth.viewer import Viewer
from core.errors import Problem
from models import identifiers
from models.course import Course, CourseAudience
from models.database import unit_of_work, violated
from resolvers.forms import (
    Check,
    DatesReversed,
    as_given,
    complete,
    day,
    prose,
    read,
    refuse,
    text,
    whole,
)
from resolvers.standing import ActionDenied, is_limited, organisation_of
from resolvers.versions import check_version, next_version


class SeatsBelowTaken(Problem):
    """More people are enrolled than there would be seats."""

    code = "SEATS_BELOW_TAKEN"


_NEEDED = ("title", "provider", "credits", "starts_on", "ends_on", "seats")
_CHECKS: dict[str, Check] = {
    "title": text(400),
    "description": prose(10_000),
    "provider": text(400),
    "audience": as_given,
    "credits": whole(1, 2_000),
    "starts_on": day,
    "ends_on": day,
    "seats": whole(1, 10_000),
    "curator_name": text(200),
    "curator_phone": identifiers.phone,
    "curator_email": identifiers.email,
}


@unit_of_work
async def create_course(
    viewer: Viewer, *, organisation_id: UUID | None = None, **values: Any
) -> Course:
    """Announces a course; ``credits`` are academic hours.

    A course belongs to the whole organisation: raises ActionDenied where the caller's role holds
    in a department only. Raises NotFound, and Problems: Required, TooLong, OutOfRange,
    DatesReversed, PhoneInvalid, EmailInvalid.
    """
    home = organisation_of(viewer, organisation_id)
    if is_limited(viewer, home):
        raise ActionDenied
    course = Course(organisation_id=home, audience=CourseAudience.EVERYONE)
    if values.get("audience") is None:
        values.pop("audience", None)
    await _write(course, complete(values, _NEEDED))
    record(viewer, "COURSE_CREATED", course)
    return course


@unit_of_work
async def update_course(viewer: Viewer, *, id: UUID, version: int, **changes: Any) -> Course:
    """Changes the named values of a course.

    Raises NotFound, Stale, and Problems as ``create_course`` does, and SeatsBelowTaken.
    """
    course = await lock(viewer, Course, id)
    if is_limited(viewer, course.organisation_id):
        raise ActionDenied("id")
    check_version(course, version)
    await _write(course, changes)
    record(viewer, "COURSE_UPDATED", course, fields=sorted(changes))
    return course


async def _write(course: Course, values: Mapping[str, Any]) -> None:
    problems: list[Problem] = []
    stored = read(values, _CHECKS, required=(*_NEEDED, "audience"), problems=problems)
    starts_on = stored.get("starts_on", course.starts_on)
    ends_on = stored.get("ends_on", course.ends_on)
    if starts_on is not None and ends_on is not None and ends_on < starts_on:
        problems.append(DatesReversed("ends_on"))
    if stored.get("seats", course.seats_taken) < course.seats_taken:
        problems.append(SeatsBelowTaken("seats", taken=course.seats_taken))
    refuse(problems)

    course.update_from_dict(stored)
    if not course._saved_in_db:
        await course.save()
        return
    next_version(course)
    try:
        # Not the seats taken: those are moved by enrolments alone.
        await course.save(update_fields=[*stored, "version"])
    except IntegrityError as error:
        if violated(error) != "course_seats":
            raise
        raise SeatsBelowTaken("seats", taken=course.seats_taken) from None

"""Enrolments: a worker takes a seat in a course, is confirmed in it, and gives it back."""

from datetime import date
from uuid import UUID

from tortoise.exceptions import IntegrityError
from tortoise.expressions import F

from auth.audit import record
from auth.rows import find, lock
from auth.viewer import Viewer
from core.errors import Problem, Problems
from core.settings import Settings
from models.account import Account
from models.course import Course, Enrolment, EnrolmentStatus
from models.database import unit_of_work, violated
from models.practitioner import Practitioner, PractitionerStatus
from resolvers.own_password import has_expired
from resolvers.standing import PractitionerDismissed, own_file
from resolvers.versions import next_version


class ProfileIncomplete(Problem):
    """A value of the worker's file that a course needs is missing, or the password has expired."""

    code = "PROFILE_INCOMPLETE"


class CourseFull(Problem):
    """The last seat is taken."""

    code = "COURSE_FULL"


class CourseStarted(Problem):
    """The course has begun."""

    code = "COURSE_STARTED"


class AlreadyEnrolled(Problem):
    """The worker has a seat in this course."""

    code = "ALREADY_ENROLLED"


class WishedDateOutside(Problem):
    """A wished start that is past, or after the course."""

    code = "DATE_OUT_OF_RANGE"


class EnrolmentStateWrong(Problem):
    """The enrolment's state does not allow this."""

    code = "ENROLMENT_STATE"


class CancelTooLate(Problem):
    """The course has begun: the seat cannot be given back."""

    code = "CANCEL_TOO_LATE"


_CONTACTS = ("personal_phone", "personal_email", "work_phone", "work_email")


@unit_of_work
async def enrol(
    viewer: Viewer, *, settings: Settings, course_id: UUID, wished_start_on: date | None = None
) -> Enrolment:
    """Takes a seat for the caller; among those who race for the last one, one has it.

    Raises WithoutFile, NotFound, PractitionerDismissed, Problems (ProfileIncomplete),
    CourseStarted, WishedDateOutside, AlreadyEnrolled, CourseFull.
    """
    person = await own_file(viewer)
    course = await find(viewer, Course, course_id, "course_id")
    if person.status is PractitionerStatus.DISMISSED:
        raise PractitionerDismissed
    _check_profile(person, await _has_expired_password(viewer, settings))
    if course.starts_on <= viewer.today:
        raise CourseStarted("course_id")
    if wished_start_on is not None and not viewer.today <= wished_start_on <= course.ends_on:
        raise WishedDateOutside("wished_start_on")
    living = Enrolment.filter(course_id=course.id, practitioner_id=person.id)
    if await living.exclude(status=EnrolmentStatus.CANCELLED).exists():
        raise AlreadyEnrolled("course_id")

    free = Course.filter(id=course.id, seats_taken__lt=F("seats"))
    if not await free.update(seats_taken=F("seats_taken") + 1):
        raise CourseFull("course_id")
    enrolment = Enrolment(
        organisation_id=course.organisation_id,
        course_id=course.id,
        practitioner_id=person.id,
        wished_start_on=wished_start_on,
    )
    try:
        await enrolment.save()
    except IntegrityError as error:
        if not _is_second(violated(error)):
            raise
        raise AlreadyEnrolled("course_id") from None
    record(viewer, "ENROLLED", enrolment, about=person.id)
    return enrolment


@unit_of_work
async def confirm_enrolment(viewer: Viewer, *, id: UUID) -> Enrolment:
    """Confirms a requested seat. Raises NotFound, EnrolmentStateWrong."""
    enrolment = await lock(viewer, Enrolment, id)
    _expect(enrolment, EnrolmentStatus.REQUESTED)
    await _decide(viewer, enrolment, EnrolmentStatus.CONFIRMED)
    record(viewer, "ENROLMENT_CONFIRMED", enrolment, about=enrolment.practitioner_id)
    return enrolment


@unit_of_work
async def cancel_enrolment(viewer: Viewer, *, id: UUID) -> Enrolment:
    """Gives a seat back before the course begins.

    Raises NotFound, EnrolmentStateWrong, CancelTooLate.
    """
    # The course before the enrolment, as in enrolling: two of them would else deadlock.
    course_id = (await find(viewer, Enrolment, id)).course_id
    course = await Course.filter(id=course_id).select_for_update(no_key=True).get()
    enrolment = await lock(viewer, Enrolment, id)
    _expect(enrolment, EnrolmentStatus.REQUESTED, EnrolmentStatus.CONFIRMED)
    if course.starts_on <= viewer.today:
        raise CancelTooLate("id", began=course.starts_on)
    await _decide(viewer, enrolment, EnrolmentStatus.CANCELLED)
    await Course.filter(id=course_id).update(seats_taken=F("seats_taken") - 1)
    record(viewer, "ENROLMENT_CANCELLED", enrolment, about=enrolment.practitioner_id)
    return enrolment


async def _has_expired_password(viewer: Viewer, settings: Settings) -> bool:
    account = await Account.get(id=viewer.account_id)
    return has_expired(account, viewer.now, settings.sign_in.password_age)


def _check_profile(person: Practitioner, has_expired_password: bool) -> None:
    missing: list[Problem] = []
    if person.specialty_id is None:
        missing.append(ProfileIncomplete("specialty_id"))
    if not any(getattr(person, contact) for contact in _CONTACTS):
        missing.append(ProfileIncomplete("personal_phone"))
    if has_expired_password:
        missing.append(ProfileIncomplete("password"))
    if missing:
        raise Problems(missing)


def _expect(enrolment: Enrolment, *statuses: EnrolmentStatus) -> None:
    if enrolment.status not in statuses:
        raise EnrolmentStateWrong("id", status=enrolment.status)


async def _decide(viewer: Viewer, enrolment: Enrolment, status: EnrolmentStatus) -> None:
    enrolment.status, enrolment.decided_at = status, viewer.now
    next_version(enrolment)
    await enrolment.save()


def _is_second(name: str) -> bool:
    # SQLite names the columns of a partial index; PostgreSQL the index.
    return name == "enrolment_once" or "enrolment.course_id" in name

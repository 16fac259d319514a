"""Courses and enrolments: what a course needs, who may enrol, and who has the last seat."""

import asyncio
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from auth.rows import NotFound
from auth.viewer import Viewer
from core.errors import Problem, Problems
from models.account import Account
from models.course import Course, CourseAudience, Enrolment, EnrolmentStatus
from models.practitioner import Practitioner, PractitionerStatus, Profession
from resolvers import courses, enrolments
from resolvers.enrolments import (
    AlreadyEnrolled,
    CancelTooLate,
    CourseFull,
    CourseStarted,
    EnrolmentStateWrong,
    WishedDateOutside,
)
from resolvers.standing import PractitionerDismissed, WithoutFile
from resolvers.versions import Stale
from tests import factories as make
from tests.auth.entrance import settings
from tests.resolvers import callers
from tests.resolvers.callers import journal, problems_of

TODAY = make.NOW.date()
VALUES: dict[str, Any] = {
    "title": "Неотложная помощь",
    "provider": "РМАНПО",
    "credits": 36,
    "starts_on": date(2026, 5, 1),
    "ends_on": date(2026, 5, 20),
    "seats": 10,
}


async def learner(ward: Any, **values: Any) -> tuple[Viewer, Practitioner]:
    """A worker whose file has all that a course needs."""
    specialty = await make.specialty()
    return await callers.worker(
        ward, **{"specialty": specialty, "work_phone": "+74951234567", **values}
    )


async def enrol(viewer: Viewer, **values: Any) -> Enrolment:
    return await enrolments.enrol(viewer, settings=settings(Path()), **values)


async def test_a_course_is_announced(database: str) -> None:
    organisation = await make.organisation()
    admin = await callers.administrator(organisation)

    made = await courses.create_course(
        admin, **VALUES, curator_phone="84951234567", description="Первая строка\nВторая"
    )

    row = await Course.get(id=made.id)
    assert {name: getattr(row, name) for name in VALUES} == VALUES
    assert (row.audience, row.seats_taken, row.curator_phone, row.description) == (
        CourseAudience.EVERYONE,
        0,
        "+74951234567",
        "Первая строка\nВторая",
    )
    assert await journal() == [("COURSE_CREATED", "Course", None)]


async def test_every_wrong_value_of_a_course_is_named(database: str) -> None:
    admin = await callers.administrator(await make.organisation())

    with pytest.raises(Problems) as refused:
        await courses.create_course(
            admin,
            credits=0,
            seats=2_000_000_000,
            starts_on=date(2026, 5, 2),
            ends_on=date(2026, 5, 1),
            curator_email="куратор",
        )

    assert sorted(problems_of(refused)) == [
        ("DATES_REVERSED", "ends_on"),
        ("EMAIL_INVALID", "curator_email"),
        ("OUT_OF_RANGE", "credits"),
        ("OUT_OF_RANGE", "seats"),
        ("REQUIRED", "provider"),
        ("REQUIRED", "title"),
    ]


async def test_seats_are_not_taken_from_those_who_sit(database: str) -> None:
    organisation = await make.organisation()
    admin = await callers.administrator(organisation)
    course = await make.course(organisation, seats=5, seats_taken=3)

    fewer = await courses.update_course(admin, id=course.id, version=1, seats=3)
    with pytest.raises(Problems) as refused:
        await courses.update_course(admin, id=course.id, version=2, seats=2)
    with pytest.raises(Stale):
        await courses.update_course(admin, id=course.id, version=1, title="Старое")

    assert (fewer.seats, fewer.seats_taken, fewer.version) == (3, 3, 2)
    assert problems_of(refused) == [("SEATS_BELOW_TAKEN", "seats")]


async def test_a_renamed_course_is_found_by_its_new_name(database: str) -> None:
    organisation = await make.organisation()
    admin = await callers.administrator(organisation)
    course = await make.course(organisation)

    await courses.update_course(admin, id=course.id, version=1, title="Ёмкости и шприцы")

    assert (await Course.get(id=course.id)).title_folded == "емкости и шприцы"


async def test_a_worker_takes_a_seat_is_confirmed_and_gives_it_back(database: str) -> None:
    organisation = await make.organisation()
    doctor, person = await learner(await make.department(organisation))
    admin = await callers.administrator(organisation)
    course = await make.course(organisation, seats=1)

    enrolment = await enrol(doctor, course_id=course.id, wished_start_on=date(2026, 5, 2))
    assert (enrolment.status, enrolment.practitioner_id, enrolment.wished_start_on) == (
        EnrolmentStatus.REQUESTED,
        person.id,
        date(2026, 5, 2),
    )
    assert (await Course.get(id=course.id)).seats_taken == 1

    confirmed = await enrolments.confirm_enrolment(admin, id=enrolment.id)
    assert (confirmed.status, confirmed.decided_at) == (EnrolmentStatus.CONFIRMED, make.NOW)

    cancelled = await enrolments.cancel_enrolment(doctor, id=enrolment.id)
    assert (cancelled.status, cancelled.version) == (EnrolmentStatus.CANCELLED, 3)
    assert (await Course.get(id=course.id)).seats_taken == 0

    again = await enrol(doctor, course_id=course.id)
    assert again.id != enrolment.id
    assert [action for action, *_ in await journal()] == [
        "ENROLLED",
        "ENROLMENT_CONFIRMED",
        "ENROLMENT_CANCELLED",
        "ENROLLED",
    ]


async def test_an_incomplete_file_is_named_field_by_field(database: str) -> None:
    organisation = await make.organisation()
    doctor, _ = await callers.worker(await make.department(organisation))
    course = await make.course(organisation)

    with pytest.raises(Problems) as refused:
        await enrol(doctor, course_id=course.id)

    assert problems_of(refused) == [
        ("PROFILE_INCOMPLETE", "specialty_id"),
        ("PROFILE_INCOMPLETE", "personal_phone"),
    ]
    assert (await Course.get(id=course.id)).seats_taken == 0


@pytest.mark.parametrize(("days", "refused"), [(364, []), (365, ["password"])])
async def test_an_expired_password_keeps_one_from_enrolling(
    database: str, days: int, refused: list[str]
) -> None:
    organisation = await make.organisation()
    doctor, _ = await learner(await make.department(organisation))
    await Account.filter(id=doctor.account_id).update(
        password_hash="a hash", password_changed_at=make.NOW - timedelta(days=days)
    )
    course = await make.course(organisation)

    try:
        await enrol(doctor, course_id=course.id)
        found = []
    except Problems as raised:
        found = [problem.field for problem in raised.problems]

    assert found == refused


async def test_a_course_for_others_is_not_found(database: str) -> None:
    organisation = await make.organisation()
    nurse, _ = await learner(await make.department(organisation), profession=Profession.NURSE)
    course = await make.course(organisation, audience=CourseAudience.DOCTORS)

    with pytest.raises(NotFound) as refused:
        await enrol(nurse, course_id=course.id)

    assert refused.value.field == "course_id"


async def test_enrolling_is_for_workers(database: str) -> None:
    organisation = await make.organisation()
    ward = await make.department(organisation)
    course = await make.course(organisation)
    admin = await callers.administrator(organisation)
    gone, _ = await learner(ward, status=PractitionerStatus.DISMISSED)

    with pytest.raises(WithoutFile):
        await enrol(admin, course_id=course.id)
    with pytest.raises(PractitionerDismissed):
        await enrol(gone, course_id=course.id)


async def test_a_course_that_has_begun_takes_nobody(database: str) -> None:
    organisation = await make.organisation()
    doctor, _ = await learner(await make.department(organisation))
    course = await make.course(organisation, starts_on=TODAY)

    with pytest.raises(CourseStarted):
        await enrol(doctor, course_id=course.id)


@pytest.mark.parametrize("day", [TODAY - timedelta(days=1), date(2026, 5, 21)])
async def test_the_wished_day_lies_before_the_end(database: str, day: date) -> None:
    organisation = await make.organisation()
    doctor, _ = await learner(await make.department(organisation))
    course = await make.course(organisation)

    with pytest.raises(WishedDateOutside) as refused:
        await enrol(doctor, course_id=course.id, wished_start_on=day)

    assert refused.value.field == "wished_start_on"


async def test_a_seat_is_not_given_back_after_the_start(database: str) -> None:
    organisation = await make.organisation()
    ward = await make.department(organisation)
    doctor, _ = await learner(ward)
    course = await make.course(organisation)
    enrolment = await enrol(doctor, course_id=course.id)
    await Course.filter(id=course.id).update(starts_on=TODAY)

    with pytest.raises(CancelTooLate):
        await enrolments.cancel_enrolment(doctor, id=enrolment.id)

    assert (await Course.get(id=course.id)).seats_taken == 1


async def test_anothers_seat_is_not_found(database: str) -> None:
    organisation = await make.organisation()
    ward = await make.department(organisation)
    doctor, _ = await learner(ward)
    colleague, _ = await learner(ward)
    enrolment = await enrol(doctor, course_id=(await make.course(organisation)).id)

    with pytest.raises(NotFound):
        await enrolments.cancel_enrolment(colleague, id=enrolment.id)


async def test_a_cancelled_seat_is_neither_confirmed_nor_cancelled(database: str) -> None:
    organisation = await make.organisation()
    doctor, _ = await learner(await make.department(organisation))
    admin = await callers.administrator(organisation)
    course = await make.course(organisation)
    enrolment = await enrol(doctor, course_id=course.id)
    await enrolments.cancel_enrolment(admin, id=enrolment.id)

    for operation in (enrolments.confirm_enrolment, enrolments.cancel_enrolment):
        with pytest.raises(EnrolmentStateWrong) as refused:
            await operation(admin, id=enrolment.id)
        assert refused.value.values == {"status": "CANCELLED"}
    assert (await Course.get(id=course.id)).seats_taken == 0


async def test_sixteen_race_for_ten_seats_and_ten_have_one(database: str) -> None:
    organisation = await make.organisation()
    ward = await make.department(organisation)
    racers = [await learner(ward) for _ in range(16)]
    course = await make.course(organisation, seats=10)

    outcomes = await asyncio.gather(
        *(enrol(viewer, course_id=course.id) for viewer, _ in racers),
        return_exceptions=True,
    )

    assert [type(outcome) for outcome in outcomes].count(Enrolment) == 10
    assert [type(outcome) for outcome in outcomes].count(CourseFull) == 6
    assert (await Course.get(id=course.id)).seats_taken == 10
    assert await Enrolment.all().count() == 10


async def test_one_person_racing_with_themself_has_one_seat(database: str) -> None:
    organisation = await make.organisation()
    doctor, _ = await learner(await make.department(organisation))
    course = await make.course(organisation)

    outcomes = await asyncio.gather(
        *(enrol(doctor, course_id=course.id) for _ in range(5)),
        return_exceptions=True,
    )

    assert [type(outcome) for outcome in outcomes].count(AlreadyEnrolled) == 4
    assert (await Course.get(id=course.id)).seats_taken == 1


async def test_a_seat_given_back_twice_at_once_is_given_back_once(database: str) -> None:
    organisation = await make.organisation()
    doctor, _ = await learner(await make.department(organisation))
    course = await make.course(organisation, seats_taken=1)
    enrolment = await enrol(doctor, course_id=course.id)

    outcomes = await asyncio.gather(
        *(enrolments.cancel_enrolment(doctor, id=enrolment.id) for _ in range(4)),
        enrol(doctor, course_id=course.id),
        return_exceptions=True,
    )

    assert all(isinstance(outcome, Enrolment | Problem) for outcome in outcomes)
    living = await Enrolment.exclude(status=EnrolmentStatus.CANCELLED).count()
    assert (await Course.get(id=course.id)).seats_taken == 1 + living

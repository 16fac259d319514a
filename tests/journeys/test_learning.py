"""Journey 17: a worker enrols in a course, is confirmed, sees the curator, and cancels."""

import asyncio

from models.course import Course, CourseAudience, Enrolment, EnrolmentStatus
from models.practitioner import Practitioner
from tests import factories as make
from tests.journeys.hospital import Caller, Hospital, day, journal

COURSES = "{ courses { totalCount nodes { title seatsLeft } } }"


async def learner(hospital: Hospital, nurse: bool = False) -> Caller:
    """Somebody whose file says what a course needs to know."""
    worker = hospital.nurse if nurse else hospital.doctor
    return await worker(specialty=await make.specialty(), work_email="worker@example.org")


async def course(hospital: Hospital, **values: object) -> Course:
    values = {"starts_on": day(20), "ends_on": day(40), **values}
    return await make.course(hospital.organisation, **values)


async def test_a_course_is_offered_and_a_worker_takes_a_seat_and_gives_it_back(
    hospital: Hospital,
) -> None:
    admin, doctor = await hospital.admin(), await learner(hospital)
    offered = await admin.does(
        "createCourse",
        "course { id version audience seatsLeft }",
        input={
            "title": "Неотложная кардиология",
            "provider": "РНИМУ",
            "credits": 36,
            "startsOn": day(20),
            "endsOn": day(40),
            "seats": 2,
            "audience": "DOCTORS",
            "curatorName": "Орлов П. П.",
            "curatorPhone": "8 495 123-45-67",
        },
    )
    course_id = offered["course"]["id"]
    assert offered["course"]["seatsLeft"] == 2

    taken = await doctor.does(
        "enrol",
        "enrolment { id status wishedStartOn course { title seatsLeft curatorName curatorPhone } }",
        courseId=course_id,
        wishedStartOn=day(21),
    )
    seat = taken["enrolment"].pop("id")
    assert taken["enrolment"] == {
        "status": "REQUESTED",
        "wishedStartOn": day(21).isoformat(),
        "course": {
            "title": "Неотложная кардиология",
            "seatsLeft": 1,
            "curatorName": "Орлов П. П.",
            "curatorPhone": "+74951234567",
        },
    }
    assert await doctor.refused("enrol", courseId=course_id) == [("ALREADY_ENROLLED", "courseId")]

    confirmed = await admin.does("confirmEnrolment", "enrolment { status }", id=seat)
    assert confirmed == {"enrolment": {"status": "CONFIRMED"}}
    assert await admin.refused("confirmEnrolment", id=seat) == [("ENROLMENT_STATE", "id")]
    seen = await doctor.sees(
        "{ me { enrolments { nodes { status decidedAt course { title } } } } }"
    )
    (own,) = seen["me"]["enrolments"]["nodes"]
    assert (own["status"], own["course"]) == ("CONFIRMED", {"title": "Неотложная кардиология"})
    assert own["decidedAt"] is not None

    cancelled = await doctor.does(
        "cancelEnrolment", "enrolment { status course { seatsLeft } }", id=seat
    )
    assert cancelled == {"enrolment": {"status": "CANCELLED", "course": {"seatsLeft": 2}}}
    assert await doctor.refused("cancelEnrolment", id=seat) == [("ENROLMENT_STATE", "id")]
    await doctor.does("enrol", courseId=course_id)
    assert (await journal())[-5:] == [
        ("COURSE_CREATED", "ADMIN", None),
        ("ENROLLED", "DOCTOR", doctor.file_id),
        ("ENROLMENT_CONFIRMED", "ADMIN", doctor.file_id),
        ("ENROLMENT_CANCELLED", "DOCTOR", doctor.file_id),
        ("ENROLLED", "DOCTOR", doctor.file_id),
    ]


async def test_courses_are_for_one_s_own_profession(hospital: Hospital) -> None:
    of_doctors, of_nurses, _ = [
        await course(hospital, title=audience.value, audience=audience)
        for audience in (CourseAudience.DOCTORS, CourseAudience.NURSES, CourseAudience.EVERYONE)
    ]
    doctor, nurse = await learner(hospital), await learner(hospital, nurse=True)
    for worker, other, titles in (
        (doctor, of_nurses, {"DOCTORS", "EVERYONE"}),
        (nurse, of_doctors, {"NURSES", "EVERYONE"}),
    ):
        seen = (await worker.sees(COURSES))["courses"]
        assert seen["totalCount"] == 2
        assert {one["title"] for one in seen["nodes"]} == titles
        assert await worker.refused("enrol", courseId=other.id) == [("NOT_FOUND", "courseId")]
        one = "query ($id: ID!) { course(id: $id) { title } }"
        assert await worker.sees(one, id=other.id) == {"course": None}


async def test_what_is_missing_in_the_file_is_named_field_by_field(hospital: Hospital) -> None:
    offered = await course(hospital)
    doctor = await hospital.doctor()
    assert await doctor.refused("enrol", courseId=offered.id) == [
        ("PROFILE_INCOMPLETE", "specialtyId"),
        ("PROFILE_INCOMPLETE", "personalPhone"),
    ]
    await doctor.does("updateMyFile", version=1, input={"personalPhone": "8 912 345-67-89"})
    assert await doctor.refused("enrol", courseId=offered.id) == [
        ("PROFILE_INCOMPLETE", "specialtyId")
    ]
    admin, specialty = await hospital.admin(), await make.specialty()
    await admin.does(
        "updatePractitioner", id=doctor.file_id, version=2, input={"specialtyId": specialty.id}
    )
    await doctor.does("enrol", courseId=offered.id)


async def test_a_full_course_is_full_until_a_seat_is_given_back(hospital: Hospital) -> None:
    offered = await course(hospital, seats=1)
    first, second = await learner(hospital), await learner(hospital)
    taken = await first.does("enrol", "enrolment { id }", courseId=offered.id)
    assert await second.refused("enrol", courseId=offered.id) == [("COURSE_FULL", "courseId")]
    assert await second.told("enrol", courseId=offered.id, language="ru") == [
        "На курсе не осталось мест."
    ]
    # Another's enrolment is not one's own to cancel.
    assert await second.refused("cancelEnrolment", id=taken["enrolment"]["id"]) == [
        ("NOT_FOUND", "id")
    ]
    await first.does("cancelEnrolment", id=taken["enrolment"]["id"])
    await second.does("enrol", courseId=offered.id)


async def test_of_twenty_who_race_for_the_last_seat_one_has_it(hospital: Hospital) -> None:
    offered = await course(hospital, seats=3, seats_taken=2)
    racers = [await learner(hospital) for _ in range(20)]
    answers = await asyncio.gather(
        *(racer.refused("enrol", courseId=offered.id) for racer in racers)
    )
    assert sorted(answers) == [[], *[[("COURSE_FULL", "courseId")]] * 19]
    await offered.refresh_from_db()
    assert (offered.seats_taken, await Enrolment.all().count()) == (3, 1)
    winner = racers[answers.index([])]
    assert (await Enrolment.get()).practitioner_id == winner.file_id


async def test_one_person_who_asks_many_times_at_once_has_one_seat(hospital: Hospital) -> None:
    offered = await course(hospital, seats=10)
    doctor = await learner(hospital)
    answers = await asyncio.gather(
        *(doctor.refused("enrol", courseId=offered.id) for _ in range(5))
    )
    assert sorted(answers) == [[], *[[("ALREADY_ENROLLED", "courseId")]] * 4]
    await offered.refresh_from_db()
    assert offered.seats_taken == 1


async def test_a_seat_is_not_given_back_once_the_course_has_begun(hospital: Hospital) -> None:
    begun = await course(hospital, starts_on=day(-1), seats_taken=1)
    doctor = await learner(hospital)
    assert doctor.file is not None
    seat = await Enrolment.create(
        organisation=hospital.organisation,
        course=begun,
        practitioner=doctor.file,
        status=EnrolmentStatus.CONFIRMED,
    )
    assert await doctor.refused("cancelEnrolment", id=seat.id) == [("CANCEL_TOO_LATE", "id")]
    assert await (await learner(hospital)).refused("enrol", courseId=begun.id) == [
        ("COURSE_STARTED", "courseId")
    ]


async def test_a_wished_day_lies_between_now_and_the_end(hospital: Hospital) -> None:
    offered = await course(hospital)
    doctor = await learner(hospital)
    for wished in (day(-2), day(41)):
        assert await doctor.refused("enrol", courseId=offered.id, wishedStartOn=wished) == [
            ("DATE_OUT_OF_RANGE", "wishedStartOn")
        ]


async def test_seats_cannot_go_below_those_taken(hospital: Hospital) -> None:
    offered = await course(hospital, seats=5, seats_taken=2)
    admin = await hospital.admin()
    assert await admin.refused(
        "updateCourse", id=offered.id, version=1, input={"seats": 1, "endsOn": day(19)}
    ) == [("DATES_REVERSED", "input.endsOn"), ("SEATS_BELOW_TAKEN", "input.seats")]
    changed = await admin.does(
        "updateCourse", "course { seatsLeft version }", id=offered.id, version=1, input={"seats": 2}
    )
    assert changed["course"] == {"seatsLeft": 0, "version": 2}
    assert await admin.refused("updateCourse", id=offered.id, version=1, input={"seats": 9}) == [
        ("CONFLICT", "version")
    ]


async def test_nobody_sees_who_else_is_enrolled(hospital: Hospital) -> None:
    offered = await course(hospital, seats_taken=1)
    other = await make.practitioner(hospital.therapy)
    await Enrolment.create(organisation=hospital.organisation, course=offered, practitioner=other)
    doctor = await learner(hospital)
    seen = await doctor.sees("{ courses { nodes { seatsLeft enrolments { totalCount } } } }")
    assert seen["courses"]["nodes"] == [{"seatsLeft": 9, "enrolments": {"totalCount": 0}}]
    assert await Practitioner.all().count() == 2


async def test_an_admin_of_one_department_changes_no_course_of_the_whole(
    hospital: Hospital,
) -> None:
    manager = await hospital.manager(hospital.therapy)
    whole = await course(hospital, title="Общий курс")
    offered = {
        "title": "Свой",
        "provider": "Кафедра",
        "credits": 1,
        "startsOn": day(10),
        "endsOn": day(11),
        "seats": 3,
    }

    assert await manager.refused("createCourse", input=offered) == [("DENIED", None)]
    assert await manager.refused(
        "updateCourse", id=whole.id, version=1, input={"title": "Захват"}
    ) == [("DENIED", "id")]
    assert [row.title for row in await Course.all()] == ["Общий курс"]

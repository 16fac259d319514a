"""The work and learning of the demo: shifts around today, courses, enrolments, applications."""

import random
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from core.clock import day_of
from models.application import Application, ApplicationKind, ApplicationStatus
from models.course import Course, CourseAudience, Enrolment, EnrolmentStatus
from models.organisation import Department
from models.practitioner import Practitioner, Profession
from models.shift import Shift, ShiftKind, ShiftState
from resolvers.applications import TIME_TO_DECIDE
from resolvers.demostaff import Staff

_DAYS_BACK, _DAYS_AHEAD = 21, 35
_MORNING = time(8)


def invent_shifts(
    chance: random.Random, staff: Staff, now: datetime, decided_by: UUID
) -> list[Shift]:
    """A rota for every ward: by day and by night, a doctor and a nurse.

    Five people take turns, so each has two days of rest: nothing overlaps. The clinic works
    by day only.
    """
    zone = ZoneInfo(staff.organisation.zone)
    today = day_of(now, staff.organisation.zone)
    shifts: list[Shift] = []
    for ward in staff.departments:
        for profession in (Profession.DOCTOR, Profession.NURSE):
            turns = staff.of(ward, profession)
            for offset in range(-_DAYS_BACK, _DAYS_AHEAD + 1):
                day = today + timedelta(days=offset)
                for place, (kind, starts, hours) in enumerate(_rota(ward, profession, day)):
                    person = turns[(2 * (offset + _DAYS_BACK) + place) % len(turns)]
                    starts_at = datetime.combine(day, starts, zone)
                    shift = Shift(
                        organisation_id=staff.organisation.id,
                        department_id=ward.id,
                        practitioner_id=person.id,
                        kind=kind,
                        profession=profession,
                        starts_at=starts_at,
                        ends_at=starts_at + timedelta(hours=hours),
                    )
                    shifts += _in_some_state(chance, shift, now, decided_by)
    return shifts


def _rota(ward: Department, profession: Profession, day: date) -> list[tuple[ShiftKind, time, int]]:
    """The kinds of a day's shifts, when each starts, and how many hours it lasts."""
    is_doctor = profession is Profession.DOCTOR
    if ward.code == "ПОЛ":
        if day.weekday() >= 5:
            return []
        if is_doctor:
            return [(ShiftKind.DAY, _MORNING, 6), (ShiftKind.CONSULTATION, time(14), 4)]
        return [(ShiftKind.DAY, _MORNING, 6), (ShiftKind.EVENING, time(14), 6)]
    if is_doctor and day.weekday() == 5:
        return [(ShiftKind.DUTY, _MORNING, 24)]
    if is_doctor and day.weekday() == 6:
        return [(ShiftKind.DUTY, _MORNING, 12), (ShiftKind.HOME_DUTY, time(20), 12)]
    return [(ShiftKind.DAY, _MORNING, 12), (ShiftKind.NIGHT, time(20), 12)]


def _in_some_state(
    chance: random.Random, shift: Shift, now: datetime, decided_by: UUID
) -> list[Shift]:
    """The shift in a state that is likely so many days from now; declined ones leave a copy."""
    ahead = shift.starts_at - now
    draw = chance.random()
    if ahead <= timedelta(0):
        shift.state = ShiftState.APPROVED if draw < 0.94 else ShiftState.CANCELLED
    elif draw < 0.04:
        shift.state = ShiftState.CANCELLED
    elif draw < 0.08:
        shift.state = ShiftState.DECLINED
    elif draw < 0.24:
        shift.update_from_dict({"state": ShiftState.OPEN, "practitioner_id": None})
    elif draw < 0.36:
        shift.state = ShiftState.REQUESTED
    elif ahead < timedelta(days=14):
        shift.state = ShiftState.APPROVED
    else:
        shift.state = ShiftState.PLANNED
    if shift.state in (ShiftState.APPROVED, ShiftState.CANCELLED, ShiftState.DECLINED):
        decided_at = min(now, shift.starts_at) - timedelta(days=3)
        shift.update_from_dict({"decided_by_id": decided_by, "decided_at": decided_at})
    if shift.state is not ShiftState.DECLINED:
        return [shift]
    copy = Shift(
        organisation_id=shift.organisation_id,
        department_id=shift.department_id,
        kind=shift.kind,
        profession=shift.profession,
        starts_at=shift.starts_at,
        ends_at=shift.ends_at,
    )
    return [shift, copy]


@dataclass(frozen=True, slots=True)
class Learning:
    """The courses of the demo and those who take part, not saved yet."""

    courses: list[Course] = field(default_factory=list)
    enrolments: list[Enrolment] = field(default_factory=list)


# Title, provider, for whom, hours, seats, begins in days, lasts days, how many take part.
_COURSES: list[tuple[str, str, CourseAudience, int, int, int, int, int]] = [
    (
        "Сердечно-лёгочная реанимация: практикум",
        "РНИМУ им. Н. И. Пирогова",
        CourseAudience.EVERYONE,
        18,
        40,
        21,
        3,
        14,
    ),
    (
        "Рациональная антибактериальная терапия",
        "РМАНПО",
        CourseAudience.DOCTORS,
        36,
        20,
        35,
        12,
        9,
    ),
    (
        "Современные технологии сестринского ухода",
        "Московский медицинский колледж № 1",
        CourseAudience.NURSES,
        72,
        25,
        28,
        20,
        11,
    ),
    (
        "Клинические рекомендации по острому коронарному синдрому",
        "НМИЦ кардиологии",
        CourseAudience.DOCTORS,
        18,
        6,
        14,
        2,
        6,
    ),
    (
        "Профилактика инфекций, связанных с оказанием медицинской помощи",
        "НИИ эпидемиологии",
        CourseAudience.EVERYONE,
        36,
        30,
        -60,
        15,
        12,
    ),
]
_FULL = 3
_PROFESSIONS = {
    CourseAudience.DOCTORS: (Profession.DOCTOR,),
    CourseAudience.NURSES: (Profession.NURSE,),
    CourseAudience.EVERYONE: (Profession.DOCTOR, Profession.NURSE),
}


def invent_learning(
    chance: random.Random, staff: Staff, now: datetime, heroes: list[Practitioner]
) -> Learning:
    """Courses to come and past. The heroes have a seat in the first and in the past one only,
    so that whoever tries the demo finds something to enrol in.
    """
    today = day_of(now, staff.organisation.zone)
    learning = Learning()
    for number, row in enumerate(_COURSES):
        title, provider, audience, credits, seats, begins, lasts, taken = row
        starts_on = today + timedelta(days=begins)
        others = [
            person
            for person in staff.people
            if person.profession in _PROFESSIONS[audience] and person not in heroes
        ]
        has_heroes = audience is CourseAudience.EVERYONE
        learners = [*heroes, *chance.sample(others, taken)] if has_heroes else []
        learners = learners or chance.sample(others, taken)
        course = Course(
            organisation_id=staff.organisation.id,
            title=title,
            provider=provider,
            audience=audience,
            credits=credits,
            seats=seats,
            seats_taken=len(learners),
            starts_on=starts_on,
            ends_on=starts_on + timedelta(days=lasts),
            description=f"{title}. {credits} академических часов.",
            curator_name="Орлова Мария Сергеевна",
            curator_phone="+74952170017",
            curator_email="courses@demo.cabinet.example",
        )
        learning.courses.append(course)
        learning.enrolments.extend(
            Enrolment(
                organisation_id=course.organisation_id,
                course_id=course.id,
                practitioner_id=person.id,
                **_standing(chance, begins, number, now),
            )
            for person in learners
        )
    return learning


def _standing(
    chance: random.Random, begins: int, number: int, now: datetime
) -> dict[str, EnrolmentStatus | datetime]:
    if begins < 0:
        return {"status": EnrolmentStatus.COMPLETED, "decided_at": now - timedelta(days=70)}
    if number == _FULL or chance.random() < 0.5:
        return {"status": EnrolmentStatus.CONFIRMED, "decided_at": now - timedelta(days=2)}
    return {"status": EnrolmentStatus.REQUESTED}


@dataclass(frozen=True, slots=True)
class Applicant:
    account_id: UUID
    practitioner_id: UUID | None
    kinds: tuple[ApplicationKind, ...]


_STATES = (
    ApplicationStatus.DRAFT,
    ApplicationStatus.SUBMITTED,
    ApplicationStatus.IN_REVIEW,
    ApplicationStatus.RETURNED,
    ApplicationStatus.APPROVED,
    ApplicationStatus.REJECTED,
)
_UNDECIDED = (ApplicationStatus.DRAFT, ApplicationStatus.SUBMITTED, ApplicationStatus.IN_REVIEW)


def invent_applications(
    staff: Staff, now: datetime, applicants: list[Applicant], decided_by: UUID
) -> list[Application]:
    """For each applicant one application of every kind named, in one state after another."""
    applications = []
    for applicant in applicants:
        for number, kind in enumerate(applicant.kinds):
            status = _STATES[(number + 1) % len(_STATES)]
            submitted_at = now - timedelta(days=12 - number)
            application = Application(
                organisation_id=staff.organisation.id,
                account_id=applicant.account_id,
                practitioner_id=applicant.practitioner_id,
                kind=kind,
                status=status,
                comment="Прошу рассмотреть.",
            )
            if status is not ApplicationStatus.DRAFT:
                term = day_of(submitted_at, staff.organisation.zone) + TIME_TO_DECIDE
                application.update_from_dict({"submitted_at": submitted_at, "due_on": term})
            if status not in _UNDECIDED:
                decided_at = submitted_at + timedelta(days=2)
                application.update_from_dict(
                    {"decided_at": decided_at, "decided_by_id": decided_by}
                )
            if status in (ApplicationStatus.RETURNED, ApplicationStatus.REJECTED):
                application.decision_reason = "Не приложен документ об образовании."
            applications.append(application)
    return applications

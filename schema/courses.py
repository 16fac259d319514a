"""Courses and enrolments, as clients see them."""

from auth.rights import Scope
from models.course import Course as CourseRow
from models.course import CourseAudience, EnrolmentStatus
from models.course import Enrolment as EnrolmentRow
from models.role import Role
from resolvers import courses, enrolments
from resolvers.pages import Term
from schema.directives import ANALYSED, ANALYSED_APART, aggregable, discloses, visible
from schema.operations import given, input_of, mutation, row
from schema.views import column, computed, enum_of, to_many, to_one, view_of

enum_of(CourseAudience)
enum_of(EnrolmentStatus)

DOCTOR, NURSE, ADMIN = Role.DOCTOR, Role.NURSE, Role.ADMIN
READERS = (DOCTOR, NURSE, ADMIN, Role.INSPECTOR, Role.ANALYST)
LEARNERS = (DOCTOR, NURSE, ADMIN)
# The catalogue is of nobody: an analyst sees it whole.
CATALOGUE = aggregable(ADMIN, Role.INSPECTOR, Role.ANALYST)
ADMINISTERED = aggregable(ADMIN)


@view_of(
    CourseRow,
    visible(DOCTOR, NURSE, rows=Scope.OWN),
    visible(ADMIN, Role.INSPECTOR, Role.ANALYST, rows=Scope.ALL),
    CATALOGUE,
    order=(Term("starts_on"),),
    one="course",
    many="courses",
)
class Course:
    """A course of further training with a limited number of seats."""

    id = column("ID", visible(*READERS), says="Its id.")
    title = column("str", visible(*READERS), says="Its title.")
    description = column("str | None", visible(*READERS), says="What it teaches.", filter=False)
    provider = column("str", visible(*READERS), says="Who teaches it.")
    audience = column("CourseAudience", visible(*READERS), CATALOGUE, says="For whom.")
    credits = column("int", visible(*READERS), CATALOGUE, says="Academic hours credited.")
    starts_on = column("date", visible(*READERS), CATALOGUE, says="Its first day.")
    ends_on = column("date", visible(*READERS), says="Its last day.")
    seats = column("int", visible(*READERS), CATALOGUE, says="How many seats there are.")
    seats_left = computed(
        "int",
        visible(*LEARNERS, Role.INSPECTOR),
        discloses("the number of enrolments of everybody"),
        says="How many seats are free.",
        value=lambda row, _: row.seats - row.seats_taken,
        less=("seats", "seats_taken"),
    )
    curator_name = column(
        "str | None", visible(*LEARNERS), says="Who looks after it.", filter=False
    )
    curator_phone = column("str | None", visible(*LEARNERS), says="Curator's phone.", filter=False)
    curator_email = column("str | None", visible(*LEARNERS), says="Curator's e-mail.", filter=False)
    enrolments = to_many(
        "Enrolment",
        visible(*LEARNERS),
        by="course_id",
        says="The enrolments that exist for the viewer.",
    )
    version = column("int", visible(ADMIN), says="To be given back by an edit.")


@view_of(
    EnrolmentRow,
    visible(DOCTOR, NURSE, rows=Scope.OWN),
    visible(ADMIN, rows=Scope.ALL),
    ADMINISTERED,
    ANALYSED,
    order=(Term("created_at", descending=True),),
    one="enrolment",
    many="enrolments",
)
class Enrolment:
    """A worker's seat in a course."""

    id = column("ID", visible(*LEARNERS), says="Its id.")
    course = to_one(
        "Course | None", visible(*LEARNERS), ADMINISTERED, ANALYSED, says="Which course."
    )
    practitioner = to_one("Practitioner | None", visible(*LEARNERS), says="Whose seat.")
    status = column(
        "EnrolmentStatus", visible(*LEARNERS), ADMINISTERED, ANALYSED, says="Where it stands."
    )
    wished_start_on = column("date | None", visible(*LEARNERS), says="When the worker would begin.")
    created_at = column(
        "datetime",
        visible(*LEARNERS),
        ADMINISTERED,
        ANALYSED_APART,
        says="When it was asked for.",
    )
    decided_at = column("datetime | None", visible(*LEARNERS), says="When it was decided.")
    version = column("int", visible(*LEARNERS), says="Grows with every change.")


@input_of(visible(ADMIN))
class CreateCourseInput:
    """A course to be offered."""

    title = given("str")
    description = given("str | None")
    provider = given("str")
    audience = given("CourseAudience | None", says="Everyone unless said.")
    credits = given("int", says="Academic hours.")
    starts_on = given("date")
    ends_on = given("date")
    seats = given("int")
    curator_name = given("str | None")
    curator_phone = given("str | None")
    curator_email = given("str | None")


@input_of(visible(ADMIN))
class UpdateCourseInput:
    """The values to change; one that is left out stays, and null clears."""

    title = given("str | None")
    description = given("str | None")
    provider = given("str | None")
    audience = given("CourseAudience | None")
    credits = given("int | None")
    starts_on = given("date | None")
    ends_on = given("date | None")
    seats = given("int | None")
    curator_name = given("str | None")
    curator_phone = given("str | None")
    curator_email = given("str | None")


mutation(
    courses.create_course,
    visible(ADMIN),
    says="Offers a course.",
    input="CreateCourseInput",
    returns=row("Course"),
)
mutation(
    courses.update_course,
    visible(ADMIN),
    says="Changes a course; seats cannot go below those taken.",
    input="UpdateCourseInput",
    returns=row("Course"),
)
mutation(
    enrolments.enrol,
    visible(DOCTOR, NURSE),
    says="Takes a seat. The last one is taken once.",
    returns=row("Enrolment"),
)
mutation(
    enrolments.confirm_enrolment,
    visible(ADMIN),
    says="Confirms an enrolment.",
    returns=row("Enrolment"),
)
mutation(
    enrolments.cancel_enrolment,
    visible(DOCTOR, NURSE, ADMIN),
    says="Gives a seat back, before the course begins.",
    returns=row("Enrolment"),
)

"""A course of further training, and a worker's enrolment in it."""

from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import UUID

from tortoise import fields

from models.fields import Folded, Moment, Text
from models.row import Row

if TYPE_CHECKING:
    from models.organisation import Organisation
    from models.practitioner import Practitioner


class CourseAudience(StrEnum):
    """For whom a course is offered."""

    DOCTORS = "DOCTORS"
    NURSES = "NURSES"
    EVERYONE = "EVERYONE"


class EnrolmentStatus(StrEnum):
    """REQUESTED and CONFIRMED take a seat; CANCELLED gives it back."""

    REQUESTED = "REQUESTED"
    CONFIRMED = "CONFIRMED"
    CANCELLED = "CANCELLED"
    COMPLETED = "COMPLETED"


class Course(Row):
    """A course with a limited number of seats; ``credits`` are academic hours."""

    organisation: fields.ForeignKeyRelation["Organisation"] = fields.ForeignKeyField(
        "models.Organisation", related_name="courses", on_delete=fields.RESTRICT, db_index=True
    )
    organisation_id: UUID
    title = Text(max_length=400)
    title_folded = Folded(("title",))
    description = fields.TextField(null=True)
    provider = Text(max_length=400)
    audience = fields.CharEnumField(CourseAudience, max_length=20, default=CourseAudience.EVERYONE)
    credits = fields.IntField()
    starts_on = fields.DateField()
    ends_on = fields.DateField()
    seats = fields.IntField()
    # Moved only by a conditional update; a check constraint keeps it within the seats.
    seats_taken = fields.IntField(default=0)
    curator_name = Text(max_length=200, null=True)
    curator_phone = Text(max_length=16, null=True)
    curator_email = Text(max_length=254, null=True)
    version = fields.IntField(default=1)

    class Meta:
        table = "course"


class Enrolment(Row):
    """A worker's seat in a course. One living enrolment of a person in a course."""

    organisation: fields.ForeignKeyRelation["Organisation"] = fields.ForeignKeyField(
        "models.Organisation", related_name=False, on_delete=fields.RESTRICT, db_index=True
    )
    organisation_id: UUID
    course: fields.ForeignKeyRelation["Course"] = fields.ForeignKeyField(
        "models.Course", related_name="enrolments", on_delete=fields.RESTRICT, db_index=True
    )
    course_id: UUID
    practitioner: fields.ForeignKeyRelation["Practitioner"] = fields.ForeignKeyField(
        "models.Practitioner", related_name="enrolments", on_delete=fields.CASCADE, db_index=True
    )
    practitioner_id: UUID
    status = fields.CharEnumField(EnrolmentStatus, max_length=20, default=EnrolmentStatus.REQUESTED)
    wished_start_on = fields.DateField(null=True)
    created_at = Moment(auto_now_add=True)
    decided_at = Moment(null=True)
    version = fields.IntField(default=1)

    class Meta:
        table = "enrolment"

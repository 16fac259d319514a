"""A shift: a stretch of work in a department, open or somebody's, and wishes about days."""

from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import UUID

from tortoise import fields

from models.fields import Moment, Text
from models.practitioner import Profession
from models.row import Row

if TYPE_CHECKING:
    from models.account import Account
    from models.organisation import Department, Organisation
    from models.practitioner import Practitioner


class ShiftKind(StrEnum):
    """What work it is. A duty at home counts half (DOMAIN rule 10)."""

    DAY = "DAY"
    EVENING = "EVENING"
    NIGHT = "NIGHT"
    DUTY = "DUTY"
    HOME_DUTY = "HOME_DUTY"
    CONSULTATION = "CONSULTATION"


class ShiftState(StrEnum):
    """The stored state; what people see is ShiftStatus."""

    OPEN = "OPEN"
    REQUESTED = "REQUESTED"
    PLANNED = "PLANNED"
    APPROVED = "APPROVED"
    DECLINED = "DECLINED"
    CANCELLED = "CANCELLED"


class ShiftStatus(StrEnum):
    """OPEN → REQUESTED → APPROVED or DECLINED; PLANNED → APPROVED; before its start CANCELLED.

    DONE is APPROVED whose end has passed: computed, not stored.
    """

    OPEN = "OPEN"
    REQUESTED = "REQUESTED"
    PLANNED = "PLANNED"
    APPROVED = "APPROVED"
    DECLINED = "DECLINED"
    CANCELLED = "CANCELLED"
    DONE = "DONE"


# Those of one person never overlap; the database sees to it.
OCCUPYING = (ShiftState.REQUESTED, ShiftState.PLANNED, ShiftState.APPROVED)


class Shift(Row):
    """Work from ``starts_at`` (inclusive) to ``ends_at`` (exclusive), in UTC."""

    organisation: fields.ForeignKeyRelation["Organisation"] = fields.ForeignKeyField(
        "models.Organisation", related_name=False, on_delete=fields.RESTRICT
    )
    organisation_id: UUID
    department: fields.ForeignKeyRelation["Department"] = fields.ForeignKeyField(
        "models.Department", related_name="shifts", on_delete=fields.RESTRICT
    )
    department_id: UUID
    practitioner: fields.ForeignKeyNullableRelation["Practitioner"] = fields.ForeignKeyField(
        "models.Practitioner", related_name="shifts", null=True, on_delete=fields.RESTRICT
    )
    practitioner_id: UUID | None
    kind = fields.CharEnumField(ShiftKind, max_length=20)
    # Whose work it is; empty where any clinical worker may do it.
    profession = fields.CharEnumField(Profession, max_length=20, null=True)
    state = fields.CharEnumField(ShiftState, max_length=20, default=ShiftState.OPEN)
    starts_at = Moment()
    ends_at = Moment()
    note = Text(max_length=1000, null=True)
    absence_reason = Text(max_length=400, null=True)
    decision_reason = Text(max_length=400, null=True)
    decided_by: fields.ForeignKeyNullableRelation["Account"] = fields.ForeignKeyField(
        "models.Account", related_name=False, null=True, on_delete=fields.RESTRICT
    )
    decided_by_id: UUID | None
    decided_at = Moment(null=True)
    created_at = Moment(auto_now_add=True)
    version = fields.IntField(default=1)

    class Meta:
        table = "shift"
        indexes = (
            # As lists are ordered: a page is then read from the index, and nothing is sorted.
            ("practitioner_id", "starts_at", "id"),
            ("department_id", "starts_at", "id"),
            ("organisation_id", "starts_at", "id"),
            # Shifts counted by department are counted in the index alone.
            ("organisation_id", "department_id"),
        )

    def status_at(self, moment: datetime) -> ShiftStatus:
        if self.state is ShiftState.APPROVED and self.ends_at <= moment:
            return ShiftStatus.DONE
        return ShiftStatus(self.state.value)

    @property
    def duration(self) -> timedelta:
        length: timedelta = self.ends_at - self.starts_at
        return length

    @property
    def hours(self) -> Decimal:
        """The duration in hours, to hundredths, a half rounded up."""
        seconds = int(self.duration.total_seconds())
        return Decimal((seconds + 18) // 36).scaleb(-2)


class DayWish(Row):
    """A worker's wish to be free on a day, or of one kind of shift on it."""

    organisation: fields.ForeignKeyRelation["Organisation"] = fields.ForeignKeyField(
        "models.Organisation", related_name=False, on_delete=fields.RESTRICT, db_index=True
    )
    organisation_id: UUID
    practitioner: fields.ForeignKeyRelation["Practitioner"] = fields.ForeignKeyField(
        "models.Practitioner", related_name="day_wishes", on_delete=fields.CASCADE, db_index=True
    )
    practitioner_id: UUID
    day = fields.DateField()
    kind = fields.CharEnumField(ShiftKind, max_length=20, null=True)
    weight = fields.IntField(default=1)

    class Meta:
        table = "day_wish"
        unique_together = (("practitioner_id", "day", "kind"),)

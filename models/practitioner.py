"""A medical worker as the staff registry knows them, and the positions they hold."""

from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import UUID

from tortoise import fields

from core.ids import readable_code
from models.fields import Amount, Folded, Json, Moment, Text
from models.row import Row

if TYPE_CHECKING:
    from models.account import Account
    from models.organisation import Department, DictionaryEntry, Organisation


class Category(StrEnum):
    """Qualification category, for five years from the day it was given (DOMAIN rule 8)."""

    SECOND = "SECOND"
    FIRST = "FIRST"
    HIGHEST = "HIGHEST"


class Profession(StrEnum):
    """Which part of the clinical staff a worker belongs to."""

    DOCTOR = "DOCTOR"
    NURSE = "NURSE"
    OTHER = "OTHER"


class PractitionerStatus(StrEnum):
    """Whether the worker is employed. INCOMPLETE lacks data that the registry must have."""

    ACTIVE = "ACTIVE"
    INCOMPLETE = "INCOMPLETE"
    DISMISSED = "DISMISSED"


class ProcedurePermit(StrEnum):
    """A permit to carry out a kind of procedure (допуск к манипуляциям)."""

    INJECTIONS = "INJECTIONS"
    INFUSIONS = "INFUSIONS"
    TRANSFUSIONS = "TRANSFUSIONS"
    CATHETERISATION = "CATHETERISATION"
    VACCINATION = "VACCINATION"
    DRESSINGS = "DRESSINGS"
    ECG = "ECG"


class EmploymentType(StrEnum):
    """How a position is held: dictionary 1.2.643.5.1.13.2.1.1.209."""

    MAIN = "MAIN"
    INTERNAL_SECOND = "INTERNAL_SECOND"
    COMBINED = "COMBINED"
    EXTERNAL_SECOND = "EXTERNAL_SECOND"


def practitioner_public_id() -> str:
    return readable_code("MW")


class Practitioner(Row):
    """A person of the staff. A person belongs to the department of their main position."""

    organisation: fields.ForeignKeyRelation["Organisation"] = fields.ForeignKeyField(
        "models.Organisation",
        related_name="practitioners",
        on_delete=fields.RESTRICT,
        db_index=True,
    )
    organisation_id: UUID
    department: fields.ForeignKeyNullableRelation["Department"] = fields.ForeignKeyField(
        "models.Department",
        related_name="practitioners",
        null=True,
        on_delete=fields.RESTRICT,
        db_index=True,
    )
    department_id: UUID | None
    account: fields.OneToOneNullableRelation["Account"] = fields.OneToOneField(
        "models.Account", related_name="practitioner", null=True, on_delete=fields.RESTRICT
    )
    account_id: UUID | None
    public_id = Text(max_length=16, unique=True, default=practitioner_public_id)
    status = fields.CharEnumField(
        PractitionerStatus, max_length=20, default=PractitionerStatus.ACTIVE
    )
    profession = fields.CharEnumField(Profession, max_length=20)
    last_name = Text(max_length=120)
    first_name = Text(max_length=120, null=True)
    middle_name = Text(max_length=120, null=True)
    last_name_folded = Folded(("last_name",))
    first_name_folded = Folded(("first_name",))
    full_name_folded = Folded(
        (
            "last_name",
            "first_name",
            "middle_name",
        ),
        db_index=True,
    )
    birth_date = fields.DateField(null=True)
    snils = Text(max_length=11, null=True)
    inn = Text(max_length=12, null=True)
    passport_sealed = fields.TextField(null=True)
    address = Text(max_length=400, null=True)
    personal_phone = Text(max_length=16, null=True)
    personal_email = Text(max_length=254, null=True)
    work_phone = Text(max_length=16, null=True)
    work_email = Text(max_length=254, null=True)
    specialty: fields.ForeignKeyNullableRelation["DictionaryEntry"] = fields.ForeignKeyField(
        "models.DictionaryEntry",
        related_name=False,
        null=True,
        on_delete=fields.RESTRICT,
        db_index=True,
    )
    specialty_id: UUID | None
    category = fields.CharEnumField(Category, max_length=20, null=True)
    category_assigned_on = fields.DateField(null=True)
    prescriber_code = Text(max_length=20, null=True)
    procedure_permits: fields.Field[list[str]] = Json(default=list)
    created_at = Moment(auto_now_add=True)
    updated_at = Moment(auto_now=True)
    version = fields.IntField(default=1)

    class Meta:
        table = "practitioner"
        unique_together = (("organisation_id", "snils"),)


class Position(Row):
    """A post that a worker holds in a department, in full or in part."""

    organisation: fields.ForeignKeyRelation["Organisation"] = fields.ForeignKeyField(
        "models.Organisation", related_name=False, on_delete=fields.RESTRICT, db_index=True
    )
    organisation_id: UUID
    practitioner: fields.ForeignKeyRelation["Practitioner"] = fields.ForeignKeyField(
        "models.Practitioner", related_name="positions", on_delete=fields.CASCADE, db_index=True
    )
    practitioner_id: UUID
    department: fields.ForeignKeyRelation["Department"] = fields.ForeignKeyField(
        "models.Department", related_name="positions", on_delete=fields.RESTRICT, db_index=True
    )
    department_id: UUID
    title: fields.ForeignKeyRelation["DictionaryEntry"] = fields.ForeignKeyField(
        "models.DictionaryEntry", related_name=False, on_delete=fields.RESTRICT
    )
    title_id: UUID
    # Empty where the source of an import says nothing about it: never guessed.
    rate = Amount(max_digits=3, decimal_places=2, null=True)
    # Hours a week of the full post, where it is a listed one (36, 33, 30 or 24, government decree
    # 101 of 2003); empty where the organisation's own norm holds.
    weekly_norm = Amount(max_digits=4, decimal_places=2, null=True)
    employment = fields.CharEnumField(EmploymentType, max_length=20, default=EmploymentType.MAIN)
    starts_on = fields.DateField()
    ends_on = fields.DateField(null=True)

    class Meta:
        table = "staff_position"

    def is_held_on(self, day: date) -> bool:
        return self.starts_on <= day and (self.ends_on is None or day <= self.ends_on)

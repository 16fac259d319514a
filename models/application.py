"""An application to the authorities, from draft to decision."""

from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import UUID

from tortoise import fields

from core.ids import readable_code
from models.fields import Moment, Text
from models.row import Row

if TYPE_CHECKING:
    from models.account import Account
    from models.organisation import Organisation
    from models.practitioner import Practitioner


class ApplicationKind(StrEnum):
    """What is applied for. Which role may apply for what is declared on the schema's enum."""

    NEW_CABINET = "NEW_CABINET"
    CHANGE_OF_DATA = "CHANGE_OF_DATA"
    QUALIFICATION_CERTIFICATE = "QUALIFICATION_CERTIFICATE"
    LICENCE_RENEWAL = "LICENCE_RENEWAL"
    LICENCE_REPLACEMENT = "LICENCE_REPLACEMENT"
    PRESCRIBING_RIGHTS = "PRESCRIBING_RIGHTS"
    PRESCRIBER_CODE = "PRESCRIBER_CODE"
    NURSING_PERMIT = "NURSING_PERMIT"
    ATTACH_ROLE = "ATTACH_ROLE"


class ApplicationStatus(StrEnum):
    """DRAFT → SUBMITTED → IN_REVIEW → APPROVED, REJECTED or RETURNED → SUBMITTED again.

    The applicant may withdraw it until it is decided.
    """

    DRAFT = "DRAFT"
    SUBMITTED = "SUBMITTED"
    IN_REVIEW = "IN_REVIEW"
    RETURNED = "RETURNED"
    APPROVED = "APPROVED"
    REJECTED = "REJECTED"
    WITHDRAWN = "WITHDRAWN"


DECIDED = (ApplicationStatus.APPROVED, ApplicationStatus.REJECTED, ApplicationStatus.WITHDRAWN)


def application_number() -> str:
    return readable_code("AP")


class Application(Row):
    """An application of an account's owner; ``number`` is quoted, and not consecutive."""

    organisation: fields.ForeignKeyRelation["Organisation"] = fields.ForeignKeyField(
        "models.Organisation", related_name=False, on_delete=fields.RESTRICT, db_index=True
    )
    organisation_id: UUID
    account: fields.ForeignKeyRelation["Account"] = fields.ForeignKeyField(
        "models.Account", related_name="applications", on_delete=fields.RESTRICT, db_index=True
    )
    account_id: UUID
    practitioner: fields.ForeignKeyNullableRelation["Practitioner"] = fields.ForeignKeyField(
        "models.Practitioner",
        related_name="applications",
        null=True,
        on_delete=fields.RESTRICT,
        db_index=True,
    )
    practitioner_id: UUID | None
    number = Text(max_length=16, unique=True, default=application_number)
    kind = fields.CharEnumField(ApplicationKind, max_length=40)
    status = fields.CharEnumField(ApplicationStatus, max_length=20, default=ApplicationStatus.DRAFT)
    comment = Text(max_length=2000, null=True)
    decision_reason = Text(max_length=2000, null=True)
    created_at = Moment(auto_now_add=True)
    submitted_at = Moment(null=True)
    due_on = fields.DateField(null=True)
    decided_at = Moment(null=True)
    decided_by: fields.ForeignKeyNullableRelation["Account"] = fields.ForeignKeyField(
        "models.Account", related_name=False, null=True, on_delete=fields.RESTRICT
    )
    decided_by_id: UUID | None
    version = fields.IntField(default=1)

    class Meta:
        table = "application"
        # As lists are ordered: the newest of an organisation are then found at once.
        indexes = (("organisation_id", "created_at", "id"),)

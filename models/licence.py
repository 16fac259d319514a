"""A worker's credentials: accreditation, certificates, and the organisation's licence."""

from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import UUID

from tortoise import fields

from models.fields import Moment, Text
from models.row import Row

if TYPE_CHECKING:
    from models.organisation import DictionaryEntry, Organisation
    from models.practitioner import Practitioner


class LicenceKind(StrEnum):
    """MEDICAL_LICENCE is the organisation's, bound to the worker; the others are the worker's."""

    MEDICAL_LICENCE = "MEDICAL_LICENCE"
    ACCREDITATION = "ACCREDITATION"
    SPECIALIST_CERTIFICATE = "SPECIALIST_CERTIFICATE"


class LicenceStatus(StrEnum):
    """Computed from the dates on the day of asking, never stored."""

    UPCOMING = "UPCOMING"
    VALID = "VALID"
    EXPIRED = "EXPIRED"
    REVOKED = "REVOKED"


class Licence(Row):
    """A credential that a worker holds or is bound to. ``expires_on`` is its last valid day."""

    organisation: fields.ForeignKeyRelation["Organisation"] = fields.ForeignKeyField(
        "models.Organisation", related_name=False, on_delete=fields.RESTRICT, db_index=True
    )
    organisation_id: UUID
    practitioner: fields.ForeignKeyRelation["Practitioner"] = fields.ForeignKeyField(
        "models.Practitioner", related_name="licences", on_delete=fields.CASCADE, db_index=True
    )
    practitioner_id: UUID
    kind = fields.CharEnumField(LicenceKind, max_length=30)
    number = Text(max_length=60)
    issuer = Text(max_length=400)
    specialty: fields.ForeignKeyNullableRelation["DictionaryEntry"] = fields.ForeignKeyField(
        "models.DictionaryEntry", related_name=False, null=True, on_delete=fields.RESTRICT
    )
    specialty_id: UUID | None
    issued_on = fields.DateField()
    expires_on = fields.DateField(null=True)
    revoked_on = fields.DateField(null=True)
    created_at = Moment(auto_now_add=True)
    version = fields.IntField(default=1)

    class Meta:
        table = "licence"
        # As lists are ordered: a page is then read from the index.
        indexes = (("organisation_id", "expires_on", "id"),)
        unique_together = (("practitioner_id", "kind", "number"),)

    def status_on(self, day: date) -> LicenceStatus:
        if self.revoked_on is not None and self.revoked_on <= day:
            return LicenceStatus.REVOKED
        if self.issued_on > day:
            return LicenceStatus.UPCOMING
        if self.expires_on is not None and self.expires_on < day:
            return LicenceStatus.EXPIRED
        return LicenceStatus.VALID

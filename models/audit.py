"""The audit trail: append-only, each entry carrying the hash of the one before."""

import hashlib
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from tortoise import fields

from models.fields import Json, Moment, Text, canonical_json
from models.role import Role
from models.row import Row

if TYPE_CHECKING:
    from models.account import Account
    from models.organisation import Organisation
    from models.practitioner import Practitioner


class AuditEntry(Row):
    """What was done or looked at: by whom, in which role, to what, and about whom."""

    # 1, 2, 3 … without a gap: a missing number is a deleted entry.
    position = fields.BigIntField(unique=True)
    organisation: fields.ForeignKeyNullableRelation["Organisation"] = fields.ForeignKeyField(
        "models.Organisation",
        related_name=False,
        null=True,
        on_delete=fields.RESTRICT,
        db_index=True,
    )
    organisation_id: UUID | None
    at = Moment()
    action = Text(max_length=60)
    account: fields.ForeignKeyNullableRelation["Account"] = fields.ForeignKeyField(
        "models.Account", related_name=False, null=True, on_delete=fields.RESTRICT
    )
    account_id: UUID | None
    role = fields.CharEnumField(Role, max_length=20)
    subject_type = Text(max_length=40)
    subject_id = fields.UUIDField(null=True)
    # The worker whom the entry is about: they may see who looked at them.
    about: fields.ForeignKeyNullableRelation["Practitioner"] = fields.ForeignKeyField(
        "models.Practitioner",
        related_name=False,
        null=True,
        on_delete=fields.RESTRICT,
        db_index=True,
    )
    about_id: UUID | None
    details: fields.Field[dict[str, Any]] = Json(default=dict)
    previous_hash = Text(max_length=64)
    hash = Text(max_length=64)

    class Meta:
        table = "audit_entry"
        # As lists are ordered: the newest of an organisation, or about a worker, are found at once.
        indexes = (("organisation_id", "at", "id"), ("about_id", "at", "id"))

    def digest(self) -> str:
        """SHA-256 over the entry's canonical JSON and the hash before it."""
        content = {
            "position": self.position,
            "organisation": _text(self.organisation_id),
            "at": _text(self.at),
            "action": self.action,
            "account": _text(self.account_id),
            "role": self.role.value,
            "subject_type": self.subject_type,
            "subject_id": _text(self.subject_id),
            "about": _text(self.about_id),
            "details": self.details,
            "previous": self.previous_hash,
        }
        return hashlib.sha256(canonical_json(content).encode()).hexdigest()


def _text(value: object) -> str | None:
    if isinstance(value, datetime):
        return value.isoformat()
    return None if value is None else str(value)


class AuditHead(Row):
    """The end of the chain, one row: whoever appends locks it first."""

    position = fields.BigIntField(default=0)
    hash = Text(max_length=64, default="")

    class Meta:
        table = "audit_head"

"""A change that open subscriptions and other workers must hear of, committed with the change."""

from enum import StrEnum

from tortoise import fields

from models.fields import Moment, Text
from models.row import Row


class ChangeKind(StrEnum):
    """SESSION: what the account's sessions stand on, roles and proofs; the others: a row."""

    SESSION = "SESSION"
    SHIFT = "SHIFT"
    APPLICATION = "APPLICATION"


class Change(Row):
    """One entry of the change feed; consecutive within one database, read by ``id``."""

    id = fields.BigIntField(primary_key=True, generated=True)
    at = Moment(auto_now_add=True)
    kind = fields.CharEnumField(ChangeKind, max_length=20)
    account_id = fields.UUIDField(null=True)
    subject_id = fields.UUIDField(null=True)
    note = Text(max_length=40, default="")

    class Meta:
        table = "change"

"""Tickets to support: what a person who may be locked out wrote, and what was answered."""

from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import UUID

from tortoise import fields

from core.ids import readable_code
from models.fields import Moment, Text
from models.row import Row

if TYPE_CHECKING:
    from models.account import Account


class TicketReason(StrEnum):
    """What a ticket asks for."""

    ACCOUNT_LOCKED = "ACCOUNT_LOCKED"
    SECOND_FACTOR_LOST = "SECOND_FACTOR_LOST"
    CONTACT_LOST = "CONTACT_LOST"
    SIGN_IN_ERROR = "SIGN_IN_ERROR"
    OTHER = "OTHER"


class TicketState(StrEnum):
    """A ticket is taken by an operator, and ends answered or refused."""

    NEW = "NEW"
    IN_REVIEW = "IN_REVIEW"
    ANSWERED = "ANSWERED"
    REFUSED = "REFUSED"


def ticket_number() -> str:
    return readable_code("TK")


class Ticket(Row):
    """A ticket; ``number`` is quoted, and not consecutive."""

    number = Text(max_length=16, unique=True, default=ticket_number)
    # Where the answer goes: a telephone number or an e-mail address.
    contact_sealed = fields.TextField()
    contact_hash = Text(max_length=64, db_index=True)
    reason = fields.CharEnumField(TicketReason, max_length=30)
    text = Text(max_length=4000)
    # What the person copied from the screen, sign by sign.
    error_text = Text(max_length=2000, default="")
    # Whose it is, where the contact or the public id told.
    account: fields.ForeignKeyNullableRelation["Account"] = fields.ForeignKeyField(
        "models.Account", related_name="tickets", null=True, on_delete=fields.RESTRICT
    )
    account_id: UUID | None
    state = fields.CharEnumField(TicketState, max_length=20, default=TicketState.NEW)
    created_at = Moment()
    taken_by: fields.ForeignKeyNullableRelation["Account"] = fields.ForeignKeyField(
        "models.Account", related_name=False, null=True, on_delete=fields.RESTRICT
    )
    taken_by_id: UUID | None
    decided_by: fields.ForeignKeyNullableRelation["Account"] = fields.ForeignKeyField(
        "models.Account", related_name=False, null=True, on_delete=fields.RESTRICT
    )
    decided_by_id: UUID | None
    decided_at = Moment(null=True)
    answer = Text(max_length=4000, null=True)
    version = fields.IntField(default=1)

    class Meta:
        table = "ticket"
        indexes = (("state", "created_at", "id"), ("account_id", "created_at", "id"))


class TicketDocument(Row):
    """A file that came with a ticket; its content lies in the storage under a name of ours."""

    ticket: fields.ForeignKeyRelation["Ticket"] = fields.ForeignKeyField(
        "models.Ticket", related_name="documents", on_delete=fields.CASCADE, db_index=True
    )
    ticket_id: UUID
    file_name = Text(max_length=200)
    # Bytes.
    size = fields.IntField()
    media_type = Text(max_length=100)
    storage_name = Text(max_length=100, unique=True)
    # With what the content is sealed.
    key_sealed = fields.TextField(db_default="")
    sha256 = Text(max_length=64)
    created_at = Moment()

    class Meta:
        table = "ticket_document"

"""Uploads: files that were announced and may have arrived, until a row claims them."""

from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import UUID

from tortoise import fields

from models.fields import Moment, Text
from models.row import Row

if TYPE_CHECKING:
    from models.account import Account


class UploadPurpose(StrEnum):
    """What a file is for; it is good for nothing else."""

    TICKET = "TICKET"


class Upload(Row):
    """A file on its way. Who claims it takes its place and deletes this row, so that one does.

    Its content lies in the storage under a name of ours, sealed with a key of its own.
    """

    purpose = fields.CharEnumField(UploadPurpose, max_length=20)
    # Whose it is; nobody's, of a visitor, who claims it by its id.
    account: fields.ForeignKeyNullableRelation["Account"] = fields.ForeignKeyField(
        "models.Account", related_name=False, null=True, on_delete=fields.CASCADE, db_index=True
    )
    account_id: UUID | None
    file_name = Text(max_length=200)
    media_type = Text(max_length=100)
    # Bytes, as announced: no more and no fewer are taken.
    size = fields.IntField()
    created_at = Moment(db_index=True)
    # When it arrived, and then what it is.
    stored_at = Moment(null=True)
    storage_name = Text(max_length=100, null=True, unique=True)
    key_sealed = fields.TextField(null=True)
    sha256 = Text(max_length=64, null=True)

    class Meta:
        table = "upload"

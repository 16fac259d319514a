"""Where an imported row came from, so that a second run changes nothing."""

from typing import TYPE_CHECKING
from uuid import UUID

from tortoise import fields

from models.fields import Moment, Text
from models.row import Row

if TYPE_CHECKING:
    from models.organisation import Organisation


class ImportedRecord(Row):
    """The identity of an imported element, and the digest of what was read."""

    organisation: fields.ForeignKeyRelation["Organisation"] = fields.ForeignKeyField(
        "models.Organisation", related_name=False, on_delete=fields.CASCADE, db_index=True
    )
    organisation_id: UUID
    source = Text(max_length=40)
    file = Text(max_length=200)
    element = Text(max_length=200)
    model = Text(max_length=40)
    row_id = fields.UUIDField()
    digest = Text(max_length=64)
    imported_at = Moment(auto_now_add=True)

    class Meta:
        table = "imported_record"
        unique_together = (("organisation_id", "source", "file", "element"),)

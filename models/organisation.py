"""The organisation, its departments, and the dictionaries that its rows refer to."""

from decimal import Decimal
from uuid import UUID

from tortoise import fields

from models.fields import Amount, Folded, Text
from models.row import Row


class Organisation(Row):
    """A medical organisation. Every row of the cabinet belongs to one."""

    name = Text(max_length=400)
    name_folded = Folded(("name",))
    ogrn = Text(max_length=13, null=True)
    zone = Text(max_length=64, default="Europe/Moscow")
    # Hours a week of a full post (DOMAIN rule 10; Labour Code, article 350: at most 39).
    weekly_norm = Amount(max_digits=4, decimal_places=2, default=Decimal(39))

    class Meta:
        table = "organisation"


class Department(Row):
    """A department of an organisation."""

    organisation: fields.ForeignKeyRelation["Organisation"] = fields.ForeignKeyField(
        "models.Organisation", related_name="departments", on_delete=fields.RESTRICT, db_index=True
    )
    organisation_id: UUID
    code = Text(max_length=40)
    name = Text(max_length=400)
    name_folded = Folded(("name",))
    city = Text(max_length=200, null=True)
    address = Text(max_length=400, null=True)

    class Meta:
        table = "department"
        unique_together = (("organisation_id", "code"),)


class DictionaryEntry(Row):
    """One coded term of a versioned dictionary, named by OID (DOMAIN rule 9)."""

    oid = Text(max_length=64)
    version = Text(max_length=20)
    code = Text(max_length=40)
    name = Text(max_length=400)
    name_folded = Folded(("name",))
    actual = fields.BooleanField(default=True)

    class Meta:
        table = "dictionary_entry"
        unique_together = (("oid", "version", "code"),)


POSITIONS = "1.2.643.5.1.13.13.11.1002"
SPECIALTIES = "1.2.643.5.1.13.13.11.1066"

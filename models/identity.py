"""Who the owner of an account is: names and documents, sealed, and identities elsewhere."""

from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import UUID

from tortoise import fields

from models.fields import Moment, Text
from models.row import Row

if TYPE_CHECKING:
    from models.account import Account
    from models.organisation import DictionaryEntry


class Identity(Row):
    """What a person says of themselves, one for each account.

    A number is sealed, to be read, and hashed under a key, to be found again (``auth.identities``).
    An INN and a SNILS belong to one account each.
    """

    account: fields.OneToOneRelation["Account"] = fields.OneToOneField(
        "models.Account", related_name="identity", on_delete=fields.CASCADE
    )
    account_id: UUID
    last_name = Text(max_length=120)
    first_name = Text(max_length=120)
    patronymic = Text(max_length=120, null=True)
    birth_date = fields.DateField(null=True)
    inn_sealed = fields.TextField(null=True)
    inn_hash = Text(max_length=64, null=True, unique=True)
    snils_sealed = fields.TextField(null=True)
    snils_hash = Text(max_length=64, null=True, unique=True)
    passport_sealed = fields.TextField(null=True)
    passport_hash = Text(max_length=64, null=True, db_index=True)
    specialty: fields.ForeignKeyNullableRelation["DictionaryEntry"] = fields.ForeignKeyField(
        "models.DictionaryEntry", related_name=False, null=True, on_delete=fields.RESTRICT
    )
    specialty_id: UUID | None
    created_at = Moment(auto_now_add=True)
    version = fields.IntField(default=1)

    class Meta:
        table = "identity"


class Provider(StrEnum):
    """Who vouches for an identity elsewhere. ESIA: Gosuslugi."""

    ESIA = "ESIA"


class ExternalIdentity(Row):
    """An account's identity with a provider: one each, and each of one account."""

    account: fields.ForeignKeyRelation["Account"] = fields.ForeignKeyField(
        "models.Account", related_name="external_identities", on_delete=fields.CASCADE
    )
    account_id: UUID
    provider = fields.CharEnumField(Provider, max_length=20)
    # The provider's own name for the person, which never changes.
    subject = Text(max_length=200)
    linked_at = Moment()

    class Meta:
        table = "external_identity"
        unique_together = (("provider", "subject"), ("account_id", "provider"))

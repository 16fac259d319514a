"""Factors beside the password: codes that are sent, recovery codes, passkeys, challenges."""

from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import UUID

from tortoise import fields

from models.fields import Moment, Text
from models.row import Row

if TYPE_CHECKING:
    from models.account import Account, Session


class Channel(StrEnum):
    """By which way a person is reached."""

    SMS = "SMS"
    EMAIL = "EMAIL"


class SecondFactor(StrEnum):
    """What may be shown beside the password."""

    TOTP = "TOTP"
    SMS = "SMS"
    PASSKEY = "PASSKEY"
    RECOVERY_CODE = "RECOVERY_CODE"


class CodePurpose(StrEnum):
    """What a code that is sent is for; it is good for nothing else."""

    REGISTRATION = "REGISTRATION"
    CONFIRMATION = "CONFIRMATION"
    ROLE = "ROLE"
    SIGN_IN = "SIGN_IN"
    # A factor shown again, in a session.
    FACTOR = "FACTOR"
    RECOVERY = "RECOVERY"
    CONTACT = "CONTACT"
    INVITATION = "INVITATION"
    VISIT = "VISIT"


class SentCode(Row):
    """One code, sent to one contact for one purpose, and what became of it."""

    # The name by which the one who asked for it answers: random, and kept as a digest.
    handle_hash = Text(max_length=64, unique=True)
    # A keyed hash of purpose, text, contact and account: what the wait before the next code is for.
    key_hash = Text(max_length=64, db_index=True)
    purpose = fields.CharEnumField(CodePurpose, max_length=20)
    channel = fields.CharEnumField(Channel, max_length=10)
    contact_hash = Text(max_length=64)
    contact_sealed = fields.TextField()
    account: fields.ForeignKeyNullableRelation["Account"] = fields.ForeignKeyField(
        "models.Account", related_name=False, null=True, on_delete=fields.CASCADE, db_index=True
    )
    account_id: UUID | None
    # Who was signed in and asked for it: an operator, where it is about somebody else's account.
    asked_by: fields.ForeignKeyNullableRelation["Account"] = fields.ForeignKeyField(
        "models.Account", related_name=False, null=True, on_delete=fields.SET_NULL
    )
    asked_by_id: UUID | None
    code_hash = Text(max_length=64)
    sent_at = Moment()
    expires_at = Moment()
    # How many guesses were made, and how many codes were sent in a row, this one included.
    tries = fields.IntField(default=0)
    sends = fields.IntField(default=1)
    resend_at = Moment()
    # When the code came back; what it was for may follow later, and is done once.
    proved_at = Moment(null=True)
    used_at = Moment(null=True)

    class Meta:
        table = "sent_code"


class RecoveryCode(Row):
    """One of the codes that a person keeps on paper; each works once."""

    account: fields.ForeignKeyRelation["Account"] = fields.ForeignKeyField(
        "models.Account", related_name="recovery_codes", on_delete=fields.CASCADE, db_index=True
    )
    account_id: UUID
    code_hash = Text(max_length=64, unique=True)
    created_at = Moment()
    used_at = Moment(null=True)

    class Meta:
        table = "recovery_code"


class Passkey(Row):
    """A WebAuthn credential: its public key, and how often it has signed."""

    account: fields.ForeignKeyRelation["Account"] = fields.ForeignKeyField(
        "models.Account", related_name="passkeys", on_delete=fields.CASCADE, db_index=True
    )
    account_id: UUID
    # Base64url, as in WebAuthn's JSON; an id has up to 1023 bytes.
    credential_id = Text(max_length=1400, unique=True)
    public_key = fields.BinaryField()
    sign_count = fields.BigIntField(default=0)
    name = Text(max_length=100)
    # As the browser named them, with commas between: usb,nfc,internal.
    transports = Text(max_length=100, default="")
    created_at = Moment()
    used_at = Moment(null=True)

    class Meta:
        table = "passkey"


class ChallengePurpose(StrEnum):
    """What a challenge is for; it is good for nothing else. SIGN_IN waits for a second factor."""

    SIGN_IN = "SIGN_IN"
    PASSKEY_REGISTRATION = "PASSKEY_REGISTRATION"
    PASSKEY = "PASSKEY"
    SECOND_PASSKEY = "SECOND_PASSKEY"
    SIGNATURE = "SIGNATURE"
    ESIA = "ESIA"


class Challenge(Row):
    """A random value that must come back, signed or not, once and soon."""

    purpose = fields.CharEnumField(ChallengePurpose, max_length=30)
    value_hash = Text(max_length=64, unique=True)
    account: fields.ForeignKeyNullableRelation["Account"] = fields.ForeignKeyField(
        "models.Account", related_name=False, null=True, on_delete=fields.CASCADE, db_index=True
    )
    account_id: UUID | None
    session: fields.ForeignKeyNullableRelation["Session"] = fields.ForeignKeyField(
        "models.Session", related_name=False, null=True, on_delete=fields.CASCADE, db_index=True
    )
    session_id: UUID | None
    # What the answer will be checked with, as sealed JSON.
    payload_sealed = fields.TextField()
    expires_at = Moment(db_index=True)
    used_at = Moment(null=True)

    class Meta:
        table = "challenge"

"""An account: who signs in, the sessions opened, and the failures counted against it."""

from enum import StrEnum
from typing import TYPE_CHECKING
from uuid import UUID

from tortoise import fields

from core.ids import readable_code
from models.fields import Moment, Text
from models.role import Role
from models.row import Row

if TYPE_CHECKING:
    from models.organisation import Organisation


class AccountState(StrEnum):
    """INVITED has no password yet, LOCKED waits until its time or an operator."""

    INVITED = "INVITED"
    ACTIVE = "ACTIVE"
    LOCKED = "LOCKED"
    CLOSED = "CLOSED"


class SignInMethod(StrEnum):
    """What was shown last when a session was opened. SCRIPT: nobody signed in for it."""

    TOTP = "TOTP"
    SMS = "SMS"
    RECOVERY_CODE = "RECOVERY_CODE"
    SECOND_PASSKEY = "SECOND_PASSKEY"
    PASSKEY = "PASSKEY"
    SIGNATURE = "SIGNATURE"
    ESIA = "ESIA"
    SCRIPT = "SCRIPT"


class ConfirmedBy(StrEnum):
    """How an account was confirmed. By SMS and EMAIL its owner only stated who they are."""

    SMS = "SMS"
    EMAIL = "EMAIL"
    VISIT = "VISIT"
    ESIA = "ESIA"
    INVITATION = "INVITATION"


def account_public_id() -> str:
    return readable_code("ID")


class Account(Row):
    """A person's account. What they may do stands in role grants, not here."""

    organisation: fields.ForeignKeyNullableRelation["Organisation"] = fields.ForeignKeyField(
        "models.Organisation",
        related_name=False,
        null=True,
        on_delete=fields.RESTRICT,
        db_index=True,
    )
    organisation_id: UUID | None
    public_id = Text(max_length=16, unique=True, default=account_public_id)
    email = Text(max_length=254, null=True, unique=True)
    phone = Text(max_length=16, null=True, unique=True)
    # When a code that was sent there came back.
    email_confirmed_at = Moment(null=True)
    phone_confirmed_at = Moment(null=True)
    password_hash = Text(max_length=200, null=True)
    password_changed_at = Moment(null=True)
    totp_sealed = fields.TextField(null=True)
    # The time step of the last accepted code (RFC 6238): a code works once.
    totp_last_step = fields.BigIntField(default=0)
    # The secret of an authenticator that has not shown a code yet.
    totp_pending_sealed = fields.TextField(null=True)
    # Whether codes by SMS are a second factor of this account.
    sms_factor = fields.BooleanField(default=False, db_default=False)
    state = fields.CharEnumField(AccountState, max_length=20, default=AccountState.INVITED)
    locked_until = Moment(null=True)
    confirmed_at = Moment(null=True)
    # Empty also where it was confirmed before this was kept, which vouches for nothing.
    confirmed_by = fields.CharEnumField(ConfirmedBy, max_length=20, null=True)
    terms_version = Text(max_length=40, null=True)
    terms_accepted_at = Moment(null=True)
    # In which the owner last signed in: what they are told when somebody else acts.
    language = Text(max_length=5, default="ru", db_default="ru")
    # What was told to be quoted of each login when a sign-in by one of them failed.
    phone_told_id = Text(max_length=16, null=True)
    email_told_id = Text(max_length=16, null=True)
    # Since when Gosuslugi opens it no more, by its owner's wish, until they link it again.
    esia_unlinked_at = Moment(null=True)
    last_role = fields.CharEnumField(Role, max_length=20, null=True)
    is_demo = fields.BooleanField(default=False)
    created_at = Moment(auto_now_add=True)

    class Meta:
        table = "account"
        indexes = (("phone_told_id",), ("email_told_id",))


class Invitation(Row):
    """A one-time code with which an imported person opens their account."""

    account: fields.ForeignKeyRelation["Account"] = fields.ForeignKeyField(
        "models.Account", related_name="invitations", on_delete=fields.CASCADE, db_index=True
    )
    account_id: UUID
    code_hash = Text(max_length=64, unique=True)
    created_at = Moment(auto_now_add=True)
    expires_at = Moment()
    used_at = Moment(null=True)

    class Meta:
        table = "invitation"


class SignInFailure(Row):
    """One failed attempt, counted within a window; a row for each name that it counts under."""

    # A keyed hash of a login as it was typed, whether or not somebody has it; or of an account or
    # a known device.
    login_hash = Text(max_length=64, db_index=True)
    # What the address counts as; it stands in one of an attempt's rows.
    address = Text(max_length=64, db_index=True)
    at = Moment()

    class Meta:
        table = "sign_in_failure"


class Session(Row):
    """One sign-in: it holds the active role; roles themselves come from the grants."""

    account: fields.ForeignKeyRelation["Account"] = fields.ForeignKeyField(
        "models.Account", related_name="sessions", on_delete=fields.CASCADE, db_index=True
    )
    account_id: UUID
    active_role = fields.CharEnumField(Role, max_length=20)
    started_at = Moment()
    seen_at = Moment()
    expires_at = Moment()
    ended_at = Moment(null=True)
    device = Text(max_length=200, default="")
    address = Text(max_length=64, default="")
    # Where that address is, in words, as far as it is known.
    place = Text(max_length=200, default="", db_default="")
    method = fields.CharEnumField(
        SignInMethod, max_length=20, default=SignInMethod.TOTP, db_default=SignInMethod.TOTP
    )
    # When a factor beyond the password was shown last; never, for a script.
    factor_at = Moment(null=True)
    # Whether its tokens are kept in cookies, and not by the client itself.
    in_cookies = fields.BooleanField(default=False, db_default=False)

    class Meta:
        table = "session"

    @property
    def is_shown_again(self) -> bool:
        """Whether a factor was shown after signing in."""
        return self.factor_at is not None and self.factor_at > self.started_at


class RefreshToken(Row):
    """A link in a session's chain of refresh tokens: one used twice ends the session."""

    session: fields.ForeignKeyRelation["Session"] = fields.ForeignKeyField(
        "models.Session", related_name="refresh_tokens", on_delete=fields.CASCADE, db_index=True
    )
    session_id: UUID
    token_hash = Text(max_length=64, unique=True)
    issued_at = Moment()
    used_at = Moment(null=True)

    class Meta:
        table = "refresh_token"

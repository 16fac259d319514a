"""Alerts: what the owner of an account is told about it, by mail or else by SMS, in their language.

Nothing that a stranger may choose stands in one, such as the name of a browser: it would be our
mail with their words.
"""

from enum import StrEnum

from auth.gate import Gate
from auth.hours import on_our_clock
from auth.messages import put_message
from auth.viewer import Viewer
from core.translation import message
from models.account import Account
from models.factor import Channel

_NOBODY = "nobody@example.invalid"


class Alert(StrEnum):
    """What happened to an account."""

    NEW_DEVICE = "NEW_DEVICE"
    LOCKED = "LOCKED"
    PASSWORD_CHANGED = "PASSWORD_CHANGED"  # noqa: S105 - the name of an event
    FACTOR_ADDED = "FACTOR_ADDED"
    # With what the weakest factor is open to.
    SMS_ADDED = "SMS_ADDED"
    FACTOR_REMOVED = "FACTOR_REMOVED"
    PASSKEY_CLONED = "PASSKEY_CLONED"
    RECOVERY_CODES_MADE = "RECOVERY_CODES_MADE"
    RECOVERY_CODE_USED = "RECOVERY_CODE_USED"
    CONTACT_CHANGED = "CONTACT_CHANGED"


async def alert(
    viewer: Viewer,
    *,
    gate: Gate,
    account: Account | None,
    what: Alert,
    contact: str | None = None,
) -> None:
    """Puts an alert into the outbox, in the caller's unit of work.

    It goes to the account's e-mail address, or else to its telephone, or to ``contact``. Of an
    account that nobody has the same is written and nothing sent.
    """
    to = contact or (account and (account.email or account.phone)) or _NOBODY
    language = account.language if account is not None else "ru"
    await put_message(
        viewer,
        gate.vault,
        Channel.EMAIL if "@" in to else Channel.SMS,
        to,
        subject=message(language, "Alert.subject"),
        body=message(
            language,
            f"Alert.{what}",
            at=await on_our_clock(viewer, viewer.now),
            address=viewer.address or "–",
        ),
        language=language,
        deliver=account is not None,
    )

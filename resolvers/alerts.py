"""Alerts: what the owner of an account is told about it, in the language in which they signed in.

Nothing that a stranger may choose stands in one, such as the name of a browser: it would be our
mail with their words.
"""

from collections.abc import Sequence
from enum import StrEnum

from auth.gate import Gate
from auth.hours import on_our_clock
from auth.messages import put_message
from auth.viewer import Viewer
from core.addresses import spelled
from core.translation import message
from models.account import Account
from resolvers.contacts import contact_again, contacts_of

_NOBODY = "nobody@example.invalid"


class Alert(StrEnum):
    """What happened to an account."""

    # With what the factor of a new account is open to.
    REGISTERED = "REGISTERED"
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
    CONTACT_REPLACED = "CONTACT_REPLACED"
    IDENTITY_STATED = "IDENTITY_STATED"
    CONFIRMED_IN_PERSON = "CONFIRMED_IN_PERSON"
    PASSWORD_RESET = "PASSWORD_RESET"  # noqa: S105 - the name of an event
    FACTORS_RESET = "FACTORS_RESET"
    ESIA_LINKED = "ESIA_LINKED"
    ESIA_UNLINKED = "ESIA_UNLINKED"
    DETACHED = "DETACHED"
    SNILS_TAKEN_OVER = "SNILS_TAKEN_OVER"
    INN_TAKEN_OVER = "INN_TAKEN_OVER"


# Whoever has got hold of one contact may be who these warn of: they go to each.
_EVERYWHERE = frozenset(
    {
        Alert.CONTACT_REPLACED,
        Alert.IDENTITY_STATED,
        Alert.CONFIRMED_IN_PERSON,
        Alert.PASSWORD_RESET,
        Alert.FACTORS_RESET,
        Alert.DETACHED,
        Alert.SNILS_TAKEN_OVER,
        Alert.INN_TAKEN_OVER,
    }
)


async def alert(
    viewer: Viewer,
    *,
    gate: Gate,
    account: Account | None,
    what: Alert,
    contacts: Sequence[str] = (),
    **values: object,
) -> None:
    """Puts an alert into the outbox, in the caller's unit of work.

    It goes to the account's e-mail address, or else to its telephone; to both where it says that
    somebody else acted; or to ``contacts``, those from before a change. Of an account that nobody
    has the same is written and nothing sent. ``values`` are for the text.
    """
    language = account.language if account is not None else "ru"
    subject = message(language, "Alert.subject")
    told = {
        "at": await on_our_clock(viewer, viewer.now),
        "address": spelled(viewer.address) or "–",
        "public_id": account.public_id if account is not None else "",
        **values,
    }
    body = message(language, f"Alert.{what}", **told)
    for to in contacts or _contacts(account, what):
        channel, is_anybody = contact_again(to).channel, account is not None
        await put_message(
            viewer,
            gate.vault,
            channel,
            to,
            subject=subject,
            body=body,
            language=language,
            deliver=is_anybody,
        )


async def alert_of_contacts(
    viewer: Viewer, *, gate: Gate, account: Account, before: Sequence[str]
) -> None:
    """Tells the contacts from ``before`` that they are others now, in the caller's unit of work.

    Each of them: who has added one of theirs has taken none away yet.
    """
    if before and list(before) != contacts_of(account):
        what = Alert.CONTACT_CHANGED
        await alert(viewer, gate=gate, account=account, what=what, contacts=before)


def _contacts(account: Account | None, what: Alert) -> list[str]:
    if account is None:
        return [_NOBODY]
    known = contacts_of(account)
    return known if what in _EVERYWHERE else known[:1]

"""Contacts: telephone numbers and addresses, whose they are, and telling people by them."""

from dataclasses import dataclass

from auth.gate import Gate
from auth.messages import put_message
from auth.viewer import Viewer
from core.translation import message
from models import identifiers
from models.account import Account
from models.factor import Channel


@dataclass(frozen=True, slots=True)
class Contact:
    """A contact in its one stored form, and the way to it."""

    channel: Channel
    value: str


def contact_from(text: str, field: str = "") -> Contact:
    """A contact as people type it; raises EmailInvalid, PhoneInvalid."""
    if "@" in text:
        return Contact(Channel.EMAIL, identifiers.email(text, field))
    return Contact(Channel.SMS, identifiers.phone(text, field))


def contact_again(value: str) -> Contact:
    """The contact of a stored form."""
    return Contact(Channel.EMAIL if "@" in value else Channel.SMS, value)


async def account_with(contact: Contact) -> Account | None:
    """The account that is signed in to with a contact."""
    if contact.channel is Channel.EMAIL:
        return await Account.get_or_none(email=contact.value)
    return await Account.get_or_none(phone=contact.value)


def confirmed_contact(account: Account) -> Contact | None:
    """A contact from which a code came back once; the telephone, where there are two."""
    if account.phone is not None and account.phone_confirmed_at is not None:
        return Contact(Channel.SMS, account.phone)
    if account.email is not None and account.email_confirmed_at is not None:
        return Contact(Channel.EMAIL, account.email)
    return None


async def tell_owner(
    viewer: Viewer, gate: Gate, account: Account, text: str, *, language: str, **values: object
) -> None:
    """Puts a text into the outbox for each contact of an account, in the caller's unit of work.

    It is told by all of them: whoever has got hold of one may be who it warns of.
    """
    subject, body = message(language, "Account.subject"), message(language, text, **values)
    for value in (account.phone, account.email):
        if value is not None:
            to = contact_again(value)
            await put_message(
                viewer,
                gate.vault,
                to.channel,
                to.value,
                subject=subject,
                body=body,
                language=language,
            )

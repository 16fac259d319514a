"""Contacts: telephone numbers and addresses, and whose they are."""

from dataclasses import dataclass
from datetime import datetime

from auth.gate import Gate
from auth.messages import put_message
from auth.viewer import Viewer
from core.translation import message
from models import identifiers
from models.account import Account
from models.factor import Channel
from models.practitioner import Practitioner


@dataclass(frozen=True, slots=True)
class Contact:
    """A contact in its one stored form, and the way to it."""

    channel: Channel
    value: str


def contact_from(text: str, field: str = "") -> Contact:
    """A contact as people type it, to which a code can be sent.

    Raises EmailInvalid, PhoneInvalid, PhoneLandline.
    """
    # Letters alone are meant for an address.
    if "@" in text or text.strip()[:1].isalpha():
        return Contact(Channel.EMAIL, identifiers.email(text, field))
    return Contact(Channel.SMS, identifiers.mobile(text, field))


def contact_again(value: str) -> Contact:
    """The contact of a stored form."""
    return Contact(Channel.EMAIL if "@" in value else Channel.SMS, value)


def take_contact(account: Account, contact: Contact, at: datetime) -> str:
    """Makes a contact one to sign in with, in a row that the caller saves: its code came back.

    Tells the column.
    """
    column = "email" if contact.channel is Channel.EMAIL else "phone"
    account.update_from_dict({column: contact.value, f"{column}_confirmed_at": at})
    return column


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


def contacts_of(account: Account) -> list[str]:
    """What an account is signed in to with, the e-mail address first."""
    return [value for value in (account.email, account.phone) if value is not None]


async def tell_worker(
    viewer: Viewer, gate: Gate, file: Practitioner, text: str, *, account: Account, language: str
) -> None:
    """Tells whoever stands in the registry what became of their file, at the contacts there.

    Not at those of the account that it is about: its owner hears of it anyway.
    """
    for value in (file.personal_phone or file.work_phone, file.personal_email or file.work_email):
        if value is not None and value not in (account.phone, account.email):
            to = contact_again(value)
            await put_message(
                viewer,
                gate.vault,
                to.channel,
                to.value,
                subject=message(language, "File.subject"),
                body=message(language, text, public_id=account.public_id),
                language=language,
            )

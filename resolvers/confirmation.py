"""Confirmation of an account, by a code or in person: its INN and SNILS become its owner's."""

from datetime import timedelta
from typing import Any

from tortoise.exceptions import IntegrityError

from auth.audit import record
from auth.gate import Gate
from auth.identities import number_of
from auth.limits import Limit
from auth.sent_codes import CodeExpired, Sent, check_wait, contact_of, send_code, use_code
from auth.viewer import Viewer
from core.errors import Problem
from core.translation import message
from models import identifiers
from models.account import Account, ConfirmedBy
from models.change import ChangeKind
from models.database import current_unit, unit_of_work, violated
from models.factor import Channel, CodePurpose, SentCode
from models.feed import announce
from models.identity import Identity
from models.practitioner import Practitioner
from resolvers.accounts import person_of, save_account
from resolvers.alerts import alert_of_contacts
from resolvers.contacts import contacts_of
from resolvers.forms import read, refuse
from resolvers.owned_numbers import PROVING, InnTaken, SnilsBound, bind_number
from resolvers.returned_codes import code_or_problem
from resolvers.versions import next_version


class AlreadyConfirmed(Problem):
    """The account is confirmed."""

    code = "ALREADY_CONFIRMED"


class ContactMissing(Problem):
    """The account has no such contact to which a code could be sent."""

    code = "CONTACT_MISSING"


class IdentityMissing(Problem):
    """The account does not say whose it is: its owner states that first."""

    code = "IDENTITY_MISSING"


class SnilsDiffers(Problem):
    """The registry knows another SNILS of the worker whose account it is."""

    code = "SNILS_MISMATCH"


class InnDiffers(Problem):
    """The registry knows another INN of the worker whose account it is."""

    code = "INN_MISMATCH"


# A SNILS, and an INN or none, in their normal form.
Numbers = dict[str, Any]

ASKING = Limit("request confirmation", 10, timedelta(days=1))
# Each try may ask once whether a SNILS is taken.
TRYING = Limit("confirm account", 10, timedelta(hours=1))


async def request_confirmation(viewer: Viewer, *, gate: Gate, channel: Channel) -> Sent:
    """Sends a code to the account's own telephone number or e-mail address.

    Another is added by ``begin_contact_change`` first, which asks for a factor: a contact opens
    the account. Raises AlreadyConfirmed, ContactMissing, ResendTooSoon, TooManyAttempts.
    """
    account = await Account.get(id=viewer.account_id)
    await check_wait(
        viewer,
        gate=gate,
        purpose=CodePurpose.CONFIRMATION,
        contact=_own_contact(account, channel),
        account_id=account.id,
        field="channel",
    )
    await gate.limiter.hit(viewer, ASKING, str(account.id))
    return await _request(viewer, gate, channel)


def _own_contact(account: Account, channel: Channel) -> str:
    if account.confirmed_at is not None:
        raise AlreadyConfirmed
    contact = account.phone if channel is Channel.SMS else account.email
    if contact is None:
        raise ContactMissing("channel")
    return contact


@unit_of_work
async def _request(viewer: Viewer, gate: Gate, channel: Channel) -> Sent:
    account = await Account.get(id=viewer.account_id)
    contact = _own_contact(account, channel)
    record(viewer, "CONFIRMATION_REQUESTED", account, channel=channel.value)
    return await send_confirmation(
        viewer, gate=gate, account=account, channel=channel, contact=contact
    )


async def send_confirmation(
    viewer: Viewer, *, gate: Gate, account: Account, channel: Channel, contact: str
) -> Sent:
    """Sends a code that confirms an account, in the caller's unit of work; raises ResendTooSoon.

    Where another account has the contact, the message says so.
    """
    current_unit()
    is_others = await Account.filter(email=contact).exclude(id=account.id).exists()
    known = message(viewer.language, "Confirmation.known")
    return await send_code(
        viewer,
        gate=gate,
        purpose=CodePurpose.CONFIRMATION,
        channel=channel,
        contact=contact,
        account_id=account.id,
        instead=known if is_others else None,
        field="channel",
    )


async def confirm_account(
    viewer: Viewer, *, gate: Gate, handle: str, code: str, snils: str, inn: str | None = None
) -> Account:
    """Confirms the viewer's own account by the code that came back.

    ``inn`` mends the one that was given before. Where the account is confirmed, the code still
    confirms the contact that it was sent to, and nothing else. Raises IdentityMissing, InnTaken,
    SnilsBound, SnilsDiffers, InnDiffers, IdentityUnavailable about ``handle``, TooManyAttempts, and
    Problems: those of ``read_numbers``, CodeInvalid, CodeExpired, CodeReused.
    """
    await gate.limiter.hit(viewer, TRYING, str(viewer.account_id))
    problems: list[Problem] = []
    numbers = read_numbers(snils, inn, problems)
    sent = await code_or_problem(
        viewer,
        gate=gate,
        purpose=CodePurpose.CONFIRMATION,
        handle=handle,
        code=code,
        account_id=viewer.account_id,
        problems=problems,
    )
    refuse(problems)
    assert sent is not None
    return await _confirm(viewer, gate, sent, numbers)


def read_numbers(snils: str, inn: str | None, problems: list[Problem]) -> Numbers:
    """The SNILS, and the INN where one is given; what is wrong is added to ``problems``.

    These are Required, SnilsMalformed, SnilsChecksumFails, InnMalformed, InnChecksumFails.
    """
    return read(
        {"snils": snils, "inn": inn},
        {"snils": identifiers.snils, "inn": identifiers.inn_of_person},
        required=("snils",),
        problems=problems,
    )


@unit_of_work
async def _confirm(viewer: Viewer, gate: Gate, sent: SentCode, numbers: Numbers) -> Account:
    account = await Account.filter(id=viewer.account_id).select_for_update(no_key=True).get()
    await use_code(viewer, sent)
    contact, before = contact_of(gate, sent), contacts_of(account)
    if sent.channel is Channel.EMAIL:
        # Of an account that has no address it is the one that was given at registering.
        if account.email not in (None, contact):
            raise CodeExpired("code")
        account.email, account.email_confirmed_at = contact, viewer.now
    else:
        if account.phone != contact:
            raise CodeExpired("code")
        account.phone_confirmed_at = viewer.now
    await save_account(account, field="handle")
    await alert_of_contacts(viewer, gate=gate, account=account, before=before)
    if account.confirmed_at is not None:
        # By another code meanwhile: this one confirms its contact, and binds nothing anew.
        about = await person_of(account.id)
        record(viewer, "CONTACT_CONFIRMED", account, about=about, channel=sent.channel.value)
        return account
    await note_confirmed(viewer, gate, account, numbers, way=ConfirmedBy(sent.channel))
    return account


async def note_confirmed(
    viewer: Viewer,
    gate: Gate,
    account: Account,
    numbers: Numbers,
    *,
    way: ConfirmedBy,
    **details: Any,
) -> None:
    """Confirms an account that the caller has locked in its unit of work, and binds its numbers.

    One that was confirmed by its owner's word is confirmed again by a proof. Raises
    AlreadyConfirmed, IdentityMissing, InnTaken, SnilsBound, SnilsDiffers, InnDiffers.
    """
    if account.confirmed_at is not None and not adds_proof(account, way):
        raise AlreadyConfirmed
    await _bind(viewer, gate, account, numbers, way)
    await mark_confirmed(viewer, account, way, **details)


def adds_proof(account: Account, way: ConfirmedBy) -> bool:
    """Whether a confirmation proves who the account's owner is, and none before did."""
    proving = PROVING["snils"]
    return way in proving and account.confirmed_by not in proving


async def mark_confirmed(
    viewer: Viewer, account: Account, way: ConfirmedBy, **details: Any
) -> None:
    """Notes that an account is confirmed: open sessions have it with their next request."""
    account.confirmed_at, account.confirmed_by = viewer.now, way
    await save_account(account)
    about = await person_of(account.id)
    record(viewer, "ACCOUNT_CONFIRMED", account, about=about, way=way.value, **details)
    announce(ChangeKind.SESSION, account_id=account.id, subject_id=account.id)


async def _bind(
    viewer: Viewer, gate: Gate, account: Account, numbers: Numbers, way: ConfirmedBy
) -> None:
    """Makes the INN that was claimed and the SNILS the account's own: one account has each."""
    snils, inn = numbers["snils"], numbers["inn"]
    found = Identity.filter(account_id=account.id).select_for_update(no_key=True)
    identity = await found.get_or_none()
    if identity is None:
        raise IdentityMissing
    worker = await Practitioner.get_or_none(account_id=account.id)
    if worker is not None and worker.snils not in (None, snils):
        raise SnilsDiffers("snils")
    if inn is None and way in PROVING["inn"]:
        # Nobody looked at the one that was claimed: it stays no more than that.
        identity.update_from_dict({"inn_hash": None})
    elif claimed := inn or number_of(gate, identity, "inn"):
        if worker is not None and worker.inn not in (None, claimed):
            raise InnDiffers("inn")
        await bind_number(viewer, gate, account, identity, "inn", claimed, way=way)
    await bind_number(viewer, gate, account, identity, "snils", snils, way=way)
    next_version(identity)
    try:
        await identity.save()
    except IntegrityError as error:
        # The database has the last word: of two that confirm at once, one was first.
        raise (InnTaken("inn") if "inn_hash" in violated(error) else SnilsBound("snils")) from None

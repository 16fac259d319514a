"""Tickets: filed by anybody, signed in or not; taken, answered and refused by an operator."""

import re
from datetime import timedelta
from typing import Any
from uuid import UUID

from auth.audit import record
from auth.gate import Gate
from auth.limits import Limit
from auth.messages import put_message
from auth.rows import NotFound, lock
from auth.viewer import Viewer
from core.errors import Problem
from core.ids import typed_code, uuid7
from core.settings import Settings
from core.translation import message
from models.account import Account
from models.database import unit_of_work
from models.ticket import Ticket, TicketDocument, TicketReason, TicketState
from models.upload import UploadPurpose
from resolvers.accounts import person_of
from resolvers.contacts import account_with, contact_again, contact_from, contacts_of
from resolvers.forms import (
    Check,
    OutOfRange,
    as_given,
    complete,
    prose,
    read,
    reason_of,
    refuse,
)
from resolvers.lockout import account_told_of
from resolvers.uploads import claim_uploads

# These ask for what belongs to a person: who asks must show who they are.
WITH_DOCUMENTS = frozenset(
    {TicketReason.ACCOUNT_LOCKED, TicketReason.SECOND_FACTOR_LOST, TicketReason.CONTACT_LOST}
)
MOST_DOCUMENTS = 5
FILING_FROM_ADDRESS = Limit("tickets from address", 20, timedelta(days=1))
# By both, or a stranger elsewhere could close it to whoever has the contact.
FILING_FOR_CONTACT = Limit("tickets of contact from address", 5, timedelta(days=1))
ASKING_FROM_ADDRESS = Limit("ticket states from address", 30, timedelta(minutes=15))

_REQUIRED = ("contact", "reason", "text")
# An SMS holds no longer answer.
_LONGEST_ANSWER = 1_000
_PUBLIC_ID = re.compile(r"ID-[0-9A-Z]{4}-[0-9A-Z]{4}")


class DocumentRequired(Problem):
    """What is asked for needs a document that tells who asks."""

    code = "DOCUMENT_REQUIRED"


class PublicIdMalformed(Problem):
    """Not a number that somebody is told to quote."""

    code = "PUBLIC_ID_FORMAT"


class TicketStateWrong(Problem):
    """The ticket's state does not allow this."""

    code = "TICKET_STATE"


async def file_ticket(viewer: Viewer, *, gate: Gate, **values: Any) -> Ticket:
    """Files a ticket; whether the contact or the public id is anybody's is not told.

    Raises Problems (Required, EmailInvalid, PhoneInvalid, PhoneLandline, TooLong, TextInvalid,
    OutOfRange, DocumentRequired, PublicIdMalformed), NotFound about ``attachments``,
    TooManyAttempts.
    """
    problems: list[Problem] = []
    form = read(complete(values, _REQUIRED), _CHECKS, required=_REQUIRED, problems=problems)
    attachments = list(dict.fromkeys(form.pop("attachments", None) or []))
    if len(attachments) > MOST_DOCUMENTS:
        problems.append(OutOfRange("attachments", low=0, high=MOST_DOCUMENTS))
    if not attachments and form.get("reason") in WITH_DOCUMENTS:
        problems.append(DocumentRequired("attachments"))
    refuse(problems)
    await gate.limiter.hit(viewer, FILING_FROM_ADDRESS, viewer.network)
    of_both = f"{viewer.network}\0{form['contact'].value}"
    await gate.limiter.hit(viewer, FILING_FOR_CONTACT, of_both)
    return await _file(viewer, gate, form, attachments)


@unit_of_work
async def _file(
    viewer: Viewer, gate: Gate, form: dict[str, Any], attachments: list[UUID]
) -> Ticket:
    contact, public_id = form["contact"], form.get("public_id")
    # Both are looked up, whatever is found: the time taken tells nothing.
    by_contact = await account_with(contact)
    by_id = await account_told_of(gate=gate, public_id=public_id or "")
    told_by = by_id or by_contact
    account_id = viewer.account_id or (told_by.id if told_by is not None else None)
    about = await person_of(account_id or uuid7())
    ticket = await Ticket.create(
        contact_sealed=gate.vault.seal(contact.value),
        contact_hash=_contact_hash(gate, contact.value),
        reason=form["reason"],
        text=form["text"],
        error_text=form.get("error_text") or "",
        account_id=account_id,
        created_at=viewer.now,
    )
    for upload in await claim_uploads(viewer, attachments, UploadPurpose.TICKET, "attachments"):
        await TicketDocument.create(
            ticket_id=ticket.id,
            file_name=upload.file_name,
            size=upload.size,
            media_type=upload.media_type,
            storage_name=upload.storage_name,
            key_sealed=upload.key_sealed,
            sha256=upload.sha256,
            created_at=viewer.now,
        )
    record(viewer, "TICKET_FILED", ticket, about=about, reason=ticket.reason.value)
    return ticket


async def check_ticket(viewer: Viewer, *, gate: Gate, number: str, contact: str) -> Ticket:
    """The ticket of a number, for whoever names its contact as well.

    Raises Problems (Required, EmailInvalid, PhoneInvalid, PhoneLandline), TooManyAttempts,
    and NotFound about ``number``, whichever of the two is wrong.
    """
    problems: list[Problem] = []
    given = {"number": number, "contact": contact}
    checks: dict[str, Check] = {"number": as_given, "contact": contact_from}
    found = read(given, checks, required=given, problems=problems)
    refuse(problems)
    await gate.limiter.hit(viewer, ASKING_FROM_ADDRESS, viewer.network)
    return await _look_up(viewer, found["number"], _contact_hash(gate, found["contact"].value))


@unit_of_work
async def _look_up(viewer: Viewer, number: str, contact_hash: str) -> Ticket:
    # PostgreSQL takes no NUL, and no column a longer text.
    number = typed_code(number, "TK")[:16]
    number = number if number.isprintable() else ""
    ticket = await Ticket.get_or_none(number=number, contact_hash=contact_hash)
    if ticket is None:
        raise NotFound("number")
    record(viewer, "TICKET_STATE_ASKED", ticket)
    return ticket


@unit_of_work
async def take_ticket(viewer: Viewer, *, id: UUID) -> Ticket:
    """Takes a new ticket into review. Raises NotFound, TicketStateWrong."""
    ticket = await lock(viewer, Ticket, id)
    _expect(ticket, TicketState.NEW)
    ticket.update_from_dict({"state": TicketState.IN_REVIEW, "taken_by_id": viewer.account_id})
    await _save(viewer, ticket, "TICKET_TAKEN")
    return ticket


@unit_of_work
async def answer_ticket(
    viewer: Viewer, *, gate: Gate, settings: Settings, id: UUID, answer: str
) -> Ticket:
    """Ends a ticket with an answer, which goes to its contact: to an owner in their language.

    Raises NotFound, TicketStateWrong, Problems: Required, TooLong, TextInvalid.
    """
    problems: list[Problem] = []
    given = {"answer": answer}
    form = read(given, {"answer": prose(_LONGEST_ANSWER)}, required=given, problems=problems)
    refuse(problems)
    return await _decide(viewer, gate, settings, id, TicketState.ANSWERED, form["answer"])


@unit_of_work
async def refuse_ticket(
    viewer: Viewer, *, gate: Gate, settings: Settings, id: UUID, reason: str
) -> Ticket:
    """Ends a ticket without what it asks for; the reason goes to its contact.

    Raises NotFound, TicketStateWrong, ReasonNeeded, Problems.
    """
    why = reason_of(reason, length=_LONGEST_ANSWER)
    return await _decide(viewer, gate, settings, id, TicketState.REFUSED, why)


async def _decide(
    viewer: Viewer, gate: Gate, settings: Settings, id: UUID, state: TicketState, said: str
) -> Ticket:
    ticket = await lock(viewer, Ticket, id)
    _expect(ticket, TicketState.IN_REVIEW)
    ticket.update_from_dict(
        {
            "state": state,
            "answer": said,
            "decided_by_id": viewer.account_id,
            "decided_at": viewer.now,
        }
    )
    await _save(viewer, ticket, f"TICKET_{state.value}")
    to = contact_again(gate.vault.open(ticket.contact_sealed))
    owner = await Account.get_or_none(id=ticket.account_id)
    # To a stranger who quotes a number that a failed sign-in told, it would tell of an account.
    language = settings.language
    if owner is not None and to.value in contacts_of(owner):
        language = owner.language
    subject, body = (
        message(language, text, number=ticket.number, answer=ticket.answer)
        for text in ("Ticket.subject", f"Ticket.{state.value}")
    )
    await put_message(
        viewer,
        gate.vault,
        to.channel,
        to.value,
        subject=subject,
        body=body,
        language=language,
    )
    return ticket


def _expect(ticket: Ticket, state: TicketState) -> None:
    if ticket.state is not state:
        raise TicketStateWrong("id", state=ticket.state)


async def _save(viewer: Viewer, ticket: Ticket, action: str) -> None:
    ticket.version += 1
    await ticket.save()
    about = await person_of(ticket.account_id) if ticket.account_id is not None else None
    record(viewer, action, ticket, about=about, number=ticket.number)


def _contact_hash(gate: Gate, value: str) -> str:
    return gate.hashes.hash("contact", value)


def _public_id(value: str, field: str) -> str:
    """The number that a locked person was told to quote."""
    public_id = typed_code(value, "ID")
    if not _PUBLIC_ID.fullmatch(public_id):
        raise PublicIdMalformed(field)
    return public_id


_CHECKS: dict[str, Check] = {
    "contact": contact_from,
    "reason": as_given,
    "text": prose(4_000),
    "error_text": prose(2_000),
    "public_id": _public_id,
    "attachments": as_given,
}

"""Contacts that are lost: replaced by an operator who holds their owner's document in hand."""

from datetime import timedelta
from hmac import compare_digest
from typing import Any

from auth.audit import record
from auth.gate import Gate
from auth.identities import number_hash
from auth.limits import Limit
from auth.rows import NotFound
from auth.sent_codes import Sent, contact_of, send_code, use_code
from auth.viewer import Viewer
from core.errors import Problem
from models.account import AccountState
from models.database import unit_of_work
from models.factor import Channel, CodePurpose, SentCode
from resolvers.accounts import person_of, save_account
from resolvers.alerts import Alert, alert
from resolvers.contacts import Contact, contact_again, contact_from, contacts_of, take_contact
from resolvers.forms import read, reason_or_problem, refuse
from resolvers.foureyes import check_other_operator
from resolvers.returned_codes import code_or_problem, note_refusal
from resolvers.sessions import end_everything
from resolvers.visits import (
    SHOWN,
    DocumentMismatch,
    Found,
    count_document,
    found_with,
    lock_account,
)


class DocumentUnknown(Problem):
    """Neither the account nor its owner's file knows a document to compare with."""

    code = "DOCUMENT_UNKNOWN"


# Whoever sits before the operator reads the code out: it is mistyped rather than guessed.
REPLACING = Limit("replace contact", 30, timedelta(hours=1))

# One that was not opened yet is opened by its invitation.
_OPENED = (AccountState.ACTIVE, AccountState.LOCKED)


async def begin_contact_replacement(
    viewer: Viewer, *, gate: Gate, public_id: str, document: str, contact: str
) -> Sent:
    """Sends a code to the phone or e-mail that a visitor has now.

    ``document`` is the series and number as the operator reads them: those of the account, or of
    its owner's file. Whether somebody has the contact already is told only to whom the code
    comes. Raises NotFound, SelfApproval, DocumentUnknown about ``public_id``, DocumentMismatch,
    ResendTooSoon, TooManyAttempts, and Problems: Required, PassportMalformed, EmailInvalid,
    PhoneInvalid, PhoneLandline.
    """
    problems: list[Problem] = []
    given = {"public_id": public_id, "document": document, "contact": contact}
    checks = {**SHOWN, "contact": contact_from}
    values = read(given, checks, required=given, problems=problems)
    refuse(problems)
    name = values["public_id"]
    await count_document(viewer, gate, name)
    try:
        return await _send(viewer, gate, name, values["document"], values["contact"])
    except Problem as problem:
        await note_refusal(viewer, "REPLACEMENT_REFUSED", problem, account=name)
        raise


@unit_of_work
async def _send(viewer: Viewer, gate: Gate, name: str, document: str, to: Contact) -> Sent:
    found = await _locked(viewer, "public_id", public_id=name)
    known = _documents(gate, found)
    if not known:
        raise DocumentUnknown("public_id")
    shown = number_hash(gate, "passport", document)
    if not any(compare_digest(one, shown) for one in known):
        raise DocumentMismatch("document")
    account, about = found.account, await person_of(found.account.id)
    record(viewer, "REPLACEMENT_BEGUN", account, about=about, channel=to.channel.value)
    return await send_code(
        viewer._replace(language=account.language),
        gate=gate,
        purpose=CodePurpose.VISIT,
        channel=to.channel,
        contact=to.value,
        account_id=account.id,
        field="contact",
    )


def _documents(gate: Gate, found: Found) -> list[str]:
    """The hashes of the documents that are known of an account's owner."""
    known = []
    if found.identity is not None and found.identity.passport_hash is not None:
        known.append(found.identity.passport_hash)
    if found.file is not None and found.file.passport_sealed is not None:
        number = gate.vault.open(found.file.passport_sealed)
        known.append(number_hash(gate, "passport", number))
    return known


async def replace_contact(
    viewer: Viewer, *, gate: Gate, handle: str, code: str, reason: str
) -> Found:
    """Puts the contact to which the code was sent in the place of the one that is lost.

    Every session ends, and whatever was begun; the owner is told at each contact from before. A
    telephone that is a second factor takes two operators, where there are two (decision 0008): one
    has looked at the document and hands the handle to another. Raises NotFound, SelfApproval,
    OtherOperatorNeeded and IdentityUnavailable about ``handle``, TooManyAttempts, and Problems:
    CodeInvalid, CodeExpired, CodeReused, ReasonNeeded.
    """
    await gate.limiter.hit(viewer, REPLACING, str(viewer.account_id))
    problems: list[Problem] = []
    sent = await code_or_problem(
        viewer,
        gate=gate,
        purpose=CodePurpose.VISIT,
        handle=handle,
        code=code,
        account_id=None,
        problems=problems,
    )
    why = reason_or_problem(reason, problems)
    refuse(problems)
    assert sent is not None
    return await _replace(viewer, gate, sent, why)


@unit_of_work
async def _replace(viewer: Viewer, gate: Gate, sent: SentCode, reason: str) -> Found:
    found = await _locked(viewer, "handle", id=sent.account_id)
    is_factor = sent.channel is Channel.SMS and found.account.sms_factor
    alone = is_factor and sent.asked_by_id == viewer.account_id
    details = await check_other_operator(viewer, found.account, "handle") if alone else {}
    await use_code(viewer, sent)
    account, about = found.account, await person_of(found.account.id)
    before = contacts_of(account)
    column = take_contact(account, contact_again(contact_of(gate, sent)), viewer.now)
    await save_account(account, field="handle")
    await end_everything(viewer, account.id, reason="CONTACT_REPLACED")
    record(viewer, "CONTACT_REPLACED", account, about=about, field=column, reason=reason, **details)
    what = Alert.CONTACT_REPLACED
    await alert(viewer, gate=gate, account=account, what=what, contacts=before)
    return found


async def _locked(viewer: Viewer, field: str, **which: Any) -> Found:
    """An open account within the operator's reach, and not their own, locked."""
    account = await lock_account(viewer, field, **which)
    if account.state not in _OPENED:
        raise NotFound(field)
    return await found_with(account)

"""Visits to a service centre: an operator finds the person's account and confirms it."""

from dataclasses import dataclass
from datetime import timedelta
from hmac import compare_digest
from typing import Any

from auth.audit import record
from auth.gate import Gate
from auth.identities import number_hash
from auth.limits import Limit
from auth.rows import NotFound, existing, lock
from auth.viewer import Viewer
from core.errors import Problem
from core.ids import typed_code, uuid7
from models import identifiers
from models.account import Account, ConfirmedBy
from models.database import unit_of_work
from models.identity import Identity
from models.practitioner import Practitioner
from resolvers.alerts import Alert, alert
from resolvers.confirmation import (
    AlreadyConfirmed,
    IdentityMissing,
    Numbers,
    note_confirmed,
    read_numbers,
)
from resolvers.forms import Check, ExactlyOne, read, reason_or_problem, refuse, text
from resolvers.foureyes import SelfApproval
from resolvers.lockout import account_told_of
from resolvers.returned_codes import note_refusal


class DocumentMismatch(Problem):
    """The document shown is not one that is known of the account's owner."""

    code = "DOCUMENT_MISMATCH"


FINDING = Limit("find account", 60, timedelta(hours=1))
# Whoever holds the document needs no second guess at its number.
CONFIRMING = Limit("confirm in person", 5, timedelta(hours=1))

_MOST = 10
_LONGEST_ID = 16


def _public_id(value: str, field: str) -> str:
    """As its owner reads it aloud; nobody has a longer one."""
    public_id: str = text(_LONGEST_ID)(typed_code(value, "ID"), field)
    return public_id


# What a visitor shows, and which account they say is theirs.
SHOWN: dict[str, Check] = {"document": identifiers.passport, "public_id": _public_id}


@dataclass(frozen=True, slots=True)
class Found:
    """An account, who its owner says to be and their file in the registry, where there are any."""

    account: Account
    identity: Identity | None
    file: Practitioner | None


async def found_with(account: Account) -> Found:
    """An account, with what is known of its owner."""
    identity = await Identity.get_or_none(account_id=account.id)
    return Found(account, identity, await Practitioner.get_or_none(account_id=account.id))


def documents_of(gate: Gate, found: Found) -> list[str]:
    """The hashes of the documents that are known of an account's owner."""
    known = []
    if found.identity is not None and found.identity.passport_hash is not None:
        known.append(found.identity.passport_hash)
    if found.file is not None and found.file.passport_sealed is not None:
        number = gate.vault.open(found.file.passport_sealed)
        known.append(number_hash(gate, "passport", number))
    return known


def check_document(gate: Gate, found: Found, document: str) -> None:
    """Raises DocumentMismatch where a visitor shows none of those."""
    shown = number_hash(gate, "passport", document)
    if not any(compare_digest(one, shown) for one in documents_of(gate, found)):
        raise DocumentMismatch("document")


async def find_account(
    viewer: Viewer,
    *,
    gate: Gate,
    public_id: str | None = None,
    document: str | None = None,
    phone: str | None = None,
) -> list[Found]:
    """The accounts that exactly one of these leads to, ten at the most; who looks is audited.

    Those of other organisations, and of other departments than the operator is limited to, do not
    exist for them. Raises NotFound, TooManyAttempts,
    and Problems: ExactlyOne, PassportMalformed, PhoneInvalid.
    """
    checks = {**SHOWN, "phone": identifiers.phone}
    given = {"public_id": public_id, "document": document, "phone": phone}
    problems: list[Problem] = []
    stored = read({k: v for k, v in given.items() if v}, checks, problems=problems)
    refuse(problems)
    known = [(name, value) for name, value in stored.items() if value is not None]
    if len(known) != 1:
        raise ExactlyOne("public_id")
    await gate.limiter.hit(viewer, FINDING, str(viewer.account_id))
    (name, value) = known[0]
    found = await _find(viewer, gate, name, value)
    if not found:
        raise NotFound(name)
    return found


@unit_of_work
async def _find(viewer: Viewer, gate: Gate, name: str, value: str) -> list[Found]:
    if name == "document":
        accounts = existing(viewer, Account).filter(
            identity__passport_hash=number_hash(gate, "passport", value)
        )
    elif name == "phone":
        accounts = existing(viewer, Account).filter(phone=value)
    else:
        # Who is locked out quotes what the error told: an id of the login that was typed.
        told = await account_told_of(gate=gate, public_id=value)
        accounts = existing(viewer, Account).filter(id=told.id if told is not None else uuid7())
    rows = await accounts.order_by("created_at", "id").limit(_MOST)
    for row in rows:
        record(viewer, "ACCOUNT_FOUND", row, by=name)
    if not rows:
        record(viewer, "ACCOUNT_NOT_FOUND", by=name)
    return [await found_with(row) for row in rows]


async def lock_account(viewer: Viewer, field: str, **which: Any) -> Account:
    """The account that these lead to, locked in the caller's unit of work.

    Raises NotFound where the operator sees none such, and SelfApproval, about ``field``.
    """
    found = await existing(viewer, Account).get_or_none(**which)
    if found is None:
        raise NotFound(field)
    if found.id == viewer.account_id:
        raise SelfApproval(field)
    return await lock(viewer, Account, found.id, field)


async def count_document(viewer: Viewer, gate: Gate, public_id: str) -> None:
    """Counts a document that is compared with those of an account; raises TooManyAttempts.

    Of an account that the operator does not see nothing is compared, and nothing is used up.
    """
    if await existing(viewer, Account).filter(public_id=public_id).exists():
        await gate.limiter.hit(viewer, CONFIRMING, public_id)


async def confirm_in_person(
    viewer: Viewer,
    *,
    gate: Gate,
    public_id: str,
    document: str,
    snils: str,
    reason: str,
    inn: str | None = None,
) -> Found:
    """Confirms the account of a visitor whose passport the operator holds in their hands.

    ``document`` is its series and number as the operator reads them: that of the account, or of its
    owner's file. ``inn`` is a number that they saw too: one that was only claimed stays so. The
    owner is told by each contact, as the SNILS opens the account from now on. Raises
    NotFound, SelfApproval, AlreadyConfirmed, IdentityMissing, DocumentMismatch, InnTaken,
    SnilsBound, SnilsDiffers, InnDiffers, TooManyAttempts, and Problems: Required,
    PassportMalformed, ReasonNeeded, and those of ``read_numbers``.
    """
    problems: list[Problem] = []
    given = {"document": document, "public_id": public_id}
    values = read(given, SHOWN, required=given, problems=problems)
    numbers = read_numbers(snils, inn, problems)
    why = reason_or_problem(reason, problems)
    refuse(problems)
    name = values["public_id"]
    await count_document(viewer, gate, name)
    try:
        return await _confirm(viewer, gate, name, values["document"], numbers, why)
    except Problem as problem:
        await note_refusal(viewer, "CONFIRMATION_REFUSED", problem, account=name)
        raise


@unit_of_work
async def _confirm(
    viewer: Viewer, gate: Gate, name: str, document: str, numbers: Numbers, reason: str
) -> Found:
    account = await lock_account(viewer, "public_id", public_id=name)
    found = await found_with(account)
    if found.identity is None:
        # The registry says whose the account of its own worker is, and its owner cannot.
        is_said = found.file is not None and account.confirmed_at is not None
        raise AlreadyConfirmed if is_said else IdentityMissing("public_id")
    check_document(gate, found, document)
    way = ConfirmedBy.VISIT
    await note_confirmed(viewer, gate, account, numbers, way=way, reason=reason)
    await alert(viewer, gate=gate, account=account, what=Alert.CONFIRMED_IN_PERSON)
    return found

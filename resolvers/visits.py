"""Visits to a service centre: an operator finds the person's account and confirms it."""

from dataclasses import dataclass
from datetime import timedelta
from hmac import compare_digest

from tortoise.expressions import Q
from tortoise.queryset import QuerySet

from auth.audit import record
from auth.gate import Gate
from auth.identities import number_hash
from auth.limits import Limit
from auth.rows import NotFound
from auth.viewer import Viewer
from core.errors import Problem, Problems
from core.ids import typed_code
from models import identifiers
from models.account import Account
from models.database import unit_of_work
from models.identity import Identity
from resolvers.confirmation import IdentityMissing, Numbers, note_confirmed, read_numbers
from resolvers.forms import Check, ExactlyOne, read, reason_of, refuse, text
from resolvers.foureyes import SelfApproval
from resolvers.returned_codes import note_refusal


class DocumentMismatch(Problem):
    """The document shown is not the one that the account was opened with."""

    code = "DOCUMENT_MISMATCH"


FINDING = Limit("find account", 60, timedelta(hours=1))
# Whoever holds the document needs no second guess at its number.
CONFIRMING = Limit("confirm in person", 5, timedelta(hours=1))

_MOST = 10
_LONGEST_ID = 16


@dataclass(frozen=True, slots=True)
class Found:
    """An account and who its owner says to be, where that is known."""

    account: Account
    identity: Identity | None


async def find_account(
    viewer: Viewer,
    *,
    gate: Gate,
    public_id: str | None = None,
    document: str | None = None,
    phone: str | None = None,
) -> list[Found]:
    """The accounts that exactly one of these leads to, ten at the most; who looks is audited.

    Those of other organisations do not exist for the operator. Raises NotFound, TooManyAttempts,
    and Problems: ExactlyOne, PassportMalformed, PhoneInvalid.
    """
    checks: dict[str, Check] = {
        "public_id": _public_id,
        "document": identifiers.passport,
        "phone": identifiers.phone,
    }
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
        accounts = _in_reach(viewer).filter(
            identity__passport_hash=number_hash(gate, "passport", value)
        )
    else:
        accounts = _in_reach(viewer).filter(
            Q(public_id=value) if name == "public_id" else Q(phone=value)
        )
    rows = await accounts.order_by("created_at", "id").limit(_MOST)
    identities = await Identity.filter(account_id__in=[row.id for row in rows])
    known = {identity.account_id: identity for identity in identities}
    for row in rows:
        record(viewer, "ACCOUNT_FOUND", row, by=name)
    if not rows:
        record(viewer, "ACCOUNT_NOT_FOUND", by=name)
    return [Found(row, known.get(row.id)) for row in rows]


def _public_id(value: str, field: str) -> str:
    """As its owner reads it aloud; nobody has a longer one."""
    public_id: str = text(_LONGEST_ID)(typed_code(value, "ID"), field)
    return public_id


def _in_reach(viewer: Viewer) -> QuerySet[Account]:
    """Accounts that belong to no organisation yet, or to one of the operator's."""
    return Account.filter(
        Q(organisation_id__isnull=True) | Q(organisation_id__in=list(viewer.organisations))
    )


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

    ``document`` is its series and number as the operator reads them. Raises NotFound,
    SelfApproval, AlreadyConfirmed, IdentityMissing, DocumentMismatch, InnTaken, SnilsBound,
    SnilsDiffers, TooManyAttempts, and Problems: Required, PassportMalformed, ReasonNeeded, and
    those of ``read_numbers``.
    """
    problems: list[Problem] = []
    values = read(
        {"document": document, "public_id": public_id},
        {"document": identifiers.passport, "public_id": _public_id},
        required=("document", "public_id"),
        problems=problems,
    )
    numbers = read_numbers(snils, inn, problems)
    why = _reason(reason, problems)
    refuse(problems)
    name = values["public_id"]
    await gate.limiter.hit(viewer, CONFIRMING, name)
    try:
        return await _confirm(viewer, gate, name, values["document"], numbers, why)
    except Problem as problem:
        await note_refusal(viewer, "CONFIRMATION_REFUSED", problem, account=name)
        raise


def _reason(given: str, problems: list[Problem]) -> str:
    try:
        return reason_of(given)
    except Problems as several:
        problems += several.problems
    except Problem as problem:
        problems.append(problem)
    return ""


@unit_of_work
async def _confirm(
    viewer: Viewer, gate: Gate, name: str, document: str, numbers: Numbers, reason: str
) -> Found:
    found = _in_reach(viewer).filter(public_id=name).select_for_update(no_key=True)
    account = await found.get_or_none()
    if account is None:
        raise NotFound("public_id")
    if account.id == viewer.account_id:
        raise SelfApproval("public_id")
    identity = await Identity.get_or_none(account_id=account.id)
    if identity is None:
        raise IdentityMissing("public_id")
    shown = number_hash(gate, "passport", document)
    if not compare_digest(identity.passport_hash or "", shown):
        raise DocumentMismatch("document")
    await note_confirmed(viewer, gate, account, numbers, way="VISIT", reason=reason)
    return Found(account, identity)

"""Codes that are sent: made for one purpose, guessed at a few times, and used once.

A guess is counted before it is looked at: fifty at once get no more than five in a row. A right one
is none: what else is wrong with a form uses no code up. A contact of nobody's costs the same work
and is sent nothing. OWASP ASVS 5.0, 6.5 and 6.6.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from hmac import compare_digest
from uuid import UUID

from tortoise.expressions import F

from auth.gate import Gate
from auth.hours import on_our_clock
from auth.keys import digest
from auth.limits import TooManyAttempts
from auth.messages import put_message
from auth.turns import take_turns
from auth.viewer import Viewer
from core.errors import Problem
from core.text import compact
from core.translation import message
from models.database import current_unit, outside_units, unit_of_work
from models.factor import Channel, CodePurpose, SentCode

LIFETIME = timedelta(minutes=10)
GUESSES = 5
# How long to wait before the next code, after the first, the second, and so on.
WAITS = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 5, 15))
# After so long without a code the waits begin anew.
FORGOTTEN = timedelta(hours=1)
# How many codes for one thing go to one contact within a day, where anybody may ask for them.
A_DAY = 10
_DAY = timedelta(days=1)
# How long after a code came back what it was for may follow, such as a form.
PROOF = timedelta(minutes=30)


class CodeInvalid(Problem):
    """The one-time code is not the right one."""

    code = "CODE_INVALID"


class CodeReused(Problem):
    """The one-time code was used already."""

    code = "CODE_REUSED"


class CodeExpired(Problem):
    """The code is too old, or was guessed at too often: ask for another."""

    code = "CODE_EXPIRED"


class ResendTooSoon(Problem):
    """A code was sent just now: the next one from ``until`` on."""

    code = "RESEND_TOO_SOON"


@dataclass(frozen=True, slots=True)
class Sent:
    """A code under way. ``handle`` is shown once: with it the code is given back."""

    handle: str
    channel: Channel
    expires_at: datetime
    resend_at: datetime


def new_code() -> str:
    """Six random digits: 19.9 bits."""
    return f"{secrets.randbelow(1_000_000):06}"


async def send_code(
    viewer: Viewer,
    *,
    gate: Gate,
    purpose: CodePurpose,
    channel: Channel,
    contact: str,
    account_id: UUID | None = None,
    deliver: bool = True,
    handle: str | None = None,
    text: str | None = None,
    instead: str | None = None,
    anybody: bool = False,
    field: str = "",
) -> Sent:
    """Puts a code for a normal contact into the outbox, in the caller's unit of work.

    ``deliver`` is False where nobody has the contact: then no code is right, and nothing is
    sent. With ``instead`` no code is right either, and that text is sent. ``handle`` is one that
    goes with the code, in the ``text`` of that name; codes of one text wait for each other. Codes
    sent before stay good until they expire: otherwise a stranger could end them.

    Where ``anybody`` may ask for it there are ten a day at the most, and a code that came back does
    not end the wait: that would tell whose contact is somebody's. Raises ResendTooSoon about
    ``field``, TooManyAttempts.
    """
    current_unit()
    now = viewer.now
    text = text or _usual_text(purpose)
    key_hash = _key_hash(gate, purpose, text, contact, account_id)
    await take_turns(f"code {key_hash}")
    sends = await _sends(viewer, key_hash, anybody, field)
    handle = handle or secrets.token_urlsafe(32)
    code = new_code()
    is_real = deliver and instead is None
    minutes = int(LIFETIME.total_seconds()) // 60
    usual = message(viewer.language, text, code=code, minutes=minutes, handle=handle)
    sent = await SentCode.create(
        handle_hash=digest(handle),
        key_hash=key_hash,
        purpose=purpose,
        channel=channel,
        contact_hash=gate.hashes.hash("contact", contact),
        contact_sealed=gate.vault.seal(contact),
        account_id=account_id,
        asked_by_id=viewer.account_id,
        code_hash=_hash(gate, key_hash, handle, code if is_real else secrets.token_hex()),
        sent_at=now,
        expires_at=now + LIFETIME,
        sends=sends,
        resend_at=now + WAITS[min(sends, len(WAITS)) - 1],
    )
    await put_message(
        viewer,
        gate.vault,
        channel,
        contact,
        subject=message(viewer.language, "SentCode.subject"),
        body=usual if instead is None else instead,
        language=viewer.language,
        deliver=deliver,
        expires_at=sent.expires_at,
    )
    return Sent(handle, channel, sent.expires_at, sent.resend_at)


async def check_wait(
    viewer: Viewer,
    *,
    gate: Gate,
    purpose: CodePurpose,
    contact: str,
    account_id: UUID | None = None,
    anybody: bool = False,
    field: str = "",
) -> None:
    """Raises what ``send_code`` would of a wait, for who counts askings: one in vain is none."""
    key_hash = _key_hash(gate, purpose, _usual_text(purpose), contact, account_id)
    await _sends(viewer, key_hash, anybody, field)


def _usual_text(purpose: CodePurpose) -> str:
    return f"CodePurpose.{purpose}"


def _key_hash(
    gate: Gate, purpose: CodePurpose, text: str, contact: str, account_id: UUID | None
) -> str:
    """What codes wait for each other by.

    Also by the text, as one that staff begin is not held up by what strangers ask for; and whosever
    a contact is that recovers, or the end of a wait would tell that it has become somebody's.
    """
    contact_hash = gate.hashes.hash("contact", contact)
    whose = None if purpose is CodePurpose.RECOVERY else account_id
    return gate.hashes.hash("sent code key", f"{purpose}\0{text}\0{contact_hash}\0{whose}")


async def _sends(viewer: Viewer, key_hash: str, anybody: bool, field: str) -> int:
    """Which one in a row a code will be, where one may be sent now.

    What was sent is counted, and not what was asked for: whoever asks in vain closes nothing.
    """
    now = viewer.now
    of_day = SentCode.filter(key_hash=key_hash, sent_at__gt=now - _DAY)
    newest = await of_day.order_by("-sent_at", "-id").limit(A_DAY)
    sends = 1
    last = newest[0] if newest else None
    if last is not None and last.sent_at + FORGOTTEN > now and (anybody or last.used_at is None):
        if last.resend_at > now:
            raise ResendTooSoon(field, until=await on_our_clock(viewer, last.resend_at))
        sends = last.sends + 1
    if anybody and len(newest) == A_DAY:
        raise TooManyAttempts(until=await on_our_clock(viewer, newest[-1].sent_at + _DAY))
    return sends


async def check_code(
    viewer: Viewer,
    *,
    gate: Gate,
    purpose: CodePurpose,
    handle: str,
    code: str,
    account_id: UUID | None = None,
    field: str = "code",
) -> SentCode:
    """The sent code whose digits these are, not used yet: see ``use_code`` and ``prove``.

    ``account_id`` is the account that it must have been sent for, where the caller knows.
    Raises CodeInvalid, CodeExpired, CodeReused about ``field``. Outside of units of work, for
    the guess must stay counted when these fail.
    """
    outside_units()
    sent, is_right = await _guessed(viewer, gate, purpose, handle, code, account_id, field)
    if not is_right:
        raise CodeInvalid(field)
    return sent


@unit_of_work
async def _guessed(
    viewer: Viewer,
    gate: Gate,
    purpose: CodePurpose,
    handle: str,
    code: str,
    account_id: UUID | None,
    field: str,
) -> tuple[SentCode, bool]:
    """Counts a guess, where there may be one more, and tells whether it is right."""
    named = SentCode.filter(handle_hash=digest(handle), purpose=purpose)
    if account_id is not None:
        named = named.filter(account_id=account_id)
    counted = await named.filter(
        tries__lt=GUESSES, expires_at__gt=viewer.now, used_at__isnull=True, proved_at__isnull=True
    ).update(tries=F("tries") + 1)
    sent = await named.get_or_none()
    if sent is None:
        raise CodeInvalid(field)
    if not counted:
        is_done = sent.used_at is not None or sent.proved_at is not None
        raise CodeReused(field) if is_done else CodeExpired(field)
    given = _hash(gate, sent.key_hash, handle, compact(code))
    is_right = compare_digest(sent.code_hash, given)
    if is_right:
        # The row is ours until the unit ends: nobody has seen it counted.
        await named.update(tries=F("tries") - 1)
    return sent, is_right


@unit_of_work
async def prove(viewer: Viewer, sent: SentCode, field: str = "code") -> None:
    """Notes that a checked code came back; what it was for follows by its handle.

    Raises CodeReused where another was first.
    """
    noted = await SentCode.filter(id=sent.id, proved_at__isnull=True, used_at__isnull=True).update(
        proved_at=viewer.now
    )
    if not noted:
        raise CodeReused(field)


async def proved(
    viewer: Viewer,
    *,
    purpose: CodePurpose,
    handle: str,
    account_id: UUID | None = None,
    field: str = "handle",
) -> SentCode:
    """The sent code that came back lately and was not used yet; raises CodeExpired, CodeReused."""
    named = SentCode.filter(
        handle_hash=digest(handle), purpose=purpose, proved_at__gt=viewer.now - PROOF
    )
    if account_id is not None:
        named = named.filter(account_id=account_id)
    sent = await named.get_or_none()
    if sent is None:
        raise CodeExpired(field)
    if sent.used_at is not None:
        raise CodeReused(field)
    return sent


async def use_code(viewer: Viewer, sent: SentCode, field: str = "code") -> None:
    """Uses a code that was checked or proved, once, in the caller's unit of work.

    Raises CodeReused where another was first.
    """
    current_unit()
    used = await SentCode.filter(id=sent.id, used_at__isnull=True).update(used_at=viewer.now)
    if not used:
        raise CodeReused(field)


def contact_of(gate: Gate, sent: SentCode) -> str:
    """The telephone number or address that a code was sent to."""
    return gate.vault.open(sent.contact_sealed)


def _hash(gate: Gate, key_hash: str, handle: str, code: str) -> str:
    # The key binds it to purpose, text, contact and account, the handle to this sending.
    return gate.hashes.hash("sent code", f"{key_hash}\0{handle}\0{code}")

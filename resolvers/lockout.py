"""Guesses at what opens an account: counted before they are looked at, and the lock they bring."""

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from tortoise.expressions import Q

from auth.attempts import Attempt, AttemptsExceeded, begin_attempt
from auth.audit import record
from auth.devices import device_of
from auth.gate import Gate
from auth.hours import on_our_clock, whole_minute
from auth.limits import TooManyAttempts
from auth.viewer import Viewer
from core.errors import Problem
from core.ids import uuid7
from models.account import Account, AccountState
from models.database import outside_units, unit_of_work
from models.hit import Hit
from resolvers.accounts import device_names, failure_names, person_of
from resolvers.alerts import Alert, alert

# So many locks a day their owner is told of: the others would be a stranger's to send, each for an
# SMS of ours.
TOLD = 3
_DAY = timedelta(days=1)


class AccountLocked(Problem):
    """Too many failures: even the right password waits until ``until``; quote ``public_id``."""

    code = "ACCOUNT_LOCKED"


def known_device(
    viewer: Viewer, gate: Gate, account: Account | None, token: str | None
) -> str | None:
    """The device of a token, or of the viewer's cookie, where it has signed in to the account."""
    account_id = account.id if account is not None else uuid7()
    kept = viewer.cookies.device if viewer.cookies is not None else None
    return device_of(gate.hashes, account_id, token or kept or "", viewer.now)


async def counted(
    viewer: Viewer, *, gate: Gate, account: Account | None, login: str, device: str | None = None
) -> Attempt:
    """Counts a guess by a login, and at the account that has it, as failed for now.

    One of a known ``device`` counts for that device alone, until it has had as many as a login
    has; from then on it is like any other. Raises AccountLocked, TooManyAttempts, which tell of
    the login and nothing of an account: one that waits is told by ``refused_until``. Outside of
    units of work, for what is counted must stay when these fail.
    """
    outside_units()
    begin = partial(begin_attempt, network=viewer.network, now=viewer.now, limits=gate.limits)
    try:
        if device is not None:
            try:
                attempt = await begin(device_names(gate, device))
                return replace(attempt, locks_until=None, device=device)
            except AttemptsExceeded as exceeded:
                if not exceeded.is_lock:
                    raise
        return await begin(failure_names(gate, account, login))
    except AttemptsExceeded as exceeded:
        if exceeded.is_lock:
            raise await locked(viewer, exceeded.until, told_id(gate, login)) from None
        raise TooManyAttempts(until=await on_our_clock(viewer, exceeded.until)) from None


@unit_of_work
async def write_failure(
    viewer: Viewer, *, gate: Gate, account: Account | None, attempt: Attempt, reason: str
) -> None:
    """Notes a counted guess that was wrong; the last one allowed locks the account."""
    # The same statements for a login that nobody has, and whether or not the account is locked by
    # this one: the time taken tells nothing, not even that two logins are one person's.
    whose = account.id if account is not None else uuid7()
    about = await person_of(whose)
    if attempt.locks_until is None:
        record(viewer, "SIGN_IN_FAILED", account, about=about, reason=reason)
    else:
        until = attempt.locks_until.isoformat()
        record(viewer, "SIGN_IN_LOCKED", account, about=about, reason=reason, until=until)
    # Whoever is told to quote one is found by it, whatever has become of the lock by then.
    await Account.filter(id=whose).update(**_told_ids(gate, account))
    locks = account if attempt.locks_until is not None else None
    ends_at = attempt.locks_until or viewer.now
    passing = Q(state=AccountState.ACTIVE) | Q(
        state=AccountState.LOCKED, locked_until__isnull=False
    )
    await Account.filter(passing, id=locks.id if locks is not None else uuid7()).update(
        state=AccountState.LOCKED, locked_until=ends_at
    )
    is_news = await _is_news(viewer, gate, locks)
    await alert(
        viewer,
        gate=gate,
        account=locks if is_news else None,
        what=Alert.LOCKED,
        until=whole_minute(await on_our_clock(viewer, ends_at)),
        public_id=locks.public_id if locks is not None else told_id(gate, ""),
    )


async def _is_news(viewer: Viewer, gate: Gate, locks: Account | None) -> bool:
    """Whether the owner is still told that the account is locked, in the caller's unit of work."""
    whose = locks.id if locks is not None else uuid7()
    key_hash = gate.hashes.hash("lock told", str(whose))
    told = await Hit.filter(key_hash=key_hash, ends_at__gt=viewer.now).count()
    is_news = locks is not None and told < TOLD
    ends_at = viewer.now + _DAY if is_news else viewer.now
    await Hit.create(key_hash=key_hash, at=viewer.now, ends_at=ends_at)
    return is_news


def may_enter(account: Account) -> bool:
    """Whether a password opens it: no lock but one that passes by itself."""
    open_or_waiting = account.state is AccountState.ACTIVE or (
        account.state is AccountState.LOCKED and account.locked_until is not None
    )
    return open_or_waiting and account.password_hash is not None


def waits_until(viewer: Viewer, account: Account) -> datetime | None:
    """Until when the failures of an account keep it locked; nothing where they do not now."""
    until = account.locked_until
    return until if until is not None and until > viewer.now else None


async def check_lock(viewer: Viewer, *, account: Account) -> None:
    """Raises AccountLocked while the failures of an account have locked it."""
    until = waits_until(viewer, account)
    if until is not None:
        raise await locked(viewer, until, account.public_id)


async def locked(viewer: Viewer, until: datetime, public_id: str) -> AccountLocked:
    """What is told of a lock: people read until when in whole minutes, programs as it is."""
    until = await on_our_clock(viewer, until)
    return AccountLocked(until=until, minute=whole_minute(until), public_id=public_id)


def told_id(gate: Gate, login: str) -> str:
    """The id told of a locked login, whether or not somebody has it; always the same for it.

    It is not the account's: that would tell which two logins are one person's.
    """
    return gate.hashes.readable_code("ID", "public id", login)


async def account_told_of(*, gate: Gate, public_id: str) -> Account | None:
    """The account of a public id, or of an id that was told of one of its logins.

    The same statements whatever is found.
    """
    found = await Account.filter(
        Q(public_id=public_id) | Q(phone_told_id=public_id) | Q(email_told_id=public_id)
    ).order_by("id")
    by_id = [account for account in found if account.public_id == public_id]
    # What was a login once says nothing.
    told = [
        account
        for account in found
        if public_id in {told_id(gate, login) for login in (account.phone, account.email) if login}
    ]
    return next(iter(by_id + told), None)


def _told_ids(gate: Gate, account: Account | None) -> dict[str, str]:
    """The ids of an account's logins, by their columns.

    They are made alike where there is no account, or no such login.
    """
    logins = {name: getattr(account, name, None) for name in ("phone", "email")}
    return {f"{name}_told_id": told_id(gate, login or "") for name, login in logins.items()}

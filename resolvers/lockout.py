"""Guesses at what opens an account: counted before they are looked at, and the lock they bring."""

from datetime import datetime

from tortoise.expressions import Q

from auth.attempts import Attempt, AttemptsExceeded, begin_attempt, forgive
from auth.audit import record
from auth.gate import Gate
from auth.hours import on_our_clock
from auth.limits import TooManyAttempts
from auth.viewer import Viewer
from core.errors import Problem
from core.ids import uuid7
from models.account import Account, AccountState
from models.database import outside_units, unit_of_work
from resolvers.accounts import login_hash, person_of
from resolvers.alerts import Alert, alert


class AccountLocked(Problem):
    """Too many failures: even the right password waits until ``until``; quote ``public_id``."""

    code = "ACCOUNT_LOCKED"


async def counted(
    viewer: Viewer, *, gate: Gate, account: Account | None, login: str = ""
) -> Attempt:
    """Counts a guess at an account, or at a login that nobody has, as failed for now.

    Raises AccountLocked, TooManyAttempts. Outside of units of work, for what is counted must
    stay when these fail.
    """
    outside_units()
    name = login_hash(gate, account, login)
    try:
        return await begin_attempt(name, viewer.address, now=viewer.now, limits=gate.limits)
    except AttemptsExceeded as exceeded:
        until = await on_our_clock(viewer, exceeded.until)
        if exceeded.is_lock:
            raise _locked(gate, account, name, until) from None
        raise TooManyAttempts(until=until) from None


@unit_of_work
async def write_failure(
    viewer: Viewer, *, gate: Gate, account: Account | None, attempt: Attempt, reason: str
) -> None:
    """Notes a counted guess that was wrong; the last one allowed locks the account."""
    # The same statements for a login that nobody has: the time taken tells nothing.
    account_id = account.id if account is not None else uuid7()
    about = await person_of(account_id)
    record(viewer, "SIGN_IN_FAILED", account, about=about, reason=reason)
    if attempt.locks_until is None:
        return
    passing = Q(state=AccountState.ACTIVE) | Q(
        state=AccountState.LOCKED, locked_until__isnull=False
    )
    await Account.filter(passing, id=account_id).update(
        state=AccountState.LOCKED, locked_until=attempt.locks_until
    )
    until = attempt.locks_until.isoformat()
    record(viewer, "SIGN_IN_LOCKED", account, about=about, until=until)
    await alert(viewer, gate=gate, account=account, what=Alert.LOCKED)


def may_enter(account: Account) -> bool:
    """Whether a password opens it: no lock but one that passes by itself."""
    open_or_waiting = account.state is AccountState.ACTIVE or (
        account.state is AccountState.LOCKED and account.locked_until is not None
    )
    return open_or_waiting and account.password_hash is not None


async def check_lock(viewer: Viewer, *, gate: Gate, account: Account) -> None:
    """Raises AccountLocked while the failures of an account have locked it."""
    if account.locked_until is not None and account.locked_until > viewer.now:
        until = await on_our_clock(viewer, account.locked_until)
        raise _locked(gate, account, "", until)


async def lift(gate: Gate, account: Account) -> None:
    """Ends a lock that has passed and forgets the failures, in the caller's unit of work."""
    if account.state is AccountState.LOCKED:
        account.update_from_dict({"state": AccountState.ACTIVE, "locked_until": None})
        await account.save(update_fields=["state", "locked_until"])
    await forgive(login_hash(gate, account, ""))


def _locked(gate: Gate, account: Account | None, counted: str, until: datetime) -> AccountLocked:
    """The same answer for a login that nobody has, with an id that stays the same."""
    public_id = (
        account.public_id
        if account is not None
        else gate.hashes.readable_code("ID", "public id", counted)
    )
    return AccountLocked(until=until, public_id=public_id)

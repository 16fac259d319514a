"""Signing in: a login, a password and a one-time code; failures counted and answered alike."""

from datetime import datetime

from tortoise.expressions import Q

from auth.attempts import Attempt, AttemptsExceeded, begin_attempt, forgive, give_back
from auth.audit import record
from auth.gate import Gate
from auth.hours import on_our_clock
from auth.limits import TooManyAttempts
from auth.sent_codes import CodeReused
from auth.viewer import Viewer
from core.errors import Problem, Problems
from core.ids import uuid7
from models import identifiers
from models.account import Account, AccountState
from models.database import unit_of_work
from resolvers.accounts import login_hash, person_of
from resolvers.factors import step_of, use_step
from resolvers.forms import Required
from resolvers.sessions import SignedIn, open_session


class BadCredentials(Problem):
    """The login is unknown or the password wrong: which of them is not told."""

    code = "BAD_CREDENTIALS"


class CodeRequired(Problem):
    """The password is right, and the second factor is missing."""

    code = "CODE_REQUIRED"


class AccountLocked(Problem):
    """Too many failures: even the right password waits until ``until``; quote ``public_id``."""

    code = "ACCOUNT_LOCKED"


class _Refused(Exception):
    """A factor was wrong. Rolls a unit of work back; the failure is written in another."""

    def __init__(self, problem: Problem, reason: str) -> None:
        super().__init__(reason)
        self.problem = problem
        self.reason = reason


async def sign_in(
    viewer: Viewer, *, gate: Gate, login: str, password: str, code: str | None = None
) -> SignedIn:
    """Opens a session. The first role is the one used last, where it is held.

    Raises BadCredentials, CodeRequired, CodeInvalid, CodeReused, ClockSkew, AccountLocked,
    TooManyAttempts, and Required about each factor that was left empty.
    """
    given = {"login": login.strip(), "password": password}
    empty: list[Problem] = [Required(name) for name, value in given.items() if not value]
    if empty:
        raise Problems(empty)
    login = normal_login(login)
    account = await _account_of(login)
    counted = login_hash(gate, account, login)
    try:
        attempt = await begin_attempt(counted, viewer.address, now=viewer.now, limits=gate.limits)
    except AttemptsExceeded as exceeded:
        if exceeded.address:
            raise TooManyAttempts(until=await on_our_clock(viewer, exceeded.until)) from None
        raise _locked(gate, account, counted, await on_our_clock(viewer, exceeded.until)) from None
    try:
        found = await _password_checked(gate, account, password)
        if not code:
            await _ask_for_code(viewer, found, attempt)
            raise CodeRequired("code")
        step = _checked_step(gate, found, code, viewer.now)
        return await _open(viewer, gate, found, step, attempt)
    except _Refused as refused:
        await _write_failure(viewer, account, attempt, refused.reason)
        raise refused.problem from None


def normal_login(text: str) -> str:
    """A login as accounts keep it; one that is neither a number nor an address only folded."""
    folded = text.strip().lower()
    try:
        return identifiers.email(text) if "@" in text else identifiers.phone(text)
    except (identifiers.EmailInvalid, identifiers.PhoneInvalid):
        return folded


async def _account_of(login: str) -> Account | None:
    # PostgreSQL takes neither NUL nor a lone surrogate, and no column a longer text.
    is_email = "@" in login
    if not login.isprintable() or len(login) > (254 if is_email else 16):
        return None
    accounts = Account.filter(email=login) if is_email else Account.filter(phone=login)
    return await accounts.get_or_none()


def _may_sign_in(account: Account) -> bool:
    """Both factors, and no lock but one that passes by itself."""
    open_or_waiting = account.state is AccountState.ACTIVE or (
        account.state is AccountState.LOCKED and account.locked_until is not None
    )
    return open_or_waiting and account.password_hash is not None and account.totp_sealed is not None


async def _password_checked(gate: Gate, account: Account | None, password: str) -> Account:
    may = account is not None and _may_sign_in(account)
    hashed = account.password_hash if account is not None and may else None
    if not await gate.passwords.verify(hashed, password) or account is None:
        raise _Refused(BadCredentials(), "PASSWORD")
    return account


def _checked_step(gate: Gate, account: Account, code: str, now: datetime) -> int:
    try:
        return step_of(gate, account, code, now)
    except Problem as problem:
        raise _Refused(problem, problem.code) from None


@unit_of_work
async def _ask_for_code(viewer: Viewer, account: Account, attempt: Attempt) -> None:
    await give_back(attempt)
    record(viewer, "CODE_ASKED_FOR", account, about=await person_of(account.id))


@unit_of_work
async def _open(
    viewer: Viewer, gate: Gate, checked: Account, step: int, attempt: Attempt
) -> SignedIn:
    account = await Account.filter(id=checked.id).select_for_update(no_key=True).get()
    # What was checked before the lock must still be so.
    if not _may_sign_in(account) or account.password_hash != checked.password_hash:
        raise _Refused(BadCredentials(), "PASSWORD")
    try:
        await use_step(account, step)
    except CodeReused as reused:
        raise _Refused(reused, reused.code) from None
    if account.state is AccountState.LOCKED:
        account.update_from_dict({"state": AccountState.ACTIVE, "locked_until": None})
        await account.save(update_fields=["state", "locked_until"])
    await forgive(attempt.login_hash)
    return await open_session(viewer, gate=gate, account=account)


@unit_of_work
async def _write_failure(
    viewer: Viewer, account: Account | None, attempt: Attempt, reason: str
) -> None:
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


def _locked(gate: Gate, account: Account | None, counted: str, until: datetime) -> AccountLocked:
    """The same answer for a login that nobody has, with an id that stays the same."""
    public_id = (
        account.public_id
        if account is not None
        else gate.hashes.readable_code("ID", "public id", counted)
    )
    return AccountLocked(until=until, public_id=public_id)

"""Signing in: a login and a password, and then a factor; failures counted and answered alike."""

from auth.attempts import Attempt, give_back
from auth.audit import record
from auth.gate import Gate
from auth.sent_codes import CodeReused
from auth.viewer import Viewer
from core.errors import Problem, Problems, Unavailable
from models import identifiers
from models.account import Account, SignInMethod
from models.database import unit_of_work
from resolvers.accounts import person_of
from resolvers.factors import step_of, use_step
from resolvers.forms import Required
from resolvers.keyboard import layout_hints
from resolvers.lockout import AccountLocked, counted, known_device, may_enter, write_failure
from resolvers.pending import Pending, begin_pending, enter
from resolvers.second_factors import factors_of, lasting
from resolvers.sessions import AccountClosed, SignedIn


class BadCredentials(Problem):
    """The login is unknown or the password wrong: which of them is not told."""

    code = "BAD_CREDENTIALS"


class _Refused(Exception):
    """A factor was wrong. Rolls a unit of work back; the failure is written in another."""

    def __init__(self, problem: Problem, reason: str) -> None:
        super().__init__(reason)
        self.problem = problem
        self.reason = reason


async def sign_in(
    viewer: Viewer,
    *,
    gate: Gate,
    login: str,
    password: str,
    code: str | None = None,
    device_token: str | None = None,
) -> SignedIn | Pending:
    """Opens a session with an authenticator's code, or without one begins to wait for a factor.

    The first role is the one used last, where it is held. ``device_token`` was given by a sign-in
    before; browsers keep it in a cookie. Raises BadCredentials (perhaps with
    KeyboardLayout, which depends on what was typed alone), CodeInvalid, CodeReused, ClockSkew,
    AccountLocked, AccountClosed, TooManyAttempts, and Required about each field left empty;
    Unavailable where so many sign in that nothing was compared, which counts for nothing. Where the
    account has had its failures by another login, BadCredentials is all that is told.
    """
    given = {"login": login.strip(), "password": password}
    empty: list[Problem] = [Required(name) for name, value in given.items() if not value]
    if empty:
        raise Problems(empty)
    hints = layout_hints(login, password)
    login = normal_login(login)
    account = await _account_of(login)
    device = known_device(viewer, gate, account, device_token)
    attempt = await counted(viewer, gate=gate, account=account, login=login, device=device)
    try:
        found = await _password_checked(gate, account, password, attempt)
        if not code:
            return await _wait(viewer, gate, found, attempt, login)
        step = await _checked_step(viewer, gate, found, code)
        return await _open(viewer, gate, found, step, attempt.device)
    except _Refused as refused:
        await write_failure(
            viewer, gate=gate, account=account, attempt=attempt, reason=refused.reason
        )
        if hints and isinstance(refused.problem, BadCredentials):
            raise Problems([refused.problem, *hints]) from None
        raise refused.problem from None
    except Unavailable:
        await give_back(attempt)
        raise
    except AccountClosed as closed:
        await write_failure(viewer, gate=gate, account=account, attempt=attempt, reason=closed.code)
        raise


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


async def _password_checked(
    gate: Gate, account: Account | None, password: str, attempt: Attempt
) -> Account:
    has_factor = bool(lasting(await factors_of(account)))
    is_full = attempt.refused_until is not None
    may = account is not None and has_factor and may_enter(account) and not is_full
    hashed = account.password_hash if account is not None and may else None
    if not await gate.passwords.verify(hashed, password) or account is None:
        raise _Refused(BadCredentials(), AccountLocked.code if is_full else "PASSWORD")
    return account


async def _checked_step(viewer: Viewer, gate: Gate, account: Account, code: str) -> int:
    try:
        return await step_of(viewer, gate, account, code)
    except Problem as problem:
        raise _Refused(problem, problem.code) from None


@unit_of_work
async def _wait(
    viewer: Viewer, gate: Gate, account: Account, attempt: Attempt, login: str
) -> Pending:
    await give_back(attempt)
    record(viewer, "FACTOR_ASKED_FOR", account, about=await person_of(account.id))
    return await begin_pending(
        viewer, gate=gate, account=account, login=login, device=attempt.device
    )


@unit_of_work
async def _open(
    viewer: Viewer, gate: Gate, checked: Account, step: int, device: str | None
) -> SignedIn:
    account = await Account.filter(id=checked.id).select_for_update(no_key=True).get()
    # What was checked before the lock must still be so.
    if not may_enter(account) or account.password_hash != checked.password_hash:
        raise _Refused(BadCredentials(), "PASSWORD")
    try:
        await use_step(account, step)
    except CodeReused as reused:
        raise _Refused(reused, reused.code) from None
    return await enter(viewer, gate=gate, account=account, method=SignInMethod.TOTP, device=device)

"""Factors beside the password: an authenticator's code checked, and shown again in a session."""

from datetime import datetime, timedelta

from auth import one_time_codes
from auth.audit import record
from auth.gate import Gate
from auth.limits import Limit
from auth.sent_codes import CodeInvalid, CodeReused
from auth.viewer import Viewer
from core.errors import Problem
from models.account import Account, Session
from models.change import ChangeKind
from models.database import unit_of_work
from models.feed import announce
from resolvers.sessions import own_session

# A code has a million values, and three of them are right at a time.
CONFIRMING = Limit("confirm factor", 5, timedelta(minutes=15))


class ClockSkew(Problem):
    """The code is right at another time: the clock of the authenticator is off by ``seconds``."""

    code = "CLOCK_SKEW"


async def confirm_factor(viewer: Viewer, *, gate: Gate, code: str) -> Session:
    """Shows the second factor again in the viewer's session, for what asks for a fresh one.

    Raises CodeInvalid, CodeReused, ClockSkew, TooManyAttempts.
    """
    key = str(viewer.account_id)
    await gate.limiter.hit(viewer, CONFIRMING, key)
    try:
        session = await _confirm(viewer, gate, code)
    except Problem as problem:
        await _write_failure(viewer, problem.code)
        raise
    await gate.limiter.forget(CONFIRMING, key)
    return session


@unit_of_work
async def _confirm(viewer: Viewer, gate: Gate, code: str) -> Session:
    # The account before the session, as in signing in: nobody waits in a circle.
    account = await Account.filter(id=viewer.account_id).select_for_update(no_key=True).get()
    session = await own_session(viewer)
    await use_step(account, step_of(gate, account, code, viewer.now))
    session.factor_at = viewer.now
    await session.save(update_fields=["factor_at"])
    record(viewer, "FACTOR_CONFIRMED", session, about=viewer.practitioner_id)
    announce(ChangeKind.SESSION, account_id=account.id, subject_id=session.id)
    return session


@unit_of_work
async def _write_failure(viewer: Viewer, reason: str) -> None:
    record(viewer, "FACTOR_REFUSED", about=viewer.practitioner_id, reason=reason)


def step_of(gate: Gate, account: Account, code: str, now: datetime) -> int:
    """The time step of an authenticator's code; raises CodeInvalid, CodeReused, ClockSkew."""
    if account.totp_sealed is None:
        raise CodeInvalid("code")
    secret = gate.vault.open(account.totp_sealed)
    try:
        return one_time_codes.matching_step(secret, code, now, account.totp_last_step)
    except one_time_codes.CodeMismatch:
        raise CodeInvalid("code") from None
    except one_time_codes.CodeTooOld:
        raise CodeReused("code") from None
    except one_time_codes.ClockOff as off:
        raise ClockSkew("code", seconds=off.seconds) from None


async def use_step(account: Account, step: int) -> None:
    """Uses a code up, in the caller's unit of work; raises CodeReused where another was first."""
    moved = await Account.filter(id=account.id, totp_last_step__lt=step).update(totp_last_step=step)
    if not moved:
        raise CodeReused("code")

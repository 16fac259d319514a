"""Factors beside the password: their codes checked, and one shown again in a session."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial

from auth import one_time_codes
from auth.audit import record
from auth.gate import Gate
from auth.sent_codes import (
    CodeExpired,
    CodeInvalid,
    CodeReused,
    Sent,
    check_code,
    contact_of,
    send_code,
    use_code,
)
from auth.told_codes import note_told, was_told
from auth.viewer import Viewer
from core.errors import Problem
from core.text import compact
from models.account import Account
from models.change import ChangeKind
from models.database import unit_of_work
from models.factor import Channel, CodePurpose, SecondFactor, SentCode
from models.feed import announce
from resolvers.forms import Required, refuse
from resolvers.guesses import count_guess, forget_guesses
from resolvers.own_password import PasswordWrong
from resolvers.recovery_codes import use_recovery_code
from resolvers.refreshing import renew_shown
from resolvers.second_factors import sms_contact
from resolvers.sessions import SignedIn, own_session

# A code has a million values, and three of them are right at a time.
_CONFIRMING = "confirm factor"


class ClockSide(StrEnum):
    """To which side the clock of an authenticator is off."""

    AHEAD = "AHEAD"
    BEHIND = "BEHIND"


class ClockSkew(Problem):
    """The code is right at another time: the clock is so many ``seconds`` ahead, or else behind."""

    code = "CLOCK_SKEW"

    def __init__(self, field: str, *, seconds: int, step: int) -> None:
        side = ClockSide.AHEAD if seconds > 0 else ClockSide.BEHIND
        super().__init__(field, seconds=abs(seconds), side=side)
        self.step = step


class FactorUnavailable(Problem):
    """The account has no such factor, or it is shown in another way."""

    code = "FACTOR_UNAVAILABLE"


# Uses up what was shown, once, in the caller's unit of work.
Use = Callable[[], Awaitable[None]]


async def check_factor(
    viewer: Viewer,
    *,
    gate: Gate,
    account: Account,
    factor: SecondFactor,
    code: str,
    purpose: CodePurpose,
    sent: str | None = None,
) -> Use:
    """Checks a code of a factor; ``sent`` is the handle of one sent by SMS, for that ``purpose``.

    Raises CodeInvalid, CodeReused, CodeExpired, ClockSkew about ``code``, FactorUnavailable.
    Outside of units of work; what comes back is done in one, in which the account is locked.
    """
    await check_offered(account, factor, sent)
    if factor is SecondFactor.TOTP:
        return partial(use_step, account, await step_of(viewer, gate, account, code))
    if factor is SecondFactor.RECOVERY_CODE:
        return partial(use_recovery_code, viewer, gate, account, code)
    found = await check_code(
        viewer,
        gate=gate,
        purpose=purpose,
        handle=sent or "",
        code=code,
        account_id=account.id,
    )
    return partial(_use_sent, viewer, gate, found)


async def check_offered(account: Account, factor: SecondFactor, sent: str | None) -> None:
    """Raises FactorUnavailable, CodeExpired where there is nothing to compare a code with."""
    if factor is SecondFactor.TOTP:
        is_there = account.totp_sealed is not None
    elif factor is SecondFactor.SMS:
        is_there = await sms_contact(account) is not None
    else:
        is_there = factor is SecondFactor.RECOVERY_CODE
    if not is_there:
        raise FactorUnavailable("factor")
    if factor is SecondFactor.SMS and sent is None:
        raise CodeExpired("code")


async def _use_sent(viewer: Viewer, gate: Gate, sent: SentCode) -> None:
    """Uses a code up, in the unit of work of a caller who has locked the account.

    Raises CodeReused, and CodeExpired where it went to a number that the account has no more.
    """
    account = await Account.get(id=sent.account_id)
    if contact_of(gate, sent) != await sms_contact(account):
        raise CodeExpired("code")
    await use_code(viewer, sent)


@unit_of_work
async def send_factor_code(viewer: Viewer, *, gate: Gate) -> Sent:
    """Sends a code by SMS, for ``confirm_factor``; raises FactorUnavailable, ResendTooSoon."""
    account = await Account.get(id=viewer.account_id)
    contact = await sms_contact(account)
    if contact is None:
        raise FactorUnavailable
    record(viewer, "FACTOR_CODE_SENT", account, about=viewer.practitioner_id)
    return await send_code(
        viewer,
        gate=gate,
        purpose=CodePurpose.FACTOR,
        channel=Channel.SMS,
        contact=contact,
        account_id=account.id,
    )


async def confirm_factor(
    viewer: Viewer,
    *,
    gate: Gate,
    password: str,
    code: str,
    factor: SecondFactor = SecondFactor.TOTP,
    handle: str | None = None,
) -> SignedIn:
    """Shows the password and a second factor again in the viewer's session, as in signing in.

    ``handle`` is that of the code that was sent. With a wrong password no code is looked at. Raises
    Problems (Required), PasswordWrong, CodeInvalid, CodeReused, CodeExpired, ClockSkew,
    FactorUnavailable, CookiesOutOfReach, TooManyAttempts.
    """
    given = {"password": password, "code": code}
    refuse([Required(name) for name, value in given.items() if not value])
    account = await Account.get(id=viewer.account_id)
    async with _failures_written(viewer):
        # What guesses at nothing is no guess.
        await check_offered(account, factor, handle)
    await count_guess(viewer, gate, _CONFIRMING)
    async with _failures_written(viewer):
        if not await gate.passwords.verify(account.password_hash, password):
            raise PasswordWrong("password")
        use = await check_factor(
            viewer,
            gate=gate,
            account=account,
            factor=factor,
            code=code,
            purpose=CodePurpose.FACTOR,
            sent=handle,
        )
        shown = await _confirm(viewer, gate, account.password_hash, use)
    await forget_guesses(viewer, gate, _CONFIRMING)
    return shown


@asynccontextmanager
async def _failures_written(viewer: Viewer) -> AsyncIterator[None]:
    try:
        yield
    except Problem as problem:
        await _write_failure(viewer, problem.code)
        raise


@unit_of_work
async def _confirm(viewer: Viewer, gate: Gate, checked: str | None, use: Use) -> SignedIn:
    # The account before the session, as in signing in: nobody waits in a circle.
    account = await Account.filter(id=viewer.account_id).select_for_update(no_key=True).get()
    if account.password_hash != checked:
        raise PasswordWrong("password")
    await use()
    return await note_factor(viewer, gate=gate)


async def note_factor(viewer: Viewer, *, gate: Gate) -> SignedIn:
    """Notes in the viewer's session that a factor was shown, in the caller's unit of work.

    It goes on with new tokens: those from before gain nothing by it. Who does so has locked the
    account. Raises SessionExpired, CookiesOutOfReach.
    """
    session = await own_session(viewer)
    # Moments are whole seconds: what is shown in the second of the sign-in comes after it.
    session.factor_at = max(viewer.now, session.started_at + timedelta(seconds=1))
    await session.save(update_fields=["factor_at"])
    record(viewer, "FACTOR_CONFIRMED", session, about=viewer.practitioner_id)
    announce(ChangeKind.SESSION, account_id=session.account_id, subject_id=session.id)
    return await renew_shown(viewer, gate=gate, session=session)


@unit_of_work
async def _write_failure(viewer: Viewer, reason: str) -> None:
    record(viewer, "FACTOR_REFUSED", about=viewer.practitioner_id, reason=reason)


async def step_of(viewer: Viewer, gate: Gate, account: Account, code: str) -> int:
    """The time step of an authenticator's code; raises CodeInvalid, CodeReused, ClockSkew.

    Outside of units of work: a code of a time to come is told of, and then taken no more.
    """
    if account.totp_sealed is None:
        raise CodeInvalid("code")
    secret = gate.vault.open(account.totp_sealed)
    try:
        step = step_in(gate, secret, code, viewer.now, account.totp_last_step)
    except ClockSkew as skew:
        if skew.step * one_time_codes.STEP_SECONDS > viewer.now.timestamp():
            await note_told(viewer, gate, account.id, skew.step)
        raise
    if await was_told(gate, account.id, step):
        raise CodeReused("code")
    return step


def step_in(gate: Gate, secret: str, code: str, now: datetime, last_step: int) -> int:
    """The time step of a secret's code, after the last one used; raises as ``step_of`` does."""
    try:
        around = gate.limits.totp_steps
        return one_time_codes.matching_step(secret, compact(code), now, last_step, around)
    except one_time_codes.CodeMismatch:
        raise CodeInvalid("code") from None
    except one_time_codes.CodeTooOld:
        raise CodeReused("code") from None
    except one_time_codes.ClockOff as off:
        raise ClockSkew("code", seconds=off.seconds, step=off.step) from None


async def use_step(account: Account, step: int) -> None:
    """Uses a code up, in the caller's unit of work; raises CodeReused where another was first."""
    moved = await Account.filter(id=account.id, totp_last_step__lt=step).update(totp_last_step=step)
    if not moved:
        raise CodeReused("code")

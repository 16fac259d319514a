"""The second step of signing in: a code that is sent, and whichever factor finishes."""

from datetime import timedelta

from auth.attempts import Attempt, give_back
from auth.audit import record
from auth.gate import Gate
from auth.limits import Limit
from auth.sent_codes import CodeExpired, Sent, send_code
from auth.viewer import Viewer
from core.errors import Problem
from models.account import Account, SignInMethod
from models.database import unit_of_work
from models.factor import Channel, CodePurpose, SecondFactor
from resolvers.accounts import person_of
from resolvers.factors import FactorUnavailable, Use, check_factor
from resolvers.lockout import check_lock, counted, locked, write_failure
from resolvers.pending import (
    counted_for,
    finish_pending,
    pending_account,
    remember_code,
    remembered_code,
)
from resolvers.sessions import SignedIn

# From one address, behind which a hospital may change its shift: each has shown a password.
SENDING = Limit("sign-in codes of an address", 300, timedelta(minutes=15))


async def send_sign_in_code(viewer: Viewer, *, gate: Gate, handle: str) -> Sent:
    """Sends a code by SMS to whose sign-in waits.

    Raises ChallengeInvalid, FactorUnavailable, ResendTooSoon, AccountLocked, TooManyAttempts.
    """
    account = await pending_account(viewer, gate=gate, handle=handle)
    _, device = await counted_for(viewer, gate=gate, handle=handle)
    if device is None:
        await check_lock(viewer, account=account)
    if viewer.address:
        await gate.limiter.hit(viewer, SENDING, viewer.network)
    return await _send(viewer, gate, handle, account)


@unit_of_work
async def _send(viewer: Viewer, gate: Gate, handle: str, account: Account) -> Sent:
    if not account.sms_factor or account.phone is None:
        raise FactorUnavailable("handle")
    sent = await send_code(
        viewer,
        gate=gate,
        purpose=CodePurpose.SIGN_IN,
        channel=Channel.SMS,
        contact=account.phone,
        account_id=account.id,
    )
    await remember_code(viewer, gate=gate, handle=handle, sent=sent.handle)
    record(viewer, "SIGN_IN_CODE_SENT", account, about=await person_of(account.id))
    return sent


async def finish_sign_in(
    viewer: Viewer, *, gate: Gate, handle: str, factor: SecondFactor, code: str
) -> SignedIn:
    """Opens the session of a pending sign-in with a code of one of its factors.

    A code by SMS is the one that was sent last for this very sign-in. A wrong one counts as a
    failed sign-in; where there is none to compare, nothing does. Raises ChallengeInvalid,
    CodeInvalid, CodeReused, CodeExpired, ClockSkew, FactorUnavailable, AccountLocked,
    TooManyAttempts.
    """
    account = await pending_account(viewer, gate=gate, handle=handle)
    login, device = await counted_for(viewer, gate=gate, handle=handle)
    attempt = await counted(viewer, gate=gate, account=account, login=login, device=device)
    if attempt.refused_until is not None:
        # Whoever is here has known the password: they are told.
        raise await locked(viewer, attempt.refused_until, account.public_id)
    try:
        sent = await remembered_code(viewer, gate=gate, handle=handle)
        use = await check_factor(
            viewer,
            gate=gate,
            account=account,
            factor=factor,
            code=code,
            purpose=CodePurpose.SIGN_IN,
            sent=sent,
        )
        return await _finish(viewer, gate, handle, SignInMethod(factor.value), use)
    except (CodeExpired, FactorUnavailable) as problem:
        # No code was compared: nothing was guessed at.
        await _write_refusal(viewer, account, attempt, problem.code)
        raise
    except Problem as problem:
        await write_failure(
            viewer, gate=gate, account=account, attempt=attempt, reason=problem.code
        )
        raise


@unit_of_work
async def _finish(
    viewer: Viewer, gate: Gate, handle: str, method: SignInMethod, use: Use
) -> SignedIn:
    signed_in = await finish_pending(viewer, gate=gate, handle=handle, method=method)
    await use()
    return signed_in


@unit_of_work
async def _write_refusal(viewer: Viewer, account: Account, attempt: Attempt, reason: str) -> None:
    await give_back(attempt)
    record(viewer, "FACTOR_REFUSED", account, about=await person_of(account.id), reason=reason)

"""Passkeys shown: as a sign-in of their own, as the second factor of one, and in a session."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from tortoise.expressions import Q

from auth import challenges
from auth.audit import record
from auth.challenges import LIFETIME
from auth.gate import Gate
from auth.limits import Limit
from auth.passkeys import (
    Asked,
    PasskeyCloned,
    PasskeyInvalid,
    check_shown,
    read_shown,
    request_options,
)
from auth.viewer import Viewer
from core.errors import Problem
from core.ids import uuid7
from core.settings import Settings
from models.account import Account, SignInMethod
from models.database import current_unit, unit_of_work
from models.factor import Challenge, ChallengePurpose, Passkey
from resolvers.accounts import person_of
from resolvers.alerts import Alert, alert
from resolvers.entering import enter_alone
from resolvers.factors import FactorUnavailable, note_factor
from resolvers.pending import finish_pending, pending_account
from resolvers.sessions import SignedIn

# Nobody guesses an answer: these are what a stranger may cost. A page asks whenever somebody is
# about to sign in, and behind one address there may be a hospital.
ASKING = Limit("passkeys asked for", 300, timedelta(minutes=15))
SHOWING = Limit("passkeys shown", 300, timedelta(minutes=15))


@dataclass(frozen=True, slots=True)
class _Proof:
    """A passkey that has answered rightly, and is yet to be used."""

    passkey: Passkey
    count: int
    challenge: Challenge


async def begin_passkey_sign_in(viewer: Viewer, *, gate: Gate, settings: Settings) -> Asked:
    """Asks for any passkey of this cabinet; raises TooManyAttempts."""
    await gate.limiter.hit(viewer, ASKING, viewer.network)
    return await _ask(viewer, gate, settings, ChallengePurpose.PASSKEY)


async def sign_in_by_passkey(
    viewer: Viewer,
    *,
    gate: Gate,
    settings: Settings,
    credential: str,
    device_token: str | None = None,
) -> SignedIn:
    """Opens a session by a passkey alone.

    Raises PasskeyInvalid, PasskeyCloned, ChallengeInvalid about the credential, TooManyAttempts.
    """
    await gate.limiter.hit(viewer, SHOWING, viewer.network)
    proof = await _proof(viewer, gate, settings, credential, ChallengePurpose.PASSKEY)
    return await _enter(viewer, gate, proof, device_token)


@unit_of_work
async def _enter(viewer: Viewer, gate: Gate, proof: _Proof, device_token: str | None) -> SignedIn:
    signed_in = await enter_alone(
        viewer,
        gate=gate,
        account_id=proof.passkey.account_id,
        method=SignInMethod.PASSKEY,
        device_token=device_token,
        refusal=PasskeyInvalid("credential"),
    )
    await _use(viewer, proof)
    return signed_in


async def passkey_options(viewer: Viewer, *, gate: Gate, settings: Settings, handle: str) -> Asked:
    """Asks for a passkey as the second factor of a sign-in that waits for one.

    Raises ChallengeInvalid about the handle, FactorUnavailable, TooManyAttempts.
    """
    await gate.limiter.hit(viewer, ASKING, viewer.network)
    account = await pending_account(viewer, gate=gate, handle=handle)
    return await _ask(viewer, gate, settings, ChallengePurpose.SECOND_PASSKEY, account)


async def finish_sign_in_by_passkey(
    viewer: Viewer, *, gate: Gate, settings: Settings, handle: str, credential: str
) -> SignedIn:
    """Opens the session of a sign-in that waits for a second factor.

    Raises PasskeyInvalid, PasskeyCloned, ChallengeInvalid about the handle or the credential,
    AccountLocked, TooManyAttempts.
    """
    await gate.limiter.hit(viewer, SHOWING, viewer.network)
    account = await pending_account(viewer, gate=gate, handle=handle)
    purpose = ChallengePurpose.SECOND_PASSKEY
    proof = await _proof(viewer, gate, settings, credential, purpose, account)
    return await _finish(viewer, gate, handle, proof)


@unit_of_work
async def _finish(viewer: Viewer, gate: Gate, handle: str, proof: _Proof) -> SignedIn:
    method = SignInMethod.SECOND_PASSKEY
    signed_in = await finish_pending(viewer, gate=gate, handle=handle, method=method)
    await _use(viewer, proof)
    return signed_in


async def begin_passkey_confirmation(viewer: Viewer, *, gate: Gate, settings: Settings) -> Asked:
    """Asks for a passkey of the viewer's in this session; raises FactorUnavailable."""
    account = await Account.get(id=viewer.account_id)
    return await _ask(viewer, gate, settings, ChallengePurpose.SECOND_PASSKEY, account)


async def confirm_factor_by_passkey(
    viewer: Viewer, *, gate: Gate, settings: Settings, credential: str
) -> SignedIn:
    """Shows a passkey in the viewer's session, for what asks for a fresh factor.

    Raises PasskeyInvalid, PasskeyCloned, ChallengeInvalid about the credential, CookiesOutOfReach,
    TooManyAttempts.
    """
    await gate.limiter.hit(viewer, SHOWING, viewer.network)
    account = await Account.get(id=viewer.account_id)
    purpose = ChallengePurpose.SECOND_PASSKEY
    proof = await _proof(viewer, gate, settings, credential, purpose, account)
    return await _confirm(viewer, gate, proof)


@unit_of_work
async def _confirm(viewer: Viewer, gate: Gate, proof: _Proof) -> SignedIn:
    # The account before the session, as in signing in: nobody waits in a circle.
    await Account.filter(id=viewer.account_id).select_for_update(no_key=True).only("id")
    await _use(viewer, proof)
    return await note_factor(viewer, gate=gate)


@unit_of_work
async def _ask(
    viewer: Viewer,
    gate: Gate,
    settings: Settings,
    purpose: ChallengePurpose,
    account: Account | None = None,
) -> Asked:
    allowed: list[Passkey] = []
    if account is not None:
        allowed = await Passkey.filter(account_id=account.id).order_by("id")
        if not allowed:
            raise FactorUnavailable
    begun = await challenges.begin(viewer, gate=gate, purpose=purpose, **_of(viewer, account))
    about = await person_of(account.id) if account is not None else None
    record(viewer, "PASSKEY_ASKED_FOR", account, about=about)
    options = request_options(
        settings.passkeys, challenge=begun.value, allowed=allowed, lifetime=LIFETIME
    )
    return Asked(options, begun.challenge.expires_at)


def _of(viewer: Viewer, account: Account | None) -> dict[str, Any]:
    """For whom a challenge is: an account, and the session of a viewer that has one."""
    account_id = account.id if account is not None else None
    return {"account_id": account_id, "session_id": viewer.session_id if account else None}


async def _proof(
    viewer: Viewer,
    gate: Gate,
    settings: Settings,
    credential: str,
    purpose: ChallengePurpose,
    account: Account | None = None,
) -> _Proof:
    """Checks an answer; what is refused is written down."""
    passkey = None
    try:
        shown = read_shown(credential, "credential")
        passkey = await Passkey.get_or_none(credential_id=shown.credential_id)
        if passkey is not None and {passkey.account_id} != {
            account.id if account is not None else passkey.account_id,
            shown.account_id or passkey.account_id,
        }:
            passkey = None
        challenge = await challenges.find(
            viewer,
            purpose=purpose,
            value=shown.challenge,
            field="credential",
            **_of(viewer, account),
        )
        count = check_shown(settings.passkeys, shown, passkey, "credential")
    except Problem as problem:
        await _write_refusal(viewer, gate, passkey, problem)
        raise
    assert passkey is not None
    return _Proof(passkey, count, challenge)


async def _use(viewer: Viewer, proof: _Proof) -> None:
    """Uses the answer, once, in the caller's unit of work; raises ChallengeInvalid, PasskeyInvalid.

    Of two answers at once with one count, the second is refused.
    """
    current_unit()
    await challenges.use(viewer, proof.challenge, "credential")
    fewer = Q(sign_count__lt=proof.count) if proof.count else Q(sign_count=0)
    used = await Passkey.filter(fewer, id=proof.passkey.id).update(
        sign_count=proof.count, used_at=viewer.now
    )
    if not used:
        raise PasskeyInvalid("credential")


@unit_of_work
async def _write_refusal(
    viewer: Viewer, gate: Gate, passkey: Passkey | None, problem: Problem
) -> None:
    # The same statements for a passkey that nobody has: the time taken tells nothing.
    account_id = passkey.account_id if passkey is not None else uuid7()
    account = await Account.get_or_none(id=account_id)
    about = await person_of(account_id)
    record(viewer, "PASSKEY_REFUSED", account, about=about, reason=problem.code)
    if isinstance(problem, PasskeyCloned):
        await alert(viewer, gate=gate, account=account, what=Alert.PASSKEY_CLONED)

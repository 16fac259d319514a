"""Pending sign-ins: the password was right, and one of the second factors is waited for.

Whoever checks a factor of its own finds the account by the handle (``pending_account``), checks,
and opens the session by ``finish_pending``, once.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from auth import challenges
from auth.challenges import ChallengeInvalid
from auth.gate import Gate
from auth.keys import digest
from auth.viewer import Viewer
from models.account import Account, SignInMethod
from models.database import current_unit, unit_of_work
from models.factor import Challenge, ChallengePurpose
from models.fields import canonical_json
from resolvers.accounts import forgive_device, lift
from resolvers.lockout import check_lock, may_enter, waits_until
from resolvers.second_factors import Offered, factors_of
from resolvers.sessions import SignedIn, open_session

# As long as a code that is sent lives.
LIFETIME = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Pending:
    """A sign-in under way. ``handle`` is shown once: with it a factor is given."""

    handle: str
    expires_at: datetime
    factors: tuple[Offered, ...]


async def begin_pending(
    viewer: Viewer, *, gate: Gate, account: Account, login: str, device: str | None
) -> Pending:
    """Begins to wait, in the caller's unit of work; the caller has checked the password.

    Wrong factors go on being counted for ``login``, or for a known ``device``.
    """
    current_unit()
    begun = await challenges.begin(
        viewer,
        gate=gate,
        purpose=ChallengePurpose.SIGN_IN,
        # Another password ends what was begun with the one before.
        payload={
            "account": str(account.id),
            "password": digest(account.password_hash or ""),
            "login": login,
            "device": device,
        },
        lifetime=LIFETIME,
    )
    return Pending(begun.value, begun.challenge.expires_at, await factors_of(account))


async def pending_account(
    viewer: Viewer, *, gate: Gate, handle: str, field: str = "handle"
) -> Account:
    """Whose sign-in waits; raises ChallengeInvalid about ``field``."""
    _, account = await _found(viewer, gate, handle, field)
    return account


@unit_of_work
async def finish_pending(
    viewer: Viewer, *, gate: Gate, handle: str, method: SignInMethod, field: str = "handle"
) -> SignedIn:
    """Opens the session of a pending sign-in, once, after ``method`` was shown.

    Where what was shown works once, it is used up in the same unit of work. Ends a lock that has
    passed, and forgets the failures. Raises ChallengeInvalid about ``field``, AccountLocked.
    """
    challenge, account = await _found(viewer, gate, handle, field, lock=True)
    device: str | None = challenges.payload_of(gate, challenge).get("device")
    if device is None:
        await check_lock(viewer, account=account)
    await challenges.use(viewer, challenge, field)
    return await enter(viewer, gate=gate, account=account, method=method, device=device)


async def enter(
    viewer: Viewer,
    *,
    gate: Gate,
    account: Account,
    method: SignInMethod,
    device: str | None = None,
) -> SignedIn:
    """Opens a session after password and factor, in the caller's unit of work.

    A known ``device`` passes by a lock that still holds, and leaves it to whom it is for.
    """
    current_unit()
    if device is not None:
        await forgive_device(gate, device)
    if device is None or waits_until(viewer, account) is None:
        await lift(gate, account)
    return await open_session(viewer, gate=gate, account=account, method=method, device=device)


async def remember_code(viewer: Viewer, *, gate: Gate, handle: str, sent: str) -> None:
    """Keeps the handle of the code that was sent last, in the caller's unit of work."""
    current_unit()
    challenge, _ = await _found(viewer, gate, handle, "handle")
    payload = {**challenges.payload_of(gate, challenge), "sent": sent}
    challenge.payload_sealed = gate.vault.seal(canonical_json(payload))
    await challenge.save(update_fields=["payload_sealed"])


async def counted_for(viewer: Viewer, *, gate: Gate, handle: str) -> tuple[str, str | None]:
    """The login, and the known device, for which wrong factors count; raises ChallengeInvalid."""
    challenge, _ = await _found(viewer, gate, handle, "handle")
    payload = challenges.payload_of(gate, challenge)
    return payload.get("login", ""), payload.get("device")


async def remembered_code(viewer: Viewer, *, gate: Gate, handle: str) -> str | None:
    """The handle of the code that was sent last, if one was."""
    challenge, _ = await _found(viewer, gate, handle, "handle")
    sent: str | None = challenges.payload_of(gate, challenge).get("sent")
    return sent


async def _found(
    viewer: Viewer, gate: Gate, handle: str, field: str, *, lock: bool = False
) -> tuple[Challenge, Account]:
    challenge = await challenges.find(
        viewer, purpose=ChallengePurpose.SIGN_IN, value=handle, field=field
    )
    payload = challenges.payload_of(gate, challenge)
    rows = Account.filter(id=UUID(payload["account"]))
    if lock:
        rows = rows.select_for_update(no_key=True)
    account = await rows.get_or_none()
    if account is None or not may_enter(account):
        raise ChallengeInvalid(field)
    if digest(account.password_hash or "") != payload["password"]:
        raise ChallengeInvalid(field)
    return challenge, account

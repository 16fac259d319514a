"""Entering without a password: a session for what proves the person by itself."""

from uuid import UUID

from auth.gate import Gate
from auth.viewer import Viewer
from core.errors import Problem
from models.account import Account, AccountState, SignInMethod
from models.database import current_unit
from resolvers.lockout import known_device
from resolvers.pending import enter
from resolvers.sessions import SignedIn


async def enter_alone(
    viewer: Viewer,
    *,
    gate: Gate,
    account_id: UUID,
    method: SignInMethod,
    device_token: str | None,
    refusal: Problem,
) -> SignedIn:
    """Opens a session, in the caller's unit of work, after a passkey or a signature was checked.

    A lock that failed passwords brought about does not keep the owner out, and ends, but on a
    known device, which it never kept out: nobody guesses what was shown. Raises ``refusal`` where
    the account is closed, not opened yet, or locked until an operator helps.
    """
    current_unit()
    account = await Account.filter(id=account_id).select_for_update(no_key=True).get()
    is_waiting = account.state is AccountState.LOCKED and account.locked_until is not None
    if account.state is not AccountState.ACTIVE and not is_waiting:
        raise refusal
    device = known_device(viewer, gate, account, device_token)
    return await enter(viewer, gate=gate, account=account, method=method, device=device)

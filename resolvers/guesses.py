"""Guesses of whoever is signed in: so many in a session, and so many of an account in all.

Were they counted by the account alone, whoever has stolen one session would keep its owner from
showing a factor in another, and so from throwing them out.
"""

from datetime import timedelta

from auth.gate import Gate
from auth.limits import Limit
from auth.viewer import Viewer

IN_SESSION = 5
# No more than five sessions of an account live at a time, and others may be opened meanwhile.
OF_ACCOUNT = 20
_WINDOW = timedelta(minutes=15)


async def count_guess(viewer: Viewer, gate: Gate, what: str) -> None:
    """Counts a guess at ``what``; raises TooManyAttempts. One refused to a session is no more."""
    for limit, key in _limits(viewer, what):
        await gate.limiter.hit(viewer, limit, key)


async def forget_guesses(viewer: Viewer, gate: Gate, what: str) -> None:
    """Begins to count anew, since ``what`` was known."""
    for limit, key in _limits(viewer, what):
        await gate.limiter.forget(limit, key)


def _limits(viewer: Viewer, what: str) -> tuple[tuple[Limit, str], ...]:
    return (
        (Limit(f"{what} in session", IN_SESSION, _WINDOW), str(viewer.session_id)),
        (Limit(f"{what} of account", OF_ACCOUNT, _WINDOW), str(viewer.account_id)),
    )

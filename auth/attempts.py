"""Failed sign-ins, counted in the database for a login and for an address.

An attempt is counted before its password is looked at and given back when it was right: fifty
at once get no more guesses than five in a row. Each failure lengthens the wait before the next
attempt is looked at, until the last one allowed locks the login (OWASP ASVS 5.0, 6.3.1).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from auth.turns import take_turns
from core.settings import SignInLimits
from models.account import SignInFailure
from models.database import unit_of_work


class AttemptsExceeded(Exception):
    """There were too many failures: the next attempt is looked at from ``until`` on."""

    def __init__(self, until: datetime, *, is_lock: bool) -> None:
        super().__init__(until)
        self.until = until
        # Whether the login is locked; else it waits a little, or its address does.
        self.is_lock = is_lock


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt under way. ``locks_until`` is set when its failure is the last one allowed."""

    id: UUID
    login_hash: str
    locks_until: datetime | None


@unit_of_work
async def begin_attempt(
    login_hash: str, address: str, *, now: datetime, limits: SignInLimits
) -> Attempt:
    """Counts an attempt as failed for now; raises AttemptsExceeded and counts nothing."""
    address = address[:64]
    # An unknown login has no row to lock. Logins come before addresses everywhere.
    await take_turns(f"login {login_hash}", *([f"address {address}"] if address else ()))
    await SignInFailure.filter(at__lte=now - limits.window).delete()
    of_login = await _times({"login_hash": login_hash}, limits.failures)
    if len(of_login) >= limits.failures:
        raise AttemptsExceeded(of_login[-1] + limits.window, is_lock=True)
    if of_login and now < (waits_until := of_login[0] + _pause(len(of_login), limits)):
        raise AttemptsExceeded(waits_until, is_lock=False)
    if address:
        of_address = await _times({"address": address}, limits.address_failures)
        if len(of_address) >= limits.address_failures:
            raise AttemptsExceeded(of_address[-1] + limits.window, is_lock=False)
    row = await SignInFailure.create(login_hash=login_hash, address=address, at=now)
    times = [now, *of_login]
    locks_until = times[-1] + limits.window if len(times) >= limits.failures else None
    return Attempt(row.id, login_hash, locks_until)


async def give_back(attempt: Attempt) -> None:
    """The attempt was no failure. Inside the caller's unit of work."""
    await SignInFailure.filter(id=attempt.id).delete()


async def forgive(login_hash: str) -> None:
    """Forgets the failures of a login. Inside the caller's unit of work."""
    await SignInFailure.filter(login_hash=login_hash).delete()


def _pause(failures: int, limits: SignInLimits) -> timedelta:
    """How long the next attempt waits: one slip costs nothing, then each pause is doubled."""
    return limits.pause * 2 ** (failures - 2) if failures > 1 else timedelta(0)


async def _times(of: dict[str, str], limit: int) -> list[datetime]:
    """When the newest failures were, newest first."""
    rows = await SignInFailure.filter(**of).order_by("-at", "-id").limit(limit)
    return [row.at for row in rows]

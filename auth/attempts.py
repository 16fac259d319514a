"""Failed sign-ins, counted in the database for a login, for an account and for an address.

An attempt is counted before its password is looked at and given back when it was right: fifty
at once get no more guesses than five in a row. Each failure lengthens the wait before the next
attempt is looked at, until the last one allowed locks the login (OWASP ASVS 5.0, 6.3.1).

What is told depends on the login alone, whether or not somebody has it. The account counts beside
that, by whichever login: once that count is full nothing more is looked at, and none is told why.
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
class Names:
    """Under what an attempt is counted, as keyed hashes: the login as it was typed, the account."""

    login: str
    account: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt under way.

    ``locks_until`` is set when its failure is the last one that the account allows, and
    ``refused_until`` when that was had before: then it is not to be looked at. ``device`` is the
    known device that it counts for, and for nothing else.
    """

    rows: tuple[UUID, ...]
    locks_until: datetime | None
    refused_until: datetime | None
    device: str | None = None


@unit_of_work
async def begin_attempt(
    names: Names, network: str, *, now: datetime, limits: SignInLimits
) -> Attempt:
    """Counts an attempt as failed for now; raises AttemptsExceeded and counts nothing."""
    # An unknown login has no row to lock. Logins, accounts, addresses: so everywhere.
    addresses = [f"address {network}"] if network else []
    await take_turns(f"login {names.login}", f"account {names.account}", *addresses)
    await SignInFailure.filter(at__lte=now - limits.window).delete()
    of_login = await _times({"login_hash": names.login}, limits.failures)
    if len(of_login) >= limits.failures:
        raise AttemptsExceeded(of_login[-1] + limits.window, is_lock=True)
    if of_login and now < (waits_until := of_login[0] + _pause(len(of_login), limits)):
        raise AttemptsExceeded(waits_until, is_lock=False)
    if network:
        of_address = await _times({"address": network}, limits.address_failures)
        if len(of_address) >= limits.address_failures:
            raise AttemptsExceeded(of_address[-1] + limits.window, is_lock=False)
    of_account = await _times({"login_hash": names.account}, limits.failures)
    is_full = len(of_account) >= limits.failures
    rows = [SignInFailure(login_hash=names.login, address=network, at=now)]
    if not is_full:
        # Without the address, which has counted it already.
        rows.append(SignInFailure(login_hash=names.account, address="", at=now))
    await SignInFailure.bulk_create(rows)
    times = of_account if is_full else [now, *of_account]
    until = times[-1] + limits.window if len(times) >= limits.failures else None
    ids = tuple(row.id for row in rows)
    return Attempt(ids, None, until) if is_full else Attempt(ids, until, None)


@unit_of_work
async def give_back(attempt: Attempt) -> None:
    """The attempt was no failure."""
    await SignInFailure.filter(id__in=attempt.rows).delete()


async def forgive(*names: str) -> None:
    """Forgets the failures of logins and accounts. Inside the caller's unit of work."""
    await SignInFailure.filter(login_hash__in=names).delete()


def _pause(failures: int, limits: SignInLimits) -> timedelta:
    """How long the next attempt waits: one slip costs nothing, then each pause is doubled."""
    return limits.pause * 2 ** (failures - 2) if failures > 1 else timedelta(0)


async def _times(of: dict[str, str], limit: int) -> list[datetime]:
    """When the newest failures were, newest first."""
    rows = await SignInFailure.filter(**of).order_by("-at", "-id").limit(limit)
    return [row.at for row in rows]

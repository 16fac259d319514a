"""Accounts: made, and unlocked."""

from uuid import UUID

from tortoise.exceptions import IntegrityError

from auth.attempts import Names, forgive
from auth.audit import record
from auth.gate import Gate
from auth.passwords import check_new_password
from auth.rows import lock
from auth.viewer import Viewer
from core.errors import Problem
from models import identifiers
from models.account import Account, AccountState
from models.database import unit_of_work, violated
from models.practitioner import Practitioner
from resolvers.forms import IdentityUnavailable, reason_of


class LoginRequired(Problem):
    """An account needs a telephone number or an e-mail address to sign in with."""

    code = "LOGIN_REQUIRED"


@unit_of_work
async def create_account(
    viewer: Viewer,
    *,
    gate: Gate,
    password: str,
    totp_secret: str,
    email: str | None = None,
    phone: str | None = None,
    organisation_id: UUID | None = None,
    is_demo: bool = False,
) -> Account:
    """An active account with both factors, confirmed; roles are granted apart."""
    if email is None and phone is None:
        raise LoginRequired("email")
    check_new_password(password, breached=gate.breached)
    account = Account(
        organisation_id=organisation_id,
        email=identifiers.email(email, "email") if email is not None else None,
        phone=identifiers.phone(phone, "phone") if phone is not None else None,
        password_hash=await gate.passwords.hash(password),
        password_changed_at=viewer.now,
        totp_sealed=gate.vault.seal(totp_secret),
        state=AccountState.ACTIVE,
        confirmed_at=viewer.now,
        is_demo=is_demo,
    )
    await save_account(account, create=True)
    record(viewer, "ACCOUNT_CREATED", account)
    return account


async def save_account(account: Account, *, create: bool = False, field: str = "") -> None:
    """Saves an account; raises IdentityUnavailable about ``field``, or ``email`` or ``phone``."""
    try:
        await account.save(force_create=create)
    except IntegrityError as error:
        column = next((name for name in ("email", "phone") if name in violated(error)), "")
        raise IdentityUnavailable(field or column) from None


@unit_of_work
async def unlock_account(viewer: Viewer, *, id: UUID, reason: str, gate: Gate) -> Account:
    """Ends a lock that failed sign-ins brought about, and forgets the failures.

    Raises NotFound, ReasonNeeded, Problems.
    """
    account = await lock(viewer, Account, id, "id")
    text = reason_of(reason)
    await lift(gate, account)
    about = await person_of(account.id)
    record(viewer, "ACCOUNT_UNLOCKED", account, about=about, reason=text)
    return account


async def lift(gate: Gate, account: Account) -> None:
    """Ends a lock and forgets the failures, in the caller's unit of work."""
    if account.state is AccountState.LOCKED:
        account.update_from_dict({"state": AccountState.ACTIVE, "locked_until": None})
        await account.save(update_fields=["state", "locked_until"])
    await forgive_account(gate, account)


async def forgive_account(gate: Gate, account: Account) -> None:
    """Forgets the failures of an account and of its logins, in the caller's unit of work."""
    names = [failure_names(gate, account, login or "") for login in (account.phone, account.email)]
    await forgive(names[0].account, *(name.login for name in names))


async def forgive_device(gate: Gate, device: str) -> None:
    """Forgets the failures of a known device, in the caller's unit of work."""
    names = device_names(gate, device)
    await forgive(names.login, names.account)


def failure_names(gate: Gate, account: Account | None, login: str) -> Names:
    """Under what failures are counted. A login that nobody has counts as if it had an account."""
    whose = str(account.id) if account is not None else login
    return Names(gate.hashes.hash("login", login), gate.hashes.hash("failures of account", whose))


def device_names(gate: Gate, device: str) -> Names:
    """Under what the failures of a known device are counted: of no login and no account."""
    hashed = gate.hashes.hash
    return Names(hashed("device", device), hashed("failures of device", device))


async def person_of(account_id: UUID) -> UUID | None:
    """The worker whose account it is."""
    person = await Practitioner.get_or_none(account_id=account_id)
    return person.id if person is not None else None

"""One's own password: changed by whoever knows it, and how long it holds."""

from datetime import datetime, timedelta

from auth.audit import record
from auth.gate import Gate
from auth.passwords import PasswordWeak, check_new_password
from auth.viewer import Viewer
from core.errors import Problem
from models.account import Account
from models.database import unit_of_work
from resolvers.alerts import Alert, alert
from resolvers.forms import Required, refuse
from resolvers.guesses import count_guess, forget_guesses
from resolvers.own_words import own_words
from resolvers.sessions import end_sessions

_CHANGING = "change password"


class PasswordWrong(Problem):
    """It is not the password that the account has now."""

    code = "PASSWORD_WRONG"


class PasswordUnchanged(Problem):
    """The new password is the one from before."""

    code = "PASSWORD_UNCHANGED"


async def change_password(viewer: Viewer, *, gate: Gate, old: str, new: str) -> Account:
    """Sets another password; every other session ends.

    Raises Problems (Required, PasswordWeak, PasswordUnchanged), PasswordWrong, TooManyAttempts.
    """
    problems: list[Problem] = [] if old else [Required("old")]
    account = await Account.get(id=viewer.account_id)
    try:
        check_new_password(new, "new", about=await own_words(gate, account), breached=gate.breached)
    except PasswordWeak as weak:
        problems.append(weak)
    if old and old == new:
        problems.append(PasswordUnchanged("new"))
    refuse(problems)
    await count_guess(viewer, gate, _CHANGING)
    if not await gate.passwords.verify(account.password_hash, old):
        await _write_failure(viewer, account)
        raise PasswordWrong("old")
    changed = await _change(viewer, gate, account.password_hash, await gate.passwords.hash(new))
    await forget_guesses(viewer, gate, _CHANGING)
    return changed


@unit_of_work
async def _change(viewer: Viewer, gate: Gate, checked: str | None, password_hash: str) -> Account:
    account = await Account.filter(id=viewer.account_id).select_for_update(no_key=True).get()
    if account.password_hash != checked:
        raise PasswordWrong("old")
    account.password_hash, account.password_changed_at = password_hash, viewer.now
    await account.save(update_fields=["password_hash", "password_changed_at"])
    await end_sessions(viewer, account.id, reason="PASSWORD_CHANGED", keep=viewer.session_id)
    record(viewer, "PASSWORD_CHANGED", account, about=viewer.practitioner_id)
    await alert(viewer, gate=gate, account=account, what=Alert.PASSWORD_CHANGED)
    return account


@unit_of_work
async def _write_failure(viewer: Viewer, account: Account) -> None:
    record(viewer, "PASSWORD_REFUSED", account, about=viewer.practitioner_id)


def has_expired(account: Account, now: datetime, age: timedelta | None) -> bool:
    """Whether the password is older than passwords may be; an account without one has none."""
    if age is None:
        return False
    changed = account.password_changed_at
    return account.password_hash is not None and (changed is None or changed + age <= now)

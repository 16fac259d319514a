"""Recovery: a code to a contact, and with it a new password; whose the contact is, is not told."""

from datetime import timedelta
from uuid import UUID

from auth.audit import record
from auth.gate import Gate
from auth.limits import Limit
from auth.passwords import check_new_password
from auth.rows import lock
from auth.sent_codes import CodeInvalid, Sent, contact_of, send_code, use_code
from auth.viewer import Viewer
from core.errors import Problem
from core.ids import readable_code, typed_code, typed_signs, uuid7
from models.account import Account, AccountState
from models.database import unit_of_work
from models.factor import CodePurpose, SentCode
from resolvers.accounts import forgive_account, person_of
from resolvers.alerts import Alert, alert
from resolvers.contacts import Contact, account_with, confirmed_contact, contact_from
from resolvers.forms import Required, read, refuse
from resolvers.own_password import PasswordUnchanged
from resolvers.own_words import own_words
from resolvers.returned_codes import returned_code
from resolvers.sessions import end_everything

# A hospital asks from one address; whoever tries contacts out asks more often.
ASKING_FROM_ADDRESS = Limit("recovery from address", 20, timedelta(minutes=15))
RESETTING_FROM_ADDRESS = Limit("reset from address", 30, timedelta(minutes=15))
# Whoever has the code is told whether a password is the old one, or made of what names the owner.
RESETTING_ACCOUNT = Limit("reset of account", 10, timedelta(minutes=15))

# Sixteen signs of five bits: it is typed, since it comes by the same message as the code.
_HANDLE_GROUPS = 4
_PREFIX = "RS"


class ContactUnconfirmed(Problem):
    """No code ever came back from a contact of the account: there is nowhere to send one."""

    code = "CONTACT_UNCONFIRMED"


async def request_recovery(viewer: Viewer, *, gate: Gate, contact: str) -> Sent:
    """Sends a code for a new password; for a contact of nobody's, nothing, which is not told.

    Raises Required, EmailInvalid, PhoneInvalid, PhoneLandline, TooManyAttempts, ResendTooSoon.
    """
    problems: list[Problem] = []
    given = read(
        {"contact": contact}, {"contact": contact_from}, required=("contact",), problems=problems
    )
    refuse(problems)
    to: Contact = given["contact"]
    await gate.limiter.hit(viewer, ASKING_FROM_ADDRESS, viewer.network)
    return await _send(viewer, gate, to)


@unit_of_work
async def _send(viewer: Viewer, gate: Gate, to: Contact) -> Sent:
    account = await account_with(to)
    if account is not None and not _may_recover(account):
        account = None
    # The same statements for a contact of nobody's: the time taken tells nothing.
    about = await person_of(account.id if account is not None else uuid7())
    sent = await send_code(
        viewer,
        gate=gate,
        purpose=CodePurpose.RECOVERY,
        channel=to.channel,
        contact=to.value,
        account_id=account.id if account is not None else None,
        deliver=account is not None,
        anybody=True,
        field="contact",
    )
    record(viewer, "RECOVERY_REQUESTED", account, about=about)
    return sent


@unit_of_work
async def start_reset(viewer: Viewer, *, gate: Gate, id: UUID) -> Account:
    """Sends a code to the account's confirmed contact, with the handle that goes with it.

    It is in the owner's language, and waits for no code that a stranger asks for. The operator
    learns neither. Raises NotFound, ContactUnconfirmed, ResendTooSoon.
    """
    account = await lock(viewer, Account, id)
    to = confirmed_contact(account)
    if to is None or not _may_recover(account):
        raise ContactUnconfirmed("id")
    await send_code(
        viewer._replace(language=account.language),
        gate=gate,
        purpose=CodePurpose.RECOVERY,
        channel=to.channel,
        contact=to.value,
        account_id=account.id,
        handle=readable_code(_PREFIX, groups=_HANDLE_GROUPS),
        text="Account.reset_started",
        field="id",
    )
    record(viewer, "RESET_STARTED", account, about=await person_of(account.id))
    return account


async def reset_password(
    viewer: Viewer, *, gate: Gate, handle: str, code: str, password: str
) -> Account:
    """A new password for whom the code was sent; every session and every other code ends.

    The second factor stays, and so does a lock that an operator put on. A weak password is told
    before the code is looked at, one that names its owner or is the old one to whom the code came.
    Raises Required, PasswordWeak, PasswordUnchanged, CodeInvalid, CodeExpired, CodeReused,
    TooManyAttempts.
    """
    given = {"handle": handle, "code": code, "password": password}
    refuse([Required(name) for name, value in given.items() if not value.strip()])
    check_new_password(password)
    await gate.limiter.hit(viewer, RESETTING_FROM_ADDRESS, viewer.network)
    sent = await returned_code(
        viewer, gate=gate, purpose=CodePurpose.RECOVERY, handle=_as_sent(handle), code=code
    )
    account = await Account.get_or_none(id=sent.account_id)
    if account is None:
        raise CodeInvalid("code")
    await gate.limiter.hit(viewer, RESETTING_ACCOUNT, str(account.id))
    check_new_password(password, about=await own_words(gate, account), breached=gate.breached)
    if await gate.passwords.verify(account.password_hash, password):
        raise PasswordUnchanged("password")
    return await _reset(viewer, gate, sent, await gate.passwords.hash(password))


@unit_of_work
async def _reset(viewer: Viewer, gate: Gate, sent: SentCode, password_hash: str) -> Account:
    account = await Account.filter(id=sent.account_id).select_for_update(no_key=True).get()
    await use_code(viewer, sent)
    contact = contact_of(gate, sent)
    if not _may_recover(account) or contact not in (account.phone, account.email):
        raise CodeInvalid("code")
    account.password_hash, account.password_changed_at = password_hash, viewer.now
    if account.locked_until is not None:
        account.update_from_dict({"state": AccountState.ACTIVE, "locked_until": None})
    # A code that was sent there came back.
    if contact == account.phone:
        account.phone_confirmed_at = account.phone_confirmed_at or viewer.now
    else:
        account.email_confirmed_at = account.email_confirmed_at or viewer.now
    await account.save()
    await forgive_account(gate, account)
    # Whatever was begun under the old password ends with it.
    person = viewer._replace(account_id=account.id)
    await end_everything(person, account.id, reason="PASSWORD_RESET")
    record(person, "PASSWORD_RESET", account, about=await person_of(account.id))
    await alert(viewer, gate=gate, account=account, what=Alert.PASSWORD_RESET)
    return account


def _as_sent(handle: str) -> str:
    """A handle as it was given out: what an operator's message tells is typed by a person."""
    signs = typed_signs(handle, _PREFIX)
    is_typed = len(signs) == 4 * _HANDLE_GROUPS
    return typed_code(handle, _PREFIX) if is_typed else handle.strip()


def _may_recover(account: Account) -> bool:
    """One that was opened and is not closed; a locked one may, and stays locked."""
    is_open = account.state in (AccountState.ACTIVE, AccountState.LOCKED)
    return is_open and account.password_hash is not None

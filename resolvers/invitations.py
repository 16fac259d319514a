"""Invitations: a one-time code with which a worker of the registry opens their account."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from auth.audit import record
from auth.gate import Gate
from auth.keys import digest
from auth.limits import Limit
from auth.one_time_codes import enrolment_uri, new_secret
from auth.passwords import check_new_password
from auth.rows import lock
from auth.viewer import Viewer
from core.errors import Problem
from core.ids import readable_code, typed_signs
from models import identifiers
from models.account import Account, AccountState, Invitation
from models.database import unit_of_work
from models.practitioner import Practitioner
from models.role import Role
from resolvers.accounts import LoginRequired, person_of, save_account
from resolvers.grants import RoleAlreadyGranted, grant_to
from resolvers.own_words import own_words

LIFETIME = timedelta(hours=72)
# From one address, behind which there may be a hospital that opens its accounts.
TRYING = Limit("invitations of an address", 30, timedelta(minutes=15))
# Sixteen signs of five bits: nobody guesses one in 72 hours.
_GROUPS = 4
_PREFIX = "IN"


class AccountExists(Problem):
    """The worker has opened their account already."""

    code = "ACCOUNT_EXISTS"


class InvitationInvalid(Problem):
    """The code is unknown, used or too old: ask for a new one."""

    code = "INVITATION_INVALID"


@dataclass(frozen=True, slots=True)
class Invited:
    """An account that waits for its owner, and the code, which is shown once."""

    account: Account
    invitation: Invitation
    code: str


@dataclass(frozen=True, slots=True)
class Accepted:
    """An opened account, and the secret of its second factor, which is shown once."""

    account: Account
    totp_secret: str
    totp_uri: str


@unit_of_work
async def invite(
    viewer: Viewer, *, practitioner_id: UUID, role: Role, department_id: UUID | None = None
) -> Invited:
    """Makes or renews the invitation of a worker, with a role; earlier codes end.

    Raises AccountExists, RoleNotGrantable, NotFound.
    """
    person = await lock(viewer, Practitioner, practitioner_id, "practitioner_id")
    account = await _account_for(person)
    if account.state is not AccountState.INVITED:
        raise AccountExists("practitioner_id")
    with suppress(RoleAlreadyGranted):  # the invitation is renewed, and the grant stands
        await grant_to(viewer, account=account, role=role, department_id=department_id)
    record(viewer, "INVITED", account, about=person.id, role=role.value)
    return await new_invitation(viewer, account)


async def new_invitation(viewer: Viewer, account: Account) -> Invited:
    """A fresh code for an account; earlier ones end. Inside the caller's unit of work."""
    await Invitation.filter(account_id=account.id, used_at__isnull=True).delete()
    code = readable_code(_PREFIX, groups=_GROUPS)
    invitation = await Invitation.create(
        account_id=account.id,
        code_hash=digest(typed_signs(code, _PREFIX)),
        created_at=viewer.now,
        expires_at=viewer.now + LIFETIME,
    )
    return Invited(account, invitation, code)


async def _account_for(person: Practitioner) -> Account:
    """The worker's account, made where there is none, with the contacts that serve nobody else."""
    if person.account_id is not None:
        return await Account.filter(id=person.account_id).select_for_update(no_key=True).get()
    account = Account(organisation_id=person.organisation_id, state=AccountState.INVITED)
    for email in (person.personal_email, person.work_email):
        if account.email is None and email and not await Account.exists(email=email):
            account.email = email
    for phone in (person.personal_phone, person.work_phone):
        if account.phone is None and phone and not await Account.exists(phone=phone):
            account.phone = phone
    await save_account(account, create=True)
    person.account_id = account.id
    await person.save(update_fields=["account_id"])
    return account


async def accept_invitation(
    viewer: Viewer,
    *,
    gate: Gate,
    code: str,
    password: str,
    email: str | None = None,
    phone: str | None = None,
) -> Accepted:
    """Opens the account, once: sets its password and its second factor.

    ``email`` or ``phone`` is needed where the registry knew neither. Raises InvitationInvalid,
    PasswordWeak, LoginRequired, EmailInvalid, PhoneInvalid, IdentityUnavailable,
    TooManyAttempts.
    """
    code_hash = digest(typed_signs(code, _PREFIX))
    await gate.limiter.hit(viewer, TRYING, viewer.address)
    # Looked at before the password is hashed, which costs more than a stranger may spend.
    invitation = await _living(viewer, code_hash)
    account = await Account.get(id=invitation.account_id)
    check_new_password(password, about=await own_words(account), breached=gate.breached)
    email = identifiers.email(email, "email") if email else None
    phone = identifiers.phone(phone, "phone") if phone else None
    password_hash = await gate.passwords.hash(password)
    return await _accept(viewer, gate, code_hash, password_hash, email, phone)


@unit_of_work
async def _accept(
    viewer: Viewer,
    gate: Gate,
    code_hash: str,
    password_hash: str,
    email: str | None,
    phone: str | None,
) -> Accepted:
    invitation = await _living(viewer, code_hash)
    taken = await Invitation.filter(id=invitation.id, used_at__isnull=True).update(
        used_at=viewer.now
    )
    if not taken:
        raise InvitationInvalid("code")
    account = await Account.filter(id=invitation.account_id).select_for_update(no_key=True).get()
    if account.state is not AccountState.INVITED:
        raise InvitationInvalid("code")
    account.email, account.phone = email or account.email, phone or account.phone
    login = account.email or account.phone
    if login is None:
        raise LoginRequired("email")
    secret = new_secret()
    account.password_hash, account.password_changed_at = password_hash, viewer.now
    account.totp_sealed, account.totp_last_step = gate.vault.seal(secret), 0
    # The organisation gave the code to its own worker by hand.
    account.state, account.confirmed_at = AccountState.ACTIVE, viewer.now
    await save_account(account)
    person = viewer._replace(account_id=account.id)
    record(person, "INVITATION_ACCEPTED", account, about=await person_of(account.id))
    return Accepted(account, secret, enrolment_uri(secret, login))


async def _living(viewer: Viewer, code_hash: str) -> Invitation:
    invitation = await Invitation.get_or_none(
        code_hash=code_hash, used_at__isnull=True, expires_at__gt=viewer.now
    )
    if invitation is None:
        raise InvitationInvalid("code")
    return invitation

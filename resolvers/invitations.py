"""Invitations: a one-time code, and a contact that is shown to be theirs, open an account."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from auth.audit import record
from auth.gate import Gate
from auth.keys import digest
from auth.limits import Limit
from auth.one_time_codes import enrolment_uri, new_secret
from auth.passwords import PasswordWeak, check_new_password
from auth.rows import lock
from auth.sent_codes import Sent, contact_of, send_code, use_code
from auth.viewer import Viewer
from core.errors import Problem
from core.ids import readable_code, typed_signs
from core.translation import message
from models.account import Account, AccountState, ConfirmedBy, Invitation
from models.database import unit_of_work
from models.factor import CodePurpose, SentCode
from models.practitioner import Practitioner, PractitionerStatus
from models.role import Role
from resolvers.accounts import person_of, save_account
from resolvers.contacts import Contact, account_with, contact_again, contact_from, take_contact
from resolvers.forms import read, refuse
from resolvers.grants import grant_instead
from resolvers.own_words import own_words, words_in
from resolvers.returned_codes import code_or_problem
from resolvers.standing import PractitionerDismissed

LIFETIME = timedelta(hours=72)
# From one address, behind which there may be a hospital that opens its accounts.
BEGINNING = Limit("begin invitations of an address", 30, timedelta(minutes=15))
TRYING = Limit("invitations of an address", 30, timedelta(minutes=15))
# How many contacts an invited person may have codes sent to.
NAMING = Limit("contacts of an invitation", 5, timedelta(hours=1))
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
    """Makes or renews the invitation of a worker, with a role; earlier codes and roles end.

    Raises PractitionerDismissed, AccountExists, RoleNotGrantable, NotFound.
    """
    person = await lock(viewer, Practitioner, practitioner_id, "practitioner_id")
    if person.status is PractitionerStatus.DISMISSED:
        raise PractitionerDismissed("practitioner_id")
    account = await _account_for(person)
    if account.state is not AccountState.INVITED:
        raise AccountExists("practitioner_id")
    await grant_instead(viewer, account=account, role=role, department_id=department_id)
    record(viewer, "INVITED", account, about=person.id, role=role.value)
    return await new_invitation(viewer, account)


async def new_invitation(viewer: Viewer, account: Account) -> Invited:
    """A fresh code for an account; earlier ones end. Inside the caller's unit of work."""
    await end_invitations(account)
    code = readable_code(_PREFIX, groups=_GROUPS)
    invitation = await Invitation.create(
        account_id=account.id,
        code_hash=digest(typed_signs(code, _PREFIX)),
        created_at=viewer.now,
        expires_at=viewer.now + LIFETIME,
    )
    return Invited(account, invitation, code)


async def end_invitations(account: Account) -> None:
    """Makes the codes of an account, which the caller has locked, good for nothing."""
    await Invitation.filter(account_id=account.id, used_at__isnull=True).delete()


async def close_invited(account: Account) -> None:
    """Ends an account that nobody opened, which the caller has locked; its contacts are free."""
    await end_invitations(account)
    account.update_from_dict({"state": AccountState.CLOSED, "email": None, "phone": None})
    await account.save(update_fields=["state", "email", "phone"])


async def _account_for(person: Practitioner) -> Account:
    """The worker's account, made where there is none; its login is named by whoever opens it."""
    if person.account_id is not None:
        return await Account.filter(id=person.account_id).select_for_update(no_key=True).get()
    account = Account(organisation_id=person.organisation_id, state=AccountState.INVITED)
    await save_account(account, create=True)
    person.account_id = account.id
    await person.save(update_fields=["account_id"])
    return account


async def begin_invitation(viewer: Viewer, *, gate: Gate, code: str, contact: str) -> Sent:
    """Sends a code to the phone or e-mail address with which an invited person will sign in.

    Where it has an account the answer and the work are the same, and the message says so. Raises
    TooManyAttempts, ResendTooSoon about ``contact``, and Problems: InvitationInvalid, Required,
    EmailInvalid, PhoneInvalid, PhoneLandline.
    """
    await gate.limiter.hit(viewer, BEGINNING, viewer.network)
    problems: list[Problem] = []
    account = await _account_or_problem(viewer, code, problems)
    given = {"contact": contact}
    form = read(given, {"contact": contact_from}, required=given, problems=problems)
    refuse(problems)
    assert account is not None
    to: Contact = form["contact"]
    await gate.limiter.hit(viewer, NAMING, str(account.id))
    return await _send(viewer._replace(account_id=account.id), gate, account, to)


@unit_of_work
async def _send(person: Viewer, gate: Gate, account: Account, to: Contact) -> Sent:
    theirs = await account_with(to)
    is_others = theirs is not None and theirs.id != account.id
    known = message(person.language, "Invitation.known")
    record(person, "INVITATION_BEGUN", account, channel=to.channel.value)
    return await send_code(
        person,
        gate=gate,
        purpose=CodePurpose.INVITATION,
        channel=to.channel,
        contact=to.value,
        account_id=account.id,
        instead=known if is_others else None,
        anybody=True,
        field="contact",
    )


async def accept_invitation(
    viewer: Viewer, *, gate: Gate, code: str, handle: str, contact_code: str, password: str
) -> Accepted:
    """Opens the account, once: sets its login, its password and its second factor.

    ``handle`` and ``contact_code`` are those of the contact that becomes its login. Raises
    TooManyAttempts, IdentityUnavailable about ``handle``, and Problems: InvitationInvalid,
    CodeInvalid, CodeExpired and CodeReused about ``contact_code``, PasswordWeak.
    """
    await gate.limiter.hit(viewer, TRYING, viewer.network)
    problems: list[Problem] = []
    account = await _account_or_problem(viewer, code, problems)
    about: tuple[str, ...] = ()
    sent = None
    if account is not None:
        viewer = viewer._replace(account_id=account.id)
        sent = await code_or_problem(
            viewer,
            gate=gate,
            purpose=CodePurpose.INVITATION,
            handle=handle,
            code=contact_code,
            account_id=account.id,
            problems=problems,
            field="contact_code",
        )
        about = await own_words(gate, account)
    if sent is not None:
        about += words_in(contact_of(gate, sent))
    try:
        check_new_password(password, about=about, breached=gate.breached)
    except PasswordWeak as weak:
        problems.append(weak)
    refuse(problems)
    assert sent is not None
    # Hashing costs more than a stranger may spend.
    return await _accept(viewer, gate, code, sent, await gate.passwords.hash(password))


@unit_of_work
async def _accept(
    person: Viewer, gate: Gate, code: str, sent: SentCode, password_hash: str
) -> Accepted:
    invitation = await _living(person, code)
    # The account first: whoever ends its invitations meanwhile has locked it.
    account = await Account.filter(id=invitation.account_id).select_for_update(no_key=True).get()
    taken = await Invitation.filter(id=invitation.id, used_at__isnull=True).update(
        used_at=person.now
    )
    if not taken:
        raise InvitationInvalid("code")
    if account.state is not AccountState.INVITED:
        raise InvitationInvalid("code")
    await use_code(person, sent, "contact_code")
    # Of what was written there before, nobody has shown that it is this person's.
    account.update_from_dict({"email": None, "phone": None})
    login = contact_again(contact_of(gate, sent))
    take_contact(account, login, person.now)
    secret = new_secret()
    account.password_hash, account.password_changed_at = password_hash, person.now
    account.totp_sealed, account.totp_last_step = gate.vault.seal(secret), 0
    # The organisation gave the code to its own worker by hand.
    account.state = AccountState.ACTIVE
    account.confirmed_at, account.confirmed_by = person.now, ConfirmedBy.INVITATION
    # Another may have taken the contact meanwhile.
    await save_account(account, field="handle")
    record(person, "INVITATION_ACCEPTED", account, about=await person_of(account.id))
    return Accepted(account, secret, enrolment_uri(secret, login.value))


async def _account_or_problem(viewer: Viewer, code: str, problems: list[Problem]) -> Account | None:
    """The account that an invitation opens; what is wrong is added to ``problems``."""
    try:
        invitation = await _living(viewer, code)
    except InvitationInvalid as invalid:
        problems.append(invalid)
        return None
    return await Account.get(id=invitation.account_id)


async def _living(viewer: Viewer, code: str) -> Invitation:
    invitation = await Invitation.get_or_none(
        code_hash=digest(typed_signs(code, _PREFIX)),
        used_at__isnull=True,
        expires_at__gt=viewer.now,
    )
    if invitation is None:
        raise InvitationInvalid("code")
    return invitation

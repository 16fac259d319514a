"""Detaching an account from a file of the registry: the way back where the wrong one holds it."""

from typing import Any
from uuid import UUID

from auth.audit import record
from auth.gate import Gate
from auth.rows import NotFound, lock
from auth.viewer import Viewer
from core.errors import Problem
from models.account import Account, AccountState, ConfirmedBy
from models.audit import AuditEntry
from models.database import current_unit, unit_of_work
from models.identity import ExternalIdentity
from models.practitioner import Practitioner, PractitionerStatus
from resolvers.alerts import Alert, alert
from resolvers.contacts import tell_worker
from resolvers.forms import reason_of
from resolvers.foureyes import SelfApproval
from resolvers.grants import covers, revoke_all
from resolvers.invitations import close_invited
from resolvers.owned_numbers import lose_numbers_of
from resolvers.practitioners import OWN_CONTACTS
from resolvers.sessions import end_sessions
from resolvers.standing import AlreadyAttached
from resolvers.versions import check_version, next_version


class NotAttached(Problem):
    """The file is no account's."""

    code = "NOT_ATTACHED"


@unit_of_work
async def detach_account(
    viewer: Viewer, *, gate: Gate, id: UUID, version: int, reason: str
) -> Practitioner:
    """Takes a worker's file from the account that holds it, with every role of the organisation.

    The account goes on as a citizen's, without the numbers that the file alone proved to be its;
    the file waits for its owner, without the contacts that the account wrote there. Raises
    NotFound, Stale, NotAttached, SelfApproval, LastAdmin, ReasonNeeded, Problems.
    """
    person = await lock(viewer, Practitioner, id)
    home = person.organisation_id
    # Roles of the whole organisation go, which somebody limited to a department does not give.
    if not covers(viewer, home, None):
        raise NotFound("id")
    check_version(person, version)
    if person.account_id is None:
        raise NotAttached("id")
    if person.account_id == viewer.account_id:
        raise SelfApproval("id")
    text = reason_of(reason)
    account = await Account.filter(id=person.account_id).select_for_update(no_key=True).get()
    await revoke_all(viewer, account_id=account.id, organisation_id=home)
    await end_sessions(viewer, account.id, reason="DETACHED")
    # Whoever came by Gosuslugi may have been led to this account by the file.
    await ExternalIdentity.filter(account_id=account.id).delete()
    await alert(viewer, gate=gate, account=account, what=Alert.DETACHED)
    lost = await lose_numbers_of(gate, account, person)
    await _leave(account)
    await _release(viewer, gate, person, account, lost=lost, reason=text)
    return person


async def leave_closed_file(
    viewer: Viewer, *, gate: Gate, account: Account, organisation_id: UUID
) -> None:
    """Takes an account from the file of a job that it has left, in the caller's unit of work.

    The caller has locked the account, saves it, and attaches it to a file of ``organisation_id``.
    What another organisation gave ends; the numbers stay, as nobody says that they are wrong.
    Raises AlreadyAttached where the file is not closed any more, LastAdmin.
    """
    current_unit()
    left = Practitioner.filter(account_id=account.id).select_for_update(no_key=True)
    person = await left.get_or_none()
    if person is None:
        return
    if person.status is not PractitionerStatus.DISMISSED:
        raise AlreadyAttached
    home = person.organisation_id
    if home != organisation_id:
        await revoke_all(viewer, account_id=account.id, organisation_id=home)
        _lose_vouching(account)
    await _release(viewer, gate, person, account)


async def _release(
    viewer: Viewer, gate: Gate, person: Practitioner, account: Account, **details: Any
) -> None:
    """The file is nobody's any more, and has no contact that the account wrote."""
    await tell_worker(
        viewer, gate, person, "File.detached", account=account, language=account.language
    )
    written = await _written_by(account, person)
    person.update_from_dict({"account_id": None, **dict.fromkeys(written)})
    next_version(person)
    await person.save()
    record(
        viewer,
        "ACCOUNT_DETACHED",
        person,
        about=person.id,
        account=account.public_id,
        emptied=sorted(written),
        **details,
    )


async def _written_by(account: Account, person: Practitioner) -> set[str]:
    """The contacts that an account was the last to write: a code that went there would reach it."""
    edits = AuditEntry.filter(
        about_id=person.id, action__in=["OWN_FILE_UPDATED", "PRACTITIONER_UPDATED"]
    )
    last: dict[str, AuditEntry] = {}
    for edit in await edits.order_by("position"):
        last |= dict.fromkeys(edit.details.get("fields", ()), edit)
    own = {
        name
        for name, edit in last.items()
        if edit.action == "OWN_FILE_UPDATED" and edit.account_id == account.id
    }
    return own & set(OWN_CONTACTS)


async def _leave(account: Account) -> None:
    """The account belongs nowhere; one that nobody opened yet ends, and its contacts are free."""
    account.update_from_dict({"organisation_id": None, "last_role": None})
    _lose_vouching(account)
    await account.save()
    if account.state is AccountState.INVITED:
        await close_invited(account)


def _lose_vouching(account: Account) -> None:
    """The organisation vouched for its own worker."""
    if account.confirmed_by is ConfirmedBy.INVITATION:
        account.update_from_dict({"confirmed_at": None, "confirmed_by": None})

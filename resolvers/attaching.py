"""Attaching a professional role: a number that the staff registry knows, and a code by SMS.

The code goes to the telephone that the registry knows: whoever holds it is that person, and who
knows a name, a birth date and the number of a licence may be anybody.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from tortoise.expressions import Q

from auth.audit import record
from auth.gate import Gate
from auth.identities import number_of
from auth.limits import Limit
from auth.sent_codes import CodeExpired, Sent, contact_of, send_code, use_code
from auth.sessions import grants_of, held_roles
from auth.viewer import Viewer
from core.errors import Problem
from core.text import compact
from models import identifiers
from models.account import Account, AccountState, Session
from models.change import ChangeKind
from models.database import unit_of_work
from models.factor import Channel, CodePurpose, SentCode
from models.feed import announce
from models.identity import Identity
from models.licence import Licence, LicenceKind, LicenceStatus
from models.practitioner import Practitioner, PractitionerStatus
from models.role import Role
from resolvers.confirmation import IdentityMissing
from resolvers.contacts import tell_worker
from resolvers.detaching import leave_closed_file
from resolvers.forms import Check, ExactlyOne, read, refuse
from resolvers.grants import ROLE_OF, ProfessionWithoutRole, grant_by_profession, revoke_all
from resolvers.invitations import close_invited
from resolvers.returned_codes import code_or_problem, count_address, note_refusal
from resolvers.same_person import has_same_name, has_same_numbers
from resolvers.sessions import Switched, access_token, own_session
from resolvers.standing import closed_file_of


class LicenceUnknown(Problem):
    """No valid licence or accreditation of that number is this person's in the registry."""

    code = "LICENCE_NOT_FOUND"


class NotInRegistry(Problem):
    """Nobody in the registry has that SNILS and is this person."""

    code = "NOT_IN_REGISTRY"


class FilesAmbiguous(Problem):
    """Several files of the registry could be this person's."""

    code = "SEVERAL_FILES"


class RegistryContactMissing(Problem):
    """The registry knows no telephone of the worker's own to which an SMS could come."""

    code = "REGISTRY_CONTACT_MISSING"


# Numbers can be guessed, with the name and the birth date of somebody one knows. Asking in vain
# closes nothing to the code that came.
ASKING = Limit("ask for a role", 10, timedelta(hours=1))
TRYING = Limit("attach a role", 10, timedelta(hours=1))
CLAIMING_FROM = Limit("claim a role from", 60, timedelta(hours=1))

_PERSONAL = (LicenceKind.ACCREDITATION, LicenceKind.SPECIALIST_CERTIFICATE)
# By what a worker may be found: the form of the number, and of which kinds of licence it is.
_CLAIMS: dict[str, tuple[Check, tuple[LicenceKind, ...]]] = {
    "licence_number": (identifiers.medical_licence_number, (LicenceKind.MEDICAL_LICENCE,)),
    "accreditation_number": (identifiers.credential_number, _PERSONAL),
    "snils": (identifiers.snils, ()),
}


@dataclass(frozen=True, slots=True)
class _Claim:
    """One number, in its normal form, and the field in which it was given."""

    field: str
    number: str

    @property
    def kinds(self) -> tuple[LicenceKind, ...]:
        return _CLAIMS[self.field][1]

    @property
    def unknown(self) -> Problem:
        return LicenceUnknown(self.field) if self.kinds else NotInRegistry(self.field)


@dataclass(frozen=True, slots=True)
class SentToWorker(Sent):
    """A code under way to the worker's own telephone, as the registry knows it."""

    phone: str


async def request_role(viewer: Viewer, *, gate: Gate, **values: Any) -> SentToWorker:
    """Looks for the viewer's file in the registry and sends a code to the telephone in it.

    One who has left their job attaches that of another. Raises AlreadyAttached, IdentityMissing,
    LicenceUnknown, NotInRegistry, FilesAmbiguous,
    ProfessionWithoutRole, RegistryContactMissing, ResendTooSoon, TooManyAttempts, and Problems:
    ExactlyOne, LicenceNumberMalformed, SnilsMalformed, SnilsChecksumFails.
    """
    problems: list[Problem] = []
    claim = _claim_of(values, problems)
    refuse(problems)
    assert claim is not None
    await _count(viewer, gate, ASKING)
    try:
        return await _request(viewer, gate, claim)
    except Problem as problem:
        await note_refusal(viewer, "ROLE_REFUSED", problem, by=claim.field)
        raise


async def attach_role(
    viewer: Viewer, *, gate: Gate, handle: str, code: str, **values: Any
) -> Switched:
    """Makes the file the viewer's own and gives the role of its profession, in this session too.

    The number is given again, with the code. The file of a job that was left is let go. Raises
    what ``request_role`` does, LastAdmin, and among the Problems CodeInvalid, CodeExpired,
    CodeReused.
    """
    problems: list[Problem] = []
    claim = _claim_of(values, problems)
    await _count(viewer, gate, TRYING)
    sent = await code_or_problem(
        viewer,
        gate=gate,
        purpose=CodePurpose.ROLE,
        handle=handle,
        code=code,
        account_id=viewer.account_id,
        problems=problems,
    )
    if claim is not None and problems:
        # With a wrong code the number is looked at all the same: both are told at once.
        problems += await _wrong_claim(viewer, gate, claim)
    refuse(problems)
    assert claim is not None
    assert sent is not None
    try:
        return await _attach(viewer, gate, claim, sent)
    except Problem as problem:
        await note_refusal(viewer, "ROLE_REFUSED", problem, by=claim.field)
        raise


def _claim_of(values: dict[str, Any], problems: list[Problem]) -> _Claim | None:
    checks = {name: check for name, (check, _) in _CLAIMS.items()}
    before = len(problems)
    stored = read(values, checks, problems=problems)
    if len(problems) > before:
        return None
    given = [_Claim(name, number) for name, number in stored.items() if number is not None]
    if len(given) != 1:
        problems.append(ExactlyOne(given[1].field if given else "licence_number"))
        return None
    return given[0]


async def _count(viewer: Viewer, gate: Gate, limit: Limit) -> None:
    await gate.limiter.hit(viewer, limit, str(viewer.account_id))
    await count_address(viewer, gate, CLAIMING_FROM)


async def _wrong_claim(viewer: Viewer, gate: Gate, claim: _Claim) -> list[Problem]:
    try:
        await _worker(viewer, gate, await Account.get(id=viewer.account_id), claim)
    except Problem as problem:
        return [problem]
    return []


@unit_of_work
async def _request(viewer: Viewer, gate: Gate, claim: _Claim) -> SentToWorker:
    account = await Account.get(id=viewer.account_id)
    person = await _worker(viewer, gate, account, claim)
    phone = person.personal_phone
    if phone is None or not identifiers.takes_sms(phone):
        raise RegistryContactMissing
    record(viewer, "ROLE_REQUESTED", person, about=person.id, by=claim.field)
    sent = await send_code(
        viewer,
        gate=gate,
        purpose=CodePurpose.ROLE,
        channel=Channel.SMS,
        contact=phone,
        account_id=account.id,
    )
    return SentToWorker(sent.handle, sent.channel, sent.expires_at, sent.resend_at, phone)


@unit_of_work
async def _attach(viewer: Viewer, gate: Gate, claim: _Claim, sent: SentCode) -> Switched:
    account = await Account.filter(id=viewer.account_id).select_for_update(no_key=True).get()
    found = await _worker(viewer, gate, account, claim)
    person = await _free(viewer, found, claim)
    if contact_of(gate, sent) != person.personal_phone:
        # It was sent about another file, or the registry knows another telephone by now.
        raise CodeExpired("code")
    await use_code(viewer, sent)
    await leave_closed_file(
        viewer, gate=gate, account=account, organisation_id=person.organisation_id
    )
    person.account_id = account.id
    await person.save(update_fields=["account_id"])
    role = await grant_by_profession(viewer, account=account, person=person)
    account.organisation_id, account.last_role = person.organisation_id, role
    await account.save()
    session = await own_session(viewer)
    # Sessions of a citizen would have no role any more.
    citizens = Session.filter(
        account_id=account.id, active_role=Role.CITIZEN, ended_at__isnull=True
    )
    await citizens.update(active_role=role)
    session.active_role = role
    await session.save(update_fields=["active_role"])
    record(viewer, "ROLE_ATTACHED", person, about=person.id, by=claim.field, role=role.value)
    announce(ChangeKind.SESSION, account_id=account.id, subject_id=session.id)
    await tell_worker(
        viewer, gate, person, "File.attached", account=account, language=viewer.language
    )
    return Switched(
        session=session,
        held=held_roles(await grants_of(account.id, viewer.now), viewer.now),
        access_token=access_token(gate, session, viewer.now),
        access_expires_at=viewer.now + gate.times.access,
    )


async def _free(viewer: Viewer, found: Practitioner, claim: _Claim) -> Practitioner:
    """The file, locked, free still, and rid of an invitation that nobody took up.

    Of two who are the same person by what they say, the first one is: also who meanwhile accepts
    the invitation, which locks its account.
    """
    person = await Practitioner.filter(id=found.id).select_for_update(no_key=True).get()
    if person.status is PractitionerStatus.DISMISSED:
        raise claim.unknown
    if person.account_id is not None:
        waiting = Account.filter(id=person.account_id).select_for_update(no_key=True)
        invited = await waiting.get()
        if invited.state is not AccountState.INVITED:
            raise claim.unknown
        await revoke_all(viewer, account_id=invited.id, organisation_id=person.organisation_id)
        await close_invited(invited)
        record(viewer, "INVITATION_SUPERSEDED", invited, about=person.id)
    return person


async def _worker(viewer: Viewer, gate: Gate, account: Account, claim: _Claim) -> Practitioner:
    """The one file of the registry that is the account's owner's, and nobody's opened account yet.

    Somebody else's number is as unknown as none.
    """
    left = await closed_file_of(account)
    identity = await Identity.get_or_none(account_id=account.id)
    if identity is None:
        raise IdentityMissing
    bound = number_of(gate, identity, "snils")
    claimed = claim.number if not claim.kinds else None
    if bound is not None and claimed not in (None, bound):
        raise claim.unknown
    named = await _files_of(viewer, claim, identity.last_name)
    snils = bound or claimed
    files = [file for file in named if _is_same(gate, file, identity, snils)]
    if account.organisation_id is not None and left is None:
        files = [file for file in files if file.organisation_id == account.organisation_id]
    if not files:
        raise claim.unknown
    if len(files) > 1:
        raise FilesAmbiguous(claim.field)
    if files[0].profession not in ROLE_OF:
        raise ProfessionWithoutRole
    return files[0]


async def _files_of(viewer: Viewer, claim: _Claim, last_name: str) -> list[Practitioner]:
    """The files of a family name that a number leads to; an organisation's leads to many."""
    # An invitation that nobody took up keeps its worker from nothing.
    free = Q(account_id__isnull=True) | Q(account__state=AccountState.INVITED)
    files = Practitioner.filter(free, last_name_folded=last_name).exclude(
        status=PractitionerStatus.DISMISSED
    )
    if not claim.kinds:
        return await files.filter(snils=claim.number)
    licences = await Licence.filter(
        kind__in=[kind.value for kind in claim.kinds], practitioner__last_name_folded=last_name
    )
    # The series stands apart on some papers, and in some registries.
    number = compact(claim.number)
    valid = {
        licence.practitioner_id
        for licence in licences
        if compact(licence.number) == number
        and licence.status_on(viewer.today) is LicenceStatus.VALID
    }
    return await files.filter(id__in=list(valid))


def _is_same(gate: Gate, file: Practitioner, identity: Identity, snils: str | None) -> bool:
    """Whether a file is of this person: all that both know agrees, and it is more than a name."""
    is_more = (file.birth_date is not None and identity.birth_date is not None) or (
        file.snils is not None and snils is not None
    )
    return (
        is_more
        and file.first_name is not None
        and has_same_name(file, identity)
        and has_same_numbers(gate, file, identity, snils=snils)
    )

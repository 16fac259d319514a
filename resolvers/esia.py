"""Signing in through Gosuslugi: begun, finished by whoever is linked, and linked to an account.

The browser that begins keeps ``binding``, which travels nowhere; ``state`` goes to Gosuslugi and
back. Only both together finish: nobody is signed in with what another began (RFC 9700, 4.7).
"""

import logging
import secrets
from collections.abc import Awaitable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from hmac import compare_digest
from typing import TypeVar
from uuid import uuid4

from tortoise.exceptions import IntegrityError

from adapters.fetching import NotAnswered
from adapters.oidc import Asked, Client, Refused, Vouched
from auth import challenges
from auth.audit import record
from auth.gate import Gate
from auth.limits import Limit
from auth.messages import put_message
from auth.sessions import is_open
from auth.turns import take_turns
from auth.viewer import Viewer
from core.errors import Problem, Problems, ServiceUnavailable
from core.translation import message
from models.account import Account, SignInMethod
from models.change import ChangeKind
from models.database import unit_of_work
from models.factor import ChallengePurpose, Channel
from models.feed import announce
from models.identity import ExternalIdentity, Provider
from models.notice import ServicePart
from resolvers.accounts import person_of
from resolvers.forms import IdentityUnavailable, Required
from resolvers.notices import tell_outage, tell_recovery
from resolvers.sessions import AccountClosed, SignedIn, open_session
from resolvers.vouching import is_known, owner_of

T = TypeVar("T")

# Long enough to sign in there with a code by SMS.
LIFETIME = timedelta(minutes=10)
# Of one address, behind which there may be a hospital: nothing can be guessed here, but each costs
# requests elsewhere.
BEGINNING = Limit("begin esia", 300, timedelta(minutes=15))
FINISHING = Limit("finish esia", 300, timedelta(minutes=15))
# A code is a token of some kilobytes at most.
_LONGEST = 4_096

_log = logging.getLogger(__name__)


class EsiaStateMismatch(Problem):
    """It was begun by another browser or account, too long ago, or is finished: begin again."""

    code = "ESIA_STATE_MISMATCH"


class EsiaRefused(Problem):
    """Gosuslugi does not confirm the code: begin again."""

    code = "ESIA_REFUSED"


class EsiaNotTrusted(Problem):
    """The account there is not a confirmed one («подтверждённая»)."""

    code = "ESIA_NOT_TRUSTED"


class EsiaNotLinked(Problem):
    """No account here has this person's SNILS: register, and confirm the account."""

    code = "ESIA_NOT_LINKED"


@dataclass(frozen=True, slots=True)
class Begun:
    """Where to send the person, and what the browser keeps to itself until they are back."""

    address: str
    binding: str
    expires_at: datetime


async def begin_esia(viewer: Viewer, *, gate: Gate, esia: Client | None) -> Begun:
    """Begins a sign-in, or for who is signed in, the linking of their account.

    Raises ServiceUnavailable, TooManyAttempts.
    """
    await gate.limiter.hit(viewer, BEGINNING, viewer.address)
    # ESIA wants a UUID for a state.
    asked = Asked(str(uuid4()), secrets.token_urlsafe(32), secrets.token_urlsafe(48))
    client = _set_up(esia)
    address = await _answered(viewer, client.begin(asked, viewer.now))
    begun = await _noted(viewer, gate, asked)
    return Begun(address, begun.value, begun.challenge.expires_at)


@unit_of_work
async def _noted(viewer: Viewer, gate: Gate, asked: Asked) -> challenges.Begun:
    record(viewer, "ESIA_BEGUN", about=viewer.practitioner_id)
    return await challenges.begin(
        viewer,
        gate=gate,
        purpose=ChallengePurpose.ESIA,
        account_id=viewer.account_id,
        session_id=viewer.session_id,
        payload=asdict(asked),
        lifetime=LIFETIME,
    )


async def finish_esia(
    viewer: Viewer, *, gate: Gate, esia: Client | None, binding: str, state: str, code: str
) -> SignedIn:
    """Opens a session of the account that is linked, or is now linked by the person's SNILS.

    ``state`` and ``code`` are what the person came back with. Raises Required about each that is
    empty, EsiaStateMismatch, EsiaRefused, EsiaNotTrusted, EsiaNotLinked, AccountClosed,
    ServiceUnavailable, TooManyAttempts.
    """
    await gate.limiter.hit(viewer, FINISHING, viewer.address)
    try:
        person = await _vouched(viewer, gate, esia, binding, state, code)
        return await _sign_in(viewer, gate, person)
    except Problem as problem:
        await _write_failure(viewer, "SIGN_IN_FAILED", problem.code)
        raise


async def link_esia(
    viewer: Viewer, *, gate: Gate, esia: Client | None, binding: str, state: str, code: str
) -> Account:
    """Links the viewer's account, and confirms it where Gosuslugi vouches for its person.

    Raises as ``finish_esia`` does, EsiaSubjectMismatch, and IdentityUnavailable where the
    person there belongs to another account here.
    """
    await gate.limiter.hit(viewer, FINISHING, viewer.address)
    try:
        person = await _vouched(viewer, gate, esia, binding, state, code)
        try:
            return await _link_own(viewer, gate, person)
        except IntegrityError:
            # Another account has the SNILS, or is linked with this person.
            raise IdentityUnavailable from None
    except Problem as problem:
        await _write_failure(viewer, "ESIA_LINK_FAILED", problem.code)
        raise


@unit_of_work
async def unlink_esia(viewer: Viewer, *, gate: Gate) -> Account:
    """Takes Gosuslugi off the viewer's account; where it is not linked, that stays so."""
    account = await Account.filter(id=viewer.account_id).select_for_update(no_key=True).get()
    removed = await ExternalIdentity.filter(account_id=account.id, provider=Provider.ESIA).delete()
    reason = "REMOVED" if removed else "AGAIN"
    record(viewer, "ESIA_UNLINKED", account, about=viewer.practitioner_id, reason=reason)
    if removed:
        await _tell(viewer, gate, account, "EsiaUnlinked")
    return account


def _set_up(esia: Client | None) -> Client:
    if esia is None:
        raise ServiceUnavailable
    return esia


async def _answered(viewer: Viewer, asking: Awaitable[T]) -> T:
    """What Gosuslugi answers; an outage is told of when it begins and when it ends."""
    try:
        answer = await asking
    except NotAnswered as failure:
        _log.warning("Gosuslugi: %s", failure)
        await tell_outage(viewer, ServicePart.ESIA)
        raise ServiceUnavailable from None
    return answer


async def _vouched(
    viewer: Viewer, gate: Gate, esia: Client | None, binding: str, state: str, code: str
) -> Vouched:
    """The person who came back, with a confirmed account there. Every failure is a Problem."""
    given = {"binding": binding, "state": state, "code": code}
    empty: list[Problem] = [Required(name) for name, value in given.items() if not value]
    if empty:
        raise Problems(empty)
    client = _set_up(esia)
    # Used before the code is redeemed, and whatever comes of it: it is tried once.
    asked = await _used(viewer, gate, binding, state)
    if len(code) > _LONGEST or not code.isascii() or not code.isprintable():
        raise EsiaRefused("code")
    try:
        person = await _answered(viewer, client.finish(asked, code, viewer.now))
    except Refused as refused:
        _log.warning("Gosuslugi does not vouch: %s", refused)
        raise EsiaRefused("code") from None
    await tell_recovery(viewer, ServicePart.ESIA)
    if not person.is_trusted:
        raise EsiaNotTrusted
    return person


@unit_of_work
async def _used(viewer: Viewer, gate: Gate, binding: str, state: str) -> Asked:
    """What the viewer's browser began with, once; raises EsiaStateMismatch."""
    try:
        challenge = await challenges.find(
            viewer,
            purpose=ChallengePurpose.ESIA,
            value=binding,
            account_id=viewer.account_id,
            session_id=viewer.session_id,
        )
        asked = Asked(**challenges.payload_of(gate, challenge))
        if not compare_digest(asked.state.encode(), state.encode("utf-8", "surrogatepass")):
            raise EsiaStateMismatch("state")
        await challenges.use(viewer, challenge)
    except challenges.ChallengeInvalid:
        raise EsiaStateMismatch("state") from None
    return asked


@unit_of_work
async def _sign_in(viewer: Viewer, gate: Gate, person: Vouched) -> SignedIn:
    await take_turns(_turn(person))
    link = await ExternalIdentity.get_or_none(provider=Provider.ESIA, subject=person.subject)
    account_id = link.account_id if link is not None else await owner_of(person.snils)
    if account_id is None:
        raise EsiaNotLinked
    account = await Account.filter(id=account_id).select_for_update(no_key=True).get()
    if not is_open(account, production=gate.production):
        raise AccountClosed
    if link is None:
        await _link(viewer._replace(account_id=account.id), gate, account, person)
    return await open_session(viewer, gate=gate, account=account, method=SignInMethod.ESIA)


@unit_of_work
async def _link_own(viewer: Viewer, gate: Gate, person: Vouched) -> Account:
    await take_turns(_turn(person))
    account = await Account.filter(id=viewer.account_id).select_for_update(no_key=True).get()
    vouches = await is_known(gate, account, person)
    await _link(viewer, gate, account, person)
    if vouches and account.confirmed_at is None:
        account.confirmed_at = viewer.now
        await account.save(update_fields=["confirmed_at"])
        record(viewer, "ACCOUNT_CONFIRMED", account, about=viewer.practitioner_id, reason="ESIA")
        announce(ChangeKind.SESSION, account_id=account.id, subject_id=account.id)
    return account


async def _link(viewer: Viewer, gate: Gate, account: Account, person: Vouched) -> None:
    """Links an account that the caller has locked; a person registered anew there moves it."""
    linked = {"subject": person.subject, "linked_at": viewer.now}
    await ExternalIdentity.update_or_create(linked, account_id=account.id, provider=Provider.ESIA)
    record(viewer, "ESIA_LINKED", account, about=await person_of(account.id))
    await _tell(viewer, gate, account, "EsiaLinked")


async def _tell(viewer: Viewer, gate: Gate, account: Account, text: str) -> None:
    """Tells the owner of a way to sign in that was added or taken away (OWASP ASVS 5.0, 6.3.7)."""
    email, phone = (Channel.EMAIL, account.email), (Channel.SMS, account.phone)
    for channel, contact in (email, phone):
        if contact is not None:
            subject = message(viewer.language, f"{text}.subject")
            body = message(viewer.language, text, public_id=account.public_id)
            await put_message(viewer, gate.vault, channel, contact, subject=subject, body=body)
            return


@unit_of_work
async def _write_failure(viewer: Viewer, action: str, reason: str) -> None:
    record(viewer, action, about=viewer.practitioner_id, reason=reason)


def _turn(person: Vouched) -> str:
    return f"esia {person.subject}"

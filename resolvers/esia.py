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
from uuid import UUID, uuid4

from tortoise.exceptions import IntegrityError

from adapters.fetching import NotAnswered
from adapters.oidc import Asked, Client, Misconfigured, Refused, Vouched
from auth import challenges
from auth.audit import record
from auth.gate import Gate
from auth.limits import Limit
from auth.sessions import is_open
from auth.turns import take_turns
from auth.viewer import Viewer
from core.errors import Problem, Problems, ServiceUnavailable
from models.account import Account, ConfirmedBy, SignInMethod
from models.database import unit_of_work
from models.factor import ChallengePurpose
from models.identity import ExternalIdentity, Provider
from models.notice import ServicePart
from resolvers.accounts import person_of
from resolvers.alerts import Alert, alert
from resolvers.confirmation import adds_proof, mark_confirmed
from resolvers.forms import IdentityUnavailable, Required
from resolvers.lockout import known_device
from resolvers.notices import tell_outage, tell_recovery
from resolvers.owned_numbers import SnilsBound
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
# With what a provider sends people back (RFC 6749, 4.1.2.1).
_PASSING = ("server_error", "temporarily_unavailable")
_ERRORS = (
    *_PASSING,
    "invalid_request",
    "unauthorized_client",
    "unsupported_response_type",
    "invalid_scope",
)

_log = logging.getLogger(__name__)


class EsiaStateMismatch(Problem):
    """It was begun by another browser or account, too long ago, or is finished: begin again."""

    code = "ESIA_STATE_MISMATCH"


class EsiaRefused(Problem):
    """Gosuslugi does not confirm the code: begin again."""

    code = "ESIA_REFUSED"


class EsiaCancelled(Problem):
    """The person went back from Gosuslugi without signing in there."""

    code = "ESIA_CANCELLED"


class EsiaNotTrusted(Problem):
    """The account there is not a confirmed one («подтверждённая»)."""

    code = "ESIA_NOT_TRUSTED"


class EsiaNotLinked(Problem):
    """No account here has this person's SNILS, or its owner took it off: link it, or register."""

    code = "ESIA_NOT_LINKED"


@dataclass(frozen=True, slots=True)
class Begun:
    """Where to send the person, and what the browser keeps to itself until they are back."""

    address: str
    binding: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class _Return:
    """What the browser kept, and what it came back with: a code, or an error in its place."""

    binding: str
    state: str
    code: str | None
    error: str | None


async def begin_esia(viewer: Viewer, *, gate: Gate, esia: Client | None) -> Begun:
    """Begins a sign-in; raises ServiceUnavailable, TooManyAttempts."""
    return await _begun(viewer, gate, esia)


async def begin_esia_linking(viewer: Viewer, *, gate: Gate, esia: Client | None) -> Begun:
    """Begins the linking of the viewer's account; raises ServiceUnavailable, TooManyAttempts."""
    return await _begun(viewer, gate, esia)


async def _begun(viewer: Viewer, gate: Gate, esia: Client | None) -> Begun:
    await gate.limiter.hit(viewer, BEGINNING, viewer.network)
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
    viewer: Viewer,
    *,
    gate: Gate,
    esia: Client | None,
    binding: str,
    state: str,
    code: str | None = None,
    error: str | None = None,
    device_token: str | None = None,
) -> SignedIn:
    """Opens a session of the account that is linked, or is now linked by the person's SNILS.

    One that its owner has taken off Gosuslugi is linked by ``link_esia`` alone.
    ``state`` and ``code``, or ``error`` in its place, are what the person came back with. Raises
    Required about each that is empty, EsiaStateMismatch, EsiaCancelled, EsiaRefused,
    EsiaNotTrusted, EsiaNotLinked, AccountClosed, ServiceUnavailable, TooManyAttempts.
    """
    await gate.limiter.hit(viewer, FINISHING, viewer.network)
    try:
        person = await _vouched(viewer, gate, esia, _Return(binding, state, code, error))
        return await _sign_in(viewer, gate, person, device_token)
    except Problem as problem:
        await _write_failure(viewer, "SIGN_IN_FAILED", problem.code)
        raise


async def link_esia(
    viewer: Viewer,
    *,
    gate: Gate,
    esia: Client | None,
    binding: str,
    state: str,
    code: str | None = None,
    error: str | None = None,
) -> Account:
    """Links the viewer's account, and confirms it where Gosuslugi vouches for its person.

    Raises as ``finish_esia`` does, EsiaSubjectMismatch, and IdentityUnavailable where the
    person there belongs to another account here.
    """
    await gate.limiter.hit(viewer, FINISHING, viewer.network)
    try:
        person = await _vouched(viewer, gate, esia, _Return(binding, state, code, error))
        try:
            return await _link_own(viewer, gate, person)
        except (IntegrityError, SnilsBound):
            # Another account has the SNILS, or is linked with this person.
            raise IdentityUnavailable from None
    except Problem as problem:
        await _write_failure(viewer, "ESIA_LINK_FAILED", problem.code)
        raise


@unit_of_work
async def unlink_esia(viewer: Viewer, *, gate: Gate) -> Account:
    """Takes Gosuslugi off the viewer's account, which it opens no more until it is linked again.

    Where it is not linked, it will not be by a SNILS either.
    """
    account = await Account.filter(id=viewer.account_id).select_for_update(no_key=True).get()
    removed = await ExternalIdentity.filter(account_id=account.id, provider=Provider.ESIA).delete()
    if account.esia_unlinked_at is None:
        account.esia_unlinked_at = viewer.now
        await account.save(update_fields=["esia_unlinked_at"])
    reason = "REMOVED" if removed else "AGAIN"
    record(viewer, "ESIA_UNLINKED", account, about=viewer.practitioner_id, reason=reason)
    if removed:
        await alert(viewer, gate=gate, account=account, what=Alert.ESIA_UNLINKED)
    return account


def _set_up(esia: Client | None) -> Client:
    if esia is None:
        raise ServiceUnavailable
    return esia


async def _answered(viewer: Viewer, asking: Awaitable[T]) -> T:
    """What Gosuslugi answers; where it does not, everybody is told."""
    try:
        answer = await asking
    except NotAnswered as failure:
        _log.warning("Gosuslugi: %s", failure)
        await tell_outage(viewer, ServicePart.ESIA)
        raise ServiceUnavailable from None
    return answer


def _refusal(answer: Refused | Misconfigured) -> Problem:
    if isinstance(answer, Misconfigured):
        # No outage of which everybody is told: health tells it to whoever runs this.
        _log.error("Gosuslugi takes no requests of this installation: %s", answer)
        return ServiceUnavailable()
    _log.warning("Gosuslugi does not vouch: %s", answer)
    return EsiaRefused("code")


def _problem_of(error: str) -> Problem:
    """Why somebody was sent back without a code (RFC 6749, 4.1.2.1).

    A browser brought it, so that it is no proof of an outage.
    """
    if error == "access_denied":
        return EsiaCancelled()
    # It may be anybody's text: only what the standard names goes into the log as it is.
    _log.warning("Gosuslugi sent somebody back: %s", error if error in _ERRORS else "another error")
    return ServiceUnavailable() if error in _PASSING else EsiaRefused("error")


async def _vouched(viewer: Viewer, gate: Gate, esia: Client | None, given: _Return) -> Vouched:
    """The person who came back, with a confirmed account there. Every failure is a Problem."""
    needed = {"binding": given.binding, "state": given.state, "code": given.code or given.error}
    empty: list[Problem] = [Required(name) for name, value in needed.items() if not value]
    if empty:
        raise Problems(empty)
    client = _set_up(esia)
    # Used before the code is redeemed, and whatever comes of it: it is tried once.
    asked = await _used(viewer, gate, given.binding, given.state)
    if given.error:
        raise _problem_of(given.error)
    code = given.code or ""
    if len(code) > _LONGEST or not code.isascii() or not code.isprintable():
        raise EsiaRefused("code")
    try:
        person = await _answered(viewer, client.finish(asked, code, viewer.now))
    except (Refused, Misconfigured) as answer:
        # Whatever it answers, it works.
        await tell_recovery(viewer, ServicePart.ESIA)
        raise _refusal(answer) from None
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
async def _sign_in(
    viewer: Viewer, gate: Gate, person: Vouched, device_token: str | None
) -> SignedIn:
    await take_turns(_turn(person))
    link = await ExternalIdentity.get_or_none(provider=Provider.ESIA, subject=person.subject)
    account_id = link.account_id if link is not None else await owner_of(gate, person.snils)
    if account_id is None:
        raise EsiaNotLinked
    account = await Account.filter(id=account_id).select_for_update(no_key=True).get()
    if not is_open(account, production=gate.production):
        raise AccountClosed
    # Perhaps just now, while this waited for the account. Whoever has stolen the account there has
    # the SNILS too, which opens nothing that its owner has closed.
    if account.esia_unlinked_at is not None:
        raise EsiaNotLinked
    if link is None:
        await _link(viewer._replace(account_id=account.id), gate, account, person)
    device = known_device(viewer, gate, account, device_token)
    method = SignInMethod.ESIA
    return await open_session(viewer, gate=gate, account=account, method=method, device=device)


@unit_of_work
async def _link_own(viewer: Viewer, gate: Gate, person: Vouched) -> Account:
    await take_turns(_turn(person))
    account = await Account.filter(id=viewer.account_id).select_for_update(no_key=True).get()
    vouches = await is_known(viewer, gate, account, person)
    await _link(viewer, gate, account, person)
    account.update_from_dict({"esia_unlinked_at": None})
    await account.save(update_fields=["esia_unlinked_at"])
    if vouches and adds_proof(account, ConfirmedBy.ESIA):
        await mark_confirmed(viewer, account, ConfirmedBy.ESIA)
    return account


async def esia_linked_at(account_id: UUID) -> datetime | None:
    """Since when an account is linked with Gosuslugi; nothing where it is not."""
    link = await ExternalIdentity.get_or_none(account_id=account_id, provider=Provider.ESIA)
    return link.linked_at if link is not None else None


async def _link(viewer: Viewer, gate: Gate, account: Account, person: Vouched) -> None:
    """Links an account that the caller has locked; a person registered anew there moves it."""
    linked = {"subject": person.subject, "linked_at": viewer.now}
    await ExternalIdentity.update_or_create(linked, account_id=account.id, provider=Provider.ESIA)
    record(viewer, "ESIA_LINKED", account, about=await person_of(account.id))
    await alert(viewer, gate=gate, account=account, what=Alert.ESIA_LINKED)


@unit_of_work
async def _write_failure(viewer: Viewer, action: str, reason: str) -> None:
    record(viewer, action, about=viewer.practitioner_id, reason=reason)


def _turn(person: Vouched) -> str:
    return f"esia {person.subject}"

"""Electronic signatures shown: a text is given out, and comes back signed by its reader.

Whose a signature is, the certificate tells by SNILS or INN; whose account that is, the staff
registry, or else who has proved the number. Where these disagree it is nobody's.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from adapters.signatures import Signatory, SignatureVerifier
from auth import challenges
from auth.audit import record
from auth.gate import Gate
from auth.hours import on_our_clock
from auth.identities import number_hash
from auth.limits import Limit
from auth.proofs import AccountUnconfirmed
from auth.viewer import Viewer
from core.errors import Problem, ServiceUnavailable
from core.ids import readable_code
from core.settings import Settings
from core.translation import message
from models.account import Account, SignInMethod
from models.database import unit_of_work
from models.factor import Challenge, ChallengePurpose
from models.identity import Identity
from models.practitioner import Practitioner
from resolvers.accounts import person_of
from resolvers.entering import enter_alone
from resolvers.factors import note_factor
from resolvers.owned_numbers import Kind, owners_of
from resolvers.sessions import SignedIn

# Nobody guesses a signature: these are what a stranger may cost. Behind one address there may be a
# hospital.
ASKING = Limit("signatures asked for", 300, timedelta(minutes=15))
SHOWING = Limit("signatures shown", 300, timedelta(minutes=15))

_Text = Literal["SIGN_IN", "CONFIRMATION"]
_NUMBERS: tuple[Kind, ...] = ("snils", "inn")


class SubjectMismatch(Problem):
    """The certificate is good, and of nobody here; or not of the one who asks."""

    code = "SUBJECT_MISMATCH"


@dataclass(frozen=True, slots=True)
class ToSign:
    """A text to be signed as UTF-8 until ``expires_at``, and the challenge to give back with it."""

    challenge: str
    text: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class _Signed:
    """A signature that is right, of an account, and yet to be used."""

    account: Account
    signatory: Signatory
    challenge: Challenge


async def begin_signature_sign_in(
    viewer: Viewer, *, gate: Gate, settings: Settings, signatures: SignatureVerifier
) -> ToSign:
    """Gives out a text whose signature signs in; raises ServiceUnavailable, TooManyAttempts."""
    await gate.limiter.hit(viewer, ASKING, viewer.network)
    return await _begin(viewer, gate, settings, signatures, "SIGN_IN")


async def sign_in_by_signature(
    viewer: Viewer,
    *,
    gate: Gate,
    signatures: SignatureVerifier,
    challenge: str,
    signature: str,
    device_token: str | None = None,
) -> SignedIn:
    """Opens a session of a confirmed account by a detached signature of the text.

    Raises ChallengeInvalid, the problems of ``adapters.signatures``, SubjectMismatch,
    AccountUnconfirmed, TooManyAttempts.
    """
    await gate.limiter.hit(viewer, SHOWING, viewer.network)
    signed = await _signed(viewer, gate, signatures, challenge, signature)
    return await _enter(viewer, gate, signed, device_token)


@unit_of_work
async def _enter(viewer: Viewer, gate: Gate, signed: _Signed, device_token: str | None) -> SignedIn:
    signed_in = await enter_alone(
        viewer,
        gate=gate,
        account_id=signed.account.id,
        method=SignInMethod.SIGNATURE,
        device_token=device_token,
        refusal=SubjectMismatch("signature"),
    )
    await _use(viewer, signed)
    return signed_in


async def begin_signature_confirmation(
    viewer: Viewer, *, gate: Gate, settings: Settings, signatures: SignatureVerifier
) -> ToSign:
    """Gives out a text for ``confirm_factor_by_signature``; raises ServiceUnavailable."""
    return await _begin(viewer, gate, settings, signatures, "CONFIRMATION")


async def confirm_factor_by_signature(
    viewer: Viewer, *, gate: Gate, signatures: SignatureVerifier, challenge: str, signature: str
) -> SignedIn:
    """Shows a signature of the viewer's own in this session, for what asks for a fresh factor.

    Raises what ``sign_in_by_signature`` does, and SubjectMismatch also of another's.
    """
    await gate.limiter.hit(viewer, SHOWING, viewer.network)
    signed = await _signed(viewer, gate, signatures, challenge, signature)
    return await _confirm(viewer, gate, signed)


@unit_of_work
async def _confirm(viewer: Viewer, gate: Gate, signed: _Signed) -> SignedIn:
    # The account before the session, as in signing in: nobody waits in a circle.
    await Account.filter(id=viewer.account_id).select_for_update(no_key=True).only("id")
    await _use(viewer, signed)
    return await note_factor(viewer, gate=gate)


@unit_of_work
async def _begin(
    viewer: Viewer, gate: Gate, settings: Settings, signatures: SignatureVerifier, kind: _Text
) -> ToSign:
    if not signatures.is_ready:
        raise ServiceUnavailable
    text = message(
        viewer.language,
        f"Signature.{kind}",
        # It names the place and the moment: signed for one cabinet, it is of no use to another.
        domain=settings.passkeys.domain,
        at=await on_our_clock(viewer, viewer.now),
        number=readable_code("SG", groups=4),
    )
    begun = await challenges.begin(
        viewer,
        gate=gate,
        purpose=ChallengePurpose.SIGNATURE,
        account_id=viewer.account_id,
        session_id=viewer.session_id,
        payload={"text": text},
    )
    record(viewer, "SIGNATURE_ASKED_FOR", about=viewer.practitioner_id)
    return ToSign(begun.value, text, begun.challenge.expires_at)


async def _signed(
    viewer: Viewer, gate: Gate, signatures: SignatureVerifier, challenge: str, signature: str
) -> _Signed:
    """Checks a signature, and finds whose it is; what is refused is written down."""
    signatory = account = None
    try:
        found = await challenges.find(
            viewer,
            purpose=ChallengePurpose.SIGNATURE,
            value=challenge,
            account_id=viewer.account_id,
            session_id=viewer.session_id,
            field="challenge",
        )
        text = challenges.payload_of(gate, found)["text"]
        signatory = await signatures.signatory(
            signature, text.encode(), now=viewer.now, field="signature"
        )
        account = await _owner(gate, signatory)
        if viewer.account_id not in (None, account.id):
            raise SubjectMismatch("signature")
        if account.confirmed_at is None:
            raise AccountUnconfirmed("signature")
    except Problem as problem:
        await _write_refusal(viewer, account, signatory, problem.code)
        # People are told on the clock of the house.
        for name, value in problem.values.items():
            if isinstance(value, datetime):
                problem.values[name] = await on_our_clock(viewer, value)
        raise
    return _Signed(account, signatory, found)


async def _owner(gate: Gate, signatory: Signatory) -> Account:
    """The only account whose owner has proved the signatory's SNILS or, without one, INN.

    Raises SubjectMismatch, also where something else that is known of them differs.
    """
    told = {kind: number for kind in _NUMBERS if (number := getattr(signatory, kind)) is not None}
    if not told:
        raise SubjectMismatch("signature")
    kind = next(iter(told))
    owners = await owners_of(gate, kind, told[kind])
    # Two organisations may know one person by two accounts: which is meant, nobody says.
    if len(owners) != 1:
        raise SubjectMismatch("signature")
    account = owners[0]
    worker = await Practitioner.get_or_none(account_id=account.id)
    identity = await Identity.get_or_none(account_id=account.id)
    for kind, number in told.items():
        in_registry = getattr(worker, kind, None)
        of_own = getattr(identity, f"{kind}_hash", None)
        hashed = number_hash(gate, kind, number)
        if in_registry not in (None, number) or of_own not in (None, hashed):
            raise SubjectMismatch("signature")
    return account


async def _use(viewer: Viewer, signed: _Signed) -> None:
    """Uses the text, once, in the caller's unit of work; raises ChallengeInvalid."""
    await challenges.use(viewer, signed.challenge, "challenge")
    record(
        viewer,
        "SIGNATURE_ACCEPTED",
        signed.account,
        about=await person_of(signed.account.id),
        certificate=signed.signatory.certificate,
    )


@unit_of_work
async def _write_refusal(
    viewer: Viewer, account: Account | None, signatory: Signatory | None, reason: str
) -> None:
    about = await person_of(account.id) if account is not None else None
    certificate = signatory.certificate if signatory is not None else ""
    record(
        viewer, "SIGNATURE_REFUSED", account, about=about, reason=reason, certificate=certificate
    )

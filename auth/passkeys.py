"""Passkeys (WebAuthn, level 3): what a browser is asked for and what it answered, by py_webauthn.

The person is always verified by their authenticator: a passkey is two factors at once. An answer
names its challenge itself, under its signature.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import webauthn
from cryptography.hazmat.primitives.asymmetric import ec
from webauthn.helpers import (
    base64url_to_bytes,
    bytes_to_base64url,
    decode_credential_public_key,
    decoded_public_key_to_cryptography,
    encode_cbor,
    parse_authentication_credential_json,
    parse_client_data_json,
    parse_registration_credential_json,
)
from webauthn.helpers.cose import COSECRV, COSEKTY, COSEAlgorithmIdentifier, COSEKey
from webauthn.helpers.structs import (
    AuthenticationCredential,
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    PublicKeyCredentialDescriptor,
    RegistrationCredential,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from core.errors import Problem
from core.settings import Passkeys
from models.factor import Passkey


class PasskeyInvalid(Problem):
    """Not an answer of a passkey that is known here, or not to what was asked."""

    code = "PASSKEY_INVALID"


class PasskeyCloned(Problem):
    """The passkey has signed fewer times than it had before: there is a copy of it."""

    code = "PASSKEY_CLONED"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a browser is asked for, as JSON, and until when it may answer."""

    options: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Made:
    """A new passkey as a browser tells of it; nothing of it is checked yet."""

    challenge: str
    credential: RegistrationCredential


@dataclass(frozen=True, slots=True)
class Shown:
    """A passkey's answer, not checked yet. ``credential_id`` is Base64url, as it is stored."""

    challenge: str
    credential_id: str
    # The account that the authenticator keeps the passkey for, where it tells.
    account_id: UUID | None
    credential: AuthenticationCredential


def creation_options(
    passkeys: Passkeys,
    *,
    challenge: str,
    account_id: UUID,
    login: str,
    known: Sequence[Passkey],
    lifetime: timedelta,
) -> str:
    """What ``navigator.credentials.create`` takes, as JSON (``parseCreationOptionsFromJSON``)."""
    options = webauthn.generate_registration_options(
        rp_id=passkeys.domain,
        rp_name=passkeys.name,
        user_id=account_id.bytes,
        user_name=login,
        challenge=base64url_to_bytes(challenge),
        timeout=_milliseconds(lifetime),
        authenticator_selection=AuthenticatorSelectionCriteria(
            # Found by the authenticator itself: nobody types a login.
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=_described(known),
    )
    return webauthn.options_to_json(options)


def request_options(
    passkeys: Passkeys, *, challenge: str, allowed: Sequence[Passkey] = (), lifetime: timedelta
) -> str:
    """What ``navigator.credentials.get`` takes, as JSON (``parseRequestOptionsFromJSON``).

    Without ``allowed`` any passkey of this domain answers, and nobody learns which there are.
    """
    options = webauthn.generate_authentication_options(
        rp_id=passkeys.domain,
        challenge=base64url_to_bytes(challenge),
        timeout=_milliseconds(lifetime),
        allow_credentials=_described(allowed),
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return webauthn.options_to_json(options)


def read_made(credential: str, field: str) -> Made:
    """The answer to ``creation_options``, as JSON; raises PasskeyInvalid about ``field``."""
    try:
        found = parse_registration_credential_json(credential)
        return Made(_challenge(found.response.client_data_json), found)
    except Exception:
        # The library parses with what raises its own errors, and those of JSON and CBOR.
        raise PasskeyInvalid(field) from None


def read_shown(credential: str, field: str) -> Shown:
    """The answer to ``request_options``, as JSON; raises PasskeyInvalid about ``field``."""
    try:
        found = parse_authentication_credential_json(credential)
        handle = found.response.user_handle
        return Shown(
            challenge=_challenge(found.response.client_data_json),
            credential_id=bytes_to_base64url(found.raw_id),
            account_id=UUID(bytes=handle) if handle else None,
            credential=found,
        )
    except Exception:
        # As in reading one that was made.
        raise PasskeyInvalid(field) from None


def check_made(passkeys: Passkeys, made: Made, field: str) -> dict[str, Any]:
    """The columns of a new passkey; raises PasskeyInvalid about ``field``.

    The origin, the domain, and that the person was verified are checked; who built the
    authenticator is not asked.
    """
    try:
        verified = webauthn.verify_registration_response(
            credential=made.credential,
            expected_challenge=base64url_to_bytes(made.challenge),
            expected_rp_id=passkeys.domain,
            expected_origin=list(passkeys.origins),
            require_user_verification=True,
        )
        # A point off the curve would be kept, and no answer ever fit.
        decoded_public_key_to_cryptography(
            decode_credential_public_key(verified.credential_public_key)
        )
    except Exception:
        # What is malformed deep within is anybody's, and raises anything.
        raise PasskeyInvalid(field) from None
    return {
        "credential_id": bytes_to_base64url(verified.credential_id),
        "public_key": verified.credential_public_key,
        "sign_count": verified.sign_count,
        "transports": _joined(made.credential.response.transports or ()),
    }


def check_shown(passkeys: Passkeys, shown: Shown, passkey: Passkey | None, field: str) -> int:
    """How often the passkey has signed now; raises PasskeyInvalid, PasskeyCloned about ``field``.

    Where nobody has the passkey the same work is done, and refused.
    """
    try:
        verified = webauthn.verify_authentication_response(
            credential=shown.credential,
            expected_challenge=base64url_to_bytes(shown.challenge),
            expected_rp_id=passkeys.domain,
            expected_origin=list(passkeys.origins),
            credential_public_key=_NOBODY_S if passkey is None else passkey.public_key,
            # Compared below: the library would look before the signature, at what anybody sends.
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    except Exception:
        # As of one that was made.
        raise PasskeyInvalid(field) from None
    if passkey is None:
        raise PasskeyInvalid(field)
    count = verified.new_sign_count
    # Those that are kept by many devices at once do not count: theirs stays at 0.
    if (count or passkey.sign_count) and count <= passkey.sign_count:
        raise PasskeyCloned(field)
    return count


def _challenge(client_data: bytes) -> str:
    """What was answered; raises ValueError where a page of ours stood in a frame of another's."""
    told = parse_client_data_json(client_data)
    if told.cross_origin:
        raise ValueError
    return bytes_to_base64url(told.challenge)


def _milliseconds(lifetime: timedelta) -> int:
    return int(lifetime.total_seconds()) * 1_000


def _described(known: Sequence[Passkey]) -> list[PublicKeyCredentialDescriptor]:
    return [
        PublicKeyCredentialDescriptor(
            id=base64url_to_bytes(passkey.credential_id),
            transports=[
                AuthenticatorTransport(name) for name in passkey.transports.split(",") if name
            ],
        )
        for passkey in known
    ]


def _joined(transports: Iterable[AuthenticatorTransport]) -> str:
    return ",".join(sorted({transport.value for transport in transports}))


def _made_up() -> bytes:
    """A public key whose private one is forgotten (RFC 9053, 7.1.1)."""
    point = ec.generate_private_key(ec.SECP256R1()).public_key().public_numbers()
    return encode_cbor(
        {
            COSEKey.KTY: COSEKTY.EC2,
            COSEKey.ALG: COSEAlgorithmIdentifier.ECDSA_SHA_256,
            COSEKey.CRV: COSECRV.P256,
            COSEKey.X: point.x.to_bytes(32, "big"),
            COSEKey.Y: point.y.to_bytes(32, "big"),
        }
    )


_NOBODY_S = _made_up()

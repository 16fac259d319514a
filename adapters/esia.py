"""Gosuslugi: how ESIA differs from the standard, and the client that the settings ask for.

Source: «Методические рекомендации по использованию ЕСИА», appendices B and C.
"""

import base64
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import Certificate, load_pem_x509_certificate
from joserfc.jwk import ECKey, KeySet, RSAKey

from adapters.detached import KeySigner, ProgramSigner, Signer
from adapters.fetching import Fetcher, NotAnswered
from adapters.oidc import (
    Addresses,
    Asked,
    Client,
    Proof,
    Vouched,
    day_of,
    name_of,
    snils_of,
)
from adapters.oidc_standard import PrivateKey, Secret, Standard
from core.settings import EsiaSettings


class EsiaMisconfigured(ValueError):
    """A file of the settings cannot be used; the text says which."""


class Esia:
    """Fixed addresses and one key; requests signed anew each time; persons at an address of theirs.

    Its ID tokens carry no nonce: that the code answers this request is proved by PKCE and state.
    """

    scope = "openid fullname birthdate snils"
    returns_nonce = False

    def __init__(
        self,
        fetcher: Fetcher,
        *,
        address: str,
        client_id: str,
        signer: Signer,
        certificate: Certificate,
    ) -> None:
        self._fetcher = fetcher
        self._address = address.rstrip("/")
        self._client_id = client_id
        self._signer = signer
        key = certificate.public_key()
        assert isinstance(key, RSAPublicKey)
        self._key = RSAKey.import_key(key)

    async def addresses(self) -> Addresses:
        return Addresses(f"{self._address}/aas/oauth2/ac", f"{self._address}/aas/oauth2/te")

    async def keys(self, _kid: str | None) -> KeySet:
        return KeySet([self._key])

    async def asking(self, asked: Asked, now: datetime) -> dict[str, str]:
        return {"access_type": "online", **await self._signed(asked, now)}

    async def redeeming(self, asked: Asked, now: datetime) -> Proof:
        named = {"client_id": self._client_id, "state": asked.state, "token_type": "Bearer"}
        return Proof({**named, "scope": self.scope, **await self._signed(asked, now)})

    async def _signed(self, asked: Asked, now: datetime) -> dict[str, str]:
        """The secret of one request: a signature of what it asks, by whom, and when."""
        timestamp = now.astimezone(UTC).strftime("%Y.%m.%d %H:%M:%S %z")
        content = f"{self.scope}{timestamp}{self._client_id}{asked.state}"
        signature = await self._signer.sign(content.encode())
        return {
            "timestamp": timestamp,
            "client_secret": base64.urlsafe_b64encode(signature).decode(),
        }

    async def vouched(self, claims: dict[str, Any], access_token: str) -> Vouched:
        subject: str = claims["sub"]
        if not (subject.isascii() and subject.isdecimal()):
            raise NotAnswered("a subject that is no number")
        answer = await self._fetcher.fetch(
            f"{self._address}/rs/prns/{subject}",
            headers={"authorization": f"Bearer {access_token}"},
        )
        if answer.status != 200:
            raise NotAnswered(f"the person is not told: HTTP {answer.status}")
        told = answer.body
        return Vouched(
            subject=subject,
            is_trusted=told.get("trusted") is True,
            snils=snils_of(told.get("snils")),
            last_name=name_of(told.get("lastName")),
            first_name=name_of(told.get("firstName")),
            birth_date=day_of(told.get("birthDate"), "%d.%m.%Y"),
        )


def open_esia(settings: EsiaSettings) -> Client:
    """The client of these settings; raises EsiaMisconfigured."""
    try:
        fetcher = Fetcher(seconds=settings.seconds, authorities=settings.authorities)
    except OSError:
        raise EsiaMisconfigured(f"{settings.authorities}: no certificates of authorities") from None
    return Client(
        fetcher,
        _standard(settings, fetcher) if settings.address is None else _esia(settings, fetcher),
        issuer=settings.issuer,
        client_id=settings.client_id,
        redirect_uri=settings.redirect_uri,
        seconds=settings.seconds,
    )


def _standard(settings: EsiaSettings, fetcher: Fetcher) -> Standard:
    proof: Secret | PrivateKey = Secret(settings.client_id, settings.client_secret)
    if settings.key is not None:
        key = _private_key(settings.key)
        made = RSAKey.import_key(key) if isinstance(key, RSAPrivateKey) else ECKey.import_key(key)
        proof = PrivateKey(settings.client_id, made)
    return Standard(fetcher, issuer=settings.issuer, proof=proof)


def _esia(settings: EsiaSettings, fetcher: Fetcher) -> Esia:
    assert settings.address is not None
    signer: Signer = ProgramSigner(settings.sign_command)
    if settings.key is not None:
        signer = KeySigner(_certificate(settings.certificate), _private_key(settings.key))
    provider = _certificate(settings.provider_certificate)
    if not isinstance(provider.public_key(), RSAPublicKey):
        raise EsiaMisconfigured(f"{settings.provider_certificate}: not a certificate of RSA")
    return Esia(
        fetcher,
        address=settings.address,
        client_id=settings.client_id,
        signer=signer,
        certificate=provider,
    )


def _private_key(path: Path) -> RSAPrivateKey | EllipticCurvePrivateKey:
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError, TypeError):
        raise EsiaMisconfigured(f"{path}: no private key in PEM without a password") from None
    if not isinstance(key, RSAPrivateKey | EllipticCurvePrivateKey):
        raise EsiaMisconfigured(f"{path}: a key of neither RSA nor ECDSA")
    return key


def _certificate(path: Path | None) -> Certificate:
    try:
        return load_pem_x509_certificate(path.read_bytes() if path is not None else b"")
    except (OSError, ValueError):
        raise EsiaMisconfigured(f"{path}: no certificate in PEM") from None

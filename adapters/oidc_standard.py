"""A provider as OpenID Connect has it: found by discovery, persons told by ``userinfo``."""

import base64
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import quote_plus

from authlib.oauth2.rfc7523 import private_key_jwt_sign
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, RSAKey

from adapters.fetching import Fetcher, NotAnswered
from adapters.oidc import (
    Addresses,
    Asked,
    Proof,
    Vouched,
    address_of,
    day_of,
    name_of,
    snils_of,
)

T = TypeVar("T")

# How long what a provider tells of itself is believed, and how soon its keys are asked for anew
# where a token names one that is not among them.
_BELIEVED_SECONDS = 3600.0
_KEYS_SECONDS = 60.0
_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass(frozen=True, slots=True)
class Secret:
    """A client's password with the provider (``client_secret_basic``)."""

    client_id: str
    secret: str

    def proof(self, _issuer: str, _now: datetime) -> Proof:
        pair = f"{quote_plus(self.client_id)}:{quote_plus(self.secret)}"
        basic = base64.b64encode(pair.encode()).decode()
        return Proof(headers={"authorization": f"Basic {basic}"})


@dataclass(frozen=True, slots=True)
class PrivateKey:
    """A client's own key, with which it signs who it is (``private_key_jwt``, RFC 7523)."""

    client_id: str
    key: RSAKey | ECKey

    def proof(self, issuer: str, now: datetime) -> Proof:
        # For the issuer and no other address: what one is given is worth nothing elsewhere.
        assertion = private_key_jwt_sign(
            self.key,
            self.client_id,
            issuer,
            alg="RS256" if isinstance(self.key, RSAKey) else "ES256",
            issued_at=int(now.timestamp()),
            expires_in=60,
        )
        named = {"client_id": self.client_id, "client_assertion_type": _ASSERTION}
        return Proof({**named, "client_assertion": assertion})


class Standard:
    """Persons are confirmed by the claim ``trusted``; their SNILS stands in ``snils``."""

    scope = "openid profile"
    returns_nonce = True

    def __init__(self, fetcher: Fetcher, *, issuer: str, proof: Secret | PrivateKey) -> None:
        self._fetcher = fetcher
        self._issuer = issuer
        self._proof = proof
        self._description: dict[str, Any] = {}
        self._described_at = -_BELIEVED_SECONDS
        self._keys = KeySet([])
        self._keys_at = -_BELIEVED_SECONDS

    async def addresses(self) -> Addresses:
        found = await self._describe()
        return Addresses(
            address_of(found, "authorization_endpoint"), address_of(found, "token_endpoint")
        )

    async def keys(self, kid: str | None) -> KeySet:
        known = any(key.kid == kid for key in self._keys)
        age = time.monotonic() - self._keys_at
        if age >= (_BELIEVED_SECONDS if known else _KEYS_SECONDS):
            found = await self._describe()
            self._keys = await self._read(address_of(found, "jwks_uri"), KeySet.import_key_set)
            self._keys_at = time.monotonic()
        return self._keys

    async def asking(self, _asked: Asked, _now: datetime) -> dict[str, str]:
        return {}

    async def redeeming(self, _asked: Asked, now: datetime) -> Proof:
        return self._proof.proof(self._issuer, now)

    async def vouched(self, claims: dict[str, Any], access_token: str) -> Vouched:
        url = address_of(await self._describe(), "userinfo_endpoint")
        answer = await self._fetcher.fetch(url, headers={"authorization": f"Bearer {access_token}"})
        if answer.status != 200 or answer.body.get("sub") != claims["sub"]:
            raise NotAnswered("userinfo is not of the ID token's person")
        told = answer.body
        return Vouched(
            subject=claims["sub"],
            is_trusted=told.get("trusted") is True,
            snils=snils_of(told.get("snils")),
            last_name=name_of(told.get("family_name")),
            first_name=name_of(told.get("given_name")),
            birth_date=day_of(told.get("birthdate"), "%Y-%m-%d"),
        )

    async def _describe(self) -> dict[str, Any]:
        if time.monotonic() - self._described_at >= _BELIEVED_SECONDS:
            url = f"{self._issuer.rstrip('/')}/.well-known/openid-configuration"
            found = await self._read(url, dict[str, Any])
            # Else one provider could speak for another (Discovery, 4.3).
            if found.get("issuer") != self._issuer:
                raise NotAnswered("the description is another issuer's")
            self._description = found
            self._described_at = time.monotonic()
        return self._description

    async def _read(self, url: str, read: Callable[[Any], T]) -> T:
        answer = await self._fetcher.fetch(url)
        if answer.status != 200:
            raise NotAnswered(f"HTTP {answer.status}")
        try:
            return read(answer.body)
        except (JoseError, ValueError, TypeError, KeyError):
            raise NotAnswered("a description that cannot be read") from None

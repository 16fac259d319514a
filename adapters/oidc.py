"""Signing in with a provider elsewhere: OpenID Connect, the code flow with PKCE.

A ``Client`` runs the flow; what a provider does in its own way is a ``Dialect``. Sources: OpenID
Connect Core 1.0 (3.1) and Discovery 1.0, RFC 7636 (PKCE), RFC 9700 (security of OAuth 2.0).
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Protocol

from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from joserfc import jws, jwt
from joserfc.errors import ClaimError, JoseError
from joserfc.jwk import KeySet

from adapters.fetching import Fetcher, NotAnswered
from models import identifiers

ALGORITHMS = ("RS256", "ES256", "PS256")
LEEWAY = timedelta(seconds=30)
# How long it is believed that the provider answers, or does not, and how long its page may take.
HERE_SECONDS = 5.0
AWAY_SECONDS = 1.0
PATIENCE_SECONDS = 2.0
# The longest name of a person that is kept (models.identity.ExternalIdentity).
_SUBJECT = 200
_REFUSALS = ("invalid_grant", "access_denied")
# What is wrong with the request itself, or with who sends it (RFC 6749, 5.2).
_OUR_FAULTS = (
    "invalid_request",
    "invalid_client",
    "invalid_scope",
    "unauthorized_client",
    "unsupported_grant_type",
)


class Refused(Exception):
    """The provider does not vouch: the code is none of its own, was used, or is another's."""


class Misconfigured(Exception):
    """The provider works, and takes no requests of this installation: its settings are wrong."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What one request to a provider is made of, and its answer checked with: random texts."""

    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True, slots=True)
class Vouched:
    """A person for whom the provider vouches. ``subject`` is its own name for them, for ever.

    ``is_trusted`` is whether it has seen their documents; the rest may be empty.
    """

    subject: str
    is_trusted: bool
    snils: str | None = None
    last_name: str | None = None
    first_name: str | None = None
    birth_date: date | None = None


@dataclass(frozen=True, slots=True)
class Proof:
    """What a request carries so that the provider knows who asks."""

    form: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where a person is sent to, and where their code is redeemed."""

    authorization: str
    token: str


class Dialect(Protocol):
    """What a provider does in its own way. Everything may raise NotAnswered."""

    scope: str
    # Whether the nonce must come back; where it comes, it must be right.
    returns_nonce: bool

    async def addresses(self) -> Addresses: ...

    async def keys(self, kid: str | None) -> KeySet:
        """The keys of its ID tokens, the one of that name among them where there is such."""

    async def asking(self, asked: Asked, now: datetime) -> dict[str, str]:
        """Further parameters of the address to which a person is sent."""

    async def redeeming(self, asked: Asked, now: datetime) -> Proof:
        """What goes with the request that redeems a code."""

    async def vouched(self, claims: dict[str, Any], access_token: str) -> Vouched:
        """The person of a verified ID token."""


class Client:
    """This installation, as one provider knows it."""

    def __init__(
        self,
        fetcher: Fetcher,
        dialect: Dialect,
        *,
        issuer: str,
        client_id: str,
        redirect_uri: str,
        seconds: float,
    ) -> None:
        self._fetcher = fetcher
        self._dialect = dialect
        self._issuer = issuer
        self._client_id = client_id
        self._redirect_uri = redirect_uri
        self._seconds = seconds
        # Whether the provider's last answer was that it takes no requests of this installation.
        self.is_refused = False
        # Whether it was found away; for whoever tells that it is back to put down again.
        self.was_away = False
        self._is_here = True
        self._look_at = 0.0
        self._turn = asyncio.Lock()

    async def begin(self, asked: Asked, now: datetime) -> str:
        """The address to which the person is sent; raises NotAnswered."""
        async with self._in_time():
            if not await self.answers():
                raise NotAnswered("nobody where people are sent to")
            found = await self._dialect.addresses()
            further = await self._dialect.asking(asked, now)
        address: str = prepare_grant_uri(
            found.authorization,
            self._client_id,
            "code",
            redirect_uri=self._redirect_uri,
            scope=self._dialect.scope,
            state=asked.state,
            nonce=asked.nonce,
            code_challenge=create_s256_code_challenge(asked.verifier),
            code_challenge_method="S256",
            **further,
        )
        return address

    async def answers(self) -> bool:
        """Whether there is somebody where people are sent to; asked once in some seconds."""
        async with self._turn:
            if time.monotonic() >= self._look_at:
                self._is_here = await self._reached()
                self.was_away = self.was_away or not self._is_here
                kept = HERE_SECONDS if self._is_here else AWAY_SECONDS
                self._look_at = time.monotonic() + kept
            return self._is_here

    async def _reached(self) -> bool:
        try:
            async with asyncio.timeout(min(self._seconds, PATIENCE_SECONDS)):
                await self._fetcher.reach((await self._dialect.addresses()).authorization)
        except (NotAnswered, TimeoutError):
            return False
        return True

    async def finish(self, asked: Asked, code: str, now: datetime) -> Vouched:
        """The person who came back with a code; raises Refused, NotAnswered, Misconfigured."""
        async with self._in_time():
            id_token, access_token = await self._redeemed(asked, code, now)
            claims = await self._verified(id_token, access_token, asked, now)
            found = await self._dialect.vouched(claims, access_token)
        if not 0 < len(found.subject) <= _SUBJECT or not found.subject.isprintable():
            raise NotAnswered("a subject that cannot be kept")
        return found

    async def close(self) -> None:
        await self._fetcher.close()

    @asynccontextmanager
    async def _in_time(self) -> AsyncIterator[None]:
        # Several requests together take no longer than one may.
        try:
            async with asyncio.timeout(self._seconds):
                yield
        except TimeoutError:
            raise NotAnswered("not in time") from None

    async def _redeemed(self, asked: Asked, code: str, now: datetime) -> tuple[str, str]:
        found = await self._dialect.addresses()
        proof = await self._dialect.redeeming(asked, now)
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect_uri,
            "code_verifier": asked.verifier,
            **proof.form,
        }
        answer = await self._fetcher.fetch(found.token, form=form, headers=proof.headers)
        error = answer.body.get("error")
        self.is_refused = answer.status != 200 and error in _OUR_FAULTS
        if answer.status != 200:
            if error in _REFUSALS:
                raise Refused(error)
            if self.is_refused:
                raise Misconfigured(error)
            raise NotAnswered(f"the code was not redeemed: HTTP {answer.status}")
        return text_of(answer.body, "id_token"), text_of(answer.body, "access_token")

    async def _verified(
        self, token: str, access_token: str, asked: Asked, now: datetime
    ) -> dict[str, Any]:
        """The claims of an ID token (OpenID Connect Core, 3.1.3.7); raises Refused, NotAnswered."""
        try:
            kid = jws.extract_compact(token.encode()).headers().get("kid")
            keys = await self._dialect.keys(kid)
            # Providers put names of their own into the header; what is critical is refused.
            lenient = jws.JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
            decoded = jwt.decode(token, keys, algorithms=ALGORITHMS, registry=lenient)
            claims = decoded.claims
            if isinstance(claims.get("sub"), int):
                claims["sub"] = str(claims["sub"])  # in ESIA it is a number
            must_match = self._dialect.returns_nonce or "nonce" in claims
            checked = CodeIDToken(
                claims,
                decoded.header,
                options={
                    "iss": {"essential": True, "value": self._issuer},
                    "aud": {"essential": True, "value": self._client_id},
                },
                params={
                    "client_id": self._client_id,
                    "access_token": access_token,
                    "nonce": asked.nonce if must_match else None,
                },
            )
            checked.validate(int(now.timestamp()), int(LEEWAY.total_seconds()))
        except ClaimError as error:
            # A token that was made for another request is no fault of the provider's.
            if error.claim == "nonce":
                raise Refused("nonce") from None
            raise NotAnswered(f"an ID token with a wrong {error.claim}") from None
        except (JoseError, ValueError, TypeError, KeyError, RecursionError) as error:
            raise NotAnswered(f"an ID token that is none: {type(error).__name__}") from None
        return dict(claims)


def text_of(body: dict[str, Any], key: str) -> str:
    """A text that must be there; raises NotAnswered."""
    found = body.get(key)
    if not isinstance(found, str) or not found:
        raise NotAnswered(f"an answer without {key}")
    return found


def address_of(body: dict[str, Any], key: str) -> str:
    """An address of HTTP that must be there; raises NotAnswered."""
    found = text_of(body, key)
    if not found.startswith(("https://", "http://")):
        raise NotAnswered(f"{key} is no address")
    return found


def snils_of(told: object) -> str | None:
    """A SNILS in its stored form; None where there is none, or nobody's."""
    try:
        return identifiers.snils(told) if isinstance(told, str) else None
    except (identifiers.SnilsMalformed, identifiers.SnilsChecksumFails):
        return None


def name_of(told: object) -> str | None:
    return told if isinstance(told, str) and told.strip() else None


def day_of(told: object, form: str) -> date | None:
    try:
        return datetime.strptime(told, form).date() if isinstance(told, str) else None  # noqa: DTZ007 - a day
    except ValueError:
        return None

"""A provider as OpenID Connect has it: its description, its keys, and who it says has come."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from adapters.esia import open_esia
from adapters.fetching import NotAnswered
from adapters.oidc import Asked, Client, Refused, Vouched
from core.clock import utc_now
from core.settings import EsiaSettings
from tests.gosuslugi import BACK, keys, listening_on
from tests.live import free_port

pytestmark = pytest.mark.any_database

ASKED = Asked(state="state", nonce="n" * 43, verifier="v" * 64)


@dataclass
class Provider:
    """What it tells, and how often it was asked for its description and its keys."""

    issuer: str
    key: RSAKey
    published: list[RSAKey]
    claims: dict[str, Any] = field(default_factory=dict)
    description: dict[str, Any] = field(default_factory=dict)
    person: dict[str, Any] = field(default_factory=lambda: {"sub": "anna"})
    read: list[str] = field(default_factory=list)

    async def describe(self, _request: Request) -> Response:
        self.read.append("description")
        told = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/auth",
            "token_endpoint": f"{self.issuer}/token",
            "userinfo_endpoint": f"{self.issuer}/me",
            "jwks_uri": f"{self.issuer}/keys",
        }
        return JSONResponse(told | self.description)

    async def publish(self, _request: Request) -> Response:
        self.read.append("keys")
        return JSONResponse({"keys": [key.as_dict(private=False) for key in self.published]})

    async def redeem(self, _request: Request) -> Response:
        now = int(utc_now().timestamp())
        claims = {"iss": self.issuer, "aud": "cabinet", "sub": "anna", "nonce": ASKED.nonce}
        times = {"iat": now, "exp": now + 60}
        told = {name: value for name, value in (claims | times | self.claims).items() if value}
        token = jwt.encode({"alg": "RS256", "kid": self.key.kid}, told, self.key)
        return JSONResponse({"id_token": token, "access_token": "access"})

    async def tell(self, request: Request) -> Response:
        assert request.headers["authorization"] == "Bearer access"
        return JSONResponse(self.person)


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    port = free_port()
    key = RSAKey.import_key(keys()[0], {"kid": "first"})
    found = Provider(f"http://127.0.0.1:{port}", key, [key])
    routes = [
        Route("/.well-known/openid-configuration", found.describe),
        Route("/keys", found.publish),
        Route("/token", found.redeem, methods=["POST"]),
        Route("/me", found.tell),
    ]
    async with listening_on(routes, port):
        yield found


@pytest.fixture
async def client(provider: Provider) -> AsyncIterator[Client]:
    client = open_esia(
        EsiaSettings(
            issuer=provider.issuer,
            client_id="cabinet",
            redirect_uri=BACK,
            client_secret="secret",
        )
    )
    yield client
    await client.close()


async def finished(client: Client) -> Vouched:
    return await client.finish(ASKED, "code", utc_now())


async def test_what_a_provider_tells_is_asked_for_once(provider: Provider, client: Client) -> None:
    provider.person |= {"trusted": True, "snils": "112-233-445 95", "birthdate": "1980-01-02"}

    first, second = await finished(client), await finished(client)

    assert (
        first
        == second
        == Vouched(
            subject="anna", is_trusted=True, snils="11223344595", birth_date=date(1980, 1, 2)
        )
    )
    assert provider.read == ["description", "keys"]


@pytest.mark.parametrize("nonce", [None, "of another request"])
async def test_the_nonce_must_come_back(
    provider: Provider, client: Client, nonce: str | None
) -> None:
    provider.claims = {"nonce": nonce}
    with pytest.raises(Refused):
        await finished(client)


async def test_new_keys_are_asked_for_once_a_minute_at_most(
    provider: Provider, client: Client
) -> None:
    provider.published = [RSAKey.import_key(keys()[1], {"kid": "other"})]
    for _ in range(3):
        with pytest.raises(NotAnswered):
            await finished(client)
    assert provider.read == ["description", "keys"]


async def test_a_key_of_the_same_name_is_not_enough(provider: Provider, client: Client) -> None:
    provider.published = [RSAKey.import_key(keys()[1], {"kid": "first"})]
    with pytest.raises(NotAnswered, match="BadSignature"):
        await finished(client)


async def test_a_key_for_another_use_is_not_taken(provider: Provider, client: Client) -> None:
    provider.published = [RSAKey.import_key(keys()[0], {"kid": "first", "use": "enc"})]
    with pytest.raises(NotAnswered):
        await finished(client)


async def test_the_person_of_userinfo_is_that_of_the_token(
    provider: Provider, client: Client
) -> None:
    provider.person = {"sub": "boris", "trusted": True}
    with pytest.raises(NotAnswered, match="userinfo"):
        await finished(client)


@pytest.mark.parametrize(
    "wrong",
    [
        {"issuer": "https://example.org"},
        {"token_endpoint": None},
        {"token_endpoint": "file:///etc/passwd"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"jwks_uri": 7},
    ],
)
async def test_a_wrong_description_is_not_followed(
    provider: Provider, client: Client, wrong: dict[str, Any]
) -> None:
    provider.description = wrong
    with pytest.raises(NotAnswered):
        await client.begin(ASKED, utc_now())
        await finished(client)

"""Gosuslugi on loopback: ESIA as its documents have it, which can be made to fail in many ways."""

import asyncio
import base64
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx
import uvicorn
from asn1crypto import cms
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import NameOID
from joserfc import jws, jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from uvicorn.server import ServerState

from core.clock import utc_now
from core.settings import EsiaSettings
from tests.live import free_port

ISSUER = "http://esia.gosuslugi.ru/"
CLIENT = "CABINET"
BACK = "https://cabinet.example.org/gosuslugi"

_LENIENT = jws.JWSRegistry(algorithms=["RS256"], strict_check_header=False)

Answering = Callable[[Request], Awaitable[Response]]


@dataclass
class Gosuslugi:
    """The service: its people by their numbers, and how it answers."""

    key: RSAKey
    client_certificate: x509.Certificate
    settings: EsiaSettings
    people: dict[str, dict[str, Any]] = field(default_factory=dict)
    # What stands in every ID token beside, or instead of, what should.
    claims: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=dict)
    # With what ID tokens are signed in fact.
    signing: RSAKey | None = None
    # Answers in place of the service: ac, te, prns.
    instead: dict[str, Answering] = field(default_factory=dict)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    async def authorize(self, request: Request) -> Response:
        """The page where a person signs in: who it is, ``login_hint`` tells."""
        if request.method == "HEAD":  # somebody who sees whether it answers
            return Response()
        given = dict(request.query_params)
        self.check_secret(given)
        assert given["response_type"] == "code" and given["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(16)
        self.codes[code] = given
        back = httpx.URL(given["redirect_uri"], params={"code": code, "state": given["state"]})
        return RedirectResponse(str(back), 302)

    async def redeem(self, request: Request) -> Response:
        given = dict(parse_qsl((await request.body()).decode()))
        self.check_secret(given)
        begun = self.codes.pop(given["code"], None)
        if begun is None or begun["code_challenge"] != create_s256_code_challenge(
            given["code_verifier"]
        ):
            return JSONResponse({"error": "invalid_grant"}, 400)
        assert given["redirect_uri"] == begun["redirect_uri"]
        oid = begun["login_hint"]
        now = int(utc_now().timestamp())
        claims = {
            "iss": ISSUER,
            "sub": int(oid),
            "aud": CLIENT,
            "iat": now,
            "nbf": now,
            "exp": now + 3600,
            "urn:esia:sbj": {"urn:esia:sbj:oid": int(oid), "urn:esia:sbj:typ": "P"},
            **self.claims,
        }
        header = {"alg": "RS256", "ver": 1, "sbt": "id", **self.header}
        token = jwt.encode(header, claims, self.signing or self.key, registry=_LENIENT)
        return JSONResponse({"access_token": f"access {oid}", "id_token": token})

    async def person(self, request: Request) -> Response:
        oid = request.path_params["oid"]
        if request.headers.get("authorization") != f"Bearer access {oid}":
            return JSONResponse({"code": "ESIA-005004"}, 401)
        return JSONResponse(self.people[oid])

    def routes(self) -> list[Route]:
        return [
            Route("/aas/oauth2/ac", self._way("ac", self.authorize)),
            Route("/aas/oauth2/te", self._way("te", self.redeem), methods=["POST"]),
            Route("/moved/te", self.redeem, methods=["POST"]),
            Route("/rs/prns/{oid}", self._way("prns", self.person)),
        ]

    def _way(self, part: str, usual: Answering) -> Answering:
        async def answer(request: Request) -> Response:
            return await self.instead.get(part, usual)(request)

        return answer

    def check_secret(self, given: dict[str, str]) -> None:
        """The signature over what is asked, by whom and when; raises where it is not right."""
        content = "".join(given[name] for name in ("scope", "timestamp", "client_id", "state"))
        assert given["client_id"] == CLIENT
        signed_at = datetime.strptime(given["timestamp"], "%Y.%m.%d %H:%M:%S %z")
        assert abs(utc_now() - signed_at) < timedelta(minutes=1)
        check_detached(
            base64.urlsafe_b64decode(given["client_secret"]),
            content.encode(),
            self.client_certificate,
        )


def check_detached(signature: bytes, content: bytes, certificate: x509.Certificate) -> None:
    """A detached PKCS#7 signature (RFC 5652, 5.4); raises where it is not right."""
    signed = cms.ContentInfo.load(signature)["content"]
    assert signed["encap_content_info"]["content"].native is None, "the content is inside"
    (signer,) = signed["signer_infos"]
    attributes = {one["type"].native: one["values"] for one in signer["signed_attrs"]}
    assert attributes["message_digest"][0].native == sha256(content).digest()
    key, covered = certificate.public_key(), signer["signed_attrs"].untag().dump()
    if isinstance(key, rsa.RSAPublicKey):
        key.verify(signer["signature"].native, covered, padding.PKCS1v15(), hashes.SHA256())
    else:
        assert isinstance(key, ec.EllipticCurvePublicKey)
        key.verify(signer["signature"].native, covered, ec.ECDSA(hashes.SHA256()))


@cache
def keys() -> tuple[rsa.RSAPrivateKey, rsa.RSAPrivateKey]:
    """Those of the service and of its client: made once, which takes a while."""
    return rsa.generate_private_key(65537, 2048), rsa.generate_private_key(65537, 2048)


@asynccontextmanager
async def gosuslugi(directory: Path) -> AsyncIterator[Gosuslugi]:
    """The service on a port of its own, and the settings of a client that it knows."""
    theirs, ours = keys()
    certificate = certificate_of(ours)
    settings = EsiaSettings(
        issuer=ISSUER,
        client_id=CLIENT,
        redirect_uri=BACK,
        address=f"http://127.0.0.1:{free_port()}",
        key=written(directory / "key.pem", pem(ours)),
        certificate=written(directory / "certificate.pem", pem(certificate)),
        provider_certificate=written(directory / "esia.pem", pem(certificate_of(theirs))),
        seconds=3.0,
    )
    service = Gosuslugi(RSAKey.import_key(theirs), certificate, settings)
    assert settings.address is not None
    async with listening_on(service.routes(), int(settings.address.rsplit(":", 1)[1])):
        yield service


@asynccontextmanager
async def listening_on(routes: list[Route], port: int) -> AsyncIterator[None]:
    """A service of these routes on loopback; what still answers at the end is cut off."""
    config = uvicorn.Config(Starlette(routes=routes), log_config=None, lifespan="off")
    config.load()
    state = ServerState()
    protocol: Any = config.http_protocol_class
    server = await asyncio.get_running_loop().create_server(
        lambda: protocol(config=config, server_state=state, app_state={}),
        "127.0.0.1",
        port,
    )
    try:
        yield
    finally:
        server.close()
        for task in state.tasks:
            task.cancel()
        for connection in list(state.connections):
            connection.shutdown()
        await asyncio.gather(*state.tasks, return_exceptions=True)


async def came_back(address: str, login: str) -> dict[str, str]:
    """What a browser comes back with after somebody signed in at an address: state and code."""
    async with httpx.AsyncClient() as browser:
        here = httpx.URL(address).copy_merge_params({"login_hint": login})
        for _ in range(6):
            answer = await browser.get(here)
            assert answer.is_redirect, answer.text
            here = answer.url.join(answer.headers["location"])
            if str(here).startswith(BACK):
                return {name: here.params[name] for name in ("state", "code")}
    raise AssertionError("the browser did not come back")


def certificate_of(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> x509.Certificate:
    """A certificate of a key, signed by itself."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Больница")])
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )


def pem(thing: rsa.RSAPrivateKey | x509.Certificate) -> bytes:
    if isinstance(thing, x509.Certificate):
        return thing.public_bytes(serialization.Encoding.PEM)
    return thing.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def written(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path

"""Tokens that somebody made, changed, kept, or took for what they are not: none is heeded."""

import base64
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from jose import jwk, jws

from auth.keys import SigningKey, open_hash_key, open_signing_keys
from core.clock import utc_now
from models.account import Session
from models.role import Role
from tests.api import Api
from tests.server.people import somebody

# What is tried here, no database decides.
pytestmark = pytest.mark.any_database

WHO = "{ viewer { activeRole } }"
DOCTOR = {"viewer": {"activeRole": "DOCTOR"}}
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PUBLIC = RSA.public_key().public_bytes(
    serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
)
STRANGER_S = b"a secret that is a stranger's own"
PRIVATE = RSA.private_bytes(
    serialization.Encoding.PEM,
    serialization.PrivateFormat.PKCS8,
    serialization.NoEncryption(),
)


@dataclass
class Forge:
    """A living session's claims, and the server's own key: the worst that a thief may have."""

    key: SigningKey
    hash_key: bytes
    claims: dict[str, Any]

    def token(self, claims: dict[str, Any] | None = None, /, **header: Any) -> str:
        """A token that is right but for the claims and the header's members given."""
        return self.signed(self.key.secret, claims, **header)

    def signed(self, secret: bytes, claims: dict[str, Any] | None = None, /, **header: Any) -> str:
        head = {"alg": "HS256", "kid": self.key.kid, "typ": "at+jwt", **header}
        told = {name: value for name, value in head.items() if value is not None}
        parts = f"{_encoded(told)}.{_encoded(claims or self.claims)}"
        return f"{parts}.{_base64(hmac.digest(secret, parts.encode(), 'sha256'))}"

    def without(self, name: str) -> str:
        return self.token({key: value for key, value in self.claims.items() if key != name})

    def changed(self, **values: Any) -> str:
        return self.token({**self.claims, **values})


def _encoded(value: object) -> str:
    return _base64(json.dumps(value).encode())


def _base64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _other_last_bits(token: str) -> str:
    """Forty-three signs are 258 bits, of which a signature has 256."""
    signs = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return token[:-1] + signs[signs.index(token[-1]) + 1]


@pytest.fixture
async def forge(api: Api, tmp_path: Path) -> Forge:
    person = await somebody(Role.DOCTOR)
    honest = await api.token(person.account, Role.DOCTOR)
    keys = tmp_path / "home" / "keys"
    claims = json.loads(base64.urlsafe_b64decode(honest.split(".")[1] + "=="))
    return Forge(
        open_signing_keys(keys / "signing.keys")[0],
        open_hash_key(keys / "hash.key").secret,
        claims,
    )


NOW = int(utc_now().timestamp())
FORGED: dict[str, Callable[[Forge], str]] = {
    # Another algorithm, or none (RFC 8725, 3.1).
    "no algorithm": lambda f: f.token(alg="none"),
    "no algorithm, no signature": lambda f: f.token(alg="none").rpartition(".")[0] + ".",
    "nOnE": lambda f: f.token(alg="nOnE").rpartition(".")[0] + ".",
    "an algorithm in a list": lambda f: f.token(alg=["HS256"]),
    "no alg at all": lambda f: f.token(alg=None),
    "HS512 by our key": lambda f: jws.sign(
        f.claims, f.key.secret, {"kid": f.key.kid, "typ": "at+jwt"}, "HS512"
    ),
    "RS256 by a stranger": lambda f: jws.sign(
        f.claims, PRIVATE, {"kid": f.key.kid, "typ": "at+jwt"}, "RS256"
    ),
    "RS256 with its own key": lambda f: jws.sign(
        f.claims,
        PRIVATE,
        {
            "kid": f.key.kid,
            "typ": "at+jwt",
            "jku": "http://127.0.0.1:9/keys",
            "jwk": jwk.construct(PUBLIC.decode(), "RS256").to_dict(),
        },
        "RS256",
    ),
    "HS256 with its own key": lambda f: f.signed(
        STRANGER_S, jwk={"kty": "oct", "k": _base64(STRANGER_S)}
    ),
    "a public key as our secret": lambda f: f.signed(PUBLIC),
    "no secret": lambda f: f.signed(b""),
    # The kid chooses among our keys and opens no file.
    "kid that is a path": lambda f: f.signed(b"", kid="../../../../dev/null"),
    "kid that is another key's file": lambda f: f.signed(f.hash_key, kid="hash.key"),
    "kid that is SQL": lambda f: f.signed(b"x", kid="' UNION SELECT 'x"),
    "kid that is empty": lambda f: f.token(kid=""),
    "kid in a list": lambda f: f.token(kid=[f.key.kid]),
    "kid that is missing": lambda f: f.token(kid=None),
    # Our key signs nothing else that would fit here, and would not if it did (RFC 8725, 3.11).
    "another key of ours": lambda f: f.signed(f.hash_key),
    "type JWT": lambda f: f.token(typ="JWT"),
    "type of a refresh token": lambda f: f.token(typ="rt+jwt"),
    "no type": lambda f: f.token(typ=None),
    "critical extension": lambda f: f.token(crit=["exp"], exp=1),
    "unknown critical extension": lambda f: f.token(crit=["b64"], b64=False),
    "another audience": lambda f: f.changed(aud="cabinet/upload"),
    "audiences": lambda f: f.changed(aud=["cabinet/graphql", "cabinet/upload"]),
    "another issuer": lambda f: f.changed(iss="somebody"),
    "another purpose": lambda f: f.changed(purpose="refresh"),
    **{
        f"without {name}": lambda f, name=name: f.without(name)  # type: ignore[misc]  # bound early
        for name in ("iss", "aud", "sub", "sid", "jti", "iat", "exp", "purpose", "role")
    },
    "issued in an hour": lambda f: f.changed(iat=NOW + 3_600),
    "not before an hour": lambda f: f.changed(nbf=NOW + 3_600),
    "expired": lambda f: f.changed(iat=NOW - 7_200, exp=NOW - 3_600),
    "never expires": lambda f: f.changed(exp=10**20),
    "expires when one likes": lambda f: f.changed(exp=str(NOW + 600)),
    "somebody else's session": lambda f: f.changed(sid=str(uuid4())),
    "somebody else": lambda f: f.changed(sub=str(uuid4())),
    "too large": lambda f: f.changed(padding="x" * 4_096),
    "claims changed": lambda f: ".".join(
        (f.token().split(".")[0], f.changed(role="ADMIN").split(".")[1], f.token().split(".")[2])
    ),
    "signature cut": lambda f: f.token()[:-4],
    "signature longer": lambda f: f.token() + "AA",
    # One token is spelt in one way: what is kept of it is kept once.
    "signature padded": lambda f: f.token() + "=",
    "signature padded and more": lambda f: f.token() + "=AAAA",
    "signs of no alphabet": lambda f: f.token() + "!!",
    "last bits of the signature": lambda f: _other_last_bits(f.token()),
    "encrypted, in five parts": lambda f: f.token() + ".e30.e30",
}


async def test_the_forge_makes_good_tokens(api: Api, forge: Forge) -> None:
    assert (await api.ask(WHO, forge.token())).data == DOCTOR


@pytest.mark.parametrize("name", FORGED)
async def test_a_forged_token_is_nobody_s(api: Api, forge: Forge, name: str) -> None:
    refused = await api.ask(WHO, FORGED[name](forge))

    assert (refused.status, refused.codes) == (401, ["UNAUTHENTICATED"])


async def test_a_role_in_the_token_gives_no_role(api: Api, forge: Forge) -> None:
    assert (await api.ask(WHO, forge.changed(role="ADMIN"))).data == DOCTOR


async def test_no_token_outlives_its_session(api: Api, forge: Forge) -> None:
    tokens = [forge.changed(jti=f"token {number}") for number in range(3)]
    for token in tokens[:2]:
        assert (await api.ask(WHO, token)).data == DOCTOR

    await api.ask("mutation { signOut { errors { code } } }", tokens[0])

    for token in tokens:
        refused = await api.ask(WHO, token)
        assert (refused.status, refused.codes) == (401, ["SESSION_EXPIRED"])


async def test_a_refresh_token_is_no_access_token_and_the_other_way_round(api: Api) -> None:
    person = await somebody(Role.DOCTOR)
    access = await api.token(person.account, Role.DOCTOR)
    document = """mutation($given: String) {
        refreshSession(refreshToken: $given) { refreshToken errors { code } } }"""

    renewed = (await api.ask(document, given=access)).data["refreshSession"]

    assert renewed == {"refreshToken": None, "errors": [{"code": "REFRESH_INVALID"}]}
    assert (await Session.get()).ended_at is None
    assert (await api.ask(WHO, "x" * 43)).status == 401

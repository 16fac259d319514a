"""Access tokens: what is read, and everything that must not be."""

import base64
import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from jose import jws

from auth.keys import SigningKey
from auth.tokens import Claims, Signer, TokenExpired, TokenInvalid
from models.role import Role
from tests.factories import NOW

OLD = SigningKey("old", b"o" * 32)
NEW = SigningKey("new", b"n" * 32)
SESSION = UUID(int=1)
ACCOUNT = UUID(int=2)
CLAIMS: dict[str, Any] = {
    "iss": "cabinet",
    "aud": "cabinet/graphql",
    "sub": str(ACCOUNT),
    "sid": str(SESSION),
    "jti": "one",
    "iat": int(NOW.timestamp()),
    "exp": int(NOW.timestamp()) + 600,
    "purpose": "access",
    "role": "NURSE",
}
HEADERS: dict[str, Any] = {"kid": "new", "typ": "at+jwt"}
SIGNER = Signer([NEW, OLD])


def signed(claims: dict[str, Any] = CLAIMS, headers: dict[str, Any] = HEADERS, **key: Any) -> str:
    return str(
        jws.sign(
            claims,
            key.get("key", NEW.secret),
            headers=headers,
            algorithm=key.get("algorithm", "HS256"),
        )
    )


def encoded(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def test_reads_what_it_issued() -> None:
    shown = NOW - timedelta(minutes=3)
    token = SIGNER.issue(SESSION, ACCOUNT, Role.NURSE, NOW, factor_at=shown)

    claims = SIGNER.read(token, NOW)

    assert claims == Claims(
        session_id=SESSION,
        account_id=ACCOUNT,
        role="NURSE",
        token_id=claims.token_id,
        issued_at=NOW,
        expires_at=NOW + timedelta(minutes=10),
        factor_at=shown,
    )
    assert len(claims.token_id) >= 16


def test_two_tokens_of_one_moment_differ() -> None:
    tokens = {SIGNER.issue(SESSION, ACCOUNT, Role.NURSE, NOW) for _ in range(2)}

    assert len(tokens) == 2


def test_the_newest_key_signs_and_all_verify() -> None:
    token = Signer([OLD]).issue(SESSION, ACCOUNT, Role.NURSE, NOW)

    assert SIGNER.read(token, NOW).session_id == SESSION
    with pytest.raises(TokenInvalid):
        Signer([OLD]).read(SIGNER.issue(SESSION, ACCOUNT, Role.NURSE, NOW), NOW)


def test_the_hand_made_token_is_good_before_it_is_spoilt() -> None:
    assert SIGNER.read(signed(), NOW).account_id == ACCOUNT


def test_expired_is_told_apart_with_its_claims() -> None:
    token = SIGNER.issue(SESSION, ACCOUNT, Role.NURSE, NOW)
    end = NOW + timedelta(minutes=10)

    assert SIGNER.read(token, end + timedelta(seconds=29)).session_id == SESSION
    with pytest.raises(TokenExpired) as expired:
        SIGNER.read(token, end + timedelta(seconds=30))
    assert expired.value.claims.session_id == SESSION
    assert expired.value.code == "UNAUTHENTICATED"


@pytest.mark.parametrize("claim", sorted(CLAIMS))
def test_every_claim_is_required(claim: str) -> None:
    with pytest.raises(TokenInvalid):
        SIGNER.read(signed({name: value for name, value in CLAIMS.items() if name != claim}), NOW)


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "somebody"},
        {"aud": "cabinet/upload"},
        {"aud": ["cabinet/graphql", "somewhere"]},
        {"purpose": "upload"},
        {"purpose": None},
        {"iat": int(NOW.timestamp()) + 31},
        {"iat": str(int(NOW.timestamp()))},
        {"iat": True},
        {"exp": float("inf")},
        {"exp": 10**30},
        {"exp": "soon"},
        {"auth_time": str(int(NOW.timestamp()))},
        {"auth_time": True},
        {"nbf": int(NOW.timestamp()) + 9999},
        {"sub": "nobody"},
        {"sub": 2},
        {"sid": [str(SESSION)]},
        {"jti": ""},
        {"jti": None},
    ],
    ids=str,
)
def test_a_wrong_claim_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(TokenInvalid):
        SIGNER.read(signed({**CLAIMS, **changed}), NOW)


@pytest.mark.parametrize(
    "changed",
    [
        {"typ": "JWT"},
        {"typ": "refresh"},
        {"typ": None},
        {"kid": "old"},
        {"kid": "unknown"},
        {"kid": ["new"]},
        {"kid": None},
        {"crit": ["exp"]},
        {"crit": []},
    ],
    ids=str,
)
def test_a_wrong_header_is_refused(changed: dict[str, Any]) -> None:
    with pytest.raises(TokenInvalid):
        SIGNER.read(signed(headers={**HEADERS, **changed}), NOW)


@pytest.mark.parametrize("algorithm", ["none", "None", "HS384", "HS512", "RS256", "dir", ["HS256"]])
def test_another_algorithm_is_refused(algorithm: object) -> None:
    header = encoded({**HEADERS, "alg": algorithm})
    signature = signed().rsplit(".", 1)[1]

    for end in ("", signature):
        with pytest.raises(TokenInvalid):
            SIGNER.read(f"{header}.{encoded(CLAIMS)}.{end}", NOW)


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
def test_our_own_key_under_another_algorithm_is_refused(algorithm: str) -> None:
    with pytest.raises(TokenInvalid):
        SIGNER.read(signed(algorithm=algorithm), NOW)


def test_a_strangers_key_is_refused() -> None:
    with pytest.raises(TokenInvalid):
        SIGNER.read(signed(key=b"x" * 32), NOW)


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "...",
        "a.b.c",
        "null",
        "é.é.é",
        "\ud800",
        "a" * 5_000,
        f"{encoded([])}.{encoded([])}.",
        base64.urlsafe_b64encode(b"[" * 2_800).decode() + ".e30.e30",
        base64.urlsafe_b64encode(b'{"a":' * 580).decode() + ".e30.e30",
        signed() + ".e30",
        signed() + "A",
        signed().replace(".", "=.", 1),
    ],
    ids=range(15),
)
def test_what_is_no_token_is_refused(token: str) -> None:
    with pytest.raises(TokenInvalid):
        SIGNER.read(token, NOW)


def test_a_huge_token_is_refused_even_when_it_is_signed() -> None:
    token = signed({**CLAIMS, "padding": "x" * 4_096})

    with pytest.raises(TokenInvalid):
        SIGNER.read(token, NOW)

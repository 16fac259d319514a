"""Access tokens: signed claims of a session (RFC 7519, RFC 8725), and nothing else's.

python-jose verifies the signature, with the algorithm pinned. Every claim is checked here,
since jose checks only those that happen to be there, and by its own clock.
"""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from jose import jwk, jws, jwt
from jose.utils import base64url_decode, base64url_encode

from auth.keys import SigningKey, open_signing_keys, signing_keys_in
from core.errors import Problem
from core.sealing import KeyFile
from models.role import Role

ALGORITHM = "HS256"
ISSUER = "cabinet"
AUDIENCE = "cabinet/graphql"
# The type of the header (RFC 9068) and the purpose in the claims: no other token of ours fits.
TYPE = "at+jwt"
PURPOSE = "access"
LARGEST = 4_096
_SPELLING = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)


class TokenInvalid(Problem):
    """The token is not ours, not an access token, or its time is over."""

    code = "UNAUTHENTICATED"


class TokenExpired(TokenInvalid):
    """The token was good, and is over: its session may go on with another one."""

    def __init__(self, claims: "Claims") -> None:
        super().__init__()
        self.claims = claims


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says. ``role`` is a hint: the session's row decides."""

    session_id: UUID
    account_id: UUID
    role: str
    token_id: str
    issued_at: datetime
    expires_at: datetime
    factor_at: datetime | None


class Signer:
    """Issues tokens with the newest key and reads those of every key."""

    def __init__(
        self,
        keys: Sequence[SigningKey],
        *,
        lifetime: timedelta = timedelta(minutes=10),
        leeway: timedelta = timedelta(seconds=30),
    ) -> None:
        self._take(keys)
        self.lifetime = lifetime
        self.leeway = leeway

    def _take(self, keys: Sequence[SigningKey]) -> None:
        self._kid = keys[0].kid
        self._keys = {key.kid: jwk.construct(key.secret, ALGORITHM) for key in keys}

    def _look(self) -> None:
        """Takes up keys that have come since; a signer of its own keys has none to come."""

    def issue(
        self,
        session_id: UUID,
        account_id: UUID,
        role: Role,
        now: datetime,
        *,
        factor_at: datetime | None = None,
    ) -> str:
        """A token; ``factor_at`` is when a factor was shown last in its session, if one was."""
        self._look()
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": str(account_id),
            "sid": str(session_id),
            "jti": secrets.token_urlsafe(16),
            "iat": int(now.timestamp()),
            "exp": int((now + self.lifetime).timestamp()),
            "purpose": PURPOSE,
            "role": role.value,
        }
        if factor_at is not None:
            claims["auth_time"] = int(factor_at.timestamp())
        headers = {"kid": self._kid, "typ": TYPE}
        token: str = jws.sign(claims, self._keys[self._kid], headers=headers, algorithm=ALGORITHM)
        return token

    def read(self, token: str, now: datetime) -> Claims:
        """The claims of a token; raises TokenExpired, or TokenInvalid for everything else."""
        if len(token) > LARGEST or not token.isascii():
            raise TokenInvalid
        self._look()
        try:
            claims = _claims(self._verified(token))
        except Exception:
            # jose raises far more than its own errors: RecursionError, KeyError, TypeError.
            raise TokenInvalid from None
        if claims.issued_at > now + self.leeway:
            raise TokenInvalid
        if claims.expires_at + self.leeway <= now:
            raise TokenExpired(claims)
        return claims

    def _verified(self, token: str) -> dict[str, Any]:
        if not _is_exact(token):
            raise TokenInvalid
        header = jws.get_unverified_header(token)
        if header["typ"] != TYPE or header["alg"] != ALGORITHM or "crit" in header:
            raise TokenInvalid
        claims: dict[str, Any] = jwt.decode(
            token,
            self._keys[header["kid"]],
            algorithms=[ALGORITHM],
            audience=AUDIENCE,
            issuer=ISSUER,
            # Times are checked by the clock that is passed in.
            options={"verify_exp": False, "verify_iat": False, "verify_nbf": False},
        )
        return claims


class _FiledSigner(Signer):
    """A signer that takes up keys as they come into its file, and forgets those that go."""

    def __init__(self, path: Path, **times: timedelta) -> None:
        self._file = KeyFile(path)
        super().__init__(open_signing_keys(path), **times)

    def _look(self) -> None:
        if (content := self._file.news()) is not None:
            self._take(signing_keys_in(content))


def open_signer(path: Path, *, lifetime: timedelta, leeway: timedelta) -> Signer:
    """The signer whose keys stand in a file, which is made on the first start."""
    return _FiledSigner(path, lifetime=lifetime, leeway=leeway)


def _is_exact(token: str) -> bool:
    """Whether a token is spelt in the one way in which it is issued (RFC 7515, RFC 4648, 3.5).

    jose reads its signature with padding, signs of no alphabet and any last bits too, and each
    spelling would be kept as a token of its own. All else is what was signed.
    """
    if not _SPELLING.fullmatch(token):
        return False
    signature = token.rpartition(".")[2].encode()
    return bool(base64url_encode(base64url_decode(signature)) == signature)


def _claims(found: dict[str, Any]) -> Claims:
    texts = {name: found[name] for name in ("iss", "aud", "sub", "sid", "jti", "purpose", "role")}
    if not all(type(text) is str for text in texts.values()):
        raise TokenInvalid
    # A boolean is an integer to Python, and none to RFC 7519.
    shown = found.get("auth_time", 0)
    if not all(type(at) is int for at in (found["iat"], found["exp"], shown)) or "nbf" in found:
        raise TokenInvalid
    if texts["purpose"] != PURPOSE or not texts["jti"]:
        raise TokenInvalid
    return Claims(
        session_id=UUID(texts["sid"]),
        account_id=UUID(texts["sub"]),
        role=texts["role"],
        token_id=texts["jti"],
        issued_at=datetime.fromtimestamp(found["iat"], UTC),
        expires_at=datetime.fromtimestamp(found["exp"], UTC),
        factor_at=datetime.fromtimestamp(shown, UTC) if shown else None,
    )

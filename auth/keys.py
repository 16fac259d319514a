"""The secrets that this installation makes for itself: signing keys and the key of hashes."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from core.sealing import alone, read_or_make, write_private

_SECRET_BYTES = 32
# Crockford's alphabet, as in the codes of ``core.ids``.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key of HS256 (RFC 7518: at least as long as the hash), and the name tokens know it by."""

    kid: str
    secret: bytes


def open_signing_keys(path: Path) -> tuple[SigningKey, ...]:
    """The keys in a file, newest first: the newest signs, all verify. Made on the first start."""
    return signing_keys_in(read_or_make(path, lambda: _line(_new_key())))


def signing_keys_in(content: bytes) -> tuple[SigningKey, ...]:
    """The keys in what stands in such a file."""
    pairs = (line.split() for line in content.decode().splitlines() if line.strip())
    return tuple(SigningKey(kid, base64.b64decode(secret)) for kid, secret in pairs)


def rotate_signing_keys(path: Path, kept: int = 3) -> tuple[SigningKey, ...]:
    """Puts a new key first and drops all but the newest; servers take it up as they run."""
    open_signing_keys(path)
    with alone(path):
        keys = (_new_key(), *open_signing_keys(path))[:kept]
        _write(path, keys)
    return keys


def retire_signing_keys(path: Path) -> int:
    """Drops every key but the newest, and tells how many; what they signed is worth nothing."""
    open_signing_keys(path)
    with alone(path):
        newest, *others = open_signing_keys(path)
        if others:
            _write(path, [newest])
    return len(others)


def _write(path: Path, keys: Iterable[SigningKey]) -> None:
    write_private(path, b"".join(_line(key) for key in keys))


def _new_key() -> SigningKey:
    return SigningKey(secrets.token_hex(4), secrets.token_bytes(_SECRET_BYTES))


def _line(key: SigningKey) -> bytes:
    return f"{key.kid} {base64.b64encode(key.secret).decode()}\n".encode()


@dataclass(frozen=True, slots=True)
class HashKey:
    """A key under which a value is hashed that must be compared and not be known."""

    secret: bytes

    def hash(self, purpose: str, text: str) -> str:
        """64 hexadecimal digits; the same text gives another hash for another purpose."""
        message = f"{purpose}\0{text}".encode("utf-8", "surrogatepass")
        return hmac.new(self.secret, message, hashlib.sha256).hexdigest()

    def readable_code(self, prefix: str, purpose: str, text: str) -> str:
        """A code that looks like those of ``core.ids``, and is always the same for a text."""
        number = int(self.hash(purpose, text), 16)
        signs = "".join(_ALPHABET[(number >> (5 * place)) & 31] for place in range(8))
        return f"{prefix}-{signs[:4]}-{signs[4:]}"


def open_hash_key(path: Path) -> HashKey:
    """The key in a file, made on the first start; it never rotates."""
    return HashKey(read_or_make(path, lambda: secrets.token_bytes(_SECRET_BYTES)))


def digest(secret: str) -> str:
    """The stored form of a secret that is random itself (a refresh token, an invitation)."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()

"""Identifiers: time-ordered UUIDs for rows, and codes that people can read aloud."""

import secrets
import time
from uuid import UUID

# Crockford's alphabet: no I, L, O or U, so that a code survives a telephone.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
# The 122 bits of the last UUID that are not its version and variant.
_last = 0


def uuid7() -> UUID:
    """A UUID of version 7 (RFC 9562): 48 bits of Unix milliseconds, the rest random.

    Greater than the one before it in this process, so that rows made together keep their order.
    """
    global _last
    number = (time.time_ns() // 1_000_000 << 74) | secrets.randbits(74)
    if number >> 74 <= _last >> 74:
        number = _last + 1 + secrets.randbits(32)
    _last = number
    moment, a, b = number >> 74, number >> 62 & 0xFFF, number & (1 << 62) - 1
    return UUID(int=moment << 80 | 7 << 76 | a << 64 | 2 << 62 | b)


def readable_code(prefix: str, groups: int = 2) -> str:
    """A random code such as ``MW-7F3K-29QD``: not consecutive, so that it counts nothing."""
    parts = ("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(groups))
    return "-".join((prefix, *parts))

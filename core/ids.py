"""Identifiers: time-ordered UUIDs for rows, and codes that people can read aloud."""

import os
import secrets
import time
from uuid import UUID

# Crockford's alphabet: no I, L, O or U, so that a code survives a telephone.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"


def uuid7() -> UUID:
    """A UUID of version 7 (RFC 9562): 48 bits of Unix milliseconds, the rest random."""
    milliseconds = time.time_ns() // 1_000_000
    number = (milliseconds << 80) | int.from_bytes(os.urandom(10), "big")
    number = (number & ~(0xF << 76)) | (0x7 << 76)
    number = (number & ~(0x3 << 62)) | (0x2 << 62)
    return UUID(int=number)


def readable_code(prefix: str, groups: int = 2) -> str:
    """A random code such as ``MW-7F3K-29QD``: not consecutive, so that it counts nothing."""
    parts = ("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(groups))
    return "-".join((prefix, *parts))

"""Identifiers: time-ordered UUIDs for rows, and codes that people can read aloud."""

import re
import secrets
import time
from functools import lru_cache
from uuid import UUID

from core.text import compact

# Crockford's alphabet: no I, L, O or U, so that a code survives a telephone.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LOOKALIKES = str.maketrans("OIL", "011")
# Cyrillic letters that look like Latin ones: who reads a code aloud or off paper cannot tell.
_CYRILLIC = str.maketrans("АВЕКМНОРСТУХ", "ABEKMHOPCTYX")
# Python reads other spellings too: braces, a URN, hyphens anywhere.
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
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


@lru_cache(maxsize=10_000)
def uuid_in(text: str) -> UUID | None:
    """The UUID that a text is, in its usual spelling alone."""
    return UUID(text) if _UUID.fullmatch(text) else None


def readable_code(prefix: str, groups: int = 2) -> str:
    """A random code such as ``MW-7F3K-29QD``: not consecutive, so that it counts nothing."""
    return _in_groups(prefix, "".join(secrets.choice(_ALPHABET) for _ in range(4 * groups)))


def typed_signs(text: str, prefix: str) -> str:
    """The signs of a readable code behind its prefix, as a person typed it.

    Case, spaces and hyphens are forgiven, O, I and L for 0 and 1, and Cyrillic letters that look
    like Latin ones.
    """
    signs = compact(text).upper().translate(_CYRILLIC).removeprefix(prefix)
    return signs.translate(_LOOKALIKES)


def typed_code(text: str, prefix: str) -> str:
    """The same as it was given out, with its prefix and in groups."""
    return _in_groups(prefix, typed_signs(text, prefix))


def _in_groups(prefix: str, signs: str) -> str:
    return "-".join((prefix, *(signs[start : start + 4] for start in range(0, len(signs), 4))))

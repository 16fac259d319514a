"""Passwords known from breaches, where this installation keeps a list of them.

The list is that of Have I Been Pwned, ordered by hash: lines of a SHA-1 in hexadecimal and a count.
It is read where it lies, and nothing is sent anywhere.
"""

import hashlib
import mmap
import re
from dataclasses import dataclass
from pathlib import Path

_DIGITS = 40
_HASH = re.compile(rb"[0-9A-F]{40}")


class ListInvalid(Exception):
    """The file is no list of SHA-1 hashes in their order."""


@dataclass(frozen=True, slots=True)
class Breached:
    """The list; without one, no password is known from a breach."""

    lines: mmap.mmap | None = None

    def holds(self, password: str) -> bool:
        """Whether a password stands in the list: some thirty lines of it are looked at."""
        if self.lines is None:
            return False
        wanted = hashlib.sha1(password.encode(), usedforsecurity=False).hexdigest().upper().encode()
        low, high = 0, len(self.lines)
        while low < high:
            middle = (low + high) // 2
            begin = self.lines.rfind(b"\n", 0, middle) + 1
            found = self.lines[begin : begin + _DIGITS].upper()
            if found == wanted:
                return True
            if found < wanted:
                end = self.lines.find(b"\n", middle)
                low = end + 1 if end >= 0 else high
            else:
                high = begin
        return False


def open_breached(path: Path | None) -> Breached:
    """The list in a file; raises ListInvalid, OSError."""
    if path is None:
        return Breached()
    with path.open("rb") as file:
        if path.stat().st_size < _DIGITS:
            raise ListInvalid
        lines = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    after = lines.find(b"\n") + 1 or len(lines)
    first, second = lines[:_DIGITS].upper(), lines[after : after + _DIGITS].upper()
    if not _HASH.fullmatch(first) or (second and not (_HASH.fullmatch(second) and first < second)):
        raise ListInvalid
    return Breached(lines)

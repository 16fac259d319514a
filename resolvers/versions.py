"""Optimistic locking: a write that was made from an older version of the row is refused."""

from typing import Protocol

from core.errors import Problem


class Stale(Problem):
    """Somebody changed the row since it was read."""

    code = "CONFLICT"


class Versioned(Protocol):
    version: int


def check_version(row: Versioned, version: int) -> None:
    """Raises Stale about ``version`` unless the row is still the one that was read."""
    if row.version != version:
        raise Stale("version", current=row.version)


def next_version(row: Versioned) -> None:
    row.version += 1

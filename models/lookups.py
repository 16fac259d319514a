"""Predicates on a path that is known only when the program runs."""

from typing import Any

from tortoise.expressions import Q


def where(path: str, value: Any) -> Q:
    """The predicate of one lookup, such as ``department_id__in``."""
    lookup: dict[str, Any] = {path: value}
    return Q(**lookup)

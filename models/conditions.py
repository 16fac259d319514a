"""Predicates as data: written once, then a Tortoise ``Q`` or, in ``execution``, SQL of our own.

    Compare(path, operator, value)     a column against a value
    Among(path, values)                a column against several
    IsNull(path)                       a column without a value
    Within(path, model, column, rows)  a column that stands in a column of other rows
    And, Or, Not                       of the above; an empty And always holds, an empty Or never

A path is one of Tortoise's: ``department_id`` or, through relations, ``about__department_id``.
A value may be a ``Slot``, so that a statement made for one request serves the next.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from tortoise.expressions import Q, Subquery
from tortoise.models import Model

from models.lookups import where

Operator = Literal["eq", "lt", "lte", "gt", "gte", "contains", "starts_with"]
_LOOKUPS = {"eq": "", "contains": "__contains", "starts_with": "__startswith"}


@dataclass(frozen=True, slots=True, eq=False)
class Slot:
    """The value that one request gives, and how to read it off another request like it."""

    value: Any
    read: Callable[[Any], Any]
    # What the value is of, where it matters whether all of it is read.
    source: Any = None
    # The changes made of it: a value that is used often is changed, read and bound once.
    _made: "dict[Any, Slot]" = field(default_factory=dict, init=False)

    def then(self, change: Callable[..., Any], *arguments: Any) -> "Slot":
        """The same place, its value changed or checked; alike changes are one."""
        key, read = (change, arguments), self.read
        if key not in self._made:
            self._made[key] = Slot(
                change(self.value, *arguments),
                lambda asked: change(read(asked), *arguments),
                self.source,
            )
        return self._made[key]


def value_of(given: Any) -> Any:
    """The value of this request."""
    return given.value if isinstance(given, Slot) else given


def changed(given: Any, change: Callable[..., Any], *arguments: Any) -> Any:
    """A value or slot, changed or checked by a function that takes it and the arguments."""
    if isinstance(given, Slot):
        return given.then(change, *arguments)
    return change(given, *arguments)


@dataclass(frozen=True, slots=True)
class Compare:
    path: str
    operator: Operator
    value: Any


@dataclass(frozen=True, slots=True)
class Among:
    path: str
    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class IsNull:
    path: str


@dataclass(frozen=True, slots=True)
class Within:
    path: str
    model: type[Model]
    column: str
    rows: "Condition"


@dataclass(frozen=True, slots=True)
class And:
    parts: "tuple[Condition, ...]"


@dataclass(frozen=True, slots=True)
class Or:
    parts: "tuple[Condition, ...]"


@dataclass(frozen=True, slots=True)
class Not:
    part: "Condition"


Condition = Compare | Among | IsNull | Within | And | Or | Not

ALWAYS = And(())
NEVER = Or(())


def every(*parts: Condition) -> Condition:
    """All of the parts hold."""
    if NEVER in parts:
        return NEVER
    kept = tuple(part for part in parts if part != ALWAYS)
    return kept[0] if len(kept) == 1 else And(kept)


def some(*parts: Condition) -> Condition:
    """At least one of the parts holds."""
    if ALWAYS in parts:
        return ALWAYS
    kept = tuple(part for part in parts if part != NEVER)
    return kept[0] if len(kept) == 1 else Or(kept)


def filled(path: str) -> Condition:
    """The column has a value."""
    return Not(IsNull(path))


def to_q(condition: Condition) -> Q:
    """The predicate for Tortoise, with the values of this request."""
    match condition:
        case Compare(path, operator, value):
            return where(path + _LOOKUPS.get(operator, f"__{operator}"), value_of(value))
        case Among(path, values):
            return where(f"{path}__in", [value_of(value) for value in values])
        case IsNull(path):
            return where(f"{path}__isnull", True)
        case Within(path, model, column, rows):
            return where(f"{path}__in", Subquery(model.filter(to_q(rows)).values(column)))
        case And(parts):
            return Q(*map(to_q, parts)) if parts else Q(id__isnull=False)
        case Or(parts):
            return Q(*map(to_q, parts), join_type=Q.OR) if parts else Q(id__isnull=True)
        case Not(IsNull(path)):
            return where(f"{path}__isnull", False)
        case Not(part):
            return ~to_q(part)

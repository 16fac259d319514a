"""Groups of rows: how many there are by their keys, and the figures of their measures.

Where little groups must not be told, rows are first put into cells by every key that may be
combined. Cells of too few persons are left out everywhere, and the smallest of the others with
them; groups are made of the cells that remain (docs/decisions/0012).
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

from tortoise.expressions import Case, When
from tortoise.models import Model

from core.clock import day_of
from core.errors import InputInvalid
from models.conditions import Condition, to_q, value_of

LARGEST = 1_000
USUAL = 100
_AT_ONCE = 2_000
Unit = Literal["day", "week", "month"]
Comparison = Literal["eq", "in", "lt", "lte", "gt", "gte", "empty"]


class TooManyGroups(InputInvalid):
    """More groups than one answer holds, or none of them."""

    code = "TOO_MANY_GROUPS"


@dataclass(frozen=True, slots=True)
class Key:
    """What rows are grouped by: a column, the period it lies in, or which condition holds."""

    name: str
    column: str | None = None
    # Days, weeks from Monday and months, each told by its first day in the organisation's zone.
    unit: Unit | None = None
    cases: tuple[tuple[str, Condition], ...] = ()


@dataclass(frozen=True, slots=True)
class Measure:
    """Whole numbers that are added up: a column, or the seconds to it from another one.

    ``hundredth`` says how many of them are a hundredth of what is shown.
    """

    name: str
    column: str
    since: str | None = None

    @property
    def hundredth(self) -> int:
        return 36 if self.since is not None else 1


@dataclass(frozen=True, slots=True)
class Test:
    """A comparison of a key; all that are given must hold. Values may be slots."""

    key: Key
    comparison: Comparison
    value: Any


@dataclass(frozen=True, slots=True)
class Grouping:
    """Which groups are asked for. ``zone`` and ``size`` may be slots.

    ``cells`` are the keys in which rows are told apart before anything is left out; those of
    ``by`` and of ``tests`` are among them. A cell must be of ``least`` persons.
    """

    model: type[Model]
    matching: Condition
    zone: Any
    by: tuple[Key, ...]
    cells: tuple[Key, ...]
    measures: tuple[Measure, ...] = ()
    tests: tuple[Test, ...] = ()
    size: Any = USUAL
    least: int = 1
    # The column that tells whose a row is.
    person: str | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """What is known of a measure's values."""

    values: int
    total: int
    least: int
    most: int
    hundredth: int

    def shown(self, of: str) -> Decimal:
        """The sum, average, minimum or maximum in hundredths, a half rounded up."""
        number, parts = self.total, self.hundredth
        if of == "average":
            parts *= self.values
        elif of in ("minimum", "maximum"):
            number = self.least if of == "minimum" else self.most
        return Decimal((2 * number + parts) // (2 * parts)).scaleb(-2)


@dataclass(slots=True)
class Group:
    """The rows that have the same keys."""

    keys: dict[str, Any]
    count: int = 0
    persons: set[Any] = field(default_factory=set)
    values: dict[str, list[int]] = field(default_factory=dict)

    def take(self, other: "Group") -> None:
        """Adds the rows of another group."""
        self.count += other.count
        self.persons |= other.persons
        for name, values in other.values.items():
            self.values.setdefault(name, []).extend(values)

    def figures(self, measure: Measure) -> Figures:
        values = self.values[measure.name]
        return Figures(len(values), sum(values), min(values), max(values), measure.hundredth)


@dataclass(frozen=True, slots=True)
class Groups:
    """The first groups in the order of their keys, and how many there are."""

    first: list[Group]
    total: int


def checked_size(size: int) -> int:
    """How many groups are asked for; raises TooManyGroups."""
    if not 1 <= size <= LARGEST:
        raise TooManyGroups("first", most=LARGEST)
    return size


async def groups(asked: Grouping) -> Groups:
    """The groups, from all of their rows: the reference of what a statement computes."""
    found: list[Group] = []
    async for rows in _rows(asked):
        found = _merged([*found, *rows], asked.cells)
    if asked.least > 1:
        found = _tellable(found, asked.cells, asked.least)
    found = [group for group in found if all(_holds(test, group) for test in asked.tests)]
    found = sorted(_merged(found, asked.by), key=lambda group: _order(group, asked.by))
    return Groups(found[: value_of(asked.size)], len(found))


async def _rows(asked: Grouping) -> AsyncIterator[list[Group]]:
    """Each row as a group of its own, some at a time: others are answered in between."""
    keys = asked.cells
    cases = {
        f"case_{key.name}": Case(*(When(to_q(c), then=value) for value, c in key.cases))
        for key in keys
        if key.cases
    }
    columns = {"id", *(key.column for key in keys if key.column is not None)}
    for measure in asked.measures:
        columns |= {measure.column, measure.since or "id"}
    if asked.person is not None:
        columns.add(asked.person)
    every = asked.model.filter(to_q(asked.matching)).annotate(**cases).order_by("id")
    zone, rows = value_of(asked.zone), every
    while True:
        found = await rows.limit(_AT_ONCE).values(*sorted(columns), *cases)
        yield [
            Group(
                {key.name: _value(key, row, zone) for key in keys},
                1,
                set() if asked.person is None else {row[asked.person]} - {None},
                {measure.name: [_number(measure, row)] for measure in asked.measures},
            )
            for row in found
        ]
        if len(found) < _AT_ONCE:
            return
        rows = every.filter(id__gt=found[-1]["id"])


def _value(key: Key, row: dict[str, Any], zone: str) -> Any:
    if key.column is None:
        return row[f"case_{key.name}"]
    value = row[key.column]
    if value is None or key.unit is None:
        return getattr(value, "value", value)
    if isinstance(value, datetime):
        value = day_of(value, zone)
    if key.unit == "week":
        return value - timedelta(days=value.weekday())
    return value.replace(day=1) if key.unit == "month" else value


def _number(measure: Measure, row: dict[str, Any]) -> int:
    if measure.since is None:
        return 100 * int(row[measure.column])
    return int((row[measure.column] - row[measure.since]).total_seconds())


def _merged(found: Iterable[Group], keys: Sequence[Key]) -> list[Group]:
    """One group for each combination of values of the keys."""
    merged: dict[tuple[Any, ...], Group] = {}
    for group in found:
        shared = {key.name: group.keys[key.name] for key in keys}
        merged.setdefault(tuple(shared.values()), Group(shared)).take(group)
    return list(merged.values())


def _tellable(found: list[Group], keys: Sequence[Key], least: int) -> list[Group]:
    """The cells of enough persons, without the smallest of them where another was too small.

    What is left out is then of enough persons as well, whatever sum it is taken from.
    """
    large = [cell for cell in found if len(cell.persons) >= least]
    if len(large) < len(found):
        large.sort(key=lambda cell: (len(cell.persons), _order(cell, keys)))
        del large[:1]
    return large


def _order(group: Group, keys: Sequence[Key]) -> tuple[tuple[bool, Any], ...]:
    """Where a group stands: by its keys, empty ones last."""
    values = (group.keys[key.name] for key in keys)
    return tuple((value is None, "" if value is None else value) for value in values)


def _holds(test: Test, group: Group) -> bool:
    value = group.keys[test.key.name]
    if test.comparison == "empty":
        return (value is None) is test.value
    if value is None:
        return False
    if test.comparison == "in":
        return value in [_stored(each) for each in test.value]
    given = _stored(test.value)
    match test.comparison:
        case "eq":
            return bool(value == given)
        case "lt":
            return bool(value < given)
        case "lte":
            return bool(value <= given)
        case "gt":
            return bool(value > given)
    return bool(value >= given)


def _stored(given: Any) -> date | str | Any:
    value = value_of(given)
    return getattr(value, "value", value)

"""Keyset pages: a slice of an ordered list, for the whole list or for each of many parents."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Generic, TypeVar
from uuid import UUID

from tortoise import fields
from tortoise.expressions import Case, RawSQL, When
from tortoise.functions import Count
from tortoise.models import Model
from tortoise.queryset import QuerySet

from core.errors import CursorInvalid, PageInvalid
from models.conditions import NEVER, Compare, Condition, IsNull, every, filled, some, to_q, value_of

M = TypeVar("M", bound=Model)

LARGEST = 100
USUAL = 50
_RANK = "page_rank"


@dataclass(frozen=True, slots=True)
class Term:
    """One column of an order. Empty values come last in either direction."""

    column: str
    descending: bool = False


Order = tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Slice:
    """Which part of an ordered list: ``size`` rows from its start or, backward, from its end.

    ``size`` and what lies in ``beyond`` may be slots, where a statement is to serve again.
    """

    order: Order
    size: Any = USUAL
    backward: bool = False
    # The values of the order's columns and the id at which the slice begins, exclusively.
    beyond: tuple[Any, ...] | None = None


@dataclass(frozen=True, slots=True)
class Page(Generic[M]):
    """The rows of a slice, and whether there are rows before and behind them."""

    rows: list[M]
    order: Order
    has_next: bool
    has_previous: bool

    def cursor(self, row: M) -> str:
        return cursor_of(self.order, row)


def slice_of(
    model: type[Model],
    order: Order,
    *,
    first: int | None = None,
    after: str | None = None,
    last: int | None = None,
    before: str | None = None,
) -> Slice:
    """The slice that connection arguments ask for; raises PageInvalid and CursorInvalid."""
    backward = is_backward(first, after, last, before)
    name, size = ("last", last) if backward else ("first", first)
    name_of_cursor, cursor = ("before", before) if backward else ("after", after)
    size = USUAL if size is None else checked_size(size, name)
    beyond = None if cursor is None else beyond_of(model, order, cursor, name_of_cursor)
    return Slice(order, size, backward, beyond)


def is_backward(first: object, after: object, last: object, before: object) -> bool:
    """Whether the arguments that are given ask from the end; raises PageInvalid."""
    backward = last is not None or (before is not None and first is None)
    if backward and (first is not None or after is not None):
        raise PageInvalid("last")
    if not backward and before is not None:
        raise PageInvalid("before")
    return backward


def checked_size(size: int, name: str) -> int:
    """The size of a page; raises PageInvalid."""
    if not 1 <= size <= LARGEST:
        raise PageInvalid(name, largest=LARGEST)
    return size


def cursor_of(order: Order, row: Model) -> str:
    """An opaque cursor, bound to its order: upper-case hex, which every database can print."""
    return _written(order, [getattr(row, term.column) for term in order], row.pk)


def _written(order: Order, values: Sequence[Any], row_id: UUID) -> str:
    content = [signature(order), *map(_plain, values), str(row_id)]
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return text.encode().hex().upper()


def signature(order: Order) -> str:
    """What binds a cursor to its order."""
    return ",".join(("-" if term.descending else "") + term.column for term in order)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


def beyond_of(model: type[Model], order: Order, cursor: str, field: str) -> tuple[Any, ...]:
    """The values and the id that a cursor holds; raises CursorInvalid."""
    try:
        if len(cursor) > 8_000:
            raise ValueError
        content = json.loads(bytes.fromhex(cursor))
        bound_to, *values, row_id = content
        if bound_to != signature(order) or len(values) != len(order):
            raise ValueError
        read = [_read(model, term.column, value) for term, value in zip(order, values, strict=True)]
        row = UUID(row_id)
        # Only what is written here is taken, to the letter: other forms of a value, such as an
        # offset of a moment, the databases may order otherwise.
        if cursor != _written(order, read, row):
            raise ValueError
        return (*read, row)
    except (ValueError, TypeError, AttributeError, ArithmeticError, RecursionError):
        raise CursorInvalid(field) from None


def _read(model: type[Model], column: str, value: Any) -> Any:
    kind = model._meta.fields_map[column]
    if value is None:
        if not kind.null:
            raise ValueError
        return None
    if isinstance(kind, fields.DatetimeField):
        return datetime.fromisoformat(value)
    if isinstance(kind, fields.DateField):
        return date.fromisoformat(value)
    if isinstance(kind, fields.DecimalField):
        number = kind.to_python_value(Decimal(value))
        if number is None or abs(number) >= 10 ** (kind.max_digits - kind.decimal_places):
            raise ValueError
        return number
    if isinstance(kind, fields.IntField | fields.BigIntField):
        if not isinstance(value, int) or isinstance(value, bool) or abs(value) >= 2**31:
            raise ValueError
        return value
    if not isinstance(value, str) or "\0" in value:
        raise ValueError
    value.encode()  # a lone surrogate is a ValueError
    return value


async def page(rows: QuerySet[M], part: Slice) -> Page[M]:
    """One slice of a list, in one statement."""
    found = await _ordered(_behind(rows, part), part).limit(part.size + 1)
    return _page(list(found), part)


async def pages_by(
    rows: QuerySet[M], by: str, parents: Sequence[UUID], part: Slice
) -> dict[UUID, Page[M]]:
    """The same slice of each parent's list, in one statement for all of them."""
    model = rows.model
    table = model._meta.db_table
    ranked = _ordered(_behind(rows.filter(**{f"{by}__in": list(parents)}), part), part)
    ordering = ", ".join(_sql_terms(model, part))
    ranked = ranked.order_by().annotate(
        **{_RANK: RawSQL(f'ROW_NUMBER() OVER (PARTITION BY "{table}"."{by}" ORDER BY {ordering})')}
    )
    ranked._choose_db_if_not_chosen()
    ranked._make_query()
    sql, values = ranked.query.get_parameterized_sql()
    wrapped = (
        f'SELECT * FROM ({sql}) AS "ranked" WHERE "{_RANK}" <= {part.size + 1} '  # noqa: S608
        f'ORDER BY "{by}", "{_RANK}"'
    )
    executor = ranked._db.executor_class(model=model, db=ranked._db)
    found = await executor.execute_select(
        wrapped, values, custom_fields=list(ranked._annotations.keys())
    )
    lists: dict[UUID, list[M]] = {parent: [] for parent in parents}
    for row in found:
        lists[getattr(row, by)].append(row)
    return {parent: _page(of_parent, part) for parent, of_parent in lists.items()}


async def counts_by(rows: QuerySet[M], by: str, parents: Sequence[UUID]) -> dict[UUID, int]:
    """How many rows each parent has, in one statement for all of them."""
    counted = (
        await rows.filter(**{f"{by}__in": list(parents)})
        .annotate(count=Count("id"))
        .group_by(by)
        .values_list(by, "count")
    )
    found = {parent: int(count) for parent, count in counted}
    return {parent: found.get(parent, 0) for parent in parents}


def _page(found: list[M], part: Slice) -> Page[M]:
    more = len(found) > part.size
    found = found[: part.size]
    beyond = part.beyond is not None
    if part.backward:
        return Page(found[::-1], part.order, has_next=beyond, has_previous=more)
    return Page(found, part.order, has_next=more, has_previous=beyond)


def _ordered(rows: QuerySet[M], part: Slice) -> QuerySet[M]:
    """In the order of the slice; empty values last, by a flag where the column may be empty."""
    names = []
    for term in part.order:
        if may_be_empty(rows.model, term.column):
            flag = f"empty_{term.column}"
            empty = Case(When(to_q(IsNull(term.column)), then="1"), default="0")
            rows = rows.annotate(**{flag: empty})
            names.append(f"-{flag}" if part.backward else flag)
        names.append(f"-{term.column}" if term.descending != part.backward else term.column)
    return rows.order_by(*names, "-id" if part.backward else "id")


def _sql_terms(model: type[Model], part: Slice) -> list[str]:
    table = model._meta.db_table
    terms = []
    for term in part.order:
        column = f'"{table}"."{model._meta.fields_db_projection[term.column]}"'
        if may_be_empty(model, term.column):
            direction = "DESC" if part.backward else "ASC"
            terms.append(f"CASE WHEN {column} IS NULL THEN 1 ELSE 0 END {direction}")
        terms.append(f"{column} {'DESC' if term.descending != part.backward else 'ASC'}")
    return [*terms, f'"{table}"."id" {"DESC" if part.backward else "ASC"}']


def may_be_empty(model: type[Model], column: str) -> bool:
    """Whether rows may have no value in a column."""
    return bool(model._meta.fields_map[column].null)


def _behind(rows: QuerySet[M], part: Slice) -> QuerySet[M]:
    return rows if part.beyond is None else rows.filter(to_q(behind(rows.model, part)))


def behind(model: type[Model], part: Slice) -> Condition:
    """Only the rows that stand behind the cursor, in the direction of the slice."""
    assert part.beyond is not None
    *values, row_id = part.beyond
    equal: list[Condition] = []
    branches: list[Condition] = []
    for term, value in zip(part.order, values, strict=True):
        branches.append(every(*equal, _further(model, term, value, backward=part.backward)))
        empty = value_of(value) is None
        equal.append(IsNull(term.column) if empty else Compare(term.column, "eq", value))
    branches.append(every(*equal, Compare("id", "lt" if part.backward else "gt", row_id)))
    return some(*branches)


def _further(model: type[Model], term: Term, value: Any, *, backward: bool) -> Condition:
    """The rows whose column stands strictly behind a value."""
    column = term.column
    if value_of(value) is None:
        return filled(column) if backward else NEVER
    further: Condition = Compare(column, "lt" if term.descending != backward else "gt", value)
    if may_be_empty(model, column) and not backward:
        further = some(further, IsNull(column))
    return further

"""Keyset pages: a slice of an ordered list, for the whole list or for each of many parents."""

import base64
import binascii
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Generic, TypeVar
from uuid import UUID

from tortoise import fields
from tortoise.expressions import Case, Q, RawSQL, When
from tortoise.functions import Count
from tortoise.models import Model
from tortoise.queryset import QuerySet

from core.errors import CursorInvalid, PageInvalid
from models.lookups import where

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
    """Which part of an ordered list: ``size`` rows from its start or, backward, from its end."""

    order: Order
    size: int = USUAL
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
    backward = last is not None or (before is not None and first is None)
    if backward and (first is not None or after is not None):
        raise PageInvalid("last")
    if not backward and before is not None:
        raise PageInvalid("before")
    name, size = ("last", last) if backward else ("first", first)
    if size is not None and not 1 <= size <= LARGEST:
        raise PageInvalid(name, largest=LARGEST)
    name, cursor = ("before", before) if backward else ("after", after)
    beyond = None if cursor is None else _beyond(model, order, cursor, name)
    return Slice(order, size or USUAL, backward, beyond)


def cursor_of(order: Order, row: Model) -> str:
    """An opaque cursor, bound to its order."""
    values = [_plain(getattr(row, term.column)) for term in order]
    content = json.dumps([_signature(order), *values, str(row.pk)], ensure_ascii=False)
    return base64.urlsafe_b64encode(content.encode()).decode().rstrip("=")


def _signature(order: Order) -> str:
    return ",".join(("-" if term.descending else "") + term.column for term in order)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


def _beyond(model: type[Model], order: Order, cursor: str, field: str) -> tuple[Any, ...]:
    try:
        if len(cursor) > 4_000:
            raise ValueError
        padded = cursor + "=" * (-len(cursor) % 4)
        content = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        signature, *values, row_id = content
        if signature != _signature(order) or len(values) != len(order):
            raise ValueError
        read = [_read(model, term.column, value) for term, value in zip(order, values, strict=True)]
        return (*read, UUID(row_id))
    except (
        ValueError,
        TypeError,
        AttributeError,
        binascii.Error,
        InvalidOperation,
        RecursionError,
    ):
        raise CursorInvalid(field) from None


def _read(model: type[Model], column: str, value: Any) -> Any:
    kind = model._meta.fields_map[column]
    if value is None:
        if not kind.null:
            raise ValueError
        return None
    if isinstance(kind, fields.DatetimeField):
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise ValueError
        return moment
    if isinstance(kind, fields.DateField):
        return date.fromisoformat(value)
    if isinstance(kind, fields.DecimalField):
        return Decimal(value)
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
        if _may_be_empty(rows.model, term.column):
            flag = f"empty_{term.column}"
            empty = Case(When(where(f"{term.column}__isnull", True), then="1"), default="0")
            rows = rows.annotate(**{flag: empty})
            names.append(f"-{flag}" if part.backward else flag)
        names.append(f"-{term.column}" if term.descending != part.backward else term.column)
    return rows.order_by(*names, "-id" if part.backward else "id")


def _sql_terms(model: type[Model], part: Slice) -> list[str]:
    table = model._meta.db_table
    terms = []
    for term in part.order:
        column = f'"{table}"."{model._meta.fields_db_projection[term.column]}"'
        if _may_be_empty(model, term.column):
            direction = "DESC" if part.backward else "ASC"
            terms.append(f"CASE WHEN {column} IS NULL THEN 1 ELSE 0 END {direction}")
        terms.append(f"{column} {'DESC' if term.descending != part.backward else 'ASC'}")
    return [*terms, f'"{table}"."id" {"DESC" if part.backward else "ASC"}']


def _may_be_empty(model: type[Model], column: str) -> bool:
    return bool(model._meta.fields_map[column].null)


def _behind(rows: QuerySet[M], part: Slice) -> QuerySet[M]:
    """Only the rows that stand behind the cursor, in the direction of the slice."""
    if part.beyond is None:
        return rows
    *values, row_id = part.beyond
    equal = Q()
    branches = []
    for term, value in zip(part.order, values, strict=True):
        further = _further(rows.model, term, value, backward=part.backward)
        if further is not None:
            branches.append(equal & further)
        equal &= (
            where(f"{term.column}__isnull", True) if value is None else where(term.column, value)
        )
    branches.append(equal & where("id__lt" if part.backward else "id__gt", row_id))
    return rows.filter(Q(*branches, join_type=Q.OR))


def _further(model: type[Model], term: Term, value: Any, *, backward: bool) -> Q | None:
    """The rows whose column stands strictly behind a value; None where there can be none."""
    column = term.column
    if value is None:
        return where(f"{column}__isnull", False) if backward else None
    comparison = "lt" if term.descending != backward else "gt"
    further = where(f"{column}__{comparison}", value)
    if _may_be_empty(model, column) and not backward:
        further |= where(f"{column}__isnull", True)
    return further

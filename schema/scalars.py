"""The scalars, each in the one form in which every executor and database prints it."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, NewType

import strawberry
from strawberry.types.scalar import ScalarDefinition

from core.text import mask

Masked = NewType("Masked", str)

# Python reads more: weeks, digits of every script, underscores, spaces, exponents.
_DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NUMBER = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,20})?")


def _print_moment(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _read_moment(value: Any) -> datetime:
    if not isinstance(value, str) or len(value) > 40:
        raise ValueError("a moment is written 2026-03-02T09:00:00Z")
    moment = datetime.fromisoformat(value)
    if moment.tzinfo is None or not 1900 <= moment.year <= 2200:
        raise ValueError("a moment is written 2026-03-02T09:00:00Z")
    return moment.astimezone(UTC).replace(microsecond=0)


def _read_date(value: Any) -> date:
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        raise ValueError("a date is written 2026-03-02")
    day = date.fromisoformat(value)
    if not 1900 <= day.year <= 2200:
        raise ValueError("a date lies between 1900 and 2200")
    return day


def _read_decimal(value: Any) -> Decimal:
    if not _NUMBER.fullmatch(str(value)):
        raise ValueError("a decimal number is written 0.50")
    return Decimal(str(value))


def _never(_value: Any) -> Any:
    raise ValueError("a masked value cannot be sent")


def _scalar(name: str, description: str, **options: Any) -> ScalarDefinition:
    made: ScalarDefinition = strawberry.scalar(name=name, description=description, **options)
    return made


SCALARS: dict[object, ScalarDefinition] = {
    date: _scalar(
        "Date",
        "A calendar day: 2026-03-02.",
        serialize=lambda day: day.isoformat(),
        parse_value=_read_date,
    ),
    datetime: _scalar(
        "DateTime",
        "An instant in UTC, in whole seconds: 2026-03-02T09:00:00Z. Any offset is read.",
        serialize=_print_moment,
        parse_value=_read_moment,
    ),
    Decimal: _scalar(
        "Decimal", "A decimal number as text: 0.50.", serialize=str, parse_value=_read_decimal
    ),
    Masked: _scalar(
        "Masked",
        "A value of which only the last letters or digits are shown: recognised, not known.",
        serialize=str,
        parse_value=_never,
    ),
}


def masked(value: object, keep: int) -> str | None:
    """A value as it is shown to whom it is masked."""
    if value is None:
        return None
    return mask(value.isoformat() if isinstance(value, date) else str(value), keep)

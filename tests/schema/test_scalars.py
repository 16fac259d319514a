"""Scalars read the one form in which they are told to be written."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from schema.scalars import SCALARS

pytestmark = pytest.mark.any_database


def _read(kind: object, value: Any) -> Any:
    reads = SCALARS[kind].parse_value
    assert reads is not None
    return reads(value)


@pytest.mark.parametrize(
    "value",
    ["2026-W01-1", "20260302", "2026-3-002", " 2026-3-02", "２０２６-03-02", "2026-02-30", 7],
)
def test_a_date_of_another_form_is_refused(value: Any) -> None:
    with pytest.raises(ValueError):
        _read(date, value)
    assert _read(date, "2026-03-02") == date(2026, 3, 2)


@pytest.mark.parametrize(
    "value",
    [
        *("1_0", " 1", "1 ", "1\n", "１", "٣", "", ".", "1.", ".5", "+1", "1e3", "NaN", "Infinity"),
        *("1" * 13, True, [1], None),
    ],
)
def test_a_decimal_of_another_form_is_refused(value: Any) -> None:
    with pytest.raises(ValueError):
        _read(Decimal, value)


@pytest.mark.parametrize("value", ["0.50", "-1", 1, 0.5, "999999999999.99"])
def test_a_decimal_comes_as_text_or_as_a_number(value: Any) -> None:
    assert _read(Decimal, value) == Decimal(str(value))

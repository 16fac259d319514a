"""Worked time: hours, nights, duty at home, norm and overtime, by vectors worked out by hand."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from models.organisation import POSITIONS, DictionaryEntry, Organisation
from models.practitioner import Position
from models.shift import Shift, ShiftKind, ShiftState
from resolvers.worktime import (
    Period,
    PeriodOutOfRange,
    WorkedTime,
    period_of,
    worked_time,
    worked_times,
)
from tests import factories as make

MOSCOW, VLADIVOSTOK, BERLIN = "Europe/Moscow", "Asia/Vladivostok", "Europe/Berlin"
MARCH = Period(date(2026, 3, 1), date(2026, 3, 31))
# A Monday in Moscow, three hours before UTC.
MONDAY = datetime(2026, 3, 1, 21, tzinfo=UTC)
WEEK = Period(date(2026, 3, 2), date(2026, 3, 8))


def shift(hour: float, hours: float, kind: ShiftKind = ShiftKind.DAY) -> Shift:
    """A shift that begins so many hours after Monday's midnight in Moscow."""
    start = MONDAY + timedelta(hours=hour)
    return Shift(kind=kind, starts_at=start, ends_at=start + timedelta(hours=hours))


def post(rate: str | None = "1.00", weekly: str | None = None, **days: Any) -> Position:
    return Position(
        rate=rate and Decimal(rate),
        weekly_norm=weekly and Decimal(weekly),
        **{"starts_on": date(2020, 1, 1), "ends_on": None, **days},
    )


def counted(
    shifts: list[Shift], *, period: Period = WEEK, zone: str = MOSCOW
) -> tuple[str, str, str, int]:
    found = worked_time(shifts, [], period, Organisation(zone=zone))
    return str(found.hours), str(found.night_hours), str(found.home_duty_hours), found.shifts


@pytest.mark.parametrize(
    ("shifts", "expected"),
    [
        ([], ("0.00", "0.00", "0.00", 0)),
        ([shift(8, 8)], ("8.00", "0.00", "0.00", 1)),
        # Over midnight: once, and eight hours of it at night.
        ([shift(20, 12)], ("12.00", "8.00", "0.00", 1)),
        ([shift(8, 24)], ("24.00", "8.00", "0.00", 1)),
        # The edges of the night: 22:00 is in it, 06:00 is not.
        ([shift(22, 8)], ("8.00", "8.00", "0.00", 1)),
        ([shift(6, 16)], ("16.00", "0.00", "0.00", 1)),
        ([shift(5.5, 1)], ("1.00", "0.50", "0.00", 1)),
        ([shift(21.5, 1)], ("1.00", "0.50", "0.00", 1)),
        # A duty at home counts half, its night too.
        ([shift(20, 12, ShiftKind.HOME_DUTY)], ("6.00", "4.00", "12.00", 1)),
        ([shift(8, 8), shift(32, 8, ShiftKind.HOME_DUTY)], ("12.00", "0.00", "8.00", 2)),
        # Twenty minutes three times are an hour: rounded once, at the end.
        ([shift(8 + n * 24, 1 / 3) for n in range(3)], ("1.00", "0.00", "0.00", 3)),
        ([shift(8, 1 / 3)], ("0.33", "0.00", "0.00", 1)),
        # From the Sunday before: what lies in the week, and no shift that began in it.
        ([shift(-4, 12)], ("8.00", "6.00", "0.00", 0)),
        # Into the Monday after.
        ([shift(6 * 24 + 20, 12)], ("4.00", "2.00", "0.00", 1)),
        # Up to the edges, and from them on.
        ([shift(-8, 8), shift(7 * 24, 8)], ("0.00", "0.00", "0.00", 0)),
    ],
)
def test_hours_nights_and_duty_at_home(shifts: list[Shift], expected: Any) -> None:
    assert counted(shifts) == expected


def test_two_periods_side_by_side_hold_a_shift_once() -> None:
    over_the_edge = [shift(-4, 12)]
    before = Period(date(2026, 2, 23), date(2026, 3, 1))
    assert counted(over_the_edge, period=before) == ("4.00", "2.00", "0.00", 1)
    assert counted(over_the_edge) == ("8.00", "6.00", "0.00", 0)


def test_days_and_nights_are_those_of_the_zone() -> None:
    # 21:00–05:00 UTC: from midnight in Moscow, from 07:00 in Vladivostok.
    assert counted([shift(0, 8)]) == ("8.00", "6.00", "0.00", 1)
    assert counted([shift(0, 8)], zone=VLADIVOSTOK) == ("8.00", "0.00", "0.00", 1)
    # 16:00 on Sunday in Moscow is 23:00 in Vladivostok: an hour of Sunday, seven of Monday.
    assert counted([shift(-8, 8)], zone=VLADIVOSTOK) == ("7.00", "6.00", "0.00", 0)


def test_the_hours_that_passed_count_where_clocks_are_moved() -> None:
    # On 29 March 2026 Berlin goes from 02:00 to 03:00: 22:00–06:00 are seven hours.
    start = datetime(2026, 3, 28, 21, tzinfo=UTC)
    night = Shift(kind=ShiftKind.NIGHT, starts_at=start, ends_at=start + timedelta(hours=7))
    assert counted([night], period=MARCH, zone=BERLIN) == ("7.00", "7.00", "0.00", 1)


@pytest.mark.parametrize(
    ("positions", "period", "norm"),
    [
        ([post()], WEEK, "39.00"),
        # 22 workdays of 7.8 hours.
        ([post()], MARCH, "171.60"),
        ([post("0.50")], WEEK, "19.50"),
        ([post("1.00", "36")], WEEK, "36.00"),
        ([post("0.50", "30")], WEEK, "15.00"),
        ([post(), post("0.25")], WEEK, "48.75"),
        # From Wednesday on; until Tuesday; on Saturday and Sunday alone.
        ([post(starts_on=date(2026, 3, 4))], WEEK, "23.40"),
        ([post(ends_on=date(2026, 3, 3))], WEEK, "15.60"),
        ([post(starts_on=date(2026, 3, 7))], WEEK, "0.00"),
        # Half a rate first, a whole one after.
        ([post("0.50", ends_on=date(2026, 3, 3)), post(starts_on=date(2026, 3, 4))], WEEK, "31.20"),
        ([], WEEK, None),
        # Never guessed: the norm of one whose rate nobody has told.
        ([post(None)], WEEK, None),
        ([post(), post(None)], WEEK, None),
    ],
)
def test_the_norm_of_positions(positions: list[Position], period: Period, norm: str | None) -> None:
    found = worked_time([], positions, period, Organisation(zone=MOSCOW))
    assert str(found.norm) == str(norm)
    assert found.overtime == (None if norm is None else Decimal(0))


def test_the_norm_of_an_organisation_is_a_setting() -> None:
    home = Organisation(zone=MOSCOW, weekly_norm=Decimal(36))
    assert worked_time([], [post(), post("1.00", "24")], WEEK, home).norm == Decimal(60)


@pytest.mark.parametrize(("days", "overtime"), [(4, "0.00"), (5, "1.00"), (6, "9.00")])
def test_overtime_is_what_exceeds_the_norm(days: int, overtime: str) -> None:
    shifts = [shift(8 + 24 * n, 8) for n in range(days)]
    assert worked_time(shifts, [post()], WEEK, Organisation(zone=MOSCOW)).overtime == (
        Decimal(overtime)
    )


@pytest.mark.parametrize(
    ("first", "last", "fits"),
    [
        (date(2026, 1, 1), date(2026, 1, 1), True),
        (date(2024, 1, 1), date(2024, 12, 31), True),
        (date(2026, 1, 1), date(2027, 1, 2), False),
        (date(2026, 1, 2), date(2026, 1, 1), False),
    ],
)
def test_a_period_is_of_one_day_to_a_year(first: date, last: date, fits: bool) -> None:
    if fits:
        assert period_of(first, last) == Period(first, last)
        return
    with pytest.raises(PeriodOutOfRange) as refused:
        period_of(first, last)
    assert (refused.value.field, refused.value.values) == ("to", {"longest": 366})


async def test_only_what_is_approved_and_over_counts_of_each_in_their_zone(database: str) -> None:
    here, far = await make.organisation(), await make.organisation(zone=VLADIVOSTOK)
    far.weekly_norm = Decimal(30)
    await far.save()
    wards = [await make.department(place) for place in (here, far)]
    title = await DictionaryEntry.create(oid=POSITIONS, version="1.0", code="1", name="врач")
    people = [await make.practitioner(ward) for ward in wards]
    for person, ward in zip(people, wards, strict=True):
        await Position.create(
            organisation_id=ward.organisation_id,
            practitioner=person,
            department=ward,
            title=title,
            rate="1.00",
            starts_on=date(2026, 1, 1),
        )
        for number, state in enumerate(ShiftState):
            await make.shift(
                ward,
                practitioner=None if state is ShiftState.OPEN else person,
                state=state,
                starts_at=MONDAY + timedelta(hours=24 * number),
                ends_at=MONDAY + timedelta(hours=24 * number + 8),
            )
        # Approved, and not over yet.
        await make.shift(
            ward,
            practitioner=person,
            state=ShiftState.APPROVED,
            starts_at=MONDAY + timedelta(days=10),
            ends_at=MONDAY + timedelta(days=10, hours=8),
        )
    idle = await make.practitioner(wards[0])

    now = MONDAY + timedelta(days=10, hours=7)
    found = await worked_times([*people, idle], MARCH, now)

    def expected(night: str, norm: str) -> WorkedTime:
        eight, none = Decimal("8.00"), Decimal("0.00")
        return WorkedTime(eight, Decimal(night), none, Decimal(norm), none, 1)

    zero = Decimal("0.00")
    assert [found[person] for person in people] == [
        expected("6.00", "171.60"),
        expected("0.00", "132.00"),
    ]
    assert found[idle] == WorkedTime(zero, zero, zero, None, None, 0)

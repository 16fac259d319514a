"""Worked time: hours, nights, duty at home and overtime of workers over a period of days.

Counted are approved shifts that have ended, each as far as it lies in the period; a duty at home
counts half. Days and nights are those of the organisation's zone, hours the ones that passed.
The norm of a period is, for each position, its weekly norm / 5 × its rate for every Monday to
Friday on which it is held (order 588n of 2009, without public holidays: no calendar of them yet).
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import TypeVar
from uuid import UUID
from zoneinfo import ZoneInfo

from tortoise.expressions import Q

from core.errors import InputInvalid
from models.organisation import Organisation
from models.practitioner import Position, Practitioner
from models.shift import Shift, ShiftKind, ShiftState

R = TypeVar("R", Position, Shift)
Span = tuple[datetime, datetime]


class PeriodOutOfRange(InputInvalid):
    """A period of days that ends before it begins, or is longer than a year."""

    code = "PERIOD_OUT_OF_RANGE"


# Labour Code, article 96.
NIGHT = (time(22), time(6))
LONGEST = timedelta(days=366)
_DAY = timedelta(days=1)
_HALF = Decimal("0.5")
_WORKDAYS = 5


@dataclass(frozen=True, slots=True)
class Period:
    """The days from ``first`` to ``last``, both among them."""

    first: date
    last: date

    def span(self, zone: str) -> Span:
        """Its instants in a zone: the first inclusive, the last exclusive."""
        return _instant(self.first, time(), zone), _instant(self.last + _DAY, time(), zone)

    def workdays(self) -> list[date]:
        days = (self.first + timedelta(days=n) for n in range((self.last - self.first).days + 1))
        return [day for day in days if day.weekday() < _WORKDAYS]


@dataclass(frozen=True, slots=True)
class WorkedTime:
    """Hours to the hundredth.

    ``hours`` and ``night_hours`` hold half of a duty at home, ``home_duty_hours`` all of it.
    ``norm`` and ``overtime`` are None where no position is held in the period, or the rate of one
    is not known. ``shifts`` counts those that begin in the period.
    """

    hours: Decimal
    night_hours: Decimal
    home_duty_hours: Decimal
    norm: Decimal | None
    overtime: Decimal | None
    shifts: int


def period_of(first: date, last: date) -> Period:
    """The period of two days, for arguments ``from`` and ``to``; raises PeriodOutOfRange."""
    if not _DAY <= last - first + _DAY <= LONGEST:
        raise PeriodOutOfRange("to", longest=LONGEST.days)
    return Period(first, last)


async def worked_times(
    people: Sequence[Practitioner], period: Period, now: datetime
) -> dict[Practitioner, WorkedTime]:
    """What each has worked by ``now``, in three statements however many they are.

    All of a person's shifts and positions count, whichever of them the caller may see.
    """
    ids = [person.id for person in people]
    homes = {
        home.id: home
        for home in await Organisation.filter(id__in={person.organisation_id for person in people})
    }
    spans = [period.span(home.zone) for home in homes.values()]
    positions = await Position.filter(
        Q(ends_on__isnull=True) | Q(ends_on__gte=period.first),
        practitioner_id__in=ids,
        starts_on__lte=period.last,
    )
    shifts = await Shift.filter(
        practitioner_id__in=ids,
        state=ShiftState.APPROVED,
        ends_at__lte=now,
        ends_at__gt=min(start for start, _ in spans),
        starts_at__lt=max(end for _, end in spans),
    )
    posts_of, shifts_of = _by_person(positions), _by_person(shifts)
    return {
        person: worked_time(
            shifts_of[person.id], posts_of[person.id], period, homes[person.organisation_id]
        )
        for person in people
    }


def worked_time(
    shifts: Iterable[Shift], positions: Iterable[Position], period: Period, home: Organisation
) -> WorkedTime:
    """What one person has worked in a period, by shifts that count and positions held in it."""
    whole = period.span(home.zone)
    at_work = nights = at_home = Decimal(0)
    begun = 0
    for shift in shifts:
        begun += whole[0] <= shift.starts_at < whole[1]
        span = max(shift.starts_at, whole[0]), min(shift.ends_at, whole[1])
        share = _HALF if shift.kind is ShiftKind.HOME_DUTY else 1
        at_work += share * _seconds(span)
        nights += share * sum(_seconds(night) for night in _nights(span, home.zone))
        if shift.kind is ShiftKind.HOME_DUTY:
            at_home += _seconds(span)
    hours, norm = _hours(at_work), _norm(positions, period, home.weekly_norm)
    return WorkedTime(
        hours=hours,
        night_hours=_hours(nights),
        home_duty_hours=_hours(at_home),
        norm=norm,
        overtime=None if norm is None else max(hours - norm, Decimal("0.00")),
        shifts=begun,
    )


def _norm(positions: Iterable[Position], period: Period, usual: Decimal) -> Decimal | None:
    workdays = period.workdays()
    found: Decimal | None = None
    for held in positions:
        days = bisect_right(workdays, held.ends_on or period.last)
        days -= bisect_left(workdays, held.starts_on)
        if held.rate is None:
            return None
        weekly = usual if held.weekly_norm is None else held.weekly_norm
        found = (found or Decimal(0)) + days * held.rate * weekly / _WORKDAYS
    return None if found is None else _rounded(found)


def _nights(span: Span, zone: str) -> Iterator[Span]:
    """The parts of a span that are night in a zone."""
    start, end = span
    day = start.astimezone(ZoneInfo(zone)).date() - _DAY
    while (night := _instant(day, NIGHT[0], zone)) < end:
        yield max(start, night), min(end, _instant(day + _DAY, NIGHT[1], zone))
        day += _DAY


def _instant(day: date, hour: time, zone: str) -> datetime:
    # In UTC: arithmetic within one zone leaves out the hour by which clocks are moved.
    return datetime.combine(day, hour, ZoneInfo(zone)).astimezone(UTC)


def _seconds(span: Span) -> int:
    return max((span[1] - span[0]) // timedelta(seconds=1), 0)


def _hours(seconds: Decimal) -> Decimal:
    return _rounded(seconds / 3600)


def _rounded(number: Decimal) -> Decimal:
    return number.quantize(Decimal("0.01"), ROUND_HALF_UP)


def _by_person(rows: Iterable[R]) -> Mapping[UUID | None, list[R]]:
    found: defaultdict[UUID | None, list[R]] = defaultdict(list)
    for row in rows:
        found[row.practitioner_id].append(row)
    return found

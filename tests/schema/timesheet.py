"""A timesheet kept by hand: what a worker has worked around now, counted second by second."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from core.clock import day_of
from models.organisation import Organisation
from models.practitioner import Position
from models.shift import Shift, ShiftKind, ShiftState
from tests.schema.sight import Sight

_HOUR, _DAY = 3_600, 86_400


def timesheet_of(sight: Sight) -> str:
    """The field that asks for it."""
    first, last = _days(sight)
    return (
        f'workedTime(from: "{first}", to: "{last}")'
        " { hours nightHours homeDutyHours norm overtime shifts }"
    )


def timesheet(sight: Sight, worker: Any) -> dict[str, Any]:
    """Every shift of the worker's that is done and every position held, seen by nobody or not."""
    first, last = _days(sight)
    home = sight.snapshot.get(Organisation, worker.organisation_id)
    hours = nights = at_home = Decimal(0)
    begun = 0
    for shift in sight.snapshot.rows[Shift]:
        done = shift.state is ShiftState.APPROVED and shift.ends_at <= sight.now
        if shift.practitioner_id != worker.id or not done:
            continue
        here, dark = _counted(shift.starts_at, shift.ends_at, home.zone, first, last)
        is_home = shift.kind is ShiftKind.HOME_DUTY
        hours += Decimal(here) / (2 if is_home else 1)
        nights += Decimal(dark) / (2 if is_home else 1)
        at_home += here if is_home else 0
        begun += first <= day_of(shift.starts_at, home.zone) <= last
    norm = _norm(sight, worker, home, first, last)
    over = None if norm is None else max(_text(hours) - norm, Decimal("0.00"))
    return {
        "hours": str(_text(hours)),
        "nightHours": str(_text(nights)),
        "homeDutyHours": str(_text(at_home)),
        "norm": None if norm is None else str(norm),
        "overtime": None if over is None else str(over),
        "shifts": begun,
    }


def _days(sight: Sight) -> tuple[date, date]:
    # Its edges cut shifts in two: they stand at every hour of the day.
    return sight.now.date() - timedelta(days=15), sight.now.date() + timedelta(days=3)


@cache
def _counted(
    starts_at: datetime, ends_at: datetime, zone: str, first: date, last: date
) -> tuple[int, int]:
    """Seconds of a shift within the days, and of the night among them."""
    offset = starts_at.astimezone(ZoneInfo(zone)).utcoffset()
    assert offset is not None
    move = int(offset.total_seconds())
    start, end = (int(moment.timestamp()) + move for moment in (starts_at, ends_at))
    zero = date(1970, 1, 1)
    days = range((first - zero).days, (last - zero).days + 1)
    here = [second for second in range(start, end) if second // _DAY in days]
    dark = sum(not 6 * _HOUR <= second % _DAY < 22 * _HOUR for second in here)
    return len(here), dark


def _norm(sight: Sight, worker: Any, home: Any, first: date, last: date) -> Decimal | None:
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    held = [
        (position, sum(position.is_held_on(day) and day.isoweekday() < 6 for day in days))
        for position in sight.snapshot.rows[Position]
        if position.practitioner_id == worker.id and any(map(position.is_held_on, days))
    ]
    if not held or any(position.rate is None for position, _ in held):
        return None
    hours = sum(n * p.rate * (p.weekly_norm or home.weekly_norm) / 5 for p, n in held)
    return _text(Decimal(hours) * _HOUR)


def _text(seconds: Decimal) -> Decimal:
    return (seconds / _HOUR).quantize(Decimal("0.01"), "ROUND_HALF_UP")

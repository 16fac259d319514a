"""The time: UTC instants in whole seconds, and the calendar day of a place."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import lru_cache
from time import time
from zoneinfo import ZoneInfo

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Now, in UTC, cut to the second: the precision in which rows are kept and printed."""
    return _moment(int(time()))


@lru_cache(maxsize=2)
def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def day_of(moment: datetime, zone: str) -> date:
    """The calendar day of a moment in an IANA time zone."""
    return moment.astimezone(ZoneInfo(zone)).date()

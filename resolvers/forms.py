"""Reading a form's values: each is checked by itself, and every wrong one is named at once."""

import re
import unicodedata
from collections.abc import Callable, Collection, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from core.errors import Problem, Problems

# Makes the stored value out of a given one; raises a Problem about the named field.
Check = Callable[[Any, str], Any]

# As dates are written for programs, and as people here write them.
_DAYS = (
    re.compile(r"(?P<year>[0-9]{4})-(?P<month>[0-9]{2})-(?P<day>[0-9]{2})"),
    re.compile(r"(?P<day>[0-9]{1,2})\.(?P<month>[0-9]{1,2})\.(?P<year>[0-9]{4})"),
)


class Required(Problem):
    """A value that must be there is not."""

    code = "REQUIRED"


class NameInvalid(Problem):
    """A name has letters, and neither digits nor signs."""

    code = "NAME_INVALID"


class ExactlyOne(Problem):
    """Of several values just one is wanted, and none or more were given."""

    code = "EXACTLY_ONE"


class TooLong(Problem):
    """Longer than what is kept."""

    code = "TOO_LONG"


class TextInvalid(Problem):
    """Text with characters that nobody can see or read."""

    code = "FIELD_INVALID"


class DateInvalid(Problem):
    """No day of the calendar, or not written as one."""

    code = "DATE_INVALID"


class DateInFuture(Problem):
    """The day is yet to come, and the event lies behind us."""

    code = "DATE_IN_FUTURE"


class DateTooEarly(Problem):
    """A day before anybody now living was born."""

    code = "DATE_TOO_EARLY"


class DatesReversed(Problem):
    """The end lies before the beginning."""

    code = "DATES_REVERSED"


class OutOfRange(Problem):
    """A number outside of what is allowed."""

    code = "OUT_OF_RANGE"


class ReasonNeeded(Problem):
    """The reason is missing or says nothing."""

    code = "REASON_REQUIRED"


class IdentityUnavailable(Problem):
    """A value that must be unique cannot be taken; whose it is, the caller may not see."""

    code = "IDENTITY_UNAVAILABLE"


_EARLIEST = date(1900, 1, 1)
_SHORTEST_REASON = 5


def read(
    values: Mapping[str, Any],
    checks: Mapping[str, Check],
    *,
    required: Collection[str] = (),
    problems: list[Problem],
) -> dict[str, Any]:
    """The stored form of the given values; what is wrong with them is added to ``problems``.

    Blank text is no value. A required value may be left out of ``values`` (an update changes
    only what it names) and may not be empty; see ``complete`` for the whole of a form.
    """
    stored: dict[str, Any] = {}
    for name, value in values.items():
        if value is None or (isinstance(value, str) and not value.strip()):
            if name in required:
                problems.append(Required(name))
            else:
                stored[name] = None
            continue
        try:
            stored[name] = checks[name](value, name)
        except Problem as problem:
            problems.append(problem)
    return stored


def complete(values: Mapping[str, Any], required: Collection[str]) -> dict[str, Any]:
    """The values with every required name among them, empty where nothing was given."""
    return {**dict.fromkeys(required), **values}


def refuse(problems: list[Problem]) -> None:
    """Raises Problems if there are any."""
    if problems:
        raise Problems(problems)


def text(length: int) -> Check:
    """Text in one line: outer and doubled spaces go."""

    def check(value: str, field: str) -> str:
        return _readable(" ".join(value.split()), length, field)

    return check


def name(length: int) -> Check:
    """A name of a person, in any script: letters, and what stands between them."""
    read = text(length)

    def check(value: str, field: str) -> str:
        found: str = read(value, field)
        if not any(map(str.isalpha, found)) or not all(map(_is_of_name, found)):
            raise NameInvalid(field)
        return found

    return check


def _is_of_name(sign: str) -> bool:
    return unicodedata.category(sign)[0] in "LM" or sign in " -\u2010\u2011\u2013'\u2019\u02bc`.,()"


def prose(length: int) -> Check:
    """Text that may have lines and paragraphs."""

    def check(value: str, field: str) -> str:
        return _readable(value.strip(), length, field, allowed="\n\r\t")

    return check


def _readable(value: str, length: int, field: str, allowed: str = "") -> str:
    value = unicodedata.normalize("NFC", value)
    if len(value) > length:
        raise TooLong(field, limit=length)
    # Control characters and lone surrogates: PostgreSQL refuses some of them, people all.
    if any(unicodedata.category(mark) in ("Cc", "Cs") for mark in set(value) - set(allowed)):
        raise TextInvalid(field)
    return value


def written_day(value: str, field: str) -> date:
    """A day that came as text, so that a form names it beside all else: 2026-03-02, 02.03.2026."""
    for form in _DAYS:
        found = form.fullmatch(value.strip())
        try:
            if found is not None:
                return date(**{part: int(digits) for part, digits in found.groupdict().items()})
        except ValueError:
            break
    raise DateInvalid(field)


def past(today: date) -> Check:
    """A day that is not later than today."""

    def check(value: date, field: str) -> date:
        if value > today:
            raise DateInFuture(field)
        return day(value, field)

    return check


def day(value: date, field: str) -> date:
    """A day of our time."""
    if value < _EARLIEST:
        raise DateTooEarly(field)
    return value


def whole(low: int, high: int) -> Check:
    """A whole number from ``low`` to ``high``."""

    def check(value: int, field: str) -> int:
        if not low <= value <= high:
            raise OutOfRange(field, low=low, high=high)
        return value

    return check


def hundredths(low: Decimal, high: Decimal) -> Check:
    """A number from ``low`` to ``high`` with at most two places."""

    def check(value: Decimal, field: str) -> Decimal:
        number = Decimal(value)
        if not (number.is_finite() and low <= number <= high and number == round(number, 2)):
            raise OutOfRange(field, low=str(low), high=str(high))
        return number

    return check


def as_given(value: Any, _field: str) -> Any:
    """A value that its type has checked already: an enum, an id."""
    return value


def reason_of(reason: str | None, length: int = 500) -> str:
    """A reason of a few words at least; raises ReasonNeeded, Problems."""
    given: str | None = optional(reason, prose(length), "reason")
    if given is None or len(given) < _SHORTEST_REASON:
        raise ReasonNeeded("reason", shortest=_SHORTEST_REASON)
    return given


def reason_or_problem(given: str, problems: list[Problem]) -> str:
    """The same, with what is wrong added to ``problems``."""
    try:
        return reason_of(given)
    except Problems as several:
        problems += several.problems
    except Problem as problem:
        problems.append(problem)
    return ""


def optional(value: Any, check: Check, field: str) -> Any:
    """One value that may be missing; raises Problems."""
    problems: list[Problem] = []
    stored = read({field: value}, {field: check}, problems=problems)
    refuse(problems)
    return stored[field]

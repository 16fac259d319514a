"""The two dialects: how each database prints JSON values and takes what is bound."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any, ClassVar, Protocol
from uuid import UUID

from execution.shape import Form
from resolvers.aggregates import Unit
from resolvers.pages import LARGEST

# The forms of which a dialect prints what stands within quotes.
QUOTED: frozenset[Form] = frozenset({"id", "name", "date", "decimal", "moment"})


# What SQLite keeps as the text that Python makes of it.
_AS_TEXT = (UUID, date, Decimal)


class Dialect(Protocol):
    """What differs between the databases."""

    forms: ClassVar[dict[Form, str]]
    # The first day of the period in which a day lies; a week begins on Monday.
    periods: ClassVar[dict[Unit, str]]
    hold: str
    fail: str
    # How a comparison is written that the database shall not look up in an index.
    unindexed: str

    def parameter(self, number: int) -> str:
        """The place of a bound value, counted from 1."""

    def bound(self, value: Any) -> Any:
        """A value as the driver takes it."""

    def number(self, column: str) -> str:
        """A decimal column, to be compared and ordered as a number."""

    def contains(self, column: str, value: str) -> str: ...

    def starts_with(self, column: str, value: str) -> str: ...

    def hex(self, text: str) -> str:
        """Upper-case hex of the UTF-8 of a text."""

    def first(self, rows: str, size: str) -> str:
        """The first rows of an ordered query, as many as ``size``, which no page exceeds."""

    def joined(self, text: str) -> str:
        """The aggregate of a text over rows, with commas between."""

    def text(self, value: str) -> str:
        """A value as text."""

    def masked(self, text: str, keep: int) -> str:
        """A text as ``core.text.mask`` shows it."""

    def member(self, column: str, key: str) -> str:
        """The text under a key of a column of JSON."""

    def by_code_point(self, text: str) -> str:
        """A text, to be ordered by code point."""

    def day(self, moment: str, zone: str) -> str:
        """The calendar day of a moment in an IANA time zone."""

    def seconds(self, since: str, until: str) -> str:
        """The whole seconds from one moment to another, as an integer."""

    def hundredths(self, number: str) -> str:
        """The text of so many hundredths, none of them less than nothing: ``36.00``."""


class Sqlite:
    """SQLite 3.40 or newer: texts, and JSON without spaces as the models store it."""

    hold = "1"
    fail = "0"
    unindexed = "+({})"
    forms: ClassVar[dict[Form, str]] = {
        "id": "{}",
        "name": "{}",
        "date": "{}",
        "decimal": "{}",
        "text": "json_quote({})",
        "int": "{}",
        "bool": "CASE {} WHEN 1 THEN 'true' WHEN 0 THEN 'false' END",
        "moment": "substr({0}, 1, 10) || 'T' || substr({0}, 12, 8) || 'Z'",
        "names": "{}",
    }
    periods: ClassVar[dict[Unit, str]] = {
        "day": "{}",
        "week": "date({}, '-6 days', 'weekday 1')",
        "month": "date({}, 'start of month')",
    }

    def parameter(self, number: int) -> str:
        return f"?{number}"

    def bound(self, value: Any) -> Any:
        if isinstance(value, datetime):
            return value.isoformat(" ")
        return str(value) if isinstance(value, _AS_TEXT) else value

    def number(self, column: str) -> str:
        return f"CAST({column} AS NUMERIC)"

    def contains(self, column: str, value: str) -> str:
        return f"instr({column}, {value}) > 0"

    def starts_with(self, column: str, value: str) -> str:
        return f"substr({column}, 1, length({value})) = {value}"

    def hex(self, text: str) -> str:
        return f"hex({text})"

    def first(self, rows: str, size: str) -> str:
        return f"{rows} LIMIT {size}"

    def joined(self, text: str) -> str:
        return f"group_concat({text}, ',')"

    def text(self, value: str) -> str:
        return f"CAST({value} AS TEXT)"

    def masked(self, text: str, keep: int) -> str:
        return f"masked({text}, {keep})"  # of ours: SQLite knows no regular expressions

    def member(self, column: str, key: str) -> str:
        return f"json_extract({column}, '$.{key}')"

    def by_code_point(self, text: str) -> str:
        return text

    def day(self, moment: str, zone: str) -> str:
        return f"day_of({moment}, {zone})"  # of ours: SQLite knows no zones

    def seconds(self, since: str, until: str) -> str:
        return (
            f"CAST(strftime('%s', {until}) AS INTEGER) - CAST(strftime('%s', {since}) AS INTEGER)"
        )

    def hundredths(self, number: str) -> str:
        return f"printf('%d.%02d', ({number}) / 100, ({number}) % 100)"


class Postgresql:
    """PostgreSQL 15 or newer: none older is tested."""

    hold = "TRUE"
    fail = "FALSE"
    # Unlike a function of the column it leaves the planner the statistics of it.
    unindexed = "({}) IS TRUE"
    forms: ClassVar[dict[Form, str]] = {
        "id": "{}::text",
        "name": "{}",
        # Every connection is told the style of dates (models.postgresql_engine).
        "date": "{}::text",
        "decimal": "{}::text",
        "text": "to_json({})::text",
        "int": "{}::text",
        "bool": "CASE {} WHEN TRUE THEN 'true' WHEN FALSE THEN 'false' END",
        "moment": "replace(({} AT TIME ZONE 'UTC')::text, ' ', 'T') || 'Z'",
        "names": "replace({}::text, ', ', ',')",
    }
    periods: ClassVar[dict[Unit, str]] = {
        "day": "{}",
        "week": "date_trunc('week', ({})::timestamp)::date",
        "month": "date_trunc('month', ({})::timestamp)::date",
    }

    def parameter(self, number: int) -> str:
        return f"${number}"

    def bound(self, value: Any) -> Any:
        return value

    def number(self, column: str) -> str:
        return column

    def contains(self, column: str, value: str) -> str:
        return f"strpos({column}, {value}) > 0"

    def starts_with(self, column: str, value: str) -> str:
        return f"starts_with({column}, {value})"

    def hex(self, text: str) -> str:
        return f"upper(encode(convert_to({text}, 'UTF8'), 'hex'))"

    def first(self, rows: str, size: str) -> str:
        # Of a bound size the planner thinks a tenth of the table: it would sort all of a large one.
        return f"SELECT * FROM ({rows} LIMIT {LARGEST + 1}) most LIMIT {size}"

    def joined(self, text: str) -> str:
        return f"string_agg({text}, ',')"

    def text(self, value: str) -> str:
        return f"({value})::text"

    def masked(self, text: str, keep: int) -> str:
        # In "C" these are ASCII's. Whatever has so many more behind it is hidden.
        hidden = "[^[:punct:][:space:]]"
        more = f"(?=([[:punct:][:space:]]*{hidden}){{{keep}}})" if keep else ""
        return f"""regexp_replace({text} COLLATE "C", '{hidden}{more}', '•', 'g')"""

    def member(self, column: str, key: str) -> str:
        return f"{column} ->> '{key}'"

    def by_code_point(self, text: str) -> str:
        return f'{text} COLLATE "C"'

    def day(self, moment: str, zone: str) -> str:
        return f"({moment} AT TIME ZONE {zone}::text)::date"

    def seconds(self, since: str, until: str) -> str:
        return f"EXTRACT(EPOCH FROM {until} - {since})::bigint"

    def hundredths(self, number: str) -> str:
        return f"(({number}) / 100)::text || '.' || lpad((({number}) % 100)::text, 2, '0')"


DIALECTS: dict[str, Dialect] = {"sqlite": Sqlite(), "asyncpg": Postgresql()}

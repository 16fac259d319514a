"""What a planned operation answers with, as a tree that knows no SQL.

The front end makes it from a document, a role and the shape of a request; a printer turns it
into one statement. Every node stands for one JSON value.
"""

from dataclasses import dataclass
from typing import Any, Literal

from tortoise.models import Model

from models.conditions import Condition, Slot
from resolvers.aggregates import Grouping, Measure
from resolvers.pages import Slice

Form = Literal["id", "text", "name", "date", "moment", "decimal", "int", "bool", "names"]


class NotPlannable(Exception):
    """A part of an operation that no statement computes; its text is the reason."""


@dataclass(frozen=True, slots=True)
class Constant:
    """JSON that does not depend on the database."""

    text: str


@dataclass(frozen=True, slots=True)
class Given:
    """JSON that the request itself brings along."""

    slot: Slot


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the row, printed in a form of its own."""

    name: str
    form: Form


@dataclass(frozen=True, slots=True)
class Masked:
    """A column of which only the last ``keep`` letters and digits are shown."""

    column: Column
    keep: int


@dataclass(frozen=True, slots=True)
class Member:
    """The text under a key of a column of JSON."""

    column: str
    key: str


@dataclass(frozen=True, slots=True)
class Difference:
    """One column of numbers less another."""

    of: str
    less: str


@dataclass(frozen=True, slots=True)
class Hours:
    """The hours from one moment to another, to hundredths."""

    since: str
    until: str


@dataclass(frozen=True, slots=True)
class Choice:
    """JSON for each condition that may hold, and JSON where none does."""

    cases: tuple[tuple[str, Condition], ...]
    otherwise: str = "null"


@dataclass(frozen=True, slots=True)
class Limited:
    """A value that only the rows of a scope show."""

    scope: Condition
    value: "Value"


@dataclass(frozen=True, slots=True)
class Object:
    """An object by its response keys."""

    entries: "tuple[tuple[str, Value], ...]"


@dataclass(frozen=True, slots=True)
class Row:
    """What is shown of the row that matches, or null.

    ``by`` is the column of the parent that holds what stands in the row's column ``at``.
    """

    model: type[Model]
    matching: Condition
    shown: "Value"
    by: str | None = None
    at: str = "id"


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a row stands in its list."""


@dataclass(frozen=True, slots=True)
class Nodes:
    """The rows of a page."""

    shown: Object


@dataclass(frozen=True, slots=True)
class Count:
    """How many rows the whole list has."""


@dataclass(frozen=True, slots=True)
class PageInfo:
    """Where the page stands in its list, by response keys and the fields they show."""

    entries: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Connection:
    """A page of rows; ``by`` is the child's column that holds the parent's id."""

    model: type[Model]
    matching: Condition
    part: Slice
    entries: "tuple[tuple[str, Constant | Nodes | Count | PageInfo], ...]"
    by: str | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """A number of a group: how many rows it has, or what a measure of them comes to."""

    of: str
    measure: Measure | None = None


@dataclass(frozen=True, slots=True)
class Groups:
    """Groups of rows; what their nodes show are their keys, as columns, and figures."""

    grouping: Grouping
    entries: "tuple[tuple[str, Constant | Nodes | Count], ...]"


# What is told of the columns of one row.
Cell = Column | Masked | Member | Difference | Hours
Value = (
    Constant
    | Given
    | Cell
    | Choice
    | Limited
    | Object
    | Row
    | Cursor
    | Connection
    | Figure
    | Groups
)
# What a request is when its values are read.
Asked = Any

"""Plans as trees to be read: one line for each value of the answer, indented as it is nested."""

from collections.abc import Iterator

from execution.shape import (
    Cell,
    Choice,
    Column,
    Connection,
    Constant,
    Count,
    Cursor,
    Difference,
    Figure,
    Given,
    Groups,
    Hours,
    Limited,
    Masked,
    Member,
    Nodes,
    Object,
    PageInfo,
    Row,
    Value,
)
from models.conditions import (
    ALWAYS,
    NEVER,
    Among,
    And,
    Compare,
    Condition,
    IsNull,
    Not,
    Or,
    Within,
    value_of,
)
from resolvers.aggregates import Test

_Part = Value | Nodes | Count | PageInfo
_SIGNS = {"eq": "=", "lt": "<", "lte": "<=", "gt": ">", "gte": ">="}


def tree(key: str, value: _Part, depth: int = 0) -> Iterator[str]:
    """The lines of a value under its response key."""
    limits = ""
    while isinstance(value, Limited):
        limits += f", only where {said(value.scope)}"
        value = value.value
    yield f"{'  ' * depth}{key}: {_line(value)}{limits}"
    for name, inner in _entries(value):
        yield from tree(name, inner, depth + 1)


def _line(value: _Part) -> str:
    match value:
        case Constant(text):
            return text
        case Given():
            return "what the request itself knows"
        case Column() | Masked() | Member() | Difference():
            return _cell(value)
        case Choice(cases, otherwise):
            told = "; ".join(f"{text} where {said(when)}" for text, when in cases)
            return f"{told}; else {otherwise}"
        case Row(model, matching, _, by, at):
            through = f" by {at} = {by}" if by is not None else ""
            return f"the {model.__name__}{through} where {said(matching)}"
        case Connection():
            return _page(value)
        case Groups(grouping):
            keys = ", ".join(key.name for key in grouping.by) or "nothing"
            rows = f"{grouping.model.__name__} where {said(grouping.matching)}"
            only = " and ".join(map(_tested, grouping.tests))
            return f"groups by {keys} of {rows}{only and f', only where {only}'}"
        case Figure(of, measure):
            return of if measure is None else f"{of} of {measure.name}"
        case Nodes():
            return "the rows"
        case Count():
            return "how many rows there are"
        case Cursor():
            return "where the row stands"
        case PageInfo(entries):
            return ", ".join(name for _, name in entries)
        case Object():
            return "an object"
        case Hours(since, until):
            return f"the hours from {since} to {until}"
        case Limited():
            return ""  # told behind what it limits


def _tested(test: Test) -> str:
    """Which groups are told of, by one of their keys."""
    match test.comparison:
        case "empty":
            return f"{test.key.name} is {'' if test.value else 'not '}empty"
        case "in":
            return f"{test.key.name} in ({', '.join(map(_literal, test.value))})"
        case sign:
            return f"{test.key.name} {_SIGNS[sign]} {_literal(test.value)}"


def _cell(value: Cell) -> str:
    match value:
        case Column(name, form):
            return f"{name}, as {form}"
        case Masked(column, keep):
            return f"{column.name}, masked but for {keep}"
        case Member(column_name, key):
            return f"{key} of {column_name}"
        case Difference(of, less):
            return f"{of} less {less}"
    raise AssertionError(value)


def _page(value: Connection) -> str:
    part = value.part
    order = ", ".join(f"{t.column}{' descending' if t.descending else ''}" for t in part.order)
    size, end = value_of(part.size), "last" if part.backward else "first"
    children = f" by {value.by}" if value.by is not None else ""
    behind = ", from a cursor" if part.beyond is not None else ""
    rows = f"{value.model.__name__}{children} where {said(value.matching)}"
    return f"the {end} {size} by {order or 'id'} of {rows}{behind}"


def _entries(value: _Part) -> Iterator[tuple[str, _Part]]:
    match value:
        case Object(entries) | Connection(entries=entries) | Groups(entries=entries):
            yield from entries
        case Row(shown=Object(entries)) | Nodes(shown=Object(entries)):
            yield from entries
        case Row(shown=shown):
            yield "its", shown


def said(condition: Condition) -> str:
    """A condition with the values of this request."""
    match condition:
        case condition if condition == ALWAYS:
            return "anything"
        case condition if condition == NEVER:
            return "nothing"
        case Compare(path, operator, value):
            return f"{path} {_SIGNS.get(operator, operator)} {_literal(value)}"
        case Among(path, values):
            return f"{path} in ({', '.join(map(_literal, values))})"
        case IsNull(path):
            return f"{path} is empty"
        case Within(path, model, column, rows):
            return f"{path} in ({column} of {model.__name__} where {said(rows)})"
        case And(parts):
            return f"({' and '.join(map(said, parts))})"
        case Or(parts):
            return f"({' or '.join(map(said, parts))})"
        case Not(part):
            return f"not {said(part)}"


def _literal(value: object) -> str:
    return str(value_of(value))

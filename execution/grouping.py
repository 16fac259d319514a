"""The printer of groups: rows become cells and cells become groups, within the one statement.

Rows with their keys (``k_…``), measures (``m_…``) and person (``p``); where cells must be large,
cells with how many persons they are of, and only those that may be told; then groups, with how
many rows (``n``), sums (``s_…``) and extremes (``a_…``, ``z_…``), in the order of their keys.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from tortoise.fields import UUIDField

from execution.dialects import Dialect
from execution.pieces import Alias, Literal, braced, quoted, text_of
from execution.shape import Constant, Count, Figure, Groups
from models.fields import Moment
from resolvers.aggregates import Grouping, Key, Measure, Test

if TYPE_CHECKING:
    from execution.printing import Printer

_SIGNS = {"eq": "=", "lt": "<", "lte": "<=", "gt": ">", "gte": ">="}


class GroupAlias(Alias):
    """A group under a name of its own: its columns are its keys."""

    def column(self, name: str) -> str:
        return f'{self.name}."k_{name}"'

    def may_be_empty(self, name: str) -> bool:
        return True


def grouped(printer: "Printer", value: Groups) -> list[str]:
    """The pieces of the groups that are asked for, read once whatever is shown of them."""
    asked, texts = value.grouping, list[str]()
    pieces = braced((key, _entry(printer, asked, entry, texts)) for key, entry in value.entries)
    if all(isinstance(piece, Literal) for piece in pieces):
        return pieces
    order = _ordering(printer.dialect, asked, asked.by)
    limit = f"LIMIT {printer.place(asked.size)}"
    total = f"(SELECT q.*, count(*) OVER () AS total FROM ({_groups(printer, asked)}) q) q"
    columns = ", ".join(["total", *(f"{text} AS x{n}" for n, text in enumerate(texts))])
    page = f"(SELECT * FROM {total}{order} {limit}) g"
    return [f"(SELECT {text_of(pieces)} FROM (SELECT {columns} FROM {page}) p)"]


def _entry(printer: "Printer", asked: Grouping, entry: Any, texts: list[str]) -> list[str]:
    if isinstance(entry, Constant):
        return [Literal(entry.text)]
    if isinstance(entry, Count):
        return [printer.dialect.text("coalesce(max(total), 0)")]
    texts.append(text_of(printer.object(entry.shown, GroupAlias("g", asked.model))))
    joined = printer.dialect.joined(f"x{len(texts) - 1}")
    return [Literal("["), f"coalesce({joined}, '')", Literal("]")]


def figure(dialect: Dialect, value: Figure, group: Alias) -> str:
    """The text of one number of a group."""
    count, name = f"{group.name}.n", value.measure
    if name is None:
        return dialect.text(count)
    parts = str(name.hundredth)
    if value.of == "average":
        parts = f"({parts} * {count})"
    column = {"minimum": "a", "maximum": "z"}.get(value.of, "s")
    number = f"(2 * {group.name}.{column}_{name.name} + {parts}) / (2 * {parts})"
    return f"""'"' || {dialect.hundredths(number)} || '"'"""


def _groups(printer: "Printer", asked: Grouping) -> str:
    """The groups, in no order."""
    names = [f"k_{key.name}" for key in asked.by]
    if asked.least == 1:
        source = _rows(printer, asked)
        figures = ["count(*) AS n", *_figures(asked.measures)]
    else:
        source = _cells(printer, asked)
        figures = ["CAST(sum(n) AS BIGINT) AS n"]
        figures += [f"CAST(sum(s_{m.name}) AS BIGINT) AS s_{m.name}" for m in asked.measures]
    tests = " AND ".join(_test(printer, test) for test in asked.tests)
    where = f" WHERE {tests}" if tests else ""
    grouping = f" GROUP BY {', '.join(names)}" if names else ""
    shown = ", ".join([*names, *figures])
    return f"SELECT {shown} FROM {source}{where}{grouping} HAVING count(*) > 0"


def _cells(printer: "Printer", asked: Grouping) -> str:
    """The cells that may be told: see ``resolvers.aggregates``."""
    names = [f"k_{key.name}" for key in asked.cells]
    grouping = f" GROUP BY {', '.join(names)}" if names else ""
    sums = [f"CAST(sum(m_{m.name}) AS BIGINT) AS s_{m.name}" for m in asked.measures]
    shown = ", ".join([*names, "count(*) AS n", "count(DISTINCT p) AS p", *sums])
    cells = f"(SELECT {shown} FROM {_rows(printer, asked)}{grouping}) c"
    small = f"CASE WHEN p < {asked.least} THEN 1 ELSE 0 END"
    order = _ordering(printer.dialect, asked, asked.cells, small, "p")
    ranked = f"SELECT c.*, min(p) OVER () AS least, row_number() OVER ({order[1:]}) AS rank"
    large = f"p >= {asked.least} AND (least >= {asked.least} OR rank > 1)"
    return f"(SELECT * FROM ({ranked} FROM {cells}) c WHERE {large}) r"


def _rows(printer: "Printer", asked: Grouping) -> str:
    row = printer.alias(asked.model)
    shown = [f"{_key(printer, key, asked, row)} AS k_{key.name}" for key in asked.cells]
    shown += [f"{_parts(printer.dialect, m, row)} AS m_{m.name}" for m in asked.measures]
    if asked.least > 1:
        assert asked.person is not None
        shown.append(f"{row.column(asked.person)} AS p")
    table = asked.model._meta.db_table
    matching = printer.condition(asked.matching, row)
    return f'(SELECT {", ".join(shown) or "1 AS x"} FROM "{table}" {row.name} WHERE {matching}) r'


def _key(printer: "Printer", key: Key, asked: Grouping, row: Alias) -> str:
    if key.column is None:
        cases = (
            f" WHEN {printer.condition(condition, row)} THEN {quoted(value)}"
            for value, condition in key.cases
        )
        return f"CASE{''.join(cases)} END"
    column = row.column(key.column)
    if key.unit is None:
        return column
    if isinstance(asked.model._meta.fields_map[key.column], Moment):
        column = printer.dialect.day(column, printer.place(asked.zone))
    return printer.dialect.periods[key.unit].format(column)


def _parts(dialect: Dialect, measure: Measure, row: Alias) -> str:
    column = row.column(measure.column)
    if measure.since is None:
        return f"100 * CAST({column} AS BIGINT)"
    return dialect.seconds(row.column(measure.since), column)


def _figures(measures: Iterable[Measure]) -> Iterable[str]:
    for name in (measure.name for measure in measures):
        yield f"CAST(sum(m_{name}) AS BIGINT) AS s_{name}"
        yield f"min(m_{name}) AS a_{name}"
        yield f"max(m_{name}) AS z_{name}"


def _ordering(dialect: Dialect, asked: Grouping, keys: Iterable[Key], *first: str) -> str:
    terms = [*first, *(f"{_ordered(dialect, asked, key)} NULLS LAST" for key in keys)]
    return f" ORDER BY {', '.join(terms)}" if terms else ""


def _ordered(dialect: Dialect, asked: Grouping, key: Key) -> str:
    name = f"k_{key.name}"
    stored = None if key.column is None else asked.model._meta.fields_map[key.column]
    is_text = key.unit is None and not isinstance(stored, UUIDField)
    return dialect.by_code_point(name) if is_text else name


def _test(printer: "Printer", test: Test) -> str:
    name = f"k_{test.key.name}"
    if test.comparison == "empty":
        return f"{name} IS {'' if test.value else 'NOT '}NULL"
    if test.comparison == "in":
        places = ", ".join(map(printer.place, test.value))
        return f"{name} IN ({places})" if places else printer.dialect.fail
    return f"{name} {_SIGNS[test.comparison]} {printer.place(test.value)}"

"""The printer: a tree of values becomes one statement that yields the text of ``data``.

JSON is put together as text: the only form of which both databases print the same bytes, for
objects of any width and keys of any length. To-one and to-many are correlated subqueries. Each
list is read in three steps: the rows of the page in order, their texts, the texts joined.
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from typing import Any

from tortoise.fields import DecimalField
from tortoise.fields.relational import BackwardOneToOneRelation, ForeignKeyFieldInstance
from tortoise.models import Model

from execution.cells import cell
from execution.dialects import Dialect
from execution.grouping import figure, grouped
from execution.pieces import SHARED, Alias, Filtered, Literal, braced, quoted, text_of
from execution.shape import (
    Asked,
    Cell,
    Choice,
    Column,
    Connection,
    Constant,
    Count,
    Cursor,
    Figure,
    Form,
    Given,
    Groups,
    Nodes,
    Object,
    PageInfo,
    Row,
    Value,
)
from models.conditions import (
    Among,
    And,
    Compare,
    Condition,
    IsNull,
    Not,
    Or,
    Slot,
    Within,
    changed,
    value_of,
)
from resolvers.pages import Order, behind, may_be_empty, signature

_SIGNS = {"eq": "=", "lt": "<", "lte": "<=", "gt": ">", "gte": ">="}
Reading = Callable[[Asked], Any]


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL that yields one text, and how to read its parameters off a request."""

    sql: str
    # The parameters that are the same for every request; None where one is read off it.
    fixed: tuple[Any, ...]
    reads: tuple[tuple[int, Reading], ...]
    # What the values that are read are of.
    sources: frozenset[Any]

    def values(self, asked: Asked) -> list[Any]:
        """The values to bind; raises the Problem of one that is wrong."""
        found = list(self.fixed)
        for number, read in self.reads:
            found[number] = read(asked)
        return found


def printed(root: Object, dialect: Dialect) -> Statement:
    """The statement of a whole operation."""
    printer = Printer(dialect)
    return printer.statement(printer.object(root, None))


def printed_apart(roots: list[Value], dialect: Dialect) -> Statement:
    """The statement of several root fields: their texts, each in a line of its own."""
    printer = Printer(dialect)
    pieces: list[str] = []
    for root in roots:
        pieces += [Literal("\n")] if pieces else []
        pieces += printer.value(root, None)
    return printer.statement(pieces)


class Printer:
    def __init__(self, dialect: Dialect) -> None:
        self.dialect = dialect
        self.fixed: list[Any] = []
        self.sources: set[Any] = set()
        self.reads: list[tuple[int, Reading]] = []
        self._numbers: dict[Any, int] = {}
        self._aliases = 0

    def statement(self, pieces: list[str]) -> Statement:
        """The statement of all that was printed: it yields the text of the pieces."""
        sql = f"SELECT {text_of(pieces)}"
        return Statement(sql, tuple(self.fixed), tuple(self.reads), frozenset(self.sources))

    # Values: a list of pieces, each SQL of a text or, as Literal, a text.

    def value(self, value: Value, row: Alias | None, order: Order = ()) -> list[str]:
        if isinstance(value, Constant):
            return [Literal(value.text)]
        if isinstance(value, Given):
            return [self.dialect.text(self.place(value.slot))]
        if isinstance(value, Object):
            return self.object(value, row, order)
        if isinstance(value, Row):
            return [self._row(value, row)]
        if isinstance(value, Connection):
            return self._connection(value, row)
        if isinstance(value, Groups):
            return grouped(self, value)
        assert row is not None
        if isinstance(value, Figure):
            return [figure(self.dialect, value, row)]
        if isinstance(value, Cell):
            return cell(self.dialect, value, row)
        if isinstance(value, Choice):
            return [self._choice(value, row)]
        if isinstance(value, Cursor):
            return [Literal('"'), self.cursor(order, row), Literal('"')]
        shown = text_of(self.value(value.value, row, order))
        return [f"CASE WHEN {self.condition(value.scope, row)} THEN {shown} ELSE 'null' END"]

    def object(self, shown: Object, row: Alias | None, order: Order = ()) -> list[str]:
        return braced((key, self.value(value, row, order)) for key, value in shown.entries)

    def _choice(self, value: Choice, row: Alias) -> str:
        cases = "".join(
            f" WHEN {self.condition(condition, row)} THEN {quoted(text)}"
            for text, condition in value.cases
        )
        return f"CASE{cases} ELSE {quoted(value.otherwise)} END"

    def cursor(self, order: Order, row: Alias) -> str:
        pieces: list[str] = [Literal(f'["{signature(order)}",')]
        for term in order:
            term_of = Column(term.column, _form_of(row.model, term.column))
            pieces += [*cell(self.dialect, term_of, row), Literal(",")]
        pieces += [*cell(self.dialect, Column("id", "id"), row), Literal("]")]
        return self.dialect.hex(text_of(pieces))

    def _row(self, value: Row, parent: Alias | None) -> str:
        row = self.alias(value.model)
        conditions = []
        if value.by is not None:
            assert parent is not None
            conditions.append(f"{row.column(value.at)} = {parent.column(value.by)}")
        conditions.append(self.condition(value.matching, row))
        shown = text_of(self.value(value.shown, row))
        return (
            f"coalesce((SELECT {shown} FROM {_table(value.model)} {row.name}"
            f" WHERE {' AND '.join(conditions)}), 'null')"
        )

    # Lists.

    def _connection(self, value: Connection, parent: Alias | None) -> list[str]:
        page = _Page(self, value, parent)
        pieces = braced((key, page.entry(entry)) for key, entry in value.entries)
        return pieces if page.source is None else [f"(SELECT {text_of(pieces)} FROM {page.rows()})"]

    def listed(self, value: Connection, parent: Alias | None, row: Alias) -> str:
        """``FROM … WHERE`` of the whole list."""
        conditions, limited = [], row
        if value.by is not None:
            assert parent is not None
            conditions.append(f"{row.column(value.by)} = {parent.column('id')}")
            # A parent has few children: by their scope, SQLite would go through those of a whole
            # department, and PostgreSQL through both.
            limited = row.found_by_parent()
        matching = self.condition(value.matching, limited)
        if matching != self.dialect.hold or not conditions:
            conditions.append(matching)
        return f"FROM {_table(value.model)} {row.name} WHERE {' AND '.join(conditions)}"

    def ordering(self, value: Connection, row: Alias) -> str:
        terms = []
        for term in value.part.order:
            column = self._comparable(row.model, term.column, row.column(term.column))
            empty = ""
            if may_be_empty(row.model, term.column):
                empty = " NULLS FIRST" if value.part.backward else " NULLS LAST"
            terms.append(f"{column}{_direction(term.descending != value.part.backward)}{empty}")
        return ", ".join([*terms, f"{row.column('id')}{_direction(value.part.backward)}"])

    # Conditions.

    def condition(self, condition: Condition, row: Alias) -> str:
        match condition:
            case Compare(path, operator, value):
                column, model, name = self._path(path, row)
                bound = self._bound(model, name, value)
                if operator == "contains":
                    return self.dialect.contains(column, bound)
                if operator == "starts_with":
                    return self.dialect.starts_with(column, bound)
                column = self._comparable(model, name, column)
                sql = f"{column} {_SIGNS[operator]} {self._comparable(model, name, bound)}"
                return self._test(sql, path, row)
            case Among(_, values) if not values:
                return self.dialect.fail
            case Among(path, values):
                column, model, name = self._path(path, row)
                bounds = (self._bound(model, name, value) for value in values)
                items = ", ".join(self._comparable(model, name, bound) for bound in bounds)
                sql = f"{self._comparable(model, name, column)} IN ({items})"
                return self._test(sql, path, row)
            case IsNull(path):
                return f"{self._path(path, row)[0]} IS NULL"
            case Within(path, model, column, rows):
                inner = self.alias(model)
                return (
                    f"{self._path(path, row)[0]} IN (SELECT {inner.column(column)}"
                    f" FROM {_table(model)} {inner.name} WHERE {self.condition(rows, inner)})"
                )
            case And(parts):
                return self._joined(parts, " AND ", self.dialect.hold, row)
            case Or(parts):
                return self._joined(parts, " OR ", self.dialect.fail, row)
            case Not(IsNull(path)):
                return f"{self._path(path, row)[0]} IS NOT NULL"
            case Not(part):
                return f"NOT ({self.condition(part, row)})"

    def _test(self, sql: str, path: str, row: Alias) -> str:
        """A comparison, kept out of the indexes where it shall not be what finds the rows."""
        return self.dialect.unindexed.format(sql) if row.by_parent and path in SHARED else sql

    def _joined(self, parts: tuple[Condition, ...], between: str, empty: str, row: Alias) -> str:
        found = list(dict.fromkeys(self.condition(part, row) for part in parts))
        if not found:
            return empty
        return found[0] if len(found) == 1 else f"({between.join(found)})"

    def _path(self, path: str, row: Alias) -> tuple[str, type[Model], str]:
        """The SQL of a path, and the model and column at its end."""
        relation, _, rest = path.partition("__")
        if not rest:
            return row.column(path), row.model, path
        through = row.model._meta.fields_map[relation]
        if isinstance(through, BackwardOneToOneRelation):
            theirs, ours = str(through.relation_source_field), "id"
        else:
            assert isinstance(through, ForeignKeyFieldInstance)
            theirs, ours = "id", str(through.source_field)
        inner = self.alias(through.related_model)
        found, model, name = self._path(rest, inner)
        sql = (
            f"(SELECT {found} FROM {_table(inner.model)} {inner.name}"
            f" WHERE {inner.column(theirs)} = {row.column(ours)})"
        )
        return sql, model, name

    def _comparable(self, model: type[Model], name: str, sql: str) -> str:
        if isinstance(model._meta.fields_map[name], DecimalField):
            return self.dialect.number(sql)
        return sql

    def _bound(self, model: type[Model], name: str, value: Any) -> str:
        """The place of a value that is compared with a column, encoded as the column's are."""
        kind = model._meta.fields_map[name]
        if isinstance(value_of(value), Decimal):
            return self.place(changed(value, kind.to_db_value, model))
        return self.place(value)

    def place(self, value: Any) -> str:
        """The place of a bound value, an enum's as it is stored; what is read alike stands once."""
        if isinstance(value_of(value), Enum):
            value = changed(value, _stored)
        if not isinstance(value, Slot):
            self.fixed.append(self.dialect.bound(value))
            return self.dialect.parameter(len(self.fixed))
        number = self._numbers.get(value.read)
        if number is None:
            self.sources.add(value.source)
            read, bound = value.read, self.dialect.bound
            self.reads.append((len(self.fixed), lambda asked: bound(read(asked))))
            self.fixed.append(None)
            number = self._numbers[value.read] = len(self.fixed)
        return self.dialect.parameter(number)

    def alias(self, model: type[Model]) -> Alias:
        self._aliases += 1
        return Alias(f"t{self._aliases}", model)


class _Page:
    """One list's page while it is printed: which texts of its rows are asked for."""

    def __init__(self, printer: Printer, value: Connection, parent: Alias | None) -> None:
        self._printer = printer
        self._value = value
        self._parent = parent
        self._texts: list[str] = []
        self._numbered = False
        self._more = False
        self.source: Alias | None = None
        self._size = ""

    def entry(self, entry: Constant | Nodes | Count | PageInfo) -> list[str]:
        if isinstance(entry, Constant):
            return [Literal(entry.text)]
        if isinstance(entry, Count):
            row = self._printer.alias(self._value.model)
            listed = self._printer.listed(self._value, self._parent, row)
            return [self._printer.dialect.text(f"(SELECT count(*) {listed})")]
        if isinstance(entry, PageInfo):
            return self._info(entry)
        shown = text_of(self._printer.object(entry.shown, self._row(), self._value.part.order))
        joined = self._printer.dialect.joined(self._text(shown))
        return [Literal("["), Filtered(joined, self), Literal("]")]

    def _row(self) -> Alias:
        if self.source is None:
            self.source = self._printer.alias(self._value.model)
            self._size = self._printer.place(self._value.part.size)
        return self.source

    def _text(self, sql: str) -> str:
        if sql not in self._texts:
            self._texts.append(sql)
        return f"x{self._texts.index(sql)}"

    def _info(self, entry: PageInfo) -> list[str]:
        return braced((key, [self._fact(name)]) for key, name in entry.entries)

    def _fact(self, name: str) -> str:
        part = self._value.part
        if name == "__typename":
            return Literal('"PageInfo"')
        if name in ("hasNextPage", "hasPreviousPage"):
            if (name == "hasPreviousPage") is not part.backward:
                return Literal("true" if part.beyond is not None else "false")
            self._row()
            self._more = True
            return f"CASE WHEN count(*) > {self._size} THEN 'true' ELSE 'false' END"
        cursor = self._text(self._printer.cursor(part.order, self._row()))
        self._numbered = True
        if (name == "startCursor") is not part.backward:
            which = "n = 1"
        else:
            which = f"n = CASE WHEN total > {self._size} THEN {self._size} ELSE total END"
        return f"""coalesce('"' || max({cursor}) FILTER (WHERE {which}) || '"', 'null')"""

    @property
    def filter(self) -> str:
        return f" FILTER (WHERE n <= {self._size})" if self._more else ""

    def rows(self) -> str:
        """The texts of the page's rows, in the order of the answer, as a table."""
        part, row, printer = self._value.part, self._row(), self._printer
        columns = [f"{text} AS x{number}" for number, text in enumerate(self._texts)]
        if self._numbered or self._more or part.backward:
            columns.append("row_number() OVER () AS n")
        if self._numbered:
            columns.append("count(*) OVER () AS total")
        inner = printer.alias(self._value.model)
        listed = printer.listed(self._value, self._parent, inner)
        if part.beyond is not None:
            listed += f" AND {printer.condition(behind(self._value.model, part), inner)}"
        ordering = printer.ordering(self._value, inner)
        used = ", ".join(f'{inner.name}."{name}"' for name in row.used or {"id": None})
        limit = f"{self._size} + 1" if self._more else self._size
        page = printer.dialect.first(f"SELECT {used} {listed} ORDER BY {ordering}", limit)
        texts = f"(SELECT {', '.join(columns) or '1 AS x'} FROM ({page}) {row.name}) p"
        return f"(SELECT * FROM {texts} ORDER BY n DESC) p" if part.backward else texts


def _table(model: type[Model]) -> str:
    return f'"{model._meta.db_table}"'


def _direction(descending: bool) -> str:
    return " DESC" if descending else ""


def _stored(member: Enum) -> Any:
    return member.value


def _form_of(model: type[Model], column: str) -> Form:
    """The form in which a cursor holds a column."""
    kinds: dict[str, Form] = {"Moment": "moment", "DateField": "date", "Amount": "decimal"}
    kind = type(model._meta.fields_map[column]).__name__
    return "int" if kind in ("IntField", "BigIntField") else kinds.get(kind, "text")

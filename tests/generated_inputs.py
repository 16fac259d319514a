"""Random valid arguments in a role's schema: as literals, or as variables in all their forms."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from random import Random
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    get_named_type,
    is_non_null_type,
    parse_value,
    value_from_ast_untyped,
)

from schema.views import VIEWS
from tests.schema.sight import Snapshot

# Days around today, of a field that takes a period.
_PERIOD = {"from": -15, "to": 3}
# The keys of groups that are rows, and what a key adds to the name of a field of time.
_KEYS = {"department": "Department", "specialty": "DictionaryEntry", "course": "Course"}
_UNIT = re.compile("(Day|Week|Month)$")


@dataclass
class Values:
    """Literals to filter by: for a field of a view, or for any of a scalar type."""

    ids: Mapping[str, Sequence[str]]
    of_field: Mapping[str, Sequence[str]]
    today: date

    @classmethod
    def of(cls, snapshot: Snapshot, today: date) -> "Values":
        """Those of all rows, hidden ones among them."""
        of_field: dict[str, list[str]] = {}
        for model, rows in snapshot.rows.items():
            for made in VIEWS[model.__name__].specs.values():
                if made.kind != "column" or made.column is None or made.type.startswith("list["):
                    continue
                values = {getattr(row, made.column) for row in rows} - {None}
                texts = sorted(_literal(value) for value in values)
                of_field[f"{model.__name__}.{made.graphql_name}"] = texts
        ids = {
            model.__name__: [str(row.id) for row in rows] for model, rows in snapshot.rows.items()
        }
        return cls(ids, of_field, today)


@dataclass
class Inputs:
    """A maker of the arguments of one document; everything random comes from ``random``."""

    values: Values
    random: Random
    # How many sets of values the document is to be asked with.
    askings: int = 1
    # The field to whose cursors a page may go on.
    cursor: str | None = None
    declared: list[str] = field(default_factory=list)
    _given: list[dict[str, Any]] = field(default_factory=list)
    # The last variable of each type, which may be used once more.
    _known: dict[str, str] = field(default_factory=dict)
    _is_value: bool = False

    def __post_init__(self) -> None:
        # Conditions are such that the first set shows what the document is made for.
        flips = [False] + [self.once_in(2) for _ in range(1, self.askings)]
        self._given = [
            {"yes": not flip, "no": flip, "may": not flip, "mayNot": flip, "cursor": None}
            for flip in flips
        ]
        for given in self._given[1:]:
            # What has a default need not be given.
            for name in ("may", "mayNot"):
                if self.once_in(3):
                    del given[name]

    def variables(self, text: str) -> tuple[str, list[dict[str, Any]]]:
        """The declarations of what a text uses, and every set of values for them."""
        declared = ["$yes: Boolean!", "$no: Boolean!", "$cursor: String"]
        declared += ["$may: Boolean = true", "$mayNot: Boolean = false", *self.declared]
        used = [each for each in declared if re.search(rf"\${each[1:].split(':')[0]}\b", text)]
        names = {each[1:].split(":")[0] for each in used}
        given = [
            {name: value for name, value in values.items() if name in names}
            for values in self._given
        ]
        return f" ({', '.join(used)})" if used else "", given

    def arguments(self, made: GraphQLField, *, is_root: bool, key: str) -> str:
        """The arguments of a field, in brackets, where it takes any."""
        if "by" in made.args:
            given = self._groups(made)
        else:
            given = {}
            if "id" in made.args:
                row = get_named_type(made.type).name
                given["id"] = self._value(made.args["id"].type, lambda: f'"{self._id(row)}"')
            if "from" in made.args:
                given |= {end: self._day(made.args[end].type, end) for end in _PERIOD}
            if "first" in made.args:
                given |= self._page(made, key, (1, 3, 8, 25) if is_root else (1, 2, 3))
            if "filter" in made.args and self.once_in(2):
                given["filter"] = self._filtering(made)
            if "order" in made.args and self.once_in(2):
                type_ = get_named_type(made.args["order"].type)
                assert isinstance(type_, GraphQLInputObjectType)
                given["order"] = self._value(made.args["order"].type, lambda: self._order(type_))
        return f"({', '.join(f'{name}: {value}' for name, value in given.items())})" * bool(given)

    def once_in(self, times: int) -> bool:
        return self.random.randrange(times) == 0

    def _value(self, type_: Any, draw: Callable[[], str]) -> str:
        """A literal, or a variable that comes to one: given, null, absent or by its default."""
        if self._is_value or self.askings == 1 or not self.once_in(3):
            return draw()
        kind = str(type_)
        # What is right at one place may be wrong at another.
        if kind in self._known and self.once_in(4):
            return self._known[kind]
        self._is_value = True
        name, literal = f"v{len(self.declared)}", draw()
        self._known[kind] = f"${name}"
        if self.once_in(4):
            # With a default, whatever must not be null need not be given either.
            self.declared.append(f"${name}: {kind.removesuffix('!')} = {literal}")
            may_miss = True
        else:
            self.declared.append(f"${name}: {kind}")
            may_miss = not is_non_null_type(type_)
        for number, values in enumerate(self._given):
            form = self.random.randrange(6) if number else 5
            if form == 0 and may_miss:
                continue
            if form == 1 and not is_non_null_type(type_):
                values[name] = None
            else:
                text = literal if number == 0 else draw()
                values[name] = value_from_ast_untyped(parse_value(text))
        self._is_value = False
        return f"${name}"

    def _day(self, type_: Any, end: str) -> str:
        literal = f'"{self.values.today + timedelta(_PERIOD[end])}"'
        return self._value(type_, lambda: literal)

    def _filtering(self, made: GraphQLField) -> str:
        type_ = get_named_type(made.args["filter"].type)
        assert isinstance(type_, GraphQLInputObjectType)
        return self._value(made.args["filter"].type, lambda: self._filter(type_, 0))

    def _groups(self, made: GraphQLField) -> dict[str, str]:
        """The arguments of groups: by few keys, sometimes only those with some."""
        name = get_named_type(made.type).name.removesuffix("Groups")
        enum = get_named_type(made.args["by"].type)
        keys = get_named_type(made.args["only"].type)
        assert isinstance(enum, GraphQLEnumType)
        assert isinstance(keys, GraphQLInputObjectType)
        by = self.random.sample(list(enum.values), min(len(enum.values), self._few()))
        given = {
            "by": self._value(made.args["by"].type, lambda: f"[{', '.join(by)}]"),
            "first": self._size(made.args["first"].type, (1, 5, 100, 1000)),
        }
        named = {each.lower(): each for each in keys.fields}
        chosen = [named[key.replace("_", "").lower()] for key in by] or list(keys.fields)
        if self.once_in(3):
            key = self.random.choice(chosen)
            target = get_named_type(keys.fields[key].type)
            assert isinstance(target, GraphQLInputObjectType)
            given["only"] = self._value(
                made.args["only"].type, lambda: f"{{{key}: {self._comparison(name, key, target)}}}"
            )
        if "filter" in made.args and self.once_in(2):
            given["filter"] = self._filtering(made)
        return given

    def _few(self) -> int:
        return self.random.choice((0, 1, 1, 1, 2, 3))

    def _page(self, made: GraphQLField, key: str, sizes: Sequence[int]) -> dict[str, str]:
        forward = self.random.random() < 0.7
        name, behind = ("first", "after") if forward else ("last", "before")
        # Without any size, a page is of fifty; a null is none either.
        given = (
            {}
            if sizes[-1] > 9 and self.once_in(9)
            else {name: self._size(made.args[name].type, sizes)}
        )
        if self.cursor is None and self.once_in(2):
            self.cursor = key
            given[behind] = "$cursor"
        return given

    def _size(self, type_: Any, sizes: Sequence[int]) -> str:
        return self._value(type_, lambda: str(self.random.choice(sizes)))

    def _order(self, type_: GraphQLInputObjectType) -> str:
        field, direction = type_.fields["field"], type_.fields["direction"]
        enum = get_named_type(field.type)
        assert isinstance(enum, GraphQLEnumType)
        names = list(enum.values)
        terms = []
        for name in self.random.sample(names, min(len(names), self.random.randint(0, 3))):
            way = self._value(direction.type, lambda: self.random.choice(("ASC", "DESC")))
            terms.append(f"{{field: {name}, direction: {way}}}")
        return f"[{', '.join(terms)}]"

    def _filter(self, type_: GraphQLInputObjectType, depth: int) -> str:
        names = [
            name
            for name, made in type_.fields.items()
            if depth < 3 or not _is_view_filter(get_named_type(made.type))
        ]
        # One condition is usual, and one through a relation likelier: many conditions hold nowhere.
        weights = [_weight(name, get_named_type(type_.fields[name].type)) for name in names]
        chosen = self.random.choices(names, weights, k=2 if self.once_in(4) else 1)
        parts = [f"{name}: {self._condition(type_, name, depth)}" for name in dict.fromkeys(chosen)]
        return f"{{{', '.join(parts)}}}"

    def _condition(self, type_: GraphQLInputObjectType, name: str, depth: int) -> str:
        made = type_.fields[name]
        target = get_named_type(made.type)
        assert isinstance(target, GraphQLInputObjectType)
        if name in ("and", "or"):
            inner = [self._filter(target, depth + 1) for _ in range(self.random.randint(0, 2))]
            return f"[{', '.join(inner)}]"
        if _is_view_filter(target):
            return self._value(made.type, lambda: self._filter(target, depth + 1))
        view = type_.name.removesuffix("Filter")
        return self._value(made.type, lambda: self._comparison(view, name, target))

    def _comparison(self, view: str, name: str, type_: GraphQLInputObjectType) -> str:
        operators = list(type_.fields)
        operator = self.random.choices(operators, [1 if o == "eq" else 3 for o in operators])[0]
        made = type_.fields[operator].type
        value = self._value(made, lambda: self._operand(view, name, made, operator))
        return f"{{{operator}: {value}}}"

    def _operand(self, view: str, name: str, type_: Any, operator: str) -> str:
        if operator == "isNull":
            return self.random.choice(("true", "false"))
        target = get_named_type(type_)
        if operator == "in":
            many = 0 if self.once_in(8) else self.random.randint(1, 3)
            literals = (
                self._value(type_.of_type, lambda: self._literal(view, name, target))
                for _ in range(many)
            )
            return f"[{', '.join(literals)}]"
        literal = self._literal(view, name, target)
        if operator in ("contains", "startsWith"):
            inside = literal.strip('"')
            start = self.random.randrange(max(len(inside), 1)) if operator == "contains" else 0
            return f'"{inside[start : start + self.random.randint(1, 3)]}"'
        return literal

    def _literal(self, view: str, name: str, type_: Any) -> str:
        if isinstance(type_, GraphQLEnumType):
            return str(self.random.choice(list(type_.values)))
        if type_.name == "Boolean":
            return self.random.choice(("true", "false"))
        if type_.name == "ID" and name == "id":
            return f'"{self._id(view)}"'
        if type_.name == "ID" and name in _KEYS:
            return f'"{self._id(_KEYS[name])}"'
        if type_.name == "Date" and _UNIT.search(name):
            days = self.values.of_field.get(f"{view}.{_UNIT.sub('', name)}") or ["2026-03-02"]
            return f'"{self.random.choice(days)[:8]}01"'
        known = self.values.of_field.get(f"{view}.{name}")
        if known:
            text = self.random.choice(known)
            return text if type_.name == "Int" else f'"{text}"'
        return {"Int": "1", "Date": '"2026-03-02"', "DateTime": '"2026-03-02T09:00:00Z"'}.get(
            type_.name, '"00000000-0000-7000-8000-000000000000"' if type_.name == "ID" else '"1"'
        )

    def _id(self, view: str) -> str:
        return self.random.choice(self.values.ids.get(view) or ["x"])


def _weight(name: str, type_: Any) -> int:
    if name in ("and", "or", "id"):
        return 1
    if name == "not":
        return 2
    return 6 if _is_view_filter(type_) else 2


def _is_view_filter(type_: Any) -> bool:
    return isinstance(type_, GraphQLInputObjectType) and "and" in type_.fields


def _literal(value: Any) -> str:
    if hasattr(value, "strftime"):
        return str(value.isoformat()).replace("+00:00", "Z")
    return str(value)

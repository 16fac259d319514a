"""Random valid operations in a role's schema: selections, filters, orders, pages, directives.

Made from what a client of the role is told (its introspection) and from values of the world,
those of hidden rows among them.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
)

from core.clock import utc_now

_DEEPEST = 4
# Days around today, of a field that takes a period.
_PERIOD = {"from": -15, "to": 3}
# Names that the role may not have, each dropped by @ifVisible where it has not.
_PERHAPS = ("snils", "hash", "passport", "seatsLeft", "auditTrail", "comment", "number", "nonsuch")


# The keys of groups that are rows, and what a key adds to the name of a field of time.
_KEYS = {"department": "Department", "specialty": "DictionaryEntry", "course": "Course"}
_OF_GROUPS = 6
_UNIT = re.compile("(Day|Week|Month)$")


@dataclass(frozen=True, slots=True)
class Operation:
    """A document with its variables; ``cursor`` is the field to whose cursors it may go on."""

    text: str
    variables: dict[str, Any]
    cursor: str | None = None


@dataclass
class Values:
    """Literals to filter by: for a field of a view, or for any of a scalar type."""

    ids: Mapping[str, Sequence[str]]
    of_field: Mapping[str, Sequence[str]]


@dataclass
class Operations:
    """A maker of operations in one schema; everything random comes from ``random``."""

    schema: GraphQLSchema
    values: Values
    random: Random
    # 1–5: how many fields a selection holds.
    size: int = 3
    _names: int = 0
    _fragments: list[str] = field(default_factory=list)
    _cursor: str | None = None

    def query(self) -> Operation:
        """One operation of a few root fields, mostly lists."""
        self._names, self._fragments, self._cursor = 0, [], None
        root = self.schema.query_type
        assert root is not None
        lists = [name for name, made in root.fields.items() if "first" in made.args]
        singles = [name for name in root.fields if name not in lists]
        # The richer the rows, the oftener; groups as often as a middling row.
        weights = [
            _OF_GROUPS if "by" in root.fields[name].args else len(self._row_of(made).fields)
            for name, made in ((name, root.fields[name]) for name in lists)
        ]
        chosen = self.random.choices(lists, weights, k=self.random.randint(1, 3))
        if self._once_in(2):
            chosen.append(self.random.choice(singles))
        body = " ".join(self._field(root, name, root.fields[name], 0) for name in chosen)
        declared = ["$yes: Boolean!", "$no: Boolean!"]
        variables: dict[str, Any] = {"yes": True, "no": False}
        if self._cursor:
            declared.append("$cursor: String")
            variables["cursor"] = None
        used = [d for d in declared if f"{d.split(':')[0]}" in body + "".join(self._fragments)]
        variables = {d[1:].split(":")[0]: variables[d[1:].split(":")[0]] for d in used}
        head = f"query ({', '.join(used)})" if used else "query"
        return Operation(
            " ".join([head, "{", body, "}", *self._fragments]), variables, self._cursor
        )

    def _row_of(self, made: GraphQLField) -> GraphQLObjectType:
        row = self.schema.type_map[get_named_type(made.type).name.removesuffix("Connection")]
        assert isinstance(row, GraphQLObjectType)
        return row

    def _selection(self, type_: GraphQLObjectType, depth: int) -> str:
        fields = {
            name: made
            for name, made in type_.fields.items()
            if depth < _DEEPEST or not _is_object(made)
        }
        leaves = [name for name, made in fields.items() if not _is_object(made)] or ["__typename"]
        chosen = [self.random.choice(leaves)]
        chosen += [self.random.choice([*fields, "__typename"]) for _ in range(self.size)]
        if "key" in fields and "count" in fields:
            chosen += ["key", "count"]
        if type_.name.endswith(("Connection", "Groups")):
            chosen += ["nodes", "totalCount", self.random.choice(("edges", "pageInfo"))]
        parts = [
            name if name == "__typename" else self._field(type_, name, fields[name], depth)
            for name in dict.fromkeys(name for name in chosen if name in fields or name[0] == "_")
        ]
        if self._once_in(8):
            parts.append(self._perhaps(type_))
        text = " ".join(parts)
        match self.random.randrange(8):
            case 0:
                return f"{leaves[0]} ... on {type_.name} {self._condition()} {{ {text} }}"
            case 1:
                name = f"F{len(self._fragments)}"
                self._fragments.append(f"fragment {name} on {type_.name} {{ {text} }}")
                return f"...{name} {self._condition()}"
        return text

    def _perhaps(self, type_: GraphQLObjectType) -> str:
        name = self.random.choice(_PERHAPS)
        known = type_.fields.get(name)
        if known is not None and _is_object(known):
            return "__typename @ifVisible"
        return f"{self._name()}: {name} @ifVisible"

    def _condition(self) -> str:
        return self.random.choice(
            ("", "", "@include(if: $yes)", "@skip(if: $no)", "@include(if: $no)", "@ifVisible")
        )

    def _field(self, parent: GraphQLObjectType, name: str, made: GraphQLField, depth: int) -> str:
        target = get_named_type(made.type)
        if not isinstance(target, GraphQLObjectType):
            alias = f"{self._name()}: " if self._once_in(5) else ""
            return f"{alias}{name} {self._condition() if alias else ''}".rstrip()
        key = self._name() if made.args or self._once_in(4) else name
        arguments = self._arguments(target, made, depth, key)
        alias = "" if key == name else f"{key}: "
        return f"{alias}{name}{arguments} {{ {self._selection(target, depth + 1)} }}"

    def _arguments(
        self, target: GraphQLObjectType, made: GraphQLField, depth: int, key: str
    ) -> str:
        given = []
        if "by" in made.args:
            return self._groups(made)
        if "id" in made.args:
            given.append(f'id: "{self._id(target.name)}"')
        if "from" in made.args:
            given += [
                f'{end}: "{utc_now().date() + timedelta(days)}"' for end, days in _PERIOD.items()
            ]
        if "first" in made.args:
            given += self._page(depth, key)
        if "filter" in made.args and self._once_in(2):
            type_ = get_named_type(made.args["filter"].type)
            assert isinstance(type_, GraphQLInputObjectType)
            given.append(f"filter: {self._filter(type_, 0)}")
        if "order" in made.args and self._once_in(2):
            type_ = get_named_type(made.args["order"].type)
            assert isinstance(type_, GraphQLInputObjectType)
            given.append(f"order: {self._order(type_)}")
        return f"({', '.join(given)})" if given else ""

    def _groups(self, made: GraphQLField) -> str:
        """The arguments of groups: by few keys, sometimes only those with some."""
        name = get_named_type(made.type).name.removesuffix("Groups")
        enum = get_named_type(made.args["by"].type)
        keys = get_named_type(made.args["only"].type)
        assert isinstance(enum, GraphQLEnumType)
        assert isinstance(keys, GraphQLInputObjectType)
        by = self.random.sample(list(enum.values), min(len(enum.values), self._few()))
        given = [f"by: [{', '.join(by)}]", f"first: {self.random.choice((1, 5, 100, 1000))}"]
        named = {field.lower(): field for field in keys.fields}
        chosen = [named[key.replace("_", "").lower()] for key in by] or list(keys.fields)
        if self._once_in(3):
            field = self.random.choice(chosen)
            target = get_named_type(keys.fields[field].type)
            assert isinstance(target, GraphQLInputObjectType)
            given.append(f"only: {{{field}: {self._comparison(name, field, target)}}}")
        if "filter" in made.args and self._once_in(2):
            rows = get_named_type(made.args["filter"].type)
            assert isinstance(rows, GraphQLInputObjectType)
            given.append(f"filter: {self._filter(rows, 0)}")
        return f"({', '.join(given)})"

    def _few(self) -> int:
        return self.random.choice((0, 1, 1, 1, 2, 3))

    def _page(self, depth: int, key: str) -> list[str]:
        size = self.random.choice((1, 3, 10, 50) if depth == 0 else (1, 2, 4))
        forward = self.random.random() < 0.7
        page = [f"{'first' if forward else 'last'}: {size}"]
        if self._cursor is None and self._once_in(2):
            self._cursor = key
            page.append(f"{'after' if forward else 'before'}: $cursor")
        return page

    def _order(self, type_: GraphQLInputObjectType) -> str:
        enum = get_named_type(type_.fields["field"].type)
        assert isinstance(enum, GraphQLEnumType)
        names = list(enum.values)
        chosen = self.random.sample(names, min(len(names), self.random.randint(1, 3)))
        terms = (
            f"{{field: {name}, direction: {self.random.choice(('ASC', 'DESC'))}}}"
            for name in chosen
        )
        return f"[{', '.join(terms)}]"

    def _filter(self, type_: GraphQLInputObjectType, depth: int) -> str:
        names = [
            name
            for name, made in type_.fields.items()
            if depth < 3 or not _is_view_filter(get_named_type(made.type))
        ]
        # One condition is usual, and one through a relation likelier: many conditions hold nowhere.
        weights = [_weight(name, get_named_type(type_.fields[name].type)) for name in names]
        parts = []
        for name in dict.fromkeys(
            self.random.choices(names, weights, k=2 if self._once_in(4) else 1)
        ):
            target = get_named_type(type_.fields[name].type)
            assert isinstance(target, GraphQLInputObjectType)
            if name in ("and", "or"):
                inner = [self._filter(target, depth + 1) for _ in range(self.random.randint(0, 2))]
                parts.append(f"{name}: [{', '.join(inner)}]")
            elif _is_view_filter(target):
                parts.append(f"{name}: {self._filter(target, depth + 1)}")
            else:
                view = type_.name.removesuffix("Filter")
                parts.append(f"{name}: {self._comparison(view, name, target)}")
        return f"{{{', '.join(parts)}}}"

    def _comparison(self, view: str, name: str, type_: GraphQLInputObjectType) -> str:
        operators = list(type_.fields)
        operator = self.random.choices(operators, [1 if o == "eq" else 3 for o in operators])[0]
        if operator == "isNull":
            return f"{{isNull: {self.random.choice(('true', 'false'))}}}"
        target = get_named_type(type_.fields[operator].type)
        many = self.random.randint(1, 3) if operator == "in" else 1
        literals = [self._literal(view, name, target) for _ in range(many)]
        if operator in ("contains", "startsWith"):
            inside = literals[0].strip('"')
            start = self.random.randrange(max(len(inside), 1)) if operator == "contains" else 0
            literals = [f'"{inside[start : start + self.random.randint(1, 3)]}"']
        literal = f"[{', '.join(literals)}]" if operator == "in" else literals[0]
        return f"{{{operator}: {literal}}}"

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

    def _name(self) -> str:
        self._names += 1
        return f"a{self._names}"

    def _once_in(self, times: int) -> bool:
        return self.random.randrange(times) == 0


def _weight(name: str, type_: Any) -> int:
    if name in ("and", "or", "not", "id"):
        return 1
    return 6 if _is_view_filter(type_) else 2


def _is_object(made: GraphQLField) -> bool:
    return isinstance(get_named_type(made.type), GraphQLObjectType)


def _is_view_filter(type_: Any) -> bool:
    return isinstance(type_, GraphQLInputObjectType) and "and" in type_.fields

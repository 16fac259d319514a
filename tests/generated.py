"""Random valid operations in a role's schema: selections, fragments, directives, arguments.

Made from what a client of the role is told (its introspection) and from values of the world,
those of hidden rows among them.
"""

import json
from collections.abc import Collection
from dataclasses import dataclass, field
from random import Random
from typing import Any

from graphql import GraphQLField, GraphQLObjectType, GraphQLSchema, get_named_type

from tests.generated_inputs import Inputs, Values

# Names that the role may not have, each dropped by @ifVisible where it has not.
_PERHAPS = ("snils", "hash", "passport", "seatsLeft", "auditTrail", "comment", "number", "nonsuch")
_CONDITIONS = (
    *("", "", "@include(if: $yes)", "@skip(if: $no)", "@include(if: $no)", "@ifVisible"),
    *("@include(if: true)", "@skip(if: false)", "@skip(if: $yes) @include(if: $yes)"),
    *("@include(if: $may)", "@skip(if: $mayNot)"),
)
# Groups come as often as a middling row.
_OF_GROUPS = 6
# PostgreSQL cuts names at 63 bytes: these would all be one.
_LONG = "a_name_longer_than_what_any_database_takes_for_the_name_of_a_column_"
# SQLite makes no JSON object of so many keys by itself.
_WIDE = 130


@dataclass(frozen=True, slots=True)
class Operation:
    """A document with its variables; ``cursor`` is the field to whose cursors it may go on."""

    text: str
    variables: dict[str, Any]
    cursor: str | None = None


@dataclass
class Operations:
    """A maker of operations in one schema; everything random comes from ``random``."""

    schema: GraphQLSchema
    values: Values
    random: Random
    # 1–5: how many fields a selection holds.
    size: int = 3
    # Coordinates (``Type.field``) that are left out.
    avoided: Collection[str] = ()
    _inputs: Inputs = field(init=False)
    _names: int = 0
    _fragments: list[str] = field(default_factory=list)
    _deepest: int = 4
    _is_wide: bool = False

    def query(self) -> Operation:
        """One operation of a few root fields, mostly lists."""
        return self.queries(1)[0]

    def queries(self, askings: int) -> list[Operation]:
        """One document with several sets of values for its variables, where it has any."""
        self._names, self._fragments = 0, []
        self._inputs = Inputs(self.values, self.random, askings)
        # Now and then a deep one of few fields, or one with a row of very many.
        size, self._deepest = self.size, 4
        if is_deep := self._once_in(12):
            self.size, self._deepest = 1, 14
        self._is_wide = not is_deep and self._once_in(12)
        body = " ".join(self._roots(1 if is_deep else self.random.randint(1, 3)))
        self.size = size
        text = " ".join(["{", body, "}", *self._fragments])
        declared, given = self._inputs.variables(text)
        found: list[Operation] = []
        for variables in given:
            made = Operation(f"query{declared} {text}", variables, self._inputs.cursor)
            if made not in found:
                found.append(made)
        return found

    def _roots(self, many: int) -> list[str]:
        root = self.schema.query_type
        assert root is not None
        lists = [name for name, made in root.fields.items() if "first" in made.args]
        singles = [name for name in root.fields if name not in lists]
        # The richer the rows, the oftener.
        weights = [
            _OF_GROUPS if "by" in root.fields[name].args else len(self._row_of(made).fields)
            for name, made in ((name, root.fields[name]) for name in lists)
        ]
        chosen = self.random.choices(lists, weights, k=many)
        if self._once_in(2):
            chosen.append(self.random.choice(singles))
        return [self._field(root, name, root.fields[name], 0) for name in chosen]

    def _row_of(self, made: GraphQLField) -> GraphQLObjectType:
        row = self.schema.type_map[get_named_type(made.type).name.removesuffix("Connection")]
        assert isinstance(row, GraphQLObjectType)
        return row

    def _selection(self, type_: GraphQLObjectType, depth: int) -> str:
        fields = {
            name: made
            for name, made in type_.fields.items()
            if (depth < self._deepest or not _is_object(made))
            and f"{type_.name}.{name}" not in self.avoided
        }
        leaves = [name for name, made in fields.items() if not _is_object(made)] or ["__typename"]
        chosen = [self.random.choice(leaves)]
        chosen += [self.random.choice([*fields, "__typename"]) for _ in range(self.size)]
        if "key" in fields and "count" in fields:
            chosen += ["key", "count"]
        if type_.name.endswith(("Connection", "Groups")):
            if self._deepest == 4 and self._once_in(6):
                # Without rows, nobody reads how many are asked for.
                return "totalCount"
            chosen += ["nodes", "totalCount", self.random.choice(("edges", "pageInfo"))]
        if self._deepest > 4:
            # One way down, past whatever lies beside it.
            ways = [name for name, made in fields.items() if _is_object(made) and name != "edges"]
            chosen = [chosen[0], *self.random.sample(ways, min(1, len(ways)))]
        parts = [
            name if name == "__typename" else self._field(type_, name, fields[name], depth)
            for name in dict.fromkeys(name for name in chosen if name in fields or name[0] == "_")
        ]
        if self._is_wide and "id" in fields:
            self._is_wide = False
            parts += [f"{self._name()}: {leaves[n % len(leaves)]}" for n in range(_WIDE)]
        if self._once_in(8):
            parts.append(self._perhaps(type_))
        return self._wrapped(type_, " ".join(parts), leaves[0])

    def _wrapped(self, type_: GraphQLObjectType, text: str, leaf: str) -> str:
        """A selection as it is, or some of it in a fragment."""
        match self.random.randrange(9):
            case 0:
                return f"{leaf} ... on {type_.name} {self._condition()} {{ {text} }}"
            case 1:
                return f"{leaf} ... {self._condition()} {{ {text} }}"
            case 2:
                name = f"F{len(self._fragments)}"
                self._fragments.append(f"fragment {name} on {type_.name} {{ {text} }}")
                # Spread twice, it is one; so is what a field selects in two places.
                return f"...{name} {self._condition()} " * self.random.randint(1, 2)
        return text

    def _perhaps(self, type_: GraphQLObjectType) -> str:
        name = self.random.choice(_PERHAPS)
        known = type_.fields.get(name)
        if known is not None and _is_object(known):
            return "__typename @ifVisible"
        return f"{self._name()}: {name} @ifVisible"

    def _condition(self) -> str:
        return self.random.choice(_CONDITIONS)

    def _field(self, parent: GraphQLObjectType, name: str, made: GraphQLField, depth: int) -> str:
        target = get_named_type(made.type)
        is_object = isinstance(target, GraphQLObjectType)
        is_named = bool(made.args) or self._once_in(4 if is_object else 5)
        key = self._name() if is_named else name
        arguments = self._inputs.arguments(made, is_root=depth == 0, key=key)
        alias = f"{key}: " if is_named else ""
        condition = f" {self._condition()}" if self._once_in(20 if is_object else 5) else ""
        head = f"{alias}{name}{arguments}{condition}"
        if not isinstance(target, GraphQLObjectType):
            return head
        text = f"{head} {{ {self._selection(target, depth + 1)} }}"
        if not made.args and depth < self._deepest and self._once_in(12):
            # The same field once more: what both select is one object.
            return f"{text} {alias}{name} {{ {self._selection(target, depth + 1)} }}"
        return text

    def _name(self) -> str:
        self._names += 1
        return f"{_LONG if self._once_in(30) else 'a'}{self._names}"

    def _once_in(self, times: int) -> bool:
        return self.random.randrange(times) == 0


def _is_object(made: GraphQLField) -> bool:
    return isinstance(get_named_type(made.type), GraphQLObjectType)


def cursors(body: bytes, key: str, random: Random) -> list[str]:
    """One or two of the cursors that an answer holds under a field; now and then another's."""
    found: dict[bool, list[str]] = {True: [], False: []}

    def walk(value: Any, *, under: bool, depth: int) -> None:
        if isinstance(value, list):
            for inner in value:
                walk(inner, under=under, depth=depth)
        elif isinstance(value, dict):
            for name, inner in value.items():
                if name == key:
                    walk(inner, under=True, depth=0)
                elif isinstance(inner, str) and inner.startswith("5B22"):
                    found[under and depth < 2].append(inner)
                else:
                    walk(inner, under=under, depth=depth + 1)

    walk(json.loads(body).get("data"), under=False, depth=0)
    own, others = found[True], found[False]
    return [
        *random.sample(own, min(2, len(own))),
        *random.sample(others, 1 if others and random.random() < 0.1 else 0),
    ]

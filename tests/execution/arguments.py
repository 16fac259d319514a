"""Every place where a client gives a value to a role's reads, found by walking its schema."""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    get_nullable_type,
    is_list_type,
    is_required_argument,
)

from tests.schema.documents import Place, literal, objects, places


@dataclass(frozen=True, slots=True)
class Step:
    """An argument, or a field of an input; ``told`` names it in the whole schema."""

    name: str
    is_list: bool
    told: str


@dataclass(frozen=True, slots=True)
class Leaf:
    """A scalar or an enum that is given within an argument, by the steps that lead to it."""

    steps: tuple[Step, ...]
    type: GraphQLNamedType

    @property
    def argument(self) -> str:
        return self.steps[0].name

    @property
    def path(self) -> str:
        """As an error tells it."""
        return ".".join(step.name + "[0]" * step.is_list for step in self.steps)

    def given(self, value: Any) -> Any:
        """The whole argument in which a value stands here."""
        for step in reversed(self.steps[1:]):
            value = {step.name: [value] if step.is_list else value}
        return [value] if self.steps[0].is_list else value


@dataclass(frozen=True, slots=True)
class Taker:
    """A field that takes arguments, where it stands, and every leaf of what it takes."""

    place: Place
    parent: str
    name: str
    field: GraphQLField
    leaves: tuple[Leaf, ...]

    @property
    def reached(self) -> set[tuple[str, str]]:
        """The field, with each argument and input field on the ways to its leaves."""
        of = f"{self.parent}.{self.name}"
        return {(of, step.told) for leaf in self.leaves for step in leaf.steps}

    def document(self, given: Iterable[tuple[str, str]], declared: str = "") -> str:
        """The field once for each argument that is given, with its literal."""
        calls = (
            f"a{number}: {self.name}({', '.join([f'{name}: {text}', *self._others(name)])}) "
            f"{self._selection}"
            for number, (name, text) in enumerate(given)
        )
        text = self.place.document(" ".join(calls))
        return text.replace("query", f"query({declared})", 1) if declared else text

    @property
    def _selection(self) -> str:
        made_of = get_named_type(self.field.type)
        if not isinstance(made_of, GraphQLObjectType):
            return ""
        counted = " totalCount nodes { __typename }" * ("totalCount" in made_of.fields)
        return f"{{ __typename{counted} }}"

    def _others(self, name: str) -> Iterator[str]:
        """What else has to be given."""
        for other, made in self.field.args.items():
            if other != name and is_required_argument(made):
                yield f"{other}: {literal(made)}"


def takers(schema: GraphQLSchema) -> Iterator[Taker]:
    """The fields of all reads that take arguments; those of rows stand in a list of them."""
    for name, place in places(schema, certain=True).items():
        made = schema.type_map[name]
        assert isinstance(made, GraphQLObjectType)
        for field_name, field in made.fields.items():
            if place.operation == "query" and field.args:
                leaves = (
                    leaf
                    for key, argument in field.args.items()
                    for leaf in _leaves(argument, Step(key, _is_list(argument), f"({key}:)"))
                )
                yield Taker(place, name, field_name, field, tuple(leaves))


def _leaves(argument: GraphQLArgument, first: Step) -> Iterator[Leaf]:
    """The leaves of an argument: by a shortest way to each input, and by others a text and an id.

    Filters lead on through relations without end.
    """
    outer = get_named_type(argument.type)
    if not isinstance(outer, GraphQLInputObjectType):
        yield Leaf((first,), outer)
        return
    todo: deque[tuple[tuple[Step, ...], GraphQLInputObjectType]] = deque([((first,), outer)])
    seen = {outer.name}
    while todo:
        steps, made = todo.popleft()
        for step, inner in _fields(made):
            here = (*steps, step)
            if not isinstance(inner, GraphQLInputObjectType):
                yield Leaf(here, inner)
            elif inner.name not in seen and not _compares(inner):
                seen.add(inner.name)
                todo.append((here, inner))
            else:
                yield from _next(here, inner)


def _next(steps: tuple[Step, ...], made: GraphQLInputObjectType) -> Iterator[Leaf]:
    """All leaves of what compares one value; of another input, the first text and the first id."""
    first: dict[str, Leaf] = {}
    for step, inner in _fields(made):
        here = (*steps, step)
        if not isinstance(inner, GraphQLInputObjectType):
            yield Leaf(here, inner)
        elif _compares(inner):
            for leaf in _next(here, inner):
                first.setdefault(leaf.type.name, leaf)
    yield from (leaf for name, leaf in first.items() if name in ("String", "ID"))


def _fields(made: GraphQLInputObjectType) -> Iterator[tuple[Step, GraphQLNamedType]]:
    for name, field in made.fields.items():
        yield Step(name, _is_list(field), f"{made.name}.{name}"), get_named_type(field.type)


def _compares(made: GraphQLInputObjectType) -> bool:
    """Whether an input holds values alone."""
    return not any(isinstance(inner, GraphQLInputObjectType) for _, inner in _fields(made))


def _is_list(made: GraphQLArgument | GraphQLInputField) -> bool:
    return is_list_type(get_nullable_type(made.type))


def inputs(schema: GraphQLSchema) -> set[tuple[str, str]]:
    """Each field that takes arguments in a read, with each argument and input field it leads to.

    It counts what ``takers`` should reach, without ways and without leaves.
    """
    found: set[tuple[str, str]] = set()
    for name, made in objects(schema).items():
        if made in (schema.mutation_type, schema.subscription_type):
            continue
        for field_name, field in made.fields.items():
            of = f"{name}.{field_name}"
            found |= {(of, f"({key}:)") for key in field.args}
            types = [get_named_type(argument.type) for argument in field.args.values()]
            seen: set[str] = set()
            while types:
                inner = types.pop()
                if isinstance(inner, GraphQLInputObjectType) and inner.name not in seen:
                    seen.add(inner.name)
                    found |= {(of, f"{inner.name}.{key}") for key in inner.fields}
                    types += [get_named_type(each.type) for each in inner.fields.values()]
    return found

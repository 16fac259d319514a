"""Documents that reach any type or input of a role's schema, found from its introspection."""

from collections import deque
from dataclasses import dataclass
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLObjectType,
    GraphQLSchema,
    build_client_schema,
    get_introspection_query,
    get_named_type,
    is_list_type,
    is_non_null_type,
    is_required_argument,
    is_required_input_field,
)
from graphql.type import is_introspection_type

from models.role import Role
from schema.operations import SENSITIVE
from tests.api import Api

NOWHERE = "00000000-0000-7000-8000-000000000000"


_told: dict[Role, GraphQLSchema] = {}


async def client_schema(api: Api, token: str | None, role: Role) -> GraphQLSchema:
    """The schema that a client in a role is told of, over HTTP; asked for once."""
    if role not in _told:
        answer = await api.ask(get_introspection_query(), token)
        _told[role] = build_client_schema(answer.data)
    return _told[role]


@dataclass(frozen=True)
class Place:
    """Where a type stands: the operation and the fields that lead there, with arguments."""

    operation: str
    path: tuple[str, ...]

    def document(self, inner: str) -> str:
        text = inner
        for step in reversed(self.path):
            text = f"{step} {{ {text} }}"
        return f"{self.operation} {{ {text} }}"


@dataclass(frozen=True)
class InputPlace:
    """Where an input type stands: a field's argument, and the input fields within it."""

    parent: Place
    field: str
    argument: str
    opening: str
    closing: str

    def documents(self, literals: list[str]) -> list[str]:
        """One document with a field for each literal, or several where it may stand but once."""
        fields = [
            f"a{number}: {self.field}({self.argument}: {self.opening}{literal}{self.closing})"
            for number, literal in enumerate(literals)
        ]
        parts = fields if self.field in SENSITIVE else [" ".join(fields)]
        return [self.parent.document(part) for part in parts]


def places(schema: GraphQLSchema, *, certain: bool = False) -> dict[str, Place]:
    """The shortest way to every object type, from the three roots.

    A certain way leads by fields that are never null: to rows it goes by lists of them.
    """
    found: dict[str, Place] = {}
    todo: deque[str] = deque()
    for operation, root in (
        ("query", schema.query_type),
        ("mutation", schema.mutation_type),
        ("subscription", schema.subscription_type),
    ):
        if root is not None:
            found[root.name] = Place(operation, ())
            todo.append(root.name)
    while todo:
        name = todo.popleft()
        type_ = schema.type_map[name]
        assert isinstance(type_, GraphQLObjectType)
        for field_name, field in type_.fields.items():
            target = get_named_type(field.type)
            if certain and not is_non_null_type(field.type):
                continue
            if isinstance(target, GraphQLObjectType) and target.name not in found:
                place = found[name]
                step = field_name + _arguments(field)
                found[target.name] = Place(place.operation, (*place.path, step))
                todo.append(target.name)
    return found


def input_places(schema: GraphQLSchema) -> dict[str, InputPlace]:
    """The shortest way to every input type and enum, from any field's argument."""
    found: dict[str, InputPlace] = {}
    todo: deque[str] = deque()

    def note(named: Any, place: InputPlace) -> None:
        if isinstance(named, GraphQLInputObjectType | GraphQLEnumType) and named.name not in found:
            found[named.name] = place
            todo.append(named.name)

    for name, parent in places(schema).items():
        type_ = schema.type_map[name]
        assert isinstance(type_, GraphQLObjectType)
        for field_name, field in type_.fields.items():
            for key, argument in field.args.items():
                opening, closing = _brackets(argument.type)
                note(
                    get_named_type(argument.type),
                    InputPlace(parent, field_name, key, opening, closing),
                )
    while todo:
        name = todo.popleft()
        made = schema.type_map[name]
        if not isinstance(made, GraphQLInputObjectType):
            continue
        outer = found[name]
        for key, inner in made.fields.items():
            opening, closing = _brackets(inner.type)
            note(
                get_named_type(inner.type),
                InputPlace(
                    outer.parent,
                    outer.field,
                    outer.argument,
                    f"{outer.opening}{{{key}: {opening}",
                    f"{closing}}}{outer.closing}",
                ),
            )
    return found


def objects(schema: GraphQLSchema) -> dict[str, GraphQLObjectType]:
    return {
        name: type_
        for name, type_ in schema.type_map.items()
        if isinstance(type_, GraphQLObjectType) and not is_introspection_type(type_)
    }


def _brackets(type_: Any) -> tuple[str, str]:
    bare = type_.of_type if is_non_null_type(type_) else type_
    return ("[", "]") if is_list_type(bare) else ("", "")


def _arguments(field: GraphQLField) -> str:
    required = [
        f"{name}: {literal(argument)}"
        for name, argument in field.args.items()
        if is_required_argument(argument)
    ]
    return f"({', '.join(required)})" if required else ""


def literal(argument: Any) -> str:
    """Any valid literal of an argument or input field."""
    bare: Any = argument.type.of_type if is_non_null_type(argument.type) else argument.type
    if is_list_type(bare):
        return "[]"
    if isinstance(bare, GraphQLEnumType):
        return str(next(iter(bare.values)))
    if isinstance(bare, GraphQLInputObjectType):
        inner = ", ".join(
            f"{name}: {literal(field)}"
            for name, field in bare.fields.items()
            if is_required_input_field(field)
        )
        return f"{{{inner}}}"
    return {
        "Int": "1",
        "Boolean": "false",
        "ID": f'"{NOWHERE}"',
        "Date": '"2026-03-02"',
        "DateTime": '"2026-03-02T09:00:00Z"',
        "Decimal": '"0.50"',
    }.get(bare.name, '"x"')

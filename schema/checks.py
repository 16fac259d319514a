"""What the build refuses: a missing rule, a contradiction, a role that could do nothing."""

from collections.abc import Iterable

import strawberry
from graphql import (
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    get_named_type,
    is_non_null_type,
    is_required_argument,
    is_required_input_field,
    validate_schema,
)
from graphql.type import is_introspection_type

from auth.rows import REACH
from models.role import Role
from schema.aggregates import faults as faults_of_aggregates
from schema.roles import RoleView
from schema.rules import declared
from schema.views import VIEWS


class SchemaBroken(Exception):
    """The declarations contradict themselves; every fault is listed."""


def check(whole: strawberry.Schema, views: dict[Role, RoleView]) -> None:
    """Raises SchemaBroken with every fault found."""
    faults = [
        *_missing_rules(whole),
        *_row_scopes(),
        *_limited_but_required(whole, views),
        *_scoped_but_required(whole),
        *_masked_but_unreadable(views),
        *_hidden_but_required(whole, views),
        *_unusable_views(views),
        *_unprovable(views),
        *faults_of_aggregates(),
    ]
    if faults:
        raise SchemaBroken("\n".join(sorted(set(faults))))


def _elements(whole: strawberry.Schema) -> Iterable[GraphQLObjectType]:
    for type_ in whole._schema.type_map.values():
        if isinstance(
            type_, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType
        ) and not is_introspection_type(type_):
            yield type_  # type: ignore[misc]


def _missing_rules(whole: strawberry.Schema) -> Iterable[str]:
    for type_ in _elements(whole):
        if not declared(type_).declared:
            yield f"{type_.name} has no rule"
        for name, field in type_.fields.items():
            if not declared(field).declared:
                yield f"{type_.name}.{name} has no rule"


def _row_scopes() -> Iterable[str]:
    for view in VIEWS.values():
        if view.model not in REACH:
            yield f"{view.name}: auth.rows does not say whose its rows are"
        for role in view.rules.roles():
            if view.rules.scopes(role) is None:
                yield f"{view.name} does not say which rows {role.value} sees"


def _limited_but_required(whole: strawberry.Schema, views: dict[Role, RoleView]) -> Iterable[str]:
    for view in views.values():
        for coordinate in view.limited:
            type_name, name = coordinate.split(".")
            field = whole._schema.type_map[type_name].fields[name]  # type: ignore[attr-defined]
            if is_non_null_type(field.type):
                yield f"{coordinate} is limited for {view.role.value}, so it must be nullable"


def _scoped_but_required(whole: strawberry.Schema) -> Iterable[str]:
    for view in VIEWS.values():
        fields = whole._schema.type_map[view.name].fields  # type: ignore[attr-defined]
        for made in view.specs.values():
            if made.kind == "to_one" and is_non_null_type(fields[made.graphql_name].type):
                yield f"{view.name}.{made.name} leads to scoped rows, so it must be nullable"


def _masked_but_unreadable(views: dict[Role, RoleView]) -> Iterable[str]:
    for view in views.values():
        for coordinate in view.masked:
            if coordinate.split(".")[0] not in VIEWS:
                yield f"{coordinate} is masked, but belongs to no view"


def _hidden_but_required(whole: strawberry.Schema, views: dict[Role, RoleView]) -> Iterable[str]:
    """A required input that a role cannot see needs a preset, and none has been made."""
    for view in views.values():
        for type_ in _elements(whole):
            if type_.name not in view.coordinates:
                continue
            for name, field in type_.fields.items():
                if isinstance(type_, GraphQLInputObjectType):
                    if is_required_input_field(field) and (
                        f"{type_.name}.{name}" not in view.coordinates
                    ):
                        yield f"{type_.name}.{name} is required, but hidden from {view.role.value}"
                    continue
                if not declared(field).allows(view.role):
                    continue
                for argument_name, argument in field.args.items():
                    coordinate = f"{type_.name}.{name}({argument_name}:)"
                    if is_required_argument(argument) and coordinate not in view.coordinates:
                        yield f"{coordinate} is required, but hidden from {view.role.value}"


def _unprovable(views: dict[Role, RoleView]) -> Iterable[str]:
    """A visitor has nothing to prove a thing with."""
    visitor = views.get(Role.VISITOR)
    for coordinate in visitor.proofs if visitor is not None else ():
        yield f"{coordinate} needs a proof, which no visitor has"


def _unusable_views(views: dict[Role, RoleView]) -> Iterable[str]:
    for view in views.values():
        if view.schema.query_type is None:
            yield f"{view.role.value} has no query field"
            continue
        for error in validate_schema(view.schema):
            yield f"{view.role.value}: {error.message}"
        for type_ in _elements_of(view):
            for name, field in type_.fields.items():
                named = get_named_type(field.type)
                if named.name not in view.schema.type_map:
                    yield f"{view.role.value}: {type_.name}.{name} leads to nothing"


def _elements_of(view: RoleView) -> Iterable[GraphQLObjectType]:
    for type_ in view.schema.type_map.values():
        if isinstance(type_, GraphQLObjectType) and not is_introspection_type(type_):
            yield type_

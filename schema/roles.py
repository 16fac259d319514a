"""Role views: the one schema, pruned once per role, and the rights that follow from it.

What a role may not see does not exist in its view: not in introspection, not in messages, not
in filters, orders, inputs, payloads or subscriptions. Cells outside a role's scopes become
null, masked ones show their last characters: both are built into the view's own resolvers.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any, cast

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    is_non_null_type,
    is_required_argument,
)
from graphql.type import GraphQLNonNull, is_introspection_type, is_specified_scalar_type
from graphql.utilities.map_schema_config import map_schema_config
from tortoise.models import Model

from auth.proofs import Proof
from auth.rights import Rights, RowRights, Scope, Scopes
from auth.rows import flag_of
from models.role import Role
from schema.names import NAMES
from schema.proofs import proofs_of
from schema.rules import ALL, DEFINITION, declared, narrowed, rules_of
from schema.scalars import masked as shown_masked
from schema.views import VIEWS, Spec, View


@dataclass(frozen=True)
class RoleView:
    """One role's schema, what of it is limited, and the rights that resolvers act on."""

    role: Role
    schema: GraphQLSchema
    rights: Rights
    # Coordinates of fields whose cells are limited for this role, and to which scopes.
    limited: dict[str, Scopes]
    masked: dict[str, int]
    # Coordinates of fields, of types and of inputs, that need a proof.
    proofs: dict[str, frozenset[Proof]]

    @property
    def coordinates(self) -> frozenset[str]:
        return self.rights.coordinates


def role_view(schema: GraphQLSchema, role: Role) -> RoleView:
    """The view of one role."""
    kept = _Kept(schema, role)
    limited = dict(_limited(schema, kept, role))
    masked = {
        f"{type_.name}.{name}": keep
        for type_ in kept.objects()
        for name, field in type_.fields.items()
        if kept.field(type_.name, name) and (keep := declared(field).mask(role)) is not None
    }
    pruned = _pruned(schema, kept, limited, masked)
    rights = _rights(kept, role, limited)
    proofs = dict(proofs_of(schema, rights.coordinates))
    return RoleView(role, pruned, rights, limited, masked, proofs)


class _Kept:
    """Which elements of the schema exist for a role: allowed, usable and within reach."""

    def __init__(self, schema: GraphQLSchema, role: Role) -> None:
        self._schema = schema
        self._role = role
        self._types = {
            name
            for name, type_ in schema.type_map.items()
            if not isinstance(
                type_, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType
            )
            or is_introspection_type(type_)
            or declared(type_).allows(role)
        }
        # An element goes when what it needs is gone, until nothing more goes.
        while True:
            empty = {name for name in self._types if self._is_empty(schema.type_map[name])}
            if not empty:
                break
            self._types -= empty
        self._types &= self._reachable()

    def type(self, name: str) -> bool:
        return name in self._types

    def field(self, type_name: str, name: str) -> bool:
        type_ = self._schema.type_map[type_name]
        fields = cast("GraphQLObjectType", type_).fields
        return type_name in self._types and self._field(fields[name])

    def argument(self, field: GraphQLField, name: str) -> bool:
        return self._argument(field, field.args[name])

    def value(self, enum: GraphQLEnumType, name: str) -> bool:
        rules = declared(enum.values[name])
        return not rules.declared or rules.allows(self._role)

    def objects(self) -> Iterable[GraphQLObjectType]:
        for name in self._types:
            type_ = self._schema.type_map[name]
            if isinstance(type_, GraphQLObjectType) and not is_introspection_type(type_):
                yield type_

    def coordinates(self) -> Iterable[str]:
        for name in sorted(self._types):
            type_ = self._schema.type_map[name]
            if is_introspection_type(type_) or isinstance(type_, GraphQLScalarType):
                continue
            yield name
            if isinstance(type_, GraphQLEnumType):
                yield from (f"{name}.{value}" for value in type_.values if self.value(type_, value))
                continue
            for key, field in getattr(type_, "fields", {}).items():
                if self._field(field):
                    yield f"{name}.{key}"
                    for argument in getattr(field, "args", {}):
                        if self.argument(field, argument):
                            yield f"{name}.{key}({argument}:)"

    def _field(self, field: GraphQLField | GraphQLInputField) -> bool:
        if not declared(field).allows(self._role):
            return False
        if get_named_type(field.type).name not in self._types:
            return False
        return not isinstance(field, GraphQLField) or all(
            self._argument(field, argument)
            for argument in field.args.values()
            if is_required_argument(argument)
        )

    def _argument(self, field: GraphQLField, argument: GraphQLArgument) -> bool:
        rules = declared(argument)
        return get_named_type(argument.type).name in self._types and (
            not rules.declared or rules.allows(self._role)
        )

    def _is_empty(self, type_: GraphQLNamedType) -> bool:
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType | GraphQLInputObjectType):
            if is_introspection_type(type_):
                return False
            fields = {k: f for k, f in type_.fields.items() if self._field(f)}
            if isinstance(type_, GraphQLInputObjectType):
                # A filter that only combines itself filters nothing.
                return all(get_named_type(f.type).name == type_.name for f in fields.values())
            return not fields
        if isinstance(type_, GraphQLEnumType):
            return not is_introspection_type(type_) and not any(
                self.value(type_, name) for name in type_.values
            )
        if isinstance(type_, GraphQLUnionType):
            return not any(member.name in self._types for member in type_.types)
        return False

    def _reachable(self) -> set[str]:
        schema = self._schema
        found: set[str] = set()
        roots = (schema.query_type, schema.mutation_type, schema.subscription_type)
        todo = [root.name for root in roots if root is not None and root.name in self._types]
        todo += [
            get_named_type(a.type).name
            for d in schema.directives
            for a in d.args.values()
            if d.name in ("include", "skip", "deprecated", "specifiedBy")
        ]
        while todo:
            name = todo.pop()
            if name in found or name not in self._types:
                continue
            found.add(name)
            type_ = schema.type_map[name]
            for field in getattr(type_, "fields", {}).values():
                if self._field(field):
                    todo.append(get_named_type(field.type).name)
                    todo += [
                        get_named_type(argument.type).name
                        for argument in getattr(field, "args", {}).values()
                        if self._argument(field, argument)
                    ]
            todo += [interface.name for interface in getattr(type_, "interfaces", ())]
            if isinstance(type_, GraphQLUnionType):
                todo += [member.name for member in type_.types]
        introspection = {n for n, t in schema.type_map.items() if is_introspection_type(t)}
        standard = {n for n, t in schema.type_map.items() if is_specified_scalar_type(t)}
        # No field of the whole schema has this type: it stands in for those masked for the role.
        masks = {"Masked"} if self._masks(found) else set()
        return found | introspection | standard | masks

    def _masks(self, names: set[str]) -> bool:
        types = (self._schema.type_map[name] for name in names)
        return any(
            declared(field).mask(self._role) is not None and self._field(field)
            for type_ in types
            if isinstance(type_, GraphQLObjectType)
            for field in type_.fields.values()
        )


def _limited(schema: GraphQLSchema, kept: _Kept, role: Role) -> Iterable[tuple[str, Scopes]]:
    for type_ in kept.objects():
        for name, field in type_.fields.items():
            if kept.field(type_.name, name):
                scopes = narrowed(declared(type_), declared(field), role)
                if scopes is not None:
                    yield f"{type_.name}.{name}", scopes


def _pruned(
    schema: GraphQLSchema, kept: _Kept, limited: dict[str, Scopes], masked: dict[str, int]
) -> GraphQLSchema:
    def mappers(context: Any) -> Any:
        def keep_fields(config: Any) -> Any:
            thunk, type_name = config["fields"], config["name"]

            def fields() -> dict[str, Any]:
                whole = thunk() if callable(thunk) else thunk
                return {name: f for name, f in whole.items() if kept.field(type_name, name)}

            return {**config, "fields": fields, "extensions": {}}

        def output_type(config: Any) -> Any:
            config = keep_fields(config)
            thunk, type_name = config["fields"], config["name"]
            interfaces = config.get("interfaces")

            def fields() -> dict[str, Any]:
                found: dict[str, Any] = thunk()
                for name, field in found.items():
                    original = cast("GraphQLObjectType", schema.type_map[type_name]).fields[name]
                    field.args = {
                        key: argument
                        for key, argument in field.args.items()
                        if kept.argument(original, key)
                    }
                    _guard(field, f"{type_name}.{name}", limited, masked, context)
                return found

            def kept_interfaces() -> list[Any]:
                whole = interfaces() if callable(interfaces) else interfaces or []
                return [interface for interface in whole if kept.type(interface.name)]

            return {**config, "fields": fields, "interfaces": kept_interfaces}

        def enum(config: Any) -> Any:
            original = cast("GraphQLEnumType", schema.type_map[config["name"]])
            thunk = config["values"]

            def values() -> dict[str, Any]:
                whole = thunk() if callable(thunk) else thunk
                return {name: value for name, value in whole.items() if kept.value(original, name)}

            return {**config, "values": values}

        def union(config: Any) -> Any:
            members = config["types"]

            def kept_members() -> list[Any]:
                whole = members() if callable(members) else members
                return [member for member in whole if kept.type(member.name)]

            return {**config, "types": kept_members, "resolve_type": None}

        def whole(config: Any) -> Any:
            for type_ in context.get_named_types():
                original = schema.type_map[type_.name]
                if isinstance(original, GraphQLEnumType) and not is_introspection_type(original):
                    _mend_enum(type_, original)
            types = [t for t in context.get_named_types() if kept.type(t.name)]
            public = [d for d in config["directives"] if DEFINITION not in d.extensions]
            roots = {
                key: config[key]
                if config[key] is not None and kept.type(config[key].name)
                else None
                for key in ("query", "mutation", "subscription")
            }
            return {**config, **roots, "types": types, "directives": public}

        return {
            "OBJECT": output_type,
            "INTERFACE": output_type,
            "INPUT_OBJECT": keep_fields,
            "ENUM": enum,
            "UNION": union,
            "SCHEMA": whole,
        }

    pruned = GraphQLSchema(**map_schema_config(schema.to_kwargs(), mappers))
    # Strawberry's resolvers look their own schema up here.
    pruned.extensions = schema.extensions
    if hasattr(schema, "_strawberry_schema"):
        pruned._strawberry_schema = schema._strawberry_schema  # type: ignore[attr-defined]
    return pruned


def _mend_enum(type_: Any, original: Any) -> None:
    """Gives a pruned enum what mapping loses of strawberry's: members in and out."""
    members: type[Enum] = original.wrapped_cls
    names: dict[Any, str] = {members(value.value): name for name, value in type_.values.items()}

    def print_member(output: Any) -> str:
        return names[members(output)]

    def read(given: str, *_: Any, **__: Any) -> Any:
        return members(GraphQLEnumType.coerce_input_value(type_, given, hide_suggestions=True))

    def read_literal(node: Any, *_: Any, **__: Any) -> Any:
        return members(GraphQLEnumType.coerce_input_literal(type_, node, hide_suggestions=True))

    type_.serialize = type_.coerce_output_value = print_member
    type_.parse_value = type_.coerce_input_value = read
    type_.parse_literal = type_.coerce_input_literal = read_literal


def _guard(
    field: GraphQLField,
    coordinate: str,
    limited: dict[str, Scopes],
    masked: dict[str, int],
    context: Any,
) -> None:
    """Builds a role's cell rule and mask for a field into its resolver."""
    if coordinate in masked:
        shown = context.get_named_type("Masked")
        field.type = GraphQLNonNull(shown) if is_non_null_type(field.type) else shown
        field.resolve = _masking(field.resolve, masked[coordinate])
    if coordinate in limited:
        field.resolve = _within(field.resolve, limited[coordinate])


def _masking(resolve: Any, keep: int) -> Callable[..., Any]:
    return lambda source, info, **arguments: shown_masked(resolve(source, info, **arguments), keep)


def _within(resolve: Any, scopes: Scopes) -> Callable[..., Any]:
    flags = [flag_of(scope) for scope in sorted(scopes)]

    def limited(source: Any, info: Any, **arguments: Any) -> Any:
        if any(str(getattr(source, flag, "0")) == "1" for flag in flags):
            return resolve(source, info, **arguments)
        return None

    return limited


def _rights(kept: _Kept, role: Role, limited: dict[str, Scopes]) -> Rights:
    models: dict[type[Model], RowRights] = {}
    aggregates: dict[type[Model], RowRights] = {}
    for view in VIEWS.values():
        rows, values = view.rules.scopes(role) or ALL, dict(_values(view, role))
        if view.rules.aggregable(role) is not None:
            aggregates[view.model] = RowRights(rows, values=values)
        # Rows of a view that no root leads to still matter to the mutations that return them.
        if view.rules.allows(role):
            specs = view.specs.values()
            cells = {scope for made in specs for scope in _cells(view, made, limited)}
            models[view.model] = RowRights(rows, frozenset(cells), values)
    return Rights(role, models, aggregates, frozenset(kept.coordinates()))


def _cells(view: View, made: Spec, limited: dict[str, Scopes]) -> Scopes:
    return limited.get(f"{view.name}.{made.graphql_name}", frozenset())


def _values(view: View, role: Role) -> Iterable[tuple[str, frozenset[str]]]:
    """The columns of whose values a role sees only some: rows with others do not exist for it."""
    for made in view.specs.values():
        enum = NAMES.get(made.named_type)
        if made.kind != "column" or not (isinstance(enum, type) and issubclass(enum, Enum)):
            continue
        values = enum.__strawberry_definition__.values  # type: ignore[attr-defined]
        seen = [
            value.value
            for value in values
            if not (rules := rules_of(value.directives or ())).declared or rules.allows(role)
        ]
        if len(seen) < len(values):
            assert made.column is not None
            yield made.column, frozenset(str(getattr(value, "value", value)) for value in seen)


__all__ = ["RoleView", "Scope", "role_view"]

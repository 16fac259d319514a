"""Values for the variables that an operation requires, so that it can be planned unasked."""

from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLSchema,
    OperationDefinitionNode,
    is_required_input_field,
    type_from_ast,
)

_SCALARS: dict[str, Any] = {
    "Boolean": True,
    "Date": "2026-01-01",
    "DateTime": "2026-01-01T00:00:00Z",
    "Decimal": "1",
    "Float": 1.0,
    "ID": "00000000-0000-7000-8000-000000000000",
    "Int": 1,
    "String": "a",
}


def samples(schema: GraphQLSchema, operation: OperationDefinitionNode) -> dict[str, Any]:
    """A value, as JSON gives it, for each variable that must be given."""
    types = {
        definition.variable.name.value: type_from_ast(schema, definition.type)
        for definition in operation.variable_definitions or ()
        if definition.default_value is None
    }
    return {
        name: _sample(type_) for name, type_ in types.items() if isinstance(type_, GraphQLNonNull)
    }


def _sample(type_: Any) -> Any:
    if isinstance(type_, GraphQLNonNull):
        return _sample(type_.of_type)
    if isinstance(type_, GraphQLList):
        return [_sample(type_.of_type)]
    if isinstance(type_, GraphQLEnumType):
        return next(iter(type_.values))
    if isinstance(type_, GraphQLInputObjectType):
        required = {n: f for n, f in type_.fields.items() if is_required_input_field(f)}
        return {name: _sample(field.type) for name, field in required.items()}
    return _SCALARS[type_.name]

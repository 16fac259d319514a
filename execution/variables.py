"""Coercion of variables: plain ones at once, all others by graphql-core; and null conditions."""

from collections.abc import Mapping
from typing import Any

from graphql import (
    DirectiveNode,
    DocumentNode,
    NamedTypeNode,
    NonNullTypeNode,
    OperationDefinitionNode,
    VariableNode,
)
from graphql.language import Visitor, visit
from graphql.utilities import separate_operations

# The scalars whose values are what JSON gives, and of which Python type.
_PLAIN = {"ID": str, "String": str, "Boolean": bool, "Int": int}
_LARGEST = 2**31

Plain = tuple[tuple[str, type], ...]


def plain_variables(operation: OperationDefinitionNode) -> Plain | None:
    """The variables of an operation where all are plain scalars without a default; else None."""
    found = []
    for definition in operation.variable_definitions or ():
        type_ = definition.type
        if isinstance(type_, NonNullTypeNode):
            type_ = type_.type
        name = type_.name.value if isinstance(type_, NamedTypeNode) else ""
        if name not in _PLAIN or definition.default_value is not None or definition.directives:
            return None
        found.append((definition.variable.name.value, _PLAIN[name]))
    return tuple(found)


def coerced_at_once(plain: Plain, given: Mapping[str, Any]) -> dict[str, Any] | None:
    """The values where each is given as its type; None where graphql-core must look at them."""
    found = {}
    for name, type_ in plain:
        value = given.get(name)
        if type(value) is not type_:
            return None
        if isinstance(value, int) and not -_LARGEST <= value < _LARGEST:
            return None
        found[name] = value
    return found


def nullable_conditions(
    document: DocumentNode, operation: OperationDefinitionNode
) -> tuple[str, ...]:
    """The variables that decide what runs and that null may be given for.

    Their default gets them past validation; a null, given in its place, decides nothing.
    """
    nullable = {
        definition.variable.name.value
        for definition in operation.variable_definitions or ()
        if not isinstance(definition.type, NonNullTypeNode)
    }
    if not nullable:
        return ()
    deciding = _Deciding()
    name = operation.name.value if operation.name is not None else ""
    visit(separate_operations(document)[name], deciding)
    return tuple(sorted(deciding.variables & nullable))


class _Deciding(Visitor):
    """The variables in directives."""

    def __init__(self) -> None:
        super().__init__()
        self.variables: set[str] = set()

    def enter_directive(self, node: DirectiveNode, *_: Any) -> None:
        values = [argument.value for argument in node.arguments or ()]
        self.variables |= {value.name.value for value in values if isinstance(value, VariableNode)}

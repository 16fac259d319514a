"""The values of variables: which names in them a role's view lacks, and what is told of wrong ones.

A hidden name and an unknown one answer alike, just as they do in a document.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLEnumType,
    GraphQLError,
    GraphQLInputObjectType,
    OperationDefinitionNode,
    VariableDefinitionNode,
    get_nullable_type,
    is_list_type,
    type_from_ast,
)

from execution.denials import available_in
from execution.places import Places
from execution.problems import of_document, with_missing
from schema.roles import RoleView


@dataclass(frozen=True, slots=True)
class Unknown:
    """An input field, or a value of an enum, that a type does not have.

    ``at`` leads from the whole value to the object or to the enum's value: ``.and[0]``.
    """

    at: str
    type: str
    name: str
    is_field: bool

    @property
    def coordinate(self) -> str:
        return f"{self.type}.{self.name}"

    @property
    def place(self) -> str:
        return f"{self.at}.{self.name}" if self.is_field else self.at

    def is_told_by(self, at: str, text: str) -> bool:
        """Whether an error of graphql-core about the value there is about this name."""
        # Names in values are anybody's: only the whole beginning of the text tells them.
        told = f"Expected value of type '{self.type}' not to include unknown field '{self.name}', "
        return at == self.at and (not self.is_field or text.startswith(told))


def unknown_names(type_: Any, value: Any, at: str = "") -> Iterator[Unknown]:
    """The names in a value, as it came, that its type does not have."""
    type_ = get_nullable_type(type_)
    if is_list_type(type_):
        items = enumerate(value) if isinstance(value, list) else ()
        for index, item in items:
            yield from unknown_names(type_.of_type, item, f"{at}[{index}]")
        if not isinstance(value, list):
            # One value stands for a list of it.
            yield from unknown_names(type_.of_type, value, at)
    elif isinstance(type_, GraphQLInputObjectType) and isinstance(value, dict):
        for name, inner in value.items():
            field = type_.fields.get(name)
            if field is None:
                yield Unknown(at, type_.name, name, is_field=True)
            else:
                yield from unknown_names(field.type, inner, f"{at}.{name}")
    elif (
        isinstance(type_, GraphQLEnumType) and isinstance(value, str) and value not in type_.values
    ):
        yield Unknown(at, type_.name, value, is_field=False)


def wrong_values(
    errors: list[GraphQLError],
    view: RoleView,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    given: dict[str, Any],
    held: Sequence[RoleView],
) -> list[dict[str, Any]]:
    """What is told of values that do not fit their variables: where they stand, and who may."""
    places = Places(document, operation)
    found = []
    for error in errors:
        told = of_document(error, "BAD_USER_INPUT")
        for node in error.nodes or ():
            if isinstance(node, VariableDefinitionNode):
                told["extensions"] |= _about(error, node, view, places, given, held)
        found.append(told)
    return found


def _about(
    error: GraphQLError,
    definition: VariableDefinitionNode,
    view: RoleView,
    places: Places,
    given: dict[str, Any],
    held: Sequence[RoleView],
) -> dict[str, Any]:
    name = definition.variable.name.value
    start = places.of_variable(name)
    inner = error.original_error
    if not isinstance(inner, GraphQLError):
        return {"field": start}
    # «Variable '$filter' has invalid value at .and[0]: …»
    said = error.message.removeprefix(f"Variable '${name}' has invalid value")
    at = said.removesuffix(f": {inner.message}").removeprefix(" at ")
    type_ = type_from_ast(view.schema, definition.type)
    for unknown in unknown_names(type_, given.get(name)):
        if unknown.is_told_by(at, inner.message):
            roles = available_in([unknown.coordinate], held)
            available = {"availableIn": roles} if roles else {}
            return {"field": f"{start}{unknown.place}", **available}
    return {"field": with_missing(f"{start}{at}", inner.message)}

"""Values that their places do not take, in variables and in documents: what is told of them.

Their own text is never repeated: it may be a password. A hidden name and an unknown one answer
alike.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLEnumType,
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLInputType,
    ListValueNode,
    ObjectFieldNode,
    ObjectValueNode,
    OperationDefinitionNode,
    Undefined,
    ValueNode,
    ValuesOfCorrectTypeRule,
    is_list_type,
    is_non_null_type,
    is_required_input_field,
    specified_rules,
    type_from_ast,
    validate_input_literal,
)
from graphql.language.visitor import SKIP, VisitorAction

from execution.denials import available_in
from execution.places import Places
from execution.problems import ValueWrong, of_value
from schema.roles import RoleView


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is wrong within a value: where, the code of its text, and the name that is not there.

    ``at`` leads from the whole value to the place: ``.and[0].kind``. ``unknown`` is the coordinate
    of an input field, or of a value of an enum, that its type does not have.
    """

    at: str
    text: str = "BAD_USER_INPUT"
    unknown: str | None = None


def wrong_in(type_: Any, value: Any, at: str = "") -> Iterator[Wrong]:
    """All that is wrong within a value, as it came in JSON, for a type."""
    if is_non_null_type(type_):
        if value is None:
            yield Wrong(at, "REQUIRED")
        type_ = type_.of_type
    if value is None:
        return
    if is_list_type(type_):
        if isinstance(value, list):
            for index, item in enumerate(value):
                yield from wrong_in(type_.of_type, item, f"{at}[{index}]")
        else:
            # One value stands for a list of it.
            yield from wrong_in(type_.of_type, value, at)
    elif isinstance(type_, GraphQLInputObjectType):
        if isinstance(value, dict):
            yield from _wrong_fields(type_, value, at)
        else:
            yield Wrong(at)
    elif isinstance(type_, GraphQLEnumType) and isinstance(value, str):
        if value not in type_.values:
            yield Wrong(at, unknown=f"{type_.name}.{value}")
    elif not _is_read(type_, value):
        yield Wrong(at)


def _wrong_fields(type_: GraphQLInputObjectType, value: dict[str, Any], at: str) -> Iterator[Wrong]:
    for name, field in type_.fields.items():
        if name in value:
            yield from wrong_in(field.type, value[name], f"{at}.{name}")
        elif is_required_input_field(field):
            yield Wrong(f"{at}.{name}", "REQUIRED")
    for name in value:
        if name not in type_.fields:
            yield Wrong(f"{at}.{name}", "FIELD_UNKNOWN", f"{type_.name}.{name}")


def _is_read(leaf: Any, value: Any) -> bool:
    # A scalar says by any exception that it does not take a value, as graphql-core has it.
    try:
        return leaf.coerce_input_value(value) is not Undefined
    except Exception:
        return False


def wrong_variables(
    view: RoleView,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    given: dict[str, Any],
    held: Sequence[RoleView],
    language: str,
) -> Iterator[dict[str, Any]]:
    """What is told of values that do not fit their variables: where they stand, and who may."""
    places = Places(document, operation)
    for definition in operation.variable_definitions or ():
        name = definition.variable.name.value
        if name not in given and definition.default_value is not None:
            continue
        for wrong in wrong_in(type_from_ast(view.schema, definition.type), given.get(name)):
            roles = available_in([wrong.unknown], held) if wrong.unknown else []
            told = {"code": "BAD_USER_INPUT", "field": f"{places.of_variable(name)}{wrong.at}"}
            available = {"availableIn": roles} if roles else {}
            yield of_value(definition, wrong.text, language, {**told, **available})


def null_conditions(
    document: DocumentNode, operation: OperationDefinitionNode, null: Sequence[str], language: str
) -> Iterator[dict[str, Any]]:
    """What is told of nulls for variables that @skip and @include take."""
    places = Places(document, operation)
    for definition in operation.variable_definitions or ():
        name = definition.variable.name.value
        if name in null:
            told = {"code": "BAD_USER_INPUT", "field": places.of_variable(name)}
            yield of_value(definition, "REQUIRED", language, told)


class _ValuesOfCorrectType(ValuesOfCorrectTypeRule):
    """The rule of the specification, whose errors are known by their class and point into the
    document: graphql-core's are about a copy where a scalar gets a list or an object.
    """

    def is_valid_value_node(
        self, node: ValueNode, input_type: GraphQLInputType | None
    ) -> VisitorAction:
        def on_error(error: GraphQLError, path: list[str | int]) -> None:
            told = error.nodes[0] if error.nodes else node
            is_name = isinstance(told, ObjectFieldNode)
            self.report_error(ValueWrong(error.message, told if is_name else _at(node, path)))

        if input_type is not None:
            validate_input_literal(node, input_type, on_error, hide_suggestions=True)
        return SKIP


def _at(node: ValueNode, path: Sequence[str | int]) -> ValueNode:
    """The node to which a path leads from the whole value."""
    for key in path:
        if isinstance(node, ObjectValueNode):
            node = next(field.value for field in node.fields if field.name.value == key)
        elif isinstance(node, ListValueNode) and isinstance(key, int):
            node = node.values[key]
    return node


RULES = [
    _ValuesOfCorrectType if rule is ValuesOfCorrectTypeRule else rule for rule in specified_rules
]

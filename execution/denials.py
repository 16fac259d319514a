"""What a denied name answers: the same as an unknown one, and which held roles have it.

Only the roles that the caller holds are looked at, so nothing is told about anybody else's.
"""

from collections.abc import Iterable
from typing import Any

from graphql import (
    DocumentNode,
    EnumValueNode,
    FieldNode,
    GraphQLError,
    GraphQLSchema,
    NamedTypeNode,
    Node,
    ObjectFieldNode,
    get_named_type,
    visit,
)
from graphql.language.ast import ArgumentNode
from graphql.language.visitor import Visitor
from graphql.utilities import TypeInfo, TypeInfoVisitor

from models.role import Role
from schema.roles import RoleView


def with_available(
    errors: list[GraphQLError],
    document: DocumentNode,
    whole: GraphQLSchema,
    held: Iterable[RoleView],
) -> list[GraphQLError]:
    """The errors, each with ``availableIn`` where a held role has the name it is about."""
    views = list(held)
    if not views:
        return errors
    coordinates = _coordinates(document, whole)
    for error in errors:
        keys = [_written(node) for node in error.nodes or ()]
        roles = available_in([coordinates[key] for key in keys if key in coordinates], views)
        if roles:
            error.extensions = {**(error.extensions or {}), "availableIn": roles}
    return errors


def available_in(coordinates: Iterable[str], held: Iterable[RoleView]) -> list[str]:
    """The roles among those held that have one of the names, in the order of roles."""
    names = list(coordinates)
    having = [view.role for view in held if any(name in view.coordinates for name in names)]
    return [role.value for role in Role if role in having]


def _written(node: Node) -> tuple[str, int]:
    """What a node and its copy without invisible parts have in common: where it is written."""
    assert node.loc is not None
    return node.kind, node.loc.start


def _coordinates(document: DocumentNode, whole: GraphQLSchema) -> dict[tuple[str, int], str]:
    """The coordinate in the whole schema of each node that names something of it."""
    types = TypeInfo(whole)
    found: dict[tuple[str, int], str] = {}

    class Naming(Visitor):
        def enter_field(self, node: FieldNode, *_: Any) -> None:
            parent = types.get_parent_type()
            if parent is not None:
                found[_written(node)] = f"{parent.name}.{node.name.value}"

        def enter_argument(self, node: ArgumentNode, _key: Any, _parent: Any, *_: Any) -> None:
            parent, field = types.get_parent_type(), types.get_field_def()
            if parent is None or field is None:
                return
            name = next((key for key, f in parent.fields.items() if f is field), None)  # type: ignore[union-attr]
            if name is not None:
                found[_written(node)] = f"{parent.name}.{name}({node.name.value}:)"

        def enter_object_field(self, node: ObjectFieldNode, *_: Any) -> None:
            parent = types.get_parent_input_type()
            if parent is not None:
                found[_written(node)] = f"{get_named_type(parent).name}.{node.name.value}"

        def enter_enum_value(self, node: EnumValueNode, *_: Any) -> None:
            type_ = types.get_input_type()
            if type_ is not None:
                found[_written(node)] = f"{get_named_type(type_).name}.{node.value}"

        def enter_named_type(self, node: NamedTypeNode, *_: Any) -> None:
            found[_written(node)] = node.name.value

    visit(document, TypeInfoVisitor(types, Naming()))
    return found

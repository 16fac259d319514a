"""``extensions.withheld``: the response paths that are limited for a role, from the document.

It is read off the declarations and not off the rows, so that it tells nothing about them.
"""

from collections.abc import Mapping
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLObjectType,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
)

from schema.roles import RoleView

_MOST = 200


def withheld(
    view: RoleView,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    variables: Mapping[str, Any],
) -> list[str]:
    """The limited paths in document order, without indices: ``practitioners.nodes.birthDate``."""
    if not view.limited:
        return []
    root = view.schema.get_root_type(operation.operation)
    if root is None:
        return []
    walk = _Walk(view, document, variables)
    walk.selections(operation.selection_set, root, "")
    return list(walk.found)


class _Walk:
    def __init__(
        self, view: RoleView, document: DocumentNode, variables: Mapping[str, Any]
    ) -> None:
        self._view = view
        self._variables = variables
        self._fragments = {
            node.name.value: node
            for node in document.definitions
            if isinstance(node, FragmentDefinitionNode)
        }
        self.found: dict[str, None] = {}
        # A fragment tells the same thing each time at one path, and may be spread very often.
        self._seen: set[tuple[str, str]] = set()

    def selections(
        self, selected: SelectionSetNode | None, parent: GraphQLObjectType, path: str
    ) -> None:
        for node in selected.selections if selected is not None else ():
            if len(self.found) >= _MOST or not is_included(node, self._variables):
                continue
            if isinstance(node, FieldNode):
                self._field(node, parent, path)
            elif isinstance(node, FragmentSpreadNode):
                if (node.name.value, path) in self._seen:
                    continue
                self._seen.add((node.name.value, path))
                fragment = self._fragments[node.name.value]
                if fragment.type_condition.name.value == parent.name:
                    self.selections(fragment.selection_set, parent, path)
            elif isinstance(node, InlineFragmentNode):
                condition = node.type_condition
                if condition is None or condition.name.value == parent.name:
                    self.selections(node.selection_set, parent, path)

    def _field(self, node: FieldNode, parent: GraphQLObjectType, path: str) -> None:
        field = parent.fields.get(node.name.value)
        if field is None:
            return
        key = node.alias.value if node.alias is not None else node.name.value
        path = f"{path}.{key}" if path else key
        if f"{parent.name}.{node.name.value}" in self._view.limited:
            self.found[path] = None
        type_ = get_named_type(field.type)
        if isinstance(type_, GraphQLObjectType):
            self.selections(node.selection_set, type_, path)


def is_included(node: Any, variables: Mapping[str, Any]) -> bool:
    """Whether @skip and @include leave a selection in."""
    for directive in node.directives or ():
        if directive.name.value in ("skip", "include"):
            value = directive.arguments[0].value
            holds = (
                variables.get(value.name.value) if isinstance(value, VariableNode) else value.value
            )
            if bool(holds) is (directive.name.value == "skip"):
                return False
    return True

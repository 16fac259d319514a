"""Inputs that no type can tell to be wrong, such as cursors and ids: found before anything runs."""

from collections.abc import Iterator, Mapping
from typing import Any

from graphql import (
    DirectiveNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLField,
    GraphQLObjectType,
    InlineFragmentNode,
    Node,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
)
from graphql.execution.values import VariableValues, get_argument_values
from graphql.language import Visitor, visit

from auth.viewer import Viewer
from core.errors import InputInvalid
from execution.withheld import is_included
from schema.fields import Check
from schema.roles import DEFINITION, RoleView

# A field that would run, its place in the document, and what else it asks of its arguments.
Checked = tuple[GraphQLField, FieldNode, Check | None]


class Inputs:
    """The arguments of one operation, checked for each of its requests."""

    def __init__(
        self, view: RoleView, document: DocumentNode, operation: OperationDefinitionNode
    ) -> None:
        self._view, self._document, self._operation = view, document, operation
        # Where no variable decides what runs, the document is walked once.
        self._walked = None if _Used.of(operation, document).decides else self._walk({})
        # Whether what the document itself says was found right, for whatever would run.
        self.fixed_hold = False

    def wrong(
        self, variables: Mapping[str, Any], viewer: Viewer
    ) -> Iterator[tuple[FieldNode, InputInvalid | GraphQLError]]:
        """The fields whose arguments are wrong, in the order of the document.

        A GraphQLError is about a variable that is missing where a value must be.
        """
        fixed, varying = self._walked or self._walk(variables)
        given, found = VariableValues({}, dict(variables)), False
        for field, node, check in varying if self.fixed_hold else fixed + varying:
            try:
                arguments = get_argument_values(field, node, given, hide_suggestions=True)
                if check is not None:
                    check(viewer, arguments)
            except (InputInvalid, GraphQLError) as error:
                found = True
                yield node, error
        # What is written in the document holds for every request, once it did for one.
        self.fixed_hold = self._walked is not None and not found

    def _walk(self, variables: Mapping[str, Any]) -> tuple[list[Checked], list[Checked]]:
        """The fields that would run with arguments to check: without and with variables."""
        root = self._view.schema.get_root_type(self._operation.operation)
        assert root is not None
        fixed: list[Checked] = []
        varying: list[Checked] = []
        fragments = {
            node.name.value: node
            for node in self._document.definitions
            if isinstance(node, FragmentDefinitionNode)
        }
        for field, node in _fields(root, self._operation.selection_set, fragments, variables):
            check = getattr(field.extensions.get(DEFINITION), "metadata", {}).get("check")
            if any(_Used.of(argument).variables for argument in node.arguments or ()):
                varying.append((field, node, check))
            elif check is not None:
                fixed.append((field, node, check))
        return fixed, varying


class _Used(Visitor):
    """Whether variables are used, and whether they decide what runs."""

    def __init__(self) -> None:
        super().__init__()
        self.variables = False
        self.decides = False

    @classmethod
    def of(cls, *nodes: Node) -> "_Used":
        used = cls()
        for node in nodes:
            visit(node, used)
        return used

    def enter_variable(self, *_: Any) -> None:
        self.variables = True

    def enter_directive(self, node: DirectiveNode, *_: Any) -> None:
        values = [argument.value for argument in node.arguments or ()]
        self.decides |= any(isinstance(value, VariableNode) for value in values)


def _fields(
    parent: GraphQLObjectType,
    selected: SelectionSetNode | None,
    fragments: dict[str, FragmentDefinitionNode],
    variables: Mapping[str, Any],
) -> Iterator[tuple[GraphQLField, FieldNode]]:
    """Every field that would run, with its node; ``fragments`` loses those that were met."""
    for node in selected.selections if selected is not None else ():
        if not is_included(node, variables):
            continue
        if isinstance(node, FieldNode):
            # What introspection takes has types enough.
            field = parent.fields.get(node.name.value)
            if field is None:
                continue
            yield field, node
            type_ = get_named_type(field.type)
            if isinstance(type_, GraphQLObjectType):
                yield from _fields(type_, node.selection_set, fragments, variables)
        elif isinstance(node, InlineFragmentNode):
            yield from _fields(parent, node.selection_set, fragments, variables)
        elif isinstance(node, FragmentSpreadNode):
            # The arguments in a fragment are the same wherever it is spread.
            fragment = fragments.pop(node.name.value, None)
            if fragment is not None:
                yield from _fields(parent, fragment.selection_set, fragments, variables)

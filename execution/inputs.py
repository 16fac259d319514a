"""Inputs that no type can tell to be wrong, such as cursors and ids: found before anything runs.

Which fields run may depend on the values that @skip and @include take. The document is walked
once for each choice of these; a request like an earlier one is only checked.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
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
from execution.proofs import Need, needed
from execution.withheld import is_included, withheld
from schema.fields import Check
from schema.roles import RoleView
from schema.rules import DEFINITION

# A field that would run, its place in the document, and what else it asks of its arguments.
Checked = tuple[GraphQLField, FieldNode, Check | None]


# Choices of what runs that are kept for one document.
_KEPT = 32


@dataclass(slots=True)
class Running:
    """What of an operation runs, for one choice of the values that decide it."""

    # The fields with arguments to check: without variables in them, and with some.
    fixed: list[Checked]
    varying: list[Checked]
    # The response paths that are limited for the role.
    withheld: list[str]
    # What must have been proved, and where.
    needs: tuple[Need, ...]
    # Whether each variable is used at one place: whoever reads it has checked it there.
    once_each: bool
    # Whether what the document itself says was found right.
    fixed_hold: bool = field(default=False, init=False)

    def wrong(
        self, variables: Mapping[str, Any], viewer: Viewer
    ) -> Iterator[tuple[FieldNode, InputInvalid | GraphQLError]]:
        """The fields whose arguments are wrong, in the order of the document.

        A GraphQLError is about a variable that is missing where a value must be.
        """
        given, found = VariableValues({}, dict(variables)), False
        for one, node, check in self.varying if self.fixed_hold else self.fixed + self.varying:
            try:
                arguments = get_argument_values(one, node, given, hide_suggestions=True)
                if check is not None:
                    check(viewer, arguments)
            except (InputInvalid, GraphQLError) as error:
                found = True
                yield node, error
        # What is written in the document holds for every request, once it did for one.
        self.fixed_hold = not found


class Inputs:
    """The arguments of one operation, and what of it runs for each choice of the values."""

    def __init__(
        self, view: RoleView, document: DocumentNode, operation: OperationDefinitionNode
    ) -> None:
        self._view, self._document, self._operation = view, document, operation
        self._deciding = sorted(_Used.of(operation, document).deciding)
        self._running: dict[tuple[Any, ...], Running] = {}

    def running(self, variables: Mapping[str, Any]) -> Running:
        """What runs for these coerced variables."""
        choice = tuple([variables.get(name) for name in self._deciding])
        found = self._running.get(choice)
        if found is None:
            if len(self._running) >= _KEPT:
                del self._running[next(iter(self._running))]
            found = self._running[choice] = self._walk(variables)
        return found

    def _walk(self, variables: Mapping[str, Any]) -> Running:
        root = self._view.schema.get_root_type(self._operation.operation)
        assert root is not None
        limited = withheld(self._view, self._document, self._operation, variables)
        needs = tuple(needed(self._view, self._document, self._operation, variables))
        found = Running([], [], limited, needs, once_each=True)
        used: set[str] = set()
        fragments = {
            node.name.value: node
            for node in self._document.definitions
            if isinstance(node, FragmentDefinitionNode)
        }
        for one, node in _fields(root, self._operation.selection_set, fragments, variables):
            check = getattr(one.extensions.get(DEFINITION), "metadata", {}).get("check")
            names = _Used.of(*node.arguments or ()).variables
            if names:
                found.varying.append((one, node, check))
                found.once_each &= len(names) == len(set(names)) and used.isdisjoint(names)
                used.update(names)
            elif check is not None:
                found.fixed.append((one, node, check))
        return found


class _Used(Visitor):
    """The variables at each place of their use, and those that decide what runs."""

    def __init__(self) -> None:
        super().__init__()
        self.variables: list[str] = []
        self.deciding: set[str] = set()

    @classmethod
    def of(cls, *nodes: Node) -> "_Used":
        used = cls()
        for node in nodes:
            visit(node, used)
        return used

    def enter_variable(self, node: VariableNode, *_: Any) -> None:
        self.variables.append(node.name.value)

    def enter_directive(self, node: DirectiveNode, *_: Any) -> None:
        values = [argument.value for argument in node.arguments or ()]
        self.deciding |= {value.name.value for value in values if isinstance(value, VariableNode)}


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

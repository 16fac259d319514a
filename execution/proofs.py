"""Proofs that an operation needs: found once for a document, asked of each viewer before it runs.

A field needs what its rules, or those of the type it leads to, ask for (``schema.proofs``); so
does a field that is given a filter which tells of such rows.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInputObjectType,
    InlineFragmentNode,
    ListValueNode,
    NullValueNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
)

from auth.proofs import Proof
from auth.viewer import Viewer
from core.errors import Problem
from execution.withheld import is_included
from schema.roles import RoleView

_NOTHING: frozenset[Proof] = frozenset()


@dataclass(frozen=True, slots=True)
class Need:
    """A field that needs proofs, and the path of its response, without indices.

    Where the value of a variable decides, ``given`` names the variable and the type of input that
    is given in it, and ``proofs`` are those that some value needs.
    """

    node: FieldNode
    path: tuple[str, ...]
    proofs: frozenset[Proof]
    given: tuple[str, GraphQLInputObjectType] | None = None


def needed(
    view: RoleView,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    variables: Mapping[str, Any],
) -> Iterator[Need]:
    """What an operation needs, in the order of the document; ``variables`` decide what runs.

    What a field needs is not told again of the fields beneath it.
    """
    root = view.schema.get_root_type(operation.operation)
    if not view.proofs or root is None:
        return
    yield from _Walk(view, document, variables).selections(
        operation.selection_set, root, (), _NOTHING
    )


def missing(
    view: RoleView, needs: tuple[Need, ...], viewer: Viewer, variables: Mapping[str, Any]
) -> Iterator[tuple[Need, Problem]]:
    """Which of the needs a viewer has not proved."""
    for need in needs:
        for proof in sorted(need.proofs, key=str):
            problem = proof.missing(viewer)
            if problem is None:
                continue
            if need.given is not None:
                name, type_ = need.given
                if proof not in _of_value(view, type_, variables.get(name)):
                    continue
            yield need, problem


def _of_value(view: RoleView, type_: GraphQLInputObjectType, value: Any) -> frozenset[Proof]:
    """What a coerced value of an input needs."""
    if isinstance(value, list):
        return _NOTHING.union(*(_of_value(view, type_, item) for item in value))
    found = _NOTHING
    for name, inner in value.items() if isinstance(value, dict) else ():
        if inner is None:
            continue
        found |= view.proofs.get(f"{type_.name}.{name}", _NOTHING)
        field_type = get_named_type(type_.fields[name].type)
        if isinstance(field_type, GraphQLInputObjectType):
            found |= _of_value(view, field_type, inner)
    return found


def _in_reach(view: RoleView, type_: GraphQLInputObjectType) -> frozenset[Proof]:
    """What some value of an input needs."""
    found, met, todo = _NOTHING, {type_.name}, [type_]
    while todo:
        one = todo.pop()
        for name, field in one.fields.items():
            found |= view.proofs.get(f"{one.name}.{name}", _NOTHING)
            inner = get_named_type(field.type)
            if isinstance(inner, GraphQLInputObjectType) and inner.name not in met:
                met.add(inner.name)
                todo.append(inner)
    return found


class _Walk:
    """One walk through an operation: a fragment is met once for what is proved where it stands."""

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
        self._met: set[tuple[str, frozenset[Proof]]] = set()

    def selections(
        self,
        selected: SelectionSetNode | None,
        parent: Any,
        path: tuple[str, ...],
        above: frozenset[Proof],
    ) -> Iterator[Need]:
        for node in selected.selections if selected is not None else ():
            if not is_included(node, self._variables):
                continue
            if isinstance(node, FieldNode):
                yield from self._field(node, parent, path, above)
            elif isinstance(node, InlineFragmentNode):
                condition = node.type_condition
                inner = parent if condition is None else self._type(condition.name.value)
                yield from self.selections(node.selection_set, inner, path, above)
            elif isinstance(node, FragmentSpreadNode):
                name = node.name.value
                if (name, above) not in self._met:
                    self._met.add((name, above))
                    fragment = self._fragments[name]
                    inner = self._type(fragment.type_condition.name.value)
                    yield from self.selections(fragment.selection_set, inner, path, above)

    def _type(self, name: str) -> Any:
        return self._view.schema.type_map[name]

    def _field(
        self, node: FieldNode, parent: Any, path: tuple[str, ...], above: frozenset[Proof]
    ) -> Iterator[Need]:
        field = getattr(parent, "fields", {}).get(node.name.value)
        if field is None:  # of introspection
            return
        path = (*path, node.alias.value if node.alias is not None else node.name.value)
        own = self._view.proofs.get(f"{parent.name}.{node.name.value}", _NOTHING)
        below, asked = above | own, own
        for argument in node.arguments or ():
            type_ = get_named_type(field.args[argument.name.value].type)
            if isinstance(type_, GraphQLInputObjectType):
                for part in self._given(argument.value, type_):
                    if isinstance(part, frozenset):
                        asked |= part
                    elif reach := _in_reach(self._view, part[1]) - below:
                        yield Need(node, path, reach, part)
        if asked - above:
            yield Need(node, path, asked - above)
        yield from self.selections(node.selection_set, get_named_type(field.type), path, below)

    def _given(
        self, value: ValueNode, type_: GraphQLInputObjectType
    ) -> Iterator[frozenset[Proof] | tuple[str, GraphQLInputObjectType]]:
        """What a literal of an input needs, and the variables in it with their inputs."""
        if isinstance(value, VariableNode):
            yield value.name.value, type_
        elif isinstance(value, ListValueNode):
            for item in value.values:
                yield from self._given(item, type_)
        elif isinstance(value, ObjectValueNode):
            for part in value.fields:
                if isinstance(part.value, NullValueNode):
                    continue
                name = part.name.value
                yield self._view.proofs.get(f"{type_.name}.{name}", _NOTHING)
                inner = get_named_type(type_.fields[name].type)
                if isinstance(inner, GraphQLInputObjectType):
                    yield from self._given(part.value, inner)

"""@ifVisible: one document for every role, each node dropped where the role has no such thing.

A hidden name and one that never was behave alike. Variables and fragments used only in what is
dropped go too, so that the rest is a valid document of its own.
"""

from collections.abc import Iterable
from typing import Any

from graphql import (
    ArgumentNode,
    DocumentNode,
    EnumValueNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    ListValueNode,
    Node,
    ObjectValueNode,
    OperationDefinitionNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
)
from graphql.language import visit
from graphql.language.visitor import REMOVE, SKIP, Visitor, VisitorAction
from graphql.type import is_list_type
from graphql.utilities import TypeInfo, TypeInfoVisitor

NAME = "ifVisible"


def uses_if_visible(text: str) -> bool:
    return f"@{NAME}" in text


def without_invisible(schema: GraphQLSchema, document: DocumentNode) -> DocumentNode:
    """The document without the marked nodes that the role's schema has no place for."""
    before = _uses(document)
    fragments = {
        node.name.value: node
        for node in document.definitions
        if isinstance(node, FragmentDefinitionNode)
    }
    types = TypeInfo(schema)
    document = visit(document, TypeInfoVisitor(types, _Dropping(schema, types, fragments)))
    return _without_unused(document, before)


class _Dropping(Visitor):
    def __init__(
        self, schema: GraphQLSchema, types: TypeInfo, fragments: dict[str, FragmentDefinitionNode]
    ) -> None:
        super().__init__()
        self._schema = schema
        self._types = types
        self._fragments = fragments

    def enter_field(self, node: FieldNode, *_: Any) -> VisitorAction:
        if not _marked(node):
            return None
        field = self._types.get_field_def()
        if field is None:
            return REMOVE
        for argument in node.arguments or ():
            declared = field.args.get(argument.name.value)
            if declared is None or not self._fits(declared.type, argument):
                return REMOVE
        return None

    def enter_inline_fragment(self, node: InlineFragmentNode, *_: Any) -> VisitorAction:
        condition = node.type_condition
        if _marked(node) and condition and condition.name.value not in self._schema.type_map:
            return REMOVE
        return None

    def enter_fragment_spread(self, node: FragmentSpreadNode, *_: Any) -> VisitorAction:
        fragment = self._fragments.get(node.name.value)
        if _marked(node) and fragment is not None:
            name = fragment.type_condition.name.value
            if name not in self._schema.type_map:
                return REMOVE
        return None

    def _fits(self, type_: Any, argument: ArgumentNode) -> bool:
        return all(self._known(type_, argument.value))

    def _known(self, type_: Any, value: Any) -> Iterable[bool]:
        """Whether the input fields and enum values written in a literal exist."""
        type_ = get_nullable_type(type_)
        if isinstance(value, ListValueNode):
            inner = type_.of_type if is_list_type(type_) else type_
            for item in value.values:
                yield from self._known(inner, item)
            return
        named = get_named_type(type_)
        if isinstance(value, ObjectValueNode) and isinstance(named, GraphQLInputObjectType):
            for field in value.fields:
                declared = named.fields.get(field.name.value)
                yield declared is not None
                if declared is not None:
                    yield from self._known(declared.type, field.value)
        if isinstance(value, EnumValueNode) and isinstance(named, GraphQLEnumType):
            yield value.value in named.values


def _marked(node: Any) -> bool:
    return any(directive.name.value == NAME for directive in node.directives or ())


class _Used(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.variables: set[str] = set()
        self.fragments: set[str] = set()

    def enter_variable(self, node: VariableNode, _key: Any, parent: Any, *_: Any) -> None:
        self.variables.add(node.name.value)

    def enter_fragment_spread(self, node: FragmentSpreadNode, *_: Any) -> None:
        self.fragments.add(node.name.value)

    def enter_variable_definition(self, *_: Any) -> VisitorAction:
        return SKIP


def _uses(node: Node) -> _Used:
    used = _Used()
    visit(node, used)
    return used


def _without_unused(document: DocumentNode, before: _Used) -> DocumentNode:
    """Without the fragments and variables whose last use was dropped; others stay, and err."""
    definitions = list(document.definitions)
    while True:
        used = _uses(DocumentNode(definitions=tuple(definitions)))
        kept = [
            node
            for node in definitions
            if not isinstance(node, FragmentDefinitionNode)
            or node.name.value in used.fragments
            or node.name.value not in before.fragments
        ]
        if len(kept) == len(definitions):
            break
        definitions = kept
    fragments = {n.name.value: n for n in definitions if isinstance(n, FragmentDefinitionNode)}
    return DocumentNode(
        definitions=tuple(
            _without_variables(node, fragments, before)
            if isinstance(node, OperationDefinitionNode)
            else node
            for node in definitions
        )
    )


def _without_variables(
    operation: OperationDefinitionNode, fragments: dict[str, FragmentDefinitionNode], before: _Used
) -> OperationDefinitionNode:
    used = _uses(operation)
    todo, seen = list(used.fragments), set()
    while todo:
        name = todo.pop()
        if name in fragments and name not in seen:
            seen.add(name)
            inner = _uses(fragments[name])
            used.variables |= inner.variables
            todo += inner.fragments
    kept = tuple(
        definition
        for definition in operation.variable_definitions or ()
        if definition.variable.name.value in used.variables
        or definition.variable.name.value not in before.variables
    )
    return OperationDefinitionNode(
        **{key: getattr(operation, key) for key in operation.keys if key != "variable_definitions"},
        variable_definitions=kept,
    )

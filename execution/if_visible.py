"""@ifVisible: one document for every role, each node dropped where the role has no such thing.

A hidden name and one that never was behave alike. Variables and fragments used only in what is
dropped go too, so that the rest is a valid document of its own.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
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
    ValueNode,
    VariableDefinitionNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    type_from_ast,
)
from graphql.language import visit
from graphql.language.visitor import REMOVE, SKIP, Visitor, VisitorAction
from graphql.type import is_list_type
from graphql.utilities import TypeInfo, TypeInfoVisitor

from execution.values import wrong_in

NAME = "ifVisible"


@dataclass(frozen=True, slots=True)
class Varying:
    """The marked fields of a document whose fate depends on values, by what these must fit."""

    arguments: tuple[tuple[tuple[Any, ValueNode], ...], ...]
    # What counts where a variable is left out.
    defaults: Mapping[str, ValueNode]

    def hidden(self, variables: Mapping[str, Any]) -> tuple[bool, ...]:
        """For each of the fields, whether a value holds a name that the role's schema lacks."""
        held = {**self.defaults, **variables}
        return tuple(
            not all(known for type_, value in field for known in _known(type_, value, held))
            for field in self.arguments
        )


def varying(
    schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode
) -> Varying | None:
    """What of an operation depends on the values of its variables; None where nothing does."""
    dropping = _dropping(schema, document, {})
    visit(document, TypeInfoVisitor(dropping.types, dropping))
    return Varying(tuple(dropping.asked), _defaults(operation)) if dropping.asked else None


def _defaults(operation: OperationDefinitionNode) -> dict[str, ValueNode]:
    return {
        definition.variable.name.value: definition.default_value
        for definition in operation.variable_definitions or ()
        if definition.default_value is not None
    }


def uses_if_visible(text: str) -> bool:
    return f"@{NAME}" in text


def without_invisible(
    schema: GraphQLSchema,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    variables: Mapping[str, Any],
) -> DocumentNode:
    """The document without the marked nodes that the role's schema has no place for.

    Values, and defaults, decide as the operation has them.
    """
    before = _uses(document)
    dropping = _dropping(schema, document, {**_defaults(operation), **variables})
    document = visit(document, TypeInfoVisitor(dropping.types, dropping))
    asked = {name for field in dropping.asked for _, value in field for name in _names(value)}
    replaced = asked & variables.keys()
    return _without_unused(_without_defaults(schema, document, replaced), before)


def _names(value: ValueNode) -> set[str]:
    return _uses(value).variables


def _without_defaults(
    schema: GraphQLSchema, document: DocumentNode, replaced: set[str]
) -> DocumentNode:
    """Without the defaults that the role's schema has no place for, where values replace them."""

    class Replacing(Visitor):
        def enter_variable_definition(
            self, node: VariableDefinitionNode, *_: Any
        ) -> VisitorAction | VariableDefinitionNode:
            default = node.default_value
            if default is None or node.variable.name.value not in replaced:
                return SKIP
            if all(_known(type_from_ast(schema, node.type), default, {})):
                return SKIP
            return VariableDefinitionNode(
                variable=node.variable, type=node.type, directives=node.directives, loc=node.loc
            )

    return visit(document, Replacing()) if replaced else document


def _dropping(
    schema: GraphQLSchema, document: DocumentNode, variables: Mapping[str, Any]
) -> "_Dropping":
    fragments = {
        node.name.value: node
        for node in document.definitions
        if isinstance(node, FragmentDefinitionNode)
    }
    return _Dropping(schema, fragments, variables)


class _Dropping(Visitor):
    def __init__(
        self,
        schema: GraphQLSchema,
        fragments: dict[str, FragmentDefinitionNode],
        variables: Mapping[str, Any],
    ) -> None:
        super().__init__()
        self._schema = schema
        self._fragments = fragments
        self._variables = variables
        self.types = TypeInfo(schema)
        # Of each field that stays, the arguments that other values might hide it by.
        self.asked: list[tuple[tuple[Any, ValueNode], ...]] = []

    def enter_field(self, node: FieldNode, *_: Any) -> VisitorAction:
        if not _marked(node):
            return None
        field = self.types.get_field_def()
        if field is None:
            return REMOVE
        asked = []
        for argument in node.arguments or ():
            declared = field.args.get(argument.name.value)
            if declared is None:
                return REMOVE
            if not all(_known(declared.type, argument.value, self._variables)):
                return REMOVE
            if _names_inside(declared.type) and _uses(argument).variables:
                asked.append((declared.type, argument.value))
        if asked:
            self.asked.append(tuple(asked))
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


def _names_inside(type_: Any) -> bool:
    """Whether values of a type hold names: input fields, or values of an enum."""
    return isinstance(get_named_type(type_), GraphQLInputObjectType | GraphQLEnumType)


def _known(type_: Any, value: Any, variables: Mapping[str, Any]) -> Iterable[bool]:
    """Whether the input fields and enum values in a literal exist, and in what variables hold.

    Of a variable that is left out, that is the literal of its default.
    """
    type_ = get_nullable_type(type_)
    if isinstance(value, VariableNode):
        held = variables.get(value.name.value)
        if isinstance(held, ValueNode):
            yield from _known(type_, held, {})
        else:
            yield not any(wrong.unknown for wrong in wrong_in(type_, held))
        return
    if isinstance(value, ListValueNode):
        inner = type_.of_type if is_list_type(type_) else type_
        for item in value.values:
            yield from _known(inner, item, variables)
        return
    named = get_named_type(type_)
    if isinstance(value, ObjectValueNode) and isinstance(named, GraphQLInputObjectType):
        for field in value.fields:
            declared = named.fields.get(field.name.value)
            yield declared is not None
            if declared is not None:
                yield from _known(declared.type, field.value, variables)
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

"""Where values stand in the arguments of an operation: ``input.birthDate``, ``filter.and[0].kind``.

There is one convention for literals and variables: a place begins with the argument's name. The
value of a variable stands where the variable is first used.
"""

from collections.abc import Iterable, Iterator

from graphql import (
    ArgumentNode,
    DocumentNode,
    ListValueNode,
    Node,
    ObjectValueNode,
    OperationDefinitionNode,
    VariableDefinitionNode,
    VariableNode,
)
from graphql.language import Visitor, visit
from graphql.language.visitor import SKIP, VisitorAction
from graphql.utilities import separate_operations


class Places:
    """The places of a document's literals and, for one of its operations, of its variables."""

    def __init__(self, document: DocumentNode, operation: OperationDefinitionNode) -> None:
        self._nodes: dict[int, str] = {}
        self._variables: dict[str, str] = {}
        name = operation.name.value if operation.name is not None else ""
        own = separate_operations(document)[name]
        for argument in _arguments(own):
            for node, place in _inside(argument.value, argument.name.value):
                if isinstance(node, VariableNode):
                    self._variables.setdefault(node.name.value, place)
        for argument in _arguments(document):
            self._add(argument, argument.name.value)
            self._add(argument.value, argument.name.value)
        for definition in operation.variable_definitions or ():
            if definition.default_value is not None:
                self._add(
                    definition.default_value, self.of_variable(definition.variable.name.value)
                )

    def _add(self, value: Node, place: str) -> None:
        self._nodes |= {id(node): found for node, found in _inside(value, place)}

    def of_nodes(self, nodes: Iterable[Node]) -> str | None:
        """The place of the first of the nodes that stands in an argument."""
        return next((self._nodes[id(node)] for node in nodes if id(node) in self._nodes), None)

    def of_variable(self, name: str) -> str:
        """The place where a variable is first used; its name where it is not."""
        return self._variables.get(name, name)


def _arguments(document: DocumentNode) -> list[ArgumentNode]:
    found: list[ArgumentNode] = []

    class Collecting(Visitor):
        def enter_argument(self, node: ArgumentNode, *_: object) -> None:
            found.append(node)

        def enter_variable_definition(
            self, _node: VariableDefinitionNode, *_: object
        ) -> VisitorAction:
            return SKIP

    visit(document, Collecting())
    return found


def _inside(value: Node, place: str) -> Iterator[tuple[Node, str]]:
    """A node of a value with its place, and all that it holds."""
    yield value, place
    if isinstance(value, ListValueNode):
        for index, item in enumerate(value.values):
            yield from _inside(item, f"{place}[{index}]")
    elif isinstance(value, ObjectValueNode):
        for field in value.fields:
            inner = f"{place}.{field.name.value}"
            yield field, inner
            yield from _inside(field.value, inner)

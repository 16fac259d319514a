"""What a document may cost, computed before it is validated, each fragment once.

Fragments that double at each level cost nothing extra here: every fragment is measured once and
multiplied as a number.
"""

from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
)

from core.settings import Limits
from resolvers.pages import LARGEST, USUAL

# Sign-in and codes: one guess an operation, so that limits count guesses and not requests.
SENSITIVE = frozenset({"signIn", "refreshSession", "acceptInvitation", "reveal"})
_INTROSPECTION_DEPTH = 16


class TooCostly(Exception):
    """A document over one of the limits; ``code`` says which."""

    def __init__(self, code: str, limit: int) -> None:
        super().__init__(f"The operation is over a limit: {code} (at most {limit}).")
        self.code = code
        self.limit = limit


@dataclass(frozen=True, slots=True)
class Measure:
    """The size of a selection with its fragments unfolded. ``cost`` is a number of objects."""

    depth: int = 0
    introspection_depth: int = 0
    aliases: int = 0
    directives: int = 0
    sensitive: int = 0
    cost: int = 0

    def beside(self, other: "Measure") -> "Measure":
        return Measure(
            max(self.depth, other.depth),
            max(self.introspection_depth, other.introspection_depth),
            self.aliases + other.aliases,
            self.directives + other.directives,
            self.sensitive + other.sensitive,
            self.cost + other.cost,
        )


def check_limits(
    document: DocumentNode,
    operation: OperationDefinitionNode,
    variables: dict[str, Any],
    limits: Limits,
) -> None:
    """Raises TooCostly where the operation is over a limit."""
    measured = _Measuring(document, variables).selections(operation.selection_set)
    directives = measured.directives + _directives(operation)
    for code, value, limit in (
        ("TOO_DEEP", measured.depth, limits.depth),
        ("TOO_DEEP", measured.introspection_depth, _INTROSPECTION_DEPTH),
        ("TOO_MANY_ALIASES", measured.aliases, limits.aliases),
        ("TOO_MANY_DIRECTIVES", directives, limits.directives),
        ("ONE_SENSITIVE_FIELD", measured.sensitive, 1),
        ("TOO_COSTLY", measured.cost, limits.cost),
    ):
        if value > limit:
            raise TooCostly(code, limit)


def _directives(node: Any) -> int:
    # @ifVisible is dropped before anything runs, and a document for every role has many.
    return sum(1 for directive in node.directives or () if directive.name.value != "ifVisible")


class _Measuring:
    def __init__(self, document: DocumentNode, variables: dict[str, Any]) -> None:
        self._variables = variables
        self._fragments = {
            node.name.value: node
            for node in document.definitions
            if isinstance(node, FragmentDefinitionNode)
        }
        self._measured: dict[str, Measure] = {}
        self._open: set[str] = set()

    def selections(self, selected: SelectionSetNode | None) -> Measure:
        whole = Measure()
        for node in selected.selections if selected is not None else ():
            if isinstance(node, FieldNode):
                whole = whole.beside(self._field(node))
            elif isinstance(node, FragmentSpreadNode):
                whole = whole.beside(self._fragment(node.name.value))
                whole = whole.beside(Measure(directives=_directives(node)))
            elif isinstance(node, InlineFragmentNode):
                whole = whole.beside(self.selections(node.selection_set))
                whole = whole.beside(Measure(directives=_directives(node)))
        return whole

    def _fragment(self, name: str) -> Measure:
        # A cycle is for validation to name.
        if name not in self._fragments or name in self._open:
            return Measure()
        if name not in self._measured:
            self._open.add(name)
            self._measured[name] = self.selections(self._fragments[name].selection_set)
            self._open.discard(name)
        return self._measured[name]

    def _field(self, node: FieldNode) -> Measure:
        inner = self.selections(node.selection_set)
        name = node.name.value
        own = Measure(
            aliases=1 if node.alias is not None else 0,
            directives=_directives(node),
            sensitive=1 if name in SENSITIVE else 0,
        )
        if name in ("__schema", "__type"):
            return own.beside(
                Measure(
                    introspection_depth=inner.depth + 1,
                    aliases=inner.aliases,
                    directives=inner.directives,
                )
            )
        is_object = node.selection_set is not None
        rows = self._rows(node) if is_object else 0
        return own.beside(
            Measure(
                inner.depth + 1,
                inner.introspection_depth,
                inner.aliases,
                inner.directives,
                inner.sensitive,
                rows * (1 + inner.cost) if is_object else 0,
            )
        )

    def _rows(self, node: FieldNode) -> int:
        """How many objects a field may yield: a page for a connection, else one."""
        for argument in node.arguments or ():
            if argument.name.value in ("first", "last"):
                value: Any = argument.value
                if isinstance(value, IntValueNode):
                    return min(max(int(value.value[:9]), 1), LARGEST)
                if isinstance(value, VariableNode):
                    given = self._variables.get(value.name.value)
                    if isinstance(given, int):
                        return min(max(given, 1), LARGEST)
                return USUAL
        assert node.selection_set is not None
        names = {
            child.name.value
            for child in node.selection_set.selections
            if isinstance(child, FieldNode)
        }
        return USUAL if names & {"nodes", "edges"} else 1

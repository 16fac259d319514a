"""What a document may cost, computed before it is validated, each fragment once.

Fragments that double at each level cost nothing extra here: every fragment is measured once and
multiplied as a number.
"""

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

from graphql import (
    ArgumentNode,
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    Node,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    StringValueNode,
    VariableNode,
)

from core.settings import Limits
from resolvers import aggregates
from resolvers.pages import LARGEST, USUAL

# Sign-in and codes: one guess an operation, so that limits count guesses and not requests.
SENSITIVE = frozenset({"signIn", "refreshSession", "acceptInvitation", "reveal"})
_INTROSPECTION_DEPTH = 16
# Selections and fragments within each other: what recursion here and in validation can take.
_LEVELS = 25
# Literals and variables within each other.
_VALUE_DEPTH = 16
_VALUES = 1_000
# Validation compares fields of one name in pairs, those with selections at length.
_PAIRS = 20_000
_LONG = 20


class TextInvalid(Exception):
    """A text in a document holds a character that no database keeps; ``node`` is the text."""

    def __init__(self, node: StringValueNode) -> None:
        super().__init__()
        self.node = node


class TooCostly(Exception):
    """A document over one of the limits; ``code`` says which."""

    def __init__(self, code: str, limit: int) -> None:
        super().__init__(code, limit)
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
    # Whether the selection reads the rows of a page.
    paged: bool = False
    # Selections within each other, fragments and inline ones too.
    levels: int = 0

    def beside(self, other: "Measure") -> "Measure":
        return Measure(
            max(self.depth, other.depth),
            max(self.introspection_depth, other.introspection_depth),
            self.aliases + other.aliases,
            self.directives + other.directives,
            self.sensitive + other.sensitive,
            self.cost + other.cost,
            self.paged or other.paged,
            max(self.levels, other.levels),
        )


def check_shape(document: DocumentNode) -> None:
    """What validation itself would cost, whichever operation runs; raises TooCostly, TextInvalid.

    It compares every two fields of a name: a thousand of one name took it a second.
    """
    fields: Counter[tuple[str, bool]] = Counter()
    todo: list[tuple[Node, int]] = [(document, 0)]
    while todo:
        node, depth = todo.pop()
        if isinstance(node, FieldNode):
            name = node.alias.value if node.alias is not None else node.name.value
            fields[name, node.selection_set is not None] += 1
        elif isinstance(node, ListValueNode | ObjectValueNode):
            depth += 1
            if depth > _VALUE_DEPTH:
                raise TooCostly("TOO_DEEP", _VALUE_DEPTH)
        elif isinstance(node, StringValueNode) and "\0" in node.value:
            raise TextInvalid(node)
        for key in node.keys:
            inner = getattr(node, key)
            if isinstance(inner, Node):
                todo.append((inner, depth))
            elif isinstance(inner, tuple | list):
                todo += [(item, depth) for item in inner if isinstance(item, Node)]
    pairs = sum(
        count * (count - 1) // 2 * (_LONG if has_selection else 1)
        for (_, has_selection), count in fields.items()
    )
    if pairs > _PAIRS:
        raise TooCostly("TOO_MANY_REPEATS", _PAIRS)


def check_variables(variables: dict[str, Any]) -> None:
    """The depth and number of the values given; raises TooCostly."""
    todo: list[tuple[Any, int]] = [(variables, 0)]
    found = 0
    while todo:
        value, depth = todo.pop()
        if not isinstance(value, dict | list):
            continue
        if depth > _VALUE_DEPTH:
            raise TooCostly("TOO_DEEP", _VALUE_DEPTH)
        found += len(value)
        if found > _VALUES:
            raise TooCostly("TOO_MANY_VALUES", _VALUES)
        inner = value.values() if isinstance(value, dict) else value
        todo += [(item, depth + 1) for item in inner]


def check_limits(
    document: DocumentNode,
    operation: OperationDefinitionNode,
    variables: dict[str, Any],
    limits: Limits,
) -> None:
    """Raises TooCostly where the operation is over a limit."""
    measuring = _Measuring(document, _defaults(operation) | variables)
    measured = measuring.selections(operation.selection_set)
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


def sizing(document: DocumentNode) -> tuple[str, ...]:
    """The variables that decide what an operation costs: those that are sizes of pages."""
    names: set[str] = set()
    todo: list[Node] = [document]
    while todo:
        node = todo.pop()
        if isinstance(node, ArgumentNode) and isinstance(node.value, VariableNode):
            if node.name.value in ("first", "last"):
                names.add(node.value.name.value)
            continue
        for key in node.keys:
            inner = getattr(node, key)
            if isinstance(inner, Node):
                todo.append(inner)
            elif isinstance(inner, tuple | list):
                todo += [item for item in inner if isinstance(item, Node)]
    return tuple(sorted(names))


def _defaults(operation: OperationDefinitionNode) -> dict[str, Any]:
    return {
        definition.variable.name.value: int(definition.default_value.value[:9])
        for definition in operation.variable_definitions or ()
        if isinstance(definition.default_value, IntValueNode)
    }


def _directives(node: Any) -> int:
    # @ifVisible is dropped before anything runs, and a document for every role has many.
    return sum(1 for directive in node.directives or () if directive.name.value != "ifVisible")


_STRUCTURE = frozenset({"nodes", "edges", "node", "pageInfo"})


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
        self._level = 0

    def selections(self, selected: SelectionSetNode | None) -> Measure:
        self._level += 1
        if self._level > _LEVELS:
            raise TooCostly("TOO_DEEP", _LEVELS)
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
        self._level -= 1
        # A fragment measured before is not walked again: its levels are remembered with it.
        whole = replace(whole, levels=whole.levels + 1)
        if whole.levels > _LEVELS:
            raise TooCostly("TOO_DEEP", _LEVELS)
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
                    levels=inner.levels,
                )
            )
        if node.selection_set is None:
            cost = 0
        elif name in _STRUCTURE:
            # They only hold the page's rows, which the connection has counted already.
            cost = inner.cost
        else:
            cost = self._rows(node, inner.paged) * (1 + inner.cost)
        return own.beside(
            replace(
                inner,
                depth=inner.depth + 1,
                cost=cost,
                paged=name in ("nodes", "edges"),
            )
        )

    def _rows(self, node: FieldNode, paged: bool) -> int:
        """How many objects a field may yield: a page for a connection, else one."""
        is_groups = node.name.value.endswith("Groups")
        usual = aggregates.USUAL if is_groups else USUAL
        largest = aggregates.LARGEST if is_groups else LARGEST
        asked = [a.value for a in node.arguments or () if a.name.value in ("first", "last")]
        if not asked:
            return usual if paged else 1
        return max(self._page_size(value, usual, largest) for value in asked)

    def _page_size(self, value: Any, usual: int, largest: int) -> int:
        if isinstance(value, IntValueNode):
            return min(max(int(value.value[:9]), 1), largest)
        if isinstance(value, VariableNode):
            given = self._variables.get(value.name.value)
            if given is None:
                return usual
            if isinstance(given, int):
                return min(max(given, 1), largest)
        return largest

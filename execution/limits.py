"""What a document may cost, computed before it is validated, each fragment once.

Fragments that double at each level cost nothing extra here: every fragment is measured once and
multiplied as a number.
"""

from collections import Counter
from collections.abc import Iterator
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
    value_from_ast_untyped,
)

from core.settings import Limits
from resolvers import aggregates
from resolvers.pages import LARGEST, USUAL
from schema.operations import SENSITIVE

_INTROSPECTION_DEPTH = 16
# Selections and fragments within each other: what recursion here and in validation can take.
_LEVELS = 25
# Literals and variables within each other.
_VALUE_DEPTH = 16
_VALUES = 1_000
# Validation compares fields of one name in pairs, those with selections at length.
_PAIRS = 20_000
_LONG = 20
# In objects: what counting a list costs, a condition (it may go through another table) and, at
# the least, groups, which are made of all rows however few are told.
_COUNT = 10
_CONDITION = 20
_GROUPS = 100
# Where conditions stand.
_CONDITIONS = ("filter", "only")


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
    # How often the selection counts the whole list.
    counts: int = 0
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
            self.counts + other.counts,
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
        todo += [(inner, depth) for inner in _inner(node)]
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


def costing(document: DocumentNode) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The variables that decide what an operation costs: sizes of pages, and those in filters."""
    sizes: set[str] = set()
    filters: set[str] = set()
    todo: list[Node] = [document]
    while todo:
        node = todo.pop()
        if isinstance(node, ArgumentNode):
            if isinstance(node.value, VariableNode) and node.name.value in ("first", "last"):
                sizes.add(node.value.name.value)
            elif node.name.value in _CONDITIONS:
                filters |= {each.name.value for each in _variables(node)}
            continue
        todo += _inner(node)
    return tuple(sorted(sizes)), tuple(sorted(filters))


def _variables(node: Node) -> Iterator[VariableNode]:
    if isinstance(node, VariableNode):
        yield node
    for inner in _inner(node):
        yield from _variables(inner)


def _inner(node: Node) -> Iterator[Node]:
    for key in node.keys:
        inner = getattr(node, key)
        if isinstance(inner, Node):
            yield inner
        elif isinstance(inner, tuple | list):
            yield from (item for item in inner if isinstance(item, Node))


# Values of a list that are bound for about what one condition costs.
_VALUES_A_CONDITION = 10


def conditions(given: Any) -> int:
    """How many conditions a value holds: the objects within it, and each ten of a list's values."""
    if isinstance(given, dict):
        return sum(isinstance(v, dict) + conditions(v) for v in given.values())
    if not isinstance(given, list):
        return 0
    values = sum(not isinstance(item, dict | list) for item in given)
    return values // _VALUES_A_CONDITION + sum(map(conditions, given))


def _defaults(operation: OperationDefinitionNode) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for definition in operation.variable_definitions or ():
        default = definition.default_value
        if isinstance(default, IntValueNode):
            found[definition.variable.name.value] = int(default.value[:9])
        elif isinstance(default, ObjectValueNode | ListValueNode):
            found[definition.variable.name.value] = value_from_ast_untyped(default)
    return found


def _directives(node: Any) -> int:
    # @ifVisible is dropped before anything runs, and a document for every role has many.
    return sum(1 for directive in node.directives or () if directive.name.value != "ifVisible")


_STRUCTURE = frozenset({"nodes", "edges", "node", "pageInfo"})
# Whoever selects one of them has the page read, whatever of its rows is told.
_PAGED = frozenset({"nodes", "edges", "pageInfo"})


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
        is_count = name == "totalCount"
        if node.selection_set is None:
            cost = _COUNT * is_count
        elif name in _STRUCTURE:
            # They only hold the page's rows, which the connection has counted already.
            cost = inner.cost
        else:
            cost = self._cost(node, inner)
        return own.beside(
            replace(
                inner,
                depth=inner.depth + 1,
                cost=cost,
                paged=name in _PAGED,
                counts=int(is_count),
            )
        )

    def _cost(self, node: FieldNode, inner: Measure) -> int:
        """What a field costs with all that is selected within it."""
        # A list is counted once, whatever the size of its page.
        rows = self._rows(node, inner.paged)
        cost = rows * (1 + inner.cost - inner.counts * _COUNT) + inner.counts * _COUNT
        if node.name.value.endswith("Groups"):
            cost = max(cost, _GROUPS)
        asked = (a.value for a in node.arguments or () if a.name.value in _CONDITIONS)
        return cost + _CONDITION * sum(map(self._conditions, asked))

    def _conditions(self, value: Node) -> int:
        if isinstance(value, VariableNode):
            return conditions(self._variables.get(value.name.value))
        if isinstance(value, ListValueNode):
            return sum(map(self._conditions, value.values))
        if not isinstance(value, ObjectValueNode):
            return 0
        found = 0
        for field in value.fields:
            inner = field.value
            if isinstance(inner, VariableNode):
                inner_value = self._variables.get(inner.name.value)
                found += isinstance(inner_value, dict) + conditions(inner_value)
            else:
                found += isinstance(inner, ObjectValueNode) + self._conditions(inner)
        return found

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

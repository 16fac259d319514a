"""A prepared document, and those that are kept for one role, bounded."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import EllipsisType
from typing import Any

from graphql import DocumentNode, OperationDefinitionNode

from execution.if_visible import Varying
from execution.inputs import Inputs
from execution.limits import check_variables, conditions
from execution.mixing import Mixtures
from execution.plans import Plans
from execution.requests import Request
from execution.variables import Plain
from schema.roles import RoleView

# Sets of page sizes remembered for a document; what of a size matters to its cost.
_SIZES = 200
_SIZE = (int, EllipsisType)

Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document that is valid in a role's view, and the operation chosen from it."""

    text: str
    view: RoleView
    document: DocumentNode
    operation: OperationDefinitionNode
    plans: Plans
    mixtures: Mixtures
    inputs: Inputs
    plain: Plain | None
    # The variables that decide what runs, where null may be given for them.
    conditions: tuple[str, ...]
    # The variables that decide the cost: sizes of pages, and those in filters.
    costing: tuple[tuple[str, ...], tuple[str, ...]]
    # What of the document values decide, where they do.
    varying: Varying | None
    # What of their values kept within the limits.
    measured: set[tuple[Any, ...]] = field(default_factory=set)
    # Whether no value can take it over a limit: those that no variable takes are not looked at,
    # and plain ones are bounded.
    is_settled: bool = field(init=False)

    def __post_init__(self) -> None:
        is_settled = self.plain is not None and not self.costing[0] and self.varying is None
        object.__setattr__(self, "is_settled", is_settled)

    def is_measured(self, given: Mapping[str, Any]) -> bool:
        """Whether values like the given ones kept within the limits."""
        return self._costing(given) in self.measured

    def measure(self, given: Mapping[str, Any]) -> None:
        """Remembers that the given values keep within the limits."""
        if len(self.measured) > _SIZES:
            self.measured.clear()
        self.measured.add(self._costing(given))

    def _costing(self, given: Mapping[str, Any]) -> Key:
        """What of the given variables the cost depends on."""
        in_pages, in_filters = self.costing
        sizes = tuple(
            # Whatever else is given counts as the largest page.
            size if (size := given.get(name, ...)) is None or isinstance(size, _SIZE) else ""
            for name in in_pages
        )
        # One that is left out has the value that the document gives it.
        held = tuple(
            (name in given, isinstance(given.get(name), dict), conditions(given.get(name)))
            for name in in_filters
        )
        return sizes, held


class Kept:
    """The prepared documents of one role; the least lately used is forgotten first.

    Each role has its own, so that nobody pushes out what others ask, least of all who has not
    signed in.
    """

    def __init__(self, characters: int) -> None:
        self._most = characters
        # Of their texts.
        self.characters = 0
        self.prepared: OrderedDict[Key, Prepared] = OrderedDict()
        # Where values hide parts of a document, they are of its key.
        self._varying: dict[Key, Varying] = {}

    def settled(self, request: Request) -> Prepared | None:
        """A document of which nothing depends on the values, as most are: one look-up."""
        key = (request.operation_name, request.text)
        known = self.prepared.get(key)
        if known is None or not known.is_settled:
            return None
        self.prepared.move_to_end(key)
        return known

    def get(self, request: Request) -> Prepared | None:
        """What was prepared for a request like this one; raises TooCostly."""
        key = self._key(request)
        found = self.prepared.get(key)
        if found is not None:
            self.prepared.move_to_end(key)
        return found

    def put(self, request: Request, prepared: Prepared) -> None:
        key: Key = (request.operation_name, request.text)
        if prepared.varying is not None:
            self._varying[key] = prepared.varying
            key = (*key, prepared.varying.hidden(request.variables))
        if (replaced := self.prepared.pop(key, None)) is not None:
            self.characters -= len(replaced.text)
        self.prepared[key] = prepared
        self.characters += len(prepared.text)
        while self.characters > self._most:
            forgotten, oldest = self.prepared.popitem(last=False)
            self._varying.pop(forgotten[:2], None)
            self.characters -= len(oldest.text)

    def _key(self, request: Request) -> Key:
        key = (request.operation_name, request.text)
        depends = self._varying.get(key)
        if depends is None:
            return key
        check_variables(request.variables)
        return (*key, depends.hidden(request.variables))

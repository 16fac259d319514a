"""Plans: statements kept for requests of one shape, and read for each of them."""

import json
import logging
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, TypeVar
from weakref import WeakSet

from graphql import DocumentNode, GraphQLError, OperationDefinitionNode

from auth.viewer import Viewer
from core.errors import Problem
from execution.binding import shape_of, sources_of, viewer_shape
from execution.dialects import DIALECTS
from execution.planning import Planning
from execution.printing import Reading, Statement, printed
from execution.shape import NotPlannable
from execution.withheld import withheld
from models.database import NotAtOnce, StatementTooDeep
from models.reading import read_at_once, read_text
from models.role import Role
from schema.roles import RoleView

_log = logging.getLogger(__name__)

# Bytes that the reading of one value takes, measured.
_READING = 1_300
# Shapes of requests kept for one document.
_KEPT = 32


class Asking(NamedTuple):
    """What a plan's values are read off: who asks, and the coerced variables."""

    viewer: Viewer
    variables: Mapping[str, Any]

    def shape(self, dialect: str) -> Any:
        """What of it decides the statement."""
        return (dialect, viewer_shape(self.viewer), shape_of(self.variables))


@dataclass(slots=True)
class Plan:
    """One statement that yields ``data``, and what follows it in the response."""

    statement: Statement
    # Which values of the cursors are empty.
    cursors: tuple[tuple[Reading, tuple[bool, ...]], ...]
    end: str
    # Whether every variable is read.
    covers: bool
    # Whether no wrong value of another request can go by unseen.
    tells_wrong: bool = field(default=False, init=False)

    def fits(self, asking: Asking) -> bool:
        return all(
            tuple(value is None for value in read(asking)) == empty for read, empty in self.cursors
        )

    @property
    def weight(self) -> int:
        """About how many bytes it takes: its text, and how each value is read."""
        return len(self.statement.sql) + _READING * len(self.statement.reads)

    def values(self, asking: Asking) -> list[Any]:
        """The values to bind; raises the Problem of one that is wrong."""
        return self.statement.values(asking)

    def response(self, data: str) -> bytes:
        """The response around what the statement told."""
        return f'{{"data":{data}{self.end}'.encode()


P = TypeVar("P", bound=Plan)
T = TypeVar("T")


class Ready(NamedTuple, Generic[P]):
    """A plan, and the values of the request that it fits."""

    plan: P
    values: list[Any]
    asking: Asking
    dialect: str


class Room:
    """What plans may take together, in bytes or so.

    What is over is not sorted out: all are forgotten, and those that are asked for made again.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        # At the most: what went since it was counted, with its document or for a newer plan, is
        # found gone when there seems to be no room.
        self._taken = 0
        self._holders: WeakSet[ByShape[Any]] = WeakSet()

    def takes(self, holder: "ByShape[Any]", weight: int) -> bool:
        """Whether a plan may be kept: one that took a large part of the room alone may not."""
        if weight > self._most // 16:
            return False
        if self._taken + weight > self._most:
            self._taken = sum(other.weight for other in self._holders)
        if self._taken + weight > self._most:
            for other in self._holders:
                other.forget()
            self._holders.clear()
            self._taken = 0
        self._taken += weight
        self._holders.add(holder)
        return True


_ROOM = Room(64 * 1024 * 1024)
# Whoever has not signed in costs nothing to be, and pushes out nobody else's.
_OF_VISITORS = Room(16 * 1024 * 1024)


def room_of(role: Role) -> Room:
    """Where the plans of a role are kept."""
    return _OF_VISITORS if role is Role.VISITOR else _ROOM


class ByShape(Generic[P]):
    """The plans of one document in one role's view, kept by the shape of requests."""

    def __init__(
        self, view: RoleView, document: DocumentNode, operation: OperationDefinitionNode
    ) -> None:
        self._view = view
        self._document = document
        self._operation = operation
        self._plans: dict[Any, deque[P]] = {}
        # Shapes that no plan serves, and why not.
        self._refused: dict[Any, str] = {}
        self._room = room_of(view.role)

    def find(self, asking: Asking, dialect: str) -> P:
        """The plan that fits a request, made if need be; raises NotPlannable, or a Problem."""
        shape = asking.shape(dialect)
        if shape in self._refused:
            raise NotPlannable(self._refused[shape])
        for plan in self._plans.get(shape, ()):
            if plan.fits(asking):
                return plan
        try:
            made = self._make(asking, dialect)
        except NotPlannable as reason:
            self._refuse(shape, str(reason))
            raise
        except (Problem, GraphQLError):
            raise
        except Exception:
            _log.exception("planning failed")
            self._refuse(shape, "planning failed")
            raise NotPlannable("planning failed") from None
        if self._room.takes(self, made.weight):
            _with_room(self._plans, shape).setdefault(shape, deque(maxlen=_KEPT)).append(made)
        return made

    def ready(self, asking: Asking, dialect: str) -> Ready[P]:
        """The plan that fits a request, with its values; raises NotPlannable, or a Problem."""
        plan = self.find(asking, dialect)
        try:
            return Ready(plan, plan.values(asking), asking, dialect)
        except (Problem, GraphQLError):
            raise
        except Exception:
            _log.exception("the values of a planned read failed")
            raise NotPlannable("its values failed") from None

    @property
    def weight(self) -> int:
        """What the plans that are kept take."""
        return sum(plan.weight for plans in self._plans.values() for plan in plans)

    def forget(self) -> None:
        """Drops the plans: they are made again when they are asked for."""
        self._plans.clear()

    def keeps(self, asking: Asking, dialect: str) -> bool:
        """Whether there is a plan that fits a request, without making one."""
        return any(plan.fits(asking) for plan in self._plans.get(asking.shape(dialect), ()))

    def _refuse(self, shape: Any, reason: str) -> None:
        """Remembers that no plan serves requests of this shape."""
        _with_room(self._refused, shape)[shape] = reason

    async def told(self, ready: Ready[P], seconds: float) -> str | None:
        """What a plan's statement tells; None where it tells nothing, or the database failed it.

        Raises TimeoutError after so many seconds.
        """
        try:
            return await read_text(ready.plan.statement.sql, ready.values, seconds)
        except TimeoutError:
            raise
        except Exception as error:
            self._failed(ready, error)
        return None

    def told_at_once(self, ready: Ready[P]) -> str | None:
        """The same from a database in this process; raises NotAtOnce."""
        try:
            return read_at_once(ready.plan.statement.sql, ready.values)
        except NotAtOnce:
            raise
        except Exception as error:
            self._failed(ready, error)
        return None

    def _failed(self, ready: Ready[P], error: Exception) -> None:
        if isinstance(error, StatementTooDeep):
            shape = ready.asking.shape(ready.dialect)
            self._refuse(shape, "the statement is too deep for the database")
        else:
            _log.error("a planned read failed", exc_info=error)

    def _make(self, asking: Asking, dialect: str) -> P:
        raise NotImplementedError


class Plans(ByShape[Plan]):
    """The plans of one whole document in one role's view."""

    def _make(self, asking: Asking, dialect: str) -> Plan:
        planning = Planning(self._view, self._document, asking.viewer, asking.variables)
        tree = planning.operation(self._operation)
        statement = printed(tree, DIALECTS[dialect])
        return Plan(
            statement,
            cursors_of(planning),
            end_of(self._view, self._document, self._operation, asking.variables),
            statement.sources.issuperset(sources_of(asking.variables)),
        )


def _with_room(kept: dict[Any, T], shape: Any) -> dict[Any, T]:
    """What is kept by shape, without its oldest where there is no room for a new one."""
    if shape not in kept and len(kept) >= _KEPT:
        del kept[next(iter(kept))]
    return kept


def cursors_of(planning: Planning) -> tuple[tuple[Reading, tuple[bool, ...]], ...]:
    """Which values of the cursors are empty: they decide the statement."""
    return tuple(
        (slot.read, tuple(value is None for value in slot.value)) for slot in planning.cursors
    )


def end_of(
    view: RoleView,
    document: DocumentNode,
    operation: OperationDefinitionNode,
    variables: Mapping[str, Any],
) -> str:
    """What follows ``data`` and ``errors`` in a response."""
    limited = withheld(view, document, operation, variables)
    told = json.dumps({"withheld": limited}, ensure_ascii=False, separators=(",", ":"))
    return f',"extensions":{told}}}' if limited else "}"

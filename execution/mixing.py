"""Mixing: the root fields of a query that SQL can tell are one statement, the others are executed.

The executor gets a document of the others alone, made of the same nodes, so that the places of
errors stay. The answer is put together in the order of the document.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLError,
    OperationDefinitionNode,
    SelectionSetNode,
)

from core.errors import Problem
from execution.binding import sources_of
from execution.dialects import DIALECTS
from execution.planning import Planning
from execution.plans import Asking, ByShape, Plan, cursors_of, end_of
from execution.printing import printed_apart
from execution.shape import Constant, NotPlannable, Value


@dataclass(frozen=True, slots=True)
class Way:
    """A root field: its response key, and its tree or the reason why no statement tells it."""

    key: str
    nodes: list[FieldNode]
    value: Value | None = None
    reason: str = ""


@dataclass(slots=True)
class Mixture(Plan):
    """A statement that yields the texts of some root fields, and the document of the others."""

    # The response keys in the order of the document, and whether each is planned.
    roots: tuple[tuple[str, bool], ...]
    others: DocumentNode

    def answer(self, texts: list[str], data: dict[str, Any] | None, errors: Any) -> bytes:
        """The response: what the statement told, what the executor did, and what went wrong."""
        told = "null"
        if data is not None:
            planned = iter(texts)
            told = ",".join(
                f'"{key}":{next(planned) if is_planned else _encoded(data[key])}'
                for key, is_planned in self.roots
            )
            told = f"{{{told}}}"
        wrong = f',"errors":{_encoded(errors)}' if errors else ""
        return f'{{"data":{told}{wrong}{self.end}'.encode()


class Mixtures(ByShape[Mixture]):
    """The mixtures of one document in one role's view."""

    async def read(
        self, asking: Asking, dialect: str, seconds: float
    ) -> tuple[Mixture, list[str]] | None:
        """A mixture and the texts of its planned roots; None where the executor must do all.

        Raises TimeoutError after so many seconds.
        """
        try:
            ready = self.ready(asking, dialect)
        except (NotPlannable, Problem, GraphQLError):
            return None
        text = await self.told(ready, seconds)
        # No JSON of ours holds a line break.
        return None if text is None else (ready.plan, text.split("\n"))

    def ways(self, asking: Asking) -> tuple[Way, ...]:
        """Which way each root field goes, in the order of the document."""
        return tuple(self._ways(self._planning(asking)))

    def _planning(self, asking: Asking) -> Planning:
        return Planning(self._view, self._document, asking.viewer, asking.variables)

    def _ways(self, planning: Planning) -> Iterator[Way]:
        for key, name, nodes in planning.roots(self._operation):
            try:
                yield Way(key, nodes, planning.root(name, nodes))
            except NotPlannable as reason:
                yield Way(key, nodes, reason=str(reason))

    def _make(self, asking: Asking, dialect: str) -> Mixture:
        planning = self._planning(asking)
        ways = list(self._ways(planning))
        planned = [way.value for way in ways if way.value is not None]
        others = [node for way in ways if way.value is None for node in way.nodes]
        if not others:
            raise NotPlannable("there is nothing to execute beside it")
        if all(isinstance(value, Constant) for value in planned):
            raise NotPlannable("it needs no statement")
        statement = printed_apart(planned, DIALECTS[dialect])
        return Mixture(
            statement,
            cursors_of(planning),
            end_of(self._view, self._document, self._operation, asking.variables),
            statement.sources.issuperset(sources_of(asking.variables)),
            tuple((way.key, way.value is not None) for way in ways),
            _only(self._document, self._operation, others),
        )


def _only(
    document: DocumentNode, operation: OperationDefinitionNode, fields: Iterable[FieldNode]
) -> DocumentNode:
    """The document with only these root fields in its operation."""
    parts = {name: getattr(operation, name) for name in operation.keys}
    parts["selection_set"] = SelectionSetNode(selections=tuple(fields))
    kept = OperationDefinitionNode(**parts)
    return DocumentNode(
        definitions=tuple(kept if node is operation else node for node in document.definitions)
    )


def _encoded(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))

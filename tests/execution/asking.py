"""Asking the plan and the reference executor as one person, at one moment."""

from collections.abc import Iterator
from dataclasses import replace
from random import Random

from auth.viewer import Viewer, Visit
from core.clock import utc_now
from core.errors import Problem
from execution.engine import Engine
from execution.mixing import Mixture
from execution.plans import Asking, Plan
from execution.prepared import Prepared
from execution.requests import Request
from execution.shape import NotPlannable
from models.database import dialect
from models.role import Role
from schema.build import build
from schema.context import Context
from schema.views import VIEWS
from server.answers import encoded
from server.services import Services
from tests.api import Api
from tests.factories import NOW
from tests.generated import Operation, Operations, cursors
from tests.generated_inputs import Values
from tests.schema.conftest import ROOMY
from tests.schema.sight import Snapshot
from tests.world import World, token_of

# Sets of values with which a document is asked.
_ASKINGS = 4

# What says of a computed field how a statement tells it.
_BY_STATEMENT = ("where", "less", "span", "member", "leads", "beyond")


class Executors:
    """The two ways to run an operation, for everybody who asks."""

    def __init__(self) -> None:
        self.planned = Engine(build(), ROOMY)
        self.reference = Engine(build(), ROOMY, planned=False)
        # Both execute one document: it is parsed and validated once.
        self.reference.documents = self.planned.documents


class Both:
    """One person before both of them; counts what was asked and how it was answered."""

    def __init__(
        self, services: Services, viewer: Viewer, executors: Executors | None = None
    ) -> None:
        self.executors = executors or Executors()
        self.services = services
        self.viewer = viewer
        self.asked = 0
        self.plans = 0
        self.pages = 0
        self.refused = 0

    async def ask(self, operation: Operation) -> tuple[bytes, bytes]:
        """What the plan answers, or whoever answers in its stead, and what the reference does."""
        ours = await self.planned(operation)
        request, context = self._request(operation), self.context
        theirs = await self.executors.reference.execute(request, context)
        return ours, encoded(theirs.body).encode()

    async def planned(self, operation: Operation) -> bytes:
        request, context = self._request(operation), self.context
        answer = await self.executors.planned.execute(request, context)
        self.asked += 1
        self.plans += answer.text is not None
        self.pages += answer.text is not None and operation.variables.get("cursor") is not None
        self.refused += answer.refused
        return answer.text or encoded(answer.body).encode()

    @staticmethod
    def _request(operation: Operation) -> Request:
        return Request(operation.text, operation.variables)

    @property
    def context(self) -> Context:
        """A request's, as the server makes one for each."""
        return self.services.context(self.viewer)

    def is_planned(self, operation: Operation) -> bool:
        """Whether one statement tells the whole."""
        found = self.executors.planned.explain(self._request(operation), self.context)
        return found.plan is not None and not isinstance(found.plan, Mixture)

    def mixture(self, operation: Operation) -> Mixture | None:
        """How an operation is mixed, where it is."""
        prepared, asking = self._prepared(operation)
        try:
            return prepared.mixtures.find(asking, dialect())
        except (NotPlannable, Problem):
            return None

    def plan(self, operation: Operation, dialect: str) -> tuple[Plan, Asking]:
        """The plan of an operation for a database, open or not; raises NotPlannable."""
        prepared, asking = self._prepared(operation)
        return prepared.plans.find(asking, dialect), asking

    def _prepared(self, operation: Operation) -> tuple[Prepared, Asking]:
        request, documents = self._request(operation), self.executors.planned.documents
        prepared = documents.prepare(request, self.context)
        variables = documents.variables(prepared, request, self.context)
        return prepared, Asking(self.viewer, variables)


def documents(role: Role, rows: Snapshot, many: int) -> Iterator[tuple[Random, list[Operation]]]:
    """So many documents in a role's view, each with some sets of values, and what is random."""
    values, view = Values.of(rows, NOW.date()), build().views[role]
    computed = in_python()
    for seed in range(many):
        random = Random(f"{role} {seed}")
        # Of what is computed in Python, both executors are one: it is asked for now and then.
        avoided = computed if seed % 6 else ()
        made = Operations(view.schema, values, random, 1 + seed % 4, avoided)
        yield random, made.queries(_ASKINGS)


def in_python() -> set[str]:
    """The fields that no statement shows."""
    return {
        f"{view.name}.{made.graphql_name}"
        for view in VIEWS.values()
        for made in view.specs.values()
        if made.kind == "computed" and not any(getattr(made, told) for told in _BY_STATEMENT)
    }


def pages_behind(operation: Operation, answer: bytes, random: Random) -> list[Operation]:
    """The operation once more, for pages that go on from what was answered."""
    if operation.cursor is None or operation.variables.get("cursor") is not None:
        return []
    return [
        replace(operation, variables={**operation.variables, "cursor": cursor})
        for cursor in cursors(answer, operation.cursor, random)
    ]


async def both(api: Api, made: World, name: str) -> Both:
    """Somebody of the world before executors of their own."""
    token = await token_of(api, made.people[name])
    viewer = await api.services.sessions.viewer(token, Visit(utc_now(), language="en"))
    return Both(api.services, viewer)

"""Asking the plan and the reference executor as one person, at one moment."""

from auth.viewer import Viewer
from core.clock import utc_now
from execution.engine import Engine, Request
from execution.plans import Plan
from schema.build import build
from server.answers import encoded
from server.services import Services
from tests.api import Api
from tests.generated import Operation
from tests.schema.conftest import ROOMY
from tests.world import World, token_of


class Executors:
    """The two ways to run an operation, for everybody who asks."""

    def __init__(self) -> None:
        self.planned = Engine(build(), ROOMY)
        self.reference = Engine(build(), ROOMY, planned=False)
        # Both execute one document: it is parsed and validated once.
        self.reference._prepared = self.planned._prepared
        self.reference._varying = self.planned._varying


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
        request, context = self._request(operation), self.services.context(self.viewer)
        theirs = await self.executors.reference.execute(request, context)
        return ours, encoded(theirs.body).encode()

    async def planned(self, operation: Operation) -> bytes:
        request, context = self._request(operation), self.services.context(self.viewer)
        answer = await self.executors.planned.execute(request, context)
        self.asked += 1
        self.plans += answer.text is not None
        self.pages += answer.text is not None and operation.variables.get("cursor") is not None
        self.refused += answer.refused
        return answer.text or encoded(answer.body).encode()

    @staticmethod
    def _request(operation: Operation) -> Request:
        return Request(operation.text, operation.variables)

    def plan(self, operation: Operation, dialect: str) -> Plan:
        """The plan of an operation for a database, open or not; raises NotPlannable."""
        request, context = self._request(operation), self.services.context(self.viewer)
        _, asking = self.executors.planned.plan(request, context)
        return self.executors.planned.prepare(request, context).plans.find(asking, dialect)


async def both(api: Api, made: World, name: str) -> Both:
    """Somebody of the world before executors of their own."""
    token = await token_of(api, made.people[name])
    viewer = await api.services.sessions.viewer(token, now=utc_now(), language="en")
    return Both(api.services, viewer)

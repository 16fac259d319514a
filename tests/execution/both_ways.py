"""Asking an engine that plans and the reference as one person, and which way an operation went."""

from core.clock import utc_now
from core.errors import Problem
from execution.engine import Engine
from execution.mixing import Mixture
from execution.plans import Asking
from execution.requests import Request
from execution.shape import NotPlannable
from models.database import dialect
from schema.build import build
from schema.context import Context
from server.answers import encoded
from tests.api import Api
from tests.generated import Operation
from tests.schema.conftest import ROOMY
from tests.world import World, token_of


class BothWays:
    """Both executors, before one person at one moment."""

    def __init__(self, api: Api, context: Context) -> None:
        self.planned = Engine(build(), ROOMY)
        self.reference = Engine(build(), ROOMY, planned=False)
        # Both execute one document: it is parsed and validated once.
        self.reference.documents = self.planned.documents
        self.context = context
        self.services = api.services

    async def ask(self, operation: Operation) -> tuple[bytes, bytes]:
        """What each of them answers."""
        request, viewer = _request(operation), self.context.viewer
        ours = await self.planned.execute(request, self.services.context(viewer))
        theirs = await self.reference.execute(request, self.services.context(viewer))
        return ours.text or encoded(ours.body).encode(), encoded(theirs.body).encode()

    def is_planned(self, operation: Operation) -> bool:
        """Whether one statement tells the whole."""
        found = self.planned.explain(_request(operation), self.context)
        return found.plan is not None and not isinstance(found.plan, Mixture)

    def mixture(self, operation: Operation) -> Mixture | None:
        """How an operation is mixed, where it is."""
        request = _request(operation)
        prepared = self.planned.documents.prepare(request, self.context)
        variables = self.planned.documents.variables(prepared, request, self.context)
        try:
            return prepared.mixtures.find(Asking(self.context.viewer, variables), dialect())
        except (NotPlannable, Problem):
            return None


async def both_ways(api: Api, made: World, name: str) -> BothWays:
    """Somebody of the world before executors of their own."""
    viewer = await api.services.sessions.viewer(
        await token_of(api, made.people[name]),
        role=None,
        now=utc_now(),
        address="",
        device="",
        language="en",
    )
    return BothWays(api, api.services.context(viewer))


def _request(operation: Operation) -> Request:
    return Request(operation.text, operation.variables)

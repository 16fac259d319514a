"""How a query is read: the way of each root field, its tree, the statement, the database's plan."""

from collections.abc import Iterator
from typing import Any

from auth.viewer import Visit
from core.clock import utc_now
from core.settings import Settings
from execution.explaining import Explanation
from execution.requests import Request
from execution.shape import NotPlannable
from execution.trees import tree
from models.reading import explain
from models.role import Role
from server.demo_tokens import demo_token
from server.services import services_of


async def explained(
    settings: Settings, role: Role, text: str, variables: dict[str, Any] | None = None
) -> str:
    """What a demo account's read in a role comes to; raises NotDemo, and Refused."""
    async with services_of(settings) as services:
        token = None if role is Role.VISITOR else await demo_token(settings, role)
        viewer = await services.sessions.viewer(token, Visit(utc_now(), language="en"))
        try:
            found = services.engine.explain(
                Request(text, variables or {}), services.context(viewer)
            )
        except NotPlannable as reason:
            return f"Runs in the ordinary executor: {reason}."
        lines = list(_ways(found))
        if found.plan is not None:
            values, statement = found.values(), found.plan.statement
            lines += ["", "One statement:", "", statement.sql, "", "Bound:"]
            lines += [f"  {number}: {value}" for number, value in enumerate(values, 1)]
            lines += ["", "The database's plan:", *await explain(statement.sql, values)]
        return "\n".join(lines)


def _ways(found: Explanation) -> Iterator[str]:
    for way in found.ways:
        if reason := found.refusal(way):
            yield f"{way.key}: executed, for {reason}"
        else:
            assert way.value is not None
            yield f"{way.key}: planned"
            yield from tree(way.key, way.value, 1)

"""How a query is read: its statement and the database's own plan, or why it has none."""

from typing import Any

from core.clock import utc_now
from core.settings import Settings
from execution.engine import Request
from execution.problems import Refused
from execution.shape import NotPlannable
from models.reading import explain
from models.role import Role
from server.demo_tokens import demo_token
from server.services import services_of


async def explained(
    settings: Settings, role: Role, text: str, variables: dict[str, Any] | None = None
) -> str:
    """What a demo account's read in a role comes to; raises NotDemo, or the Problem of a value."""
    async with services_of(settings) as services:
        token = None if role is Role.VISITOR else await demo_token(settings, role)
        viewer = await services.sessions.viewer(
            token, role=None, now=utc_now(), address="", device="", language="en"
        )
        try:
            plan, asking = services.engine.plan(
                Request(text, variables or {}), services.context(viewer)
            )
        except NotPlannable as reason:
            return f"Runs in the ordinary executor: {reason}."
        except Refused as refused:
            return "\n".join(f"Refused: {error['message']}" for error in refused.errors)
        values = plan.values(asking)
        steps = await explain(plan.statement.sql, values)
        bound = [f"  {number}: {value}" for number, value in enumerate(values, 1)]
        return "\n".join(
            ["One statement.", "", plan.statement.sql, "", "Bound:", *bound, "", *steps]
        )

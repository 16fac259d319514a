"""The floor: bare ASGI on uvicorn, and the statement of each query with nothing around it.

No session, no limits, no checks, no engine: what is left for whoever answers by ASGI. Its
statements are those that the cabinet makes for the organisation's administrator.

python -m benchmarks.floor
"""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send

from auth.rights import Rights
from auth.viewer import Viewer, Visit
from benchmarks.contenders import FLOOR
from benchmarks.variants import run
from core.clock import utc_now
from core.settings import Settings
from execution.plans import Asking, Plan
from execution.requests import Request
from models.account import Account
from models.database import dialect, reader
from models.role import Role
from resolvers.sessions import open_session
from server.environment import settings
from server.services import services_of

_SECONDS = 10.0


class Floor(Starlette):
    """Answers the documents that it knows; any other with nothing."""

    statements: dict[str, tuple[Plan, Viewer]]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        content = json.loads((await receive())["body"])
        body = b'{"data":{}}'
        known = self.statements.get(content["query"])
        if known is not None:
            plan, viewer = known
            values = plan.values(Asking(viewer, content["variables"]))
            text = await reader().read_text(plan.statement.sql, values, _SECONDS)
            body = f'{{"data":{text}}}'.encode()
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def floor(found: Settings) -> Starlette:
    """The application over a filled database."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with services_of(found) as services:
            account = await Account.get(email__startswith="whole@")
            rights, now = Rights(Role.ADMIN), utc_now()
            person = Viewer(rights=rights, now=now, account_id=account.id)
            session = await open_session(
                person, gate=services.gate, account=account, role=Role.ADMIN
            )
            viewer = await services.sessions.viewer(session.access_token, Visit(now))
            app.statements = {  # type: ignore[attr-defined]
                text: (_plan(services.engine.documents, text, services.context(viewer)), viewer)
                for text in FLOOR.documents().values()
            }
            yield

    return Floor(lifespan=lifespan)


def _plan(documents: Any, text: str, context: Any) -> Plan:
    request = Request(text, {"id": str(context.viewer.account_id)} if "$id" in text else {})
    prepared = documents.prepare(request, context)
    variables = documents.variables(prepared, request, context)
    plan: Plan = prepared.plans.find(Asking(context.viewer, variables), dialect())
    return plan


def main() -> None:
    found = settings()
    run(floor(found), found)


if __name__ == "__main__":
    main()

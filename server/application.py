"""The ASGI application: its routes, and what lives while it runs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route, WebSocketRoute

from core.settings import Settings
from server import graphiql, graphql_http, websocket
from server.headers import SecurityHeaders
from server.services import services_of

PAGE = Path(__file__).parent.parent / "web" / "dist"


def application(settings: Settings) -> Starlette:
    """The application over these settings; the database must be migrated."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with services_of(settings) as services:
            app.state.services = services
            yield

    app = Starlette(
        lifespan=lifespan,
        middleware=[Middleware(SecurityHeaders, production=settings.production)],
        exception_handlers={
            HTTPException: graphql_http.refused,
            Exception: graphql_http.failed,
        },
        routes=[
            Route("/graphql", graphql_http.endpoint, methods=["GET", "POST"]),
            WebSocketRoute("/graphql", websocket.endpoint),
            Route("/health", _health),
            Route("/", _home),
            *graphiql.routes(PAGE),
        ],
    )
    app.state.sockets = websocket.Sockets()
    return app


async def _health(_request: Request) -> Response:
    return JSONResponse({"status": "ok"})


async def _home(_request: Request) -> Response:
    return RedirectResponse("/graphiql")

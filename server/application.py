"""The ASGI application: its routes, and what lives while it runs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import Receive, Scope, Send

from adapters.esia import open_esia
from adapters.signatures import open_verifier
from core.settings import Settings
from server import answers, graphiql, graphql_http, health, outbox_page, websocket
from server.background import working
from server.files import Files
from server.headers import SecurityHeaders
from server.services import services_of
from server.sockets import Sockets
from server.trusted_operations import trusted_of

PAGE = Path(__file__).parent.parent / "web" / "dist"


class Cabinet(Starlette):
    """Starlette's routes and middleware, but for GraphQL over HTTP, which stands before them."""

    endpoint: graphql_http.Endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"] == "/graphql":
            await self.endpoint(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def application(settings: Settings, *, works: bool = False) -> Starlette:
    """The application over these settings; the database must be migrated.

    ``works`` says that it sends messages and deletes what is over beside answering.

    Raises ListInvalid where the list of trusted operations cannot be used, AuthoritiesInvalid
    where the authorities of signatures cannot, and EsiaMisconfigured.
    """
    trusted = trusted_of(settings)
    signatures = open_verifier(settings.signatures)
    esia = open_esia(settings.esia) if settings.esia is not None else None
    # The page is there to try operations out, and none but those of the list would run.
    page = [Route("/", _home), *graphiql.routes(PAGE)] if trusted is None else []

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with services_of(settings, trusted, signatures, esia) as services:
            app.state.services = services
            async with working(services) if works else nullcontext():
                yield

    app = Cabinet(
        lifespan=lifespan,
        middleware=[Middleware(SecurityHeaders, production=settings.production)],
        exception_handlers={
            HTTPException: answers.refused,
            Exception: answers.failed,
        },
        routes=[
            WebSocketRoute("/graphql", websocket.endpoint),
            health.route(),
            *Files(settings.limits).routes(),
            *outbox_page.routes(settings),
            *page,
        ],
    )
    app.endpoint = graphql_http.Endpoint(app.state, settings)
    app.state.sockets = Sockets()
    return app


async def _home(_request: Request) -> Response:
    return RedirectResponse("/graphiql")

"""GraphQL over HTTP: one endpoint, strict about what it reads, plain about what it answers.

Follows the GraphQL-over-HTTP specification: a request that is not executed answers 400 without
``data`` under ``application/graphql-response+json``, and 200 under ``application/json`` when
the body itself was well formed.
"""

from collections.abc import Awaitable
from typing import NamedTuple

from starlette.datastructures import State
from starlette.types import Receive, Scope, Send

from auth.recognition import RoleNotHeld
from auth.sessions import SessionExpired
from auth.tokens import TokenInvalid
from auth.viewer import Viewer, Visit
from core.clock import utc_now
from core.errors import Unavailable
from core.settings import Settings
from core.translation import preferred
from execution.incidents import incident
from execution.problems import plain
from execution.requests import Answer
from execution.requests import Request as Operation
from schema.context import Context
from server import cookies
from server.answers import encoded, problem_of
from server.debugging import Debugging, debugging
from server.headers import headers_of
from server.requests import (
    JSON,
    RESPONSE,
    Headers,
    Malformed,
    accepted,
    bearer,
    body_of,
    by_name,
    check_media,
    decoded,
    operation_by_get,
    operation_of,
    text_of,
)
from server.services import Services

_VARY = b"Accept, Authorization, Cookie, X-Cabinet-Session, X-Cabinet-Role, Accept-Language"

# Headers beside the usual ones.
Extra = tuple[tuple[bytes, bytes], ...]


class Endpoint:
    """``POST /graphql`` and, for queries only, ``GET /graphql``.

    A plain ASGI application, in front of the routes and the middleware: what they do for every
    request costs as much as a small read itself. ``server.protocol`` asks it without ASGI.
    """

    path = b"/graphql"

    def __init__(self, state: State, settings: Settings) -> None:
        # Holds the services while the application runs.
        self._state = state
        self._limits = settings.limits
        self._headers = {
            media: (
                (b"content-type", f"{media}; charset=utf-8".encode()),
                (b"vary", _VARY),
                *(
                    (name.encode(), value.encode())
                    for name, value in headers_of(settings.production).items()
                ),
            )
            for media in (JSON, RESPONSE)
        }
        # As they are written.
        self.heads = {
            media: b"".join(b"%b: %b\r\n" % header for header in headers)
            for media, headers in self._headers.items()
        }

    @property
    def largest(self) -> int:
        """Bytes of a body."""
        return self._limits.body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        client = scope.get("client")
        address = client[0] if client else ""
        reply = await self._reply(scope, by_name(scope["headers"]), address, receive)
        length = (b"content-length", str(len(reply.body)).encode())
        headers = [*self._headers[reply.media], length, *reply.headers]
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": reply.body})

    async def _reply(
        self, scope: Scope, headers: Headers, address: str, receive: Receive
    ) -> "Reply":
        language, media = _language(headers), JSON
        try:
            if scope["method"] not in ("GET", "POST"):
                raise Malformed(405, "METHOD_NOT_ALLOWED")
            media = accepted(headers.get(b"accept", b""))
            if scope["method"] == "GET":
                operation = operation_by_get(scope["query_string"])
            else:
                limits = self._limits
                check_media(headers)
                body = await body_of(headers, receive, limits.body_bytes, limits.operation_seconds)
                operation = operation_of(decoded(body))
            read_only = scope["method"] == "GET"
            asked = _Asked(operation, headers, address, language, media, read_only)
            begun = self._begun(asked)
        except Exception as error:
            return _refusal(error, language, media)
        return begun if isinstance(begun, Reply) else await begun

    def post(self, headers: Headers, body: bytes, address: str) -> "Reply | Awaitable[Reply]":
        """The answer to a POST whose body is there, and no larger than it may be.

        At once, where nothing has to be waited for.
        """
        language, media = _language(headers), JSON
        try:
            media = accepted(headers.get(b"accept", b""))
            check_media(headers)
            operation = operation_of(decoded(body))
            return self._begun(_Asked(operation, headers, address, language, media))
        except Exception as error:
            return _refusal(error, language, media)

    def _begun(self, asked: "_Asked") -> "Reply | Awaitable[Reply]":
        services: Services = self._state.services
        headers = asked.headers
        token, kept = bearer(text_of(headers, b"authorization")), None
        if token is None:
            token, kept = cookies.carried(headers, services.settings.origins)
        visit = Visit(
            utc_now(),
            text_of(headers, b"x-cabinet-role"),
            asked.address,
            headers.get(b"user-agent", b"")[:200].decode("latin-1"),
            asked.language,
            kept,
        )
        viewer = services.sessions.known(token, visit)
        if viewer is None:
            return _recognised(services, asked, token, visit)
        return _executed(services, asked, viewer)


class _Asked(NamedTuple):
    """A request that could be read."""

    operation: Operation
    headers: Headers
    address: str
    language: str
    media: str
    read_only: bool = False


class Reply(NamedTuple):
    """What goes back: the body, and headers beside the usual ones."""

    status: int
    body: bytes
    media: str
    headers: Extra = ()


def _executed(services: Services, asked: _Asked, viewer: Viewer) -> Reply | Awaitable[Reply]:
    """The answer of the engine."""
    context = services.context(viewer)
    debug = debugging(asked.headers, services.engine, asked.operation, context)
    begun = services.engine.begin(asked.operation, context, read_only=asked.read_only)
    if isinstance(begun, Answer):
        return _told(begun, asked, viewer, context, debug)
    return _answered(begun, asked, viewer, context, debug)


async def _answered(
    begun: Awaitable[Answer],
    asked: _Asked,
    viewer: Viewer,
    context: Context,
    debug: Debugging | None,
) -> Reply:
    try:
        return _told(await begun, asked, viewer, context, debug)
    except Exception as error:
        return _refusal(error, asked.language, asked.media)


async def _recognised(services: Services, asked: _Asked, token: str | None, visit: Visit) -> Reply:
    """The answer to somebody of whom rows have to be read first."""
    try:
        begun = _executed(services, asked, await services.sessions.viewer(token, visit))
        return begun if isinstance(begun, Reply) else await begun
    except Exception as error:
        return _refusal(error, asked.language, asked.media)


def _told(
    found: Answer, asked: _Asked, viewer: Viewer, context: Context, debug: Debugging | None
) -> Reply:
    """An answer as it is written, to whoever asked as ``viewer``."""
    extra = debug.headers(found) if debug is not None else ()
    if viewer.cookies is not None:
        extra += cookies.kept_after(context.done, viewer)
    if found.text is not None:
        return Reply(200, found.text, asked.media, extra)
    body = encoded(found.body).encode()
    if not found.refused:
        return Reply(200, body, asked.media, extra)
    if any(error["extensions"]["code"] == "NEEDS_POST" for error in found.body["errors"]):
        return Reply(405, body, asked.media, ((b"allow", b"POST"),))
    return Reply(400 if asked.media == RESPONSE else 200, body, asked.media)


def _refusal(error: Exception, language: str, media: str) -> Reply:
    """The answer where nothing was executed."""
    extra: Extra = ()
    status = 500
    match error:
        case Malformed():
            status, told = error.status, error.told(language)
            extra = ((b"allow", b"GET, POST"),) if status == 405 else ()
        case TimeoutError():
            status, told = 408, plain(language, "BODY_TIMEOUT")
        case TokenInvalid() | SessionExpired():
            status, told = 401, problem_of(error, language)
            extra = ((b"www-authenticate", b'Bearer error="invalid_token"'),)
        case RoleNotHeld():
            status, told = 403, problem_of(error, language)
        case _:
            told = incident(error, language)
            if told["extensions"]["code"] == Unavailable.code:
                status = 503
    return Reply(status, encoded({"errors": [told]}).encode(), media, extra)


def _language(headers: Headers) -> str:
    return preferred(headers.get(b"accept-language", b"").decode("latin-1"))

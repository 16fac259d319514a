"""GraphQL over HTTP: one endpoint, strict about what it reads, plain about what it answers.

Follows the GraphQL-over-HTTP specification: a request that is not executed answers 400 without
``data`` under ``application/graphql-response+json``, and 200 under ``application/json`` when
the body itself was well formed.
"""

from typing import NamedTuple

from starlette.datastructures import State
from starlette.types import Receive, Scope, Send

from auth.sessions import RoleNotHeld, SessionExpired
from auth.tokens import TokenInvalid
from core.clock import utc_now
from core.errors import Unavailable
from core.settings import Settings
from core.translation import preferred
from execution.incidents import incident
from execution.problems import plain
from execution.requests import Request as Operation
from schema.context import Context
from server import cookies
from server.answers import encoded, problem_of
from server.debugging import debugging
from server.headers import headers_of
from server.requests import (
    JSON,
    RESPONSE,
    Headers,
    Malformed,
    accepted,
    bearer,
    body_of,
    check_media,
    decoded,
    operation_by_get,
    operation_of,
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
        reply = await self._reply(scope, dict(reversed(scope["headers"])), address, receive)
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
            return await self._executed(
                operation, headers, address, language, media, read_only=scope["method"] == "GET"
            )
        except Exception as error:
            return _refusal(error, language, media)

    async def post(self, headers: Headers, body: bytes, address: str) -> "Reply":
        """The answer to a POST whose body is there, and no larger than it may be."""
        language, media = _language(headers), JSON
        try:
            media = accepted(headers.get(b"accept", b""))
            check_media(headers)
            operation = operation_of(decoded(body))
            return await self._executed(operation, headers, address, language, media)
        except Exception as error:
            return _refusal(error, language, media)

    async def _executed(
        self,
        operation: Operation,
        headers: Headers,
        address: str,
        language: str,
        media: str,
        *,
        read_only: bool = False,
    ) -> "Reply":
        services: Services = self._state.services
        context = await _context(services, headers, address, language)
        asking = context.viewer
        engine = services.engine
        debug = debugging(headers, engine, operation, context)
        found = await engine.execute(operation, context, read_only=read_only)
        extra = debug.headers(found) if debug is not None else ()
        if asking.cookies is not None:
            extra += cookies.kept_after(context.done, asking)
        if found.text is not None:
            return Reply(200, found.text, media, extra)
        body = encoded(found.body).encode()
        if not found.refused:
            return Reply(200, body, media, extra)
        if any(error["extensions"]["code"] == "NEEDS_POST" for error in found.body["errors"]):
            return Reply(405, body, media, ((b"allow", b"POST"),))
        return Reply(400 if media == RESPONSE else 200, body, media)


class Reply(NamedTuple):
    """What goes back: the body, and headers beside the usual ones."""

    status: int
    body: bytes
    media: str
    headers: Extra = ()


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


async def _context(services: Services, headers: Headers, address: str, language: str) -> Context:
    token, kept = bearer(_text(headers, b"authorization")), None
    if token is None:
        token, kept = cookies.carried(headers, services.settings.origins)
    viewer = await services.sessions.viewer(
        token,
        role=_text(headers, b"x-cabinet-role"),
        now=utc_now(),
        address=address,
        device=headers.get(b"user-agent", b"")[:200].decode("latin-1"),
        language=language,
        cookies=kept,
    )
    return services.context(viewer)


def _language(headers: Headers) -> str:
    return preferred(headers.get(b"accept-language", b"").decode("latin-1"))


def _text(headers: Headers, name: bytes) -> str | None:
    value = headers.get(name)
    return None if value is None else value.decode("latin-1")

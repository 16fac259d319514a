"""GraphQL over HTTP: one endpoint, strict about what it reads, plain about what it answers.

Follows the GraphQL-over-HTTP specification: a request that is not executed answers 400 without
``data`` under ``application/graphql-response+json``, and 200 under ``application/json`` when
the body itself was well formed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

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
from schema.context import Context
from server.answers import encoded, problem_of
from server.debugging import debugging
from server.headers import headers_of
from server.requests import (
    JSON,
    RESPONSE,
    Malformed,
    accepted,
    bearer,
    operation_by_get,
    operation_by_post,
)
from server.services import Services


class Endpoint:
    """``POST /graphql`` and, for queries only, ``GET /graphql``.

    A plain ASGI application, in front of the routes and the middleware: what they do for every
    request costs as much as a small read itself.
    """

    def __init__(self, state: State, settings: Settings) -> None:
        # Holds the services while the application runs.
        self._state = state
        self._limits = settings.limits
        self._heads = {
            media: [
                (b"content-type", f"{media}; charset=utf-8".encode()),
                (b"vary", b"Accept, Authorization, X-Cabinet-Role, Accept-Language"),
                *(
                    (name.encode(), value.encode())
                    for name, value in headers_of(settings.production).items()
                ),
            ]
            for media in (JSON, RESPONSE)
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        reply = await self._reply(scope, receive)
        body = reply.body if isinstance(reply.body, bytes) else encoded(reply.body).encode()
        length = (b"content-length", str(len(body)).encode())
        headers = [*self._heads[reply.media], length, *reply.headers]
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def _reply(self, scope: Scope, receive: Receive) -> "Reply":
        headers = dict(reversed(scope["headers"]))
        language = preferred(_text(headers, b"accept-language") or "")
        method, media = scope["method"], JSON
        try:
            if method not in ("GET", "POST"):
                raise Malformed(405, "METHOD_NOT_ALLOWED")
            media = accepted(_text(headers, b"accept") or "*/*")
            if method == "GET":
                operation = operation_by_get(scope["query_string"])
            else:
                limits = self._limits
                operation = await operation_by_post(
                    headers, receive, limits.body_bytes, limits.operation_seconds
                )
            services: Services = self._state.services
            context = await _context(services, scope, headers, language)
            engine = services.engine
            debug = debugging(headers, engine, operation, context)
            found = await engine.execute(operation, context, read_only=method == "GET")
            extra = debug.headers(found) if debug is not None else ()
        except Malformed as error:
            allow = ((b"allow", b"GET, POST"),) if error.status == 405 else ()
            return Reply(error.status, {"errors": [error.told(language)]}, media, allow)
        except TimeoutError:
            return Reply(408, {"errors": [plain(language, "BODY_TIMEOUT")]}, media)
        except (TokenInvalid, SessionExpired) as error:
            challenge = (b"www-authenticate", b'Bearer error="invalid_token"')
            return Reply(401, {"errors": [problem_of(error, language)]}, media, (challenge,))
        except RoleNotHeld as error:
            return Reply(403, {"errors": [problem_of(error, language)]}, media)
        except Exception as error:
            told = incident(error, language)
            status = 503 if told["extensions"]["code"] == Unavailable.code else 500
            return Reply(status, {"errors": [told]}, media)
        if found.text is not None:
            return Reply(200, found.text, media, extra)
        if not found.refused:
            return Reply(200, found.body, media, extra)
        if any(error["extensions"]["code"] == "NEEDS_POST" for error in found.body["errors"]):
            return Reply(405, found.body, media, ((b"allow", b"POST"),))
        return Reply(400 if media == RESPONSE else 200, found.body, media)


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back: the body as bytes or as a mapping, and headers beside the usual ones."""

    status: int
    body: bytes | dict[str, Any]
    media: str
    headers: tuple[tuple[bytes, bytes], ...] = ()


async def _context(
    services: Services, scope: Scope, headers: Mapping[bytes, bytes], language: str
) -> Context:
    client = scope.get("client")
    viewer = await services.sessions.viewer(
        bearer(_text(headers, b"authorization")),
        role=_text(headers, b"x-cabinet-role"),
        now=utc_now(),
        address=client[0] if client else "",
        device=(_text(headers, b"user-agent") or "")[:200],
        language=language,
    )
    return services.context(viewer)


def _text(headers: Mapping[bytes, bytes], name: bytes) -> str | None:
    value = headers.get(name)
    return None if value is None else value.decode("latin-1")

"""GraphQL over HTTP: one endpoint, strict about what it reads, plain about what it answers.

Follows the GraphQL-over-HTTP specification: a request that is not executed answers 400 without
``data`` under ``application/graphql-response+json``, and 200 under ``application/json`` when
the body itself was well formed.
"""

import json
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from auth.sessions import RoleNotHeld, SessionExpired
from auth.tokens import TokenExpired, TokenInvalid
from core.clock import utc_now
from core.errors import Problem, Unavailable
from core.translation import message, preferred
from execution.engine import Request as Operation
from schema.context import Context
from server.services import Services

JSON = "application/json"
RESPONSE = "application/graphql-response+json"


class Malformed(Exception):
    """A request that cannot be read: its HTTP status, code and text."""

    def __init__(self, status: int, code: str, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.code = code


async def endpoint(request: Request) -> Response:
    """``POST /graphql`` and, for queries only, ``GET /graphql``."""
    services: Services = request.app.state.services
    try:
        media = accepted(request.headers.get("accept", "*/*"))
    except Malformed as error:
        return answer(error.status, {"errors": [_error(error.code, str(error))]}, JSON)
    try:
        operation = await _operation(request, services.settings.limits.body_bytes)
        context = await _context(request, services)
    except Malformed as error:
        return answer(error.status, {"errors": [_error(error.code, str(error))]}, media)
    except (TokenInvalid, TokenExpired) as error:
        return _unauthenticated(request, "UNAUTHENTICATED", media, error)
    except SessionExpired as error:
        return _unauthenticated(request, "SESSION_EXPIRED", media, error)
    except RoleNotHeld as error:
        return answer(403, {"errors": [_problem(request, error)]}, media)
    except Unavailable as error:
        return answer(503, {"errors": [_problem(request, error)]}, media)
    found = await services.engine.execute(operation, context, read_only=request.method == "GET")
    status = 200
    if found.refused:
        not_by_get = any(e["extensions"]["code"] == "NEEDS_POST" for e in found.body["errors"])
        status = 405 if not_by_get else 400 if media == RESPONSE else 200
    return answer(status, found.body, media)


def accepted(header: str) -> str:
    """The media type to answer in; raises Malformed where none of ours is accepted."""
    for part in header.split(","):
        media = part.split(";")[0].strip().lower()
        if media == RESPONSE:
            return RESPONSE
        if media in (JSON, "*/*", "application/*", ""):
            return JSON
    raise Malformed(406, "NOT_ACCEPTABLE", f"Only {RESPONSE} and {JSON} can be answered.")


async def _operation(request: Request, limit: int) -> Operation:
    if request.method == "GET":
        query = request.query_params
        try:
            variables = json.loads(query.get("variables") or "null")
        except ValueError:
            raise Malformed(400, "VARIABLES_INVALID", "The variables are not JSON.") from None
        return operation_of(
            {
                "query": query.get("query"),
                "variables": variables,
                "operationName": query.get("operationName"),
            }
        )
    media, _, parameters = request.headers.get("content-type", "").partition(";")
    charset = parameters.partition("charset=")[2].strip().strip('"').lower()
    if media.strip().lower() != JSON or charset not in ("", "utf-8"):
        raise Malformed(415, "MEDIA_TYPE", f"The body must be {JSON} in UTF-8.")
    return operation_of(decoded(await _body(request, limit)))


async def _body(request: Request, limit: int) -> bytes:
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > limit:
        raise Malformed(413, "TOO_LARGE", f"The body may have {limit} bytes.")
    parts, size = [], 0
    try:
        async for part in request.stream():
            size += len(part)
            if size > limit:
                raise Malformed(413, "TOO_LARGE", f"The body may have {limit} bytes.")
            parts.append(part)
    except ClientDisconnect:
        raise Malformed(400, "BODY_INVALID", "The body ended early.") from None
    return b"".join(parts)


def decoded(body: bytes) -> Any:
    """Strict JSON in UTF-8: no NUL, no lone surrogates, no huge numbers; raises Malformed."""
    try:
        text = body.decode("utf-8")
        content = json.loads(text, parse_constant=_refused, parse_int=_integer)
        _encodable(content)
    except (ValueError, RecursionError):
        raise Malformed(400, "BODY_INVALID", "The body is not a JSON object in UTF-8.") from None
    return content


def _refused(_constant: str) -> Any:
    raise ValueError


def _integer(digits: str) -> int:
    if len(digits) > 20:
        raise ValueError
    return int(digits)


def _encodable(content: Any) -> None:
    # Serialising again is the cheapest way to visit every string.
    text = json.dumps(content, ensure_ascii=False)
    text.encode("utf-8")
    if "\\u0000" in text:
        raise ValueError


def operation_of(content: Any) -> Operation:
    """The operation that a decoded body names; raises Malformed."""
    if not isinstance(content, dict):
        raise Malformed(400, "BODY_INVALID", "The body is not a JSON object in UTF-8.")
    text, variables = content.get("query"), content.get("variables")
    name, extensions = content.get("operationName"), content.get("extensions")
    if not isinstance(text, str) or not text:
        raise Malformed(400, "QUERY_MISSING", "The query must be a string.")
    if variables is not None and not isinstance(variables, dict):
        raise Malformed(400, "VARIABLES_INVALID", "The variables must be an object.")
    if name is not None and not isinstance(name, str):
        raise Malformed(400, "OPERATION_NAME_INVALID", "The operation name must be a string.")
    if extensions is not None and not isinstance(extensions, dict):
        raise Malformed(400, "EXTENSIONS_INVALID", "The extensions must be an object.")
    return Operation(text, variables or {}, name or None)


async def _context(request: Request, services: Services) -> Context:
    viewer = await services.sessions.viewer(
        bearer(request.headers.get("authorization")),
        role=request.headers.get("x-cabinet-role"),
        now=utc_now(),
        address=request.client.host if request.client else "",
        device=request.headers.get("user-agent", "")[:200],
        language=preferred(request.headers.get("accept-language", "")),
    )
    return services.context(viewer)


def bearer(header: str | None) -> str | None:
    """The token of an Authorization header; raises TokenInvalid where it is of another kind."""
    if header is None:
        return None
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise TokenInvalid
    return token.strip()


def _unauthenticated(request: Request, code: str, media: str, error: Exception) -> Response:
    language = preferred(request.headers.get("accept-language", ""))
    body = {"errors": [_error(code, message(language, code))]}
    response = answer(401, body, media)
    response.headers["www-authenticate"] = 'Bearer error="invalid_token"'
    return response


def _problem(request: Request, problem: Problem) -> dict[str, Any]:
    language = preferred(request.headers.get("accept-language", ""))
    return _error(problem.code, message(language, problem.code, **problem.values))


def _error(code: str, text: str) -> dict[str, Any]:
    return {"message": text, "extensions": {"code": code}}


def encoded(body: dict[str, Any]) -> str:
    """The one canonical JSON form of an answer."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def answer(status: int, body: dict[str, Any], media: str) -> Response:
    return Response(
        encoded(body),
        status,
        headers={
            "content-type": f"{media}; charset=utf-8",
            "cache-control": "no-store",
            "vary": "Accept, Authorization, X-Cabinet-Role, Accept-Language",
            "x-content-type-options": "nosniff",
        },
    )

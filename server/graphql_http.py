"""GraphQL over HTTP: one endpoint, strict about what it reads, plain about what it answers.

Follows the GraphQL-over-HTTP specification: a request that is not executed answers 400 without
``data`` under ``application/graphql-response+json``, and 200 under ``application/json`` when
the body itself was well formed.
"""

import asyncio
import json
import math
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from auth.sessions import RoleNotHeld, SessionExpired
from auth.tokens import TokenInvalid
from core.clock import utc_now
from core.errors import Problem, Unavailable
from core.translation import preferred
from execution.engine import Request as Operation
from execution.incidents import incident
from execution.problems import plain
from schema.context import Context
from server.headers import HEADERS
from server.services import Services

JSON = "application/json"
RESPONSE = "application/graphql-response+json"


class Malformed(Exception):
    """A request that cannot be read: its HTTP status, its code, and values for the text."""

    def __init__(self, status: int, code: str, **values: object) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.values = values


async def endpoint(request: Request) -> Response:
    """``POST /graphql`` and, for queries only, ``GET /graphql``."""
    if request.method not in ("GET", "POST"):
        # Starlette lets HEAD in with GET; a query has no headers worth asking for alone.
        raise HTTPException(405, headers={"Allow": "GET, POST"})
    services: Services = request.app.state.services
    language = _language(request)
    media = JSON
    try:
        media = accepted(request.headers.get("accept", "*/*"))
        limits = services.settings.limits
        async with asyncio.timeout(limits.operation_seconds):
            operation = await _operation(request, limits.body_bytes)
        context = await _context(request, services)
    except Malformed as error:
        told = plain(language, error.code, **error.values)
        return answer(error.status, {"errors": [told]}, media)
    except TimeoutError:
        return answer(408, {"errors": [plain(language, "BODY_TIMEOUT")]}, media)
    except (TokenInvalid, SessionExpired) as error:
        return _unauthenticated(error, media, language)
    except RoleNotHeld as error:
        return answer(403, {"errors": [_problem(error, language)]}, media)
    except Exception as error:
        told = incident(error, language)
        status = 503 if told["extensions"]["code"] == Unavailable.code else 500
        return answer(status, {"errors": [told]}, media)
    found = await services.engine.execute(operation, context, read_only=request.method == "GET")
    status, headers = 200, {}
    if found.refused:
        not_by_get = any(e["extensions"]["code"] == "NEEDS_POST" for e in found.body["errors"])
        headers = {"allow": "POST"} if not_by_get else {}
        status = 405 if not_by_get else 400 if media == RESPONSE else 200
    return answer(status, found.body if found.text is None else found.text, media, headers)


async def refused(request: Request, error: Exception) -> Response:
    """The answer of every path to what routing refuses: no such path, no such method."""
    assert isinstance(error, HTTPException)
    code = {404: "NOT_FOUND", 405: "METHOD_NOT_ALLOWED"}.get(error.status_code, "REFUSED")
    body = {"errors": [plain(_language(request), code)]}
    return answer(error.status_code, body, JSON, dict(error.headers or {}))


async def failed(request: Request, error: Exception) -> Response:
    """The answer of every path to a bug: the number of the incident and nothing else."""
    # Starlette answers this outside of all middleware.
    return answer(500, {"errors": [incident(error, _language(request))]}, JSON, HEADERS)


def _language(request: Request) -> str:
    return preferred(request.headers.get("accept-language", ""))


def accepted(header: str) -> str:
    """The media type to answer in: the one liked best; raises Malformed where none is ours."""
    best, quality = "", 0.0
    for part in header.split(","):
        media, _, parameters = part.partition(";")
        found = _OFFERED.get(media.strip().lower())
        weight = _weight(parameters)
        if found is not None and weight > quality:
            best, quality = found, weight
    if not best:
        raise Malformed(406, "NOT_ACCEPTABLE")
    return best


_OFFERED = {RESPONSE: RESPONSE, JSON: JSON, "*/*": JSON, "application/*": JSON, "": JSON}


def _weight(parameters: str) -> float:
    """The ``q`` of an accepted media type (RFC 9110, 12.4.2)."""
    for parameter in parameters.split(";"):
        name, _, value = parameter.strip().partition("=")
        if name.lower() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


async def _operation(request: Request, limit: int) -> Operation:
    if request.method == "GET":
        query = request.query_params
        return operation_of(
            {
                "query": query.get("query"),
                "variables": _parameter(query.get("variables"), "VARIABLES_INVALID"),
                "operationName": query.get("operationName"),
                "extensions": _parameter(query.get("extensions"), "EXTENSIONS_INVALID"),
            }
        )
    media, _, parameters = request.headers.get("content-type", "").partition(";")
    charset = parameters.lower().partition("charset=")[2].strip().strip('"')
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if media.strip().lower() != JSON or charset not in ("", "utf-8") or encoding != "identity":
        raise Malformed(415, "MEDIA_TYPE")
    return operation_of(decoded(await _body(request, limit)))


async def _body(request: Request, limit: int) -> bytes:
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > limit:
        raise Malformed(413, "TOO_LARGE", limit=limit)
    parts, size = [], 0
    try:
        async for part in request.stream():
            size += len(part)
            if size > limit:
                raise Malformed(413, "TOO_LARGE", limit=limit)
            parts.append(part)
    except ClientDisconnect:
        raise Malformed(400, "BODY_INVALID") from None
    return b"".join(parts)


def _parameter(text: str | None, code: str) -> Any:
    """A parameter of the query string that holds JSON."""
    if not text:
        return None
    try:
        return decoded(text.encode("utf-8"))
    except (Malformed, UnicodeEncodeError):
        raise Malformed(400, code) from None


def decoded(body: bytes) -> Any:
    """Strict JSON in UTF-8: no NUL, no lone surrogates, no name twice, no huge numbers.

    Raises Malformed.
    """
    try:
        text = body.decode("utf-8")
        content = json.loads(
            text,
            parse_constant=_refused,
            parse_int=_integer,
            parse_float=_finite,
            object_pairs_hook=_named_once,
        )
        # Other ways to write them have been refused by now: the decoder is strict.
        if "\\u" in text:
            _check_texts(content)
    except (ValueError, RecursionError):
        raise Malformed(400, "BODY_INVALID") from None
    return content


def _refused(_constant: str) -> Any:
    raise ValueError


def _integer(digits: str) -> int:
    if len(digits) > 20:
        raise ValueError
    return int(digits)


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError
    return number


def _named_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # Of two values under one name, a proxy may have checked the other.
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError
    return found


def _check_texts(content: Any) -> None:
    """Raises ValueError where a text holds NUL or half of a surrogate pair."""
    todo = [content]
    while todo:
        value = todo.pop()
        if isinstance(value, str):
            value.encode("utf-8")
            if "\0" in value:
                raise ValueError
        elif isinstance(value, dict):
            todo += value.keys()
            todo += value.values()
        elif isinstance(value, list):
            todo += value


def operation_of(content: Any) -> Operation:
    """The operation that a decoded body names; raises Malformed."""
    if not isinstance(content, dict):
        raise Malformed(400, "BODY_INVALID")
    text, variables = content.get("query"), content.get("variables")
    name, extensions = content.get("operationName"), content.get("extensions")
    if not isinstance(text, str) or not text:
        raise Malformed(400, "QUERY_MISSING")
    if variables is not None and not isinstance(variables, dict):
        raise Malformed(400, "VARIABLES_INVALID")
    if name is not None and not isinstance(name, str):
        raise Malformed(400, "OPERATION_NAME_INVALID")
    if extensions is not None and not isinstance(extensions, dict):
        raise Malformed(400, "EXTENSIONS_INVALID")
    return Operation(text, variables or {}, name or None)


async def _context(request: Request, services: Services) -> Context:
    viewer = await services.sessions.viewer(
        bearer(request.headers.get("authorization")),
        role=request.headers.get("x-cabinet-role"),
        now=utc_now(),
        address=request.client.host if request.client else "",
        device=request.headers.get("user-agent", "")[:200],
        language=_language(request),
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


def _unauthenticated(problem: Problem, media: str, language: str) -> Response:
    challenge = {"www-authenticate": 'Bearer error="invalid_token"'}
    return answer(401, {"errors": [_problem(problem, language)]}, media, challenge)


def _problem(problem: Problem, language: str) -> dict[str, Any]:
    told = plain(language, problem.code, **problem.values)
    if held := problem.values.get("held"):
        # Which roles to go on in: the session's own may have been revoked.
        told["extensions"]["availableIn"] = [role.value for role in held]  # type: ignore[attr-defined]
    return told


def encoded(body: dict[str, Any]) -> str:
    """The one canonical JSON form of an answer."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def answer(
    status: int, body: dict[str, Any] | bytes, media: str, headers: dict[str, str] | None = None
) -> Response:
    return Response(
        body if isinstance(body, bytes) else encoded(body),
        status,
        headers={
            **(headers or {}),
            "content-type": f"{media}; charset=utf-8",
            "vary": "Accept, Authorization, X-Cabinet-Role, Accept-Language",
        },
    )

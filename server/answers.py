"""Answers that no operation gave: errors of a request, and their one JSON form."""

import json
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from core.errors import Problem
from core.translation import preferred
from execution.incidents import incident
from execution.problems import plain
from server.headers import HEADERS
from server.requests import JSON


def encoded(body: dict[str, Any]) -> str:
    """The one canonical JSON form of an answer."""
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def problem_of(problem: Problem, language: str) -> dict[str, Any]:
    told = plain(language, problem.code, **problem.values)
    if held := problem.values.get("held"):
        # Which roles to go on in: the session's own may have been revoked.
        told["extensions"]["availableIn"] = [role.value for role in held]  # type: ignore[attr-defined]
    return told


async def refused(request: Request, error: Exception) -> Response:
    """The answer of every path to what routing refuses: no such path, no such method."""
    assert isinstance(error, HTTPException)
    code = {404: "NOT_FOUND", 405: "METHOD_NOT_ALLOWED"}.get(error.status_code, "REFUSED")
    body = {"errors": [plain(_language(request), code)]}
    return _answer(error.status_code, body, dict(error.headers or {}))


async def failed(request: Request, error: Exception) -> Response:
    """The answer of every path to a bug: the number of the incident and nothing else."""
    # Starlette answers this outside of all middleware.
    return _answer(500, {"errors": [incident(error, _language(request))]}, HEADERS)


def _language(request: Request) -> str:
    return preferred(request.headers.get("accept-language", ""))


def _answer(status: int, body: dict[str, Any], headers: dict[str, str]) -> Response:
    media = f"{JSON}; charset=utf-8"
    return Response(encoded(body), status, headers={**headers, "content-type": media})

"""The debug header: tells the roles that may know which way each root field of an answer went."""

import logging
from collections.abc import Mapping

from graphql import GraphQLError

from core.errors import Problem
from execution.engine import Engine
from execution.explaining import in_a_header, shortened
from execution.limits import TooCostly
from execution.problems import Refused
from execution.requests import Answer, Request
from execution.shape import NotPlannable
from schema.context import Context
from schema.headers import DEBUG, HEADERS

_log = logging.getLogger(__name__)
_NAME = DEBUG.lower().encode()


class Debugging:
    """What is told of one request: made before it is executed, asked afterwards."""

    def __init__(self, engine: Engine, request: Request, context: Context) -> None:
        self._engine = engine
        self._request = request
        # A mutation may go on as another viewer.
        self._context = Context(context.viewer, context.services)
        try:
            self._was_kept = engine.keeps_plan(request, context)
        except (Refused, TooCostly, Problem, GraphQLError):
            self._was_kept = False

    def headers(self, answer: Answer) -> tuple[tuple[bytes, bytes], ...]:
        """The header of an answer; none where the request was refused."""
        try:
            found = self._engine.explain(self._request, self._context)
        except NotPlannable as reason:
            told = shortened(f"executed: all ({reason})")
        except Refused:
            return ()
        except Exception:
            # Whatever it is, it has been told of the answer, or did not matter to it.
            _log.exception("an answer could not be explained")
            return ()
        else:
            is_planned = answer.text is not None
            told = in_a_header(found, was_kept=self._was_kept, is_planned=is_planned)
        return ((_NAME, told),)


def debugging(
    headers: Mapping[bytes, bytes], engine: Engine, request: Request, context: Context
) -> Debugging | None:
    """Where the request asks for it and the viewer's role may know; else nothing is done."""
    if headers.get(_NAME) != b"1" or not HEADERS[DEBUG].allows(context.viewer.role):
        return None
    return Debugging(engine, request, context)

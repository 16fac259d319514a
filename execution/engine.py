"""The engine: an operation in a role's view, read by its plan or executed by strawberry."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, aclosing, nullcontext
from typing import Any

from graphql import ExecutionResult, GraphQLError, OperationType, execute, subscribe

from core.errors import Problem
from core.settings import Limits
from execution.documents import Documents
from execution.explaining import Explanation, explanation
from execution.incidents import incident
from execution.persisted import Automatic, Operations
from execution.plans import Asking
from execution.prepared import Prepared
from execution.problems import Refused, in_order, of_execution, plain
from execution.requests import Answer, Request
from execution.shape import NotPlannable
from models.database import dialect
from models.role import Role
from models.snapshot import snapshot
from schema.build import Schema
from schema.context import Context


class Engine:
    """Executes operations, each in the view of its viewer's role.

    ``planned`` is False where every read shall run in the reference executor; the roles of
    ``closed_to`` may not introspect their view; ``operations`` are those that clients may name
    instead of sending them, at first none.
    """

    def __init__(
        self,
        schema: Schema,
        limits: Limits,
        *,
        planned: bool = True,
        closed_to: frozenset[Role] = frozenset(),
        operations: Operations | None = None,
    ) -> None:
        self._planned = planned
        self._limits = limits
        self.documents = Documents(
            schema, limits, closed_to=closed_to, operations=operations or Automatic()
        )

    async def execute(
        self, request: Request, context: Context, *, read_only: bool = False
    ) -> Answer:
        """The answer to a query or mutation. ``read_only`` refuses all but queries."""
        language = context.viewer.language
        try:
            return await self._execute(request, context, read_only)
        except Refused as refused:
            return Answer({"errors": refused.errors}, refused=True)
        except TimeoutError:
            return Answer({"data": None, "errors": [plain(language, "TIMEOUT")]})
        except Exception as error:
            return Answer({"data": None, "errors": [incident(error, language)]})

    async def _execute(self, request: Request, context: Context, read_only: bool) -> Answer:
        prepared = self.documents.prepare(request, context)
        kind = prepared.operation.operation
        if kind is OperationType.SUBSCRIPTION:
            raise Refused([plain(context.viewer.language, "NEEDS_WEBSOCKET")])
        if read_only and kind is not OperationType.QUERY:
            raise Refused([plain(context.viewer.language, "NEEDS_POST")])
        variables = self.documents.variables(prepared, request, context)
        self.documents.check_proofs(prepared, variables, context)
        if self._planned and kind is OperationType.QUERY:
            asking = Asking(context.viewer, variables)
            text = await self._read(prepared, asking, context)
            if text is not None:
                return Answer(text=text)
        else:
            asking = None
            self.documents.check_inputs(prepared, variables, context)
        # What a viewer may see is decided when the request comes in, even if it switches role.
        limited = prepared.inputs.running(variables).withheld
        seconds = self._limits.operation_seconds
        async with asyncio.timeout(seconds), self._reading(kind):
            mixed = asking and await prepared.mixtures.read(asking, dialect(), seconds)
            result = await _awaited(
                execute(
                    prepared.view.schema,
                    mixed[0].others if mixed else prepared.document,
                    context_value=context,
                    variable_values=request.variables,
                    operation_name=request.operation_name,
                    hide_suggestions=True,
                )
            )
        body = self._body(result, context, limited)
        if mixed:
            mixture, texts = mixed
            return Answer(text=mixture.answer(texts, result.data, body.get("errors")))
        return Answer(body)

    @staticmethod
    def _reading(kind: OperationType) -> AbstractAsyncContextManager[None]:
        """A query of several statements reads one state; a mutation reads what it has written."""
        return snapshot() if kind is OperationType.QUERY else nullcontext()

    async def _read(self, prepared: Prepared, asking: Asking, context: Context) -> bytes | None:
        """The answer by a plan; None where the reference executor must answer.

        Raises Refused where an input is wrong: a plan that reads them all finds that by itself,
        once a request of its shape was found right.
        """
        found, text = dialect(), None
        try:
            plan = prepared.plans.find(asking, found)
            if not plan.tells_wrong:
                self.documents.check_inputs(prepared, asking.variables, context)
                # A value used at several places may be read at one, and be wrong at another.
                running = prepared.inputs.running(asking.variables)
                plan.tells_wrong = plan.covers and running.once_each
            text = await prepared.plans.answer(plan, asking, found, self._limits.operation_seconds)
        except (NotPlannable, Problem, GraphQLError):
            self.documents.check_inputs(prepared, asking.variables, context)
        return text

    def explain(self, request: Request, context: Context) -> Explanation:
        """Which way each root field of a query goes; raises Refused or NotPlannable."""
        prepared = self.documents.prepare(request, context)
        kind = prepared.operation.operation
        if kind is not OperationType.QUERY:
            raise NotPlannable(f"a {kind.value} is not planned")
        variables = self.documents.variables(prepared, request, context)
        self.documents.check_proofs(prepared, variables, context)
        self.documents.check_inputs(prepared, variables, context)
        asking = Asking(context.viewer, variables)
        return explanation(prepared.plans, prepared.mixtures, asking, dialect())

    def keeps_plan(self, request: Request, context: Context) -> bool:
        """Whether a plan for the request is kept already; raises Refused."""
        if not self.documents.keeps(request, context):
            return False
        prepared = self.documents.prepare(request, context)
        asking = Asking(context.viewer, self.documents.variables(prepared, request, context))
        return any(kept.keeps(asking, dialect()) for kept in (prepared.plans, prepared.mixtures))

    def is_subscription(self, request: Request, context: Context) -> bool:
        """Whether the operation is one; raises Refused."""
        return (
            self.documents.prepare(request, context).operation.operation
            is OperationType.SUBSCRIPTION
        )

    async def subscribe(
        self, request: Request, context: Context
    ) -> AsyncGenerator[dict[str, Any], None]:
        """The bodies of a subscription's events; raises Refused before the first."""
        prepared = self.documents.prepare(request, context)
        variables = self.documents.variables(prepared, request, context)
        self.documents.check_proofs(prepared, variables, context)
        self.documents.check_inputs(prepared, variables, context)
        limited = prepared.inputs.running(variables).withheld
        stream = await _awaited(
            subscribe(
                prepared.view.schema,
                prepared.document,
                context_value=context,
                variable_values=request.variables,
                operation_name=request.operation_name,
                hide_suggestions=True,
            )
        )
        if isinstance(stream, ExecutionResult):
            raise Refused([of_execution(e, context.viewer.language) for e in stream.errors or ()])
        return self._events(stream, context, limited)

    async def _events(
        self, stream: Any, context: Context, limited: list[str]
    ) -> AsyncGenerator[dict[str, Any], None]:
        # Whoever stops listening must not leave a subscription to the feed behind.
        async with aclosing(stream) as results:
            async for result in results:
                yield self._body(result, context, limited)

    def _body(
        self, result: ExecutionResult, context: Context, limited: list[str]
    ) -> dict[str, Any]:
        body: dict[str, Any] = {"data": result.data}
        if result.errors:
            errors = in_order(result)[: self._limits.errors]
            body["errors"] = [of_execution(error, context.viewer.language) for error in errors]
        if limited:
            body["extensions"] = {"withheld": limited}
        return body


async def _awaited(result: Any) -> Any:
    return await result if hasattr(result, "__await__") else result

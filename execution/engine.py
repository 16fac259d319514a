"""The engine: an operation in a role's view, read by its plan or executed by strawberry."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable
from contextlib import AbstractAsyncContextManager, aclosing, nullcontext
from typing import Any

from graphql import ExecutionResult, GraphQLError, OperationType, execute, subscribe

from core.errors import Problem
from core.settings import Limits
from execution.documents import Documents
from execution.explaining import Explanation, explanation
from execution.incidents import incident
from execution.persisted import Automatic, Operations
from execution.plans import Asking, Plan, Ready
from execution.prepared import Prepared
from execution.problems import Refused, in_order, of_execution, plain
from execution.requests import Answer, Request
from execution.shape import NotPlannable
from models.database import NotAtOnce, dialect
from models.reading import reads_at_once
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
        begun = self.begin(request, context, read_only=read_only)
        return begun if isinstance(begun, Answer) else await begun

    def begin(
        self, request: Request, context: Context, *, read_only: bool = False
    ) -> Answer | Awaitable[Answer]:
        """The same, at once where nothing has to be waited for."""
        ready = None
        try:
            prepared = self._prepared(request, context, read_only)
            asking = Asking(context.viewer, self.documents.variables(prepared, request, context))
            self.documents.check_proofs(prepared, asking.variables, context)
            if self._is_planned(prepared):
                ready = self._ready(prepared, asking, context)
            else:
                self.documents.check_inputs(prepared, asking.variables, context)
            if ready is not None and reads_at_once(ready.dialect):
                text = prepared.plans.told_at_once(ready)
                if text is not None:
                    return Answer(text=ready.plan.response(text))
                ready = None
        except NotAtOnce:
            pass
        except Exception as error:
            return self._failed(error, context)
        return self._finished(prepared, ready, asking, request, context)

    async def _finished(
        self,
        prepared: Prepared,
        ready: Ready[Plan] | None,
        asking: Asking,
        request: Request,
        context: Context,
    ) -> Answer:
        try:
            if ready is not None:
                text = await prepared.plans.told(ready, self._limits.operation_seconds)
                if text is not None:
                    return Answer(text=ready.plan.response(text))
            return await self._executed(prepared, asking, request, context)
        except Exception as error:
            return self._failed(error, context)

    @staticmethod
    def _failed(error: Exception, context: Context) -> Answer:
        """The answer where an operation was refused, or could not be brought to its end."""
        language = context.viewer.language
        if isinstance(error, Refused):
            return Answer({"errors": error.errors}, refused=True)
        if isinstance(error, TimeoutError):
            return Answer({"data": None, "errors": [plain(language, "TIMEOUT")]})
        return Answer({"data": None, "errors": [incident(error, language)]})

    def _prepared(self, request: Request, context: Context, read_only: bool) -> Prepared:
        prepared = self.documents.prepare(request, context)
        kind = prepared.operation.operation
        if kind is OperationType.SUBSCRIPTION:
            raise Refused([plain(context.viewer.language, "NEEDS_WEBSOCKET")])
        if read_only and kind is not OperationType.QUERY:
            raise Refused([plain(context.viewer.language, "NEEDS_POST")])
        return prepared

    def _is_planned(self, prepared: Prepared) -> bool:
        return self._planned and prepared.operation.operation is OperationType.QUERY

    async def _executed(
        self, prepared: Prepared, asking: Asking, request: Request, context: Context
    ) -> Answer:
        """The answer by strawberry, but for what of a query a statement tells."""
        kind = prepared.operation.operation
        # What a viewer may see is decided when the request comes in, even if it switches role.
        limited = prepared.inputs.running(asking.variables).withheld
        seconds, mixed = self._limits.operation_seconds, None
        async with asyncio.timeout(seconds), self._reading(kind):
            if self._is_planned(prepared):
                mixed = await prepared.mixtures.read(asking, dialect(), seconds)
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

    def _ready(self, prepared: Prepared, asking: Asking, context: Context) -> Ready[Plan] | None:
        """The plan to read by; None where the reference executor must answer.

        Raises Refused where an input is wrong: a plan that reads them all finds that by itself,
        once a request of its shape was found right.
        """
        try:
            ready = prepared.plans.ready(asking, dialect())
        except (NotPlannable, Problem, GraphQLError):
            self.documents.check_inputs(prepared, asking.variables, context)
            return None
        if not ready.plan.tells_wrong:
            self.documents.check_inputs(prepared, asking.variables, context)
            # A value used at several places may be read at one, and be wrong at another.
            running = prepared.inputs.running(asking.variables)
            ready.plan.tells_wrong = ready.plan.covers and running.once_each
        return ready

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

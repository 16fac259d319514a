"""The engine: an operation in a role's view, prepared once and executed by strawberry."""

import asyncio
import json
import logging
from collections import OrderedDict
from collections.abc import AsyncGenerator, Mapping
from contextlib import AbstractAsyncContextManager, aclosing, nullcontext
from dataclasses import dataclass, field
from types import EllipsisType
from typing import Any, cast

from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    GraphQLSyntaxError,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    OperationType,
    execute,
    get_operation_ast,
    parse,
    specified_rules,
    subscribe,
    validate,
)
from graphql.execution.values import get_variable_values

from core.errors import Problem
from core.settings import Limits
from core.translation import message
from execution.denials import with_available
from execution.explaining import Explanation, explanation
from execution.if_visible import Varying, uses_if_visible, varying, without_invisible
from execution.incidents import incident
from execution.inputs import Inputs
from execution.limits import (
    TextInvalid,
    TooCostly,
    check_limits,
    check_shape,
    check_variables,
    conditions,
    costing,
)
from execution.mixing import Mixtures
from execution.persisted import Automatic, Named, Operations
from execution.places import Places
from execution.plans import Asking, Plans
from execution.problems import Refused, in_order, of_document, of_execution, of_input, plain
from execution.shape import NotPlannable
from execution.values import wrong_values
from execution.variables import Plain, coerced_at_once, plain_variables
from execution.withheld import withheld
from models.database import dialect
from models.role import Role
from models.snapshot import snapshot
from schema.build import Schema
from schema.context import Context
from schema.roles import RoleView

# Characters of a document: reading them takes its time even where they are one token.
_LONGEST = 64 * 1024
# Characters of all the documents that are kept. A parsed one takes some hundred times as much.
_KEPT = 400_000
# Sets of page sizes remembered for a document; what of a size matters to its cost.
_SIZES = 200
_SIZE = (int, EllipsisType)
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Request:
    """What a client sent: a document, which of its operations, and values.

    The text may be empty where the document is ``named``.
    """

    text: str
    variables: dict[str, Any] = field(default_factory=dict)
    operation_name: str | None = None
    named: Named | None = None


@dataclass(slots=True)
class Answer:
    """A response, and whether the request itself was refused before anything ran.

    A planned read answers with ``text``, its bytes; everything else with a mapping.
    """

    _body: dict[str, Any] | None = None
    refused: bool = False
    text: bytes | None = None

    @property
    def body(self) -> dict[str, Any]:
        if self._body is None:
            self._body = json.loads(self.text or b"")
        return self._body


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document that is valid in a role's view, and the operation chosen from it."""

    text: str
    view: RoleView
    document: DocumentNode
    operation: OperationDefinitionNode
    plans: Plans
    mixtures: Mixtures
    inputs: Inputs
    plain: Plain | None
    # The variables that decide the cost: sizes of pages, and those in filters.
    costing: tuple[tuple[str, ...], tuple[str, ...]]
    # What of the document values decide, where they do.
    varying: Varying | None
    # What of their values kept within the limits.
    measured: set[tuple[Any, ...]] = field(default_factory=set)


class Engine:
    """Executes operations, each in the view of its viewer's role.

    ``planned`` is False where every read shall run in the reference executor; ``operations`` are
    those that clients may name instead of sending them, at first none.
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
        # The roles that may not introspect their view.
        self._closed_to = closed_to
        self._schema = schema
        self._limits = limits
        self._operations = operations or Automatic()
        self._prepared: OrderedDict[tuple[Any, ...], Prepared] = OrderedDict()
        self._varying: dict[tuple[Any, ...], Varying] = {}
        self._kept = 0

    def prepare(self, request: Request, context: Context) -> Prepared:
        """Parses, limits and validates, or recalls; raises Refused."""
        found = self._prepared_of(self.whole(request, context), context)
        if request.named is not None and request.text:
            self._operations.learn(request.named, found.text, context.viewer)
        return found

    def whole(self, request: Request, context: Context) -> Request:
        """The request with its text, where it only named it; raises Refused."""
        if request.named is None and not self._operations.closed:
            return request
        text = self._operations.text(request.text, request.named, context.viewer)
        return Request(text, request.variables, request.operation_name, request.named)

    def _prepared_of(self, request: Request, context: Context) -> Prepared:
        try:
            return self._recalled(request, context)
        except TooCostly as error:
            told = plain(context.viewer.language, error.code, limit=error.limit)
            raise Refused([told]) from None
        except RecursionError:
            raise Refused([plain(context.viewer.language, "TOO_DEEP")]) from None

    def _recalled(self, request: Request, context: Context) -> Prepared:
        key = self._key(request, context)
        found = self._prepared.get(key)
        if found is None:
            found = self._prepare(request, context)
            self._keep(key[:3], found, request)
        else:
            self._prepared.move_to_end(key)
            self._check_again(found, request)
        return found

    def _key(self, request: Request, context: Context) -> tuple[Any, ...]:
        """What a prepared document is kept by: where values hide parts of it, these too."""
        key = (context.viewer.role, request.operation_name, request.text)
        depends = self._varying.get(key)
        if depends is None:
            return key
        check_variables(request.variables)
        return (*key, depends.hidden(request.variables))

    def _check_again(self, prepared: Prepared, request: Request) -> None:
        """The limits, for what can change from one request of a document to the next."""
        in_pages, in_filters = prepared.costing
        if prepared.plain is not None and not in_pages:
            # Values that no variable takes are not looked at, and plain ones are bounded.
            return
        given = request.variables
        sizes = tuple(
            # Whatever else is given counts as the largest page.
            size if (size := given.get(name, ...)) is None or isinstance(size, _SIZE) else ""
            for name in in_pages
        )
        check_variables(given)
        # One that is left out has the value that the document gives it.
        held = tuple(
            (name in given, isinstance(given.get(name), dict), conditions(given.get(name)))
            for name in in_filters
        )
        if (sizes, held) in prepared.measured:
            return
        self._check_limits(prepared.document, prepared.operation, request)
        if len(prepared.measured) > _SIZES:
            prepared.measured.clear()
        prepared.measured.add((sizes, held))

    def _keep(self, key: tuple[Any, ...], prepared: Prepared, request: Request) -> None:
        if prepared.varying is not None:
            self._varying[key] = prepared.varying
            key = (*key, prepared.varying.hidden(request.variables))
        if (replaced := self._prepared.pop(key, None)) is not None:
            self._kept -= len(replaced.text)
        self._prepared[key] = prepared
        self._kept += len(prepared.text)
        while self._kept > _KEPT:
            forgotten, oldest = self._prepared.popitem(last=False)
            self._varying.pop(forgotten[:3], None)
            self._kept -= len(oldest.text)

    def _prepare(self, request: Request, context: Context) -> Prepared:
        viewer = context.viewer
        view, language = self._schema.views[viewer.role], viewer.language
        if len(request.text) > _LONGEST:
            raise TooCostly("DOCUMENT_TOO_LONG", _LONGEST)
        try:
            document = parse(request.text, max_tokens=self._limits.tokens, no_location=False)
        except GraphQLSyntaxError as error:
            raise Refused([of_document(error, "GRAPHQL_PARSE_FAILED")]) from None
        operation = get_operation_ast(document, request.operation_name)
        if operation is None:
            raise Refused([plain(language, "OPERATION_UNKNOWN")])
        self._check_limits(document, operation, request)
        try:
            check_shape(document)
        except TextInvalid as error:
            refused = GraphQLError(message(language, "TEXT_INVALID"), error.node)
            places = Places(document, operation)
            raise Refused([of_document(refused, "BAD_USER_INPUT", places)]) from None
        original, depends = document, None
        if uses_if_visible(request.text):
            depends = varying(view.schema, document)
            document = without_invisible(view.schema, document, request.variables)
            operation = cast(
                "OperationDefinitionNode", get_operation_ast(document, request.operation_name)
            )
        rules = list(specified_rules)
        if viewer.role in self._closed_to:
            rules.append(NoSchemaIntrospectionCustomRule)
        errors = validate(
            view.schema, document, rules, max_errors=self._limits.errors, hide_suggestions=True
        )
        if errors:
            whole, places = self._schema.whole._schema, Places(document, operation)
            errors = with_available(errors, original, whole, self._held(context))
            raise Refused([of_document(e, "GRAPHQL_VALIDATION_FAILED", places) for e in errors])
        return Prepared(
            request.text,
            view,
            document,
            operation,
            Plans(view, document, operation),
            Mixtures(view, document, operation),
            Inputs(view, document, operation),
            plain_variables(operation),
            costing(original),
            depends,
        )

    def _held(self, context: Context) -> list[RoleView]:
        """The views of the roles that the viewer holds beside the active one."""
        viewer = context.viewer
        return [self._schema.views[role] for role in viewer.held if role is not viewer.role]

    def _check_limits(
        self, document: DocumentNode, operation: OperationDefinitionNode, request: Request
    ) -> None:
        check_variables(request.variables)
        check_limits(document, operation, request.variables, self._limits)

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
        prepared = self.prepare(request, context)
        kind = prepared.operation.operation
        if kind is OperationType.SUBSCRIPTION:
            raise Refused([plain(context.viewer.language, "NEEDS_WEBSOCKET")])
        if read_only and kind is not OperationType.QUERY:
            raise Refused([plain(context.viewer.language, "NEEDS_POST")])
        variables = self._variables(prepared, request, context)
        if self._planned and kind is OperationType.QUERY:
            asking = Asking(context.viewer, variables)
            text = await self._read(prepared, asking, context)
            if text is not None:
                return Answer(text=text)
        else:
            asking = None
            self._check_inputs(prepared, variables, context)
        # What a viewer may see is decided when the request comes in, even if it switches role.
        limited = withheld(prepared.view, prepared.document, prepared.operation, variables)
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

        Raises Refused where an input is wrong: a plan that reads them all finds that by itself.
        """
        found, text = dialect(), None
        try:
            plan = prepared.plans.find(asking, found)
            if not (plan.covers and prepared.inputs.fixed_hold):
                self._check_inputs(prepared, asking.variables, context)
            text = await prepared.plans.answer(plan, asking, found, self._limits.operation_seconds)
        except (NotPlannable, Problem, GraphQLError):
            self._check_inputs(prepared, asking.variables, context)
        except (TimeoutError, Refused):
            raise
        except Exception:
            _log.exception("a planned read failed")
        return text

    def explain(self, request: Request, context: Context) -> Explanation:
        """Which way each root field of a query goes; raises Refused or NotPlannable."""
        prepared = self.prepare(request, context)
        kind = prepared.operation.operation
        if kind is not OperationType.QUERY:
            raise NotPlannable(f"a {kind.value} is not planned")
        variables = self._variables(prepared, request, context)
        self._check_inputs(prepared, variables, context)
        asking = Asking(context.viewer, variables)
        return explanation(prepared.plans, prepared.mixtures, asking, dialect())

    def keeps_plan(self, request: Request, context: Context) -> bool:
        """Whether a plan for the request is kept already; raises Refused."""
        if self._key(self.whole(request, context), context) not in self._prepared:
            return False
        prepared = self.prepare(request, context)
        asking = Asking(context.viewer, self._variables(prepared, request, context))
        return any(kept.keeps(asking, dialect()) for kept in (prepared.plans, prepared.mixtures))

    def is_subscription(self, request: Request, context: Context) -> bool:
        """Whether the operation is one; raises Refused."""
        return self.prepare(request, context).operation.operation is OperationType.SUBSCRIPTION

    async def subscribe(
        self, request: Request, context: Context
    ) -> AsyncGenerator[dict[str, Any], None]:
        """The bodies of a subscription's events; raises Refused before the first."""
        prepared = self.prepare(request, context)
        variables = self._variables(prepared, request, context)
        self._check_inputs(prepared, variables, context)
        limited = withheld(prepared.view, prepared.document, prepared.operation, variables)
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

    def _variables(self, prepared: Prepared, request: Request, context: Context) -> dict[str, Any]:
        view, operation, given = prepared.view, prepared.operation, request.variables
        if prepared.plain is not None:
            at_once = coerced_at_once(prepared.plain, given)
            if at_once is not None:
                return at_once
        found = get_variable_values(
            view.schema,
            operation.variable_definitions or (),
            given,
            max_errors=self._limits.errors,
            hide_suggestions=True,
        )
        if isinstance(found, list):
            document, held = prepared.document, self._held(context)
            raise Refused(wrong_values(found, view, document, operation, given, held))
        coerced: dict[str, Any] = found.coerced
        return coerced

    def _check_inputs(
        self, prepared: Prepared, variables: Mapping[str, Any], context: Context
    ) -> None:
        """Refuses wrong cursors, sizes, ids and filters, wherever in the operation they are."""
        viewer = context.viewer
        wrong = list(prepared.inputs.wrong(variables, viewer))
        if wrong:
            places = Places(prepared.document, prepared.operation)
            told = [of_input(node, error, viewer.language, places) for node, error in wrong]
            raise Refused(told[: self._limits.errors])

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

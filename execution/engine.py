"""The engine: an operation in a role's view, prepared once and executed by strawberry."""

import asyncio
import json
import logging
import re
from collections import OrderedDict
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field
from types import EllipsisType
from typing import Any, cast

from graphql import (
    ArgumentNode,
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    GraphQLSyntaxError,
    ListValueNode,
    Node,
    NoSchemaIntrospectionCustomRule,
    ObjectValueNode,
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
from graphql.language import Visitor, visit

from core.errors import Problem
from core.settings import Limits
from core.translation import message
from execution.denials import with_available
from execution.if_visible import uses_if_visible, without_invisible
from execution.incidents import incident
from execution.limits import (
    TextInvalid,
    TooCostly,
    check_limits,
    check_shape,
    check_variables,
    sizing,
)
from execution.planning import NotPlannable
from execution.plans import Asking, Plan, Plans
from execution.variables import Plain, coerced_at_once, plain_variables
from execution.withheld import withheld
from models.database import dialect
from models.role import Role
from schema.build import Schema
from schema.context import Context
from schema.roles import RoleView

# Characters of a document: reading them takes its time even where they are one token.
_LONGEST = 64 * 1024
# Characters of all the documents that are kept. A parsed one takes some hundred times as much.
_KEPT = 400_000
_LONGEST_MESSAGE = 300
# Sets of page sizes remembered for a document; what of a size matters to its cost.
_SIZES = 200
_SIZE = (int, EllipsisType)
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Request:
    """What a client sent: a document, which of its operations, and values."""

    text: str
    variables: dict[str, Any] = field(default_factory=dict)
    operation_name: str | None = None


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


class Refused(Exception):
    """A request that is not executed: its errors, ready to be sent."""

    def __init__(self, errors: list[dict[str, Any]]) -> None:
        super().__init__(errors)
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document that is valid in a role's view, and the operation chosen from it."""

    text: str
    view: RoleView
    document: DocumentNode
    operation: OperationDefinitionNode
    plans: Plans
    plain: Plain | None
    # The sizes of pages, by the variables that hold them, that kept within the limits.
    sizing: tuple[str, ...]
    measured: set[tuple[Any, ...]] = field(default_factory=set)


class Engine:
    """Executes operations, each in the view of its viewer's role.

    ``planned`` is False where every read shall run in the reference executor.
    """

    def __init__(
        self,
        schema: Schema,
        limits: Limits,
        *,
        planned: bool = True,
        closed_to: frozenset[Role] = frozenset(),
    ) -> None:
        self._planned = planned
        # The roles that may not introspect their view.
        self._closed_to = closed_to
        self._schema = schema
        self._limits = limits
        self._prepared: OrderedDict[tuple[Any, ...], Prepared] = OrderedDict()
        self._kept = 0

    def prepare(self, request: Request, context: Context) -> Prepared:
        """Parses, limits and validates, or recalls; raises Refused."""
        viewer = context.viewer
        key = (viewer.role, request.operation_name, request.text)
        found = self._prepared.get(key)
        if found is None:
            found = self._prepare(request, context)
            self._keep(key, found)
        else:
            self._prepared.move_to_end(key)
            self._check_again(found, request)
        return found

    def _check_again(self, prepared: Prepared, request: Request) -> None:
        """The limits, for what can change from one request of a document to the next."""
        if prepared.plain is not None and not prepared.sizing:
            # Values that no variable takes are not looked at, and plain ones are bounded.
            return
        given = request.variables
        sizes = tuple(
            # Whatever else is given counts as the largest page.
            size if (size := given.get(name, ...)) is None or isinstance(size, _SIZE) else ""
            for name in prepared.sizing
        )
        if sizes in prepared.measured:
            self._check_variables(request)
            return
        self._check_limits(prepared.document, prepared.operation, request)
        if len(prepared.measured) > _SIZES:
            prepared.measured.clear()
        prepared.measured.add(sizes)

    def _check_variables(self, request: Request) -> None:
        try:
            check_variables(request.variables)
        except TooCostly as error:
            raise Refused([_plain(error.code, str(error))]) from None

    def _keep(self, key: tuple[Any, ...], prepared: Prepared) -> None:
        self._prepared[key] = prepared
        self._kept += len(prepared.text)
        while self._kept > _KEPT:
            _, oldest = self._prepared.popitem(last=False)
            self._kept -= len(oldest.text)

    def _prepare(self, request: Request, context: Context) -> Prepared:
        viewer = context.viewer
        view = self._schema.views[viewer.role]
        if len(request.text) > _LONGEST:
            text = f"The document may have {_LONGEST} characters."
            raise Refused([_plain("DOCUMENT_TOO_LONG", text)])
        try:
            document = parse(request.text, max_tokens=self._limits.tokens, no_location=False)
        except GraphQLSyntaxError as error:
            raise Refused([_formatted(error, "GRAPHQL_PARSE_FAILED")]) from None
        except RecursionError:
            raise Refused([_plain("TOO_DEEP", "The document is nested too deeply.")]) from None
        operation = get_operation_ast(document, request.operation_name)
        if operation is None:
            raise Refused(
                [_plain("OPERATION_UNKNOWN", "Name one operation of the document to execute.")]
            )
        self._check_limits(document, operation, request)
        try:
            check_shape(document)
        except TooCostly as error:
            raise Refused([_plain(error.code, str(error))]) from None
        except TextInvalid as error:
            refused = GraphQLError(str(error), error.node)
            raise Refused([_of_literal(refused, "BAD_USER_INPUT", document)]) from None
        original = document
        if uses_if_visible(request.text):
            document = without_invisible(view.schema, document)
            operation = cast(
                "OperationDefinitionNode", get_operation_ast(document, request.operation_name)
            )
        rules = list(specified_rules)
        if viewer.role in self._closed_to:
            rules.append(NoSchemaIntrospectionCustomRule)
        try:
            errors = validate(
                view.schema,
                document,
                rules,
                max_errors=self._limits.errors,
                hide_suggestions=True,
            )
        except RecursionError:
            raise Refused([_plain("TOO_DEEP", "The document is nested too deeply.")]) from None
        if errors:
            held = [self._schema.views[role] for role in viewer.held if role is not viewer.role]
            errors = with_available(errors, original, self._schema.whole._schema, held)
            raise Refused(
                [_of_literal(error, "GRAPHQL_VALIDATION_FAILED", original) for error in errors]
            )
        plans = Plans(view, document, operation)
        plain = plain_variables(operation)
        return Prepared(request.text, view, document, operation, plans, plain, sizing(original))

    def _check_limits(
        self, document: DocumentNode, operation: OperationDefinitionNode, request: Request
    ) -> None:
        try:
            check_variables(request.variables)
            check_limits(document, operation, request.variables, self._limits)
        except TooCostly as error:
            raise Refused([_plain(error.code, str(error))]) from None

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
            return Answer(
                {"data": None, "errors": [_plain("TIMEOUT", message(language, "TIMEOUT"))]}
            )
        except Exception as error:
            return Answer({"data": None, "errors": [incident(error, language)]})

    async def _execute(self, request: Request, context: Context, read_only: bool) -> Answer:
        prepared = self.prepare(request, context)
        kind = prepared.operation.operation
        if kind is OperationType.SUBSCRIPTION:
            raise Refused([_plain("NEEDS_WEBSOCKET", "Subscriptions run over a websocket.")])
        if read_only and kind is not OperationType.QUERY:
            raise Refused([_plain("NEEDS_POST", "Only queries may be sent by GET.")])
        variables = self._variables(prepared, request)
        if self._planned and kind is OperationType.QUERY:
            text = await self._read(prepared, Asking(context.viewer, variables))
            if text is not None:
                return Answer(text=text)
        # What a viewer may see is decided when the request comes in, even if it switches role.
        limited = withheld(prepared.view, prepared.document, prepared.operation, variables)
        async with asyncio.timeout(self._limits.operation_seconds):
            result = await _awaited(
                execute(
                    prepared.view.schema,
                    prepared.document,
                    context_value=context,
                    variable_values=request.variables,
                    operation_name=request.operation_name,
                    hide_suggestions=True,
                )
            )
        return Answer(self._body(result, context, limited))

    async def _read(self, prepared: Prepared, asking: Asking) -> bytes | None:
        """The answer by a plan; None where the reference executor must answer, errors too."""
        try:
            async with asyncio.timeout(self._limits.operation_seconds):
                return await prepared.plans.answer(asking, dialect())
        except (NotPlannable, Problem):
            return None
        except TimeoutError:
            raise
        except Exception:
            _log.exception("a planned read failed")
            return None

    def plan(self, request: Request, context: Context) -> tuple[Plan, Asking]:
        """The plan of a read, for this request; raises Refused, NotPlannable or a Problem."""
        prepared = self.prepare(request, context)
        kind = prepared.operation.operation
        if kind is not OperationType.QUERY:
            raise NotPlannable(f"a {kind.value} is not planned")
        asking = Asking(context.viewer, self._variables(prepared, request))
        return prepared.plans.find(asking, dialect()), asking

    def is_subscription(self, request: Request, context: Context) -> bool:
        """Whether the operation is one; raises Refused."""
        return self.prepare(request, context).operation.operation is OperationType.SUBSCRIPTION

    async def subscribe(
        self, request: Request, context: Context
    ) -> AsyncGenerator[dict[str, Any], None]:
        """The bodies of a subscription's events; raises Refused before the first."""
        prepared = self.prepare(request, context)
        variables = self._variables(prepared, request)
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
            raise Refused([_formatted_bug(e, context) for e in stream.errors or ()])
        return self._events(stream, context, limited)

    async def _events(
        self, stream: Any, context: Context, limited: list[str]
    ) -> AsyncGenerator[dict[str, Any], None]:
        # Whoever stops listening must not leave a subscription to the feed behind.
        async with aclosing(stream) as results:
            async for result in results:
                yield self._body(result, context, limited)

    def _variables(self, prepared: Prepared, request: Request) -> dict[str, Any]:
        if prepared.plain is not None:
            at_once = coerced_at_once(prepared.plain, request.variables)
            if at_once is not None:
                return at_once
        definitions = prepared.operation.variable_definitions or ()
        found = get_variable_values(
            prepared.view.schema,
            definitions,
            request.variables,
            max_errors=self._limits.errors,
            hide_suggestions=True,
        )
        if isinstance(found, list):
            raise Refused([_of_variable(error) for error in found])
        coerced: dict[str, Any] = found.coerced
        return coerced

    def _body(
        self, result: ExecutionResult, context: Context, limited: list[str]
    ) -> dict[str, Any]:
        body: dict[str, Any] = {"data": result.data}
        if result.errors:
            errors = result.errors[: self._limits.errors]
            body["errors"] = [_formatted_bug(error, context) for error in errors]
        if limited:
            body["extensions"] = {"withheld": limited}
        return body


async def _awaited(result: Any) -> Any:
    return await result if hasattr(result, "__await__") else result


def _plain(code: str, text: str) -> dict[str, Any]:
    return {"message": text, "extensions": {"code": code}}


def _formatted(error: GraphQLError, code: str) -> dict[str, Any]:
    formatted: dict[str, Any] = dict(error.formatted)
    # Messages repeat what was sent, and that may be long.
    if len(error.message) > _LONGEST_MESSAGE:
        formatted["message"] = f"{error.message[:_LONGEST_MESSAGE]}…"
    formatted["extensions"] = {"code": code, **(error.extensions or {})}
    return formatted


def _of_variable(error: GraphQLError) -> dict[str, Any]:
    """An error about a variable, with the path of the wrong value in it."""
    formatted = _formatted(error, "BAD_USER_INPUT")
    names = [node.variable.name.value for node in error.nodes or () if hasattr(node, "variable")]
    if names:
        inner = re.match(r"Variable '\$\w+' has invalid value at (\.[\w.\[\]]+):", error.message)
        formatted["extensions"]["field"] = names[0] + (inner[1] if inner else "")
    return formatted


def _of_literal(error: GraphQLError, code: str, document: DocumentNode) -> dict[str, Any]:
    """An error about a document, with the path of the argument that it is about, if any."""
    formatted = _formatted(error, code)
    fields = dict(_argument_paths(document))
    for node in error.nodes or ():
        if id(node) in fields:
            formatted["extensions"]["field"] = fields[id(node)]
            break
    return formatted


def _argument_paths(document: DocumentNode) -> list[tuple[int, str]]:
    found: list[tuple[int, str]] = []

    class Naming(Visitor):
        def enter_argument(self, node: ArgumentNode, *_: Any) -> None:
            found.append((id(node), node.name.value))
            found.extend(_value_paths(node.value, node.name.value))

    visit(document, Naming())
    return found


def _value_paths(value: Node, path: str) -> Iterator[tuple[int, str]]:
    yield id(value), path
    if isinstance(value, ListValueNode):
        for index, item in enumerate(value.values):
            yield from _value_paths(item, f"{path}[{index}]")
    elif isinstance(value, ObjectValueNode):
        for field_node in value.fields:
            inner = f"{path}.{field_node.name.value}"
            yield id(field_node), inner
            yield from _value_paths(field_node.value, inner)


def _formatted_bug(error: GraphQLError, context: Context) -> dict[str, Any]:
    """An error of execution: a problem with its code, or a bug with nothing but its incident."""
    original = error.original_error
    language = context.viewer.language
    where = {"path": error.path} if error.path is not None else {}
    if isinstance(original, Problem):
        text = message(language, original.code, **original.values)
        extensions = {"code": original.code}
        if original.field:
            extensions["field"] = original.field
        return {"message": text, **where, "extensions": extensions}
    blamed = original if isinstance(original, GraphQLError) else error if original is None else None
    # An error that points into the document is the client's; one about a result is a bug.
    if blamed is not None and blamed.nodes:
        return _formatted(error, "BAD_USER_INPUT")
    shown = incident(original or error, language)
    return {"message": shown["message"], **where, "extensions": shown["extensions"]}

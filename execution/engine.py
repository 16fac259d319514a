"""The engine: an operation in a role's view, prepared once and executed by strawberry."""

import asyncio
import logging
import secrets
from collections import OrderedDict
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, cast

from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    GraphQLSyntaxError,
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
from execution.if_visible import uses_if_visible, without_invisible
from execution.limits import TooCostly, check_limits
from execution.withheld import withheld
from schema.build import Schema
from schema.context import Context
from schema.roles import RoleView

_log = logging.getLogger(__name__)
_KEPT = 1_000


@dataclass(frozen=True, slots=True)
class Request:
    """What a client sent: a document, which of its operations, and values."""

    text: str
    variables: dict[str, Any] = field(default_factory=dict)
    operation_name: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A response, and whether the request itself was refused before anything ran."""

    body: dict[str, Any]
    refused: bool = False


class Refused(Exception):
    """A request that is not executed: its errors, ready to be sent."""

    def __init__(self, errors: list[dict[str, Any]]) -> None:
        super().__init__(errors)
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document that is valid in a role's view, and the operation chosen from it."""

    view: RoleView
    document: DocumentNode
    operation: OperationDefinitionNode


class Engine:
    """Executes operations, each in the view of its viewer's role."""

    def __init__(self, schema: Schema, limits: Limits) -> None:
        self._schema = schema
        self._limits = limits
        self._prepared: OrderedDict[tuple[Any, ...], Prepared] = OrderedDict()

    def prepare(self, request: Request, context: Context) -> Prepared:
        """Parses, limits and validates, or recalls; raises Refused."""
        viewer = context.viewer
        key = (viewer.role, request.operation_name, request.text)
        found = self._prepared.get(key)
        if found is None:
            found = self._prepare(request, context)
            self._prepared[key] = found
            if len(self._prepared) > _KEPT:
                self._prepared.popitem(last=False)
        else:
            self._prepared.move_to_end(key)
            self._check_limits(found.document, found.operation, request)
        return found

    def _prepare(self, request: Request, context: Context) -> Prepared:
        viewer = context.viewer
        view = self._schema.views[viewer.role]
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
        original = document
        if uses_if_visible(request.text):
            document = without_invisible(view.schema, document)
            operation = cast(
                "OperationDefinitionNode", get_operation_ast(document, request.operation_name)
            )
        try:
            errors = validate(
                view.schema,
                document,
                specified_rules,
                max_errors=self._limits.errors,
                hide_suggestions=True,
            )
        except RecursionError:
            raise Refused([_plain("TOO_DEEP", "The document is nested too deeply.")]) from None
        if errors:
            held = [self._schema.views[role] for role in viewer.held if role is not viewer.role]
            errors = with_available(errors, original, self._schema.whole._schema, held)
            raise Refused([_formatted(error, "GRAPHQL_VALIDATION_FAILED") for error in errors])
        return Prepared(view, document, operation)

    def _check_limits(
        self, document: DocumentNode, operation: OperationDefinitionNode, request: Request
    ) -> None:
        try:
            check_limits(document, operation, request.variables, self._limits)
        except TooCostly as error:
            raise Refused([_plain(error.code, str(error))]) from None

    async def execute(
        self, request: Request, context: Context, *, read_only: bool = False
    ) -> Answer:
        """The answer to a query or mutation. ``read_only`` refuses all but queries."""
        try:
            prepared = self.prepare(request, context)
            kind = prepared.operation.operation
            if kind is OperationType.SUBSCRIPTION:
                raise Refused([_plain("NEEDS_WEBSOCKET", "Subscriptions run over a websocket.")])
            if read_only and kind is not OperationType.QUERY:
                raise Refused([_plain("NEEDS_POST", "Only queries may be sent by GET.")])
            variables = self._variables(prepared, request)
        except Refused as refused:
            return Answer({"errors": refused.errors}, refused=True)
        # What a viewer may see is decided when the request comes in, even if it switches role.
        limited = withheld(prepared.view, prepared.document, prepared.operation, variables)
        try:
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
        except TimeoutError:
            return Answer(
                {"data": None, "errors": [_plain("TIMEOUT", "The operation took too long.")]}
            )
        return Answer(self._body(result, context, limited))

    def is_subscription(self, request: Request, context: Context) -> bool:
        """Whether the operation is one; raises Refused."""
        return self.prepare(request, context).operation.operation is OperationType.SUBSCRIPTION

    async def subscribe(self, request: Request, context: Context) -> AsyncIterator[dict[str, Any]]:
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
    ) -> AsyncIterator[dict[str, Any]]:
        async for result in stream:
            yield self._body(result, context, limited)

    def _variables(self, prepared: Prepared, request: Request) -> dict[str, Any]:
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
    formatted["extensions"] = {"code": code, **(error.extensions or {})}
    return formatted


def _of_variable(error: GraphQLError) -> dict[str, Any]:
    formatted = _formatted(error, "BAD_USER_INPUT")
    names = [node.variable.name.value for node in error.nodes or () if hasattr(node, "variable")]
    if names:
        formatted["extensions"]["field"] = names[0]
    return formatted


def _formatted_bug(error: GraphQLError, context: Context) -> dict[str, Any]:
    """An error of execution: a problem with its code, or a bug with nothing but its incident."""
    original = error.original_error
    where = {"path": error.path} if error.path is not None else {}
    if isinstance(original, Problem):
        text = message(context.viewer.language, original.code, **original.values)
        extensions = {"code": original.code}
        if original.field:
            extensions["field"] = original.field
        return {"message": text, **where, "extensions": extensions}
    if original is None or isinstance(original, GraphQLError):
        return _formatted(error, "BAD_USER_INPUT")
    incident = secrets.token_hex(6)
    _log.error("incident %s", incident, exc_info=original)
    text = message(context.viewer.language, "INTERNAL", incident=incident)
    return {"message": text, **where, "extensions": {"code": "INTERNAL", "incident": incident}}

"""The documents: each parsed, limited and validated once for each role that sends it, and kept."""

from collections.abc import Mapping
from itertools import islice
from typing import Any, cast

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSyntaxError,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    get_operation_ast,
    parse,
    validate,
)
from graphql.execution.values import get_variable_values

from core.settings import Limits
from core.translation import message
from execution.denials import with_available
from execution.if_visible import uses_if_visible, varying, without_invisible
from execution.inputs import Inputs
from execution.limits import (
    TextInvalid,
    TooCostly,
    check_limits,
    check_shape,
    check_variables,
    costing,
)
from execution.mixing import Mixtures
from execution.persisted import Operations
from execution.places import Places
from execution.plans import Plans
from execution.prepared import Kept, Prepared
from execution.problems import (
    Refused,
    ValueWrong,
    of_document,
    of_input,
    of_literal,
    of_proof,
    plain,
)
from execution.proofs import missing
from execution.requests import Request
from execution.values import RULES, null_conditions, wrong_variables
from execution.variables import coerced_at_once, nullable_conditions, plain_variables
from models.role import Role
from schema.build import Schema
from schema.context import Context
from schema.roles import RoleView

# Characters of a document: reading them takes its time even where they are one token.
_LONGEST = 64 * 1024
# Characters of the documents that are kept for a role. A parsed one takes some hundred times as
# much.
_OF_ROLE = 100_000
_OF_VISITORS = 50_000


class Documents:
    """What was prepared for an engine, bounded.

    ``closed_to`` are the roles that may not introspect their view; ``operations`` are those that
    clients may name instead of sending them.
    """

    def __init__(
        self,
        schema: Schema,
        limits: Limits,
        *,
        closed_to: frozenset[Role],
        operations: Operations,
    ) -> None:
        self._schema = schema
        self._limits = limits
        self._closed_to = closed_to
        self._operations = operations
        self.kept = {
            role: Kept(_OF_VISITORS if role is Role.VISITOR else _OF_ROLE) for role in Role
        }

    def prepare(self, request: Request, context: Context) -> Prepared:
        """Parses, limits and validates, or recalls; raises Refused."""
        if request.named is None and not self._operations.closed:
            known = self.kept[context.viewer.role].settled(request)
            if known is not None:
                return known
        found = self._prepared_of(self.whole(request, context), context)
        if request.named is not None and request.text:
            self._operations.learn(request.named, found.text, context.viewer)
        return found

    def keeps(self, request: Request, context: Context) -> bool:
        """Whether the document was prepared before; raises Refused."""
        whole = self.whole(request, context)
        return self.kept[context.viewer.role].get(whole) is not None

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
            raise _too_costly(error, context) from None
        except RecursionError:
            raise Refused([plain(context.viewer.language, "TOO_DEEP")]) from None

    def _recalled(self, request: Request, context: Context) -> Prepared:
        kept = self.kept[context.viewer.role]
        found = kept.get(request)
        if found is None:
            found = self._prepare(request, context)
            found.measure(request.variables)
            kept.put(request, found)
        elif not found.is_settled:
            check_variables(request.variables)
            # The limits, for what can change from one request of a document to the next.
            if not found.is_measured(request.variables):
                self._check_limits(found.document, found.operation, request)
                found.measure(request.variables)
        return found

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
            depends = varying(view.schema, document, operation)
            document = without_invisible(view.schema, document, operation, request.variables)
            operation = cast(
                "OperationDefinitionNode", get_operation_ast(document, request.operation_name)
            )
        rules = list(RULES)
        if viewer.role in self._closed_to:
            rules.append(NoSchemaIntrospectionCustomRule)
        errors = validate(
            view.schema, document, rules, max_errors=self._limits.errors, hide_suggestions=True
        )
        if errors:
            whole, places = self._schema.whole._schema, Places(document, operation)
            errors = with_available(errors, original, whole, self._held(context))
            raise Refused([_invalid(error, language, places) for error in errors])
        return Prepared(
            request.text,
            view,
            document,
            operation,
            Plans(view, document, operation),
            Mixtures(view, document, operation),
            Inputs(view, document, operation),
            plain_variables(operation),
            nullable_conditions(document, operation),
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

    def variables(self, prepared: Prepared, request: Request, context: Context) -> dict[str, Any]:
        """The coerced values of the variables; raises Refused."""
        view, operation, given = prepared.view, prepared.operation, request.variables
        at_once = None if prepared.plain is None else coerced_at_once(prepared.plain, given)
        if prepared.is_settled and (at_once is None or len(at_once) < len(given)):
            # More than plain values of what is declared: nobody has looked at it yet.
            try:
                check_variables(given)
            except TooCostly as error:
                raise _too_costly(error, context) from None
        if at_once is not None:
            return at_once
        found = get_variable_values(
            view.schema,
            operation.variable_definitions or (),
            given,
            # Which are wrong, and where, is told in words of ours.
            max_errors=1,
            hide_suggestions=True,
        )
        if isinstance(found, list):
            wrong = wrong_variables(
                view,
                prepared.document,
                operation,
                given,
                self._held(context),
                context.viewer.language,
            )
            told = list(islice(wrong, self._limits.errors))
            raise Refused(told or [plain(context.viewer.language, "BAD_USER_INPUT")])
        coerced: dict[str, Any] = found.coerced
        null = [name for name in prepared.conditions if coerced[name] is None]
        if null:
            language = context.viewer.language
            told = list(null_conditions(prepared.document, operation, null, language))
            raise Refused(told[: self._limits.errors])
        return coerced

    def check_proofs(
        self, prepared: Prepared, variables: Mapping[str, Any], context: Context
    ) -> None:
        """Refuses what needs a proof that the viewer has not shown."""
        needs = prepared.inputs.running(variables).needs
        if not needs:
            return
        viewer = context.viewer
        lacking = list(missing(prepared.view, needs, viewer, variables))
        if lacking:
            told = [of_proof(need, problem, viewer.language) for need, problem in lacking]
            raise Refused(told[: self._limits.errors])

    def check_inputs(
        self, prepared: Prepared, variables: Mapping[str, Any], context: Context
    ) -> None:
        """Refuses wrong cursors, sizes, ids and filters, wherever in the operation they are."""
        viewer = context.viewer
        wrong = list(prepared.inputs.running(variables).wrong(variables, viewer))
        if wrong:
            places = Places(prepared.document, prepared.operation)
            told = [of_input(node, error, viewer.language, places) for node, error in wrong]
            raise Refused(told[: self._limits.errors])


def _too_costly(error: TooCostly, context: Context) -> Refused:
    return Refused([plain(context.viewer.language, error.code, limit=error.limit)])


def _invalid(error: GraphQLError, language: str, places: Places) -> dict[str, Any]:
    """What is told of an error of validation."""
    if isinstance(error, ValueWrong):
        return of_literal(error, "GRAPHQL_VALIDATION_FAILED", language, places)
    return of_document(error, "GRAPHQL_VALIDATION_FAILED", places)

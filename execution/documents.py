"""The documents: each parsed, limited and validated once for each role that sends it, and kept."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import EllipsisType
from typing import Any, cast

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSyntaxError,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    get_operation_ast,
    parse,
    specified_rules,
    validate,
)
from graphql.execution.values import get_variable_values

from core.settings import Limits
from core.translation import message
from execution.denials import with_available
from execution.if_visible import Varying, uses_if_visible, varying, without_invisible
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
from execution.persisted import Operations
from execution.places import Places
from execution.plans import Plans
from execution.problems import Refused, of_document, of_input, of_proof, plain
from execution.proofs import missing
from execution.requests import Request
from execution.values import wrong_values
from execution.variables import Plain, coerced_at_once, plain_variables
from models.role import Role
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
    # Whether no value can take it over a limit: those that no variable takes are not looked at,
    # and plain ones are bounded.
    is_settled: bool = field(init=False)

    def __post_init__(self) -> None:
        is_settled = self.plain is not None and not self.costing[0] and self.varying is None
        object.__setattr__(self, "is_settled", is_settled)


class Documents:
    """What was prepared for an engine, bounded; the least lately used is forgotten first.

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
        self._prepared: OrderedDict[tuple[Any, ...], Prepared] = OrderedDict()
        self._varying: dict[tuple[Any, ...], Varying] = {}
        self._kept = 0

    def prepare(self, request: Request, context: Context) -> Prepared:
        """Parses, limits and validates, or recalls; raises Refused."""
        if request.named is None and not self._operations.closed:
            # A document of which nothing depends on the values, as most are: one look-up.
            key = (context.viewer.role, request.operation_name, request.text)
            known = self._prepared.get(key)
            if known is not None and known.is_settled:
                self._prepared.move_to_end(key)
                return known
        found = self._prepared_of(self.whole(request, context), context)
        if request.named is not None and request.text:
            self._operations.learn(request.named, found.text, context.viewer)
        return found

    def keeps(self, request: Request, context: Context) -> bool:
        """Whether the document was prepared before; raises Refused."""
        return self._key(self.whole(request, context), context) in self._prepared

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
            found.measured.add(_costing(found, request.variables))
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
        if prepared.is_settled:
            return
        check_variables(request.variables)
        costing = _costing(prepared, request.variables)
        if costing in prepared.measured:
            return
        self._check_limits(prepared.document, prepared.operation, request)
        if len(prepared.measured) > _SIZES:
            prepared.measured.clear()
        prepared.measured.add(costing)

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

    def variables(self, prepared: Prepared, request: Request, context: Context) -> dict[str, Any]:
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


def _costing(prepared: Prepared, given: Mapping[str, Any]) -> tuple[Any, ...]:
    """What of the given variables the cost depends on."""
    in_pages, in_filters = prepared.costing
    sizes = tuple(
        # Whatever else is given counts as the largest page.
        size if (size := given.get(name, ...)) is None or isinstance(size, _SIZE) else ""
        for name in in_pages
    )
    # One that is left out has the value that the document gives it.
    held = tuple(
        (name in given, isinstance(given.get(name), dict), conditions(given.get(name)))
        for name in in_filters
    )
    return sizes, held

"""The front end: a valid operation in a role's view becomes a tree of values to be printed.

What SQL cannot compute raises NotPlannable with the reason; the operation then runs in the
ordinary executor.
"""

from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLField,
    GraphQLObjectType,
    OperationDefinitionNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_list_type,
)
from graphql.execution.values import VariableValues, get_argument_values
from tortoise import fields
from tortoise.models import Model

from auth.rows import asked, scope_of, within
from auth.viewer import Viewer
from execution.binding import slots_of
from execution.group_planning import groups
from execution.shape import (
    Choice,
    Column,
    Connection,
    Constant,
    Count,
    Cursor,
    Difference,
    Form,
    Hours,
    Limited,
    Masked,
    Member,
    Nodes,
    NotPlannable,
    Object,
    PageInfo,
    Row,
    Value,
)
from execution.viewer_planning import list_of_request, object_of_request
from models.conditions import ALWAYS, Compare, Slot, changed, every
from models.fields import Amount, Moment
from resolvers.pages import USUAL, Order, Slice, beyond_of, checked_size, is_backward
from schema.aggregates import aggregates
from schema.fields import ROOTS, id_of
from schema.filters import order_terms, predicate
from schema.names import NAMES
from schema.roles import RoleView
from schema.views import OBJECTS, VIEWS, Spec, View, spec_of

_FORMS: dict[str, Form] = {
    "ID": "id",
    "str": "text",
    "date": "date",
    "datetime": "moment",
    "Decimal": "decimal",
    "int": "int",
    "bool": "bool",
}


class Planning:
    """Makes the tree of one operation for requests of one shape."""

    def __init__(
        self,
        view: RoleView,
        document: DocumentNode,
        viewer: Viewer,
        variables: Mapping[str, Any],
    ) -> None:
        self._view = view
        self.viewer = viewer
        self._included = variables
        self._variables = VariableValues({}, slots_of(variables))
        self._fragments = {
            node.name.value: node
            for node in document.definitions
            if isinstance(node, FragmentDefinitionNode)
        }
        # Cursors: whether each of a cursor's values is empty decides the statement.
        self.cursors: list[Slot] = []

    def operation(self, operation: OperationDefinitionNode) -> Object:
        """The tree of an operation's ``data``."""
        return Object(
            tuple((key, self.root(name, nodes)) for key, name, nodes in self.roots(operation))
        )

    # Roots.

    def roots(
        self, operation: OperationDefinitionNode
    ) -> Iterator[tuple[str, str, list[FieldNode]]]:
        """The root fields that are asked for: response key, name, and every node of the key."""
        return self._fields(self.type("Query"), [operation.selection_set])

    def root(self, name: str, nodes: list[FieldNode]) -> Value:
        """The tree of one root field."""
        root = self.type("Query")
        if name == "__typename":
            return Constant(f'"{root.name}"')
        if name.startswith("__"):
            raise NotPlannable(f"{name} is introspection")
        field = root.fields[name]
        for view in VIEWS.values():
            if view.one == name:
                arguments = self.arguments(field, nodes[0])
                wanted = changed(arguments["id"], id_of)
                matching = every(Compare("id", "eq", wanted), scope_of(self.viewer, view.model))
                return Row(view.model, matching, self.object(view, nodes))
            if view.many == name:
                return self._list(view, field, nodes)
        if (made := aggregates().get(name)) is not None:
            return groups(self, made, field, nodes)
        spec = ROOTS.query[name].metadata.get("spec")
        if spec is not None and spec.mine is not None:
            return self.mine(spec, nodes)
        made_of = get_named_type(field.type).name
        if made_of in OBJECTS and not field.args:
            is_list = is_list_type(get_nullable_type(field.type))
            return (list_of_request if is_list else object_of_request)(self, name, made_of, nodes)
        raise NotPlannable(f"Query.{name} is computed in Python")

    def mine(self, spec: Spec, nodes: list[FieldNode]) -> Value:
        """The row whose id the viewer holds."""
        view = VIEWS[spec.named_type]
        assert spec.mine is not None
        if getattr(self.viewer, spec.mine) is None:
            return Constant("null")
        matching = every(
            Compare("id", "eq", asked(self.viewer, spec.mine)),
            scope_of(self.viewer, view.model),
        )
        return Row(view.model, matching, self.object(view, nodes))

    # Rows.

    def object(self, view: View, nodes: list[FieldNode]) -> Object:
        type_ = self.type(view.name)
        entries: list[tuple[str, Value]] = []
        for key, name, inner in self.selected(type_, nodes):
            spec = spec_of(view.specs, name)
            if spec is None:
                entries.append((key, Constant(f'"{view.name}"')))
                continue
            coordinate = f"{view.name}.{name}"
            value = self._value(view, spec, type_.fields[name], inner)
            if coordinate in self._view.masked:
                value = _masked(coordinate, value, self._view.masked[coordinate])
            if coordinate in self._view.limited:
                cells = within(self.viewer, view.model, self._view.limited[coordinate])
                value = Limited(cells, value)
            entries.append((key, value))
        return Object(tuple(entries))

    def _value(self, view: View, spec: Spec, field: GraphQLField, nodes: list[FieldNode]) -> Value:
        if spec.kind == "to_many":
            return self._list(VIEWS[spec.named_type], field, nodes, spec.by)
        if spec.kind == "to_one":
            target = VIEWS[spec.named_type]
            scope = scope_of(self.viewer, target.model)
            return Row(target.model, scope, self.object(target, nodes), spec.column)
        if spec.kind == "column":
            assert spec.column is not None
            return Column(spec.column, _form(view, spec))
        if spec.where is not None:
            cases = spec.where(self.viewer).items()
            if spec.named_type == "bool":
                return Choice(tuple((_json(v), c) for v, c in cases), "false")
            return Choice(tuple((_json(v), c) for v, c in cases))
        if spec.member is not None:
            return Member(*spec.member)
        if spec.leads is not None:
            target, (by, at) = VIEWS[spec.named_type], spec.leads
            scope = scope_of(self.viewer, target.model)
            return Row(target.model, scope, self.object(target, nodes), by, at)
        if spec.beyond is not None:
            model, by, shown = spec.beyond
            return Row(model, ALWAYS, Column(shown, "text"), by)
        if spec.less is not None:
            return Difference(*spec.less)
        if spec.span is not None:
            return Hours(*spec.span)
        raise NotPlannable(f"{view.name}.{spec.graphql_name} is computed in Python")

    # Lists.

    def _list(
        self, view: View, field: GraphQLField, nodes: list[FieldNode], by: str | None = None
    ) -> Connection:
        arguments = self.arguments(field, nodes[0])
        part = self._part(view, arguments)
        matching = every(
            scope_of(self.viewer, view.model),
            predicate(view, arguments.get("filter"), self.viewer),
        )
        entries: list[tuple[str, Constant | Nodes | Count | PageInfo]] = []
        name = f"{view.name}Connection"
        for key, part_name, inner in self.selected(self.type(name), nodes):
            match part_name:
                case "nodes":
                    entries.append((key, Nodes(self.object(view, inner))))
                case "edges":
                    entries.append((key, Nodes(self._edge(view, inner))))
                case "totalCount":
                    entries.append((key, Count()))
                case "pageInfo":
                    found = self.selected(self.type("PageInfo"), inner)
                    entries.append((key, PageInfo(tuple((k, n) for k, n, _ in found))))
                case _:
                    entries.append((key, Constant(f'"{name}"')))
        return Connection(view.model, matching, part, tuple(entries), by)

    def _edge(self, view: View, nodes: list[FieldNode]) -> Object:
        name = f"{view.name}Edge"
        entries: list[tuple[str, Value]] = []
        for key, field, inner in self.selected(self.type(name), nodes):
            match field:
                case "node":
                    entries.append((key, self.object(view, inner)))
                case "cursor":
                    entries.append((key, Cursor()))
                case _:
                    entries.append((key, Constant(f'"{name}"')))
        return Object(tuple(entries))

    def _part(self, view: View, arguments: Mapping[str, Any]) -> Slice:
        order = order_terms(view, arguments.get("order"))
        first, after, last, before = map(arguments.get, ("first", "after", "last", "before"))
        backward = is_backward(first, after, last, before)
        name, size = ("last", last) if backward else ("first", first)
        size = USUAL if size is None else changed(size, checked_size, name)
        name, cursor = ("before", before) if backward else ("after", after)
        if cursor is None:
            return Slice(order, size, backward)
        values = changed(cursor, _beyond, view.model, order, name)
        if not isinstance(values, Slot):
            return Slice(order, size, backward, values)
        self.cursors.append(values)
        pieces = (values.then(_item, number) for number in range(len(values.value)))
        return Slice(order, size, backward, tuple(pieces))

    # Documents.

    def type(self, name: str) -> GraphQLObjectType:
        type_ = self._view.schema.type_map[name]
        assert isinstance(type_, GraphQLObjectType)
        return type_

    def arguments(self, field: GraphQLField, node: FieldNode) -> dict[str, Any]:
        return get_argument_values(field, node, self._variables)

    def selected(
        self, parent: GraphQLObjectType, nodes: list[FieldNode]
    ) -> Iterator[tuple[str, str, list[FieldNode]]]:
        """The fields selected within one that stands at these nodes."""
        return self._fields(parent, [node.selection_set for node in nodes])

    def _fields(
        self, parent: GraphQLObjectType, selections: Iterable[SelectionSetNode | None]
    ) -> Iterator[tuple[str, str, list[FieldNode]]]:
        """The fields selected on an object: response key, name, and every node of the key."""
        found: dict[str, list[FieldNode]] = {}
        seen: set[str] = set()
        for selected in selections:
            self._collect(parent, selected, found, seen)
        for key, nodes in found.items():
            yield key, nodes[0].name.value, nodes

    def _collect(
        self,
        parent: GraphQLObjectType,
        selected: SelectionSetNode | None,
        found: dict[str, list[FieldNode]],
        seen: set[str],
    ) -> None:
        for node in selected.selections if selected is not None else ():
            if not self._is_included(node):
                continue
            if isinstance(node, FieldNode):
                key = node.alias.value if node.alias is not None else node.name.value
                found.setdefault(key, []).append(node)
                continue
            fragment: Any = node
            if hasattr(node, "name"):
                name = node.name.value
                if name in seen:
                    continue
                seen.add(name)
                fragment = self._fragments[name]
            condition = fragment.type_condition
            if condition is None or condition.name.value == parent.name:
                self._collect(parent, fragment.selection_set, found, seen)

    def _is_included(self, node: Any) -> bool:
        for directive in node.directives or ():
            if directive.name.value in ("skip", "include"):
                value = directive.arguments[0].value
                if isinstance(value, VariableNode):
                    holds = self._included.get(value.name.value)
                else:
                    holds = value.value
                if bool(holds) is (directive.name.value == "skip"):
                    return False
        return True


def _beyond(cursor: str, model: type[Model], order: Order, name: str) -> tuple[Any, ...]:
    return beyond_of(model, order, cursor, name)


def _item(values: tuple[Any, ...], number: int) -> Any:
    return values[number]


def _json(value: Any) -> str:
    if isinstance(value, Enum):
        return f'"{value.name}"'
    return "true" if value else "false"


def _masked(coordinate: str, value: Value, keep: int) -> Masked:
    if isinstance(value, Column) and value.form in ("text", "date"):
        return Masked(value, keep)
    raise NotPlannable(f"{coordinate} is masked, and no text or date")


def _form(view: View, spec: Spec) -> Form:
    """How a column is printed; raises NotPlannable where the database keeps something else."""
    listed = spec.type.startswith("list[")
    enum = NAMES.get(spec.named_type)
    if isinstance(enum, type) and issubclass(enum, Enum):
        if any(member.name != member.value for member in enum):
            raise NotPlannable(f"{view.name}.{spec.graphql_name} is stored under other names")
        return "names" if listed else "name"
    form = _FORMS.get(spec.named_type)
    if listed or form is None:
        raise NotPlannable(f"{view.name}.{spec.graphql_name} is a {spec.type}")
    kind = view.model._meta.fields_map.get(spec.column or "")
    stored = {"moment": Moment, "decimal": Amount, "date": fields.DateField}.get(form)
    if stored is not None and not isinstance(kind, stored):
        raise NotPlannable(f"{view.name}.{spec.graphql_name} is not stored as a {form}")
    return form

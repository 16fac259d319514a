"""Connections: keyset pages of a view's rows, at the root and under a parent."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from strawberry.types.arguments import StrawberryArgument
from strawberry.types.field import StrawberryField

from auth.rows import visible
from auth.viewer import Viewer
from models.conditions import Condition, to_q
from resolvers.pages import Page, Slice, page, slice_of
from schema.context import Context
from schema.directives import visible as visible_to
from schema.fields import EVERYBODY, ROOTS, argument, id_of, object_type, schema_field
from schema.filters import order_terms, plain, predicate
from schema.rules import Rules
from schema.views import VIEWS, ObjectView, Spec, View


@dataclass
class Connection:
    """A page, and how to count the whole list when that is asked for."""

    page: Page[Any]
    count: Callable[[], Awaitable[int]]


def declare_page_info() -> None:
    """The type that tells where a page stands in its list."""
    cursors = {
        "has_next_page": ("bool", "Whether there are rows behind.", lambda c, _i: c.page.has_next),
        "has_previous_page": (
            "bool",
            "Whether there are rows before.",
            lambda c, _i: c.page.has_previous,
        ),
        "start_cursor": ("str | None", "The cursor of the first row.", lambda c, _i: _cursor(c, 0)),
        "end_cursor": ("str | None", "The cursor of the last row.", lambda c, _i: _cursor(c, -1)),
    }
    fields: dict[str, StrawberryField] = {
        name: schema_field(type_, resolve, EVERYBODY, says)
        for name, (type_, says, resolve) in cursors.items()
    }
    object_type("PageInfo", fields, EVERYBODY, "Where a page stands in its list.")


def declare_connection(view: View) -> None:
    """The connection and edge types of a view, with the rules of the view, its proofs too."""
    rules = Rules(tuple(_roles_only(view)))
    edge: dict[str, StrawberryField] = {
        "cursor": schema_field("str", lambda e, _i: e[0].cursor(e[1]), rules, "Where to go on."),
        "node": schema_field(view.name, lambda e, _i: e[1], rules, "The row."),
    }
    of_type = Rules(rules.of + view.rules.proving)
    object_type(f"{view.name}Edge", edge, of_type, f"A {view.name} in a list.")
    fields: dict[str, StrawberryField] = {
        "nodes": schema_field(
            f"list[{view.name}]", lambda c, _i: c.page.rows, rules, "The rows of this page."
        ),
        "edges": schema_field(
            f"list[{view.name}Edge]",
            lambda c, _i: [(c.page, row) for row in c.page.rows],
            rules,
            "The rows of this page with their cursors.",
        ),
        "page_info": schema_field("PageInfo", lambda c, _i: c, rules, "Where this page stands."),
        "total_count": schema_field(
            "int", lambda c, _i: c.count(), rules, "How many rows the whole list has."
        ),
    }
    object_type(f"{view.name}Connection", fields, of_type, f"A page of {view.name} rows.")


def _roles_only(view: View) -> list[Any]:
    return [visible_to(*view.rules.roles())]


def _cursor(connection: Connection, index: int) -> str | None:
    rows = connection.page.rows
    return connection.page.cursor(rows[index]) if rows else None


def _arguments(target: str) -> list[StrawberryArgument]:
    return [
        argument("first", "int | None", "How many rows from the start: 1–100, usually 50."),
        argument("after", "str | None", "Only rows behind this cursor."),
        argument("last", "int | None", "How many rows from the end: 1–100."),
        argument("before", "str | None", "Only rows before this cursor."),
        argument("filter", f"{target}Filter | None", "Only rows that match."),
        argument("order", f"list[{target}Order] | None", "In which order; the id breaks ties."),
    ]


def _plain(arguments: dict[str, Any]) -> dict[str, Any]:
    return {name: plain(value) for name, value in arguments.items()}


def _given(arguments: Mapping[str, Any]) -> dict[str, Any]:
    names = ("first", "after", "last", "before")
    return {name: arguments[name] for name in names if arguments.get(name) is not None}


def _asked(view: View, viewer: Viewer, arguments: Mapping[str, Any]) -> tuple[Slice, Condition]:
    """The slice and the rows that plain arguments ask for; raises InputInvalid."""
    order = order_terms(view, arguments.get("order"))
    part = slice_of(view.model, order, **_given(arguments))
    return part, predicate(view, arguments.get("filter"), viewer)


def children(view: View, made: Spec) -> StrawberryField:
    """The field of a view that lists the rows pointing to it."""
    by = made.by
    assert by is not None
    target_name = made.type

    def resolve(row: Any, info: Any, **arguments: Any) -> Awaitable[Connection]:
        target = VIEWS[target_name]
        context: Context = info.context
        part, condition = _asked(target, context.viewer, _plain(arguments))
        matching = to_q(condition)
        call = id(info._raw_info.field_nodes[0])

        def rows() -> Any:
            return visible(context.viewer, target.model).filter(matching)

        def count() -> Awaitable[int]:
            return context.loaders.count(call, rows, by, row.id)

        async def load() -> Connection:
            return Connection(await context.loaders.page(call, rows, by, row.id, part), count)

        return load()

    return schema_field(
        f"{target_name}Connection",
        resolve,
        made.rules,
        made.says,
        arguments=_arguments(target_name),
        check=lambda viewer, given: _asked(VIEWS[target_name], viewer, given),
        spec=made,
    )


def declare_roots(view: View) -> None:
    """The root fields of a view: one row by its id, and the list."""
    rules = Rules(tuple(_roles_only(view)))
    if view.one is not None:

        def one(_source: Any, info: Any, id: str) -> Awaitable[Any]:
            return info.context.loaders.one(view.model, id_of(id))  # type: ignore[no-any-return]

        ROOTS.query[view.one] = schema_field(
            f"{view.name} | None",
            one,
            rules,
            f"One {view.name} by its id, where it exists for the viewer.",
            arguments=[argument("id", "ID", "Its id.")],
            check=lambda _viewer, given: id_of(given["id"]),
        )
    if view.many is not None:

        async def many(_source: Any, info: Any, **arguments: Any) -> Connection:
            context: Context = info.context
            part, condition = _asked(view, context.viewer, _plain(arguments))
            matching = to_q(condition)

            def rows() -> Any:
                return visible(context.viewer, view.model).filter(matching)

            return Connection(await page(rows(), part), lambda: rows().count())

        ROOTS.query[view.many] = schema_field(
            f"{view.name}Connection",
            many,
            rules,
            f"The {view.name} rows that exist for the viewer.",
            arguments=_arguments(view.name),
            check=lambda viewer, given: _asked(view, viewer, given),
        )


def declare_view(view: View) -> None:
    """The GraphQL type of a view."""
    fields = {
        name: children(view, made) if made.kind == "to_many" else plain_field(made)
        for name, made in view.specs.items()
    }
    model = view.model
    graphql_type = object_type(view.name, fields, view.rules, view.says)
    graphql_type.__strawberry_definition__.is_type_of = lambda row, _info: isinstance(row, model)


def declare_object(view: ObjectView) -> None:
    """The GraphQL type of an object of computed fields."""
    fields = {name: plain_field(made) for name, made in view.specs.items()}
    object_type(view.name, fields, view.rules, view.says)


def plain_field(made: Spec) -> StrawberryField:
    """A field that shows a column, a computed value, or the row that a foreign key points to."""
    return schema_field(
        made.type,
        _resolver(made),
        made.rules,
        made.says,
        arguments=list(made.takes),
        check=made.check,
        spec=made,
    )


def _resolver(made: Spec) -> Callable[..., Any]:
    if made.kind == "computed":
        value = made.value
        assert value is not None
        return lambda row, info, **given: value(row, info.context, **given)
    name = made.column
    assert name is not None
    if made.kind == "to_one":
        target = made.named_type

        def load(row: Any, info: Any) -> Any:
            return info.context.loaders.one(VIEWS[target].model, getattr(row, name))

        return load
    return lambda row, _info: getattr(row, name)

"""Views: GraphQL types as thin views of rows, each field with its rules.

A view class holds specifications (``column``, ``computed``, ``to_one``, ``to_many``);
``view_of`` makes the GraphQL type and keeps the specification, from which filters,
orders, connections, role views and the permission matrix are derived.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Any, Literal, TypeVar

import strawberry
from strawberry.types.arguments import StrawberryArgument
from strawberry.utils.str_converters import to_camel_case
from tortoise.models import Model

from auth.rows import visible as visible_rows
from auth.viewer import Viewer
from models.conditions import Condition
from resolvers.pages import Order
from schema.context import Context
from schema.directives import Aggregable, Proving, Rule, Visible
from schema.fields import Check
from schema.names import register
from schema.rules import Rules

T = TypeVar("T")
# Filters are read by these names on every request.
_camel = cache(to_camel_case)
Kind = Literal["column", "computed", "to_one", "to_many"]


# Of the values that a computed field can have, when it has which.
Meaning = Callable[[Viewer], Mapping[Any, Condition]]
# A model, the column that points to one of its rows, and what of that row is shown.
Beyond = tuple[type[Model], str, str]


@dataclass
class Spec:
    """One field of a view: its rules, and where its value comes from."""

    kind: Kind
    # The GraphQL type, in the names of the schema; of a to_many, the view it lists.
    type: str
    rules: Rules
    says: str
    column: str | None = None
    # computed: the value of a row, in Python; what the field takes comes as keywords.
    value: Callable[..., Any] | None = None
    takes: tuple[StrawberryArgument, ...] = ()
    # computed: refuses what the types of its arguments cannot tell, before anything runs.
    check: Check | None = None
    # computed: when it has which value, so that a database can tell, and filter an enum.
    where: Meaning | None = None
    # computed: the two columns whose difference it is.
    less: tuple[str, str] | None = None
    # computed: the two moments between which it counts the hours.
    span: tuple[str, str] | None = None
    # computed: the text under a key of a column of JSON, as column and key.
    member: tuple[str, str] | None = None
    # computed, of a type of rows: the column whose value stands in a column of the other row.
    leads: tuple[str, str] | None = None
    # computed: of the row of a model that a column points to, whoever may see it, a text.
    beyond: Beyond | None = None
    # computed, of a type of rows: the viewer's attribute that holds the row's id.
    mine: str | None = None
    # to_many: the child's foreign key.
    by: str | None = None
    filterable: bool = True
    sortable: bool | str = True
    name: str = ""

    @property
    def graphql_name(self) -> str:
        return _camel(self.name)

    @property
    def named_type(self) -> str:
        """The annotation without list and optional."""
        return self.type.replace(" | None", "").removeprefix("list[").removesuffix("]")

    @property
    def nullable(self) -> bool:
        return self.type.endswith("| None")


@dataclass(eq=False)
class View:
    """A GraphQL type over a model, and the root fields that lead to it."""

    name: str
    model: type[Model]
    rules: Rules
    says: str
    specs: dict[str, Spec]
    order: Order
    one: str | None = None
    many: str | None = None


@dataclass
class ObjectView:
    """A GraphQL type of computed fields that is no view of rows."""

    name: str
    rules: Rules
    says: str
    specs: dict[str, Spec]


VIEWS: dict[str, View] = {}
OBJECTS: dict[str, ObjectView] = {}


def column(
    type_: str,
    *rules: Rule,
    says: str,
    of: str | None = None,
    order: bool | str = True,
    filter: bool = True,
) -> Any:
    """A column of the row. ``order`` may name the column to order by, such as a folded one."""
    return Spec("column", type_, Rules(rules), says, column=of, sortable=order, filterable=filter)


def computed(
    type_: str,
    *rules: Rule,
    says: str,
    value: Callable[..., Any],
    takes: tuple[StrawberryArgument, ...] = (),
    check: Check | None = None,
    where: Meaning | None = None,
    less: tuple[str, str] | None = None,
    span: tuple[str, str] | None = None,
) -> Any:
    """A value made from the row in Python: ``value(row, context, **arguments)``.

    ``takes`` are the arguments of the field, which exist where it does, ``check`` refuses wrong
    ones before anything runs.
    ``where`` says the same as conditions on the row: for the values of an enum, which makes it
    filterable, or for True. ``less`` says it as the difference of two columns,
    ``span`` as the hours from one moment to another.
    """
    return Spec(
        "computed",
        type_,
        Rules(rules),
        says,
        value=value,
        takes=takes,
        check=check,
        where=where,
        less=less,
        span=span,
        sortable=False,
        filterable=where is not None and type_ != "bool",
    )


def row_of_viewer(type_: str, *rules: Rule, says: str, of: str) -> Any:
    """The row whose id the viewer holds as the attribute ``of``."""

    def value(_: Any, context: Context) -> Any:
        model = VIEWS[type_.removesuffix(" | None")].model
        return context.loaders.one(model, getattr(context.viewer, of))

    return Spec("computed", type_, Rules(rules), says, value=value, mine=of, sortable=False)


def member(type_: str, *rules: Rule, says: str, of: str, key: str) -> Any:
    """The text under a key of ``of``, a column of JSON."""

    def value(row: Any, _: Context) -> Any:
        return getattr(row, of).get(key)

    return Spec(
        "computed", type_, Rules(rules), says, value=value, member=(of, key), sortable=False
    )


def row_by(type_: str, *rules: Rule, says: str, of: str, at: str) -> Any:
    """The row whose column ``at``, a unique one, has the value of ``of``, where it exists for the
    viewer."""

    def value(row: Any, context: Context) -> Any:
        model = VIEWS[type_.removesuffix(" | None")].model

        def rows() -> Any:
            return visible_rows(context.viewer, model)

        return context.loaders.related(model, rows, at, getattr(row, of))

    return Spec("computed", type_, Rules(rules), says, value=value, leads=(of, at), sortable=False)


def text_beyond(
    type_: str, *rules: Rule, says: str, model: type[Model], of: str, shows: str
) -> Any:
    """A text of the row that ``of`` points to, whoever may see that row."""

    async def value(row: Any, context: Context) -> Any:
        found = await context.loaders.related(("any", model), model.all, "id", getattr(row, of))
        return None if found is None else getattr(found, shows)

    return Spec(
        "computed",
        type_,
        Rules(rules),
        says,
        value=value,
        beyond=(model, of, shows),
        sortable=False,
    )


def to_one(type_: str, *rules: Rule, says: str, of: str | None = None) -> Any:
    """The row that a foreign key points to, where it exists for the viewer."""
    return Spec("to_one", type_, Rules(rules), says, column=of, sortable=False)


def to_many(type_: str, *rules: Rule, says: str, by: str) -> Any:
    """The rows that point here by a foreign key, as a connection."""
    return Spec("to_many", type_, Rules(rules), says, by=by, sortable=False)


def view_of(
    model: type[Model],
    *rules: Visible | Aggregable | Proving,
    order: Order,
    one: str | None = None,
    many: str | None = None,
) -> Callable[[type[T]], type[T]]:
    """Makes a view class into the GraphQL type of a model's rows.

    ``one`` and ``many`` name the root fields that lead to a row and to the list.
    """

    def decorate(cls: type[T]) -> type[T]:
        view = View(cls.__name__, model, Rules(rules), _says(cls), _specs_of(cls), order, one, many)
        for made in (s for s in view.specs.values() if s.kind in ("column", "to_one")):
            _check_column(view, made)
        VIEWS[view.name] = view
        return cls

    return decorate


def object_of(*rules: Visible) -> Callable[[type[T]], type[T]]:
    """Makes a class of computed fields into a GraphQL type that is no view of rows."""

    def decorate(cls: type[T]) -> type[T]:
        name = cls.__name__
        OBJECTS[name] = ObjectView(name, Rules(rules), _says(cls), _specs_of(cls))
        return cls

    return decorate


def enum_of(enum: type[Enum], says: str = "", **rules: Visible) -> Any:
    """Makes an enum of the models into a GraphQL enum; ``rules`` limit single values."""
    made: Any = strawberry.enum(enum, description=says or (enum.__doc__ or "").strip())
    for value in made.__strawberry_definition__.values:
        if value.name in rules:
            value.directives = [rules[value.name]]
    register(enum.__name__, made)
    return made


def spec_of(specs: Mapping[str, Spec], graphql_name: str) -> Spec | None:
    """The field of a name; None for ``__typename``."""
    if graphql_name == "__typename":
        return None
    return next(spec for spec in specs.values() if spec.graphql_name == graphql_name)


def _specs_of(cls: type) -> dict[str, Spec]:
    specs = {name: made for name, made in vars(cls).items() if isinstance(made, Spec)}
    for name, made in specs.items():
        made.name = name
        if made.kind == "column" and made.column is None:
            made.column = name
        if made.kind == "to_one" and made.column is None:
            made.column = f"{name}_id"
    return specs


def _says(cls: type) -> str:
    return " ".join((cls.__doc__ or "").split())


def _check_column(view: View, made: Spec) -> None:
    meta = view.model._meta
    known = {*meta.fields_map, *(f"{name}_id" for name in {*meta.fk_fields, *meta.o2o_fields})}
    if made.column not in known:
        raise RuntimeError(f"{view.name}.{made.name}: {view.model.__name__} has no {made.column}")

"""Filters and orders: typed inputs made from each view, and their meaning as predicates.

A field is offered to the roles that see it unmasked on every row of the type; through a
relation the target's own row scope applies, so a filter tells nothing about hidden rows.
"""

from collections.abc import Mapping
from enum import Enum
from functools import cache
from typing import Any

import strawberry
from strawberry.types.enum import EnumValue
from strawberry.types.field import StrawberryField
from strawberry.utils.str_converters import to_camel_case

from auth.rows import scope_of
from auth.viewer import Viewer
from models.conditions import (
    NEVER,
    Condition,
    Not,
    Within,
    every,
    filled,
    some,
)
from resolvers.pages import Order, Term
from schema.comparisons import (
    FilterInvalid,
    comparisons,
    declare_enum_filter,
    enum_condition,
    folded,
    input_field,
    is_enum,
    operators_of,
    parts,
)
from schema.directives import visible as visible_to
from schema.fields import object_type
from schema.names import NAMES, annotation, register
from schema.rules import Rules, all_of, usable
from schema.views import VIEWS, Spec, View


class Direction(Enum):
    """In which direction an order goes."""

    ASC = "ASC"
    DESC = "DESC"


@cache
def filterable(view: View) -> list[Spec]:
    """The fields that some role may filter by."""
    return [
        s for s in view.specs.values() if s.filterable and _operators(view, s) and _roles(view, s)
    ]


@cache
def sortable(view: View) -> list[Spec]:
    """The fields that some role may order by."""
    return [s for s in view.specs.values() if _order_column(view, s) and _roles(view, s)]


def _roles(view: View, made: Spec) -> tuple[Any, ...]:
    roles = usable(view.rules, made.rules)
    if made.kind in ("to_one", "to_many"):
        roles = all_of(roles, VIEWS[made.named_type].rules.roles())
    return roles


def _operators(view: View, made: Spec) -> str | None:
    """The name of the input that filters a field."""
    if made.type.startswith("list["):
        return None
    name = made.named_type
    if made.kind in ("to_one", "to_many"):
        return f"{name}Filter"
    if made.kind == "computed" and made.where is None:
        return None
    return operators_of(view, made)


def _order_column(view: View, made: Spec) -> str | None:
    if made.kind != "column" or made.sortable is False or made.type.startswith("list["):
        return None
    if isinstance(made.sortable, str):
        return made.sortable
    if made.named_type in ("date", "datetime", "int", "Decimal"):
        return made.column
    return folded(view, made) if made.named_type == "str" else None


def declare_filter(view: View) -> None:
    """The filter input of a view: each field with the rules of who may filter by it."""
    roles = Rules((visible_to(*view.rules.roles()),))
    fields: dict[str, StrawberryField] = {}
    for made in filterable(view):
        if is_enum(made.named_type):
            declare_enum_filter(made.named_type)
        fields[made.name] = input_field(
            f"{_operators(view, made)} | None",
            Rules((visible_to(*_roles(view, made)),)),
            f"By {made.graphql_name}.",
        )
    own = f"{view.name}Filter"
    fields["and_"] = input_field(f"list[{own}] | None", roles, "All of these hold.", "and")
    fields["or_"] = input_field(f"list[{own}] | None", roles, "At least one of these holds.", "or")
    fields["not_"] = input_field(f"{own} | None", roles, "This does not hold.", "not")
    # A filter tells of rows, also through a relation.
    of_type = Rules(roles.of + view.rules.proving)
    says = f"Which {view.name} rows: all conditions hold."
    object_type(own, fields, of_type, says, is_input=True)


def declare_order(view: View) -> None:
    """The order input of a view, and the enum of what it can be ordered by."""
    specs = sortable(view)
    if not specs:
        raise RuntimeError(f"{view.name} can be ordered by nothing")
    roles = Rules((visible_to(*view.rules.roles()),))
    names = {made.name.upper(): made.name for made in specs}
    values: Any = Enum(f"{view.name}OrderField", names)  # type: ignore[misc]  # made at run time
    enum: Any = strawberry.enum(values, description=f"What {view.name} rows can be ordered by.")
    by_name = {made.name.upper(): made for made in specs}
    value: EnumValue
    for value in enum.__strawberry_definition__.values:
        made = by_name[value.name]
        value.directives = [visible_to(*_roles(view, made))]
        value.description = f"By {made.graphql_name}."
    register(f"{view.name}OrderField", enum)
    direction = StrawberryField(
        type_annotation=annotation("Direction"),
        description="Ascending unless said; rows without a value come last in both.",
        directives=roles.of,
        default=NAMES["Direction"].ASC,
    )
    fields = {
        "field": StrawberryField(
            type_annotation=annotation(f"{view.name}OrderField"),
            description="By what.",
            directives=roles.of,
        ),
        "direction": direction,
    }
    object_type(f"{view.name}Order", fields, roles, f"An order of {view.name} rows.", is_input=True)


def plain(given: Any) -> Any:
    """A coerced argument as lists and mappings by GraphQL names, without what was left out."""
    if isinstance(given, list):
        return [plain(item) for item in given]
    if isinstance(given, Enum) or not hasattr(given, "__strawberry_definition__"):
        return given
    found = {name: getattr(given, attribute) for name, attribute in _attributes(given.__class__)}
    return {name: plain(value) for name, value in found.items() if value is not strawberry.UNSET}


@cache
def _attributes(input_type: Any) -> list[tuple[str, str]]:
    """The GraphQL names of an input's fields, with the attributes that hold them."""
    return [
        (made.graphql_name or to_camel_case(made.python_name), made.python_name)
        for made in input_type.__strawberry_definition__.fields
    ]


def order_terms(view: View, given: Any) -> Order:
    """The terms of a plain order argument, or the view's own order."""
    if not given:
        return view.order
    if len(given) > 5:
        raise FilterInvalid("order")
    terms = []
    for term in given:
        name = _order_column(view, view.specs[term["field"].value])
        assert name is not None
        terms.append(Term(name, term["direction"] is Direction.DESC))
    columns = [term.column for term in terms]
    if len(set(columns)) != len(columns):
        raise FilterInvalid("order")
    return tuple(terms)


def predicate(
    view: View,
    given: Mapping[str, Any] | None,
    viewer: Viewer,
    path: str = "filter",
    depth: int = 0,
) -> Condition:
    """The predicate that a plain filter argument means for the viewer.

    ``path`` is where the filter stands in the arguments; raises FilterInvalid and IdInvalid.
    """
    if given is None:
        return every()
    if depth > 5:
        raise FilterInvalid(path)
    found = [
        _condition(view, made, value, viewer, f"{path}.{made.graphql_name}", depth)
        for made in filterable(view)
        if (value := given.get(made.graphql_name)) is not None
    ]
    found += [
        predicate(view, part, viewer, at, depth + 1)
        for part, at in parts(given.get("and"), f"{path}.and")
    ]
    if given.get("or") is not None:
        # Nothing of an empty list holds.
        either = parts(given["or"], f"{path}.or")
        found.append(some(*(predicate(view, part, viewer, at, depth + 1) for part, at in either)))
    if given.get("not") is not None:
        inner = predicate(view, given["not"], viewer, f"{path}.not", depth + 1)
        found.append(NEVER if inner == every() else Not(inner))
    return every(*found)


def _condition(
    view: View, made: Spec, value: Any, viewer: Viewer, path: str, depth: int
) -> Condition:
    if made.kind in ("to_one", "to_many"):
        target = VIEWS[made.named_type]
        matching = predicate(target, value, viewer, path, depth + 1)
        rows = every(scope_of(viewer, target.model), matching)
        if made.kind == "to_one":
            # Never unknown, also of no row: under a ``not``, a row that points to what is hidden
            # would otherwise be told from one that points nowhere.
            assert made.column is not None
            return every(filled(made.column), Within(made.column, target.model, "id", rows))
        assert made.by is not None
        return Within("id", target.model, made.by, every(rows, filled(made.by)))
    if made.kind == "computed":
        assert made.where is not None
        return enum_condition(made.where(viewer), value, path)
    return every(*comparisons(view, made, value, path))

"""Aggregates: groups of a view's rows, made from ``@aggregable``, and what is asked of them.

A view that is aggregable has a root field, such as ``shiftGroups``. Its fields that are
aggregable are keys to group by, or measures with their sums. A role to which small cells are not
told groups by all the keys that stand together, or by one that stands apart.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache, partial
from typing import Any, Literal

import strawberry
from strawberry.types.arguments import StrawberryArgument
from strawberry.types.enum import EnumValue
from strawberry.types.field import StrawberryField
from strawberry.utils.str_converters import to_camel_case

from auth.rows import asked, counted, person_behind
from auth.viewer import Viewer
from core.errors import InputInvalid
from models.conditions import changed, every
from models.role import Role
from resolvers.aggregates import (
    USUAL,
    Figures,
    Group,
    Grouping,
    Groups,
    Key,
    Measure,
    Test,
    Unit,
    checked_size,
    groups,
)
from schema.comparisons import declare_enum_filter, input_field, is_enum, parts
from schema.context import Context
from schema.directives import visible as visible_to
from schema.fields import ROOTS, argument, id_of, object_type, schema_field
from schema.filters import plain, predicate
from schema.names import NAMES, register
from schema.rules import Rules, all_of, usable
from schema.views import VIEWS, Spec, View

_UNITS: dict[Unit, str] = {
    "day": "The day",
    "week": "The Monday of the week",
    "month": "The first day of the month",
}
_FIGURES = {
    "sum": "All values added up.",
    "average": "The mean of the values.",
    "minimum": "The smallest value.",
    "maximum": "The greatest value.",
}


class KeysApart(InputInvalid):
    """Keys that a role may not combine: together they would tell of too few persons."""

    code = "KEYS_APART"


@dataclass(frozen=True)
class GroupKey:
    """A field of a view by which its rows can be grouped, and by whom."""

    name: str
    spec: Spec
    roles: tuple[Role, ...]
    unit: Unit | None = None

    @property
    def graphql_name(self) -> str:
        return to_camel_case(self.name)

    @property
    def type(self) -> str:
        return "date" if self.unit is not None else self.spec.named_type

    @property
    def says(self) -> str:
        if self.unit is not None:
            return f"{_UNITS[self.unit]} of {self.spec.graphql_name}, where the organisation is."
        return self.spec.says

    def key(self, viewer: Viewer) -> Key:
        cases = {} if self.spec.where is None else self.spec.where(viewer)
        return Key(
            self.name,
            self.spec.column,
            self.unit,
            tuple((value.value, condition) for value, condition in cases.items()),
        )


@dataclass(frozen=True)
class Aggregate:
    """A view whose rows can be grouped: by what, and what is added up."""

    view: View
    keys: dict[str, GroupKey]
    measures: dict[str, tuple[Measure, tuple[Role, ...]]]

    @property
    def field(self) -> str:
        """The root field."""
        return f"{self.view.name[0].lower()}{self.view.name[1:]}Groups"

    @property
    def roles(self) -> tuple[Role, ...]:
        return self.view.rules.aggregating()

    def least(self, role: Role) -> int:
        """Of how many persons a cell must be that a role is told of."""
        specs = (spec.rules for spec in self.view.specs.values())
        rules = (each.aggregable(role) for each in (self.view.rules, *specs))
        return max(rule.min_cell for rule in rules if rule is not None)

    def sees_all(self) -> tuple[Role, ...]:
        """The roles that are told of every cell."""
        return tuple(role for role in self.roles if self.least(role) == 1)

    def cells(self, role: Role, names: Iterable[str]) -> tuple[GroupKey, ...]:
        """The keys in which rows are told apart for a role; raises KeysApart."""
        wanted = tuple(dict.fromkeys(names))
        if self.least(role) == 1:
            return tuple(self.keys[name] for name in wanted)
        together = [key.name for key in self.keys.values() if self.stands_together(key, role)]
        if len(wanted) == 1 and wanted[0] not in together:
            together = list(wanted)
        if not set(wanted) <= set(together):
            raise KeysApart("by")
        return tuple(self.keys[name] for name in together)

    def stands_together(self, key: GroupKey, role: Role) -> bool:
        """Whether a role may combine a key with others."""
        rule = key.spec.rules.aggregable(role)
        return role in key.roles and rule is not None and not rule.apart


@cache
def aggregates() -> dict[str, Aggregate]:
    """What can be aggregated, by its root field."""
    found = (_aggregate(view) for view in VIEWS.values() if view.rules.aggregating())
    return {made.field: made for made in found}


def _aggregate(view: View) -> Aggregate:
    keys: dict[str, GroupKey] = {}
    measures = {}
    for spec in view.specs.values():
        roles = all_of(view.rules.aggregating(), spec.rules.aggregating())
        if not roles:
            continue
        if spec.kind == "to_one":
            target = VIEWS[spec.named_type].rules.roles()
            keys[spec.name] = GroupKey(spec.name, spec, all_of(roles, target))
        elif spec.named_type in ("date", "datetime"):
            for unit in _UNITS:
                name = f"{spec.name}_{unit}"
                keys[name] = GroupKey(name, spec, _by_unit(view, spec, unit, roles), unit)
        elif is_enum(spec.named_type) and (spec.kind == "column" or spec.where is not None):
            keys[spec.name] = GroupKey(spec.name, spec, roles)
        elif spec.span is not None and not spec.nullable:
            since, until = spec.span
            measures[spec.name] = Measure(spec.name, until, since), roles
        elif spec.kind == "column" and spec.type == "int":
            assert spec.column is not None
            measures[spec.name] = Measure(spec.name, spec.column), roles
        else:
            raise RuntimeError(f"{view.name}.{spec.name} can be neither a key nor a measure")
    return Aggregate(view, keys, measures)


def _by_unit(view: View, spec: Spec, unit: Unit, roles: tuple[Role, ...]) -> tuple[Role, ...]:
    """Who groups by a unit of time: cells that must be large are of months alone."""

    def is_small(role: Role) -> bool:
        rules = (view.rules.aggregable(role), spec.rules.aggregable(role))
        return any(rule is not None and rule.min_cell > 1 for rule in rules)

    return tuple(role for role in roles if unit == "month" or not is_small(role))


# Declarations.


def declare_measure() -> None:
    """The type of a measure's figures. Whom small cells are hidden from sees no extremes."""
    everybody = {role for made in aggregates().values() for role in made.roles}
    told_all = everybody - {
        role for made in aggregates().values() for role in set(made.roles) - set(made.sees_all())
    }
    fields: dict[str, StrawberryField] = {
        name: schema_field(
            "Decimal",
            partial(_figure, name),
            Rules((visible_to(*(told_all if name in ("minimum", "maximum") else everybody)),)),
            says,
        )
        for name, says in _FIGURES.items()
    }
    says = "What a group's values come to, in hundredths; a half is rounded up."
    object_type("Measure", fields, Rules((visible_to(*everybody),)), says)


def _figure(name: str, figures: Figures, _info: Any) -> Any:
    return figures.shown(name)


def declare_aggregate(made: Aggregate) -> None:
    """The types of a view's groups, and their root field."""
    name, roles = made.view.name, Rules((visible_to(*made.roles),))
    of_type = Rules(roles.of + made.view.rules.proving)
    _declare_keys(made)
    shown: dict[str, StrawberryField] = {
        "key": schema_field(f"{name}GroupKey", lambda g, _i: g, roles, "What its rows share."),
        "count": schema_field("int", lambda g, _i: g.count, roles, "How many rows there are."),
    }
    for measure, told in made.measures.values():
        shown[measure.name] = schema_field(
            "Measure",
            partial(_figures, measure),
            Rules((visible_to(*told),)),
            made.view.specs[measure.name].says,
        )
    object_type(f"{name}Group", shown, of_type, f"{name} rows that have the same keys.")
    fields: dict[str, StrawberryField] = {
        "nodes": schema_field(
            f"list[{name}Group]", lambda g, _i: g.first, roles, "The groups in order of their keys."
        ),
        "total_count": schema_field(
            "int", lambda g, _i: g.total, roles, "How many groups there are, without `first`."
        ),
    }
    object_type(f"{name}Groups", fields, of_type, f"Groups of {name} rows.")
    ROOTS.query[made.field] = schema_field(
        f"{name}Groups",
        partial(_resolve, made),
        roles,
        f"{name} rows, counted by what they have in common.",
        arguments=_arguments(made),
        check=lambda viewer, given: grouping(made, given, viewer),
        aggregate=made,
    )


def _resolve(made: Aggregate, _source: Any, info: Any, **arguments: Any) -> Awaitable[Groups]:
    context: Context = info.context
    given = {name: plain(value) for name, value in arguments.items()}
    return groups(grouping(made, given, context.viewer))


def _figures(measure: Measure, group: Group, _info: Any) -> Figures:
    return group.figures(measure)


def _arguments(made: Aggregate) -> list[StrawberryArgument]:
    name = made.view.name
    rows = argument("filter", f"{name}Filter | None", "Only rows that match.")
    # Groups of any rows that one chooses would tell of each of them.
    rows.directives = (visible_to(*made.sees_all()),)
    return [
        argument("by", f"list[{name}GroupBy]", "What rows must share; nothing: all are one.", []),
        argument("only", f"{name}GroupFilter | None", "Only groups whose keys match."),
        rows,
        argument("first", "int | None", "How many groups: 1–1000, usually 100."),
    ]


def _declare_keys(made: Aggregate) -> None:
    """The enum to group by, the type that shows the keys, and the input that selects them."""
    name, roles = made.view.name, Rules((visible_to(*made.roles),))
    values: Any = Enum(f"{name}GroupBy", {key.upper(): key for key in made.keys})  # type: ignore[misc]  # made at run time
    enum: Any = strawberry.enum(values, description=f"What {name} rows can be grouped by.")
    value: EnumValue
    for value in enum.__strawberry_definition__.values:
        key = made.keys[value.name.lower()]
        value.directives = [visible_to(*key.roles)]
        value.description = key.says
    register(f"{name}GroupBy", enum)
    shown: dict[str, StrawberryField] = {}
    selected: dict[str, StrawberryField] = {}
    for key in made.keys.values():
        rules = Rules((visible_to(*key.roles),))
        shown[key.name] = schema_field(f"{key.type} | None", _shown(key), rules, key.says)
        operators = {"date": "DateFilter"}.get(key.type, f"{key.type}Filter")
        if key.spec.kind == "to_one":
            operators = "IDFilter"
        elif key.unit is None:
            declare_enum_filter(key.type)
        selected[key.name] = input_field(f"{operators} | None", rules, f"By {key.graphql_name}.")
    object_type(
        f"{name}GroupKey",
        shown,
        roles,
        f"What the {name} rows of a group share; empty where they are not grouped by it.",
    )
    says = f"Which groups of {name} rows: all conditions on their keys hold."
    object_type(f"{name}GroupFilter", selected, roles, says, is_input=True)


def _shown(key: GroupKey) -> Callable[[Group, Any], Any]:
    def show(group: Group, info: Any) -> Any:
        value = group.keys.get(key.name)
        if value is None:
            return None
        if key.spec.kind == "to_one":
            return info.context.loaders.one(VIEWS[key.type].model, value)
        return value if key.unit is not None else NAMES[key.type](value)

    return show


# What is asked for.


def grouping(made: Aggregate, given: Mapping[str, Any], viewer: Viewer) -> Grouping:
    """The groups that plain arguments ask for; raises KeysApart, FilterInvalid, TooManyGroups."""
    by = tuple(dict.fromkeys(item.value for item, _ in parts(given.get("by"), "by")))
    only: Mapping[str, Any] = given.get("only") or {}
    tested = [key for key in made.keys.values() if only.get(key.graphql_name) is not None]
    cells = made.cells(viewer.role, (*by, *(key.name for key in tested)))
    keys = {key.name: key.key(viewer) for key in cells}
    size = given.get("first")
    return Grouping(
        model=made.view.model,
        matching=every(
            counted(viewer, made.view.model),
            predicate(made.view, given.get("filter"), viewer),
        ),
        zone=asked(viewer, "zone"),
        by=tuple(keys[name] for name in by),
        cells=tuple(keys.values()),
        measures=tuple(m for m, told in made.measures.values() if viewer.role in told),
        tests=tuple(
            test for key in tested for test in _tests(key, keys[key.name], only[key.graphql_name])
        ),
        size=USUAL if size is None else changed(size, checked_size),
        least=made.least(viewer.role),
        person=person_behind(made.view.model),
    )


_COMPARISONS: tuple[Literal["eq", "lt", "lte", "gt", "gte"], ...] = ("eq", "lt", "lte", "gt", "gte")


def _tests(made: GroupKey, key: Key, given: Mapping[str, Any]) -> Iterable[Test]:
    is_id, path = made.spec.kind == "to_one", f"only.{made.graphql_name}"

    def read(value: Any, at: str) -> Any:
        return changed(value, id_of, at) if is_id else value

    for comparison in _COMPARISONS:
        if given.get(comparison) is not None:
            yield Test(key, comparison, read(given[comparison], f"{path}.{comparison}"))
    if given.get("in") is not None:
        items = parts(given["in"], f"{path}.in")
        yield Test(key, "in", tuple(read(value, at) for value, at in items))
    if given.get("isNull") is not None:
        yield Test(key, "empty", given["isNull"])


def faults() -> Iterable[str]:
    """What the declarations of aggregates contradict, for the build to refuse."""
    for view in VIEWS.values():
        for spec in view.specs.values():
            for role in spec.rules.aggregating():
                yield from _faults(view, spec, role)
    for made in aggregates().values():
        for role in made.roles:
            if made.least(role) > 1 and person_behind(made.view.model) is None:
                yield f"{made.view.name} hides small cells from {role.value}, but is of no persons"


def _faults(view: View, spec: Spec, role: Role) -> Iterable[str]:
    coordinate = f"{view.name}.{spec.graphql_name}"
    if view.rules.aggregable(role) is None:
        yield f"{coordinate} is aggregable for {role.value}, but {view.name} is not"
    if view.rules.allows(role) and role not in usable(view.rules, spec.rules):
        yield f"{coordinate} is aggregable for {role.value}, who does not see it on every row"

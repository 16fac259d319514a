"""The front end of groups: what of them an operation selects, as a tree of values."""

from dataclasses import replace
from typing import TYPE_CHECKING

from graphql import FieldNode, GraphQLField

from auth.rows import scope_of
from execution.shape import (
    Column,
    Constant,
    Count,
    Figure,
    Groups,
    Nodes,
    Object,
    Row,
    Value,
)
from resolvers.aggregates import Measure
from schema.aggregates import Aggregate, GroupKey, grouping
from schema.views import VIEWS

if TYPE_CHECKING:
    from execution.planning import Planning


def groups(
    planning: "Planning", made: Aggregate, field: GraphQLField, nodes: list[FieldNode]
) -> Groups:
    """The groups that a root field asks for; raises the Problem of an argument."""
    asked = grouping(made, planning.arguments(field, nodes[0]), planning.viewer)
    by = {key.name for key in asked.by}
    measures: dict[str, Measure] = {}
    entries: list[tuple[str, Constant | Nodes | Count]] = []
    name = f"{made.view.name}Groups"
    for key, part, inner in planning.selected(planning.type(name), nodes):
        match part:
            case "nodes":
                shown = _group(planning, made, by, measures, inner)
                entries.append((key, Nodes(shown)))
            case "totalCount":
                entries.append((key, Count()))
            case _:
                entries.append((key, Constant(f'"{name}"')))
    used = tuple(measure for measure in asked.measures if measure.name in measures)
    return Groups(replace(asked, measures=used), tuple(entries))


def _group(
    planning: "Planning",
    made: Aggregate,
    by: set[str],
    measures: dict[str, Measure],
    nodes: list[FieldNode],
) -> Object:
    name = f"{made.view.name}Group"
    named = {made.view.specs[key].graphql_name: m for key, (m, _) in made.measures.items()}
    entries: list[tuple[str, Value]] = []
    for key, part, inner in planning.selected(planning.type(name), nodes):
        if part == "key":
            entries.append((key, _key(planning, made, by, inner)))
        elif part == "count":
            entries.append((key, Figure("count")))
        elif part in named:
            measure = measures[named[part].name] = named[part]
            entries.append((key, _measure(planning, measure, inner)))
        else:
            entries.append((key, Constant(f'"{name}"')))
    return Object(tuple(entries))


def _key(planning: "Planning", made: Aggregate, by: set[str], nodes: list[FieldNode]) -> Object:
    name = f"{made.view.name}GroupKey"
    named = {key.graphql_name: key for key in made.keys.values()}
    entries: list[tuple[str, Value]] = []
    for key, part, inner in planning.selected(planning.type(name), nodes):
        if part not in named:
            entries.append((key, Constant(f'"{name}"')))
        elif named[part].name not in by:
            entries.append((key, Constant("null")))
        else:
            entries.append((key, _value(planning, named[part], inner)))
    return Object(tuple(entries))


def _value(planning: "Planning", key: GroupKey, nodes: list[FieldNode]) -> Value:
    if key.spec.kind == "to_one":
        target = VIEWS[key.type]
        scope = scope_of(planning.viewer, target.model)
        return Row(target.model, scope, planning.object(target, nodes), key.name)
    return Column(key.name, "name" if key.unit is None else "date")


def _measure(planning: "Planning", measure: Measure, nodes: list[FieldNode]) -> Object:
    return Object(
        tuple(
            (key, Constant('"Measure"') if of == "__typename" else Figure(of, measure))
            for key, of, _ in planning.selected(planning.type("Measure"), nodes)
        )
    )

"""The front end of what is no row: values that a request itself knows, as of its viewer."""

import json
from collections.abc import Callable
from enum import Enum
from inspect import isawaitable
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from graphql import FieldNode

from execution.shape import Asked, Constant, Given, NotPlannable, Object, Value
from models.conditions import Slot
from schema.context import Context
from schema.fields import ROOTS
from schema.names import NAMES
from schema.views import OBJECTS, Spec, spec_of

if TYPE_CHECKING:
    from execution.planning import Planning

_PLAIN = {"str", "bool", "int"}
Source = Callable[[Asked], Any]


def object_of_request(
    planning: "Planning", root: str, type_: str, nodes: list[FieldNode]
) -> Object:
    """The object that a root field makes of a request, without a row."""
    resolve = ROOTS.query[root].metadata["resolve"]
    return _object(
        planning,
        type_,
        lambda asked: resolve(None, SimpleNamespace(context=Context(asked.viewer))),
        nodes,
    )


def _object(planning: "Planning", name: str, source: Source, nodes: list[FieldNode]) -> Object:
    entries: list[tuple[str, Value]] = []
    for key, field, inner in planning.selected(planning.type(name), nodes):
        spec = spec_of(OBJECTS[name].specs, field)
        if spec is None:
            entries.append((key, Constant(f'"{name}"')))
        elif spec.mine is not None:
            entries.append((key, planning.mine(spec, inner)))
        else:
            entries.append((key, _value(planning, name, spec, source, inner)))
    return Object(tuple(entries))


def _value(
    planning: "Planning", name: str, spec: Spec, source: Source, nodes: list[FieldNode]
) -> Value:
    computed = spec.value
    assert computed is not None

    def read(asked: Asked) -> Any:
        return computed(source(asked), Context(asked.viewer))

    # Who plans has a viewer as who asks does.
    if spec.takes or isawaitable(read(planning)):
        raise NotPlannable(f"{name}.{spec.graphql_name} is computed in Python")
    if spec.type in OBJECTS:
        return _object(planning, spec.type, read, nodes)
    if spec.named_type not in _PLAIN and not _is_enum(spec.named_type):
        raise NotPlannable(f"{name}.{spec.graphql_name} is a {spec.type}")
    return Given(Slot(_printed(read(planning)), lambda asked: _printed(read(asked))))


def _is_enum(name: str) -> bool:
    enum = NAMES.get(name)
    return isinstance(enum, type) and issubclass(enum, Enum)


def _printed(value: Any) -> str:
    return json.dumps(_named(value), ensure_ascii=False, separators=(",", ":"))


def _named(value: Any) -> Any:
    if isinstance(value, list):
        return [_named(item) for item in value]
    return value.name if isinstance(value, Enum) else value

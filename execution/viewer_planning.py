"""The front end of what is no row: values that a request itself knows, as of its viewer."""

import json
from collections.abc import Callable
from enum import Enum
from inspect import isawaitable, iscoroutinefunction
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


def list_of_request(planning: "Planning", root: str, type_: str, nodes: list[FieldNode]) -> Given:
    """The objects that a root field makes of a request: plain values, as one text."""
    resolve = ROOTS.query[root].metadata["resolve"]
    specs = OBJECTS[type_].specs
    entries = [
        (key, spec_of(specs, field))
        for key, field, _ in planning.selected(planning.type(type_), nodes)
    ]
    for _, spec in entries:
        if spec is not None and (spec.takes or not _is_plain(spec)):
            raise NotPlannable(f"{type_}.{spec.graphql_name} is a {spec.type}")

    def read(asked: Asked) -> str:
        context = Context(asked.viewer)
        items = resolve(None, SimpleNamespace(context=context))
        return _printed([_shown(type_, entries, item, context) for item in items])

    return Given(Slot(read(planning), read))


def _shown(
    type_: str, entries: list[tuple[str, Spec | None]], item: Any, context: Context
) -> dict[str, Any]:
    return {
        key: type_ if spec is None or spec.value is None else spec.value(item, context)
        for key, spec in entries
    }


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
    if spec.takes or iscoroutinefunction(computed) or isawaitable(read(planning)):
        raise NotPlannable(f"{name}.{spec.graphql_name} is computed in Python")
    if spec.type in OBJECTS:
        return _object(planning, spec.type, read, nodes)
    if not _is_plain(spec):
        raise NotPlannable(f"{name}.{spec.graphql_name} is a {spec.type}")
    return Given(Slot(_printed(read(planning)), lambda asked: _printed(read(asked))))


def _is_plain(spec: Spec) -> bool:
    """Whether a field's values are what JSON gives, or names."""
    enum = NAMES.get(spec.named_type)
    return spec.named_type in _PLAIN or (isinstance(enum, type) and issubclass(enum, Enum))


def _printed(value: Any) -> str:
    return json.dumps(_named(value), ensure_ascii=False, separators=(",", ":"))


def _named(value: Any) -> Any:
    if isinstance(value, list):
        return [_named(item) for item in value]
    if isinstance(value, dict):
        return {key: _named(item) for key, item in value.items()}
    return value.name if isinstance(value, Enum) else value

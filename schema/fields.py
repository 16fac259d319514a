"""Fields and types: the only place where the declarations become strawberry's."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import strawberry
from strawberry.types.arguments import StrawberryArgument
from strawberry.types.field import StrawberryField

from auth.viewer import Viewer
from core.errors import IdInvalid
from core.ids import uuid_in
from schema.directives import EVERYONE, visible
from schema.names import annotation, register
from schema.rules import Rules, rules_of

# Takes the viewer and plain arguments by their GraphQL names; raises InputInvalid.
Check = Callable[[Viewer, Mapping[str, Any]], object]


class RuleMissing(Exception):
    """A type or field of the schema has no rule: nobody could see it."""


class SchemaField(StrawberryField):
    """A field whose value comes from ``metadata['resolve'](source, info, **arguments)``."""

    @property
    def is_basic_field(self) -> bool:
        return False

    def get_result(self, source: Any, info: Any, args: list[Any], kwargs: Any) -> Any:
        return self.metadata["resolve"](source, info, **kwargs)


def schema_field(
    type_: str,
    resolve: Callable[..., Any],
    rules: Rules,
    says: str,
    *,
    arguments: list[StrawberryArgument] | None = None,
    subscription: bool = False,
    check: Check | None = None,
    **metadata: Any,
) -> SchemaField:
    """A field of ours; its arguments carry the field's own rules unless they have some.

    ``check`` refuses, before anything runs, what no type of an argument can tell.
    """
    made = SchemaField(
        type_annotation=annotation(type_),
        description=says,
        directives=rules.of,
        is_subscription=subscription,
        metadata={"resolve": resolve, "check": check, **metadata},
    )
    made._arguments = arguments or []
    return made


def argument(
    name: str, type_: str, says: str, default: Any = strawberry.UNSET
) -> StrawberryArgument:
    return StrawberryArgument(
        python_name=name,
        graphql_name=None,
        type_annotation=annotation(type_),
        description=says or None,
        default=default,
    )


def object_type(
    name: str,
    fields: dict[str, StrawberryField],
    rules: Rules,
    says: str,
    *,
    is_input: bool = False,
) -> Any:
    """A GraphQL type from its fields; raises RuleMissing where one has no rule."""
    if not rules.declared:
        raise RuleMissing(name)
    for field_name, made in fields.items():
        if not rules_of(made.directives).declared:
            raise RuleMissing(f"{name}.{field_name}")
    annotations = {key: made.type_annotation for key, made in fields.items()}
    body = {**fields, "__annotations__": dict.fromkeys(fields, str), "__module__": __name__}
    decorate = strawberry.input if is_input else strawberry.type
    cls: Any = decorate(type(name, (), body), name=name, description=says, directives=rules.of)
    # Strawberry has put the placeholder annotations into the fields: put ours back.
    for made in cls.__strawberry_definition__.fields:
        made.type_annotation = annotations[made.python_name]
    register(name, cls)
    return cls


def id_of(text: str, field_name: str = "id") -> UUID:
    """The UUID that an ``ID`` argument holds; raises IdInvalid."""
    found = uuid_in(text) if isinstance(text, str) else None
    if found is None:
        raise IdInvalid(field_name)
    return found


@dataclass
class Registry:
    """Root fields by their operation, in the order in which modules declare them."""

    query: dict[str, StrawberryField] = field(default_factory=dict)
    mutation: dict[str, StrawberryField] = field(default_factory=dict)
    subscription: dict[str, StrawberryField] = field(default_factory=dict)


ROOTS = Registry()
EVERYBODY = Rules((visible(*EVERYONE),))

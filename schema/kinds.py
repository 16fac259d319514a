"""Dictionaries that are enums: their values that exist for the role, with names for people."""

from enum import StrEnum

from strawberry.types.field import StrawberryField

from core.translation import message
from schema.context import Context
from schema.directives import Visible
from schema.fields import object_type, schema_field
from schema.operations import query
from schema.rules import Rules


def dictionary_of(enum: type[StrEnum], rule: Visible, *, says: str) -> None:
    """Declares the root field that lists an enum's values: ``shiftKinds`` of ShiftKind.

    Which of them exist for a role is said on the enum. Names stand in ``translations/`` under
    the enum's name and the value, such as ShiftKind.DAY.
    """
    name, rules = enum.__name__, Rules((rule,))
    fields: dict[str, StrawberryField] = {
        "kind": schema_field(name, lambda kind, _: kind, rules, "The value."),
        "name": schema_field(
            "str",
            lambda kind, info: message(info.context.viewer.language, f"{name}.{kind.name}"),
            rules,
            "Its name, in the viewer's language.",
        ),
    }
    object_type(f"{name}Entry", fields, rules, f"One {name}, with its name for people.")

    def values(context: Context) -> list[StrEnum]:
        known = context.viewer.rights.coordinates
        return [kind for kind in enum if f"{name}.{kind.name}" in known]

    root = f"{name[0].lower()}{name[1:]}s"
    query(root, f"list[{name}Entry]", rule, says=says)(values)

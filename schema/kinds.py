"""Dictionaries that are enums: their values that exist for the role, with names for people."""

from enum import StrEnum

from core.translation import message
from schema.context import Context
from schema.directives import Visible
from schema.operations import query
from schema.views import computed, object_of


def dictionary_of(enum: type[StrEnum], rule: Visible, *, says: str) -> None:
    """Declares the root field that lists an enum's values: ``shiftKinds`` of ShiftKind.

    Which of them exist for a role is said on the enum. Names stand in ``translations/`` under
    the enum's name and the value, such as ShiftKind.DAY.
    """
    name = enum.__name__
    entry = f"{name}Entry"
    fields = {
        "kind": computed(name, rule, says="The value.", value=lambda kind, _: kind),
        "name": computed(
            "str",
            rule,
            says="Its name, in the viewer's language.",
            value=lambda kind, context: message(context.viewer.language, f"{name}.{kind.name}"),
        ),
    }
    declare = object_of(rule)
    declare(type(entry, (), {**fields, "__doc__": f"One {name}, with its name for people."}))

    def values(context: Context) -> list[StrEnum]:
        known = context.viewer.rights.coordinates
        return [kind for kind in enum if f"{name}.{kind.name}" in known]

    root = f"{name[0].lower()}{name[1:]}s"
    query(root, f"list[{entry}]", rule, says=says)(values)

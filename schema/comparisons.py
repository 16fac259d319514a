"""Comparisons: the inputs that compare one value, and what they mean for a column.

Whatever stands in one is read as the column keeps it, or refused by its path.
"""

from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import Any

import strawberry
from strawberry.types.field import StrawberryField

from core.errors import InputInvalid
from core.text import fold
from models.conditions import Among, Compare, Condition, IsNull, Not, changed, every, filled, some
from schema.fields import EVERYBODY, id_of, object_type
from schema.names import NAMES, annotation
from schema.rules import Rules
from schema.views import Spec, View

_MOST = 100
_LONGEST = 400


class FilterInvalid(InputInvalid):
    """A filter too large, too deep, or with text that no database keeps."""

    code = "FILTER_INVALID"


def _text(value: str, path: str) -> str:
    storable = value.replace("\0", "").encode(errors="ignore").decode()
    if value != storable or len(value) > _LONGEST:
        raise FilterInvalid(path)
    return value


def _plain(value: Any, _path: str) -> Any:
    return value


_COMPARED = ("eq", "in", "lt", "lte", "gt", "gte")
# For each scalar: the operators of its filter, and how a value at a path is read.
_SCALARS: dict[str, tuple[tuple[str, ...], Callable[[Any, str], Any]]] = {
    "str": (("eq", "in", "contains", "starts_with"), _text),
    "exact": (("eq", "in"), _text),
    "ID": (("eq", "in"), id_of),
    "date": (_COMPARED, _plain),
    "datetime": (_COMPARED, _plain),
    "int": (_COMPARED, _plain),
    "Decimal": (_COMPARED, _plain),
    "bool": (("eq",), _plain),
}
_FILTERS = {
    "str": "TextFilter",
    "exact": "CodeFilter",
    "ID": "IDFilter",
    "date": "DateFilter",
    "datetime": "DateTimeFilter",
    "int": "IntFilter",
    "Decimal": "DecimalFilter",
    "bool": "BooleanFilter",
}
_SAYS = {
    "eq": "Equal to this.",
    "in": "One of these, at most 100.",
    "contains": "Holds this text; case and ё do not matter.",
    "starts_with": "Begins with this text; case and ё do not matter.",
    "lt": "Before, or less than this.",
    "lte": "Not after, or not more than this.",
    "gt": "After, or more than this.",
    "gte": "Not before, or not less than this.",
    "is_null": "Whether there is no value.",
}


def is_enum(name: str) -> bool:
    found = NAMES.get(name)
    return isinstance(found, type) and issubclass(found, Enum)


def operators_of(view: View, made: Spec) -> str | None:
    """The name of the input that compares a column's values; of a list there is none."""
    name = made.named_type
    if name in _SCALARS:
        return _FILTERS["exact" if name == "str" and folded(view, made) is None else name]
    return f"{name}Filter" if is_enum(name) else None


def folded(view: View, made: Spec) -> str | None:
    """The folded companion of a text column, where it has one."""
    name = f"{made.column}_folded"
    return name if name in view.model._meta.fields_map else None


def declare_operators() -> None:
    """The inputs that compare one scalar."""
    for name, (operators, _) in _SCALARS.items():
        _declare_comparison(_FILTERS[name], "str" if name == "exact" else name, operators)


def declare_enum_filter(name: str) -> None:
    if f"{name}Filter" not in NAMES:
        _declare_comparison(f"{name}Filter", name, ("eq", "in"))


def _declare_comparison(name: str, type_: str, operators: tuple[str, ...]) -> None:
    fields = {
        operator: input_field(
            f"list[{type_}] | None" if operator == "in" else f"{type_} | None",
            EVERYBODY,
            _SAYS[operator],
            "in" if operator == "in" else None,
        )
        for operator in operators
    }
    # ``in`` is a keyword of Python, and so cannot name the attribute.
    if "in" in fields:
        fields["in_"] = fields.pop("in")
    fields["is_null"] = input_field("bool | None", EVERYBODY, _SAYS["is_null"])
    object_type(name, fields, EVERYBODY, "Conditions that must all hold.", is_input=True)


def input_field(
    type_: str, rules: Rules, says: str, graphql_name: str | None = None
) -> StrawberryField:
    return StrawberryField(
        type_annotation=annotation(type_),
        graphql_name=graphql_name,
        description=says,
        directives=rules.of,
        default=strawberry.UNSET,
    )


def parts(given: list[Any] | None, path: str) -> list[tuple[Any, str]]:
    """The items of a list, each with its path."""
    if given is None:
        return []
    if len(given) > _MOST:
        raise FilterInvalid(path)
    return [(item, f"{path}[{index}]") for index, item in enumerate(given)]


def enum_condition(
    meaning: Mapping[Any, Condition], value: Mapping[str, Any], path: str
) -> Condition:
    found = []
    if value.get("eq") is not None:
        found.append(meaning[value["eq"]])
    if value.get("in") is not None:
        found.append(some(*(meaning[item] for item, _ in parts(value["in"], f"{path}.in"))))
    if value.get("isNull") is not None:
        has_value = some(*meaning.values())
        found.append(Not(has_value) if value["isNull"] else has_value)
    return every(*found)


def comparisons(view: View, made: Spec, value: Mapping[str, Any], path: str) -> Iterable[Condition]:
    operators, read = _SCALARS.get(made.named_type, (("eq", "in"), _plain))
    column = made.column
    assert column is not None
    for operator in operators:
        name = "startsWith" if operator == "starts_with" else operator
        given = value.get(name)
        if given is None:
            continue
        at = f"{path}.{name}"
        if operator == "in":
            items = parts(given, at)
            yield Among(column, tuple(_kept(view, made, item, read, at) for item, at in items))
        elif operator in ("contains", "starts_with"):
            beside = folded(view, made)
            assert beside is not None
            text = changed(_kept(view, made, given, read, at), fold)
            yield Compare(beside, "contains" if operator == "contains" else "starts_with", text)
        else:
            yield Compare(column, operator, _kept(view, made, given, read, at))  # type: ignore[arg-type]  # one of _COMPARED
    if value.get("isNull") is not None:
        yield IsNull(column) if value["isNull"] else filled(column)


def _kept(view: View, made: Spec, given: Any, read: Callable[[Any, str], Any], path: str) -> Any:
    """A value as the column keeps it; raises FilterInvalid where it is longer than any."""
    longest = getattr(view.model._meta.fields_map.get(made.column or ""), "max_length", None)
    return changed(given, _checked, read, path, longest)


def _checked(value: Any, read: Callable[[Any, str], Any], path: str, longest: int | None) -> Any:
    value = read(value, path)
    if longest is not None and isinstance(value, str) and len(value) > longest:
        raise FilterInvalid(path)
    return value

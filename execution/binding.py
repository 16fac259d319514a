"""What of a request its statement binds, and what of it decides the statement."""

from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any

from auth.viewer import Viewer
from models.conditions import Slot

# Values that are written into the statement.
_DECIDING = (bool, Enum)


def sources_of(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of the values that are bound, as the slots made of them tell them."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from sources_of(inner, (*path, name))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from sources_of(inner, (*path, number))
    elif value is not None and not isinstance(value, _DECIDING):
        yield path


def shape_of(value: Any) -> Any:
    """What of coerced values decides the statement: all but the values that are bound."""
    if type(value) is str:
        return ...
    if value is None or isinstance(value, _DECIDING):
        return value
    if isinstance(value, dict):
        return tuple([(name, shape_of(inner)) for name, inner in value.items()])
    if isinstance(value, list):
        return tuple(map(shape_of, value))
    return ...


def viewer_shape(viewer: Viewer) -> Any:
    """What of a viewer decides the statement, beside the role."""
    return (
        viewer.account_id is None,
        viewer.session_id is None,
        viewer.practitioner_id is None,
        viewer.profession,
        len(viewer.departments),
        tuple([place.department_id is None for place in viewer.places]),
    )


def slots_of(variables: Mapping[str, Any]) -> dict[str, Any]:
    """The variables with every value that is bound as a slot."""
    return {name: _slotted(value, (name,)) for name, value in variables.items()}


def _slotted(value: Any, path: tuple[Any, ...]) -> Any:
    if isinstance(value, dict):
        return {name: _slotted(inner, (*path, name)) for name, inner in value.items()}
    if isinstance(value, list):
        return [_slotted(inner, (*path, number)) for number, inner in enumerate(value)]
    if value is None or isinstance(value, _DECIDING):
        return value

    def read(request: Any) -> Any:
        found = request.variables
        for step in path:
            found = found[step]
        return found

    return Slot(value, read, path)

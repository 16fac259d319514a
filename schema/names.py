"""The names of the schema: every GraphQL type by its class, so that views can name one another.

An annotation such as ``"Department | None"`` is resolved here when the schema is built; a view
therefore imports no other view.
"""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import strawberry
from strawberry.annotation import StrawberryAnnotation

NAMES: dict[str, Any] = {
    "ID": strawberry.ID,
    "date": date,
    "datetime": datetime,
    "Decimal": Decimal,
}


class NameTaken(Exception):
    """Two types of the schema have one name."""


def register(name: str, type_: Any) -> None:
    """Gives a type its name; raises NameTaken."""
    if NAMES.setdefault(name, type_) is not type_:
        raise NameTaken(name)


def annotation(text: Any) -> StrawberryAnnotation:
    """An annotation whose names are those of the schema, resolved when it is built."""
    return StrawberryAnnotation(text, namespace=NAMES)

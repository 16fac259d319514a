"""What statements are put together from: tables under names of their own, and pieces of text."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Protocol

from tortoise.models import Model

from resolvers.pages import may_be_empty

# The columns in which many rows are alike: by them scopes are limited.
SHARED = {"organisation_id", "department_id"}


@dataclass(slots=True)
class Alias:
    """A table under a name of its own, and which of its columns are used."""

    name: str
    model: type[Model]
    used: dict[str, None] = field(default_factory=dict)
    # Whether its rows are found by their parent, and not by what many rows share.
    by_parent: bool = False

    def column(self, name: str) -> str:
        stored = self.model._meta.fields_db_projection["id" if name == "pk" else name]
        self.used[stored] = None
        return f'{self.name}."{stored}"'

    def found_by_parent(self) -> "Alias":
        return replace(self, by_parent=True)

    def may_be_empty(self, name: str) -> bool:
        return may_be_empty(self.model, name)


class Filtering(Protocol):
    """Whoever knows, once all is asked for, which rows an aggregate is of."""

    @property
    def filter(self) -> str: ...


class Literal(str):
    """A piece that is itself text of the answer."""


class Filtered(str):
    """An aggregate of the texts of a page, which may hold a row more than was asked for."""

    page: "Filtering"

    def __new__(cls, sql: str, page: "Filtering") -> "Filtered":
        made = super().__new__(cls, sql)
        made.page = page
        return made


def braced(entries: Iterable[tuple[str, list[str]]]) -> list[str]:
    """The pieces of an object."""
    pieces: list[str] = []
    for key, value in entries:
        pieces += [Literal(f'{"," if pieces else "{"}"{key}":'), *value]
    return [*pieces, Literal("}" if pieces else "{}")]


def text_of(pieces: list[str]) -> str:
    """One SQL expression of a text: neighbouring literals are one."""
    found: list[str] = []
    literal = ""
    for piece in pieces:
        if isinstance(piece, Literal):
            literal += piece
            continue
        if literal:
            found.append(quoted(literal))
            literal = ""
        if isinstance(piece, Filtered):
            piece = f"coalesce({piece}{piece.page.filter}, '')"
        found.append(piece)
    if literal:
        found.append(quoted(literal))
    return _concatenated(found)


def _concatenated(pieces: list[str]) -> str:
    # SQLite takes expressions a thousand levels deep.
    while len(pieces) > 50:
        pieces = [
            f"({' || '.join(pieces[start : start + 50])})" for start in range(0, len(pieces), 50)
        ]
    return " || ".join(pieces)


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"

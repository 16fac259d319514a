"""The committed matrix of permissions, read back from its Markdown."""

import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from models.role import Role
from schema.build import build
from schema.printing import permissions_of

ROOT = Path(__file__).parents[2]
PERMISSIONS = ROOT / "docs" / "permissions.md"
SCHEMA = ROOT / "schema.graphql"

HIDDEN, SHOWN = "·", "●"
_UNIFORM = re.compile(r"- \*\*(\w+)\*\* and all of its (\d+) elements: (.*)")


@dataclass
class Matrix:
    """The marks: by type, by element, by role."""

    types: dict[str, dict[Role, str]] = field(default_factory=dict)
    elements: dict[str, dict[str, dict[Role, str]]] = field(default_factory=dict)
    # Types that are written as one line, with the number of their elements.
    uniform: dict[str, int] = field(default_factory=dict)

    def type(self, name: str, role: Role) -> str:
        return self.types[name][role]

    def mark(self, type_name: str, element: str, role: Role) -> str:
        if type_name in self.uniform:
            return self.types[type_name][role]
        return self.elements[type_name][element][role]


def read_matrix(text: str) -> Matrix:
    """The matrix as it stands in Markdown."""
    matrix = Matrix()
    current = ""
    for line in text.splitlines():
        uniform = _UNIFORM.match(line)
        if uniform:
            name, number, roles = uniform.groups()
            shown = set(roles.split(", "))
            matrix.types[name] = {role: SHOWN if role.value in shown else HIDDEN for role in Role}
            matrix.uniform[name] = int(number)
            continue
        if not line.startswith("| ") or line.startswith(("| |", "| mark")):
            continue
        name, *marks = (cell.strip() for cell in line.strip("|").split("|"))
        if len(marks) != len(Role):
            continue
        by_role = dict(zip(Role, marks, strict=True))
        if name.startswith("**"):
            current = name.strip("*")
            matrix.types[current] = by_role
            matrix.elements[current] = {}
        else:
            matrix.elements[current][name] = by_role
    return matrix


@cache
def committed() -> Matrix:
    """The committed matrix; the generated one while nothing is committed yet."""
    if PERMISSIONS.exists():
        return read_matrix(PERMISSIONS.read_text(encoding="utf-8"))
    return read_matrix(permissions_of(build()))


def scopes_of(mark: str) -> list[str]:
    """The scopes to which a mark limits a field; none where it is not limited."""
    return [part for part in re.split(r"[ ,+]+", mark) if part in ("own", "department", "all")]


def kept_of(mark: str) -> int | None:
    """How many characters a mask keeps; None where the mark tells of none."""
    found = re.match(r"masked (\d+)", mark)
    return int(found.group(1)) if found else None

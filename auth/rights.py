"""What a role may see, as compiled from the schema's directives: rows, cells and values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from tortoise.models import Model

from models.role import Role


class Scope(StrEnum):
    """Which rows: one's own, the department's, those in one's care, all of the organisation."""

    OWN = "OWN"
    DEPARTMENT = "DEPARTMENT"
    CARE = "CARE"
    ALL = "ALL"


Scopes = frozenset[Scope]


@dataclass(frozen=True, slots=True)
class RowRights:
    """What one role sees of one model."""

    # Which rows; their union.
    rows: Scopes
    # Scopes narrower than ``rows`` by which some field of the role is limited.
    cells: Scopes = frozenset()
    # Columns some of whose values do not exist for the role: rows with others do not either.
    values: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rights:
    """What one role sees. Made by ``schema`` at start; resolvers only ever ask ``auth.rows``."""

    role: Role
    models: Mapping[type[Model], RowRights] = field(default_factory=dict)
    # Models of which the role is told numbers, and of which rows: it may see none of them.
    aggregates: Mapping[type[Model], RowRights] = field(default_factory=dict)
    # Coordinates (``Type.field``) that exist for the role.
    coordinates: frozenset[str] = frozenset()

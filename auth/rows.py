"""Row scopes: for each model, what «own», «department» and «all» mean, as one SQL predicate."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from operator import attrgetter
from typing import Any, Literal, TypeVar
from uuid import UUID

from tortoise.expressions import Case, When
from tortoise.models import Model
from tortoise.queryset import QuerySet

from auth.rights import RowRights, Scope, Scopes
from auth.viewer import Viewer
from core.errors import Problem
from models.account import Account, Session
from models.application import Application
from models.audit import AuditEntry
from models.conditions import (
    ALWAYS,
    NEVER,
    Among,
    Compare,
    Condition,
    IsNull,
    Slot,
    every,
    filled,
    some,
    to_q,
)
from models.course import Course, CourseAudience, Enrolment
from models.factor import Passkey
from models.grant import RoleGrant
from models.licence import Licence
from models.organisation import Department, DictionaryEntry, Organisation
from models.practitioner import Position, Practitioner, Profession
from models.role import Role
from models.shift import DayWish, Shift
from models.ticket import Ticket, TicketDocument

M = TypeVar("M", bound=Model)


class NotFound(Problem):
    """There is no such row for this viewer, whether or not it exists."""

    code = "NOT_FOUND"


@dataclass(frozen=True, slots=True)
class Reach:
    """The columns by which a model's rows belong to somebody. Paths are Tortoise's lookups."""

    organisation: str | None = "organisation_id"
    department: str | None = None
    own: str | None = None
    owner: Literal["account_id", "session_id", "practitioner_id", "profession"] = "practitioner_id"
    # What holds of rows that are seen by any scope but one's own.
    others: Condition = ALWAYS
    # One's own rows of a personal model do not depend on where the active role was granted.
    personal: bool = False
    # Who sees the rows that belong to no organisation, wherever the role was granted.
    strays: frozenset[Role] = frozenset()


REACH: dict[type[Model], Reach] = {
    Organisation: Reach(organisation="id"),
    Department: Reach(department="id"),
    DictionaryEntry: Reach(organisation=None),
    Practitioner: Reach(department="department_id", own="id"),
    Position: Reach(department="department_id", own="practitioner_id"),
    Account: Reach(
        department="practitioner__department_id",
        own="id",
        owner="account_id",
        personal=True,
        # A citizen may be locked out too.
        strays=frozenset({Role.OPERATOR}),
    ),
    Session: Reach(
        organisation="account__organisation_id", own="account_id", owner="account_id", personal=True
    ),
    # A passkey is nobody else's, wherever the role was granted.
    Passkey: Reach(
        organisation="account__organisation_id", own="account_id", owner="account_id", personal=True
    ),
    RoleGrant: Reach(
        department="department_id", own="account_id", owner="account_id", personal=True
    ),
    Licence: Reach(department="practitioner__department_id", own="practitioner_id"),
    Shift: Reach(department="department_id", own="practitioner_id"),
    DayWish: Reach(department="practitioner__department_id", own="practitioner_id"),
    # A course is one's own when it is offered to one's profession.
    Course: Reach(own="audience", owner="profession"),
    Enrolment: Reach(department="practitioner__department_id", own="practitioner_id"),
    Application: Reach(
        department="practitioner__department_id",
        own="account_id",
        owner="account_id",
        # A draft is its author's (decision 0009).
        others=filled("submitted_at"),
        personal=True,
    ),
    # An entry is one's own when it is about oneself: who looked at me.
    AuditEntry: Reach(department="about__department_id", own="about_id"),
    # Whoever is locked out may belong nowhere, or be nobody that is known.
    Ticket: Reach(organisation="account__organisation_id", strays=frozenset({Role.OPERATOR})),
    TicketDocument: Reach(
        organisation="ticket__account__organisation_id", strays=frozenset({Role.OPERATOR})
    ),
}

_AUDIENCES: dict[Profession, tuple[CourseAudience, ...]] = {
    Profession.DOCTOR: (CourseAudience.DOCTORS, CourseAudience.EVERYONE),
    Profession.NURSE: (CourseAudience.NURSES, CourseAudience.EVERYONE),
    Profession.OTHER: (CourseAudience.EVERYONE,),
}


def asked(viewer: Viewer, *path: str | int) -> Slot:
    """What the viewer is or has, as a value that another request of its shape gives anew."""
    read = _reader(path)
    return Slot(read(viewer), _of_viewer(path))


@cache
def _reader(path: tuple[str | int, ...]) -> Callable[[Any], Any]:
    names = [step for step in path if isinstance(step, str)]
    if len(names) == len(path):
        return attrgetter(".".join(names))

    def read(found: Any) -> Any:
        for step in path:
            found = found[step] if isinstance(step, int) else getattr(found, step)
        return found

    return read


@cache
def _of_viewer(path: tuple[str | int, ...]) -> Callable[[Any], Any]:
    return _reader(("viewer", *path))


def scope_of(viewer: Viewer, model: type[Model]) -> Condition:
    """The rows of a model that exist for the viewer."""
    return _rows_of(viewer, model, viewer.rights.models.get(model))


def counted(viewer: Viewer, model: type[Model]) -> Condition:
    """The rows of a model of which the viewer is told numbers."""
    return _rows_of(viewer, model, viewer.rights.aggregates.get(model))


def person_behind(model: type[Model]) -> str | None:
    """The column that tells whose a row is; None where rows are of nobody."""
    reach = REACH[model]
    return None if reach.owner == "profession" else reach.own


def _rows_of(viewer: Viewer, model: type[Model], rights: RowRights | None) -> Condition:
    if rights is None:
        return NEVER
    seen = (Among(column, tuple(sorted(values))) for column, values in rights.values.items())
    return every(within(viewer, model, rights.rows), *seen)


def existing(viewer: Viewer, model: type[M]) -> QuerySet[M]:
    """The rows of a model that exist for the viewer, nothing run yet."""
    return model.filter(to_q(scope_of(viewer, model)))


def visible(viewer: Viewer, model: type[M]) -> QuerySet[M]:
    """The same rows, each with ``in_own`` and the like for the scopes that limit cells."""
    rows = existing(viewer, model)
    rights = viewer.rights.models.get(model)
    if rights is None or not rights.cells:
        return rows
    return rows.annotate(
        **{
            flag_of(scope): Case(
                When(to_q(within(viewer, model, frozenset({scope}))), then="1"), default="0"
            )
            for scope in sorted(rights.cells)
        }
    )


def flag_of(scope: Scope) -> str:
    """The name of the annotation that tells whether a row is in a scope."""
    return f"in_{scope.value.lower()}"


def within(viewer: Viewer, model: type[Model], scopes: Scopes) -> Condition:
    """The predicate of the union of scopes, within the places where the role was granted."""
    reach = REACH[model]
    parts = []
    for scope in sorted(scopes):
        part = _scope(viewer, reach, scope)
        if scope is not Scope.OWN:
            part = every(part, reach.others)
        if scope is not Scope.OWN or not reach.personal:
            part = every(part, _places(viewer, reach))
        parts.append(part)
    return some(*parts)


def _scope(viewer: Viewer, reach: Reach, scope: Scope) -> Condition:
    if scope is Scope.ALL:
        return ALWAYS
    if scope is Scope.OWN and reach.own is not None:
        owner = getattr(viewer, reach.owner)
        if owner is None:
            return NEVER
        if reach.owner == "profession":
            return Among(reach.own, tuple(audience.value for audience in _AUDIENCES[owner]))
        return Compare(reach.own, "eq", asked(viewer, reach.owner))
    if scope is Scope.DEPARTMENT and reach.department is not None and viewer.departments:
        numbers = range(len(viewer.departments))
        return Among(reach.department, tuple(asked(viewer, "departments", n) for n in numbers))
    return NEVER


def _places(viewer: Viewer, reach: Reach) -> Condition:
    if reach.organisation is None:
        return ALWAYS
    parts = []
    for number, place in enumerate(viewer.places):
        organisation = asked(viewer, "places", number, "organisation_id")
        part: Condition = Compare(reach.organisation, "eq", organisation)
        if place.department_id is not None and reach.department is not None:
            department = asked(viewer, "places", number, "department_id")
            part = every(part, Compare(reach.department, "eq", department))
        parts.append(part)
    if viewer.role in reach.strays and viewer.places:
        parts.append(IsNull(reach.organisation))
    return some(*parts)


async def find(viewer: Viewer, model: type[M], row_id: UUID, field: str = "id") -> M:
    """One visible row; raises NotFound about the named input field."""
    row = await visible(viewer, model).get_or_none(id=row_id)
    if row is None:
        raise NotFound(field)
    return row


async def lock(viewer: Viewer, model: type[M], row_id: UUID, field: str = "id") -> M:
    """One visible row, locked until the unit of work ends; raises NotFound.

    SQLite's unit of work holds the only write lock already. The row is locked before it is
    looked at, so that what is seen is what is changed.
    """
    # Not values_list: Tortoise leaves FOR UPDATE out of it.
    await model.filter(id=row_id).select_for_update(no_key=True).only("id")
    return await find(viewer, model, row_id, field)

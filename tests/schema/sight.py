"""What a person may see, computed in Python from the rows: knows nothing of ``auth.rows``.

The table of rows is written by hand from DOMAIN.md, «What differs, exactly».
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any
from uuid import UUID

from tortoise.models import Model

from core.clock import day_of
from models.account import Account, Session
from models.application import Application, ApplicationKind
from models.audit import AuditEntry
from models.course import Course, CourseAudience, Enrolment
from models.factor import Passkey
from models.grant import RoleGrant
from models.licence import Licence
from models.organisation import Department, DictionaryEntry, Organisation
from models.practitioner import Position, Practitioner, Profession
from models.role import Role
from models.shift import DayWish, Shift, ShiftKind
from models.ticket import Ticket, TicketDocument
from tests.world import Person

OWN, DEPARTMENT, ALL = "own", "department", "all"
STAFF = (Role.DOCTOR, Role.NURSE, Role.ADMIN, Role.INSPECTOR, Role.OPERATOR)
SIGNED_IN = tuple(role for role in Role if role is not Role.VISITOR)


def _rows(*rules: tuple[Iterable[Role], str]) -> dict[Role, frozenset[str]]:
    return {
        role: frozenset(scope for roles, scope in rules if role in roles)
        for role in Role
        if any(role in roles for roles, _ in rules)
    }


_OVERSIGHT = (Role.ADMIN, Role.INSPECTOR)
_CLINICAL = (Role.DOCTOR, Role.NURSE)
_REGISTRY = _rows(
    ((Role.DOCTOR, Role.ADMIN, Role.INSPECTOR, Role.OPERATOR), ALL),
    ((Role.NURSE,), DEPARTMENT),
    ((Role.NURSE,), OWN),
)

# Which rows of a model exist for a role: the union of scopes. Who is not listed has none.
ROWS: dict[type[Model], dict[Role, frozenset[str]]] = {
    Organisation: _rows(((*STAFF, Role.ANALYST), ALL)),
    Department: _rows(((*STAFF, Role.ANALYST), ALL)),
    DictionaryEntry: _rows((tuple(Role), ALL)),
    Practitioner: _REGISTRY,
    Position: _REGISTRY,
    Account: _rows((SIGNED_IN, OWN), ((Role.ADMIN, Role.OPERATOR), ALL)),
    Session: _rows((SIGNED_IN, OWN)),
    Passkey: _rows((SIGNED_IN, OWN)),
    RoleGrant: _rows(((*_CLINICAL, Role.CITIZEN), OWN), (_OVERSIGHT, ALL)),
    AuditEntry: _rows((_CLINICAL, OWN), ((Role.INSPECTOR,), ALL)),
    Licence: _rows((_CLINICAL, OWN), ((Role.DOCTOR,), DEPARTMENT), (_OVERSIGHT, ALL)),
    Shift: _rows((_CLINICAL, DEPARTMENT), (_OVERSIGHT, ALL)),
    DayWish: _rows((_CLINICAL, OWN), ((Role.ADMIN,), ALL)),
    Course: _rows((_CLINICAL, OWN), ((*_OVERSIGHT, Role.ANALYST), ALL)),
    Enrolment: _rows((_CLINICAL, OWN), ((Role.ADMIN,), ALL)),
    Application: _rows(((*_CLINICAL, Role.CITIZEN), OWN), (_OVERSIGHT, ALL)),
    Ticket: _rows(((Role.OPERATOR,), ALL)),
    TicketDocument: _rows(((Role.OPERATOR,), ALL)),
}

# Enum values that do not exist for a role: neither do the rows that carry them.
HIDDEN_VALUES: dict[tuple[type[Model], str], dict[Role, frozenset[Any]]] = {
    (Shift, "kind"): {Role.NURSE: frozenset({ShiftKind.HOME_DUTY, ShiftKind.CONSULTATION})},
    (Application, "kind"): {
        Role.CITIZEN: frozenset(ApplicationKind) - {ApplicationKind.ATTACH_ROLE},
        Role.DOCTOR: frozenset({ApplicationKind.NURSING_PERMIT}),
        Role.NURSE: frozenset(
            {ApplicationKind.PRESCRIBING_RIGHTS, ApplicationKind.PRESCRIBER_CODE}
        ),
    },
}

AUDIENCES = {
    Profession.DOCTOR: {CourseAudience.DOCTORS, CourseAudience.EVERYONE},
    Profession.NURSE: {CourseAudience.NURSES, CourseAudience.EVERYONE},
    Profession.OTHER: {CourseAudience.EVERYONE},
}

# One's own rows of these do not depend on where the role was granted.
PERSONAL = (Account, Session, Passkey, RoleGrant, Application)


class Snapshot:
    """Every row of every model that a view shows, at one moment."""

    def __init__(self, rows: dict[type[Model], list[Any]]) -> None:
        self.rows = rows

    @classmethod
    async def read(cls) -> "Snapshot":
        return cls({model: list(await model.all().order_by("id")) for model in ROWS})

    @cached_property
    def _by_id(self) -> dict[type[Model], dict[UUID, Any]]:
        return {model: {row.id: row for row in rows} for model, rows in self.rows.items()}

    @cached_property
    def _worker_of(self) -> dict[UUID, Any]:
        return {row.account_id: row for row in self.rows[Practitioner] if row.account_id}

    def get(self, model: type[Model], row_id: UUID | None) -> Any:
        return None if row_id is None else self._by_id[model].get(row_id)

    def worker_of(self, account_id: UUID | None) -> Any:
        """The staff file of an account."""
        return None if account_id is None else self._worker_of.get(account_id)


@dataclass(frozen=True)
class Sight:
    """One person's sight of the rows of a snapshot."""

    snapshot: Snapshot
    role: Role
    now: datetime
    account_id: UUID | None
    practitioner: Any
    departments: frozenset[UUID]
    # Organisations, each with the department to which the role is limited there.
    places: frozenset[tuple[UUID, UUID | None]]
    zone: str

    @classmethod
    def of(cls, snapshot: Snapshot, person: Person, now: datetime) -> "Sight":
        account_id = person.account.id if person.account else None
        grants = [
            grant
            for grant in snapshot.rows[RoleGrant]
            if grant.account_id == account_id
            and grant.role is person.role
            and grant.revoked_at is None
            and grant.starts_at <= now
            and (grant.ends_at is None or now < grant.ends_at)
        ]
        zone = "Europe/Moscow"
        if grants:
            zone = snapshot.get(Organisation, grants[0].organisation_id).zone
        worker = snapshot.worker_of(account_id)
        today = day_of(now, zone)
        departments = {
            position.department_id
            for position in snapshot.rows[Position]
            if worker is not None
            and position.practitioner_id == worker.id
            and position.starts_on <= today
            and (position.ends_on is None or today <= position.ends_on)
        }
        if worker is not None and worker.department_id is not None:
            departments.add(worker.department_id)
        places = frozenset((grant.organisation_id, grant.department_id) for grant in grants)
        return cls(
            snapshot, person.role, now, account_id, worker, frozenset(departments), places, zone
        )

    def sees(self, row: Any) -> bool:
        """Whether a row exists for this person."""
        model = type(row)
        for (of, column), hidden in HIDDEN_VALUES.items():
            if of is model and getattr(row, column) in hidden.get(self.role, ()):
                return False
        return any(self.within(row, scope) for scope in ROWS[model].get(self.role, ()))

    def seen(self, model: type[Model]) -> list[Any]:
        return [row for row in self.snapshot.rows[model] if self.sees(row)]

    def within(self, row: Any, scope: str) -> bool:
        """Whether a row lies in a scope."""
        if scope == OWN:
            return self._owns(row) and (isinstance(row, PERSONAL) or self._is_in_place(row))
        if isinstance(row, Application) and row.submitted_at is None:
            return False  # a draft is its author's
        if scope == DEPARTMENT and self._department_of(row) not in self.departments:
            return False
        return self._is_in_place(row)

    def _owns(self, row: Any) -> bool:
        worker = self.practitioner
        if isinstance(row, Account):
            return bool(row.id == self.account_id)
        if isinstance(row, Session | Passkey | RoleGrant | Application):
            return bool(row.account_id == self.account_id)
        if worker is None:
            return False
        if isinstance(row, Practitioner):
            return bool(row.id == worker.id)
        if isinstance(row, Course):
            return row.audience in AUDIENCES[worker.profession]
        if isinstance(row, AuditEntry):
            return bool(row.about_id == worker.id)
        return bool(getattr(row, "practitioner_id", None) == worker.id)

    def _is_in_place(self, row: Any) -> bool:
        if isinstance(row, DictionaryEntry):
            return True
        organisation = self._organisation_of(row)
        if isinstance(row, Account | Ticket | TicketDocument) and organisation is None:
            return self.role is Role.OPERATOR
        everywhere = isinstance(
            row, Organisation | Course | Session | Passkey | Ticket | TicketDocument
        )
        return any(
            organisation == place
            and (limit is None or everywhere or self._department_of(row) == limit)
            for place, limit in self.places
        )

    def _organisation_of(self, row: Any) -> UUID | None:
        if isinstance(row, Organisation):
            return row.id
        if isinstance(row, TicketDocument):
            row = self.snapshot.get(Ticket, row.ticket_id)
        if isinstance(row, Session | Passkey | Ticket):
            account = self.snapshot.get(Account, row.account_id)
            return account.organisation_id if account is not None else None
        return row.organisation_id  # type: ignore[no-any-return]

    def _department_of(self, row: Any) -> UUID | None:
        if isinstance(row, Department):
            return row.id
        if isinstance(row, Practitioner | Position | Shift | RoleGrant):
            return row.department_id
        worker = None
        if isinstance(row, Account):
            worker = self.snapshot.worker_of(row.id)
        elif isinstance(row, AuditEntry):
            worker = self.snapshot.get(Practitioner, row.about_id)
        elif isinstance(row, Licence | DayWish | Enrolment | Application):
            worker = self.snapshot.get(Practitioner, row.practitioner_id)
        return worker.department_id if worker is not None else None

"""Who calls in the tests of resolvers: the rights of DOMAIN.md's table, as far as they go."""

from typing import Any

from tortoise.models import Model

from auth.rights import Rights, RowRights, Scope
from auth.rows import REACH
from auth.viewer import Viewer
from models.account import Account
from models.application import Application
from models.audit import AuditEntry
from models.change import Change
from models.course import Course, Enrolment
from models.licence import Licence
from models.organisation import Department, DictionaryEntry, Organisation
from models.practitioner import Position, Practitioner, Profession
from models.role import Role
from models.shift import Shift, ShiftKind
from tests import factories as make

ALL = RowRights(frozenset({Scope.ALL}))
OWN = RowRights(frozenset({Scope.OWN}))
_DEPARTMENT = frozenset({Scope.DEPARTMENT})
_NURSING_KINDS = frozenset(ShiftKind) - {ShiftKind.HOME_DUTY, ShiftKind.CONSULTATION}

_CATALOGUE: dict[type[Model], RowRights] = {
    Organisation: ALL,
    Department: ALL,
    DictionaryEntry: ALL,
    Position: ALL,
}
_PERSONAL: dict[type[Model], RowRights] = {
    Licence: OWN,
    Course: OWN,
    Enrolment: OWN,
    Application: OWN,
}

RIGHTS = {
    Role.ADMIN: Rights(Role.ADMIN, dict.fromkeys(REACH, ALL)),
    Role.DOCTOR: Rights(
        Role.DOCTOR,
        {
            **_CATALOGUE,
            **_PERSONAL,
            Practitioner: ALL,
            Shift: RowRights(_DEPARTMENT, cells=frozenset({Scope.OWN})),
        },
    ),
    Role.NURSE: Rights(
        Role.NURSE,
        {
            **_CATALOGUE,
            **_PERSONAL,
            Practitioner: RowRights(_DEPARTMENT | {Scope.OWN}),
            Shift: RowRights(
                _DEPARTMENT, cells=frozenset({Scope.OWN}), values={"kind": _NURSING_KINDS}
            ),
        },
    ),
    Role.CITIZEN: Rights(Role.CITIZEN, {Application: OWN}),
}


async def administrator(
    organisation: Organisation, department: Department | None = None, **values: Any
) -> Viewer:
    """An administrator of the organisation, or of one department of it."""
    return await make.viewer(
        Role.ADMIN,
        account=await make.account(organisation),
        organisation=organisation,
        rights=RIGHTS[Role.ADMIN],
        department_id=department.id if department else None,
        **values,
    )


async def worker(department: Department, **values: Any) -> tuple[Viewer, Practitioner]:
    """A doctor, or whoever ``profession`` says, with an account; and their file."""
    organisation = await Organisation.get(id=department.organisation_id)
    account = await make.account(organisation)
    person = await make.practitioner(department, account=account, **values)
    role = Role.NURSE if person.profession is Profession.NURSE else Role.DOCTOR
    viewer = await make.viewer(
        role, account=account, organisation=organisation, rights=RIGHTS[role]
    )
    return viewer, person


def citizen(account: Account, **values: Any) -> Viewer:
    return Viewer(rights=RIGHTS[Role.CITIZEN], now=make.NOW, account_id=account.id, **values)


async def journal() -> list[tuple[str, str, Any]]:
    """The audit trail: action, kind of subject and whom it is about, in order."""
    entries = await AuditEntry.all().order_by("position")
    return [(entry.action, entry.subject_type, entry.about_id) for entry in entries]


async def announced() -> list[tuple[str, Any, Any]]:
    """The change feed: kind, account and subject, in order."""
    changes = await Change.all().order_by("id")
    return [(change.kind.value, change.account_id, change.subject_id) for change in changes]


def problems_of(refused: Any) -> list[tuple[str, str]]:
    """Codes and fields of what ``pytest.raises`` caught: one problem, or several at once."""
    problem = refused.value
    each = getattr(problem, "problems", [problem])
    return [(one.code, one.field) for one in each]

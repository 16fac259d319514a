"""Makers of rows, one per table, with sensible values; and viewers in any role."""

from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

from auth.rights import Rights
from auth.viewer import Place, Viewer
from models.account import Account, AccountState
from models.application import Application, ApplicationKind, ApplicationStatus
from models.course import Course
from models.grant import RoleGrant
from models.licence import Licence, LicenceKind
from models.organisation import SPECIALTIES, Department, DictionaryEntry, Organisation
from models.practitioner import Practitioner, Profession
from models.role import Role
from models.shift import Shift, ShiftKind
from models.ticket import Ticket, TicketDocument, TicketReason

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
_numbers = count(1)


def _next() -> int:
    return next(_numbers)


def begin() -> None:
    """Numbers from 1 again, for a database that is empty."""
    global _numbers
    _numbers = count(1)


async def organisation(**values: Any) -> Organisation:
    return await Organisation.create(**{"name": f"Больница {_next()}", **values})


async def department(organisation: Organisation, **values: Any) -> Department:
    number = _next()
    values = {"code": f"D{number}", "name": f"Отделение {number}", **values}
    return await Department.create(organisation=organisation, **values)


async def specialty(**values: Any) -> DictionaryEntry:
    number = _next()
    values = {
        "oid": SPECIALTIES,
        "version": "1.0",
        "code": str(number),
        "name": f"Специальность {number}",
        **values,
    }
    return await DictionaryEntry.create(**values)


async def account(organisation: Organisation | None = None, **values: Any) -> Account:
    number = _next()
    values = {
        "email": f"person{number}@example.org",
        "phone": f"+7900{number:07d}",
        "state": AccountState.ACTIVE,
        "confirmed_at": NOW,
        **values,
    }
    return await Account.create(organisation=organisation, **values)


async def practitioner(department: Department, **values: Any) -> Practitioner:
    number = _next()
    values = {
        "last_name": f"Фамилия{number}",
        "first_name": "Анна",
        "profession": Profession.DOCTOR,
        **values,
    }
    return await Practitioner.create(
        organisation_id=department.organisation_id, department=department, **values
    )


async def grant(
    account: Account, role: Role, organisation: Organisation, **values: Any
) -> RoleGrant:
    values = {"starts_at": NOW - timedelta(days=1), **values}
    return await RoleGrant.create(account=account, role=role, organisation=organisation, **values)


async def licence(practitioner: Practitioner, **values: Any) -> Licence:
    values = {
        "kind": LicenceKind.ACCREDITATION,
        "number": f"{_next():012d}",
        "issuer": "ФАЦ",
        "issued_on": date(2024, 1, 10),
        "expires_on": date(2029, 1, 10),
        **values,
    }
    return await Licence.create(
        organisation_id=practitioner.organisation_id, practitioner=practitioner, **values
    )


async def shift(department: Department, **values: Any) -> Shift:
    values = {
        "kind": ShiftKind.DAY,
        "starts_at": NOW + timedelta(days=1),
        "ends_at": NOW + timedelta(days=1, hours=8),
        **values,
    }
    return await Shift.create(
        organisation_id=department.organisation_id, department=department, **values
    )


async def course(organisation: Organisation, **values: Any) -> Course:
    values = {
        "title": f"Курс {_next()}",
        "provider": "Университет",
        "credits": 36,
        "starts_on": date(2026, 5, 1),
        "ends_on": date(2026, 5, 20),
        "seats": 10,
        **values,
    }
    return await Course.create(organisation=organisation, **values)


async def application(account: Account, organisation: Organisation, **values: Any) -> Application:
    """One that is past its draft was submitted."""
    is_draft = values.get("status", ApplicationStatus.DRAFT) is ApplicationStatus.DRAFT
    submitted_at = None if is_draft else NOW
    values = {"kind": ApplicationKind.CHANGE_OF_DATA, "submitted_at": submitted_at, **values}
    return await Application.create(account=account, organisation=organisation, **values)


async def ticket(contact_sealed: str, **values: Any) -> Ticket:
    values = {
        "contact_hash": f"{_next():064x}",
        "reason": TicketReason.OTHER,
        "text": "Не могу войти",
        "created_at": NOW,
        **values,
    }
    return await Ticket.create(contact_sealed=contact_sealed, **values)


async def ticket_document(ticket: Ticket, **values: Any) -> TicketDocument:
    number = _next()
    values = {
        "file_name": f"Скан {number}.pdf",
        "size": 1_000 + number,
        "media_type": "application/pdf",
        "storage_name": f"{number:032x}",
        "sha256": f"{number:064x}",
        "created_at": ticket.created_at,
        **values,
    }
    return await TicketDocument.create(ticket=ticket, **values)


async def viewer(
    role: Role, *, account: Account, organisation: Organisation, rights: Rights, **values: Any
) -> Viewer:
    """A viewer as a session would make one, without signing in."""
    practitioner = await Practitioner.get_or_none(account=account)
    place = Place(organisation.id, values.pop("department_id", None))
    return Viewer(
        rights=rights,
        now=values.pop("now", NOW),
        account_id=account.id,
        practitioner_id=practitioner.id if practitioner else None,
        profession=practitioner.profession if practitioner else None,
        departments=(practitioner.department_id,)
        if practitioner and practitioner.department_id
        else (),
        places=(place,),
        held=values.pop("held", (role,)),
        is_confirmed=account.confirmed_at is not None,
        factor_at=values.pop("factor_at", NOW),
        **values,
    )

"""A populated world: two organisations, people in every role, rows in and out of each scope."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import count, cycle
from typing import Any

from auth.audit import record
from auth.rights import Rights
from auth.viewer import Place, Viewer
from core.clock import utc_now
from core.ids import uuid7
from core.sealing import Vault
from models.account import (
    Account,
    AccountState,
    ConfirmedBy,
    Invitation,
    RefreshToken,
    Session,
    SignInFailure,
)
from models.application import ApplicationKind, ApplicationStatus
from models.database import unit_of_work
from models.imported import ImportedRecord
from models.organisation import POSITIONS, Department, DictionaryEntry, Organisation
from models.practitioner import (
    Category,
    Practitioner,
    PractitionerStatus,
    ProcedurePermit,
    Profession,
)
from models.role import Role
from models.ticket import TicketReason, TicketState
from tests import factories as make
from tests.api import Api
from tests.world_work import courses, licences, links, passkeys, positions, shifts, words


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who asks, in one of their roles."""

    name: str
    role: Role
    account: Account | None = None
    practitioner: Practitioner | None = None


@dataclass(slots=True, repr=False)
class World:
    """The world as it was made: the rows themselves are read from the database.

    It has a short repr, since asyncio writes one of every fixture's result.
    """

    now: datetime
    organisation: Organisation
    other: Organisation
    therapy: Department
    surgery: Department
    intensive: Department
    elsewhere: Department
    people: dict[str, Person] = field(default_factory=dict)

    @property
    def departments(self) -> tuple[Department, ...]:
        return (self.therapy, self.surgery, self.intensive, self.elsewhere)


# Everybody who asks, and the role in which they do.
PEOPLE: dict[str, Role] = {
    "visitor": Role.VISITOR,
    "citizen": Role.CITIZEN,
    "doctor": Role.DOCTOR,
    "doctor as admin": Role.ADMIN,
    "doctor elsewhere": Role.DOCTOR,
    "doctor limited to a department": Role.DOCTOR,
    "nurse": Role.NURSE,
    "nurse elsewhere": Role.NURSE,
    "admin": Role.ADMIN,
    "admin limited to a department": Role.ADMIN,
    "analyst": Role.ANALYST,
    "inspector": Role.INSPECTOR,
    "operator": Role.OPERATOR,
}
# One for each role, for proofs that take long.
ONE_EACH = (
    "visitor",
    "citizen",
    "doctor elsewhere",
    "nurse",
    "admin limited to a department",
    "analyst",
    "inspector",
    "operator",
)


async def world(vault: Vault, *, now: datetime | None = None) -> World:
    """Makes the world in an empty database, in one transaction; passports go into the vault."""
    return await _populate(vault, now or utc_now())


async def token_of(api: Api, person: Person) -> str | None:
    """An access token with which a person asks; None for a visitor."""
    return None if person.account is None else await api.token(person.account, person.role)


@unit_of_work
async def _populate(vault: Vault, now: datetime) -> World:
    make.begin()
    made = await _places(now)
    await _people(made, vault)
    workers = await Practitioner.all().order_by("id")
    await positions(made, workers)
    await licences(made, workers)
    await shifts(made, workers)
    await courses(made, workers)
    await _applications(made)
    await _grants(made)
    await _what_nobody_sees(made)
    await _tickets(made, vault)
    _journal(made, workers)
    await passkeys(made)
    await links(made)
    await words(made, vault)
    return made


async def _places(now: datetime) -> World:
    organisation = await make.organisation(name="Больница имени Ёжикова", ogrn="1022200525819")
    other = await make.organisation(name="ёлочка, клиника", zone="Asia/Vladivostok")
    for name in ("Терапия", "терапевт", "Ёмкая специальность", "Анестезиология"):
        await make.specialty(name=name, actual=name != "терапевт")
    for number, name in enumerate(("врач", "Медсестра")):
        await DictionaryEntry.create(oid=POSITIONS, version="2.0", code=str(number), name=name)
    return World(
        now=now,
        organisation=organisation,
        other=other,
        therapy=await make.department(organisation, code="T", name="Терапия", city="Орёл"),
        surgery=await make.department(organisation, code="s", name="хирургия", address="Мира, 2"),
        intensive=await make.department(organisation, code="I", name="Ёмкая реанимация"),
        elsewhere=await make.department(other, code="T", name="Терапия", address="Лесная, 1"),
    )


async def _people(made: World, vault: Vault) -> None:
    specialties = cycle(await DictionaryEntry.exclude(oid=POSITIONS).order_by("name_folded", "id"))
    numbers = count(1)

    async def worker(
        where: Department, profession: Profession, last_name: str, **values: Any
    ) -> Practitioner:
        number = next(numbers)
        nurse = profession is Profession.NURSE
        return await make.practitioner(
            where,
            **{
                "last_name": last_name,
                "first_name": ("Анна", "АННА", "анна", "Ёлка", None)[number % 5],
                "middle_name": "Петровна" if number % 2 else None,
                "profession": profession,
                "birth_date": date(1970 + number, 1 + number % 12, 2 + number),
                "snils": f"{11223344000 + number * 13}",
                "inn": f"{500100732000 + number * 17}",
                "passport_sealed": vault.seal(f"4509 {600000 + number * 31}"),
                "address": f"г. Орёл, ул. Лесная, д. {number}, кв. {number + 40}",
                "personal_phone": f"+7916{1000000 + number * 7}",
                "personal_email": f"Anna.{number}@example.org",
                "work_phone": f"+7495{1000000 + number}" if number % 3 else None,
                "work_email": f"w{number}@clinic.example" if number % 4 else None,
                "specialty": next(specialties) if number % 5 else None,
                "category": (*Category, None)[number % 4],
                "category_assigned_on": date(2022, 5, number) if number % 4 != 3 else None,
                "prescriber_code": None if nurse else f"K{number:05d}",
                "procedure_permits": [p.value for p in list(ProcedurePermit)[: number % 8]],
                "version": number,
                **values,
            },
        )

    ways = cycle((*ConfirmedBy, None))

    async def account(organisation: Organisation, **values: Any) -> Account:
        values = {"password_changed_at": made.now, "confirmed_by": next(ways), **values}
        return await make.account(organisation, **values)

    async def person(
        name: str, role: Role, practitioner: Practitioner | None = None, **grant: Any
    ) -> None:
        organisation = made.other if name.endswith("abroad") else made.organisation
        own = await account(organisation)
        if practitioner is not None:
            practitioner.account = own
            await practitioner.save(update_fields=["account_id"])
        if role is not Role.CITIZEN:
            await make.grant(own, role, organisation, **{"starts_at": _ago(made, 40), **grant})
        made.people[name] = Person(name, role, own, practitioner)

    doctor, nurse, other = Profession.DOCTOR, Profession.NURSE, Profession.OTHER
    ours, theirs = made.therapy, made.surgery
    made.people["visitor"] = Person("visitor", Role.VISITOR)
    await person("citizen", Role.CITIZEN)
    await person("doctor", Role.DOCTOR, await worker(ours, doctor, "Ёлкина"))
    await person("doctor elsewhere", Role.DOCTOR, await worker(theirs, doctor, "елкина"))
    await person(
        "doctor limited to a department",
        Role.DOCTOR,
        await worker(theirs, doctor, "Ершова"),
        department=theirs,
    )
    await person("nurse", Role.NURSE, await worker(ours, nurse, "ЁЖИКОВА"))
    await person("nurse elsewhere", Role.NURSE, await worker(theirs, nurse, "Ежикова"))
    await person("admin", Role.ADMIN, await worker(theirs, other, "Юрьева"))
    await person("admin limited to a department", Role.ADMIN, department=ours)
    for role in (Role.ANALYST, Role.INSPECTOR, Role.OPERATOR):
        await person(role.value.lower(), role)
    await person("doctor abroad", Role.DOCTOR, await worker(made.elsewhere, doctor, "Ёлкина"))
    await person("nurse abroad", Role.NURSE, await worker(made.elsewhere, nurse, "Якова"))
    await person("admin abroad", Role.ADMIN)

    first = made.people["doctor"]
    assert first.account is not None
    await make.grant(first.account, Role.ADMIN, made.organisation, starts_at=_ago(made, 30))
    made.people["doctor as admin"] = Person(
        "doctor as admin", Role.ADMIN, first.account, first.practitioner
    )
    # Without accounts: the incomplete, the dismissed, and one who belongs to no department.
    for where in (ours, theirs):
        await worker(where, nurse, "Абрамова", first_name=None, snils=None, inn=None)
        await worker(
            where,
            doctor,
            "абрамов",
            status=PractitionerStatus.DISMISSED,
            passport_sealed=None,
            personal_phone=None,
            address=None,
        )
    nowhere = await worker(
        made.intensive, doctor, "Щукин", status=PractitionerStatus.INCOMPLETE, birth_date=None
    )
    nowhere.department = None
    await nowhere.save(update_fields=["department_id"])
    unconfirmed: dict[str, Any] = {"confirmed_at": None, "confirmed_by": None}
    for state in AccountState:
        locked = made.now + timedelta(hours=5) if state is AccountState.LOCKED else None
        await account(made.organisation, state=state, locked_until=locked, email=None)
        await account(made.other, state=state, last_role=Role.OPERATOR, **unconfirmed)


def _ago(made: World, days: int) -> datetime:
    return made.now - timedelta(days=days)


async def _applications(made: World) -> None:
    applicants = [
        p
        for p in made.people.values()
        if p.role in (Role.CITIZEN, Role.DOCTOR, Role.NURSE) and p.account is not None
    ]
    statuses = cycle(ApplicationStatus)
    for person in applicants:
        assert person.account is not None
        organisation = made.other if person.name.endswith("abroad") else made.organisation
        for number, kind in enumerate(ApplicationKind):
            status = next(statuses)
            drafted = status is ApplicationStatus.DRAFT
            await make.application(
                person.account,
                organisation,
                practitioner=person.practitioner,
                kind=kind,
                status=status,
                comment=f"Прошу, {number}" if number % 3 else None,
                decision_reason="Не хватает бумаг" if number % 4 != 1 else None,
                submitted_at=None if drafted else _ago(made, number + 1),
                due_on=None if drafted else made.now.date() + timedelta(days=number),
                decided_at=_ago(made, 1) if number % 4 == 0 else None,
                created_at=_ago(made, 3 + number // 2),
            )


async def _grants(made: World) -> None:
    for name, organisation in (
        ("citizen", made.organisation),
        ("doctor elsewhere", made.organisation),
        ("nurse", made.organisation),
        ("nurse abroad", made.other),
    ):
        account = made.people[name].account
        giver = made.people["admin"].account
        where = made.therapy if organisation is made.organisation else None
        assert account is not None and giver is not None
        ended = {"ends_at": _ago(made, 5), "starts_at": _ago(made, 50), "department": where}
        await make.grant(account, Role.OPERATOR, organisation, granted_by=giver, **ended)
        await make.grant(
            account,
            Role.INSPECTOR,
            organisation,
            revoked_at=_ago(made, 3),
            revoked_by=giver,
            starts_at=_ago(made, 9),
        )
        await make.grant(
            account, Role.ANALYST, organisation, starts_at=made.now + timedelta(days=9)
        )
    nurse = made.people["nurse"].account
    assert nurse is not None
    for where in (made.therapy, made.surgery):
        await make.grant(nurse, Role.ADMIN, made.organisation, department=where, ends_at=made.now)


async def _what_nobody_sees(made: World) -> None:
    """Rows of the tables that no view shows, and sessions that nobody acts in."""
    for person in made.people.values():
        if person.account is None or person.name == "doctor as admin":
            continue
        session = await Session.create(
            account=person.account,
            active_role=person.role,
            started_at=_ago(made, 2),
            seen_at=_ago(made, 2),
            expires_at=_ago(made, 1),
            ended_at=None if person.name == "admin" else _ago(made, 1),
            device="Firefox",
            address="10.0.0.1",
        )
        await RefreshToken.create(
            session=session, token_hash=f"{session.id.hex:0>64}", issued_at=_ago(made, 2)
        )
    nurse = made.people["nurse"].account
    assert nurse is not None
    await Invitation.create(account=nurse, code_hash="0" * 64, expires_at=_ago(made, 1))
    await SignInFailure.create(login_hash="1" * 64, address="10.0.0.2", at=_ago(made, 1))
    await ImportedRecord.create(
        organisation=made.organisation,
        source="rosters",
        file="staff.xml",
        element="0",
        model="Practitioner",
        row_id=uuid7(),
        digest="2" * 64,
    )


async def _tickets(made: World, vault: Vault) -> None:
    """Of accounts here and abroad, of one that belongs nowhere, and of nobody."""
    stray = await make.account(None, state=AccountState.LOCKED, created_at=_ago(made, 2))
    owners = [made.people[name].account for name in ("doctor", "nurse abroad")]
    reasons = cycle(TicketReason)
    for number, owner in enumerate([*owners, stray, None] * 2):
        state = list(TicketState)[number % 4]
        is_decided = state in (TicketState.ANSWERED, TicketState.REFUSED)
        ticket = await make.ticket(
            vault.seal(f"+7916{2000000 + number}" if number % 2 else f"Ё{number}.a@example.org"),
            account=owner,
            reason=next(reasons),
            state=state,
            error_text="ACCOUNT_LOCKED" if number % 3 else "",
            created_at=_ago(made, number // 2),
            taken_by=None if state is TicketState.NEW else made.people["operator"].account,
            decided_by=made.people["operator"].account if is_decided else None,
            decided_at=made.now if is_decided else None,
            answer=f"Ответ {number}" if is_decided else None,
        )
        for _ in range(number % 3):
            await make.ticket_document(ticket)


def _journal(made: World, workers: list[Practitioner]) -> None:
    """Entries about everybody, in both organisations, one after the other in one chain."""
    for number, worker in enumerate(workers):
        ours = worker.organisation_id == made.organisation.id
        name = ("doctor", "operator")[number % 2] if ours else "admin abroad"
        person = made.people[name]
        assert person.account is not None
        viewer = Viewer(
            rights=Rights(person.role),
            now=_ago(made, 1) + timedelta(minutes=number // 2),
            account_id=person.account.id,
            places=(Place(worker.organisation_id),),
        )
        reason = f"Проверка {number}"
        record(viewer, "REVEALED", worker, about=worker.id, field="snils", reason=reason)
        record(viewer, "CREATED_COURSE", organisation=worker.organisation_id)

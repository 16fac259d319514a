"""What the world's people have: positions, licences, shifts, courses, passkeys, links, words."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count, cycle
from typing import TYPE_CHECKING

from core.sealing import Vault
from models.course import CourseAudience, Enrolment, EnrolmentStatus
from models.factor import Passkey
from models.identity import ExternalIdentity, Identity, Provider
from models.licence import LicenceKind
from models.organisation import POSITIONS, DictionaryEntry
from models.practitioner import EmploymentType, Position, Practitioner, Profession
from models.shift import DayWish, ShiftKind, ShiftState
from tests import factories as make

if TYPE_CHECKING:
    from tests.world import World


async def positions(made: "World", workers: list[Practitioner]) -> None:
    titles = cycle(await DictionaryEntry.filter(oid=POSITIONS).order_by("code"))
    today = made.now.date()
    kinds = cycle(EmploymentType)
    for number, worker in enumerate(workers):
        if worker.department_id is None:
            continue
        for offset, ends in ((900, None), (1500, today - timedelta(days=901 + number))):
            await Position.create(
                organisation_id=worker.organisation_id,
                practitioner=worker,
                department_id=worker.department_id,
                title=next(titles),
                rate=("0.50", "1.00", "0.75")[number % 3],
                weekly_norm=(None, "36.00", "30.00")[(number + offset // 900) % 3],
                employment=next(kinds),
                starts_on=today - timedelta(days=offset),
                ends_on=ends,
            )
    # A second job widens what is one's department; one that is over does not.
    for name, where, ends in (
        ("doctor", made.intensive, None),
        ("doctor limited to a department", made.therapy, None),
        ("nurse", made.surgery, today - timedelta(days=30)),
    ):
        second = made.people[name].practitioner
        assert second is not None
        await Position.create(
            organisation=made.organisation,
            practitioner=second,
            department=where,
            title=next(titles),
            rate="0.25",
            employment=EmploymentType.INTERNAL_SECOND,
            starts_on=today - timedelta(days=400),
            ends_on=ends,
        )


async def licences(made: "World", workers: list[Practitioner]) -> None:
    today = made.now.date()
    days = {
        "valid": (-400, 400, None),
        "open-ended": (-400, None, None),
        "expired": (-900, -30, None),
        "upcoming": (30, 800, None),
        "revoked": (-400, 400, -20),
        "to be revoked": (-400, 400, 20),
    }
    for worker in workers:
        for number, (issued, expires, revoked) in enumerate(days.values()):
            if len(workers) > 8 and (number + workers.index(worker)) % 3 == 2:
                continue
            await make.licence(
                worker,
                kind=list(LicenceKind)[number % 3],
                issued_on=today + timedelta(days=issued),
                expires_on=None if expires is None else today + timedelta(days=expires),
                revoked_on=None if revoked is None else today + timedelta(days=revoked),
                specialty_id=worker.specialty_id if number % 2 else None,
                issuer=f"ФАЦ {number % 2}",
            )


def _moments(made: "World") -> Iterator[datetime]:
    """Starts that never overlap, in the past and to come."""
    for day in count(-20):
        yield made.now + timedelta(days=day, hours=3)


async def shifts(made: "World", workers: list[Practitioner]) -> None:
    for where in made.departments:
        moments = _moments(made)
        local = [w for w in workers if w.department_id == where.id]
        # Somebody from another department stands in: their file may be hidden where they work.
        guests = [
            w
            for w in workers
            if w.organisation_id == where.organisation_id and w.department_id != where.id
        ]
        staff = cycle([*local, guests[0]] if guests else local)
        for number, (kind, state) in enumerate(
            (kind, each) for each in ShiftState for kind in _some_kinds(each)
        ):
            start = next(moments) + timedelta(hours=made.departments.index(where) * 5)
            taken = state is not ShiftState.OPEN
            await make.shift(
                where,
                kind=kind,
                state=state,
                practitioner=next(staff) if taken else None,
                starts_at=start,
                ends_at=start + timedelta(hours=4),
                profession=(*Profession, None)[number % 4],
                note=f"Заметка {number}" if number % 3 else None,
                absence_reason="Болезнь" if number % 3 != 1 else None,
                decision_reason="Нет людей" if number % 5 else None,
                decided_at=start - timedelta(days=3) if state is ShiftState.APPROVED else None,
                version=1 + number % 3,
            )
    for number, worker in enumerate(workers):
        for day in range(2):
            await DayWish.create(
                organisation_id=worker.organisation_id,
                practitioner=worker,
                day=made.now.date() + timedelta(days=10 * day + number),
                kind=(*ShiftKind, None)[number % 7],
                weight=1 + number % 3,
            )


def _some_kinds(state: ShiftState) -> list[ShiftKind]:
    """Every kind for approved shifts and open ones, two kinds for the rest."""
    if state in (ShiftState.APPROVED, ShiftState.OPEN):
        return list(ShiftKind)
    return [ShiftKind.NIGHT, ShiftKind.HOME_DUTY]


async def courses(made: "World", workers: list[Practitioner]) -> None:
    statuses = cycle(EnrolmentStatus)
    for organisation in (made.organisation, made.other):
        local = [w for w in workers if w.organisation_id == organisation.id]
        for number, audience in enumerate([*CourseAudience, *CourseAudience]):
            course = await make.course(
                organisation,
                audience=audience,
                title=("Ёлка", "елка", "Уход", "УХОД", "Ямб", "Аз")[number],
                description="О том и о сём" if number % 2 else None,
                credits=36 * (1 + number % 2),
                starts_on=made.now.date() + timedelta(days=30 + number // 2),
                ends_on=made.now.date() + timedelta(days=60 + number),
                seats=30,
                curator_name="Ёлкин" if number % 3 else None,
                curator_phone="+74950000000",
                curator_email=None if number % 2 else "c@example.org",
            )
            for worker in local[number % 2 :: 2]:
                status = next(statuses)
                await Enrolment.create(
                    organisation=organisation,
                    course=course,
                    practitioner=worker,
                    status=status,
                    wished_start_on=course.starts_on if number % 2 else None,
                    decided_at=made.now if status is EnrolmentStatus.CONFIRMED else None,
                )
                if status is not EnrolmentStatus.CANCELLED:
                    course.seats_taken += 1
            await course.save()


async def passkeys(made: "World") -> None:
    accounts = [person.account for person in made.people.values() if person.account is not None]
    names = cycle(("Телефон", "ёлочный ключ", "Laptop"))
    for number, account in enumerate(accounts + accounts[::2]):
        await Passkey.create(
            account=account,
            credential_id=f"{number:0>43}",
            public_key=bytes(32),
            name=next(names),
            created_at=made.now - timedelta(days=number // 2),
            used_at=made.now if number < len(accounts) else None,
        )


async def links(made: "World") -> None:
    """Everybody is linked with Gosuslugi, since they opened their account."""
    accounts = {one.account.id: one.account for one in made.people.values() if one.account}
    for number, account in enumerate(accounts.values()):
        await ExternalIdentity.create(
            account=account,
            provider=Provider.ESIA,
            subject=str(number),
            linked_at=account.created_at,
        )


async def words(made: "World", vault: Vault) -> None:
    """Everybody has said whose their account is, by a name that holds its public id."""
    accounts = {one.account.id: one.account for one in made.people.values() if one.account}
    for account in accounts.values():
        await Identity.create(
            account=account,
            last_name=account.public_id,
            first_name="Ёлка",
            patronymic="Петровна",
            birth_date=account.created_at.date(),
            passport_sealed=vault.seal("4510123456"),
            inn_sealed=vault.seal("500100732259"),
            snils_sealed=vault.seal("11223344595"),
        )

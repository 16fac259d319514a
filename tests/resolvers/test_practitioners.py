"""The staff registry: what makes a file, who may change what in it, and what a dismissal ends."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from cryptography.fernet import Fernet

from auth.rows import NotFound
from core.errors import Problem, Problems
from core.sealing import Vault
from models.account import Account
from models.audit import AuditEntry
from models.grant import RoleGrant
from models.organisation import POSITIONS
from models.practitioner import (
    Category,
    EmploymentType,
    Position,
    Practitioner,
    PractitionerStatus,
    ProcedurePermit,
    Profession,
)
from models.role import Role
from models.shift import Shift, ShiftState
from resolvers import positions, practitioners
from resolvers.forms import ReasonNeeded
from resolvers.positions import MainPositionHeld, PositionEnded
from resolvers.reveal import reveal
from resolvers.standing import PractitionerDismissed, WithoutFile
from resolvers.versions import Stale
from tests import factories as make
from tests.resolvers import callers
from tests.resolvers.callers import announced, journal, problems_of

VAULT = Vault([Fernet.generate_key()])
TODAY = make.NOW.date()


async def test_a_file_is_made_with_every_value_in_its_stored_form(database: str) -> None:
    organisation = await make.organisation()
    ward = await make.department(organisation)
    specialty = await make.specialty()
    admin = await callers.administrator(organisation)

    made = await practitioners.create_practitioner(
        admin,
        vault=VAULT,
        last_name="  Ёлкина ",
        first_name="Анна",
        middle_name="",
        birth_date=date(1980, 5, 17),
        snils="112-233-445 95",
        inn="500100732259",
        passport="45 09 123456",
        address="г. Москва,  ул. Мира, 1",
        personal_phone="8 (916) 123-45-67",
        personal_email=" Elkina@Clinic.Example ",
        work_phone="84951234567",
        work_email="a.elkina@clinic.example",
        specialty_id=specialty.id,
        category=Category.FIRST,
        category_assigned_on=date(2024, 2, 1),
        prescriber_code="12345",
        procedure_permits=[ProcedurePermit.ECG, ProcedurePermit.DRESSINGS, ProcedurePermit.ECG],
        profession=Profession.DOCTOR,
        department_id=ward.id,
    )

    row = await Practitioner.get(id=made.id)
    sealed = row.passport_sealed or ""
    expected = {
        "organisation_id": organisation.id,
        "department_id": ward.id,
        "status": PractitionerStatus.ACTIVE,
        "profession": Profession.DOCTOR,
        "last_name": "Ёлкина",
        "first_name": "Анна",
        "middle_name": None,
        "full_name_folded": "елкина анна",
        "birth_date": date(1980, 5, 17),
        "snils": "11223344595",
        "inn": "500100732259",
        "address": "г. Москва, ул. Мира, 1",
        "personal_phone": "+79161234567",
        "personal_email": "elkina@clinic.example",
        "work_phone": "+74951234567",
        "work_email": "a.elkina@clinic.example",
        "specialty_id": specialty.id,
        "category": Category.FIRST,
        "category_assigned_on": date(2024, 2, 1),
        "prescriber_code": "12345",
        "procedure_permits": ["DRESSINGS", "ECG"],
        "version": 1,
        "account_id": None,
    }
    assert {name: getattr(row, name) for name in expected} == expected
    assert "123456" not in sealed
    assert VAULT.open(sealed) == "4509 123456"
    assert await journal() == [("PRACTITIONER_CREATED", "Practitioner", row.id)]


async def test_the_audit_trail_names_fields_and_no_values(database: str) -> None:
    admin = await callers.administrator(await make.organisation())

    await practitioners.create_practitioner(
        admin, vault=VAULT, last_name="Иванов", first_name="Пётр", inn="500100732259"
    )

    assert (await AuditEntry.get()).details == {"fields": ["first_name", "inn", "last_name"]}


async def test_a_file_without_snils_is_incomplete_until_it_is_there(database: str) -> None:
    admin = await callers.administrator(await make.organisation())
    values: dict[str, Any] = {
        "last_name": "Иванов",
        "first_name": "Пётр",
        "birth_date": date(1990, 1, 1),
    }

    made = await practitioners.create_practitioner(admin, vault=VAULT, **values)
    mended = await practitioners.update_practitioner(
        admin, vault=VAULT, id=made.id, version=1, snils="11223344595"
    )

    assert (made.id, made.status) == (mended.id, PractitionerStatus.INCOMPLETE)
    assert (mended.status, mended.version) == (PractitionerStatus.ACTIVE, 2)


async def test_every_wrong_field_is_named_at_once(database: str) -> None:
    admin = await callers.administrator(await make.organisation())
    nowhere = (await make.department(await make.organisation())).id

    with pytest.raises(Problems) as refused:
        await practitioners.create_practitioner(
            admin,
            vault=VAULT,
            last_name=" ",
            middle_name="x" * 121,
            birth_date=TODAY + timedelta(days=1),
            snils="11122233340",
            inn="123456789037",
            passport="нет",
            address="\x00",
            personal_phone="12345",
            personal_email="anna",
            specialty_id=nowhere,
            department_id=nowhere,
            category_assigned_on=date(1890, 1, 1),
        )

    assert sorted(problems_of(refused)) == [
        ("DATE_IN_FUTURE", "birth_date"),
        ("DATE_TOO_EARLY", "category_assigned_on"),
        ("EMAIL_INVALID", "personal_email"),
        ("FIELD_INVALID", "address"),
        ("INN_CHECKSUM", "inn"),
        ("NOT_FOUND", "department_id"),
        ("NOT_FOUND", "specialty_id"),
        ("PASSPORT_FORMAT", "passport"),
        ("PHONE_INVALID", "personal_phone"),
        ("REQUIRED", "first_name"),
        ("REQUIRED", "last_name"),
        ("SNILS_CHECKSUM", "snils"),
        ("TOO_LONG", "middle_name"),
    ]
    assert await Practitioner.all().count() == 0
    assert await journal() == []


async def test_a_snils_that_is_seen_elsewhere_is_a_duplicate(database: str) -> None:
    organisation = await make.organisation()
    ward = await make.department(organisation)
    admin = await callers.administrator(organisation)
    await make.practitioner(ward, snils="11223344595")
    other = await make.practitioner(ward)

    with pytest.raises(Problems) as created:
        await practitioners.create_practitioner(
            admin, vault=VAULT, last_name="Иванов", first_name="Пётр", snils="112-233-445 95"
        )
    with pytest.raises(Problems) as updated:
        await practitioners.update_practitioner(
            admin, vault=VAULT, id=other.id, version=1, snils="11223344595"
        )

    assert problems_of(created) == problems_of(updated) == [("DUPLICATE_SNILS", "snils")]


async def test_a_snils_of_somebody_unseen_is_unavailable(database: str) -> None:
    organisation = await make.organisation()
    ward, other = await make.department(organisation), await make.department(organisation)
    await make.practitioner(other, snils="11223344595")
    admin = await callers.administrator(organisation, ward)

    with pytest.raises(Problem) as refused:
        await practitioners.create_practitioner(
            admin,
            vault=VAULT,
            last_name="Иванов",
            first_name="Пётр",
            snils="11223344595",
            department_id=ward.id,
        )

    assert problems_of(refused) == [("IDENTITY_UNAVAILABLE", "snils")]
    assert refused.value.values == {}
    assert await journal() == []


async def test_one_snils_entered_by_two_at_once_is_kept_once(database: str) -> None:
    admin = await callers.administrator(await make.organisation())

    outcomes = await asyncio.gather(
        *(
            practitioners.create_practitioner(
                admin, vault=VAULT, last_name="Иванов", first_name="Пётр", snils="11223344595"
            )
            for _ in range(4)
        ),
        return_exceptions=True,
    )

    assert [type(outcome) for outcome in outcomes].count(Practitioner) == 1
    assert await Practitioner.all().count() == 1


async def test_the_same_snils_may_be_in_two_organisations(database: str) -> None:
    admins = [await callers.administrator(await make.organisation()) for _ in range(2)]

    for admin in admins:
        await practitioners.create_practitioner(
            admin, vault=VAULT, last_name="Иванов", first_name="Пётр", snils="11223344595"
        )

    assert await Practitioner.filter(snils="11223344595").count() == 2


async def test_a_department_administrator_creates_in_that_department_only(database: str) -> None:
    organisation = await make.organisation()
    ward, other = await make.department(organisation), await make.department(organisation)
    admin = await callers.administrator(organisation, ward)
    name: dict[str, Any] = {"last_name": "Иванов", "first_name": "Пётр"}

    made = await practitioners.create_practitioner(
        admin, vault=VAULT, **name, department_id=ward.id
    )
    with pytest.raises(Problems) as elsewhere:
        await practitioners.create_practitioner(admin, vault=VAULT, **name, department_id=other.id)
    with pytest.raises(Problems) as nowhere:
        await practitioners.create_practitioner(admin, vault=VAULT, **name)
    with pytest.raises(Problems) as left:
        await practitioners.update_practitioner(
            admin, vault=VAULT, id=made.id, version=1, department_id=None
        )

    assert made.department_id == ward.id
    assert problems_of(elsewhere) == [("NOT_FOUND", "department_id")]
    assert problems_of(nowhere) == problems_of(left) == [("REQUIRED", "department_id")]


async def test_only_named_values_change_and_none_clears(database: str) -> None:
    organisation = await make.organisation()
    ward, other = await make.department(organisation), await make.department(organisation)
    admin = await callers.administrator(organisation)
    doctor, person = await callers.worker(
        ward,
        middle_name="Ивановна",
        work_phone="+74951234567",
        category=Category.SECOND,
        category_assigned_on=date(2023, 1, 1),
    )

    changed = await practitioners.update_practitioner(
        admin,
        vault=VAULT,
        id=person.id,
        version=1,
        last_name="Новая",
        middle_name=None,
        category=None,
        department_id=other.id,
    )

    row = await Practitioner.get(id=person.id)
    assert (row.last_name, row.first_name, row.full_name_folded, row.work_phone) == (
        "Новая",
        "Анна",
        "новая анна",
        "+74951234567",
    )
    cleared = [row.middle_name, row.category, row.category_assigned_on]
    assert cleared == [None, None, None]
    assert (row.department_id, row.version, changed.version) == (other.id, 2, 2)
    assert await journal() == [("PRACTITIONER_UPDATED", "Practitioner", person.id)]
    # A session that is open knows the old department.
    assert await announced() == [("SESSION", doctor.account_id, person.id)]


async def test_an_edit_of_an_older_version_is_refused(database: str) -> None:
    organisation = await make.organisation()
    person = await make.practitioner(await make.department(organisation))
    admin = await callers.administrator(organisation)

    outcomes = await asyncio.gather(
        *(
            practitioners.update_practitioner(
                admin, vault=VAULT, id=person.id, version=1, last_name=f"Фамилия {letter}"
            )
            for letter in "абвг"
        ),
        return_exceptions=True,
    )

    assert [type(outcome) for outcome in outcomes].count(Practitioner) == 1
    assert [type(outcome) for outcome in outcomes].count(Stale) == 3


async def test_a_file_of_another_organisation_is_not_found(database: str) -> None:
    person = await make.practitioner(await make.department(await make.organisation()))
    admin = await callers.administrator(await make.organisation())

    with pytest.raises(NotFound) as refused:
        await practitioners.update_practitioner(
            admin, vault=VAULT, id=person.id, version=1, last_name="Другая"
        )

    assert refused.value.field == "id"


async def test_a_worker_changes_their_own_contacts(database: str) -> None:
    doctor, person = await callers.worker(await make.department(await make.organisation()))

    changed = await practitioners.update_my_file(
        doctor, version=1, personal_phone="89161234567", work_email="Anna@Clinic.Example"
    )

    assert (changed.personal_phone, changed.work_email, changed.version) == (
        "+79161234567",
        "anna@clinic.example",
        2,
    )
    assert await journal() == [("OWN_FILE_UPDATED", "Practitioner", person.id)]


async def test_own_contacts_are_checked_and_need_a_file(database: str) -> None:
    organisation = await make.organisation()
    doctor, _ = await callers.worker(await make.department(organisation))
    admin = await callers.administrator(organisation)

    with pytest.raises(Problems) as refused:
        await practitioners.update_my_file(
            doctor, version=1, personal_phone="1", personal_email="x"
        )
    with pytest.raises(WithoutFile):
        await practitioners.update_my_file(admin, version=1, address="Москва")

    assert problems_of(refused) == [
        ("PHONE_INVALID", "personal_phone"),
        ("EMAIL_INVALID", "personal_email"),
    ]


async def test_a_dismissal_ends_positions_roles_and_shifts_to_come(database: str) -> None:
    organisation = await make.organisation()
    ward = await make.department(organisation)
    title = await make.specialty(oid=POSITIONS)
    admin = await callers.administrator(organisation)
    doctor, person = await callers.worker(ward)
    account = await Account.get(id=doctor.account_id)
    clinical = await make.grant(account, Role.DOCTOR, organisation)
    other = await make.grant(account, Role.INSPECTOR, organisation)
    held = await positions.add_position(
        admin,
        practitioner_id=person.id,
        department_id=ward.id,
        title_id=title.id,
        rate=Decimal("1"),
        starts_on=TODAY - timedelta(days=100),
    )
    past = await make.shift(
        ward,
        practitioner=person,
        state=ShiftState.APPROVED,
        starts_at=make.NOW - timedelta(days=2),
        ends_at=make.NOW - timedelta(days=2, hours=-8),
    )
    to_come = await make.shift(ward, practitioner=person, state=ShiftState.PLANNED)

    closed = await practitioners.dismiss_practitioner(
        admin, id=person.id, version=1, reason="По собственному желанию"
    )

    assert (closed.status, closed.version) == (PractitionerStatus.DISMISSED, 2)
    assert (await Position.get(id=held.id)).ends_on == TODAY
    assert (await RoleGrant.get(id=clinical.id)).revoked_at == make.NOW
    assert (await RoleGrant.get(id=other.id)).revoked_at == make.NOW
    assert (await Shift.get(id=past.id)).state is ShiftState.APPROVED
    assert (await Shift.get(id=to_come.id)).state is ShiftState.CANCELLED
    assert await Shift.filter(state=ShiftState.OPEN).count() == 1
    assert ("SESSION", doctor.account_id, person.id) in await announced()
    with pytest.raises(PractitionerDismissed):
        await practitioners.dismiss_practitioner(admin, id=person.id, version=2)


async def test_a_masked_value_is_revealed_for_a_reason_and_audited(database: str) -> None:
    organisation = await make.organisation()
    ward = await make.department(organisation)
    admin = await callers.administrator(organisation)
    person = await make.practitioner(
        ward, passport_sealed=VAULT.seal("4509 123456"), birth_date=date(1980, 5, 17)
    )
    allowed = ("passport", "inn", "birth_date")

    async def ask(field: str, reason: str = "Сверка документов") -> str | None:
        return await reveal(
            admin, vault=VAULT, id=person.id, field=field, reason=reason, allowed=allowed
        )

    assert await ask("passport") == "4509 123456"
    assert await ask("inn") is None
    assert await ask("birth_date") == "1980-05-17"
    with pytest.raises(NotFound) as hidden:
        await ask("snils")
    with pytest.raises(ReasonNeeded) as mute:
        await ask("inn", "  ну  ")

    entries = await AuditEntry.all().order_by("position")
    assert [(entry.action, entry.about_id, entry.details) for entry in entries] == [
        ("REVEALED", person.id, {"field": field, "reason": "Сверка документов"})
        for field in ("passport", "inn", "birth_date")
    ]
    assert (hidden.value.field, mute.value.field) == ("field", "reason")


async def test_the_main_position_moves_the_person(database: str) -> None:
    organisation = await make.organisation()
    ward, other = await make.department(organisation), await make.department(organisation)
    title = await make.specialty(oid=POSITIONS)
    admin = await callers.administrator(organisation)
    doctor, person = await callers.worker(ward)

    second = await positions.add_position(
        admin,
        practitioner_id=person.id,
        department_id=other.id,
        title_id=title.id,
        rate=Decimal("0.5"),
        starts_on=TODAY,
        employment=EmploymentType.INTERNAL_SECOND,
    )
    assert (await Practitioner.get(id=person.id)).department_id == ward.id
    main = await positions.add_position(
        admin,
        practitioner_id=person.id,
        department_id=other.id,
        title_id=title.id,
        rate=Decimal("1.00"),
        starts_on=TODAY,
    )

    moved = await Practitioner.get(id=person.id)
    assert (moved.department_id, moved.version) == (other.id, 2)
    assert (second.rate, main.employment) == (Decimal("0.50"), EmploymentType.MAIN)
    assert await journal() == [("POSITION_ADDED", "Position", person.id)] * 2
    assert await announced() == [("SESSION", doctor.account_id, person.id)]


@pytest.mark.parametrize(
    ("values", "problems"),
    [
        ({"rate": Decimal("0.05")}, [("OUT_OF_RANGE", "rate")]),
        ({"rate": Decimal("1.51")}, [("OUT_OF_RANGE", "rate")]),
        ({"rate": Decimal("0.333")}, [("OUT_OF_RANGE", "rate")]),
        ({"rate": Decimal("NaN")}, [("OUT_OF_RANGE", "rate")]),
        ({"rate": Decimal("1e40")}, [("OUT_OF_RANGE", "rate")]),
        ({"ends_on": TODAY - timedelta(days=1)}, [("DATES_REVERSED", "ends_on")]),
    ],
)
async def test_a_wrong_position_is_refused(
    database: str, values: dict[str, Any], problems: list[tuple[str, str]]
) -> None:
    organisation = await make.organisation()
    ward = await make.department(organisation)
    admin = await callers.administrator(organisation)
    person = await make.practitioner(ward)
    title = await make.specialty(oid=POSITIONS)
    whole = {"rate": Decimal("1"), "starts_on": TODAY, **values}

    with pytest.raises(Problems) as refused:
        await positions.add_position(
            admin, practitioner_id=person.id, department_id=ward.id, title_id=title.id, **whole
        )

    assert problems_of(refused) == problems


async def test_a_position_needs_a_department_and_a_title_that_exist(database: str) -> None:
    organisation = await make.organisation()
    ward = await make.department(organisation)
    admin = await callers.administrator(organisation)
    person = await make.practitioner(ward)
    not_a_post = await make.specialty()

    with pytest.raises(Problems) as refused:
        await positions.add_position(
            admin,
            practitioner_id=person.id,
            department_id=person.id,
            title_id=not_a_post.id,
            rate=Decimal("1"),
            starts_on=TODAY,
        )

    assert problems_of(refused) == [("NOT_FOUND", "department_id"), ("NOT_FOUND", "title_id")]


async def test_there_is_one_main_position_at_a_time(database: str) -> None:
    organisation = await make.organisation()
    ward = await make.department(organisation)
    admin = await callers.administrator(organisation)
    person = await make.practitioner(ward)
    title = await make.specialty(oid=POSITIONS)

    async def add(starts_on: date) -> Position:
        return await positions.add_position(
            admin,
            practitioner_id=person.id,
            department_id=ward.id,
            title_id=title.id,
            rate=Decimal("1"),
            starts_on=starts_on,
        )

    outcomes = await asyncio.gather(*(add(TODAY) for _ in range(4)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes].count(MainPositionHeld) == 3

    held = await Position.get(practitioner_id=person.id)
    ended = await positions.end_position(admin, id=held.id, ends_on=TODAY + timedelta(days=9))
    with pytest.raises(MainPositionHeld):
        await add(TODAY + timedelta(days=9))
    with pytest.raises(PositionEnded):
        await positions.end_position(admin, id=held.id, ends_on=TODAY + timedelta(days=10))
    following = await add(TODAY + timedelta(days=10))

    assert ended.ends_on == TODAY + timedelta(days=9)
    assert following.starts_on == TODAY + timedelta(days=10)


async def test_the_day_is_the_organisations(database: str) -> None:
    # Half past nine in the evening in UTC is tomorrow in Moscow.
    evening = datetime(2026, 3, 2, 21, 30, tzinfo=UTC)
    admin = await callers.administrator(await make.organisation(), now=evening)

    made = await practitioners.create_practitioner(
        admin, vault=VAULT, last_name="Новый", first_name="Пётр", birth_date=date(2026, 3, 3)
    )

    assert made.birth_date == date(2026, 3, 3)

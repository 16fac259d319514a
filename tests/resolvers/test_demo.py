"""The demo: what it fills a database with holds by the rules that everybody's rows hold by."""

import random
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pyotp
import pytest

from auth import audit
from auth.passwords import check_new_password
from auth.viewer import Place, Viewer
from models import identifiers
from models.account import Account, AccountState
from models.application import Application, ApplicationStatus
from models.course import Course, CourseAudience, Enrolment, EnrolmentStatus
from models.grant import RoleGrant
from models.licence import Licence, LicenceStatus
from models.organisation import Department, Organisation
from models.practitioner import Position, Practitioner, PractitionerStatus, Profession
from models.role import Role
from models.shift import Shift, ShiftKind, ShiftState, ShiftStatus
from resolvers import enrolments, shifts
from resolvers.demo import DemoAccount, DemoNotEmpty, demo_accounts, load_demo
from resolvers.demostaff import invent_staff
from resolvers.shiftrules import RestTooShort
from tests import factories as make
from tests.auth.entrance import gate, settings
from tests.resolvers import callers

_HOME = TemporaryDirectory()
GATE = gate(Path(_HOME.name))
VAULT = GATE.vault


async def hash_password(password: str) -> str:
    return f"hash of {password}"


async def loaded() -> list[DemoAccount]:
    return await load_demo(gate=GATE, now=make.NOW, hash_password=hash_password)


async def viewer_of(login: str, role: Role) -> Viewer:
    account = await Account.get(email=login)
    person = await Practitioner.get(account_id=account.id)
    assert person.department_id is not None
    return Viewer(
        rights=callers.RIGHTS[role],
        now=make.NOW,
        account_id=account.id,
        practitioner_id=person.id,
        profession=person.profession,
        departments=(person.department_id,),
        places=(Place(person.organisation_id),),
    )


async def test_the_accounts_can_sign_in_and_hold_their_roles(database: str) -> None:
    accounts = await loaded()

    assert await demo_accounts() == accounts
    in_order = await Account.all().order_by("created_at")
    assert [row.email for row in in_order] == [demo.login for demo in accounts]
    assert [(demo.login, demo.roles) for demo in accounts] == [
        ("doctor@demo.cabinet.example", (Role.DOCTOR, Role.ADMIN)),
        ("nurse@demo.cabinet.example", (Role.NURSE,)),
        ("head@demo.cabinet.example", (Role.ADMIN,)),
        ("ward@demo.cabinet.example", (Role.ADMIN,)),
        ("analyst@demo.cabinet.example", (Role.ANALYST,)),
        ("inspector@demo.cabinet.example", (Role.INSPECTOR,)),
        ("operator@demo.cabinet.example", (Role.OPERATOR,)),
        ("citizen@demo.cabinet.example", ()),
    ]
    for demo in accounts:
        row = await Account.get(email=identifiers.email(demo.login))
        assert (row.phone, row.state, row.is_demo) == (
            identifiers.phone(demo.phone),
            AccountState.ACTIVE,
            True,
        )
        assert None not in (row.phone_confirmed_at, row.email_confirmed_at)
        assert row.password_hash == f"hash of {demo.password}"
        assert VAULT.open(row.totp_sealed or "") == demo.totp_secret
        assert len(pyotp.TOTP(demo.totp_secret).now()) == 6
        check_new_password(demo.password)
        grants = await RoleGrant.filter(account_id=row.id)
        assert {grant.role for grant in grants} == set(demo.roles)
        assert all(grant.holds_at(make.NOW) for grant in grants)
    limited = await RoleGrant.get(department_id__isnull=False)
    assert (limited.role, (await Account.get(id=limited.account_id)).email) == (
        Role.ADMIN,
        "ward@demo.cabinet.example",
    )


async def test_only_an_empty_database_is_filled(database: str) -> None:
    await make.organisation()

    with pytest.raises(DemoNotEmpty):
        await loaded()

    assert await Organisation.all().count() == 1
    assert await demo_accounts() == []


async def test_it_is_loaded_once(database: str) -> None:
    await loaded()
    with pytest.raises(DemoNotEmpty):
        await loaded()

    assert await Organisation.all().count() == 1
    assert [entry async for entry in audit.verify()] == [1]


async def test_the_numbers_of_people_are_right(database: str) -> None:
    await loaded()

    people = await Practitioner.all()
    assert (len(people), await Department.all().count()) == (60, 6)
    for person in people:
        if person.snils is not None:
            assert identifiers.snils(person.snils) == person.snils
        assert identifiers.inn_of_person(person.inn or "") == person.inn
        assert identifiers.phone(person.personal_phone or "") == person.personal_phone
        assert identifiers.phone(person.work_phone or "") == person.work_phone
        assert identifiers.email(person.work_email or "") == person.work_email
        passport = VAULT.open(person.passport_sealed or "")
        assert identifiers.passport(passport) == passport
        assert person.full_name_folded.startswith(person.last_name[0].lower())
    statuses = [person.status for person in people]
    assert statuses.count(PractitionerStatus.INCOMPLETE) == 2
    assert statuses.count(PractitionerStatus.DISMISSED) == 1
    assert await Position.all().count() == 61


async def test_licences_are_valid_about_to_expire_and_expired(database: str) -> None:
    await loaded()
    today = make.NOW.date()

    personal = await Licence.filter(expires_on__isnull=False)
    statuses = [licence.status_on(today) for licence in personal]
    soon = [
        licence
        for licence in personal
        if licence.expires_on and today <= licence.expires_on <= today + timedelta(days=90)
    ]
    assert statuses.count(LicenceStatus.EXPIRED) == 6
    assert statuses.count(LicenceStatus.VALID) == 54
    assert len(soon) == 24
    for licence in await Licence.filter(expires_on__isnull=True):
        assert identifiers.medical_licence_number(licence.number) == licence.number
    for licence in personal:
        assert identifiers.credential_number(licence.number) == licence.number


async def test_shifts_stand_in_every_state_and_kind_around_today(database: str) -> None:
    await loaded()

    rows = await Shift.all()
    assert {row.status_at(make.NOW) for row in rows} == set(ShiftStatus)
    assert {row.kind for row in rows} == set(ShiftKind)
    assert min(row.starts_at for row in rows) < make.NOW - timedelta(days=20)
    assert max(row.starts_at for row in rows) > make.NOW + timedelta(days=34)
    assert len(rows) > 1_000


async def test_seats_agree_with_enrolments(database: str) -> None:
    await loaded()

    courses = await Course.all()
    for course in courses:
        living = Enrolment.filter(course_id=course.id).exclude(status=EnrolmentStatus.CANCELLED)
        assert await living.count() == course.seats_taken
    assert sum(course.seats == course.seats_taken for course in courses) == 1
    assert {course.audience for course in courses} == set(CourseAudience)


async def test_applications_stand_in_several_states(database: str) -> None:
    await loaded()

    statuses = {row.status for row in await Application.all()}
    assert statuses == set(ApplicationStatus) - {ApplicationStatus.WITHDRAWN}


@pytest.mark.parametrize(("key", "role"), [("doctor", Role.DOCTOR), ("nurse", Role.NURSE)])
async def test_a_worker_of_the_demo_finds_a_shift_and_a_course(
    database: str, key: str, role: Role
) -> None:
    await loaded()
    viewer = await viewer_of(f"{key}@demo.cabinet.example", role)
    own = await Shift.filter(practitioner_id=viewer.practitioner_id)
    taken = []
    for shift in await Shift.filter(
        state=ShiftState.OPEN,
        department_id=viewer.departments[0],
        profession=viewer.profession,
        starts_at__gt=make.NOW,
    ).order_by("starts_at"):
        try:
            taken.append(await shifts.request_shift(viewer, id=shift.id))
        except (shifts.ShiftOverlaps, RestTooShort):
            continue

    audience = CourseAudience.DOCTORS if role is Role.DOCTOR else CourseAudience.NURSES
    course = await Course.filter(audience=audience).order_by("-starts_on").first()
    assert course is not None
    enrolment = await enrolments.enrol(viewer, settings=settings(Path()), course_id=course.id)

    assert len(own) > 15
    assert len(taken) > 0
    assert enrolment.status is EnrolmentStatus.REQUESTED


def test_the_people_are_the_same_every_time() -> None:
    first, second = (
        invent_staff(random.Random(7), VAULT, make.NOW.date()).people for _ in range(2)
    )

    assert [(person.last_name, person.snils, person.birth_date) for person in first] == [
        (person.last_name, person.snils, person.birth_date) for person in second
    ]
    assert {person.profession for person in first} == {Profession.DOCTOR, Profession.NURSE}

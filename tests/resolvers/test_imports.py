"""Importing: what becomes of each element, and that a second run changes nothing."""

import asyncio
import json
import os
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from adapters.fhir import read_fhir
from adapters.rosters import SKILLS, read_roster
from adapters.staff_records import StaffFile
from auth.audit import verify
from auth.rights import Rights, RowRights, Scope
from auth.rows import REACH
from auth.viewer import Place, Viewer
from models.audit import AuditEntry
from models.imported import ImportedRecord
from models.organisation import POSITIONS, SPECIALTIES, Department, DictionaryEntry, Organisation
from models.practitioner import (
    EmploymentType,
    Position,
    Practitioner,
    PractitionerStatus,
    Profession,
)
from models.role import Role
from models.row import Row
from models.shift import DayWish, Shift, ShiftKind, ShiftState
from resolvers.import_plan import Outcome
from resolvers.imports import FileNamedTwice, ImportReport, Invitable, import_staff, invitable
from resolvers.standing import ActionDenied
from tests import factories

DATA = Path(__file__).parents[1] / "data"
WARD = (DATA / "rosters/ward.xml").read_bytes()
HOSPITAL = (DATA / "fhir/hospital.json").read_bytes()
DECEMBER = date(2026, 12, 1)
ALL = Rights(Role.ADMIN, {model: RowRights(frozenset({Scope.ALL})) for model in REACH})
IMPORTED: tuple[type[Row], ...] = (
    Department,
    Practitioner,
    Position,
    DayWish,
    Shift,
    DictionaryEntry,
    ImportedRecord,
)

pytestmark = pytest.mark.usefixtures("database")


async def admin(organisation: Organisation | None = None) -> Viewer:
    organisation = organisation or await factories.organisation(name="Больница")
    return Viewer(
        rights=ALL, now=factories.NOW, places=(Place(organisation.id),), held=(Role.ADMIN,)
    )


def ward(content: bytes = WARD, name: str = "ward.xml", month: date = DECEMBER) -> StaffFile:
    return read_roster(content, name, zone="Europe/Moscow", month=month)


def hospital(content: bytes = HOSPITAL, name: str = "hospital.json") -> StaffFile:
    return read_fhir(content, name)


def single(name: str) -> StaffFile:
    return read_fhir((DATA / f"fhir/{name}.json").read_bytes(), f"{name}.json")


def counts(report: ImportReport) -> tuple[int, int, int, int]:
    found = report.counts
    return (
        found[Outcome.CREATED],
        found[Outcome.UPDATED],
        found[Outcome.SKIPPED],
        found[Outcome.FAILED],
    )


def told(report: ImportReport, element: str) -> tuple[Outcome, list[str]]:
    (line,) = [line for file in report.files for line in file.lines if line.element == element]
    return line.outcome, [remark.code for remark in line.remarks]


async def everything() -> dict[str, list[Any]]:
    """Every imported row, whole."""
    return {model.__name__: await model.all().order_by("id").values() for model in IMPORTED}


async def dictionaries() -> None:
    await factories.specialty(oid=POSITIONS, code="39", name="врач-кардиолог")
    await factories.specialty(oid=SPECIALTIES, code="27", name="Кардиология")


async def test_a_roster_becomes_a_department_with_staff_wishes_and_open_shifts() -> None:
    report = await import_staff(await admin(), records=[ward()], dry_run=False)
    assert counts(report) == (15, 0, 1, 1)
    assert await Department.all().values_list("code", "name") == [("roster:ward7", "ward7")]
    assert await Practitioner.all().order_by("last_name").values_list(
        "last_name", "first_name", "profession", "status", "department__name"
    ) == [
        (name, None, Profession.NURSE, PractitionerStatus.INCOMPLETE, "ward7")
        for name in ("0", "1", "2")
    ]
    assert await Position.all().order_by("practitioner__last_name").values_list(
        "practitioner__last_name", "title__oid", "title__name", "rate", "employment", "starts_on"
    ) == [
        ("0", SKILLS, "HeadNurse", Decimal("1.00"), EmploymentType.MAIN, date(2026, 12, 4)),
        ("1", SKILLS, "Nurse", Decimal("0.50"), EmploymentType.MAIN, date(2026, 12, 4)),
        ("2", SKILLS, "Nurse", None, EmploymentType.MAIN, date(2026, 12, 4)),
    ]
    assert await DayWish.all().order_by("practitioner__last_name", "kind").values_list(
        "practitioner__last_name", "day", "kind", "weight"
    ) == [
        ("0", date(2026, 12, 5), None, 1),
        ("1", date(2026, 12, 4), ShiftKind.DAY, 3),
        ("1", date(2026, 12, 4), ShiftKind.NIGHT, 2),
    ]
    shifts = (
        await Shift.all()
        .order_by("starts_at")
        .values_list(
            "state", "practitioner_id", "kind", "profession", "starts_at", "ends_at", "note"
        )
    )
    assert len(shifts) == 5
    assert shifts[2] == (
        ShiftState.OPEN,
        None,
        ShiftKind.NIGHT,
        Profession.NURSE,
        datetime(2026, 12, 4, 19, 30, tzinfo=UTC),
        datetime(2026, 12, 5, 3, 30, tzinfo=UTC),
        "Night",
    )
    assert told(report, "Employee/2/ContractID") == (
        Outcome.CREATED,
        ["IMPORT_RATE_UNKNOWN", "IMPORT_RATE_MISSING"],
    )


async def test_fhir_resources_become_departments_people_and_positions() -> None:
    await dictionaries()
    report = await import_staff(await admin(), records=[hospital()], dry_run=False)
    assert counts(report) == (4, 2, 1, 1)
    assert await Department.all().values_list("code", "name", "city", "address") == [
        (
            "fhir:cardiology",
            "Кардиологическое отделение",
            "Тверь",
            "ул. Лесная, 5, корпус 2, 170001",
        )
    ]
    assert await Practitioner.all().order_by("last_name").values_list(
        "last_name",
        "first_name",
        "middle_name",
        "snils",
        "birth_date",
        "profession",
        "status",
        "specialty__name",
        "department__name",
    ) == [
        (
            "Орлова",
            "Вера",
            None,
            None,
            None,
            Profession.NURSE,
            PractitionerStatus.INCOMPLETE,
            None,
            "Кардиологическое отделение",
        ),
        (
            "Соколова",
            "Мария",
            "Ивановна",
            "11223344595",
            date(1981, 4, 17),
            Profession.DOCTOR,
            # FHIR says nothing about the rate, which the registry must have.
            PractitionerStatus.INCOMPLETE,
            "Кардиология",
            "Кардиологическое отделение",
        ),
    ]
    assert await Position.all().values_list("title__name", "rate", "starts_on", "ends_on") == [
        ("врач-кардиолог", None, date(2019, 9, 2), None)
    ]
    assert told(report, "PractitionerRole/sokolova-cardiology") == (
        Outcome.CREATED,
        ["IMPORT_RATE_MISSING"],
    )
    assert told(report, "Practitioner/nameless") == (Outcome.FAILED, ["IMPORT_VALUE_INVALID"])


async def test_names_are_folded_for_searching() -> None:
    await import_staff(await admin(), records=[hospital()], dry_run=False)
    assert await Practitioner.filter(last_name_folded="СОКОЛОВА").count() == 1


async def test_a_dry_run_tells_what_the_real_run_does_and_changes_nothing() -> None:
    viewer = await admin()
    await dictionaries()
    files = [hospital(), ward(), single("Practitioner-d001"), single("Practitioner-d002")]
    before = await everything()
    dry = await import_staff(viewer, records=files, dry_run=True)
    assert await everything() == before
    assert await AuditEntry.all().count() == 0
    real = await import_staff(viewer, records=files, dry_run=False)
    assert outcomes(dry) == outcomes(real)
    assert (dry.dry_run, real.dry_run) == (True, False)
    again = await import_staff(viewer, records=files, dry_run=True)
    assert again.counts[Outcome.CREATED] + again.counts[Outcome.UPDATED] == 0


def outcomes(report: ImportReport) -> list[Any]:
    return [
        (file.file, line.element, line.where, line.outcome, line.remarks)
        for file in report.files
        for line in file.lines
    ]


async def test_running_again_changes_nothing() -> None:
    viewer = await admin()
    await dictionaries()
    files = [hospital(), ward(), single("Practitioner-d001"), single("Practitioner-d002")]
    await import_staff(viewer, records=files, dry_run=False)
    before = await everything()
    report = await import_staff(viewer, records=files, dry_run=False)
    assert await everything() == before
    assert report.counts[Outcome.CREATED] == report.counts[Outcome.UPDATED] == 0
    assert report.counts[Outcome.FAILED] == 2


async def test_resources_in_files_of_their_own_refer_to_each_other() -> None:
    viewer = await admin()
    entries = json.loads(HOSPITAL)["entry"]
    files = [
        read_fhir(json.dumps(entries[number]["resource"]).encode(), f"{number}.json")
        for number in (0, 1, 3)
    ]
    dry = await import_staff(viewer, records=files, dry_run=True)
    report = await import_staff(viewer, records=files, dry_run=False)
    assert outcomes(dry) == outcomes(report)
    assert counts(report) == (2, 1, 0, 0)
    assert await Practitioner.all().values_list("department__name", "profession") == [
        ("Кардиологическое отделение", Profession.DOCTOR)
    ]


async def test_a_resource_may_refer_to_one_of_an_earlier_run_but_not_to_one_of_two() -> None:
    viewer = await admin()
    entries = json.loads(HOSPITAL)["entry"]
    role, department, person = (
        json.dumps(entries[number]["resource"]).encode() for number in (0, 1, 3)
    )
    await import_staff(viewer, records=[hospital(department, "a.json")], dry_run=False)
    alone = await import_staff(viewer, records=[hospital(role, "role.json")], dry_run=False)
    assert told(alone, "PractitionerRole/sokolova-cardiology") == (
        Outcome.FAILED,
        ["IMPORT_REFERENCE_UNKNOWN"],
    )
    await import_staff(viewer, records=[hospital(person, "b.json")], dry_run=False)
    both = await import_staff(viewer, records=[hospital(role, "role.json")], dry_run=False)
    assert told(both, "PractitionerRole/sokolova-cardiology")[0] is Outcome.UPDATED
    twin = await import_staff(viewer, records=[hospital(department, "c.json")], dry_run=False)
    assert counts(twin) == (1, 0, 0, 0)
    between = await import_staff(viewer, records=[hospital(role, "role2.json")], dry_run=False)
    assert told(between, "PractitionerRole/sokolova-cardiology") == (
        Outcome.FAILED,
        ["IMPORT_REFERENCE_AMBIGUOUS"],
    )


async def test_people_of_two_rosters_are_not_one_though_they_are_called_alike() -> None:
    report = await import_staff(
        await admin(), records=[ward(name="a.xml"), ward(name="b.xml")], dry_run=False
    )
    assert report.counts[Outcome.CREATED] == 30
    assert await Practitioner.filter(last_name="0").count() == 2
    codes = await Department.all().order_by("code").values_list("code", flat=True)
    assert len(set(codes)) == 2


async def test_a_changed_element_updates_its_row_and_no_other() -> None:
    viewer = await admin()
    await import_staff(viewer, records=[hospital()], dry_run=False)
    untouched = await Practitioner.get(last_name="Орлова").values()
    changed = HOSPITAL.replace("Соколова".encode(), "Соколова-Белова".encode())
    report = await import_staff(viewer, records=[hospital(changed)], dry_run=False)
    assert told(report, "Practitioner/sokolova")[0] is Outcome.UPDATED
    assert report.counts[Outcome.UPDATED] == 1
    row = await Practitioner.get(snils="11223344595")
    assert (row.last_name, row.last_name_folded, row.version) == (
        "Соколова-Белова",
        "соколова-белова",
        2,
    )
    assert await Practitioner.get(last_name="Орлова").values() == untouched


async def test_what_was_completed_in_the_cabinet_is_not_taken_back() -> None:
    viewer = await admin()
    await import_staff(viewer, records=[hospital()], dry_run=False)
    await Practitioner.filter(last_name="Орлова").update(
        snils="01007919000", birth_date=date(1990, 5, 2), status=PractitionerStatus.ACTIVE
    )
    changed = HOSPITAL.replace("Вера".encode(), "Вероника".encode())
    report = await import_staff(viewer, records=[hospital(changed)], dry_run=False)
    assert report.counts[Outcome.UPDATED] == 1
    assert await Practitioner.get(last_name="Орлова").values(
        "first_name", "snils", "birth_date", "status"
    ) == {
        "first_name": "Вероника",
        "snils": "01007919000",
        "birth_date": date(1990, 5, 2),
        "status": PractitionerStatus.ACTIVE,
    }


async def test_two_people_with_one_official_number_are_both_reported_and_incomplete() -> None:
    viewer = await admin()
    first, second = single("Practitioner-d001"), single("Practitioner-d002")
    report = await import_staff(viewer, records=[first, second], dry_run=False)
    for element in ("Practitioner/d001", "Practitioner/d002"):
        outcome, codes = told(report, element)
        assert (outcome, "IMPORT_NUMBER_SHARED" in codes) == (Outcome.CREATED, True)
    assert await Practitioner.all().order_by("last_name").values_list(
        "last_name", "status", "work_phone"
    ) == [
        ("Jansen", PractitionerStatus.INCOMPLETE, None),
        ("Visser", PractitionerStatus.INCOMPLETE, None),
    ]


async def test_an_official_number_is_known_from_an_earlier_run() -> None:
    viewer = await admin()
    alone = await import_staff(viewer, records=[single("Practitioner-d001")], dry_run=False)
    later = await import_staff(viewer, records=[single("Practitioner-d002")], dry_run=False)
    assert "IMPORT_NUMBER_SHARED" not in told(alone, "Practitioner/d001")[1]
    (line,) = later.files[0].lines
    (shared,) = [remark for remark in line.remarks if remark.code == "IMPORT_NUMBER_SHARED"]
    assert shared.values == {"value": "Practitioner/d001 (Practitioner-d001.json)"}


async def test_somebody_elses_snils_fails_the_element_alone() -> None:
    organisation = await factories.organisation()
    ward = await factories.department(organisation)
    await factories.practitioner(ward, snils="11223344595")
    report = await import_staff(await admin(organisation), records=[hospital()], dry_run=False)
    assert told(report, "Practitioner/sokolova") == (Outcome.FAILED, ["DUPLICATE_SNILS"])
    assert told(report, "PractitionerRole/sokolova-cardiology") == (
        Outcome.FAILED,
        ["IMPORT_REFERENCE_FAILED"],
    )
    assert await Practitioner.filter(last_name="Орлова").count() == 1


async def test_another_month_adds_its_demand_and_leaves_the_people() -> None:
    viewer = await admin()
    await import_staff(viewer, records=[ward()], dry_run=False)
    people = await Practitioner.all().order_by("id").values()
    positions = await Position.all().order_by("id").values()
    january = ward(month=date(2027, 1, 1))
    report = await import_staff(viewer, records=[january], dry_run=False)
    assert counts(report) == (8, 0, 8, 1)
    assert await Shift.all().count() == 10
    assert await Practitioner.all().order_by("id").values() == people
    assert await Position.all().order_by("id").values() == positions


async def test_a_shift_that_somebody_asked_for_is_left_as_it_is() -> None:
    viewer = await admin()
    await import_staff(viewer, records=[ward()], dry_run=False)
    nurse = await Practitioner.get(last_name="1")
    taken = await Shift.get(kind=ShiftKind.NIGHT)
    taken.practitioner_id, taken.state = nurse.id, ShiftState.REQUESTED
    await taken.save()
    before = await Shift.get(id=taken.id).values()
    later = WARD.replace(b"<StartTime>22:30:00", b"<StartTime>23:00:00")
    report = await import_staff(viewer, records=[ward(later)], dry_run=False)
    assert told(report, "Cover/2026-12-04/N/1") == (Outcome.SKIPPED, ["IMPORT_SHIFT_TAKEN"])
    assert await Shift.get(id=taken.id).values() == before


async def test_an_open_shift_follows_its_file() -> None:
    viewer = await admin()
    await import_staff(viewer, records=[ward()], dry_run=False)
    later = WARD.replace(b"<StartTime>22:30:00", b"<StartTime>23:00:00")
    report = await import_staff(viewer, records=[ward(later)], dry_run=False)
    assert counts(report) == (0, 1, 15, 1)
    assert (await Shift.get(kind=ShiftKind.NIGHT)).starts_at == datetime(
        2026, 12, 4, 20, 0, tzinfo=UTC
    )


async def test_what_was_removed_in_the_cabinet_does_not_come_back() -> None:
    viewer = await admin()
    await import_staff(viewer, records=[ward()], dry_run=False)
    await Shift.filter(kind=ShiftKind.NIGHT).delete()
    later = WARD.replace(b"<StartTime>22:30:00", b"<StartTime>23:00:00")
    report = await import_staff(viewer, records=[ward(later)], dry_run=False)
    assert told(report, "Cover/2026-12-04/N/1") == (Outcome.SKIPPED, ["IMPORT_ROW_GONE"])


async def test_demand_of_the_past_is_pointed_out() -> None:
    past = read_roster(WARD, "ward.xml", zone="Europe/Moscow")
    report = await import_staff(await admin(), records=[past], dry_run=True)
    assert [remark.code for remark in report.files[0].remarks] == ["IMPORT_DEMAND_PAST"]


async def test_workers_without_an_account_can_be_invited_by_their_profession() -> None:
    viewer = await admin()
    report = await import_staff(viewer, records=[hospital()], dry_run=False)
    nurse, doctor = await Practitioner.all().order_by("last_name")
    cardiology = "Кардиологическое отделение"
    assert await invitable(viewer, report=report) == [
        Invitable(nurse.id, nurse.public_id, "Орлова Вера", cardiology, Role.NURSE),
        Invitable(doctor.id, doctor.public_id, "Соколова Мария Ивановна", cardiology, Role.DOCTOR),
    ]
    nurse.account = await factories.account()
    await nurse.save()
    again = await import_staff(viewer, records=[hospital()], dry_run=False)
    assert [person.name for person in await invitable(viewer, report=again)] == [
        "Соколова Мария Ивановна"
    ]


async def test_every_import_and_every_person_stands_in_the_audit() -> None:
    viewer = await admin()
    await dictionaries()
    await import_staff(viewer, records=[hospital()], dry_run=False)
    nurse, doctor = await Practitioner.all().order_by("last_name")
    entries = await AuditEntry.all().order_by("position")
    assert entries[0].details == {
        "source": "FHIR",
        "file": "hospital.json",
        "created": 4,
        "updated": 2,
        "skipped": 1,
        "failed": 1,
    }
    assert [(entry.action, entry.subject_type, entry.about_id) for entry in entries] == [
        ("STAFF_IMPORTED", "Organisation", None),
        ("PRACTITIONER_CREATED", "Practitioner", doctor.id),
        ("PRACTITIONER_CREATED", "Practitioner", nurse.id),
        ("POSITION_CREATED", "Position", doctor.id),
        ("PRACTITIONER_UPDATED", "Practitioner", nurse.id),
    ]
    assert [found async for found in verify()] == [5]


async def test_an_admin_of_one_department_imports_nothing() -> None:
    organisation = await factories.organisation()
    department = await factories.department(organisation)
    limited = Viewer(rights=ALL, now=factories.NOW, places=(Place(organisation.id, department.id),))
    with pytest.raises(ActionDenied):
        await import_staff(limited, records=[ward()], dry_run=False)
    assert await Practitioner.all().count() == 0


async def test_two_files_of_one_name_are_refused() -> None:
    with pytest.raises(FileNamedTwice):
        await import_staff(await admin(), records=[ward(), ward()], dry_run=False)
    assert await Department.all().count() == 0


async def test_organisations_do_not_meet() -> None:
    first, second = await admin(), await admin()
    await import_staff(first, records=[hospital()], dry_run=False)
    report = await import_staff(second, records=[hospital()], dry_run=False)
    assert report.counts[Outcome.CREATED] == 3
    assert await Practitioner.filter(snils="11223344595").count() == 2


async def test_the_same_file_imported_twice_at_once_is_imported_once() -> None:
    viewer = await admin()
    reports = await asyncio.gather(
        *(import_staff(viewer, records=[ward(), hospital()], dry_run=False) for _ in range(4))
    )
    assert sorted(report.counts[Outcome.CREATED] for report in reports) == [0, 0, 0, 18]
    assert await Practitioner.all().count() == 5


async def test_progress_is_told_up_to_the_last_row() -> None:
    calls: list[tuple[str, int, int]] = []
    await import_staff(
        await admin(),
        records=[ward()],
        dry_run=False,
        progress=lambda *call: calls.append(call),
    )
    name, done, total = calls[-1]
    assert (name, done) == ("ward.xml", total)
    assert [call[1] for call in calls] == sorted(call[1] for call in calls)


def shared_data() -> Path:
    given = os.environ.get("CABINET_SHARED_DATA")
    return Path(given) if given else Path(__file__).parents[3] / "shared/data"


real_input = pytest.mark.skipif(
    not shared_data().is_dir(),
    reason=f"REAL INPUT IS MISSING: no {shared_data().name}/ beside the repository"
    " (set CABINET_SHARED_DATA)",
)


@real_input
async def test_the_real_rosters_import_whole_and_only_once() -> None:
    viewer = await admin()
    files = [
        ward(path.read_bytes(), path.name) for path in sorted(shared_data().glob("rosters/*.xml"))
    ]
    dry = await import_staff(viewer, records=files, dry_run=True)
    report = await import_staff(viewer, records=files, dry_run=False)
    assert outcomes(dry) == outcomes(report)
    assert report.counts[Outcome.FAILED] == 0
    assert await Practitioner.all().count() == 49 + 31 + 10 + 10 + 6
    assert await Practitioner.filter(last_name="0").count() == 5
    assert await Shift.filter(state=ShiftState.OPEN).count() == 740 + 608 + 152 + 152 + 35
    assert await DayWish.all().count() == 724 + 396 + 149 + 149
    assert await Department.all().count() == 5
    again = await import_staff(viewer, records=files, dry_run=False)
    assert again.counts[Outcome.CREATED] == again.counts[Outcome.UPDATED] == 0


@real_input
async def test_the_real_resources_import_with_every_doubt_reported() -> None:
    viewer = await admin()
    files = [
        read_fhir(path.read_bytes(), path.name)
        for path in sorted(shared_data().glob("fhir/*.json"))
    ]
    dry = await import_staff(viewer, records=files, dry_run=True)
    report = await import_staff(viewer, records=files, dry_run=False)
    assert outcomes(dry) == outcomes(report)
    assert report.counts[Outcome.FAILED] == 0
    people = await Practitioner.all().order_by("birth_date", "last_name")
    assert len(people) == 8
    assert {person.status for person in people} == {PractitionerStatus.INCOMPLETE}
    assert {person.work_phone for person in people} == {None}
    assert {person.snils for person in people} == {None}
    assert sum(person.profession is Profession.DOCTOR for person in people) == 7
    assert await Department.all().order_by("code").values_list("name", "city") == [
        ("Burgers University Medical Center", "Den Burg"),
        ("Burgers UMC Cardiology unit", None),
        ("Burgers UMC Ear,Nose,Throat unit", None),
    ]
    shared = {
        line.element
        for file in report.files
        for line in file.lines
        for remark in line.remarks
        if remark.code == "IMPORT_NUMBER_SHARED"
    }
    assert shared == {"Practitioner/f004", "Practitioner/f005"}
    codes = [remark.code for file in report.files for line in file.lines for remark in line.remarks]
    assert (codes.count("IMPORT_PHONE_FOREIGN"), codes.count("PHONE_INVALID")) == (6, 2)
    assert told(report, "PractitionerRole/example") == (
        Outcome.SKIPPED,
        [
            "IMPORT_CODE_UNKNOWN",
            "IMPORT_CODE_UNKNOWN",
            "PHONE_INVALID",
            "IMPORT_NO_POSITION",
            "IMPORT_POST_ENDED",
        ],
    )
    again = await import_staff(viewer, records=files, dry_run=False)
    assert again.counts[Outcome.CREATED] == again.counts[Outcome.UPDATED] == 0


async def test_no_worker_has_shifts_that_overlap_after_an_import() -> None:
    viewer = await admin()
    await import_staff(viewer, records=[ward()], dry_run=False)
    assert await Shift.filter(practitioner_id__isnull=False).count() == 0
    nurse: UUID = (await Practitioner.get(last_name="1")).id
    early = await Shift.filter(kind=ShiftKind.DAY).first()
    assert early is not None
    early.practitioner_id, early.state = nurse, ShiftState.REQUESTED
    await early.save()
    await import_staff(viewer, records=[ward()], dry_run=False)
    assert await Shift.filter(practitioner_id=nurse).count() == 1

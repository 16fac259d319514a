"""Real input: staff is imported, somebody of it is invited, signs in, and asks for a shift."""

import asyncio
import os
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from auth.viewer import Viewer
from core.clock import utc_now
from models.database import opened
from models.organisation import Department
from models.practitioner import Practitioner
from models.shift import Shift
from resolvers.import_plan import Outcome
from resolvers.imports import ImportReport, import_staff
from server.environment import system_viewer
from server.importing import read_files
from tests import factories as make
from tests.journeys.hospital import Caller, Hospital, sign_in

ROOT = Path(__file__).parents[2]
WARD = ROOT / "tests/data/rosters/ward.xml"
HOSPITAL = ROOT / "tests/data/fhir/hospital.json"
SHARED = Path(os.environ.get("CABINET_SHARED_DATA") or ROOT.parent / "shared/data")

real_input = pytest.mark.skipif(
    not SHARED.is_dir(),
    reason=f"REAL INPUT IS MISSING: no {SHARED.name}/ beside the repository"
    " (set CABINET_SHARED_DATA)",
)


def next_month() -> date:
    """The first day of the month after the next: every shift of it is still to come."""
    today = utc_now().date()
    months = today.year * 12 + today.month + 1
    return date(months // 12, months % 12 + 1, 1)


async def imported(hospital: Hospital, *paths: Path) -> tuple[Viewer, ImportReport]:
    """What ``cabinet import`` does with the files."""
    viewer = system_viewer(hospital.organisation.id)
    records = read_files(paths, zone=hospital.organisation.zone, month=next_month())
    return viewer, await import_staff(viewer, records=records, dry_run=False)


async def invited(hospital: Hospital, admin: Caller, person: UUID, role: str, **login: str) -> Any:
    """A worker takes up the admin's invitation, and has the second factor from then on."""
    told = await admin.does("invite", "code account { state }", practitionerId=person, role=role)
    assert told["account"] == {"state": "INVITED"}
    opened_account = await hospital.visitor().does(
        "acceptInvitation",
        "totpSecret totpUri",
        code=told["code"].lower().replace("-", " "),
        password="тихий омут 42 кита",
        **login,
    )
    assert opened_account["totpUri"].startswith("otpauth://totp/")
    return Caller(
        hospital.api, file=await Practitioner.get(id=person), secret=opened_account["totpSecret"]
    )


async def test_an_imported_nurse_opens_the_cabinet_and_asks_for_an_imported_shift(
    hospital: Hospital,
) -> None:
    _, report = await imported(hospital, WARD)
    # One wish of the ward names a nurse whom it does not have.
    assert report.counts[Outcome.FAILED] == 1
    admin = await hospital.admin()
    staff = await admin.sees("{ practitioners { nodes { id lastName status profession } } }")
    nurses = staff["practitioners"]["nodes"]
    assert [(one["lastName"], one["status"], one["profession"]) for one in nurses] == [
        (name, "INCOMPLETE", "NURSE") for name in ("0", "1", "2")
    ]
    nurse = await invited(
        hospital, admin, UUID(nurses[1]["id"]), "NURSE", email="Nurse.One@example.org"
    )

    signed_in = await sign_in(nurse, "nurse.one@EXAMPLE.org")
    assert signed_in["viewer"] == {"activeRole": "NURSE", "roles": ["NURSE"]}
    seen = await nurse.sees(
        "{ me { lastName status department { name } dayWishes { totalCount }"
        " positions { nodes { rate title { name } } } }"
        " shifts { totalCount nodes { id status kind startsAt endsAt } } }"
    )
    assert seen["me"] == {
        "lastName": "1",
        "status": "INCOMPLETE",
        "department": {"name": "ward7"},
        "dayWishes": {"totalCount": 2},
        "positions": {"nodes": [{"rate": "0.50", "title": {"name": "Nurse"}}]},
    }
    roster = seen["shifts"]["nodes"]
    assert [(one["status"], one["kind"]) for one in roster] == [
        ("OPEN", "DAY"),
        ("OPEN", "DAY"),
        ("OPEN", "NIGHT"),
        ("OPEN", "EVENING"),
        ("OPEN", "EVENING"),
    ]
    night = roster[2]
    # Half past ten in the evening to half past six in Moscow.
    assert (night["startsAt"][11:], night["endsAt"][11:]) == ("19:30:00Z", "03:30:00Z")

    await nurse.does("requestShift", id=night["id"])
    assert await nurse.refused("requestShift", id=roster[0]["id"]) == [("REST_TOO_SHORT", "id")]
    approved = await admin.does("approveShift", "shift { status }", id=night["id"])
    assert approved == {"shift": {"status": "APPROVED"}}

    # The file comes again: what was decided since then stays.
    _, again = await imported(hospital, WARD)
    assert (again.counts[Outcome.CREATED], again.counts[Outcome.UPDATED]) == (0, 0)
    mine = await nurse.sees("{ me { shifts { nodes { id status } } } }")
    assert mine["me"]["shifts"]["nodes"] == [{"id": night["id"], "status": "APPROVED"}]


async def test_an_imported_doctor_signs_in_with_the_phone_of_the_registry(
    hospital: Hospital,
) -> None:
    await imported(hospital, HOSPITAL)
    admin = await hospital.admin()
    sokolova = await Practitioner.get(last_name="Соколова")
    doctor = await invited(hospital, admin, sokolova.id, "DOCTOR")
    await sign_in(doctor, "8 (912) 345-67-89")
    assert await doctor.sees("{ me { firstName snils inn workPhone department { city } } }") == {
        "me": {
            "firstName": "Мария",
            "snils": "11223344595",
            "inn": "500100732259",
            "workPhone": "+74822321010",
            "department": {"city": "Тверь"},
        }
    }


async def test_an_invitation_opens_one_account_once(hospital: Hospital) -> None:
    await imported(hospital, WARD)
    admin, visitor = await hospital.admin(), hospital.visitor()
    first, second = (await Practitioner.all().order_by("last_name"))[:2]
    given = {"practitionerId": first.id, "role": "NURSE"}
    lost = (await admin.does("invite", "code", **given))["code"]
    code = (await admin.does("invite", "code", **given))["code"]
    password = "тихий омут 42 кита"

    # A renewed invitation ends the one before; a roster knows nobody's address.
    accepting = {"password": password, "email": "nurse@example.org"}
    assert await visitor.refused("acceptInvitation", code=lost, **accepting) == [
        ("INVITATION_INVALID", "code")
    ]
    assert await visitor.refused("acceptInvitation", code=code, password=password) == [
        ("LOGIN_REQUIRED", "email")
    ]
    assert await visitor.refused(
        "acceptInvitation", code=code, password="password", email="nurse@example.org"
    ) == [("PASSWORD_WEAK", "password")]
    assert await visitor.refused(
        "acceptInvitation", code=code, password=password, email="нет", phone="8 900 123-45-67"
    ) == [("EMAIL_INVALID", "email")]

    answers = await asyncio.gather(
        *(visitor.refused("acceptInvitation", code=code, **accepting) for _ in range(3))
    )
    assert sorted(answers) == [[], *[[("INVITATION_INVALID", "code")]] * 2]
    assert await admin.refused("invite", **given) == [("ACCOUNT_EXISTS", "practitionerId")]
    # The address is somebody's now.
    other = (await admin.does("invite", "code", practitionerId=second.id, role="NURSE"))["code"]
    assert await visitor.refused("acceptInvitation", code=other, **accepting) == [
        ("IDENTITY_UNAVAILABLE", "email")
    ]


@real_input
async def test_the_real_files_are_imported_and_a_nurse_of_theirs_asks_for_a_shift(
    hospital: Hospital,
) -> None:
    _, report = await imported(
        hospital,
        *sorted((SHARED / "fhir").glob("*.json")),
        SHARED / "rosters/sprint01.xml",
        SHARED / "rosters/toy1.xml",
    )
    assert report.counts[Outcome.FAILED] == 0
    admin = await hospital.admin()
    ward = await Department.get(code="roster:sprint01")
    # The people of the rosters are called 0, 1, 2 in every file: the ward tells them apart.
    person = await Practitioner.get(last_name="0", department_id=ward.id)
    nurse = await invited(hospital, admin, person.id, "NURSE", phone="8 900 765-43-21")
    await sign_in(nurse, "+7 900 765 43 21")
    seen = await nurse.sees(
        "{ me { department { name } } shifts(first: 1) { totalCount nodes { id } } }"
    )
    assert seen["me"]["department"] == {"name": ward.name}
    assert seen["shifts"]["totalCount"] == 152
    (first,) = seen["shifts"]["nodes"]
    await nurse.does("requestShift", id=first["id"])
    await admin.does("approveShift", id=first["id"])

    # A doctor from the FHIR examples sees the whole staff, and no roster but the own.
    doctor_file = await Practitioner.filter(profession="DOCTOR").order_by("id").first()
    assert doctor_file is not None
    doctor = await invited(hospital, admin, doctor_file.id, "DOCTOR", email="d@example.org")
    await sign_in(doctor, "d@example.org")
    seen = await doctor.sees("{ practitioners { totalCount } shifts { totalCount } }")
    assert seen == {"practitioners": {"totalCount": 24}, "shifts": {"totalCount": 0}}


def test_the_command_tells_what_an_import_would_do_and_changes_nothing(
    database_url: str, tmp_path: Path
) -> None:
    async def one_organisation() -> None:
        async with opened(database_url):
            await make.organisation(name="Больница")

    async def rows() -> tuple[int, int]:
        async with opened(database_url):
            return await Practitioner.all().count(), await Shift.all().count()

    asyncio.run(one_organisation())
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "CABINET_HOME": str(tmp_path),
        "CABINET_DATABASE_URL": database_url,
        "CABINET_LANGUAGE": "en",
        "COLUMNS": "200",
    }
    command = "from server.cli import main; main()"
    files = [str(WARD), str(HOSPITAL), str(ROOT / "tests/data/fhir/Practitioner-d001.json")]
    done = subprocess.run(
        [sys.executable, "-c", command, "import", *files, "--month", "2030-12", "--dry-run"],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    # One wish of the ward, and one nameless person of the hospital, are wrong on purpose.
    assert done.returncode == 1, done.stderr
    assert "Dry run: nothing was changed" in done.stdout
    assert "ward.xml:69 DayOff@69: The file has no employee 9." in done.stdout
    assert asyncio.run(rows()) == (0, 0)

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
from models.role import Role
from models.shift import Shift
from resolvers.import_plan import Outcome
from resolvers.imports import ImportReport, import_staff
from server.environment import system_viewer
from server.importing import read_files
from tests import factories as make
from tests.journeys.hospital import Caller, Hospital, sign_in
from tests.journeys.outbox import code_in, received

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


async def named(hospital: Hospital, code: str, contact: str, sent_to: str) -> dict[str, str]:
    """What accepting needs of a contact: its handle, and the code that came there."""
    begun = await hospital.visitor().does(
        "beginInvitation", "handle expiresAt resendAt", code=code, contact=contact
    )
    got = (await received(hospital.api, sent_to))[-1]
    return {"handle": begun["handle"], "contactCode": code_in(got)}


async def invited(
    hospital: Hospital, admin: Caller, person: UUID, role: str, contact: str, sent_to: str
) -> Any:
    """A worker takes up the admin's invitation, and has the second factor from then on."""
    told = await admin.does("invite", "code account { state }", practitionerId=person, role=role)
    assert told["account"] == {"state": "INVITED"}
    code = told["code"].lower().replace("-", " ")
    opened_account = await hospital.visitor().does(
        "acceptInvitation",
        "totpSecret totpUri",
        code=code,
        password="тихий омут 42 кита",
        **await named(hospital, code, contact, sent_to),
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
    contact = "Nurse.One@example.org"
    person = UUID(nurses[1]["id"])
    nurse = await invited(hospital, admin, person, "NURSE", contact, contact.lower())

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


async def test_an_imported_doctor_signs_in_with_the_phone_that_they_have_shown(
    hospital: Hospital,
) -> None:
    await imported(hospital, HOSPITAL)
    admin = await hospital.admin()
    sokolova = await Practitioner.get(last_name="Соколова")
    phone = ("8 912 345-67-89", "+79123456789")
    doctor = await invited(hospital, admin, sokolova.id, "DOCTOR", *phone)
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
    lost, code = [
        (await admin.does("invite", "code", practitionerId=first.id, role="NURSE"))["code"]
        for _ in range(2)
    ]
    password = "тихий омут 42 кита"

    # A renewed invitation ends the one before.
    address = "nurse@example.org"
    assert await visitor.refused("beginInvitation", code=lost, contact=" ") == [
        ("INVITATION_INVALID", "code"),
        ("REQUIRED", "contact"),
    ]
    assert await visitor.refused("beginInvitation", code=code, contact="нет") == [
        ("EMAIL_INVALID", "contact")
    ]
    given = await named(hospital, code, address, address)
    wrong = {"handle": given["handle"], "contactCode": "12345"}
    assert await visitor.refused("acceptInvitation", code=lost, password="password", **wrong) == [
        ("INVITATION_INVALID", "code"),
        ("PASSWORD_WEAK", "password"),
    ]
    assert await visitor.refused("acceptInvitation", code=code, password="password", **wrong) == [
        ("CODE_INVALID", "contactCode"),
        ("PASSWORD_WEAK", "password"),
    ]

    accepting = {"code": code, "password": password, **given}
    answers = await asyncio.gather(
        *(visitor.refused("acceptInvitation", **accepting) for _ in range(3))
    )
    assert answers.count([]) == 1
    taken = {("INVITATION_INVALID", "code"), ("CODE_REUSED", "contactCode")}
    assert {problem for answer in answers for problem in answer} <= taken
    assert await admin.refused("invite", practitionerId=first.id, role="NURSE") == [
        ("ACCOUNT_EXISTS", "practitionerId")
    ]
    # The address is somebody's now: its owner is told, and whoever asked is not.
    other = (await admin.does("invite", "code", practitionerId=second.id, role="NURSE"))["code"]
    await visitor.does("beginInvitation", "handle", code=other, contact=address)
    assert (await received(hospital.api, address))[-1].startswith("This contact has an account")


async def test_whoever_is_invited_keeps_no_contact_from_its_owner(hospital: Hospital) -> None:
    await imported(hospital, WARD)
    admin = await hospital.admin()
    first = await Practitioner.all().order_by("last_name").first()
    assert first is not None
    code = (await admin.does("invite", "code", practitionerId=first.id, role="NURSE"))["code"]
    phone = "+79007654321"

    await hospital.visitor().does("beginInvitation", "handle", code=code, contact=phone)

    await hospital.visitor().does("beginRegistration", "handle", phone=phone)
    assert "Your code to register" in (await received(hospital.api, phone))[-1]


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
    phone = ("8 900 765-43-21", "+79007654321")
    nurse = await invited(hospital, admin, person.id, "NURSE", *phone)
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
    address = "d@example.org"
    doctor = await invited(hospital, admin, doctor_file.id, "DOCTOR", address, address)
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


async def test_a_contact_that_an_import_wrote_last_is_not_the_account_s(
    hospital: Hospital, tmp_path: Path
) -> None:
    await imported(hospital, HOSPITAL)
    file = await Practitioner.get(last_name="Соколова")
    account = await make.account()
    await Practitioner.filter(id=file.id).update(account_id=account.id)
    await make.grant(account, Role.NURSE, hospital.organisation)
    nurse = Caller(
        hospital.api, await hospital.api.token(account, Role.NURSE), file=file, account=account
    )
    own = {"personalPhone": "+79123450000", "personalEmail": "stranger@example.org"}
    await nurse.does("updateMyFile", "practitioner { id }", version=file.version, input=own)
    corrected = tmp_path / HOSPITAL.name
    corrected.write_text(HOSPITAL.read_text("utf-8").replace("345-67-89", "345-67-80"), "utf-8")
    await imported(hospital, corrected)
    file = await Practitioner.get(id=file.id)
    admin = await hospital.admin()

    given = {"id": file.id, "version": file.version, "reason": "Чужой файл"}
    await admin.does("detachAccount", "practitioner { id }", **given)

    left = await Practitioner.get(id=file.id)
    assert (left.personal_phone, left.personal_email or None) == ("+79123456780", None)

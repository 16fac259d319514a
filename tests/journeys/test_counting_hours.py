"""Journey: hours worked, norm and overtime, by whoever the table of rights gives them to."""

from datetime import UTC, datetime

from models.organisation import POSITIONS, DictionaryEntry
from models.role import Role
from models.shift import ShiftState
from tests.journeys.hospital import Caller, Hospital

# A week of March 2026, when Moscow was three hours before UTC.
PERIOD = 'from: "2026-03-02", to: "2026-03-08"'
HOURS = "{ hours nightHours homeDutyHours norm overtime shifts }"
OWN = f"{{ me {{ workedTime({PERIOD}) {HOURS} }} }}"
EVERYBODY = f"{{ practitioners {{ nodes {{ id workedTime({PERIOD}) {{ hours }} }} }} }}"


async def worked(hospital: Hospital, person: Caller, day: int, hour: int, **values: object) -> None:
    """A shift that was done, from an hour of Moscow on."""
    await hospital.open_shift(
        datetime(2026, 3, day, hour - 3, tzinfo=UTC),
        practitioner=person.file,
        state=ShiftState.APPROVED,
        **values,  # type: ignore[arg-type]
    )


async def test_hours_are_counted_against_the_norm_of_posts(hospital: Hospital) -> None:
    admin, doctor = await hospital.admin(), await hospital.doctor()
    title = await DictionaryEntry.create(oid=POSITIONS, version="1.0", code="7", name="Рентгенолог")
    post = {
        "practitionerId": doctor.file_id,
        "departmentId": hospital.therapy.id,
        "titleId": title.id,
        "rate": "0.50",
        "startsOn": "2026-01-12",
    }
    assert await admin.refused("addPosition", **{**post, "weeklyNorm": "41"}) == [
        ("OUT_OF_RANGE", "weeklyNorm")
    ]
    listed = await admin.does(
        "addPosition", "position { weeklyNorm }", **{**post, "weeklyNorm": "30"}
    )
    assert listed == {"position": {"weeklyNorm": "30.00"}}
    second = {**post, "rate": "0.25", "employment": "INTERNAL_SECOND"}
    await admin.does("addPosition", **second)

    await worked(hospital, doctor, 2, 20, hours=12)
    await worked(hospital, doctor, 5, 8, hours=10, kind="HOME_DUTY")
    # In another department, and the doctor's all the same.
    await worked(hospital, doctor, 7, 9, hours=8.5, department=hospital.surgery)

    hours = {
        "hours": "25.50",
        "nightHours": "8.00",
        "homeDutyHours": "10.00",
        "norm": "24.75",
        "overtime": "0.75",
        "shifts": 3,
    }
    assert await doctor.sees(OWN) == {"me": {"workedTime": hours}}
    # A shorter week of the whole organisation shortens the post without a norm of its own.
    changed = await admin.does(
        "updateOrganisation",
        "organisation { weeklyNorm }",
        id=hospital.organisation.id,
        input={"weeklyNorm": "36"},
    )
    assert changed == {"organisation": {"weeklyNorm": "36.00"}}
    shorter = {**hours, "norm": "24.00", "overtime": "1.50"}
    assert await doctor.sees(OWN) == {"me": {"workedTime": shorter}}


async def test_one_s_own_hours_are_one_s_own_and_the_administration_s(hospital: Hospital) -> None:
    doctor, nurse = await hospital.doctor(), await hospital.nurse()
    await worked(hospital, doctor, 3, 8)
    await worked(hospital, nurse, 3, 8, hours=6)
    hours = {str(doctor.file_id): "8.00", str(nurse.file_id): "6.00"}
    manager = await hospital.manager(hospital.therapy)
    for person in (await hospital.admin(), manager, await hospital.inspector()):
        seen = await person.sees(EVERYBODY)
        assert {n["id"]: n["workedTime"]["hours"] for n in seen["practitioners"]["nodes"]} == hours
    for person in (doctor, nurse):
        answer = await person.answer(EVERYBODY)
        nodes = answer.data["practitioners"]["nodes"]
        own = str(person.file_id)
        assert {node["id"]: node["workedTime"] for node in nodes} == {
            key: {"hours": hours[key]} if key == own else None for key in hours
        }
        assert answer.body["extensions"]["withheld"] == ["practitioners.nodes.workedTime"]


async def test_nobody_else_has_such_a_field(hospital: Hospital) -> None:
    operator = await hospital.staff(Role.OPERATOR, Role.ADMIN)
    told = await operator.unknown(EVERYBODY)
    assert told["message"] == "Cannot query field 'workedTime' on type 'Practitioner'."
    assert told["extensions"]["availableIn"] == ["ADMIN"]


async def test_a_wrong_period_is_named(hospital: Hospital) -> None:
    doctor = await hospital.doctor()
    for first, last in (("2026-03-08", "2026-03-02"), ("2026-01-01", "2027-01-02")):
        asked = f'{{ me {{ workedTime(from: "{first}", to: "{last}") {{ hours }} }} }}'
        answer = await doctor.answer(asked)
        # Refused as a whole, before anything runs.
        assert set(answer.body) == {"errors"}
        (error,) = answer.body["errors"]
        assert error["extensions"] == {"code": "PERIOD_OUT_OF_RANGE", "field": "to"}
        assert "366" in error["message"]


async def test_the_organisation_s_norm_is_its_administration_s(hospital: Hospital) -> None:
    admin, manager = await hospital.admin(), await hospital.manager(hospital.therapy)
    home = {"id": hospital.organisation.id}
    assert await manager.refused("updateOrganisation", **home, input={"weeklyNorm": "36"}) == [
        ("DENIED", "id")
    ]
    for wrong, code in (("40.5", "OUT_OF_RANGE"), ("0", "OUT_OF_RANGE"), (None, "REQUIRED")):
        assert await admin.refused("updateOrganisation", **home, input={"weeklyNorm": wrong}) == [
            (code, "input.weeklyNorm")
        ]
    seen = await admin.sees("{ organisations { nodes { weeklyNorm } } }")
    assert seen["organisations"]["nodes"] == [{"weeklyNorm": "39.00"}]

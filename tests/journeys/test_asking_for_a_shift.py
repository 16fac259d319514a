"""Journey 15, as far as it goes: a worker asks for a shift, a manager decides."""

import asyncio
import json
from datetime import timedelta

from graphql import get_introspection_query

from core.clock import utc_now
from models.licence import LicenceKind
from models.practitioner import Profession
from models.shift import Shift, ShiftKind, ShiftState
from tests import factories as make
from tests.journeys.hospital import Hospital, coming, day, journal

SHOWN = "shift { status practitioner { id } }"


async def test_a_nurse_asks_and_the_manager_of_the_department_approves(
    hospital: Hospital,
) -> None:
    nurse = await hospital.nurse()
    manager = await hospital.manager(hospital.therapy)
    planned = await manager.does(
        "planShift",
        "shift { id status kind startsAt version }",
        departmentId=hospital.therapy.id,
        kind="NIGHT",
        startsAt=coming(19),
        endsAt=coming(31),
        profession="NURSE",
    )
    shift_id = planned["shift"]["id"]
    assert planned["shift"]["status"] == "OPEN"

    roster = await nurse.sees("{ shifts(filter: {status: {eq: OPEN}}) { nodes { id kind } } }")
    assert roster["shifts"]["nodes"] == [{"id": shift_id, "kind": "NIGHT"}]
    asked = await nurse.does("requestShift", SHOWN, id=shift_id, note="Могу и раньше")
    own = {"id": str(nurse.file_id)}
    assert asked == {"shift": {"status": "REQUESTED", "practitioner": own}}

    waiting = await manager.sees(
        "{ shifts(filter: {status: {eq: REQUESTED}}) {"
        " nodes { id note practitioner { id } version } } }"
    )
    assert waiting["shifts"]["nodes"] == [
        {"id": shift_id, "note": "Могу и раньше", "practitioner": own, "version": 2}
    ]
    approved = await manager.does("approveShift", SHOWN, id=shift_id)
    assert approved == {"shift": {"status": "APPROVED", "practitioner": own}}

    seen = await nurse.sees("{ me { shifts { nodes { status decidedAt note } } } }")
    (mine,) = seen["me"]["shifts"]["nodes"]
    assert (mine["status"], mine["note"]) == ("APPROVED", "Могу и раньше")
    assert mine["decidedAt"] is not None
    assert (await journal())[-3:] == [
        ("SHIFT_PLANNED", "ADMIN", None),
        ("SHIFT_REQUESTED", "NURSE", nurse.file_id),
        ("SHIFT_APPROVED", "ADMIN", nurse.file_id),
    ]


async def test_neither_doctors_nor_nurses_approve(hospital: Hospital) -> None:
    shift = await hospital.open_shift(coming(8))
    document = f'mutation {{ approveShift(id: "{shift.id}") {{ errors {{ code }} }} }}'
    for worker in (await hospital.doctor(), await hospital.nurse()):
        error = await worker.unknown(document)
        assert error["message"] == "Cannot query field 'approveShift' on type 'Mutation'."
        assert error["extensions"] == {"code": "GRAPHQL_VALIDATION_FAILED"}
    assert (await Shift.get(id=shift.id)).state is ShiftState.OPEN


async def test_a_manager_decides_in_the_own_department_only(hospital: Hospital) -> None:
    nurse = await hospital.nurse(hospital.surgery)
    shift = await hospital.open_shift(coming(8), department=hospital.surgery)
    await nurse.does("requestShift", id=shift.id)
    manager = await hospital.manager(hospital.therapy)
    for mutation in ("approveShift", "declineShift", "cancelShift"):
        assert await manager.refused(mutation, id=shift.id) == [("NOT_FOUND", "id")]
    assert await manager.sees("query ($id: ID!) { shift(id: $id) { id } }", id=shift.id) == {
        "shift": None
    }
    admin = await hospital.admin()
    await admin.does("approveShift", id=shift.id)


async def test_of_two_who_ask_at_once_one_gets_the_shift(hospital: Hospital) -> None:
    first, second = await hospital.nurse(), await hospital.nurse()
    shift = await hospital.open_shift(coming(8))
    answers = await asyncio.gather(
        first.refused("requestShift", id=shift.id), second.refused("requestShift", id=shift.id)
    )
    assert sorted(answers) == [[], [("SHIFT_TAKEN", "id")]]
    winner = (first, second)[answers.index([])]
    assert (await Shift.get(id=shift.id)).practitioner_id == winner.file_id


async def test_nobody_is_at_two_places_at_once(hospital: Hospital) -> None:
    doctor = await hospital.doctor()
    early = await hospital.open_shift(coming(8))
    late = await hospital.open_shift(coming(14))
    answers = await asyncio.gather(
        doctor.refused("requestShift", id=early.id), doctor.refused("requestShift", id=late.id)
    )
    assert sorted(answers) == [[], [("SHIFT_OVERLAP", "id")]]
    taken = await Shift.filter(practitioner_id=doctor.file_id)
    assert len(taken) == 1

    # Nor is anybody planned there by an admin.
    admin = await hospital.admin()
    assert await admin.refused(
        "planShift",
        departmentId=hospital.therapy.id,
        kind="DAY",
        startsAt=taken[0].starts_at + timedelta(hours=1),
        endsAt=taken[0].ends_at + timedelta(hours=1),
        practitionerId=doctor.file_id,
    ) == [("SHIFT_OVERLAP", "startsAt")]


async def test_ten_hours_lie_between_two_shifts(hospital: Hospital) -> None:
    nurse = await hospital.nurse()
    day_shift = await hospital.open_shift(coming(8))
    night = await hospital.open_shift(coming(25))
    later = await hospital.open_shift(coming(26))
    await nurse.does("requestShift", id=day_shift.id)
    assert await nurse.refused("requestShift", id=night.id) == [("REST_TOO_SHORT", "id")]
    assert await nurse.told("requestShift", id=night.id, language="ru") == [
        "Между сменами должно быть не меньше 10 ч отдыха."
    ]
    assert await nurse.refused("requestShift", id=later.id) == []


async def test_whose_accreditation_has_run_out_asks_in_vain(hospital: Hospital) -> None:
    doctor = await hospital.doctor()
    assert doctor.file is not None
    await make.licence(doctor.file, issued_on=day(-1800), expires_on=day(3))
    before, after = (
        await hospital.open_shift(coming(8)),
        await hospital.open_shift(coming(8, days=5)),
    )
    assert await doctor.refused("requestShift", id=after.id) == [("CREDENTIAL_EXPIRED", "id")]
    await doctor.does("requestShift", id=before.id)

    # It may also run out, or be revoked, between the question and the answer.
    admin = await hospital.admin()
    seen = await admin.sees("{ licences { nodes { id version status } } }")
    (accreditation,) = seen["licences"]["nodes"]
    await admin.does(
        "revokeLicence",
        "licence { status }",
        id=accreditation["id"],
        version=accreditation["version"],
        reason="Решение комиссии",
    )
    assert await admin.refused("approveShift", id=before.id) == [("CREDENTIAL_EXPIRED", "id")]
    await admin.does(
        "createLicence",
        "licence { status expiresOn }",
        practitionerId=doctor.file_id,
        kind=LicenceKind.ACCREDITATION.value,
        number="7724 031234567",
        issuer="ФАЦ",
        issuedOn=day(-3),
    )
    await admin.does("approveShift", id=before.id)


async def test_a_shift_of_another_profession_is_not_for_one(hospital: Hospital) -> None:
    shift = await hospital.open_shift(coming(8), profession=Profession.DOCTOR)
    nurse = await hospital.nurse()
    assert await nurse.refused("requestShift", id=shift.id) == [("PROFESSION_MISMATCH", "id")]


async def test_a_request_can_be_taken_back(hospital: Hospital) -> None:
    nurse, other = await hospital.nurse(), await hospital.nurse()
    shift = await hospital.open_shift(coming(8))
    await nurse.does("requestShift", id=shift.id, note="Если никто не против")
    assert await other.refused("withdrawShiftRequest", id=shift.id) == [("DENIED", "id")]
    withdrawn = await nurse.does("withdrawShiftRequest", SHOWN, id=shift.id)
    assert withdrawn == {"shift": {"status": "OPEN", "practitioner": None}}
    assert await nurse.refused("withdrawShiftRequest", id=shift.id) == [("DENIED", "id")]
    asked = await other.does("requestShift", "shift { status note }", id=shift.id)
    assert asked == {"shift": {"status": "REQUESTED", "note": None}}


async def test_declined_work_is_open_again(hospital: Hospital) -> None:
    nurse = await hospital.nurse()
    manager = await hospital.manager(hospital.therapy)
    shift = await hospital.open_shift(coming(8))
    await nurse.does("requestShift", id=shift.id)
    declined = await manager.does(
        "declineShift", "shift { status }", id=shift.id, reason="Уже две ночи подряд"
    )
    assert declined == {"shift": {"status": "DECLINED"}}
    roster = await nurse.sees("{ shifts { nodes { id status practitioner { id } startsAt } } }")
    again = [one for one in roster["shifts"]["nodes"] if one["id"] != str(shift.id)]
    assert [(one["status"], one["practitioner"]) for one in again] == [("OPEN", None)]
    assert await manager.refused("approveShift", id=shift.id) == [("SHIFT_STATE", "id")]
    await nurse.does("requestShift", id=again[0]["id"])


async def test_a_shift_is_cancelled_before_it_begins_and_not_later(hospital: Hospital) -> None:
    doctor = await hospital.doctor()
    manager = await hospital.manager(hospital.therapy)
    to_come = await hospital.open_shift(coming(8))
    await doctor.does("requestShift", id=to_come.id)
    await manager.does("approveShift", id=to_come.id)
    cancelled = await manager.does(
        "cancelShift", "shift { status }", id=to_come.id, reason="Карантин"
    )
    assert cancelled == {"shift": {"status": "CANCELLED"}}

    begun, over = [
        await hospital.open_shift(
            utc_now() - timedelta(hours=hours),
            practitioner=doctor.file,
            state=ShiftState.APPROVED,
        )
        for hours in (1, 30)
    ]
    assert await manager.refused("cancelShift", id=begun.id) == [("SHIFT_BEGUN", "id")]
    assert await manager.refused("cancelShift", id=over.id) == [("SHIFT_STATE", "id")]
    seen = await doctor.sees("{ shifts(filter: {status: {eq: DONE}}) { nodes { id status } } }")
    assert seen["shifts"]["nodes"] == [{"id": str(over.id), "status": "DONE"}]


async def test_the_note_is_for_its_worker_and_the_administration(hospital: Hospital) -> None:
    nurse, colleague = await hospital.nurse(), await hospital.nurse()
    shift = await hospital.open_shift(coming(8))
    await nurse.does("requestShift", id=shift.id)
    noted = await nurse.does(
        "updateShiftNote", "shift { note version }", id=shift.id, version=2, note="Буду к девяти"
    )
    assert noted == {"shift": {"note": "Буду к девяти", "version": 3}}
    assert await nurse.refused("updateShiftNote", id=shift.id, version=2, note="Нет") == [
        ("CONFLICT", "version")
    ]

    answer = await colleague.answer("{ shifts { nodes { status note } } }")
    assert answer.data == {"shifts": {"nodes": [{"status": "REQUESTED", "note": None}]}}
    # Said of the document, whatever the rows: it does not tell that there is a note.
    assert answer.body["extensions"] == {"withheld": ["shifts.nodes.note"]}
    assert await colleague.refused("updateShiftNote", id=shift.id, version=3, note="Чужая") == [
        ("DENIED", "id")
    ]


async def test_duties_at_home_and_consultations_do_not_exist_for_a_nurse(
    hospital: Hospital,
) -> None:
    nurse, doctor = await hospital.nurse(), await hospital.doctor()
    kinds = (ShiftKind.DAY, ShiftKind.HOME_DUTY, ShiftKind.CONSULTATION)
    shifts = [
        await hospital.open_shift(coming(6, days=number + 2), kind=kind)
        for number, kind in enumerate(kinds)
    ]
    document = (
        "{ shifts { totalCount nodes { kind } } departments(filter: {shifts: {kind: {isNull:"
        " false}}}) { nodes { shifts { totalCount } } } }"
    )
    assert await nurse.sees(document) == {
        "shifts": {"totalCount": 1, "nodes": [{"kind": "DAY"}]},
        "departments": {"nodes": [{"shifts": {"totalCount": 1}}]},
    }
    assert (await doctor.sees(document))["shifts"]["totalCount"] == 3

    one = "query ($id: ID!) { shift(id: $id) { kind } }"
    for hidden in shifts[1:]:
        assert await nurse.sees(one, id=hidden.id) == {"shift": None}
        assert await nurse.refused("requestShift", id=hidden.id) == [("NOT_FOUND", "id")]
        error = await nurse.unknown(
            f"{{ shifts(filter: {{kind: {{eq: {hidden.kind.value}}}}}) {{ totalCount }} }}"
        )
        assert error["message"] == "No such value can stand here."
        by_variable = await nurse.answer(
            "query ($kind: ShiftKind) { shifts(filter: {kind: {eq: $kind}}) { totalCount } }",
            {"kind": hidden.kind.value},
        )
        assert by_variable.codes == ["BAD_USER_INPUT"]
    whole = json.dumps(await nurse.sees(get_introspection_query()))
    assert "HOME_DUTY" not in whole
    assert "CONSULTATION" not in whole


async def test_a_colleague_of_another_department_sees_no_roster_of_this_one(
    hospital: Hospital,
) -> None:
    shift = await hospital.open_shift(coming(8))
    surgeon = await hospital.doctor(hospital.surgery)
    assert await surgeon.sees("{ shifts { totalCount } }") == {"shifts": {"totalCount": 0}}
    assert await surgeon.refused("requestShift", id=shift.id) == [("NOT_FOUND", "id")]

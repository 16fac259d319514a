"""Journey 23, first part: an admin keeps the staff registry, each within what is theirs."""

from uuid import UUID

from core.ids import uuid7
from models.organisation import POSITIONS, DictionaryEntry
from models.practitioner import Practitioner
from models.role import Role
from models.shift import ShiftState
from tests import factories as make
from tests.journeys.hospital import Caller, Hospital, coming, day

SNILS = "112-233-445 95"
NEW = {"lastName": "Иванова", "firstName": "Анна", "profession": "NURSE"}


async def post(name: str = "Медицинская сестра") -> UUID:
    entry = await DictionaryEntry.create(oid=POSITIONS, version="1.0", code="95", name=name)
    return entry.id


async def test_a_worker_is_entered_with_everything_in_its_kept_form(hospital: Hospital) -> None:
    admin = await hospital.admin()
    specialty = await make.specialty(name="Сестринское дело")
    created = await admin.does(
        "createPractitioner",
        "practitioner { publicId status lastName snils inn passport personalPhone workEmail"
        " category categoryAssignedOn procedurePermits specialty { name } department { name } }",
        input={
            **NEW,
            "lastName": "  Иванова  ",
            "snils": SNILS,
            "inn": "500100732259",
            "passport": "45 09 № 123456",
            "birthDate": "1990-02-03",
            "personalPhone": "8 (912) 345-67-89",
            "workEmail": "Ivanova@Clinic.Example",
            "category": "FIRST",
            "categoryAssignedOn": "2024-05-01",
            "procedurePermits": ["VACCINATION", "ECG", "ECG"],
            "specialtyId": specialty.id,
            "departmentId": hospital.therapy.id,
        },
    )
    public_id = created["practitioner"].pop("publicId")
    assert public_id.startswith("MW-")
    assert created["practitioner"] == {
        "status": "ACTIVE",
        "lastName": "Иванова",
        "snils": "11223344595",
        # These two an admin recognises and does not know.
        "inn": "••••••••2259",
        "passport": "•••• •••456",
        "personalPhone": "+79123456789",
        "workEmail": "ivanova@clinic.example",
        "category": "FIRST",
        "categoryAssignedOn": "2024-05-01",
        "procedurePermits": ["ECG", "VACCINATION"],
        "specialty": {"name": "Сестринское дело"},
        "department": {"name": "Терапия"},
    }


async def test_every_wrong_field_is_named_at_once_in_the_reader_s_language(
    hospital: Hospital,
) -> None:
    admin = await hospital.admin()
    wrong = {
        "lastName": " ",
        "firstName": "А" * 121,
        "profession": "NURSE",
        "snils": "987-654-321 09",
        "inn": "123456789037",
        "passport": "нет",
        "birthDate": day(2),
        "personalPhone": "12",
        "workEmail": "иванова(собака)почта",
        "categoryAssignedOn": "2020-01-01",
        "departmentId": uuid7(),
        "specialtyId": uuid7(),
    }
    refused = await admin.refused("createPractitioner", input=wrong)
    assert sorted(refused, key=str) == [
        ("DATE_IN_FUTURE", "input.birthDate"),
        ("EMAIL_INVALID", "input.workEmail"),
        ("INN_CHECKSUM", "input.inn"),
        ("NOT_FOUND", "input.departmentId"),
        ("NOT_FOUND", "input.specialtyId"),
        ("PASSPORT_FORMAT", "input.passport"),
        ("PHONE_INVALID", "input.personalPhone"),
        ("REQUIRED", "input.category"),
        ("REQUIRED", "input.lastName"),
        ("SNILS_CHECKSUM", "input.snils"),
        ("TOO_LONG", "input.firstName"),
    ]
    two = {**NEW, "snils": "987-654-321 09", "firstName": "А" * 121}
    assert await admin.told("createPractitioner", language="ru", input=two) == [
        "Не длиннее 120 знаков.",
        "Такого СНИЛС не бывает: проверьте цифры.",
    ]
    assert await admin.told("createPractitioner", language="en-GB,ru;q=0.5", input=two) == [
        "No longer than 120 characters.",
        "There is no such SNILS: check the digits.",
    ]
    assert await Practitioner.all().count() == 0


async def test_an_edit_names_what_changes_and_a_stale_one_is_refused(hospital: Hospital) -> None:
    first, second = await hospital.admin(), await hospital.admin()
    created = await first.does(
        "createPractitioner", "practitioner { id version status }", input={**NEW, "snils": SNILS}
    )
    worker = created["practitioner"]
    assert (worker["version"], worker["status"]) == (1, "INCOMPLETE")
    shows = "practitioner { lastName middleName snils status version }"
    edited = await first.does(
        "updatePractitioner",
        shows,
        id=worker["id"],
        version=1,
        input={"lastName": "Петрова", "birthDate": "1990-02-03"},
    )
    assert edited["practitioner"] == {
        "lastName": "Петрова",
        "middleName": None,
        "snils": "11223344595",
        "status": "ACTIVE",
        "version": 2,
    }
    # The second admin still looks at the first version.
    stale = {"id": worker["id"], "version": 1, "input": {"middleName": "Павловна"}}
    assert await second.refused("updatePractitioner", **stale) == [("CONFLICT", "version")]
    assert await second.told("updatePractitioner", language="ru", **stale) == [
        "Запись уже изменена; обновите её и повторите."
    ]
    cleared = await second.does(
        "updatePractitioner",
        shows,
        id=worker["id"],
        version=2,
        input={"middleName": "Павловна", "snils": None},
    )
    assert cleared["practitioner"] == {
        "lastName": "Петрова",
        "middleName": "Павловна",
        "snils": None,
        "status": "INCOMPLETE",
        "version": 3,
    }


async def test_a_person_holds_positions_and_a_main_one_moves_them(hospital: Hospital) -> None:
    admin, nurse = await hospital.admin(), await hospital.nurse()
    title = await post()
    given = {
        "practitionerId": nurse.file_id,
        "departmentId": hospital.surgery.id,
        "titleId": title,
        "rate": "1.00",
        "startsOn": day(-10),
    }
    added = await admin.does(
        "addPosition", "position { id rate employment title { name } department { name } }", **given
    )
    main = added["position"].pop("id")
    assert added["position"] == {
        "rate": "1.00",
        "employment": "MAIN",
        "title": {"name": "Медицинская сестра"},
        "department": {"name": "Хирургия"},
    }
    # The nurse's own department has changed with the next request, and so has the roster.
    assert (await nurse.sees("{ me { department { name } } }"))["me"] == {
        "department": {"name": "Хирургия"}
    }
    assert await admin.refused("addPosition", **given) == [("MAIN_POSITION_HELD", "employment")]
    assert await admin.refused(
        "addPosition", **{**given, "rate": "1.75", "endsOn": day(-11), "titleId": uuid7()}
    ) == [
        ("OUT_OF_RANGE", "rate"),
        ("DATES_REVERSED", "endsOn"),
        ("NOT_FOUND", "titleId"),
    ]
    await admin.does("addPosition", **{**given, "rate": "0.25", "employment": "INTERNAL_SECOND"})
    ended = await admin.does("endPosition", "position { endsOn }", id=main, endsOn=day(-5))
    assert ended == {"position": {"endsOn": day(-5).isoformat()}}
    assert await admin.refused("endPosition", id=main, endsOn=day(5)) == [("POSITION_ENDED", "id")]


async def test_departments_and_credentials_are_kept_with_the_registry(hospital: Hospital) -> None:
    admin, doctor = await hospital.admin(), await hospital.doctor()
    opened = await admin.does(
        "createDepartment",
        "department { id code name city }",
        input={"code": "ICU", "name": "Реанимация", "city": "Тверь"},
    )
    department = opened["department"]
    assert await admin.refused("createDepartment", input={"code": "ICU", "name": "Вторая"}) == [
        ("DEPARTMENT_CODE_TAKEN", "input.code")
    ]
    renamed = await admin.does(
        "updateDepartment",
        "department { code name city }",
        id=department["id"],
        input={"name": "Реанимация и ИТ", "city": None},
    )
    assert renamed["department"] == {"code": "ICU", "name": "Реанимация и ИТ", "city": None}

    given = {
        "practitionerId": doctor.file_id,
        "kind": "SPECIALIST_CERTIFICATE",
        "number": "0177 24 0001234",
        "issuer": "РНИМУ",
        "issuedOn": day(-30),
    }
    created = await admin.does("createLicence", "licence { id version status }", **given)
    licence = created["licence"]
    assert licence["status"] == "VALID"
    assert await admin.refused("createLicence", **given) == [("DUPLICATE_LICENCE", "number")]
    updated = await admin.does(
        "updateLicence",
        "licence { status version expiresOn }",
        id=licence["id"],
        version=1,
        input={"expiresOn": day(-3)},
    )
    assert updated["licence"] == {
        "status": "EXPIRED",
        "version": 2,
        "expiresOn": day(-3).isoformat(),
    }
    assert await admin.refused(
        "revokeLicence", id=licence["id"], version=1, reason="Ошибка в номере"
    ) == [("CONFLICT", "version")]
    assert await admin.refused("revokeLicence", id=licence["id"], version=2, reason=" ") == [
        ("REASON_REQUIRED", "reason")
    ]
    revoked = await admin.does(
        "revokeLicence",
        "licence { status }",
        id=licence["id"],
        version=2,
        reason="Ошибка в номере",
    )
    assert revoked == {"licence": {"status": "REVOKED"}}
    # It stays listed for the doctor.
    seen = await doctor.sees("{ me { licences { nodes { number status } } } }")
    assert seen["me"]["licences"]["nodes"] == [{"number": "0177 24 0001234", "status": "REVOKED"}]


async def test_a_worker_changes_the_own_contacts_and_nothing_else(hospital: Hospital) -> None:
    nurse = await hospital.nurse()
    changed = await nurse.does(
        "updateMyFile",
        "practitioner { personalPhone workEmail version }",
        version=1,
        input={"personalPhone": "8 912 345 67 89", "workEmail": "Nurse@Clinic.example"},
    )
    assert changed["practitioner"] == {
        "personalPhone": "+79123456789",
        "workEmail": "nurse@clinic.example",
        "version": 2,
    }
    assert await nurse.refused("updateMyFile", version=2, input={"personalEmail": "нет"}) == [
        ("EMAIL_INVALID", "input.personalEmail")
    ]
    await nurse.unknown(
        "mutation { updateMyFile(version: 2, input: {category: HIGHEST}) { errors { code } } }"
    )


async def test_a_dismissed_worker_s_roles_and_shifts_go(hospital: Hospital) -> None:
    admin, doctor = await hospital.admin(), await hospital.doctor()
    shift = await hospital.open_shift(coming(8))
    await doctor.does("requestShift", id=shift.id)
    dismissed = await admin.does(
        "dismissPractitioner",
        "practitioner { status }",
        id=doctor.file_id,
        version=1,
        reason="По собственному желанию",
    )
    assert dismissed == {"practitioner": {"status": "DISMISSED"}}
    answer = await doctor.answer("{ me { lastName } }")
    assert (answer.status, answer.codes) == (403, ["ROLE_NOT_HELD"])
    seen = await admin.sees("{ shifts { nodes { status practitioner { id } } } }")
    assert sorted(
        (one["status"], one["practitioner"] is None) for one in seen["shifts"]["nodes"]
    ) == [
        (ShiftState.CANCELLED.value, False),
        (ShiftState.OPEN.value, True),
    ]
    assert await admin.refused("dismissPractitioner", id=doctor.file_id, version=2) == [
        ("PRACTITIONER_DISMISSED", "id")
    ]


async def test_a_manager_sees_and_changes_the_own_department_only(hospital: Hospital) -> None:
    manager = await hospital.manager(hospital.therapy)
    ours = await make.practitioner(hospital.therapy, last_name="Наша")
    theirs = await make.practitioner(hospital.surgery, last_name="Чужая")
    everybody = "{ practitioners { totalCount nodes { lastName } } departments { nodes { name } } }"
    assert await manager.sees(everybody) == {
        "practitioners": {"totalCount": 1, "nodes": [{"lastName": "Наша"}]},
        "departments": {"nodes": [{"name": "Терапия"}]},
    }
    one = "query ($id: ID!) { practitioner(id: $id) { lastName } }"
    assert await manager.sees(one, id=theirs.id) == {"practitioner": None}
    change = {"version": 1, "input": {"middleName": "Павловна"}}
    assert await manager.refused("updatePractitioner", id=theirs.id, **change) == [
        ("NOT_FOUND", "id")
    ]
    await manager.does("updatePractitioner", id=ours.id, **change)
    for mutation in ("dismissPractitioner", "reveal"):
        given = {"version": 1} if mutation == "dismissPractitioner" else _REVEALING
        assert await manager.refused(mutation, id=theirs.id, **given) == [("NOT_FOUND", "id")]

    # A new worker must be theirs to see.
    assert await manager.refused("createPractitioner", input=NEW) == [
        ("REQUIRED", "input.departmentId")
    ]
    assert await manager.refused(
        "createPractitioner", input={**NEW, "departmentId": hospital.surgery.id}
    ) == [("NOT_FOUND", "input.departmentId")]
    await manager.does("createPractitioner", input={**NEW, "departmentId": hospital.therapy.id})
    # Nor can one of theirs be moved out of sight.
    assert await manager.refused(
        "updatePractitioner", id=ours.id, version=2, input={"departmentId": None}
    ) == [("REQUIRED", "input.departmentId")]
    assert await manager.refused("createDepartment", input={"code": "X", "name": "Новое"}) == [
        ("DENIED", None)
    ]


_REVEALING = {"field": "passport", "reason": "Сверка с трудовой книжкой"}


async def test_whether_a_snils_is_taken_is_told_to_those_who_see_the_registry(
    hospital: Hospital,
) -> None:
    await make.practitioner(hospital.surgery, snils="11223344595")
    given = {**NEW, "snils": SNILS, "departmentId": hospital.therapy.id}
    admin, manager = await hospital.admin(), await hospital.manager(hospital.therapy)
    assert await admin.refused("createPractitioner", input=given) == [
        ("DUPLICATE_SNILS", "input.snils")
    ]
    # The same clash with a row that one does not see: the value cannot be taken, and no more.
    assert await manager.tries("createPractitioner", "practitioner { id }", input=given) == {
        "practitioner": None,
        "errors": [
            {
                "code": "IDENTITY_UNAVAILABLE",
                "field": "input.snils",
                "message": "This value cannot be used. Check it or ask support.",
            }
        ],
    }


async def test_nobody_but_an_admin_keeps_the_registry(hospital: Hospital) -> None:
    callers: list[Caller] = [
        await hospital.doctor(),
        await hospital.nurse(),
        await hospital.inspector(),
        await hospital.staff(Role.OPERATOR),
        await hospital.staff(Role.ANALYST),
        await hospital.citizen(),
        hospital.visitor(),
    ]
    for caller in callers:
        for mutation in ("createPractitioner", "updatePractitioner", "dismissPractitioner"):
            error = await caller.unknown(f"mutation {{ {mutation} {{ errors {{ code }} }} }}")
            assert error["message"] == f"Cannot query field '{mutation}' on type 'Mutation'."
            assert "availableIn" not in error["extensions"]

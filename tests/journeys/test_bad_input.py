"""Bad input of every kind gets a code and a field, in every mutation; nothing is HTTP 500."""

from itertools import cycle
from typing import Any

from graphql import GraphQLNonNull

from core.ids import uuid7
from models.role import Role
from models.shift import Shift
from schema.build import build
from tests.journeys.hospital import Caller, Hospital, coming, day, mutation_document

REASON = {"reason": "По решению комиссии"}
MALFORMED = ("", "1", "не номер", "'; DROP TABLE shift; --", "0" * 300, "{" + str(uuid7()) + "}")

# For each mutation that takes an id: who calls it, the argument, and the rest of what it needs.
BY_ID: dict[str, tuple[Role, str, dict[str, Any]]] = {
    "endSession": (Role.DOCTOR, "id", {}),
    "endSessionsOf": (Role.OPERATOR, "accountId", REASON),
    "grantRole": (Role.ADMIN, "accountId", {"role": "NURSE"}),
    "limitRole": (Role.ADMIN, "id", {"version": 1, "input": {}}),
    "revokeRole": (Role.ADMIN, "id", {}),
    "invite": (Role.ADMIN, "practitionerId", {"role": "NURSE"}),
    "unlockAccount": (Role.OPERATOR, "id", REASON),
    "startReset": (Role.OPERATOR, "id", {}),
    "resetFactors": (Role.OPERATOR, "id", {"ticketId": uuid7(), **REASON}),
    "takeTicket": (Role.OPERATOR, "id", {}),
    "answerTicket": (Role.OPERATOR, "id", {"answer": "Сделано, войдите"}),
    "refuseTicket": (Role.OPERATOR, "id", REASON),
    "openDocument": (Role.OPERATOR, "id", {}),
    "updateApplication": (Role.DOCTOR, "id", {"version": 1, "input": {"comment": "Ещё"}}),
    "submitApplication": (Role.DOCTOR, "id", {}),
    "withdrawApplication": (Role.DOCTOR, "id", {}),
    "takeApplication": (Role.ADMIN, "id", {}),
    "approveApplication": (Role.ADMIN, "id", {}),
    "returnApplication": (Role.ADMIN, "id", REASON),
    "rejectApplication": (Role.ADMIN, "id", REASON),
    "createApplication": (Role.CITIZEN, "organisationId", {"kind": "ATTACH_ROLE"}),
    "updateCourse": (Role.ADMIN, "id", {"version": 1, "input": {"seats": 9}}),
    "enrol": (Role.DOCTOR, "courseId", {}),
    "confirmEnrolment": (Role.ADMIN, "id", {}),
    "cancelEnrolment": (Role.DOCTOR, "id", {}),
    "createLicence": (
        Role.ADMIN,
        "practitionerId",
        {"kind": "ACCREDITATION", "number": "123456", "issuer": "ФАЦ", "issuedOn": day(-9)},
    ),
    "updateLicence": (Role.ADMIN, "id", {"version": 1, "input": {"issuer": "ФАЦ"}}),
    "revokeLicence": (Role.ADMIN, "id", {"version": 1, **REASON}),
    "updateOrganisation": (Role.ADMIN, "id", {"input": {"weeklyNorm": "36"}}),
    "updateDepartment": (Role.ADMIN, "id", {"input": {"name": "Новое"}}),
    "updatePractitioner": (Role.ADMIN, "id", {"version": 1, "input": {"lastName": "Новая"}}),
    "dismissPractitioner": (Role.ADMIN, "id", {"version": 1}),
    "reinstatePractitioner": (Role.ADMIN, "id", {"version": 1}),
    "detachAccount": (Role.ADMIN, "id", {"version": 1, **REASON}),
    "addPosition": (
        Role.ADMIN,
        "practitionerId",
        {"departmentId": uuid7(), "titleId": uuid7(), "rate": "1.00", "startsOn": day(0)},
    ),
    "endPosition": (Role.ADMIN, "id", {"endsOn": day(1)}),
    "reveal": (Role.ADMIN, "id", {"field": "passport", **REASON}),
    "planShift": (
        Role.ADMIN,
        "departmentId",
        {"kind": "DAY", "startsAt": coming(8), "endsAt": coming(16)},
    ),
    "requestShift": (Role.DOCTOR, "id", {}),
    "withdrawShiftRequest": (Role.DOCTOR, "id", {}),
    "updateShiftNote": (Role.DOCTOR, "id", {"version": 1}),
    "approveShift": (Role.ADMIN, "id", {}),
    "declineShift": (Role.ADMIN, "id", {}),
    "cancelShift": (Role.ADMIN, "id", {}),
    "renamePasskey": (Role.DOCTOR, "id", {"name": "Телефон"}),
    "removePasskey": (Role.DOCTOR, "id", {}),
    "editNotice": (Role.ADMIN, "id", {"version": 1, "input": {"part": "SMS"}}),
    "endNotice": (Role.ADMIN, "id", {}),
}


async def everybody(hospital: Hospital) -> dict[Role, Caller]:
    return {
        Role.ADMIN: await hospital.admin(),
        Role.DOCTOR: await hospital.doctor(),
        Role.OPERATOR: await hospital.staff(Role.OPERATOR),
        Role.CITIZEN: await hospital.citizen(),
    }


def test_every_mutation_that_takes_an_id_is_tried_here() -> None:
    mutations = build().whole._schema.mutation_type
    assert mutations is not None
    asking = {
        name
        for name, made in mutations.fields.items()
        if any(str(argument.type) == "ID!" for argument in made.args.values())
    }
    # The one that is more: its id may be left out by whom it is plain for.
    assert set(BY_ID) - {"createApplication"} == asking


async def test_what_is_not_there_is_not_found_about_its_own_argument(hospital: Hospital) -> None:
    callers = await everybody(hospital)
    found = {
        mutation: await callers[role].refused(mutation, **{argument: uuid7()}, **rest)
        for mutation, (role, argument, rest) in BY_ID.items()
    }
    assert found == {
        mutation: [("NOT_FOUND", argument)] for mutation, (_, argument, _) in BY_ID.items()
    }


async def test_a_malformed_id_is_named(hospital: Hospital) -> None:
    callers = await everybody(hospital)
    for (mutation, (role, argument, rest)), text in zip(
        BY_ID.items(), cycle(MALFORMED), strict=False
    ):
        answer = await _called(callers[role], mutation, {argument: text, **rest})
        assert answer.status == 200
        (error,) = answer.body["errors"]
        assert error["message"] == "The id is not valid."
        assert error["extensions"] == {"code": "ID_INVALID", "field": argument}, mutation
    for text in MALFORMED:
        answer = await _called(callers[Role.ADMIN], "approveShift", {"id": text})
        assert answer.codes == ["ID_INVALID"]


async def test_a_malformed_id_inside_an_input_is_named_by_its_path(hospital: Hospital) -> None:
    admin = await hospital.admin()
    person = {"lastName": "Иванова", "firstName": "Анна", "profession": "NURSE"}
    for key in ("departmentId", "specialtyId"):
        answer = await _called(admin, "createPractitioner", {"input": {**person, key: "1"}})
        assert answer.body["errors"][0]["extensions"] == {
            "code": "ID_INVALID",
            "field": f"input.{key}",
        }


async def test_null_for_what_is_required_is_refused_before_anything_runs(
    hospital: Hospital,
) -> None:
    callers = await everybody(hospital)
    mutations = build().whole._schema.mutation_type
    assert mutations is not None
    for mutation, (role, argument, rest) in BY_ID.items():
        if not isinstance(mutations.fields[mutation].args[argument].type, GraphQLNonNull):
            continue
        answer = await _called(callers[role], mutation, {argument: None, **rest})
        assert "data" not in answer.body
        (error,) = answer.body["errors"]
        assert error["extensions"] == {"code": "BAD_USER_INPUT", "field": argument}, mutation


OF_ANOTHER_TYPE: list[tuple[dict[str, Any], str]] = [
    ({"lastName": None}, "input.lastName"),
    ({"birthDate": "31.12.1990"}, "input.birthDate"),
    ({"birthDate": "1990-02-30"}, "input.birthDate"),
    ({"profession": "SURGEON"}, "input.profession"),
    ({"procedurePermits": ["ECG", None]}, "input.procedurePermits[1]"),
    ({"procedurePermits": {"ECG": True}}, "input.procedurePermits"),
    ({"snils": 11223344595}, "input.snils"),
    ({"inventedAt": "2020-01-01"}, "input.inventedAt"),
    ({"lastName": {"$ne": ""}}, "input.lastName"),
]


async def test_a_value_of_another_type_is_named_by_its_path(hospital: Hospital) -> None:
    admin = await hospital.admin()
    person = {"lastName": "Иванова", "firstName": "Анна", "profession": "NURSE"}
    for values, field in OF_ANOTHER_TYPE:
        answer = await _called(admin, "createPractitioner", {"input": {**person, **values}})
        assert "data" not in answer.body
        (error,) = answer.body["errors"]
        assert error["extensions"] == {"code": "BAD_USER_INPUT", "field": field}


IMPOSSIBLE: list[tuple[dict[str, Any], tuple[str, str]]] = [
    ({"endsAt": coming(7)}, ("DATES_REVERSED", "endsAt")),
    ({"endsAt": coming(40)}, ("SHIFT_TOO_LONG", "endsAt")),
    (
        {"startsAt": coming(8, days=-3), "endsAt": coming(16, days=-3)},
        ("SHIFT_BEGUN", "startsAt"),
    ),
    ({"note": "А" * 1001}, ("TOO_LONG", "note")),
    ({"note": "звон\u0007ок"}, ("FIELD_INVALID", "note")),
    ({"practitionerId": uuid7()}, ("NOT_FOUND", "practitionerId")),
]


async def test_a_shift_that_cannot_be_is_refused(hospital: Hospital) -> None:
    admin = await hospital.admin()
    given = {
        "departmentId": hospital.therapy.id,
        "kind": "DAY",
        "startsAt": coming(8),
        "endsAt": coming(16),
    }
    for arguments, problem in IMPOSSIBLE:
        assert await admin.refused("planShift", **{**given, **arguments}) == [problem]
    assert await Shift.all().count() == 0


UNANSWERABLE = [
    ('{ practitioners(after: "здесь") { totalCount nodes { id } } }', "CURSOR_INVALID"),
    ("{ practitioners(first: 0) { nodes { id } } }", "PAGE_INVALID"),
    ("{ practitioners(first: 101) { nodes { id } } }", "PAGE_INVALID"),
    ("{ practitioners(first: 1, last: 1) { nodes { id } } }", "PAGE_INVALID"),
    ('{ practitioner(id: "здесь") { id } }', "ID_INVALID"),
    ('{ shifts(filter: {id: {eq: "здесь"}}) { totalCount } }', "ID_INVALID"),
]


async def test_a_query_that_cannot_be_answered_says_what_is_wrong(hospital: Hospital) -> None:
    admin = await hospital.admin()
    for document, code in UNANSWERABLE:
        answer = await admin.answer(document)
        assert (answer.status, answer.codes) == (200, [code])


async def test_a_row_that_is_not_there_is_null(hospital: Hospital) -> None:
    admin = await hospital.admin()
    views = ("account", "application", "course", "enrolment", "licence", "organisation")
    for field in (*views, "department", "practitioner", "roleGrant", "shift"):
        query = f"query ($id: ID!) {{ {field}(id: $id) {{ id }} }}"
        assert await admin.sees(query, id=uuid7()) == {field: None}


async def _called(caller: Caller, mutation: str, arguments: dict[str, Any]) -> Any:
    return await caller.answer(mutation_document(mutation, "", arguments), arguments)

"""Journey 18, as far as it goes: an application from the draft to the decision."""

from datetime import date, timedelta
from typing import Any

import pytest

from models.application import Application, ApplicationKind, ApplicationStatus
from models.audit import AuditEntry
from models.role import Role
from tests import factories as make
from tests.journeys.hospital import Caller, Hospital, coming, journal, mutation_document

STATUS = "application { status }"
MINE = "{ applications { nodes { id status comment decisionReason } } }"


async def test_an_application_is_returned_corrected_and_approved(hospital: Hospital) -> None:
    doctor, admin = await hospital.doctor(), await hospital.admin()
    drafted = await doctor.does(
        "createApplication",
        "application { id number kind status comment dueOn version practitioner { id } }",
        kind="PRESCRIBER_CODE",
        comment="  Нужен с первого числа ",
    )
    draft = drafted["application"]
    number = draft.pop("number")
    assert number.startswith("AP-")
    assert draft | {"id": None} == {
        "id": None,
        "kind": "PRESCRIBER_CODE",
        "status": "DRAFT",
        "comment": "Нужен с первого числа",
        "dueOn": None,
        "version": 1,
        "practitioner": {"id": str(doctor.file_id)},
    }
    edited = await doctor.does(
        "updateApplication",
        "application { comment kind version }",
        id=draft["id"],
        version=1,
        input={"comment": "Нужен с 1 марта", "kind": "PRESCRIBING_RIGHTS"},
    )
    assert edited["application"] == {
        "comment": "Нужен с 1 марта",
        "kind": "PRESCRIBING_RIGHTS",
        "version": 2,
    }
    submitted = await doctor.does(
        "submitApplication", "application { status submittedAt dueOn }", id=draft["id"]
    )
    sent = submitted["application"]
    assert sent["status"] == "SUBMITTED"
    term = date.fromisoformat(sent["dueOn"]) - date.fromisoformat(sent["submittedAt"][:10])
    # The day is Moscow's, and may already be tomorrow's there.
    assert term in (timedelta(days=30), timedelta(days=31))

    assert await admin.does("takeApplication", STATUS, id=draft["id"]) == {
        "application": {"status": "IN_REVIEW"}
    }
    assert await admin.refused("returnApplication", id=draft["id"], reason=" ") == [
        ("REASON_REQUIRED", "reason")
    ]
    reason = "Не приложено удостоверение"
    await admin.does("returnApplication", STATUS, id=draft["id"], reason=reason)

    assert (await doctor.sees(MINE))["applications"]["nodes"] == [
        {
            "id": draft["id"],
            "status": "RETURNED",
            "comment": "Нужен с 1 марта",
            "decisionReason": reason,
        }
    ]
    await doctor.does(
        "updateApplication", id=draft["id"], version=5, input={"comment": "Приложено"}
    )
    await doctor.does("submitApplication", id=draft["id"])
    await admin.does("takeApplication", id=draft["id"])
    approved = await admin.does("approveApplication", STATUS, id=draft["id"])
    assert approved == {"application": {"status": "APPROVED"}}
    assert [entry for entry in await journal() if entry[0].startswith("APPLICATION")] == [
        (f"APPLICATION_{action}", role, doctor.file_id)
        for action, role in (
            ("CREATED", "DOCTOR"),
            ("UPDATED", "DOCTOR"),
            ("SUBMITTED", "DOCTOR"),
            ("TAKEN", "ADMIN"),
            ("RETURNED", "ADMIN"),
            ("UPDATED", "DOCTOR"),
            ("SUBMITTED", "DOCTOR"),
            ("TAKEN", "ADMIN"),
            ("APPROVED", "ADMIN"),
        )
    ]


OF_APPLICANTS = ("updateApplication", "submitApplication", "withdrawApplication")
OF_ADMINS = ("takeApplication", "approveApplication", "returnApplication", "rejectApplication")
ALLOWED = {
    ApplicationStatus.DRAFT: OF_APPLICANTS,
    ApplicationStatus.SUBMITTED: ("withdrawApplication", "takeApplication"),
    ApplicationStatus.IN_REVIEW: ("withdrawApplication", *OF_ADMINS[1:]),
    ApplicationStatus.RETURNED: OF_APPLICANTS,
    ApplicationStatus.APPROVED: (),
    ApplicationStatus.REJECTED: (),
    ApplicationStatus.WITHDRAWN: (),
}


@pytest.mark.parametrize("status", list(ApplicationStatus))
async def test_a_wrong_move_is_refused_and_changes_nothing(
    hospital: Hospital, status: ApplicationStatus
) -> None:
    doctor, admin = await hospital.doctor(), await hospital.admin()
    assert doctor.account is not None
    given: dict[str, dict[str, Any]] = {
        "updateApplication": {"version": 1, "input": {"comment": "Ещё"}},
        "returnApplication": {"reason": "Не хватает бумаг"},
        "rejectApplication": {"reason": "Не хватает бумаг"},
    }
    for mutation in (*OF_APPLICANTS, *OF_ADMINS):
        application = await make.application(doctor.account, hospital.organisation, status=status)
        caller = doctor if mutation in OF_APPLICANTS else admin
        refused = await caller.refused(mutation, id=application.id, **given.get(mutation, {}))
        allowed = mutation in ALLOWED[status]
        # To those who review, a draft does not exist.
        unseen = status is ApplicationStatus.DRAFT and mutation in OF_ADMINS
        code = "NOT_FOUND" if unseen else "APPLICATION_STATE"
        assert refused == ([] if allowed else [(code, "id")])
        now = await Application.get(id=application.id)
        assert (now.version == 1) is not allowed


async def test_a_rejected_application_says_why_and_a_withdrawn_one_is_over(
    hospital: Hospital,
) -> None:
    nurse, admin = await hospital.nurse(), await hospital.admin()
    ids = []
    for kind in ("NURSING_PERMIT", "CHANGE_OF_DATA"):
        made = await nurse.does("createApplication", "application { id }", kind=kind)
        ids.append(made["application"]["id"])
        await nurse.does("submitApplication", id=ids[-1])
    await admin.does("takeApplication", id=ids[0])
    rejected = await admin.does(
        "rejectApplication",
        "application { status decisionReason }",
        id=ids[0],
        reason="Нет стажа",
    )
    assert rejected["application"] == {"status": "REJECTED", "decisionReason": "Нет стажа"}
    withdrawn = await nurse.does("withdrawApplication", STATUS, id=ids[1])
    assert withdrawn == {"application": {"status": "WITHDRAWN"}}


async def test_each_role_knows_only_its_own_kinds(hospital: Hospital) -> None:
    doctor, nurse, citizen = (
        await hospital.doctor(),
        await hospital.nurse(),
        await hospital.citizen(),
    )
    every = {kind.value for kind in ApplicationKind}
    for caller, known in (
        (doctor, every - {"NURSING_PERMIT"}),
        (nurse, every - {"PRESCRIBING_RIGHTS", "PRESCRIBER_CODE"}),
        (citizen, {"ATTACH_ROLE"}),
    ):
        seen = await caller.sees('{ __type(name: "ApplicationKind") { enumValues { name } } }')
        assert {value["name"] for value in seen["__type"]["enumValues"]} == known
        for hidden in every - known:
            error = await caller.unknown(
                f"mutation {{ createApplication(kind: {hidden}) {{ errors {{ code }} }} }}"
            )
            assert error["message"] == "No such value can stand here."
    assert await Application.all().count() == 0


async def test_a_draft_changes_its_kind_only_to_one_that_its_role_knows(
    hospital: Hospital,
) -> None:
    nurse = await hospital.nurse()
    made = await nurse.does("createApplication", "application { id }", kind="NURSING_PERMIT")
    draft = {"id": made["application"]["id"], "version": 1}
    assert await nurse.refused("updateApplication", **draft, input={"kind": None}) == [
        ("REQUIRED", "input.kind")
    ]
    document = mutation_document("updateApplication", STATUS, {**draft, "input": {}})
    answer = await nurse.answer(document, {**draft, "input": {"kind": "PRESCRIBER_CODE"}})
    assert answer.body["errors"][0]["extensions"] == {
        "code": "BAD_USER_INPUT",
        "field": "input.kind",
    }
    changed = await nurse.does(
        "updateApplication", "application { kind }", **draft, input={"kind": "LICENCE_RENEWAL"}
    )
    assert changed == {"application": {"kind": "LICENCE_RENEWAL"}}


async def test_a_citizen_applies_to_the_only_organisation_there_is(hospital: Hospital) -> None:
    citizen = await hospital.citizen()
    made = await citizen.does("createApplication", "application { id kind }", kind="ATTACH_ROLE")
    assert made["application"]["kind"] == "ATTACH_ROLE"
    # Once there are two, one must be named.
    await make.organisation()
    assert await citizen.refused("createApplication", kind="ATTACH_ROLE") == [
        ("REQUIRED", "organisationId")
    ]
    await citizen.does(
        "createApplication", kind="ATTACH_ROLE", organisationId=hospital.organisation.id
    )
    assert len((await citizen.sees(MINE))["applications"]["nodes"]) == 2


async def test_an_application_is_its_applicant_s_alone(hospital: Hospital) -> None:
    doctor, other, admin = await hospital.doctor(), await hospital.doctor(), await hospital.admin()
    made = await doctor.does("createApplication", "application { id }", kind="CHANGE_OF_DATA")
    application = made["application"]["id"]
    assert await other.sees(MINE) == {"applications": {"nodes": []}}
    for mutation in ("submitApplication", "withdrawApplication"):
        assert await other.refused(mutation, id=application) == [("NOT_FOUND", "id")]
    # An admin decides, and does not apply for anybody.
    await admin.unknown(
        f'mutation {{ submitApplication(id: "{application}") {{ errors {{ code }} }} }}'
    )
    await doctor.unknown(
        f'mutation {{ takeApplication(id: "{application}") {{ errors {{ code }} }} }}'
    )


async def test_an_inspector_sees_the_application_without_its_comment(hospital: Hospital) -> None:
    doctor, inspector = await hospital.doctor(), await hospital.inspector()
    made = await doctor.does(
        "createApplication",
        "application { id }",
        kind="CHANGE_OF_DATA",
        comment="Лично начальнику отдела",
    )
    await doctor.does("submitApplication", id=made["application"]["id"])
    seen = await inspector.sees("{ applications { nodes { kind status practitioner { id } } } }")
    assert seen["applications"]["nodes"] == [
        {
            "kind": "CHANGE_OF_DATA",
            "status": "SUBMITTED",
            "practitioner": {"id": str(doctor.file_id)},
        }
    ]
    for field in ("comment", "decisionReason"):
        error = await inspector.unknown(f"{{ applications {{ nodes {{ {field} }} }} }}")
        assert error["message"] == f"Cannot query field '{field}' on type 'Application'."


async def test_a_manager_decides_on_the_applications_of_the_own_department(
    hospital: Hospital,
) -> None:
    manager = await hospital.manager(hospital.therapy)
    ours, theirs = await hospital.doctor(), await hospital.doctor(hospital.surgery)
    ids = {}
    for name, caller in (("ours", ours), ("theirs", theirs)):
        made = await caller.does("createApplication", "application { id }", kind="LICENCE_RENEWAL")
        ids[name] = made["application"]["id"]
        await caller.does("submitApplication", id=ids[name])
    assert await manager.refused("takeApplication", id=ids["theirs"]) == [("NOT_FOUND", "id")]
    await manager.does("takeApplication", id=ids["ours"])


async def test_a_draft_is_its_author_s_until_it_is_submitted(hospital: Hospital) -> None:
    doctor = await hospital.doctor()
    readers = [
        await hospital.admin(),
        await hospital.manager(hospital.therapy),
        await hospital.inspector(),
    ]
    ids = {}
    for name in ("sent", "draft", "withdrawn"):
        made = await doctor.does("createApplication", "application { id }", kind="LICENCE_RENEWAL")
        ids[name] = made["application"]["id"]
    await doctor.does("withdrawApplication", id=ids["withdrawn"])
    await doctor.does("submitApplication", id=ids["sent"])
    listed = "{ applications { totalCount nodes { id } } }"
    filtered = "{ applications(filter: {status: {in: [DRAFT, WITHDRAWN]}}) { totalCount } }"
    of_the_file = "{ practitioners { nodes { applications { totalCount } } } }"
    one = "query ($id: ID!) { application(id: $id) { status } }"
    for reader in readers:
        seen = {"applications": {"totalCount": 1, "nodes": [{"id": ids["sent"]}]}}
        assert await reader.sees(listed) == seen
        assert await reader.sees(filtered) == {"applications": {"totalCount": 0}}
        nodes = [{"applications": {"totalCount": 1}}]
        assert await reader.sees(of_the_file) == {"practitioners": {"nodes": nodes}}
        for name in ("draft", "withdrawn"):
            assert await reader.sees(one, id=ids[name]) == {"application": None}
    assert (await doctor.sees(listed))["applications"]["totalCount"] == 3
    # Once submitted it stays seen, withdrawn or not.
    await doctor.does("withdrawApplication", id=ids["sent"])
    assert await readers[0].sees(one, id=ids["sent"]) == {"application": {"status": "WITHDRAWN"}}


async def test_one_s_own_application_is_approved_by_another(hospital: Hospital) -> None:
    person = await hospital.doctor()
    assert person.account is not None
    await make.grant(
        person.account, Role.ADMIN, hospital.organisation, starts_at=coming(0, days=-1)
    )
    ids = []
    for _ in range(2):
        made = await person.does("createApplication", "application { id }", kind="LICENCE_RENEWAL")
        ids.append(made["application"]["id"])
        await person.does("submitApplication", id=ids[-1])
    as_admin = person.acting(Role.ADMIN)
    for each in ids:
        await as_admin.does("takeApplication", id=each)
    # The only administrator may: the audit trail says that there was no other.
    await as_admin.does("approveApplication", id=ids[0])
    entry = await AuditEntry.filter(action="APPLICATION_APPROVED").get()
    assert entry.details == {"only_administrator": True}
    # One of another department is no other; one of this department is.
    await hospital.manager(hospital.surgery)
    manager = await hospital.manager(hospital.therapy)
    assert await as_admin.refused("approveApplication", id=ids[1]) == [("SELF_APPROVAL", "id")]
    assert await as_admin.told("approveApplication", language="ru", id=ids[1]) == [
        "Своё одобряет другой администратор."
    ]
    await manager.does("approveApplication", id=ids[1])
    other = await AuditEntry.filter(action="APPLICATION_APPROVED").order_by("-position").first()
    assert other is not None
    assert other.details == {}


async def test_neither_operators_nor_analysts_see_applications(hospital: Hospital) -> None:
    callers: list[Caller] = [
        await hospital.staff(Role.OPERATOR),
        await hospital.staff(Role.ANALYST),
        hospital.visitor(),
    ]
    for caller in callers:
        await caller.unknown("{ applications { totalCount } }")

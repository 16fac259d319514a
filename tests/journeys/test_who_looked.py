"""Journeys 23 and 26, as far as they go: what was looked at is kept, and nobody alters it."""

from models.audit import AuditEntry
from models.practitioner import Practitioner
from models.role import Role
from tests.journeys.hospital import Caller, Hospital

REASON = "Сверка с трудовой книжкой"
TRAIL = (
    '{ auditTrail(filter: {action: {eq: "REVEALED"}}) {'
    " nodes { action role subjectType subjectId about { id } } } }"
)


async def nurse_with_a_passport(hospital: Hospital) -> Caller:
    nurse = await hospital.nurse()
    assert nurse.file is not None
    nurse.file.passport_sealed = hospital.api.services.vault.seal("4509 123456")
    await nurse.file.save()
    return nurse


async def test_a_masked_value_is_revealed_for_a_reason_and_its_owner_sees_who_looked(
    hospital: Hospital,
) -> None:
    nurse = await nurse_with_a_passport(hospital)
    admin = await hospital.admin()
    masked = await admin.sees(
        "query ($id: ID!) { practitioner(id: $id) { passport } }", id=nurse.file_id
    )
    assert masked == {"practitioner": {"passport": "•••• •••456"}}
    asked = {"id": nurse.file_id, "field": "passport", "reason": REASON}
    assert await admin.does("reveal", "value", **asked) == {"value": "4509 123456"}

    seen = await nurse.sees(TRAIL)
    assert seen["auditTrail"]["nodes"] == [
        {
            "action": "REVEALED",
            "role": "ADMIN",
            "subjectType": "Practitioner",
            "subjectId": str(nurse.file_id),
            "about": {"id": str(nurse.file_id)},
        }
    ]
    # Why, and in whose name, is kept; the passport itself stands nowhere in the trail.
    kept = await AuditEntry.get(action="REVEALED")
    assert kept.account_id == admin.account_id
    assert kept.details == {"field": "passport", "reason": REASON}
    assert all(
        "123456" not in str(details)
        for details in await AuditEntry.all().values_list("details", flat=True)
    )
    # A colleague sees only who looked at them.
    colleague = await hospital.nurse()
    assert await colleague.sees(TRAIL) == {"auditTrail": {"nodes": []}}


async def test_nothing_is_revealed_without_a_reason_or_beyond_what_is_masked(
    hospital: Hospital,
) -> None:
    admin, nurse = await hospital.admin(), await nurse_with_a_passport(hospital)
    for reason in ("", "  ", "ну"):
        assert await admin.refused("reveal", id=nurse.file_id, field="passport", reason=reason) == [
            ("REASON_REQUIRED", "reason")
        ]
    for field in ("passportSealed", "accountId", "password_hash", "version", "паспорт"):
        assert await admin.refused("reveal", id=nurse.file_id, field=field, reason=REASON) == [
            ("NOT_FOUND", "field")
        ]
    assert await AuditEntry.filter(action="REVEALED").count() == 0
    answer = await admin.answer(
        "mutation ($id: ID!, $reason: String!) {"
        ' a: reveal(id: $id, field: "passport", reason: $reason) { value }'
        ' b: reveal(id: $id, field: "inn", reason: $reason) { value } }',
        {"id": nurse.file_id, "reason": REASON},
    )
    assert answer.codes == ["ONE_SENSITIVE_FIELD"]


async def mutations_of(caller: Caller) -> list[str]:
    """The mutations that exist for a caller, told alike by ``can`` and by introspection."""
    can = await caller.sees("{ viewer { can { operations } } }")
    able = [
        name.removeprefix("Mutation.")
        for name in can["viewer"]["can"]["operations"]
        if name.startswith("Mutation.")
    ]
    schema = await caller.sees("{ __schema { mutationType { fields { name } } } }")
    assert able == sorted(made["name"] for made in schema["__schema"]["mutationType"]["fields"])
    return able


async def test_an_inspector_reads_the_trail_and_can_alter_nothing(hospital: Hospital) -> None:
    admin, nurse = await hospital.admin(), await nurse_with_a_passport(hospital)
    inspector = await hospital.inspector()
    await admin.does("reveal", id=nurse.file_id, field="passport", reason=REASON)

    seen = await inspector.sees(
        "{ auditTrail(order: [{field: POSITION}]) { nodes { position action previousHash hash } } }"
    )
    entries = seen["auditTrail"]["nodes"]
    assert [entry["position"] for entry in entries] == list(range(1, len(entries) + 1))
    assert [entry["previousHash"] for entry in entries[1:]] == [
        entry["hash"] for entry in entries[:-1]
    ]
    assert entries[-1]["action"] == "REVEALED"

    # There is no mutation for an inspector but those of the own account, which an analyst has too.
    analyst = await hospital.staff(Role.ANALYST)
    assert set(await mutations_of(inspector)) <= set(await mutations_of(analyst))
    for mutation in ("reveal", "revokeRole", "approveShift", "updatePractitioner"):
        await inspector.unknown(f"mutation {{ {mutation} {{ errors {{ code }} }} }}")


async def test_an_inspector_recognises_a_worker_without_knowing_their_data(
    hospital: Hospital,
) -> None:
    nurse = await hospital.nurse(snils="11223344595", prescriber_code=None)
    inspector = await hospital.inspector()
    seen = await inspector.sees("{ practitioners { nodes { lastName snils status } } }")
    assert nurse.file is not None
    assert seen["practitioners"]["nodes"] == [
        {"lastName": nurse.file.last_name, "snils": "••••••44595", "status": "ACTIVE"}
    ]
    for field in ("personalPhone", "birthDate", "inn", "passport", "workEmail", "account { id }"):
        await inspector.unknown(f"{{ practitioners {{ nodes {{ {field} }} }} }}")
    # What is masked is no filter either: it could be guessed by asking.
    await inspector.unknown(
        '{ practitioners(filter: {snils: {eq: "11223344595"}}) { totalCount } }'
    )
    assert await Practitioner.all().count() == 1


async def test_an_operator_recognises_whom_they_speak_to(hospital: Hospital) -> None:
    nurse = await hospital.nurse(personal_phone="+79123456789", snils="11223344595")
    operator = await hospital.staff(Role.OPERATOR)
    seen = await operator.sees(
        "query ($id: ID!) { practitioner(id: $id) { personalPhone snils account { state } } }",
        id=nurse.file_id,
    )
    assert seen["practitioner"] == {
        "personalPhone": "+•••••••6789",
        "snils": "••••••44595",
        "account": {"state": "ACTIVE"},
    }

"""Journey 10: a doctor who is also an admin acts in one role at a time, in one session."""

from models.grant import RoleGrant
from models.role import Role
from models.shift import ShiftKind
from tests import factories as make
from tests.journeys.hospital import Caller, Hospital, coming, sign_in

PHONE = "8 900 123-45-67"
WHO = "{ viewer { activeRole roles } }"
# Each exists for one of the two roles only.
OF_ADMINS = "{ me { createdAt } }"
OF_DOCTORS = "{ auditTrail(first: 1) { nodes { action } } }"


async def doctor_and_admin(hospital: Hospital) -> Caller:
    """Signed in by phone, password and code; the first role is that of the profession."""
    person = await hospital.signing_in(Role.ADMIN, Role.DOCTOR)
    person.file = await make.practitioner(hospital.therapy, account=person.account)
    signed_in = await sign_in(person, PHONE, seconds=-30)
    assert signed_in["viewer"] == {"activeRole": "DOCTOR", "roles": ["DOCTOR", "ADMIN"]}
    return person


async def test_a_switch_changes_what_there_is_and_back_again(hospital: Hospital) -> None:
    person = await doctor_and_admin(hospital)
    shift = await hospital.open_shift(coming(8))
    approve = f'mutation {{ approveShift(id: "{shift.id}") {{ errors {{ code }} }} }}'

    as_doctor = await _fields_of_a_practitioner(person)
    assert "createdAt" not in as_doctor
    await person.unknown(approve)

    switched = await person.does("switchRole", "viewer { activeRole roles }", role="ADMIN")
    assert switched == {"viewer": {"activeRole": "ADMIN", "roles": ["DOCTOR", "ADMIN"]}}
    assert await _fields_of_a_practitioner(person) - as_doctor == {
        "createdAt",
        "procedurePermits",
        "updatedAt",
    }
    assert await person.refused("approveShift", id=shift.id) == [("SHIFT_STATE", "id")]

    await person.does("switchRole", role="DOCTOR")
    assert await _fields_of_a_practitioner(person) == as_doctor
    await person.unknown(approve)


async def test_what_the_other_role_sees_is_unknown_and_only_held_roles_are_named(
    hospital: Hospital,
) -> None:
    person = await doctor_and_admin(hospital)
    hidden = await person.unknown(OF_ADMINS)
    invented = await person.unknown("{ me { inventedAt } }")
    assert hidden["message"] == "Cannot query field 'createdAt' on type 'Practitioner'."
    assert hidden["message"] == invented["message"].replace("inventedAt", "createdAt")
    # An inspector has it too, but this person is none.
    assert hidden["extensions"]["availableIn"] == ["ADMIN"]
    assert "availableIn" not in invented["extensions"]

    await person.does("switchRole", role="ADMIN")
    hidden = await person.unknown(OF_DOCTORS)
    assert hidden["message"] == "Cannot query field 'auditTrail' on type 'Query'."
    assert hidden["extensions"]["availableIn"] == ["DOCTOR"]

    only_doctor = await hospital.doctor()
    assert "availableIn" not in (await only_doctor.unknown(OF_ADMINS))["extensions"]


async def test_a_mutation_and_an_argument_of_the_other_role_are_unknown_too(
    hospital: Hospital,
) -> None:
    person = await doctor_and_admin(hospital)
    for document, available in (
        ('mutation { revokeRole(id: "1") { errors { code } } }', ["ADMIN"]),
        ("{ practitioners(filter: {createdAt: {isNull: true}}) { totalCount } }", ["ADMIN"]),
        ("{ accounts(filter: {inventedAt: {isNull: true}}) { totalCount } }", None),
    ):
        error = await person.unknown(document)
        assert error["extensions"].get("availableIn") == available
        assert "did you mean" not in error["message"].lower()


async def test_one_document_serves_both_roles(hospital: Hospital) -> None:
    person = await doctor_and_admin(hospital)
    document = "{ me { lastName createdAt @ifVisible } }"
    assert set((await person.sees(document))["me"]) == {"lastName"}
    await person.does("switchRole", role="ADMIN")
    assert set((await person.sees(document))["me"]) == {"lastName", "createdAt"}


async def test_a_header_picks_a_held_role_for_one_request(hospital: Hospital) -> None:
    person = await doctor_and_admin(hospital)
    answer = await person.acting(Role.ADMIN).answer(WHO)
    assert answer.data == {"viewer": {"activeRole": "ADMIN", "roles": ["DOCTOR", "ADMIN"]}}
    assert set((await person.acting(Role.ADMIN).answer(OF_ADMINS)).data["me"]) == {"createdAt"}
    # The session itself has not moved.
    assert (await person.sees(WHO))["viewer"]["activeRole"] == "DOCTOR"
    await person.unknown(OF_ADMINS)


async def test_the_old_token_goes_on_in_the_session_s_role(hospital: Hospital) -> None:
    person = await doctor_and_admin(hospital)
    old = Caller(hospital.api, person.token)
    switched = await person.does("switchRole", "accessToken", role="ADMIN")
    new = Caller(hospital.api, switched["accessToken"])
    for token in (old, new):
        assert (await token.sees(WHO))["viewer"]["activeRole"] == "ADMIN"
    await new.does("switchRole", role="DOCTOR")
    for token in (old, new):
        assert (await token.sees(WHO))["viewer"]["activeRole"] == "DOCTOR"


async def test_other_sessions_keep_their_role_and_the_next_one_begins_in_the_last(
    hospital: Hospital,
) -> None:
    person = await doctor_and_admin(hospital)
    first = Caller(hospital.api, person.token)
    await sign_in(person, PHONE)
    await person.does("switchRole", role="ADMIN")
    assert (await first.sees(WHO))["viewer"]["activeRole"] == "DOCTOR"
    third = await sign_in(person, PHONE, seconds=30)
    assert third["viewer"]["activeRole"] == "ADMIN"


async def test_a_role_that_is_not_held_is_refused(hospital: Hospital) -> None:
    person = await doctor_and_admin(hospital)
    assert await person.tries("switchRole", "accessToken viewer { activeRole }", role="NURSE") == {
        "accessToken": None,
        "viewer": None,
        "errors": [
            {
                "code": "ROLE_NOT_HELD",
                "field": "role",
                "message": "You do not hold this role now.",
            }
        ],
    }
    answer = await person.acting(Role.INSPECTOR).answer(WHO, language="ru")
    assert (answer.status, answer.body) == (
        403,
        {
            "errors": [
                {
                    "message": "У вас сейчас нет такой роли.",
                    "extensions": {"code": "ROLE_NOT_HELD", "availableIn": ["DOCTOR", "ADMIN"]},
                }
            ]
        },
    )
    # Not even a visitor's schema, which everybody may read without a token.
    assert (await person.acting(Role.VISITOR).answer(WHO)).codes == ["ROLE_NOT_HELD"]


async def test_a_revoked_role_is_gone_with_the_next_request(hospital: Hospital) -> None:
    person = await doctor_and_admin(hospital)
    await person.does("switchRole", role="ADMIN")
    assert set((await person.sees(OF_ADMINS))["me"]) == {"createdAt"}

    other = await hospital.admin()
    listed = await other.sees(
        "query ($account: ID!) { roleGrants(filter: {account: {id: {eq: $account}}}) {"
        " nodes { id role holds } } }",
        account=person.account_id,
    )
    (grant,) = [one for one in listed["roleGrants"]["nodes"] if one["role"] == "ADMIN"]
    revoked = await other.does("revokeRole", "roleGrant { holds }", id=grant["id"])
    assert revoked == {"roleGrant": {"holds": False}}

    answer = await person.answer(WHO)
    assert (answer.status, answer.codes) == (403, ["ROLE_NOT_HELD"])
    assert (await person.acting(Role.ADMIN).answer(WHO)).codes == ["ROLE_NOT_HELD"]
    # What is still held can be gone on with, in the same session.
    await person.acting(Role.DOCTOR).does("switchRole", role="DOCTOR")
    assert await person.sees(WHO) == {"viewer": {"activeRole": "DOCTOR", "roles": ["DOCTOR"]}}
    assert "availableIn" not in (await person.unknown(OF_ADMINS))["extensions"]


async def test_what_one_can_do_is_listed_for_the_buttons_of_a_page(hospital: Hospital) -> None:
    person = await doctor_and_admin(hospital)
    can = "{ viewer { can { operations fields } } }"
    as_doctor = (await person.sees(can))["viewer"]["can"]
    assert "Mutation.requestShift" in as_doctor["operations"]
    assert "Mutation.approveShift" not in as_doctor["operations"]
    assert "Practitioner.prescriberCode" in as_doctor["fields"]
    await person.does("switchRole", role="ADMIN")
    as_admin = (await person.sees(can))["viewer"]["can"]
    assert "Mutation.approveShift" in as_admin["operations"]
    assert "Mutation.requestShift" not in as_admin["operations"]
    assert "Practitioner.procedurePermits" in as_admin["fields"]


async def test_each_role_sees_its_own_rows_of_the_same_list(hospital: Hospital) -> None:
    """A doctor's roster is the department's; an admin's, the organisation's."""
    person = await doctor_and_admin(hospital)
    await hospital.open_shift(coming(8), kind=ShiftKind.DAY)
    await hospital.open_shift(coming(8), kind=ShiftKind.NIGHT, department=hospital.surgery)
    roster = "{ shifts { totalCount nodes { kind } } }"
    assert (await person.sees(roster))["shifts"] == {"totalCount": 1, "nodes": [{"kind": "DAY"}]}
    answer = await person.acting(Role.ADMIN).answer(roster)
    assert answer.data["shifts"]["totalCount"] == 2


async def _fields_of_a_practitioner(person: Caller) -> set[str]:
    seen = await person.sees('{ __type(name: "Practitioner") { fields { name } } }')
    return {made["name"] for made in seen["__type"]["fields"]}


async def test_whose_active_role_was_revoked_goes_on_in_another(hospital: Hospital) -> None:
    doctor, admin = await hospital.staff(Role.DOCTOR, Role.ADMIN), await hospital.admin()
    grant = await RoleGrant.get(account_id=doctor.account_id, role=Role.DOCTOR)
    await admin.does("revokeRole", id=grant.id)

    refused = await doctor.answer("{ viewer { activeRole } }")
    assert (refused.status, refused.codes) == (403, ["ROLE_NOT_HELD"])
    assert refused.body["errors"][0]["extensions"]["availableIn"] == ["ADMIN"]

    await doctor.acting(Role.ADMIN).does("switchRole", role="ADMIN")
    assert await doctor.sees("{ viewer { roles activeRole } }") == {
        "viewer": {"roles": ["ADMIN"], "activeRole": "ADMIN"}
    }


async def test_who_had_no_role_and_is_given_one_goes_on_in_it(hospital: Hospital) -> None:
    doctor, admin = await hospital.doctor(), await hospital.admin()
    grant = await RoleGrant.get(account_id=doctor.account_id)
    await admin.does("revokeRole", id=grant.id)
    await doctor.acting(Role.CITIZEN).does("switchRole", role="CITIZEN")
    assert await doctor.sees(WHO) == {"viewer": {"activeRole": "CITIZEN", "roles": ["CITIZEN"]}}

    await admin.does("grantRole", accountId=doctor.account_id, role="NURSE")

    assert await doctor.sees(WHO) == {"viewer": {"activeRole": "NURSE", "roles": ["NURSE"]}}

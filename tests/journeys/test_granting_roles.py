"""Journey 23, second part: roles are granted, limited to a department and a period, and revoked."""

from datetime import timedelta

from core.clock import utc_now
from models.grant import RoleGrant
from models.role import Role
from tests import factories as make
from tests.journeys.hospital import Hospital, sent

WHO = "{ viewer { activeRole roles } }"
SHOWN = "roleGrant { id role department { name } startsAt endsAt holds version }"


async def test_a_granted_role_is_held_with_the_next_request(hospital: Hospital) -> None:
    admin, nurse = await hospital.admin(), await hospital.nurse()
    assert (await nurse.sees(WHO))["viewer"]["roles"] == ["NURSE"]
    granted = await admin.does("grantRole", SHOWN, accountId=nurse.account_id, role="OPERATOR")
    grant = granted["roleGrant"]
    assert {key: grant[key] for key in ("role", "department", "endsAt", "holds", "version")} == {
        "role": "OPERATOR",
        "department": None,
        "endsAt": None,
        "holds": True,
        "version": 1,
    }
    assert (await nurse.sees(WHO))["viewer"]["roles"] == ["NURSE", "OPERATOR"]
    await nurse.does("switchRole", role="OPERATOR")
    assert await admin.refused("grantRole", accountId=nurse.account_id, role="OPERATOR") == [
        ("ROLE_ALREADY_GRANTED", "role")
    ]
    for role in ("CITIZEN", "VISITOR"):
        assert await admin.refused("grantRole", accountId=nurse.account_id, role=role) == [
            ("ROLE_NOT_GRANTABLE", "role")
        ]
    # One's own grants are one's own to see.
    seen = await nurse.acting(Role.NURSE).answer("{ roleGrants { nodes { role holds } } }")
    assert {(one["role"], one["holds"]) for one in seen.data["roleGrants"]["nodes"]} == {
        ("NURSE", True),
        ("OPERATOR", True),
    }


async def test_a_role_is_granted_for_a_department_and_a_period(hospital: Hospital) -> None:
    admin, doctor = await hospital.admin(), await hospital.doctor()
    await make.practitioner(hospital.therapy, last_name="Наша")
    await make.practitioner(hospital.surgery, last_name="Чужая")
    until = utc_now() + timedelta(days=30)
    granted = await admin.does(
        "grantRole",
        SHOWN,
        accountId=doctor.account_id,
        role="ADMIN",
        departmentId=hospital.surgery.id,
        endsAt=until,
    )
    assert granted["roleGrant"]["department"] == {"name": "Хирургия"}
    assert granted["roleGrant"]["endsAt"] == sent(until)
    staff = "{ practitioners { nodes { lastName } } }"
    answer = await doctor.acting(Role.ADMIN).answer(staff)
    assert answer.data["practitioners"]["nodes"] == [{"lastName": "Чужая"}]
    # As a doctor one sees the whole organisation, as before.
    assert len((await doctor.sees(staff))["practitioners"]["nodes"]) == 3

    next_week = {"startsAt": utc_now() + timedelta(days=7), "role": "INSPECTOR"}
    later = await admin.does("grantRole", SHOWN, accountId=doctor.account_id, **next_week)
    assert later["roleGrant"]["holds"] is False
    assert (await doctor.sees(WHO))["viewer"]["roles"] == ["DOCTOR", "ADMIN"]
    for wrong in (utc_now() - timedelta(hours=1), utc_now() + timedelta(days=6)):
        assert await admin.refused(
            "grantRole", accountId=doctor.account_id, endsAt=wrong, **next_week
        ) == [("PERIOD_INVALID", "endsAt")]


async def test_a_grant_is_limited_later_and_a_stale_edit_refused(hospital: Hospital) -> None:
    admin, nurse = await hospital.admin(), await hospital.nurse()
    granted = await admin.does("grantRole", SHOWN, accountId=nurse.account_id, role="INSPECTOR")
    grant_id = granted["roleGrant"]["id"]
    until = utc_now() + timedelta(days=2)
    limits = {"departmentId": hospital.therapy.id, "endsAt": until}
    limited = await admin.does("limitRole", SHOWN, id=grant_id, version=1, input=limits)
    assert (limited["roleGrant"]["department"], limited["roleGrant"]["endsAt"]) == (
        {"name": "Терапия"},
        sent(until),
    )
    assert await admin.refused("limitRole", id=grant_id, version=1, input=limits) == [
        ("CONFLICT", "version")
    ]
    # What is left out stays: a grant is never widened by an omission.
    shorter = await admin.does(
        "limitRole", SHOWN, id=grant_id, version=2, input={"endsAt": until - timedelta(hours=1)}
    )
    assert shorter["roleGrant"]["department"] == {"name": "Терапия"}
    await admin.does("revokeRole", id=grant_id)
    assert await admin.refused("revokeRole", id=grant_id) == [("GRANT_ENDED", "id")]
    assert await admin.refused("limitRole", id=grant_id, version=4, input={}) == [
        ("GRANT_ENDED", "id")
    ]
    assert (await nurse.sees(WHO))["viewer"]["roles"] == ["NURSE"]


async def test_the_last_admin_stays(hospital: Hospital) -> None:
    admin = await hospital.admin()
    # An admin of one department, and one whose time runs out, administer no hospital.
    await hospital.manager(hospital.therapy)
    passing = await hospital.account()
    await make.grant(
        passing, Role.ADMIN, hospital.organisation, ends_at=utc_now() + timedelta(days=1)
    )
    own = (await RoleGrant.get(account_id=admin.account_id)).id
    assert await admin.refused("revokeRole", id=own) == [("LAST_ADMIN", "id")]
    assert await admin.told("revokeRole", language="ru", id=own) == [
        "Это последний администратор организации: сначала назначьте другого."
    ]
    assert await admin.refused(
        "limitRole", id=own, version=1, input={"departmentId": hospital.therapy.id}
    ) == [("LAST_ADMIN", "id")]

    second = await hospital.admin()
    await second.does("revokeRole", id=own)
    answer = await admin.answer(WHO)
    assert (answer.status, answer.codes) == (403, ["ROLE_NOT_HELD"])


async def test_a_manager_grants_within_the_own_department(hospital: Hospital) -> None:
    manager = await hospital.manager(hospital.therapy)
    ours, theirs = await hospital.nurse(), await hospital.nurse(hospital.surgery)
    role = {"role": "OPERATOR"}
    assert await manager.refused(
        "grantRole", accountId=theirs.account_id, departmentId=hospital.therapy.id, **role
    ) == [("NOT_FOUND", "accountId")]
    # Nobody gives more than they have: neither the whole hospital, nor another department.
    for department in (None, hospital.surgery.id):
        assert await manager.refused(
            "grantRole", accountId=ours.account_id, departmentId=department, **role
        ) == [("NOT_FOUND", "departmentId")]
    granted = await manager.does(
        "grantRole", SHOWN, accountId=ours.account_id, departmentId=hospital.therapy.id, **role
    )
    seen = await manager.sees("{ roleGrants { nodes { id role } } }")
    assert {one["role"] for one in seen["roleGrants"]["nodes"]} == {"ADMIN", "OPERATOR"}
    of_nurse = (await RoleGrant.get(account_id=ours.account_id, role=Role.NURSE)).id
    assert await manager.refused("revokeRole", id=of_nurse) == [("NOT_FOUND", "id")]
    await manager.does("revokeRole", id=granted["roleGrant"]["id"])


async def test_a_role_whose_time_is_over_is_no_longer_held(hospital: Hospital) -> None:
    nurse = await hospital.nurse()
    assert nurse.account is not None
    await make.grant(
        nurse.account,
        Role.INSPECTOR,
        hospital.organisation,
        starts_at=utc_now() - timedelta(days=9),
        ends_at=utc_now() - timedelta(days=1),
    )
    assert (await nurse.sees(WHO))["viewer"]["roles"] == ["NURSE"]
    seen = await nurse.sees("{ roleGrants { nodes { role holds } } }")
    assert {(one["role"], one["holds"]) for one in seen["roleGrants"]["nodes"]} == {
        ("NURSE", True),
        ("INSPECTOR", False),
    }

"""The debug header: which way each root field went, told to whoever may know and nobody else."""

import pytest

from models.role import Role
from tests import factories as make
from tests.api import Api

# What is tried here, no database decides.
pytestmark = pytest.mark.any_database

MIXED = """{ a: departments { totalCount } practitioners { nodes { passport } } __typename }"""
DEBUG = {"x-cabinet-debug": "1"}


async def _token(api: Api, role: Role) -> str:
    organisation = await make.organisation()
    account = await make.account(organisation)
    await make.practitioner(await make.department(organisation), account=account)
    await make.grant(account, role, organisation)
    return await api.token(account, role)


async def _told(
    api: Api, query: str, token: str | None, headers: dict[str, str] = DEBUG
) -> str | None:
    sent = {**headers, **({} if token is None else {"authorization": f"Bearer {token}"})}
    response = await api.client.post("/graphql", json={"query": query}, headers=sent)
    found: str | None = response.headers.get("x-cabinet-debug")
    return found


async def test_an_admin_is_told_which_way_each_root_went(api: Api) -> None:
    token = await _token(api, Role.ADMIN)
    because = "practitioners (Practitioner.passport is computed in Python)"
    ways = f"planned: a, __typename; executed: {because}; plan: "
    assert await _told(api, MIXED, token) == f"{ways}made"
    assert await _told(api, MIXED, token) == f"{ways}recalled"
    whole = "{ a: departments { totalCount } me { id } }"
    assert await _told(api, whole, token) == "planned: a, me; executed: -; plan: made"
    assert await _told(api, whole, token) == "planned: a, me; executed: -; plan: recalled"
    alone = "{ __schema { queryType { name } } }"
    assert await _told(api, alone, token) == (
        "planned: -; executed: __schema (__schema is introspection); plan: none"
    )
    asked = "mutation { switchRole(role: ADMIN) { errors { code } } }"
    assert await _told(api, asked, token) == "executed: all (a mutation is not planned)"


async def test_a_wrong_cursor_answers_with_the_header_as_without(api: Api) -> None:
    token = await _token(api, Role.ADMIN)
    query = "query($a: String) { departments(after: $a) { pageInfo { endCursor } } }"

    async def asked(cursor: str | None, headers: dict[str, str]) -> tuple[int, list[str]]:
        sent = {**headers, "authorization": f"Bearer {token}"}
        body = {"query": query, "variables": {"a": cursor}}
        response = await api.client.post("/graphql", json=body, headers=sent)
        errors = response.json().get("errors", [])
        return response.status_code, [error["extensions"]["code"] for error in errors]

    page = await api.client.post(
        "/graphql", json={"query": query}, headers={"authorization": f"Bearer {token}"}
    )
    # A plan for a cursor is kept, so that the next one is held against it.
    cursor = page.json()["data"]["departments"]["pageInfo"]["endCursor"]
    assert await asked(cursor, DEBUG) == (200, [])
    assert await asked("zz", DEBUG) == await asked("zz", {}) == (200, ["CURSOR_INVALID"])


async def test_it_is_told_only_when_asked(api: Api) -> None:
    token = await _token(api, Role.ADMIN)
    assert await _told(api, MIXED, token, {}) is None
    assert await _told(api, MIXED, token, {"x-cabinet-debug": "0"}) is None


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMIN])
async def test_nobody_else_is_told(api: Api, role: Role) -> None:
    token = None if role is Role.VISITOR else await _token(api, role)
    for query in ("{ viewer { activeRole } }", "{ __typename }", "{ nonsuch }"):
        assert await _told(api, query, token) is None


async def test_who_holds_the_role_and_acts_in_another_is_not_told(api: Api) -> None:
    organisation = await make.organisation()
    account = await make.account(organisation)
    for role in (Role.ADMIN, Role.INSPECTOR):
        await make.grant(account, role, organisation)
    token = await api.token(account, Role.INSPECTOR)
    query = "{ departments { totalCount } }"
    assert await _told(api, query, token) is None
    as_admin = {**DEBUG, "x-cabinet-role": "ADMIN"}
    assert await _told(api, query, token, as_admin) == (
        "planned: departments; executed: -; plan: made"
    )


async def test_a_refused_request_is_told_nothing_of(api: Api) -> None:
    token = await _token(api, Role.ADMIN)
    assert await _told(api, "{ nonsuch }", token) is None
    assert await _told(api, "{ departments(first: 1000) { totalCount } }", token) is None


async def test_what_is_told_is_short(api: Api) -> None:
    token = await _token(api, Role.ADMIN)
    keys = " ".join(f"{'a' * 120}{number}: me {{ id }}" for number in range(12))
    told = await _told(api, f"{{ {keys} }}", token)
    assert told is not None
    assert len(told) == 1_000
    assert told.endswith("...")

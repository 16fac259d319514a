"""The server as JavaScript clients find it: graphql-http's audit, graphql-ws, Apollo and urql."""

import pytest

from models.role import Role
from tests.live import ListeningApi
from tests.node import line, program, running
from tests.server.people import Somebody, somebody
from tests.server.test_websocket import plan, switch

pytestmark = pytest.mark.any_database


@pytest.fixture
def node() -> str:
    """The program that runs the scripts in tests/npm."""
    return program()


@pytest.mark.parametrize("role", [Role.ANALYST, Role.DOCTOR])
async def test_all_checks_of_the_audit_are_ok(
    listening_api: ListeningApi, node: str, role: Role
) -> None:
    person = await somebody(role)
    token = await listening_api.token(person.account, role)
    url = f"{listening_api.url}/graphql"
    async with running(node, "audit.mjs", URL=url, TOKEN=token) as process:
        assert await line(process) == {"checks": 61, "found": []}


async def test_graphql_ws_is_told_of_events_and_of_the_change_of_role(
    listening_api: ListeningApi, node: str
) -> None:
    api = listening_api
    person: Somebody = await somebody(Role.DOCTOR, Role.ADMIN)
    token = await api.token(person.account, Role.DOCTOR)
    async with running(node, "subscribe.mjs", URL=api.socket_url, TOKEN=token) as process:
        assert await line(process) == "subscribed"
        api.client.headers["x-cabinet-role"] = "ADMIN"
        await plan(api, token, person)
        assert await line(process) == {"data": {"shiftChanged": {"status": "PLANNED"}}}
        await switch(api, token, Role.ADMIN)
        ended = await line(process)
        assert [e["extensions"] for e in ended["errors"]] == [{"code": "ROLE_CHANGED"}]


@pytest.mark.parametrize("method", ["POST", "GET"])
@pytest.mark.parametrize("client", ["apollo", "urql"])
async def test_persisted_queries_of_clients_miss_once_and_then_send_hashes_only(
    listening_api: ListeningApi, node: str, client: str, method: str
) -> None:
    person = await somebody(Role.DOCTOR)
    token = await listening_api.token(person.account, Role.DOCTOR)
    asking = {"CLIENT": client, "METHOD": method, "TOKEN": token}
    url = f"{listening_api.url}/graphql"
    async with running(node, "persisted.mjs", URL=url, **asking) as process:
        first, second, third = [await line(process) for _ in range(3)]
    missed = {"method": method, "query": False, "errors": ["PersistedQueryNotFound"]}
    # urql goes on by GET, Apollo sends texts by POST.
    again = {"method": method if client == "urql" else "POST", "query": True, "errors": []}
    hit = {"role": "DOCTOR", "sent": [{"method": method, "query": False, "errors": []}]}
    assert first == {"role": "DOCTOR", "sent": [missed, again]}
    assert (second, third) == (hit, hit)

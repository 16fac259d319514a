"""Sockets: the protocol's rules, the limits, and what becomes of them when rights change."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from websockets.exceptions import InvalidStatus

from core.clock import utc_now
from core.settings import Limits
from models.account import Session
from models.audit import AuditEntry
from models.grant import RoleGrant
from models.role import Role
from models.shift import Shift, ShiftState
from resolvers.sessions import access_token
from tests import factories as make
from tests.auth.entrance import PASSWORD
from tests.journeys.hospital import founded, sign_in
from tests.live import ListeningApi, listening
from tests.server.people import Somebody, somebody
from tests.sockets import Socket, connected

SHIFTS = "subscription { shiftChanged { id status } }"
POSTGRES = os.environ.get("CABINET_TEST_DATABASE_URL", "")


@pytest.fixture
async def socket(listening_api: ListeningApi) -> AsyncIterator[Socket]:
    async with connected(listening_api.socket_url) as opened:
        yield opened


async def plan(api: ListeningApi, token: str, person: Somebody, days: int = 1) -> str:
    """Plans a shift of a person; its id."""
    begins = utc_now() + timedelta(days=days)
    answer = await api.ask(
        """mutation($department: ID!, $person: ID, $begins: DateTime!, $ends: DateTime!) {
          planShift(departmentId: $department, practitionerId: $person, kind: DAY,
            startsAt: $begins, endsAt: $ends) { shift { id } errors { code field } } }""",
        token,
        department=str(person.department.id),
        person=str(person.practitioner.id),
        begins=begins.isoformat(),
        ends=(begins + timedelta(hours=8)).isoformat(),
    )
    planned = answer.data["planShift"]
    assert planned["errors"] == []
    shift_id: str = planned["shift"]["id"]
    return shift_id


async def do(api: ListeningApi, token: str, verb: str, shift_id: str) -> None:
    text = f"mutation($id: ID!) {{ {verb}(id: $id) {{ errors {{ code }} }} }}"
    assert (await api.ask(text, token, id=shift_id)).data == {verb: {"errors": []}}


def changed(shift_id: str, status: str, operation_id: str = "1") -> dict[str, Any]:
    data = {"shiftChanged": {"id": shift_id, "status": status}}
    return {"id": operation_id, "type": "next", "payload": {"data": data}}


# The protocol.


@pytest.mark.any_database
@pytest.mark.parametrize(
    "frame",
    [
        b'{"type": "connection_init"}',
        "",
        "connection_init",
        "null",
        "[]",
        "{}",
        '{"type": null}',
        '{"type": "start"}',
        '{"type": "connection_init", "payload": []}',
        '{"type": "connection_init", "payload": {"authorization": 7}}',
        '{"type": "connection_init", "payload": {"role": {}}}',
        '{"type": "connection_init", "type": "ping"}',
        '{"type": "\\ud800"}',
        '{"type": "connection_init", "payload": {"x": NaN}}',
        '{"a":' * 5_000 + "1" + "}" * 5_000,
        "[" * 60_000,
    ],
    ids=lambda frame: repr(frame[:40]),
)
async def test_malformed_first_message_closes_4400(socket: Socket, frame: str | bytes) -> None:
    await socket.raw(frame)
    assert (await socket.closed())[0] == 4400


@pytest.mark.any_database
@pytest.mark.parametrize(
    "frame",
    [
        b"\x00",
        '{"type": "subscribe", "payload": {"query": "{ __typename }"}}',
        '{"type": "subscribe", "id": 7, "payload": {"query": "{ __typename }"}}',
        '{"type": "subscribe", "id": "", "payload": {"query": "{ __typename }"}}',
        '{"type": "subscribe", "id": "%s", "payload": {"query": "{ __typename }"}}' % ("x" * 200),
        '{"type": "subscribe", "id": "1"}',
        '{"type": "subscribe", "id": "1", "payload": "{ __typename }"}',
        '{"type": "subscribe", "id": "1", "payload": {"query": 7}}',
        '{"type": "subscribe", "id": "1", "payload": {"query": "{a}", "variables": []}}',
        '{"type": "complete"}',
        '{"type": "complete", "id": null}',
        '{"type": "next", "id": "1"}',
    ],
    ids=lambda frame: repr(frame[:60]),
)
async def test_malformed_later_message_closes_4400(socket: Socket, frame: str | bytes) -> None:
    await socket.init()
    await socket.raw(frame)
    assert (await socket.closed())[0] == 4400


async def test_message_over_64_kb_closes_4400_and_one_far_over_it_1009(
    listening_api: ListeningApi,
) -> None:
    for size, code in ((64 * 1024, 4400), (300 * 1024, 1009)):
        async with connected(listening_api.socket_url) as socket:
            await socket.init()
            await socket.raw('{"type": "ping", "payload": {"x": "%s"}}' % ("x" * size))
            assert (await socket.closed())[0] == code


async def test_bad_utf_8_closes_with_a_code(socket: Socket) -> None:
    await socket.init()
    await socket.connection.send(b'{"type": "\xff"}', text=True)
    assert (await socket.closed())[0] == 1007


async def test_other_subprotocol_closes_4406(listening_api: ListeningApi) -> None:
    async with connected(listening_api.socket_url, "graphql-ws") as socket:
        assert await socket.closed() == (4406, "Subprotocol not acceptable")


async def test_operation_before_the_acknowledgement_closes_4401(socket: Socket) -> None:
    await socket.subscribe("1", "{ __typename }")
    assert await socket.closed() == (4401, "Unauthorized")


async def test_second_init_closes_4429(socket: Socket) -> None:
    await socket.init()
    await socket.send(type="connection_init")
    assert await socket.closed() == (4429, "Too many initialisation requests")


async def test_same_id_twice_closes_4409(listening_api: ListeningApi, socket: Socket) -> None:
    person = await somebody(Role.DOCTOR)
    await socket.init(await listening_api.token(person.account, Role.DOCTOR))
    await socket.subscribe("1", SHIFTS)
    await socket.subscribe("1", SHIFTS)
    assert await socket.closed() == (4409, "Subscriber for 1 already exists")


async def test_id_may_be_used_again_when_its_operation_is_over(
    listening_api: ListeningApi, socket: Socket
) -> None:
    person = await somebody(Role.DOCTOR)
    await socket.init(await listening_api.token(person.account, Role.DOCTOR))
    for _ in range(3):
        await socket.subscribe("1", SHIFTS)
        await socket.send(type="complete", id="1")
    await socket.subscribe("1", "{ __typename }")
    assert await socket.message() == {
        "id": "1",
        "type": "next",
        "payload": {"data": {"__typename": "Query"}},
    }
    assert await socket.message() == {"id": "1", "type": "complete"}


async def test_ping_is_answered_before_and_after_init(socket: Socket) -> None:
    await socket.send(type="ping")
    assert await socket.message() == {"type": "pong"}
    await socket.send(type="pong")
    await socket.init()
    await socket.send(type="ping", payload={"x": 1})
    assert await socket.message() == {"type": "pong"}


async def test_socket_that_says_nothing_closes_4408(database_url: str, tmp_path: Path) -> None:
    limits = Limits(socket_init_seconds=0.3)
    async with listening(database_url, tmp_path / "home", limits=limits) as api:
        async with connected(api.socket_url) as silent, connected(api.socket_url) as pinging:
            await pinging.send(type="ping")
            assert (await silent.closed(2))[0] == 4408
            assert (await pinging.closed(2))[0] == 4408
        assert len(api.app.state.sockets) == 0


async def test_usual_time_to_init_is_five_seconds() -> None:
    assert Limits().socket_init_seconds == 5.0


async def test_request_error_is_an_error_message(socket: Socket) -> None:
    await socket.init()
    await socket.subscribe("1", "{ nothing }")
    assert await socket.message() == {
        "id": "1",
        "type": "error",
        "payload": [
            {
                "message": "Cannot query field 'nothing' on type 'Query'.",
                "locations": [{"line": 1, "column": 3}],
                "extensions": {"code": "GRAPHQL_VALIDATION_FAILED"},
            }
        ],
    }


async def test_bug_in_an_operation_is_an_incident_and_the_socket_goes_on(
    listening_api: ListeningApi, socket: Socket, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken:
        def __getattr__(self, name: str) -> Any:
            raise RuntimeError(f"secret {name}")

    services = listening_api.services
    listening_api.app.state.services = replace(services, engine=Broken())  # type: ignore[arg-type]
    async with connected(listening_api.socket_url) as broken:
        await broken.init()
        await broken.subscribe("1", "{ __typename }")
        message = await broken.message()
        assert message["payload"][0]["extensions"]["code"] == "INTERNAL"
        assert "secret" not in str(message)
        await broken.ready()
    assert caplog.text.count("RuntimeError: secret") == 1


# Who asks.


async def test_visitor_may_connect_and_has_no_subscriptions(socket: Socket) -> None:
    await socket.init()
    await socket.subscribe("1", "{ viewer { activeRole } }")
    assert (await socket.message())["payload"] == {"data": {"viewer": {"activeRole": "VISITOR"}}}
    assert (await socket.message())["type"] == "complete"
    await socket.subscribe("2", SHIFTS)
    assert (await socket.message())["type"] == "error"


@pytest.mark.any_database
@pytest.mark.parametrize("authorization", ["Bearer x.y.z", "Basic YTpi", "Bearer ", "x", ""])
async def test_wrong_token_closes_4401(socket: Socket, authorization: str) -> None:
    await socket.send(type="connection_init", payload={"authorization": authorization})
    assert await socket.closed() == (4401, "UNAUTHENTICATED")


async def test_token_may_come_in_the_header_as_well(listening_api: ListeningApi) -> None:
    person = await somebody(Role.DOCTOR)
    token = await listening_api.token(person.account, Role.DOCTOR)
    for value, code in ((f"Bearer {token}", None), ("Bearer wrong", 4401)):
        headers = {"authorization": value}
        async with connected(listening_api.socket_url, additional_headers=headers) as socket:
            await socket.send(type="connection_init")
            if code is not None:
                assert (await socket.closed())[0] == code
                continue
            assert await socket.message() == {"type": "connection_ack"}
            await socket.subscribe("1", "{ viewer { activeRole } }")
            assert (await socket.message())["payload"]["data"] == {
                "viewer": {"activeRole": "DOCTOR"}
            }


async def test_expired_token_closes_4403_so_that_clients_come_back(
    listening_api: ListeningApi, socket: Socket
) -> None:
    person = await somebody(Role.DOCTOR)
    await listening_api.token(person.account, Role.DOCTOR)
    session = await Session.get(account_id=person.account.id)
    old = access_token(listening_api.services.gate, session, utc_now() - timedelta(minutes=14))
    await socket.send(type="connection_init", payload={"authorization": f"Bearer {old}"})
    assert await socket.closed() == (4403, "TOKEN_EXPIRED")


async def test_socket_ends_when_its_token_does(listening_api: ListeningApi, socket: Socket) -> None:
    person = await somebody(Role.DOCTOR)
    await listening_api.token(person.account, Role.DOCTOR)
    session = await Session.get(account_id=person.account.id)
    signer = listening_api.services.gate.signer
    left = timedelta(seconds=2)
    issued = utc_now() - signer.lifetime - signer.leeway + left
    token = access_token(listening_api.services.gate, session, issued)
    await socket.init(token)
    await socket.subscribe("1", SHIFTS)
    assert await socket.closed(10) == (4403, "TOKEN_EXPIRED")


async def test_a_factor_shown_again_is_answered_before_the_sockets_close(
    listening_api: ListeningApi, socket: Socket
) -> None:
    hospital = await founded(listening_api)
    person = await hospital.signing_in(Role.DOCTOR)
    await sign_in(person, "+79001234567", again=False)
    confirming = """mutation ($p: String!, $c: String!) {
        confirmFactor(password: $p, code: $c) { accessToken errors { code } } }"""
    await socket.init(person.token)
    async with connected(listening_api.socket_url) as other:
        await other.init(person.token)
        await other.subscribe("1", SHIFTS)
        await socket.subscribe("1", confirming, p=PASSWORD, c=person.code(seconds=30))
        shown = (await socket.message())["payload"]["data"]["confirmFactor"]

        assert shown["errors"] == []
        for closing in (socket, other):
            assert await closing.closed() == (4403, "TOKEN_EXPIRED")
    async with connected(listening_api.socket_url) as again:
        await again.init(shown["accessToken"])


async def test_role_not_held_closes_4403(listening_api: ListeningApi) -> None:
    person = await somebody(Role.DOCTOR)
    token = await listening_api.token(person.account, Role.DOCTOR)
    for role in ("ADMIN", "EMPEROR"):
        async with connected(listening_api.socket_url) as socket:
            payload = {"authorization": f"Bearer {token}", "role": role}
            await socket.send(type="connection_init", payload=payload)
            assert await socket.closed() == (4403, "ROLE_NOT_HELD")


# The limits.


async def test_twenty_operations_are_open_at_most(
    listening_api: ListeningApi, socket: Socket
) -> None:
    person = await somebody(Role.DOCTOR)
    await socket.init(await listening_api.token(person.account, Role.DOCTOR))
    for number in range(21):
        await socket.subscribe(str(number), SHIFTS)
    refused = await socket.message()
    assert (refused["id"], refused["type"]) == ("20", "error")
    assert refused["payload"][0]["extensions"] == {"code": "TOO_MANY_OPERATIONS"}
    await socket.send(type="complete", id="0")
    await socket.subscribe("21", SHIFTS)
    assert await socket.quiet(0.2)


async def test_five_sockets_of_a_session_are_open_at_most(listening_api: ListeningApi) -> None:
    person, other = await somebody(Role.DOCTOR), await somebody(Role.DOCTOR)
    token = await listening_api.token(person.account, Role.DOCTOR)
    async with AsyncExitStack() as stack:
        for _ in range(5):
            await (await stack.enter_async_context(connected(listening_api.socket_url))).init(token)
        async with connected(listening_api.socket_url) as sixth:
            payload = {"authorization": f"Bearer {token}"}
            await sixth.send(type="connection_init", payload=payload)
            assert await sixth.closed() == (4429, "Too many sockets for this session")
        async with connected(listening_api.socket_url) as another:
            await another.init(await listening_api.token(other.account, Role.DOCTOR))
    async with asyncio.timeout(2):
        while len(listening_api.app.state.sockets):  # noqa: ASYNC110 - it tells nobody
            await asyncio.sleep(0.02)
    async with connected(listening_api.socket_url) as again:
        await again.init(token)


async def test_idle_sockets_are_capped_and_strangers_leave_room(
    database_url: str, tmp_path: Path
) -> None:
    limits = Limits(sockets=6)
    async with (
        listening(database_url, tmp_path / "home", limits=limits) as api,
        AsyncExitStack() as stack,
    ):
        for _ in range(3):
            await (await stack.enter_async_context(connected(api.socket_url))).init()
        async with connected(api.socket_url) as stranger:
            await stranger.send(type="connection_init")
            assert await stranger.closed() == (4429, "Too many sockets")
        person = await somebody(Role.DOCTOR)
        token = await api.token(person.account, Role.DOCTOR)
        for _ in range(3):
            await (await stack.enter_async_context(connected(api.socket_url))).init(token)
        with pytest.raises(InvalidStatus) as refused:
            await stack.enter_async_context(connected(api.socket_url))
        assert refused.value.response.status_code == 403
        assert (await api.ask("{ __typename }")).data == {"__typename": "Query"}


async def test_subscribing_and_completing_300_times_leaves_nothing_behind(
    listening_api: ListeningApi, socket: Socket, database_url: str
) -> None:
    person = await somebody(Role.DOCTOR)
    token = await listening_api.token(person.account, Role.DOCTOR)
    await socket.init(token)
    subscriptions = listening_api.services.feed._subscriptions
    before = len(subscriptions)
    asking = "{ me { shifts { nodes { id } } } }"
    writing = 'mutation { refreshSession(refreshToken: "x") { errors { code } } }'
    for number in range(300):
        text = (SHIFTS, asking, writing)[number % 3]
        await socket.subscribe(str(number), text)
        if number % 2:
            await asyncio.sleep(0.001)
        await socket.send(type="complete", id=str(number))
    await socket.send(type="ping")
    while (await socket.message(30))["type"] != "pong":
        pass
    begun = time.perf_counter()
    assert (await listening_api.ask("{ viewer { activeRole } }", token)).data == {
        "viewer": {"activeRole": "DOCTOR"}
    }
    assert time.perf_counter() - begun < 1
    await asyncio.sleep(0.2)
    assert len(subscriptions) == before
    if POSTGRES:
        connection = await asyncpg.connect(database_url)
        try:
            waiting = await connection.fetchval(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND state LIKE 'idle in transaction%'"
            )
        finally:
            await connection.close()
        assert waiting == 0


# Events.


async def test_events_tell_of_ones_own_shifts_and_of_nobody_elses(
    listening_api: ListeningApi,
) -> None:
    mine = await somebody(Role.DOCTOR)
    other = await somebody(Role.DOCTOR, beside=mine)
    head = await somebody(Role.ADMIN, beside=mine)
    api = listening_api
    token = await api.token(mine.account, Role.DOCTOR)
    admin = await api.token(head.account, Role.ADMIN)
    async with connected(api.socket_url) as socket, connected(api.socket_url) as beside:
        await socket.init(token)
        await socket.subscribe("1", SHIFTS)
        await socket.subscribe("2", "subscription { applicationDecided { id } }")
        await socket.ready()
        await beside.init(await api.token(other.account, Role.DOCTOR))
        await beside.subscribe("1", SHIFTS)
        await beside.ready()

        shift_id = await plan(api, admin, mine)
        assert await socket.message() == changed(shift_id, "PLANNED")
        await do(api, admin, "approveShift", shift_id)
        assert await socket.message() == changed(shift_id, "APPROVED")
        await do(api, admin, "cancelShift", shift_id)
        assert await socket.message() == changed(shift_id, "CANCELLED")

        free = await make.shift(mine.department, starts_at=soon(9), ends_at=soon(9, 8))
        await do(api, token, "requestShift", str(free.id))
        assert await socket.message() == changed(str(free.id), "REQUESTED")
        await do(api, admin, "declineShift", str(free.id))
        assert await socket.message() == changed(str(free.id), "DECLINED")

        assert await beside.quiet()
        theirs = await plan(api, admin, other, days=3)
        assert await beside.message() == changed(theirs, "PLANNED")
        assert await socket.quiet()


def soon(days: int, hours: int = 0) -> datetime:
    return utc_now() + timedelta(days=days, hours=hours)


# Rights that change.


async def switch(api: ListeningApi, token: str, role: Role) -> None:
    text = "mutation($role: Role!) { switchRole(role: $role) { errors { code } } }"
    answer = await api.client.post(
        "/graphql",
        json={"query": text, "variables": {"role": role.value}},
        headers={"authorization": f"Bearer {token}"},
    )
    assert answer.json() == {"data": {"switchRole": {"errors": []}}}


ROLE_CHANGED = {
    "message": "Роль изменилась: этой подписки в ней нет.",
    "extensions": {"code": "ROLE_CHANGED"},
}


async def test_switch_ends_a_subscription_that_the_new_role_lacks(
    listening_api: ListeningApi, socket: Socket
) -> None:
    person = await somebody(Role.DOCTOR, Role.ADMIN)
    token = await listening_api.token(person.account, Role.DOCTOR)
    await socket.init(token)
    await socket.subscribe("1", SHIFTS)
    await socket.ready()
    await switch(listening_api, token, Role.ADMIN)
    assert await socket.message(1) == {"id": "1", "type": "error", "payload": [ROLE_CHANGED]}
    # The socket lives on, in the new role.
    await socket.subscribe("1", "{ viewer { activeRole } }")
    assert (await socket.message())["payload"] == {"data": {"viewer": {"activeRole": "ADMIN"}}}


async def test_switch_ends_what_was_open_even_when_the_client_asks_at_once(
    listening_api: ListeningApi, socket: Socket
) -> None:
    person = await somebody(Role.DOCTOR, Role.ADMIN)
    token = await listening_api.token(person.account, Role.DOCTOR)
    await socket.init(token)
    await socket.subscribe("1", SHIFTS)
    await socket.ready()
    # By the socket itself: the mutation is answered, and runs once.
    await socket.subscribe("2", "mutation { switchRole(role: ADMIN) { errors { code } } }")
    await socket.subscribe("3", "{ viewer { activeRole } }")
    found: dict[tuple[str, str], Any] = {}
    async with asyncio.timeout(5):
        while len(found) < 5:
            message = await socket.message()
            found[message["id"], message["type"]] = message.get("payload")
    assert found["1", "error"] == [ROLE_CHANGED]
    assert found["2", "next"] == {"data": {"switchRole": {"errors": []}}}
    assert ("2", "complete") in found
    assert ("3", "complete") in found
    assert await AuditEntry.filter(action="ROLE_SWITCHED").count() == 1


async def test_switch_plans_a_subscription_anew_that_the_new_role_has(
    listening_api: ListeningApi, socket: Socket
) -> None:
    person = await somebody(Role.DOCTOR, Role.NURSE)
    head = await somebody(Role.ADMIN, beside=person)
    token = await listening_api.token(person.account, Role.DOCTOR)
    await socket.init(token)
    await socket.subscribe("1", SHIFTS)
    await socket.ready()
    await switch(listening_api, token, Role.NURSE)
    await asyncio.sleep(0.5)
    admin = await listening_api.token(head.account, Role.ADMIN)
    shift_id = await plan(listening_api, admin, person)
    assert await socket.message() == changed(shift_id, "PLANNED")
    assert await socket.quiet()


async def test_socket_of_who_is_given_a_role_goes_on_in_it(
    listening_api: ListeningApi, socket: Socket
) -> None:
    person = await somebody(Role.DOCTOR)
    head = await somebody(Role.ADMIN, beside=person)
    given = await RoleGrant.get(account_id=person.account.id)
    await RoleGrant.filter(id=given.id).update(revoked_at=utc_now())
    await socket.init(await listening_api.token(person.account, Role.CITIZEN))
    who = "{ viewer { activeRole } }"
    await socket.subscribe("1", who)
    assert (await socket.message())["payload"] == {"data": {"viewer": {"activeRole": "CITIZEN"}}}
    assert (await socket.message())["type"] == "complete"

    answer = await listening_api.ask(
        "mutation($id: ID!) { grantRole(accountId: $id, role: NURSE) { errors { code } } }",
        await listening_api.token(head.account, Role.ADMIN),
        id=str(person.account.id),
    )
    assert answer.data == {"grantRole": {"errors": []}}

    assert await socket.quiet()
    await socket.subscribe("2", who)
    assert (await socket.message())["payload"] == {"data": {"viewer": {"activeRole": "NURSE"}}}


async def test_socket_with_a_role_of_its_own_goes_on_while_it_is_held(
    listening_api: ListeningApi, socket: Socket
) -> None:
    api = listening_api
    person = await somebody(Role.DOCTOR, Role.ADMIN)
    token = await api.token(person.account, Role.DOCTOR)
    await socket.init(token, role="DOCTOR")
    await socket.subscribe("1", SHIFTS)
    await socket.ready()
    await switch(api, token, Role.ADMIN)
    shift_id = await plan(api, token, person)
    assert await socket.message() == changed(shift_id, "PLANNED")
    assert await socket.quiet()

    grants = await api.ask("{ roleGrants { nodes { id role } } }", token)
    (doctor,) = (g["id"] for g in grants.data["roleGrants"]["nodes"] if g["role"] == "DOCTOR")
    await revoke(api, token, doctor)
    assert await socket.closed(1) == (4403, "ROLE_NOT_HELD")


async def revoke(api: ListeningApi, token: str, grant_id: str) -> None:
    text = "mutation($id: ID!) { revokeRole(id: $id) { errors { code field } } }"
    assert (await api.ask(text, token, id=grant_id)).data == {"revokeRole": {"errors": []}}


async def test_revoked_grant_and_ended_session_close_within_a_second(
    listening_api: ListeningApi,
) -> None:
    api = listening_api
    person = await somebody(Role.DOCTOR)
    head = await somebody(Role.ADMIN, beside=person)
    admin = await api.token(head.account, Role.ADMIN)
    text = "{ roleGrants(filter: {role: {eq: DOCTOR}}) { nodes { id } } }"
    (grant,) = (await api.ask(text, admin)).data["roleGrants"]["nodes"]
    for change in ("session", "grant"):
        token = await api.token(person.account, Role.DOCTOR)
        async with connected(api.socket_url) as socket:
            await socket.init(token)
            await socket.subscribe("1", SHIFTS)
            await socket.ready()
            if change == "session":
                await api.ask("mutation { signOut { errors { code } } }", token)
                assert await socket.closed(1) == (4401, "SESSION_EXPIRED")
            else:
                await revoke(api, admin, grant["id"])
                assert await socket.closed(1) == (4403, "ROLE_NOT_HELD")


async def test_nothing_is_told_after_the_rights_have_gone(listening_api: ListeningApi) -> None:
    """A shift planned and the grant revoked at once: at most what was due before is told."""
    api = listening_api
    person = await somebody(Role.DOCTOR, Role.ADMIN)
    token = await api.token(person.account, Role.DOCTOR)
    async with connected(api.socket_url) as socket:
        await socket.init(token)
        await socket.subscribe("1", SHIFTS)
        await socket.ready()
        await switch(api, token, Role.ADMIN)
        shift = await make.shift(
            person.department, practitioner=person.practitioner, state=ShiftState.PLANNED
        )
        assert await Shift.filter(id=shift.id).exists()
        assert await socket.message(1) == {"id": "1", "type": "error", "payload": [ROLE_CHANGED]}
        await plan(api, token, person, days=5)
        assert await socket.quiet()

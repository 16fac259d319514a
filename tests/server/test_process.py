"""`cabinet serve` as a process: what it says of itself, and how it stops."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from auth.rights import Rights
from auth.viewer import Viewer
from core.clock import utc_now
from models.account import Session
from models.database import opened
from models.role import Role
from resolvers.sessions import sign_out
from tests.live import LiveServer, served
from tests.sockets import connected

IN_FLIGHT = 30
# Checking a password takes its time, and only two are checked at once.
SLOW = 'mutation { signIn(login: "nobody%d@example.org", password: "p") { errors { code } } }'


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def demo_server(
    module_database: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[LiveServer]:
    """One such server for the module: each test signs in as another, since a code works once."""
    async with served(module_database, tmp_path_factory.mktemp("home")) as server:
        yield server


async def test_live_server_knows_its_people(demo_server: LiveServer) -> None:
    doctor = demo_server.doctor
    assert set(doctor.roles) == {Role.DOCTOR, Role.ADMIN}
    token = await demo_server.token(doctor)
    async with httpx.AsyncClient(base_url=demo_server.url) as client:
        response = await client.post(
            "/graphql",
            json={"query": "{ viewer { activeRole } }"},
            headers={"authorization": f"Bearer {token}"},
        )
    assert response.json() == {"data": {"viewer": {"activeRole": "DOCTOR"}}}
    assert "server" not in response.headers


async def test_sigterm_answers_what_is_in_flight_and_closes_sockets(
    live_server: LiveServer,
) -> None:
    clients = [httpx.AsyncClient(base_url=live_server.url, timeout=15) for _ in range(IN_FLIGHT)]
    async with connected(live_server.socket_url) as visitor:
        await visitor.init()
        async with connected(live_server.socket_url) as doctor:
            await doctor.init(await live_server.token(live_server.doctor))
            await doctor.subscribe("1", "subscription { shiftChanged { id } }")
            await doctor.ready()
            for client in clients:
                assert (await client.get("/health")).status_code == 200
            asked = [
                asyncio.create_task(client.post("/graphql", json={"query": SLOW % number}))
                for number, client in enumerate(clients)
            ]
            await asyncio.sleep(0.1)
            live_server.process.send_signal(signal.SIGTERM)
            begun = time.perf_counter()

            answers = await asyncio.gather(*asked)
            assert (await visitor.closed(10))[0] in (1001, 1012)
            assert (await doctor.closed(10))[0] in (1001, 1012)
    async with asyncio.timeout(10):
        code = await live_server.process.wait()
    assert time.perf_counter() - begun < 10
    assert [answer.json() for answer in answers] == [
        {"data": {"signIn": {"errors": [{"code": "BAD_CREDENTIALS"}]}}}
    ] * IN_FLIGHT
    assert code in (0, -signal.SIGTERM)
    told = live_server.log.read_text().splitlines()
    assert [line for line in told if "page is not built" not in line] == []
    for client in clients:
        await client.aclose()


async def test_oversized_message_closes_with_a_code(demo_server: LiveServer) -> None:
    for size, code in ((70 * 1024, 4400), (300 * 1024, 1009)):
        async with connected(demo_server.socket_url) as socket:
            await socket.init()
            await socket.raw('{"type": "ping", "payload": {"x": "' + "x" * size + '"}}')
            assert (await socket.closed())[0] == code


async def test_session_ended_by_another_process_closes_the_socket_within_a_second(
    demo_server: LiveServer, module_database: str
) -> None:
    nurse = demo_server.one_who_is(Role.NURSE)
    token = await demo_server.token(nurse)
    async with connected(demo_server.socket_url) as socket, opened(module_database):
        await socket.init(token)
        await socket.subscribe("1", "subscription { shiftChanged { id } }")
        await socket.ready()
        session = await Session.get(account__email=nurse.login)
        await sign_out(
            Viewer(
                rights=Rights(Role.NURSE),
                now=utc_now(),
                account_id=session.account_id,
                session_id=session.id,
            )
        )
        assert await socket.closed(1) == (4401, "SESSION_EXPIRED")

"""HTTP as it is spoken: requests that do not arrive are given up, answers leave in one write."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from server.protocol import Joining, Protocol

pytestmark = pytest.mark.any_database

WHOLE = b"GET / HTTP/1.1\r\nhost: a\r\n\r\n"


class Hasty(Protocol):
    seconds = 0.2


async def hello(_scope: Scope, receive: Receive, send: Send) -> None:
    """Answers once the body is there, a moment later than a hasty server waits for a request."""
    while (await receive()).get("more_body"):
        pass
    await asyncio.sleep(2 * Hasty.seconds)
    headers = [(b"content-length", b"5")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"hello"})


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """A server of the protocol, by its port."""
    config = uvicorn.Config(
        hello, port=0, http=Hasty, lifespan="off", log_level="warning", ws="none"
    )
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - it tells nobody
        await asyncio.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await running


async def answer(port: int, *parts: bytes) -> bytes:
    """What comes back of a connection on which so much is said, until it is closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for part in parts:
            writer.write(part)
            await asyncio.sleep(0.02)
        async with asyncio.timeout(3):
            return await reader.read()
    finally:
        writer.close()
        await writer.wait_closed()


@pytest.mark.parametrize(
    "parts",
    [
        [b"GET / HT"],
        [b"GET / HTTP/1.1\r\nhost: a\r\nx-slow: "],
        [b"POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\n\r\n"],
        [WHOLE[:5], WHOLE[5:20]],
    ],
)
async def test_a_request_that_does_not_arrive_is_given_up(port: int, parts: list[bytes]) -> None:
    begun = time.perf_counter()
    told = await answer(port, *parts)
    assert told.startswith(b"HTTP/1.1 408 ")
    assert Hasty.seconds <= time.perf_counter() - begun < 1.5


@pytest.mark.parametrize(
    "parts",
    [
        [WHOLE.replace(b"host: a", b"host: a\r\nconnection: close")],
        [b"POST / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n", b"content-length: 2\r\n\r\n{}"],
    ],
)
async def test_a_request_that_arrives_is_answered_however_long_that_takes(
    port: int, parts: list[bytes]
) -> None:
    told = await answer(port, *parts)
    assert told.startswith(b"HTTP/1.1 200 ")
    assert told.endswith(b"\r\n\r\nhello")


async def test_a_head_without_a_body_leaves_too(port: int) -> None:
    asked = b"HEAD / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"
    told = await answer(port, asked)
    assert told.startswith(b"HTTP/1.1 200 ")
    assert told.endswith(b"content-length: 5\r\nconnection: close\r\n\r\n")


class Recording(asyncio.Transport):
    """Keeps each write apart."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []

    def write(self, data: bytes) -> None:  # type: ignore[override]  # as uvicorn calls it
        self.writes.append(bytes(data))

    def writelines(self, parts: tuple[bytes, ...]) -> None:  # type: ignore[override]  # likewise
        self.writes.append(b"".join(parts))

    def close(self) -> None:
        self.writes.append(b"closed")


def test_head_and_body_are_one_write_and_nothing_else_waits() -> None:
    transport = Recording()
    joining = Joining(transport)
    for data in (b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 200 OK\r\n\r\n", b"a", b"b"):
        joining.write(data)
    joining.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    joining.close()
    assert transport.writes == [
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\na",
        b"b",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"closed",
    ]

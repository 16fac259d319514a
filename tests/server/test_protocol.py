"""HTTP as it is spoken: what does not arrive is given up, answers leave in one write, and an
operation is answered alike whichever way it takes."""

import asyncio
import contextlib
import re
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from auth.sessions import Sessions
from auth.viewer import Visit
from server.exchanges import Exchange, Joining
from server.protocol import Protocol
from server.requests import Headers
from tests.live import ListeningApi, listening

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


async def quick(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Answers at once."""
    body = b"a" * 2_000
    headers = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def protocol_server(protocol: type[Protocol], says: ASGIApp = hello) -> AsyncIterator[int]:
    """A server of a protocol that says hello, or something else, by its port."""
    config = uvicorn.Config(
        says, port=0, http=protocol, lifespan="off", log_level="warning", ws="none"
    )
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - it tells nobody
        await asyncio.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await running


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """A server that does not wait for long, by its port."""
    async with protocol_server(Hasty) as port:
        yield port


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


class Idle(Protocol):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.timeout_keep_alive = 0.3  # type: ignore[assignment]  # whole seconds are long here


@pytest.fixture
async def brief_port() -> AsyncIterator[int]:
    """A server that keeps connections for a moment only, by its port."""
    async with protocol_server(Idle) as port:
        yield port


@pytest.mark.parametrize(
    "asked", [b"", b"\r\n", WHOLE.replace(b"GET /", b"HEAD /"), WHOLE], ids=repr
)
async def test_connection_on_which_nothing_is_asked_is_ended(brief_port: int, asked: bytes) -> None:
    begun = time.perf_counter()
    told = await answer(brief_port, asked)
    assert told.startswith(b"HTTP/1.1 200 ") == (len(asked) > 2)
    # The answer takes longer than the wait: what is under way is not idle.
    assert 0.3 <= time.perf_counter() - begun < 1.5


async def test_connection_in_use_is_not_ended(brief_port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", brief_port)
    begun = time.perf_counter()
    while time.perf_counter() - begun < 1.5:
        writer.write(WHOLE)
        assert (await reader.readuntil(b"hello")).startswith(b"HTTP/1.1 200 ")
        await asyncio.sleep(0.1)
    writer.close()
    await writer.wait_closed()


def posted(body: bytes, *more: bytes, path: bytes = b"/graphql") -> bytes:
    """A POST of an operation, as it is written."""
    lines = [
        b"POST %b HTTP/1.1" % path,
        b"host: a",
        b"content-type: application/json",
        b"content-length: %d" % len(body),
        *more,
    ]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


CLOSE = b"connection: close"
OPERATION = b'{"query": "{ __typename }"}'


@pytest.fixture
def exchanges(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The bodies that were answered without ASGI."""
    found: list[bytes] = []
    begin = Exchange.begin

    def noted(self: Exchange, headers: Headers, body: bytes, address: str) -> None:
        found.append(body)
        begin(self, headers, body, address)

    monkeypatch.setattr(Exchange, "begin", noted)
    return found


@pytest.mark.parametrize(
    ("body", "more"),
    [
        (OPERATION, ()),
        (b'{"query": "{ nothing }"}', (b"accept: application/graphql-response+json",)),
        (b'{"query": "{ __typename }", "variables": 7}', (b"accept-language: en",)),
        (b"{", ()),
        (b" ", ()),
        (OPERATION, (b"accept: image/png",)),
        (OPERATION, (b"content-encoding: gzip",)),
        (OPERATION, (b"authorization: Bearer x",)),
        (OPERATION, (b"x-cabinet-role: ADMIN",)),
        (b'{"query": "mutation { signOut { errors { code } } }"}', ()),
    ],
)
async def test_operation_is_answered_alike_at_once_and_in_parts(
    listening_api: ListeningApi, exchanges: list[bytes], body: bytes, more: tuple[bytes, ...]
) -> None:
    port = httpx.URL(listening_api.url).port or 0
    whole = posted(body, *more, CLOSE)
    at_once = await answer(port, whole)
    assert exchanges == [body]
    in_parts = await answer(port, whole[:-1], whole[-1:])
    assert exchanges == [body]

    def told(text: bytes) -> tuple[bytes, list[bytes], bytes]:
        head, _, content = text.partition(b"\r\n\r\n")
        status, *lines = head.split(b"\r\n")
        return status, sorted(lines), content

    assert told(at_once) == told(in_parts)


@pytest.mark.parametrize(
    "asked",
    [
        posted(OPERATION, CLOSE, path=b"/graphql?a=b"),
        posted(OPERATION, CLOSE, path=b"//graphql"),
        posted(OPERATION, CLOSE).replace(b"POST", b"PUT", 1),
        posted(OPERATION).replace(b"HTTP/1.1", b"HTTP/1.0", 1),
        posted(OPERATION, CLOSE, b"expect: 100-continue"),
    ],
    ids=lambda asked: repr(asked[:40]),
)
async def test_what_is_unusual_goes_by_asgi(
    listening_api: ListeningApi, exchanges: list[bytes], asked: bytes
) -> None:
    told = await answer(httpx.URL(listening_api.url).port or 0, asked)
    assert told.startswith(b"HTTP/1.1 ")
    assert exchanges == []


async def test_operations_sent_one_after_the_other_are_answered_in_their_order(
    listening_api: ListeningApi,
) -> None:
    port = httpx.URL(listening_api.url).port or 0
    asked = [posted(b'{"query": "{ a%d: __typename }"}' % number) for number in range(5)]
    asked.append(posted(b'{"query": "{ last: __typename }"}', CLOSE))
    told = await answer(port, b"".join(asked))
    assert re.findall(rb'"(\w+)":"Query"', told) == [b"a0", b"a1", b"a2", b"a3", b"a4", b"last"]


@pytest.mark.parametrize(
    ("proxies", "headers", "address"),
    [
        ((), (b"x-forwarded-for: 198.51.100.7",), "127.0.0.1"),
        (("127.0.0.1",), (b"x-forwarded-for: 198.51.100.7",), "198.51.100.7"),
        (
            ("127.0.0.1",),
            (b"x-forwarded-for: 203.0.113.1", b"x-forwarded-for: 198.51.100.7, 127.0.0.1"),
            "198.51.100.7",
        ),
        (("127.0.0.1",), (), "127.0.0.1"),
        (("192.0.2.1",), (b"x-forwarded-for: 198.51.100.7",), "127.0.0.1"),
    ],
)
@pytest.mark.parametrize("at_once", [True, False])
async def test_address_is_the_one_that_a_trusted_proxy_tells(
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    proxies: tuple[str, ...],
    headers: tuple[bytes, ...],
    address: str,
    at_once: bool,
) -> None:
    seen: list[str] = []
    known = Sessions.known

    def noted(self: Sessions, token: str | None, visit: Visit) -> Any:
        seen.append(visit.address)
        return known(self, token, visit)

    monkeypatch.setattr(Sessions, "known", noted)
    async with listening(database_url, tmp_path / "home", proxies=proxies) as api:
        whole = posted(OPERATION, CLOSE, *headers)
        parts = [whole] if at_once else [whole[:-1], whole[-1:]]
        await answer(httpx.URL(api.url).port or 0, *parts)
    assert seen == [address]


UPGRADE = (b"connection: upgrade, close", b"upgrade: websocket")
HANDSHAKE = (b"sec-websocket-version: 13", b"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==")
SOCKET = b"\r\n".join([b"GET /graphql HTTP/1.1", b"host: a", *UPGRADE, *HANDSHAKE, b"", b""])


@pytest.mark.parametrize(
    "more",
    [
        (b"connection: upgrade, http2-settings, close", b"upgrade: h2c", b"http2-settings: AAMA"),
        UPGRADE,
        (*UPGRADE, *HANDSHAKE),
    ],
)
@pytest.mark.parametrize("cut", [0, 1, len(OPERATION), len(OPERATION) + 10])
async def test_post_that_asks_for_another_protocol_is_answered_as_it_is(
    listening_api: ListeningApi, more: tuple[bytes, ...], cut: int
) -> None:
    whole = posted(OPERATION, *more)
    port = httpx.URL(listening_api.url).port or 0
    told = await answer(port, whole[: len(whole) - cut], whole[len(whole) - cut :])
    assert told.startswith(b"HTTP/1.1 200 ")
    assert told.endswith(b'{"data":{"__typename":"Query"}}')


async def test_handshake_that_is_none_is_refused(listening_api: ListeningApi) -> None:
    port = httpx.URL(listening_api.url).port or 0
    without = SOCKET.replace(b"\r\n".join(HANDSHAKE) + b"\r\n", b"")
    many = b"".join(b"x-%d: a\r\n" % number for number in range(200))
    for asked in (without, SOCKET[:-2] + many + b"\r\n"):
        assert (await answer(port, asked)).startswith(b"HTTP/1.1 400 ")


async def test_socket_that_closes_within_the_time_of_its_handshake_leaves_nothing_behind(
    listening_api: ListeningApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Protocol, "seconds", 0.2)
    faults: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _loop, context: faults.append(context))
    port = httpx.URL(listening_api.url).port or 0
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(SOCKET)
    assert (await reader.readline()).startswith(b"HTTP/1.1 101 ")
    writer.transport.abort()
    await asyncio.sleep(0.4)

    assert faults == []


async def test_socket_asked_for_behind_an_operation_ends_with_its_answer(
    listening_api: ListeningApi,
) -> None:
    port = httpx.URL(listening_api.url).port or 0
    # Not a read of one statement: SQLite answers that before the socket is asked for.
    waited = posted(b'{"query": "{ __schema { queryType { name } } }"}')
    told = await answer(port, waited + SOCKET, b"more")
    assert told.count(b"HTTP/1.1 ") == 1
    assert told.endswith(b'{"data":{"__schema":{"queryType":{"name":"Query"}}}}')
    after = posted(b'{"query": "{ again: __typename }"}')
    told = await answer(port, waited + after + SOCKET, after)
    assert told.count(b"HTTP/1.1 200 ") == 2
    assert told.endswith(b'{"data":{"again":"Query"}}')


BEGUN = b"GET /graphql HTTP/1.1\r\nhost: a\r\n"


@pytest.mark.parametrize(
    "parts",
    [
        [BEGUN + b"x-a: " + b"a" * 40_000 + b"\r\n\r\n"],
        [BEGUN + b"".join(b"x-%d: %b\r\n" % (n, b"a" * 90) for n in range(500)) + b"\r\n"],
        [BEGUN + b"a: b\r\n" * 20_000 + b"\r\n"],
        [BEGUN, b"x-a: ", b"a" * 20_000, b"a" * 20_000],
    ],
    ids=["one", "many", "tiny", "unfinished"],
)
async def test_head_that_is_too_large_is_refused(
    listening_api: ListeningApi, parts: list[bytes]
) -> None:
    told = await answer(httpx.URL(listening_api.url).port or 0, *parts)
    assert told.startswith(b"HTTP/1.1 431 ")


async def test_what_ends_a_body_is_no_way_around_the_size_of_a_head() -> None:
    made: list[Protocol] = []

    class Told(Protocol):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            made.append(self)

    async with protocol_server(Told) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n")
        for _ in range(20):
            writer.write(b"x: " + b"a" * 10_000 + b"\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 431 ")
        (protocol,) = made
        assert sum(len(value) for _, value in protocol.headers) < 40_000
        writer.close()


@pytest.mark.parametrize("size", [30_000, 200_000])
async def test_bodies_and_heads_in_a_row_are_no_head(
    listening_api: ListeningApi, size: int
) -> None:
    port = httpx.URL(listening_api.url).port or 0
    body = OPERATION.ljust(size)
    told = await answer(port, posted(body) * 3 + posted(body, CLOSE))
    assert told.count(b"HTTP/1.1 200 ") == 4


@pytest.mark.parametrize("many", [20, 2_000], ids=["closed", "paused"])
async def test_client_that_reads_nothing_is_ended(many: int) -> None:
    lost = asyncio.Event()

    class Watched(Protocol):
        reading_seconds = 0.5

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            # As Protocol narrows it.
            self.timeout_keep_alive = 1
            super().connection_made(transport)
            kernel: socket.socket = transport.get_extra_info("socket")
            kernel.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4_096)

        def connection_lost(self, exc: Exception | None) -> None:
            super().connection_lost(exc)
            lost.set()

    async with protocol_server(Watched, quick) as port:
        with socket.socket() as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            client.connect(("127.0.0.1", port))
            client.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                client.send(WHOLE * many)
            async with asyncio.timeout(5):
                await lost.wait()


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

    def get_write_buffer_size(self) -> int:
        return 0


def test_head_and_body_are_one_write_and_nothing_else_waits() -> None:
    transport = Recording()
    joining = Joining(transport, 1.0)
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

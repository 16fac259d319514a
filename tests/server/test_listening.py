"""Taking connections: those that come together are all served before any is served often."""

import asyncio
import gc
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from server.listening import Server

CONNECTIONS = 24
BUSY_SECONDS = 0.01
REQUEST = b"GET / HTTP/1.1\r\nhost: here\r\n\r\n"


async def busy(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Keeps the loop for a while, as an answer does that is made at once."""
    time.sleep(BUSY_SECONDS)  # noqa: ASYNC251 - everybody shall wait
    headers = [(b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"ok"})


@pytest.fixture
def port() -> Iterator[int]:
    """A server on a loop of uvloop, as in production."""
    config = uvicorn.Config(busy, port=0, lifespan="off", loop="uvloop", log_level="warning")
    server = Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join()
    assert not server._beginning


def test_connections_that_come_together_are_served_alike(port: int) -> None:
    answers: list[int] = []
    served = threading.Event()

    def keep_asking(number: int) -> None:
        with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
            while not served.is_set():
                connection.sendall(REQUEST)
                assert connection.recv(4_096).startswith(b"HTTP/1.1 200")
                answers.append(number)
                if len(set(answers)) == CONNECTIONS:
                    served.set()

    with ThreadPoolExecutor(CONNECTIONS) as clients:
        list(clients.map(keep_asking, range(CONNECTIONS)))

    # One in a turn of the loop, the first would have been answered as often as there are others.
    assert max(answers.count(number) for number in set(answers)) < CONNECTIONS / 2


def test_one_that_only_connects_keeps_nobody(port: int) -> None:
    with (
        socket.create_connection(("127.0.0.1", port), timeout=20),
        socket.create_connection(("127.0.0.1", port), timeout=20) as asking,
    ):
        asking.sendall(REQUEST)
        assert asking.recv(4_096).startswith(b"HTTP/1.1 200")


def test_one_that_has_left_before_it_is_served_is_no_fault(
    port: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def left(_server: Server) -> asyncio.Protocol:
        raise ConnectionResetError

    with monkeypatch.context() as patched:
        patched.setattr(Server, "_protocol", left)
        with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
            assert connection.recv(1) == b""
    gc.collect()

    assert caplog.records == []
    with socket.create_connection(("127.0.0.1", port), timeout=20) as asking:
        asking.sendall(REQUEST)
        assert asking.recv(4_096).startswith(b"HTTP/1.1 200")

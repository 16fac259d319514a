"""The load: a closed loop of keep-alive connections that costs some microseconds a request."""

import gc
import json
import select
import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from typing import Any

_STALLED_SECONDS = 30.0
# How often one connection may have to be opened.
_OPENED = 5
_CHUNK = 1 << 18


class _Closed(Exception):
    """A server closed a connection that was idle too long for it, just as we wrote."""


class BadAnswer(Exception):
    """A server answered with errors, another status than 200, or not at all."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a load got through: how many requests, in how long, and each one's seconds, sorted."""

    seconds: float
    latencies: Sequence[float]

    @property
    def requests(self) -> int:
        return len(self.latencies)

    def percentile(self, share: float) -> float:
        """Seconds that this share of the requests took at most."""
        return self.latencies[min(int(self.requests * share), self.requests - 1)]


def request_of(
    port: int, document: str, variables: Mapping[str, Any], headers: Mapping[str, str]
) -> bytes:
    """The bytes of one POST of a GraphQL operation."""
    body = json.dumps({"query": document, "variables": variables}).encode()
    lines = [
        "POST /graphql HTTP/1.1",
        f"host: 127.0.0.1:{port}",
        "content-type: application/json",
        "accept: application/json",
        f"content-length: {len(body)}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def run(port: int, requests: Sequence[bytes], connections: int, seconds: float) -> Loaded:
    """Keeps every connection busy until the time is over; raises BadAnswer."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        return _run(port, requests, connections, seconds)
    finally:
        if collecting:
            gc.enable()


def ask(port: int, request: bytes) -> Any:
    """The ``data`` of one answer; raises BadAnswer."""
    with socket.create_connection(("127.0.0.1", port), timeout=_STALLED_SECONDS) as connection:
        connection.sendall(request)
        answer = b""
        while (body := _body(answer)) is None:
            received = connection.recv(_CHUNK)
            if not received:
                raise BadAnswer("the connection was closed")
            answer += received
    try:
        return json.loads(body)["data"]
    except (ValueError, KeyError):
        raise BadAnswer(answer[:600].decode(errors="replace")) from None


@dataclass(slots=True)
class _Connection:
    """One keep-alive connection with at most one request under way."""

    port: int
    request: bytes = b""
    sent_at: float = 0.0
    _heard: bytes = b""
    _socket: socket.socket = field(init=False)
    _opened: int = 0

    def __post_init__(self) -> None:
        self._open()

    def fileno(self) -> int:
        return self._socket.fileno()

    def send(self, request: bytes, at: float) -> None:
        self.request, self.sent_at, self._heard = request, at, b""
        self._socket.sendall(request)

    def is_answered(self) -> bool:
        """Reads what there is; whether the answer is whole; raises _Closed, BadAnswer."""
        received = self._socket.recv(_CHUNK)
        if not received:
            if self._heard or self._opened > _OPENED:
                raise BadAnswer("the connection was closed")
            raise _Closed
        self._heard += received
        return _body(self._heard) is not None

    def ask_anew(self) -> None:
        """The same request over a new connection; its time runs on."""
        self.close()
        self._open()
        self._socket.sendall(self.request)

    def close(self) -> None:
        self._socket.close()

    def _open(self) -> None:
        self._socket = socket.create_connection(("127.0.0.1", self.port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._opened += 1


def _run(port: int, requests: Sequence[bytes], connections: int, seconds: float) -> Loaded:
    now = time.perf_counter
    queue = cycle(requests)
    latencies: list[float] = []
    poll = select.epoll()
    opened = [_Connection(port) for _ in range(connections)]
    asking = {}
    try:
        start = now()
        end = start + seconds
        for connection in opened:
            poll.register(connection, select.EPOLLIN)
            asking[connection.fileno()] = connection
            connection.send(next(queue), now())
        while asking:
            ready = poll.poll(_STALLED_SECONDS)
            if not ready:
                raise BadAnswer("no answer came")
            for number, _ in ready:
                connection = asking[number]
                try:
                    if not connection.is_answered():
                        continue
                except _Closed:
                    del asking[number]
                    connection.ask_anew()
                    asking[connection.fileno()] = connection
                    poll.register(connection, select.EPOLLIN)
                    continue
                at = now()
                latencies.append(at - connection.sent_at)
                if at < end:
                    connection.send(next(queue), at)
                else:
                    # Closed by the server while others are still answered, it is no event.
                    poll.unregister(number)
                    del asking[number]
        took = now() - start
    finally:
        poll.close()
        for connection in opened:
            connection.close()
    latencies.sort()
    return Loaded(took, latencies)


def _body(answer: bytes) -> bytes | None:
    """The body, once it is whole; raises BadAnswer where it tells of errors."""
    head = answer.find(b"\r\n\r\n")
    if head < 0:
        return None
    # «content-length», however its letters are cased
    length = answer.find(b"ength: ", 0, head)
    if length >= 0:
        begins = head + 4
        size = int(answer[length + 7 : answer.index(b"\r\n", length)])
        if len(answer) - begins < size:
            return None
        body = answer[begins:]
    elif answer.endswith(b"0\r\n\r\n"):
        body = _unchunked(answer[head + 4 :])
    else:
        return None
    if answer[9:12] != b"200" or b'"errors"' in body:
        raise BadAnswer(answer[:600].decode(errors="replace"))
    return body


def _unchunked(body: bytes) -> bytes:
    parts: list[bytes] = []
    while True:
        size, _, body = body.partition(b"\r\n")
        length = int(size, 16)
        if not length:
            return b"".join(parts)
        parts.append(body[:length])
        body = body[length + 2 :]

"""The load: a closed loop of keep-alive connections that costs some microseconds a request."""

import gc
import json
import select
import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Any

_STALLED_SECONDS = 30.0
_CHUNK = 1 << 18


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
            answer += _received(connection)
    try:
        return json.loads(body)["data"]
    except (ValueError, KeyError):
        raise BadAnswer(answer[:600].decode(errors="replace")) from None


def _run(port: int, requests: Sequence[bytes], connections: int, seconds: float) -> Loaded:
    now = time.perf_counter
    queue = cycle(requests)
    latencies: list[float] = []
    poll = select.epoll()
    sockets: dict[int, socket.socket] = {}
    heard: dict[int, bytes] = {}
    sent: dict[int, float] = {}
    try:
        for _ in range(connections):
            connection = socket.create_connection(("127.0.0.1", port))
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            number = connection.fileno()
            sockets[number] = connection
            heard[number] = b""
            poll.register(number, select.EPOLLIN)
        start = now()
        end = start + seconds
        for number, connection in sockets.items():
            sent[number] = now()
            connection.sendall(next(queue))
        while sent:
            ready = poll.poll(_STALLED_SECONDS)
            if not ready:
                raise BadAnswer("no answer came")
            for number, _ in ready:
                connection = sockets[number]
                answer = heard[number] + _received(connection)
                if _body(answer) is None:
                    heard[number] = answer
                    continue
                at = now()
                latencies.append(at - sent.pop(number))
                heard[number] = b""
                if at < end:
                    sent[number] = at
                    connection.sendall(next(queue))
        took = now() - start
    finally:
        poll.close()
        for connection in sockets.values():
            connection.close()
    latencies.sort()
    return Loaded(took, latencies)


def _received(connection: socket.socket) -> bytes:
    received = connection.recv(_CHUNK)
    if not received:
        raise BadAnswer("the connection was closed")
    return received


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
    parts = []
    while True:
        size, _, body = body.partition(b"\r\n")
        length = int(size, 16)
        if not length:
            return b"".join(parts)
        parts.append(body[:length])
        body = body[length + 2 :]

"""HTTP by uvicorn, and what it leaves open: how long a request may take to arrive, and how often
an answer is written.

uvicorn writes head and body of an answer apart. Each write costs a tiny answer a tenth of its time,
and wakes its reader for nothing.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_INTERIM = b"HTTP/1.1 100 "
_TOO_LATE = (
    b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\ncache-control: no-store\r\n"
    b"connection: close\r\n\r\n"
)


class Joining:
    """A transport that keeps the head of a response until there is more of it."""

    def __init__(self, inner: asyncio.Transport) -> None:
        self.inner = inner
        self._head = b""

    def write(self, data: bytes) -> None:
        if self._head:
            head, self._head = self._head, b""
            self.inner.writelines((head, data))
        elif data.startswith(b"HTTP/1.1 ") and not data.startswith(_INTERIM):
            self._head = data
        else:
            self.inner.write(data)

    def flush(self) -> None:
        """Lets go of a head that has no body."""
        if self._head:
            head, self._head = self._head, b""
            self.inner.write(head)

    def close(self) -> None:
        self.flush()
        self.inner.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


class Protocol(HttpToolsProtocol):
    """uvicorn's protocol over a transport that joins, for requests that arrive in time."""

    # From its first byte to its last but for the body, whose time is the endpoint's to watch.
    seconds = 10.0
    transport: Any
    _arrives = True
    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        # uvicorn narrows the type alike
        super().connection_made(Joining(transport))  # type: ignore[arg-type]  # stands in for one

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        # Most requests are whole by now.
        if not self._arrives and self._waiting is None:
            self._waiting = self.loop.call_later(self.seconds, self._give_up)

    def connection_lost(self, exc: Exception | None) -> None:
        self._arrived()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        self._arrives = False
        super().on_message_begin()

    def on_body(self, body: bytes) -> None:
        self._arrived()
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._arrived()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        self.transport.flush()
        super().on_response_complete()

    def handle_websocket_upgrade(self) -> None:
        self.transport = self.transport.inner
        super().handle_websocket_upgrade()

    def _arrived(self) -> None:
        self._arrives = True
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _give_up(self) -> None:
        self._waiting = None
        if not self.transport.is_closing():
            self.transport.write(_TOO_LATE)
            self.transport.close()

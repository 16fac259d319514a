"""Writing of HTTP responses: head and body leave together, where uvicorn writes them apart.

Over loopback each write costs a tiny answer a tenth of all its time, and wakes its reader for
nothing.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_INTERIM = b"HTTP/1.1 100 "


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


class OneWriteProtocol(HttpToolsProtocol):
    """uvicorn's protocol over transports that join."""

    transport: Any

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        # uvicorn narrows the type alike
        super().connection_made(Joining(transport))  # type: ignore[arg-type]  # stands in for one

    def on_response_complete(self) -> None:
        self.transport.flush()
        super().on_response_complete()

    def handle_websocket_upgrade(self) -> None:
        self.transport = self.transport.inner
        super().handle_websocket_upgrade()

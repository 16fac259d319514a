"""Answers as they are written: joined, and those of operations without ASGI in between.

uvicorn writes head and body of an answer apart. Each write costs a tiny answer a tenth of its time,
and wakes its reader for nothing.
"""

import asyncio
from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from server.graphql_http import Endpoint, Reply
from server.requests import Headers

if TYPE_CHECKING:
    from server.protocol import Protocol

_INTERIM = b"HTTP/1.1 100 "


class Joining:
    """A transport that keeps the head of a response until there is more of it.

    What is not read in so many seconds after it is closed is given up.
    """

    def __init__(self, inner: asyncio.Transport, seconds: float) -> None:
        self.inner = inner
        self._seconds = seconds
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

    def is_closing(self) -> bool:
        return self.inner.is_closing()

    def close(self) -> None:
        self.flush()
        if self.inner.get_write_buffer_size():
            asyncio.get_running_loop().call_later(self._seconds, self.inner.abort)
        self.inner.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


class Exchange:
    """One operation and its answer, in the place of uvicorn's cycle of a request by ASGI.

    What ASGI makes of a request and of its answer costs as much as a small read itself.
    """

    # What uvicorn looks for in a cycle. Nobody here waits to hear that the connection is lost.
    message_event = asyncio.Event()
    disconnected = False
    more_body = False
    response_complete = False

    def __init__(self, protocol: "Protocol", endpoint: Endpoint, keep_alive: bool) -> None:
        self._protocol = protocol
        self._endpoint = endpoint
        self.keep_alive = keep_alive

    def begin(self, headers: Headers, body: bytes, address: str) -> None:
        """Answers, and lets the next request of the connection begin: at once if that can be."""
        reply = self._endpoint.post(headers, body, address)
        if isinstance(reply, Reply) and not self._protocol.flow.write_paused:
            self._answer(reply)
            return
        self._task = self._protocol.loop.create_task(self._wait(reply))
        self._protocol.tasks.add(self._task)

    async def _wait(self, reply: Reply | Awaitable[Reply]) -> None:
        """Answers when there is an answer, and the one before it was read."""
        protocol = self._protocol
        try:
            found = reply if isinstance(reply, Reply) else await reply
            if protocol.flow.write_paused:
                await protocol.flow.drain()
            self._answer(found)
        except BaseException:
            protocol.transport.close()
            raise
        finally:
            # A callback of the task would cost another turn of the loop.
            protocol.tasks.discard(self._task)

    def _answer(self, reply: Reply) -> None:
        protocol = self._protocol
        transport = protocol.transport
        if transport.is_closing():
            return
        transport.inner.write(self._written(reply))
        self.response_complete = True
        if not self.keep_alive:
            transport.close()
        protocol.on_response_complete()

    def _written(self, reply: Reply) -> bytes:
        lines = [STATUS_LINE[reply.status], self._endpoint.heads[reply.media]]
        for name, value in (*self._protocol.server_state.default_headers, *reply.headers):
            lines += (name, b": ", value, b"\r\n")
        if not self.keep_alive:
            lines.append(b"connection: close\r\n")
        lines.append(b"content-length: %d\r\n\r\n" % len(reply.body))
        lines.append(reply.body)
        return b"".join(lines)

"""Serving by uvicorn, and taking all connections that wait at once.

libuv takes one in a turn of its loop, and a turn answers every request that has come: of sixty-four
connections that come together, the last would wait until those before it had been answered some
thousand times.
"""

import asyncio
import socket
from contextlib import suppress
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from core.settings import Settings
from server.protocol import Protocol

# In a turn: whoever is answered shall not wait for all who come.
_MOST = 128


class Server(uvicorn.Server):
    """uvicorn's server, whose loop takes whatever its listening sockets have."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._listeners: list[socket.socket] = []
        self._beginning: set[asyncio.Task[Any]] = set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        loop = asyncio.get_running_loop()
        for listener in (each for server in self.servers for each in server.sockets):
            # The loop watches its own one.
            other = socket.socket(fileno=socket.dup(listener.fileno()))
            other.setblocking(False)
            self._listeners.append(other)
            loop.add_reader(other, self._take, other)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for listener in self._listeners:
            asyncio.get_running_loop().remove_reader(listener)
            listener.close()
        await super().shutdown(sockets)

    def _take(self, listener: socket.socket) -> None:
        # What else may be wrong, too many open files say, the loop's own accepting tells.
        with suppress(OSError):
            for _ in range(_MOST):
                connection, _address = listener.accept()
                self._begin(connection)

    def _begin(self, connection: socket.socket) -> None:
        beginning = asyncio.get_running_loop().create_task(self._hand_over(connection))
        self._beginning.add(beginning)
        beginning.add_done_callback(self._beginning.discard)

    async def _hand_over(self, connection: socket.socket) -> None:
        try:
            loop = asyncio.get_running_loop()
            await loop.connect_accepted_socket(self._protocol, connection, ssl=self.config.ssl)
        except OSError:
            # Its client has left, or shakes no hands.
            connection.close()

    def _protocol(self) -> asyncio.Protocol:
        """As uvicorn makes one."""
        made: asyncio.Protocol = self.config.http_protocol_class(  # type: ignore[call-arg]
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )
        return made


def of_uvicorn(settings: Settings) -> dict[str, Any]:
    """How uvicorn is to serve, but for where."""
    return {
        "http": Protocol,
        "access_log": False,
        "proxy_headers": bool(settings.proxies),
        "forwarded_allow_ips": list(settings.proxies),
        # Compression of thousands of idle sockets costs more memory than it saves bytes.
        "ws_per_message_deflate": False,
        "ws_max_size": settings.limits.socket_message_bytes * 2,
        "timeout_graceful_shutdown": 8,
        "server_header": False,
    }


def listen(app: ASGIApp, host: str, found: Settings) -> None:
    """Serves until a signal ends it; raises SystemExit where that cannot begin."""
    config = uvicorn.Config(
        app, host=host, port=found.port, log_level="warning", **of_uvicorn(found)
    )
    with suppress(KeyboardInterrupt):
        Server(config).run()

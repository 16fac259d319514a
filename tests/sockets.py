"""A client of the graphql-transport-ws protocol that shows every message."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

PROTOCOL = "graphql-transport-ws"
PATIENCE = 5.0


class Socket:
    """One connection, message by message."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    async def send(self, **message: Any) -> None:
        await self.connection.send(json.dumps(message))

    async def raw(self, frame: str | bytes) -> None:
        await self.connection.send(frame)

    async def message(self, patience: float = PATIENCE) -> dict[str, Any]:
        async with asyncio.timeout(patience):
            received: dict[str, Any] = json.loads(await self.connection.recv())
        return received

    async def quiet(self, seconds: float = 0.5) -> bool:
        """Whether nothing comes for a while."""
        try:
            await self.message(seconds)
        except TimeoutError:
            return True
        return False

    async def closed(self, patience: float = PATIENCE) -> tuple[int, str]:
        """The code and reason with which the server closes, whatever comes before."""
        async with asyncio.timeout(patience):
            while True:
                try:
                    await self.connection.recv()
                except ConnectionClosed as closed:
                    assert closed.rcvd is not None, "the connection was dropped without a code"
                    return closed.rcvd.code, closed.rcvd.reason

    async def init(self, token: str | None = None, **payload: Any) -> "Socket":
        if token is not None:
            payload["authorization"] = f"Bearer {token}"
        await self.send(type="connection_init", payload=payload)
        assert await self.message() == {"type": "connection_ack"}
        return self

    async def subscribe(self, operation_id: str, query: str, **variables: Any) -> None:
        payload = {"query": query, "variables": variables}
        await self.send(type="subscribe", id=operation_id, payload=payload)

    async def ready(self) -> None:
        """Waits until the server has taken in everything sent so far, and had time to start it."""
        await self.send(type="ping")
        assert await self.message() == {"type": "pong"}
        await asyncio.sleep(0.05)


@asynccontextmanager
async def connected(url: str, protocol: str = PROTOCOL, **options: Any) -> AsyncIterator[Socket]:
    """A connection to the endpoint, not initialised yet."""
    async with connect(
        url, subprotocols=[Subprotocol(protocol)], proxy=None, close_timeout=1, **options
    ) as connection:
        yield Socket(connection)

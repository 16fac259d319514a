"""GraphQL over a websocket: the graphql-transport-ws protocol, with sessions that can change.

A socket is one sign-in. What is revoked, ended or switched takes effect on its open operations:
a subscription is planned again in the new role where it still exists there, and else completes
with ROLE_CHANGED; one with a ``role`` of its own goes on while that role is held.
"""

import asyncio
import contextlib
from collections.abc import Coroutine
from contextlib import aclosing
from typing import Any
from uuid import UUID

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from auth.viewer import Viewer
from execution.incidents import incident
from execution.problems import Refused, plain
from execution.requests import Request
from models.change import Change, ChangeKind
from models.feed import ChangesLost
from server.answers import encoded
from server.requests import Malformed, decoded, operation_of
from server.services import Services
from server.socket_sign_in import RENEWABLE, SocketSignIn
from server.sockets import (
    BAD_MESSAGE,
    DUPLICATE_ID,
    FAILED,
    GOING_AWAY,
    INIT_TIMEOUT,
    RESTART,
    TOO_MANY,
    TOO_MANY_INITS,
    UNAUTHORIZED,
    WRONG_PROTOCOL,
    Closing,
    Gone,
    Sockets,
)

PROTOCOL = "graphql-transport-ws"

# How long a right may end by the clock before a silent socket notices, in seconds.
_LOOK_SECONDS = 5.0


async def endpoint(websocket: WebSocket) -> None:
    """The websocket beside ``POST /graphql``."""
    services: Services = websocket.app.state.services
    sockets: Sockets = websocket.app.state.sockets
    if len(sockets) >= services.settings.limits.sockets:
        await websocket.close(TOO_MANY, "Too many sockets")
        return
    if PROTOCOL not in websocket.scope.get("subprotocols", ()):
        await websocket.accept()
        await websocket.close(WRONG_PROTOCOL, "Subprotocol not acceptable")
        return
    await websocket.accept(subprotocol=PROTOCOL)
    socket = Socket(websocket, services, sockets)
    sockets.add(socket)
    try:
        await socket.run()
    except Closing as closing:
        if closing.reason == RENEWABLE:
            # It may be what brings the next token.
            await socket.settle()
        await _close(websocket, closing.code, closing.reason)
    except (Gone, WebSocketDisconnect):
        pass
    except asyncio.CancelledError:
        await _close(websocket, GOING_AWAY, "Going away")
        raise
    except Exception as error:
        incident(error, services.settings.language)
        await _close(websocket, FAILED, "INTERNAL")
    finally:
        sockets.remove(socket)
        await socket.stop()


async def _close(websocket: WebSocket, code: int, reason: str) -> None:
    if websocket.application_state is WebSocketState.CONNECTED:
        with contextlib.suppress(RuntimeError, OSError, WebSocketDisconnect):
            await websocket.close(code, reason[:100])


class Operation:
    """An operation open on a socket, in the rights of its viewer."""

    def __init__(self, operation_id: str, request: Request, viewer: Viewer) -> None:
        self.id = operation_id
        self.request = request
        self.viewer = viewer
        # Only these go on when the rights change: the rest was decided when it came in.
        self.subscribes = False
        self.task: asyncio.Task[None] | None = None


class Superseded(Exception):
    """The viewer's rights have changed while an event was on its way."""

    def __init__(self, current: Viewer) -> None:
        super().__init__()
        self.current = current


class Socket:
    """One connection: its sign-in, and the operations open on it."""

    def __init__(self, websocket: WebSocket, services: Services, sockets: Sockets) -> None:
        self._websocket = websocket
        self._services = services
        self._sockets = sockets
        self._limits = services.settings.limits
        self._sign_in = SocketSignIn(websocket, services)
        self._operations: dict[str, Operation] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing: asyncio.Future[Closing] = asyncio.get_running_loop().create_future()

    async def run(self) -> None:
        """Reads messages until the client leaves; raises Closing."""
        try:
            async with asyncio.timeout(self._limits.socket_init_seconds):
                viewer = await self._initialised()
        except TimeoutError:
            raise Closing(INIT_TIMEOUT, "Connection initialisation timeout") from None
        if viewer.account_id is not None:
            self._spawn(self._watch(viewer.account_id))
        while True:
            receiving = asyncio.create_task(self._receive())
            try:
                waiting: set[asyncio.Future[Any]] = {receiving, self._closing}
                await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            finally:
                if not receiving.done():
                    receiving.cancel()
            if self._closing.done():
                await asyncio.gather(receiving, return_exceptions=True)
                raise self._closing.result()
            await self._handle(receiving.result())

    async def settle(self) -> None:
        """Waits until what is answered once has been answered."""
        operations = self._operations.values()
        running = [found.task for found in operations if found.task and not found.subscribes]
        if running:
            await asyncio.wait(running, timeout=self._limits.operation_seconds)

    async def stop(self) -> None:
        """Ends everything that runs for this socket."""
        self._operations.clear()
        while self._tasks:
            for task in self._tasks:
                task.cancel()
            await asyncio.wait(self._tasks)
        if not self._closing.done():
            self._closing.cancel()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _receive(self) -> dict[str, Any]:
        received = await self._websocket.receive()
        if received["type"] == "websocket.disconnect":
            raise WebSocketDisconnect(received.get("code", 1000))
        text = received.get("text")
        if text is None:
            raise Closing(BAD_MESSAGE, "Messages are text")
        if len(text.encode("utf-8", "surrogatepass")) > self._limits.socket_message_bytes:
            raise Closing(BAD_MESSAGE, "Message too large")
        try:
            content = decoded(text.encode("utf-8", "surrogatepass"))
        except Malformed:
            raise Closing(BAD_MESSAGE, "Message is not a JSON object") from None
        if not isinstance(content, dict) or not isinstance(content.get("type"), str):
            raise Closing(BAD_MESSAGE, "Message has no type")
        return content

    async def _initialised(self) -> Viewer:
        """Waits for ``connection_init``; raises Closing."""
        while True:
            received = await self._receive()
            kind = received["type"]
            if kind == "connection_init":
                return await self._init(received)
            if kind == "ping":
                await self._send({"type": "pong"})
            elif kind in ("subscribe", "complete"):
                raise Closing(UNAUTHORIZED, "Unauthorized")
            elif kind != "pong":
                raise Closing(BAD_MESSAGE, "Unknown message type")

    async def _init(self, received: dict[str, Any]) -> Viewer:
        self._sign_in.read(received.get("payload"))
        viewer = await self._sign_in.viewer()
        session_id = viewer.session_id
        if session_id is None:
            # Whoever has not signed in leaves room for those who have.
            if self._sockets.of_session(None) > max(self._limits.sockets // 2, 1):
                raise Closing(TOO_MANY, "Too many sockets")
        elif self._sockets.of_session(session_id) >= self._limits.sockets_per_session:
            raise Closing(TOO_MANY, "Too many sockets for this session")
        else:
            self._sockets.name(self, session_id)
        await self._send({"type": "connection_ack"})
        return viewer

    async def _handle(self, received: dict[str, Any]) -> None:
        kind = received["type"]
        if kind == "connection_init":
            raise Closing(TOO_MANY_INITS, "Too many initialisation requests")
        if kind == "ping":
            await self._send({"type": "pong"})
        elif kind == "subscribe":
            await self._subscribe(received)
        elif kind == "complete":
            operation = self._operations.pop(self._id(received), None)
            if operation is not None:
                await self._cancelled(operation)
        elif kind != "pong":
            raise Closing(BAD_MESSAGE, "Unknown message type")

    def _id(self, received: dict[str, Any]) -> str:
        operation_id = received.get("id")
        if not isinstance(operation_id, str) or not 0 < len(operation_id) <= 128:
            raise Closing(BAD_MESSAGE, "Message has no id")
        return operation_id

    async def _subscribe(self, received: dict[str, Any]) -> None:
        operation_id = self._id(received)
        if operation_id in self._operations:
            raise Closing(DUPLICATE_ID, f"Subscriber for {operation_id[:40]} already exists")
        try:
            request = operation_of(received.get("payload"))
        except Malformed as malformed:
            raise Closing(BAD_MESSAGE, malformed.code) from None
        viewer = await self._sign_in.viewer()
        if len(self._operations) >= self._limits.socket_operations:
            told = plain(viewer.language, "TOO_MANY_OPERATIONS")
            await self._send({"id": operation_id, "type": "error", "payload": [told]})
            return
        self._start(Operation(operation_id, request, viewer))

    def _start(self, operation: Operation) -> None:
        self._operations[operation.id] = operation
        operation.task = self._spawn(self._operate(operation))

    async def _cancelled(self, operation: Operation) -> None:
        """Cancels an operation and waits until nothing of it runs."""
        assert operation.task is not None
        operation.task.cancel()
        await asyncio.wait([operation.task])

    def _is_open(self, operation: Operation) -> bool:
        # Not only by id: a client may use the id of an operation again when it is over.
        return self._operations.get(operation.id) is operation

    async def _operate(self, operation: Operation) -> None:
        try:
            try:
                last = await self._answered(operation)
            except Refused as refused:
                last = {"type": "error", "payload": refused.errors}
            except Superseded as superseded:
                await self._plan_anew(operation, superseded.current)
                return
            except (Closing, Gone):
                raise
            except Exception as error:
                told = incident(error, operation.viewer.language)
                last = {"type": "error", "payload": [told]}
            await self._end(operation, last)
        except Closing as closing:
            self._close_with(closing)
        except Gone:
            self._operations.pop(operation.id, None)
        except Exception as error:
            incident(error, operation.viewer.language)
            self._close_with(Closing(FAILED, "INTERNAL"))

    async def _answered(self, operation: Operation) -> dict[str, Any]:
        """Sends what an operation answers; the message that ends it. Raises Refused."""
        viewer = operation.viewer
        context, engine = self._services.context(viewer), self._services.engine
        # With its text, it can be planned again in a role that does not know its hash.
        operation.request = request = engine.documents.whole(operation.request, context)
        operation.subscribes = engine.is_subscription(request, context)
        if not operation.subscribes:
            answer = await engine.execute(request, context)
            if answer.refused:
                raise Refused(answer.body["errors"])
            await self._send({"id": operation.id, "type": "next", "payload": answer.body})
            return {"type": "complete"}
        async with aclosing(await engine.subscribe(request, context)) as events:
            async for body in events:
                # The row may have been read while the rights changed: look once more.
                current = await self._sign_in.viewer(in_use=False)
                if _acting(current) != _acting(viewer):
                    raise Superseded(current)
                await self._send({"id": operation.id, "type": "next", "payload": body})
        return {"type": "complete"}

    async def _end(self, operation: Operation, last: dict[str, Any]) -> None:
        if self._is_open(operation):
            del self._operations[operation.id]
            await self._send({"id": operation.id, **last})

    async def _watch(self, account: UUID) -> None:
        """Follows the session: ends the socket with it, and its operations with their role."""

        def wanted(change: Change) -> bool:
            return change.kind is ChangeKind.SESSION and change.account_id in (account, None)

        try:
            with self._services.feed.subscribe(wanted) as changes:
                while True:
                    await self._follow()
                    try:
                        # Without news the session may still have grown too old, or a grant ended.
                        async with asyncio.timeout(_LOOK_SECONDS):
                            await anext(changes)
                    except (TimeoutError, ChangesLost):
                        pass
                    except StopAsyncIteration:
                        raise Closing(RESTART, "Service restart") from None
        except Closing as closing:
            self._close_with(closing)
        except Gone:
            pass
        except Exception as error:
            # A socket that nobody watches would outlive its rights.
            incident(error, self._services.settings.language)
            self._close_with(Closing(FAILED, "INTERNAL"))

    async def _follow(self) -> None:
        current = await self._sign_in.viewer(in_use=False)
        for operation in list(self._operations.values()):
            if not operation.subscribes or _acting(operation.viewer) == _acting(current):
                continue
            if self._is_open(operation):
                await self._cancelled(operation)
                await self._plan_anew(operation, current)

    async def _plan_anew(self, operation: Operation, current: Viewer) -> None:
        """Goes on in the rights of now, or ends with ROLE_CHANGED where they lack the field."""
        if not self._is_open(operation):
            return
        try:
            self._services.engine.documents.prepare(
                operation.request, self._services.context(current)
            )
        except Refused:
            told = plain(current.language, "ROLE_CHANGED")
            await self._end(operation, {"type": "error", "payload": [told]})
        else:
            self._start(Operation(operation.id, operation.request, current))

    def _close_with(self, closing: Closing) -> None:
        if not self._closing.done():
            self._closing.set_result(closing)

    async def _send(self, content: dict[str, Any]) -> None:
        try:
            await self._websocket.send_text(encoded(content))
        except (RuntimeError, OSError, WebSocketDisconnect):
            raise Gone from None


def _acting(viewer: Viewer) -> tuple[Any, ...]:
    """What decides which rows and fields a viewer sees."""
    return (
        viewer.role,
        viewer.places,
        viewer.departments,
        viewer.practitioner_id,
        viewer.profession,
        viewer.zone,
    )

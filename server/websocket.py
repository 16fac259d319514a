"""GraphQL over a websocket: the graphql-transport-ws protocol, with sessions that can change.

A socket is one sign-in. What is revoked, ended or switched takes effect on its open operations:
a subscription is planned again in the new role where it still exists there, and else completes
with ROLE_CHANGED; one with a ``role`` of its own goes on while that role is held.
"""

import asyncio
import contextlib
import logging
from dataclasses import replace
from typing import Any
from uuid import UUID

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from auth.sessions import RoleNotHeld, SessionExpired
from auth.tokens import TokenExpired, TokenInvalid
from auth.viewer import Viewer
from core.clock import utc_now
from core.errors import Unavailable
from core.translation import message, preferred
from execution.engine import Refused, Request
from models.change import Change, ChangeKind
from models.feed import ChangesLost
from server.graphql_http import Malformed, bearer, decoded, encoded, operation_of
from server.services import Services

PROTOCOL = "graphql-transport-ws"

# Close codes: the protocol's own, and 4401/4403 for the session.
BAD_MESSAGE, UNAUTHORIZED, FORBIDDEN = 4400, 4401, 4403
WRONG_PROTOCOL, INIT_TIMEOUT, DUPLICATE_ID, TOO_MANY_INITS = 4406, 4408, 4409, 4429
TOO_MANY = 4429
GOING_AWAY = 1001

_log = logging.getLogger(__name__)


class Closing(Exception):
    """The socket must be closed, with this code and reason."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Sockets:
    """The open sockets of this process, counted by session so that nobody takes them all."""

    def __init__(self) -> None:
        self._open: dict[int, UUID | None] = {}

    def add(self, socket: "Socket") -> None:
        self._open[id(socket)] = None

    def name(self, socket: "Socket", session_id: UUID | None) -> None:
        self._open[id(socket)] = session_id

    def remove(self, socket: "Socket") -> None:
        self._open.pop(id(socket), None)

    def __len__(self) -> int:
        return len(self._open)

    def of_session(self, session_id: UUID | None) -> int:
        return sum(1 for other in self._open.values() if other == session_id)


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
        await _close(websocket, closing.code, closing.reason)
    except WebSocketDisconnect:
        pass
    except asyncio.CancelledError:
        await _close(websocket, GOING_AWAY, "Going away")
        raise
    except Exception:
        _log.exception("a socket failed")
        await _close(websocket, 1011, "Internal error")
    finally:
        sockets.remove(socket)
        await socket.stop()


async def _close(websocket: WebSocket, code: int, reason: str) -> None:
    if websocket.application_state is WebSocketState.CONNECTED:
        with contextlib.suppress(RuntimeError, OSError):
            await websocket.close(code, reason[:100])


class Socket:
    """One connection: its sign-in, and the operations open on it."""

    def __init__(self, websocket: WebSocket, services: Services, sockets: Sockets) -> None:
        self._websocket = websocket
        self._services = services
        self._sockets = sockets
        self._limits = services.settings.limits
        self._token: str | None = None
        # The role this socket asked for; None follows the session.
        self._role: str | None = None
        self._viewer: Viewer | None = None
        self._operations: dict[str, tuple[Request, asyncio.Task[None]]] = {}
        self._watching: asyncio.Task[None] | None = None
        self._closing: asyncio.Future[Closing] = asyncio.get_running_loop().create_future()

    async def run(self) -> None:
        """Reads messages until the client leaves; raises Closing."""
        try:
            async with asyncio.timeout(self._limits.socket_init_seconds):
                await self._init(await self._receive())
        except TimeoutError:
            raise Closing(INIT_TIMEOUT, "Connection initialisation timeout") from None
        self._watching = asyncio.create_task(self._watch())
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

    async def stop(self) -> None:
        """Ends everything that runs for this socket."""
        tasks = [task for _, task in self._operations.values()]
        if self._watching is not None:
            tasks.append(self._watching)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if not self._closing.done():
            self._closing.cancel()

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

    async def _init(self, received: dict[str, Any]) -> None:
        if received["type"] != "connection_init":
            raise Closing(UNAUTHORIZED, "Unauthorized")
        payload = received.get("payload") or {}
        if not isinstance(payload, dict):
            raise Closing(BAD_MESSAGE, "Payload is not an object")
        token, role = (
            payload.get("authorization", payload.get("Authorization")),
            payload.get("role"),
        )
        if not isinstance(token, str | None) or not isinstance(role, str | None):
            raise Closing(BAD_MESSAGE, "Payload is malformed")
        try:
            self._token = bearer(token)
        except TokenInvalid:
            raise Closing(UNAUTHORIZED, "UNAUTHENTICATED") from None
        self._role = role
        self._viewer = await self._current_viewer()
        session_id = self._viewer.session_id
        if session_id is not None:
            limit = self._limits.sockets_per_session
            if self._sockets.of_session(session_id) >= limit:
                raise Closing(TOO_MANY, "Too many sockets for this session")
            self._sockets.name(self, session_id)
        await self._send({"type": "connection_ack"})

    async def _current_viewer(self) -> Viewer:
        """Who asks now; raises Closing where that is nobody any more."""
        headers = self._websocket.headers
        try:
            return await self._services.sessions.viewer(
                self._token,
                role=self._role,
                now=utc_now(),
                address=self._websocket.client.host if self._websocket.client else "",
                device=headers.get("user-agent", "")[:200],
                language=preferred(headers.get("accept-language", "")),
            )
        except TokenExpired:
            # Clients take 4401 for final; with 4403 they come again with a renewed token.
            raise Closing(FORBIDDEN, "TOKEN_EXPIRED") from None
        except TokenInvalid:
            raise Closing(UNAUTHORIZED, "UNAUTHENTICATED") from None
        except SessionExpired:
            raise Closing(UNAUTHORIZED, "SESSION_EXPIRED") from None
        except RoleNotHeld:
            raise Closing(FORBIDDEN, "ROLE_NOT_HELD") from None
        except Unavailable:
            raise Closing(1013, "UNAVAILABLE") from None

    async def _handle(self, received: dict[str, Any]) -> None:
        kind = received["type"]
        if kind == "connection_init":
            raise Closing(TOO_MANY_INITS, "Too many initialisation requests")
        if kind == "ping":
            await self._send({"type": "pong"})
        elif kind == "subscribe":
            await self._subscribe(received)
        elif kind == "complete":
            found = self._operations.pop(self._id(received), None)
            if found is not None:
                found[1].cancel()
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
        if len(self._operations) >= self._limits.socket_operations:
            raise Closing(TOO_MANY, "Too many operations")
        try:
            request = operation_of(received.get("payload"))
        except Malformed as malformed:
            raise Closing(BAD_MESSAGE, str(malformed)) from None
        self._viewer = await self._current_viewer()
        self._start(operation_id, request, self._viewer)

    def _start(self, operation_id: str, request: Request, viewer: Viewer) -> None:
        task = asyncio.create_task(self._operate(operation_id, request, viewer))
        self._operations[operation_id] = (request, task)

    async def _operate(self, operation_id: str, request: Request, viewer: Viewer) -> None:
        context = self._services.context(viewer)
        engine = self._services.engine
        try:
            if engine.is_subscription(request, context):
                events = await engine.subscribe(request, context)
                async for body in events:
                    # A row may have been read while the rights changed: look once more.
                    await self._check(viewer)
                    await self._send({"id": operation_id, "type": "next", "payload": body})
            else:
                answer = await engine.execute(request, context)
                if answer.refused:
                    raise Refused(answer.body["errors"])
                await self._send({"id": operation_id, "type": "next", "payload": answer.body})
            await self._end(operation_id, {"type": "complete"})
        except Refused as refused:
            await self._end(operation_id, {"type": "error", "payload": refused.errors})
        except Closing as closing:
            self._close_with(closing)
        except (RuntimeError, WebSocketDisconnect, OSError):
            self._operations.pop(operation_id, None)  # the client has gone

    async def _check(self, viewer: Viewer) -> None:
        current = await self._current_viewer()
        if (current.role, current.places) != (viewer.role, viewer.places):
            # The watcher is about to plan the operation anew in the new role.
            await asyncio.sleep(3_600)

    async def _end(self, operation_id: str, last: dict[str, Any]) -> None:
        if self._operations.pop(operation_id, None) is not None:
            await self._send({"id": operation_id, **last})

    async def _watch(self) -> None:
        """Follows the session: ends the socket with it, and its operations with their role."""
        assert self._viewer is not None
        account = self._viewer.account_id
        if account is None:
            return

        def wanted(change: Change) -> bool:
            return change.kind is ChangeKind.SESSION and change.account_id == account

        with self._services.feed.subscribe(wanted) as changes:
            while True:
                try:
                    # Without news the session may still have grown too old, or a grant ended.
                    async with asyncio.timeout(15):
                        await anext(changes, None)
                except (TimeoutError, ChangesLost):
                    pass
                try:
                    await self._follow()
                except Closing as closing:
                    self._close_with(closing)
                    return

    async def _follow(self) -> None:
        before, self._viewer = self._viewer, await self._current_viewer()
        assert before is not None
        current = self._viewer
        if (before.role, before.places, before.departments) == (
            current.role,
            current.places,
            current.departments,
        ):
            return
        for operation_id, (request, task) in list(self._operations.items()):
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            context = self._services.context(current)
            try:
                self._services.engine.prepare(request, context)
            except Refused:
                changed = _role_changed(current)
                await self._end(operation_id, {"type": "error", "payload": [changed]})
                continue
            if operation_id in self._operations:
                self._start(operation_id, request, replace(current))

    def _close_with(self, closing: Closing) -> None:
        if not self._closing.done():
            self._closing.set_result(closing)

    async def _send(self, content: dict[str, Any]) -> None:
        await self._websocket.send_text(encoded(content))


def _role_changed(viewer: Viewer) -> dict[str, Any]:
    code = "ROLE_CHANGED"
    return {"message": message(viewer.language, code), "extensions": {"code": code}}

"""Real gateways on loopback, an SMTP server and an HTTP gateway of SMS: they keep what they get."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from ssl import SSLContext
from typing import Any

import uvicorn
from aiosmtpd.smtp import SMTP, AuthResult
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState


@dataclass
class Taken:
    """What the SMS gateway was asked: the content, the key and the token."""

    content: dict[str, str]
    key: str
    token: str


@dataclass
class SmsServer:
    """An HTTP gateway; ``answer`` says what it does about a message, such as a status."""

    address: str = ""
    taken: list[Taken] = field(default_factory=list)
    answer: Callable[[Taken], Awaitable[int]] | None = None
    # How many times each message was under way at once, at most.
    at_once: dict[str, int] = field(default_factory=dict)
    _under_way: dict[str, int] = field(default_factory=dict)

    @property
    def ids(self) -> list[str]:
        return [taken.content["id"] for taken in self.taken]

    async def endpoint(self, request: Request) -> Response:
        taken = Taken(
            await request.json(),
            request.headers["idempotency-key"],
            request.headers.get("authorization", ""),
        )
        self.taken.append(taken)
        self._under_way[taken.key] = self._under_way.get(taken.key, 0) + 1
        self.at_once[taken.key] = max(self.at_once.get(taken.key, 0), self._under_way[taken.key])
        try:
            status = 202 if self.answer is None else await self.answer(taken)
        finally:
            self._under_way[taken.key] -= 1
        return Response(status_code=status)


@asynccontextmanager
async def sms_server() -> AsyncIterator[SmsServer]:
    """A gateway behind a real port, in the loop of the test."""
    gateway = SmsServer()
    app = Starlette(routes=[Route("/messages", gateway.endpoint, methods=["POST"])])
    config = uvicorn.Config(app, log_config=None, access_log=False)
    config.load()
    state = ServerState()
    server = await asyncio.get_running_loop().create_server(
        lambda: H11Protocol(config, state, {}), "127.0.0.1", 0
    )
    gateway.address = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/messages"
    try:
        yield gateway
    finally:
        server.close()
        for connection in list(state.connections):
            connection.shutdown()
        for task in state.tasks:
            task.cancel()
        await asyncio.gather(*state.tasks, return_exceptions=True)


@dataclass
class MailServer:
    """An SMTP server. Its answers to a recipient and to a message can be set."""

    port: int = 0
    taken: list[EmailMessage] = field(default_factory=list)
    to: list[str] = field(default_factory=list)
    users: list[tuple[str, str]] = field(default_factory=list)
    is_encrypted: list[bool] = field(default_factory=list)
    recipient_answer: str = "250 OK"
    data_answer: str = "250 OK"
    # How long it thinks before it answers for a message, in seconds.
    thinks: float = 0.0

    async def handle_RCPT(
        self, _server: Any, _session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if self.recipient_answer.startswith("250"):
            envelope.rcpt_tos.append(address)
            envelope.rcpt_options.extend(options)
        return self.recipient_answer

    async def handle_DATA(self, _server: Any, session: Any, envelope: Any) -> str:
        await asyncio.sleep(self.thinks)
        if self.data_answer.startswith("250"):
            mail = message_from_bytes(envelope.content, policy=policy.default)
            assert isinstance(mail, EmailMessage)
            self.taken.append(mail)
            self.to += envelope.rcpt_tos
            self.is_encrypted.append(session.ssl is not None)
        return self.data_answer

    def authenticate(
        self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any
    ) -> AuthResult:
        pair = (data.login.decode(), data.password.decode())
        return AuthResult(success=pair in self.users, handled=False)


@asynccontextmanager
async def mail_server(
    *, tls: SSLContext | None = None, users: tuple[tuple[str, str], ...] = ()
) -> AsyncIterator[MailServer]:
    """A server behind a real port, in the loop of the test; with ``tls`` it insists on STARTTLS."""
    loop = asyncio.get_running_loop()
    gateway = MailServer(users=list(users))

    def protocol() -> SMTP:
        return SMTP(
            gateway,
            hostname="mail.test",
            loop=loop,
            tls_context=tls,
            require_starttls=tls is not None,
            auth_required=bool(users),
            authenticator=gateway.authenticate,
        )

    server = await loop.create_server(protocol, "127.0.0.1", 0)
    gateway.port = server.sockets[0].getsockname()[1]
    try:
        yield gateway
    finally:
        server.close()


@asynccontextmanager
async def silent_server() -> AsyncIterator[int]:
    """The port of a server that takes connections and never says a word."""
    open_ones: list[asyncio.StreamWriter] = []

    async def keep(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        open_ones.append(writer)

    server = await asyncio.start_server(keep, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        for writer in open_ones:
            writer.close()
        server.close()

"""The server on a port of its own: a process as people start it, or uvicorn in the test's loop."""

import asyncio
import os
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pyotp
import uvicorn
from uvicorn.server import ServerState

from auth.gate import Gate, open_gate
from core.clock import utc_now
from core.sealing import open_vault
from core.settings import Passkeys, Settings
from models.database import opened
from models.role import Role
from resolvers.demo import DemoAccount, load_demo
from server.application import application
from server.listening import of_uvicorn
from server.protocol import Protocol
from tests.api import Api, heard, settings_of

ROOT = Path(__file__).parent.parent
_SIGN_IN = """
    mutation($login: String!, $password: String!, $code: String!) {
      signIn(login: $login, password: $password, code: $code) {
        accessToken errors { code }
      }
    }
"""


@dataclass
class DemoServer:
    """A server with the demo data."""

    url: str
    accounts: list[DemoAccount]

    @property
    def socket_url(self) -> str:
        return f"{self.url.replace('http', 'ws', 1)}/graphql"

    @property
    def doctor(self) -> DemoAccount:
        """A doctor who is an administrator as well."""
        return self.one_who_is(Role.DOCTOR)

    def one_who_is(self, role: Role) -> DemoAccount:
        return next(account for account in self.accounts if role in account.roles)

    async def token(self, account: DemoAccount) -> str:
        """An access token, by signing in: once per account, since a code works once."""
        variables = {
            "login": account.login,
            "password": account.password,
            "code": pyotp.TOTP(account.totp_secret).now(),
        }
        async with httpx.AsyncClient() as client:
            response = await client.post(
                f"{self.url}/graphql", json={"query": _SIGN_IN, "variables": variables}
            )
        answered = response.json()["data"]["signIn"]
        assert answered["errors"] == []
        token: str = answered["accessToken"]
        return token


@dataclass
class LiveServer(DemoServer):
    """One that is a process of its own."""

    process: asyncio.subprocess.Process
    log: Path


@asynccontextmanager
async def served(database_url: str, home: Path) -> AsyncIterator[LiveServer]:
    """`cabinet serve` over the demo data, until the block ends."""
    async with opened(database_url):
        settings = Settings(database_url=database_url, home=home)
        accounts = await _demo(open_gate(settings, open_vault(home / "keys" / "vault.key")))
    port = free_port()
    log = home / "server.log"
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "from server.cli import main; main()",
        "serve",
        "--port",
        str(port),
        cwd=ROOT,
        env={
            **os.environ,
            "CABINET_HOME": str(home),
            "CABINET_DATABASE_URL": database_url,
            "PYTHONPATH": str(ROOT),
        },
        stderr=os.open(log, os.O_CREAT | os.O_WRONLY),
    )
    server = LiveServer(f"http://127.0.0.1:{port}", accounts, process, log)
    try:
        await _healthy(server)
        yield server
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


@asynccontextmanager
async def shown(database_url: str, home: Path) -> AsyncIterator[DemoServer]:
    """The demo data served in this process, which knows the schema already."""
    port = free_port()
    passkeys = Passkeys(origins=(f"http://localhost:{port}",))
    async with listening(database_url, home, on_port=port, passkeys=passkeys) as api:
        yield DemoServer(api.url, await _demo(api.services.gate))


async def _demo(gate: Gate) -> list[DemoAccount]:
    return await load_demo(gate=gate, now=utc_now(), hash_password=gate.passwords.hash)


async def _healthy(server: LiveServer) -> None:
    async with httpx.AsyncClient() as client, asyncio.timeout(60):
        while True:
            assert server.process.returncode is None, "the server did not start"
            try:
                await client.get(f"{server.url}/health")
                return
            except httpx.TransportError:
                await asyncio.sleep(0.05)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class ListeningApi(Api):
    """The application behind a real port, in this process: its services can be looked at."""

    url: str

    @property
    def socket_url(self) -> str:
        return f"{self.url.replace('http', 'ws', 1)}/graphql"


@asynccontextmanager
async def listening(
    database_url: str, home: Path, *, on_port: int = 0, **options: Any
) -> AsyncIterator[ListeningApi]:
    """The application over a migrated database behind our protocol, in the loop of the test.

    uvicorn's own server would take a quarter of a second to start and to end.
    """
    settings = settings_of(database_url, home, **options)
    app = application(settings)
    config = uvicorn.Config(app, log_config=None, **of_uvicorn(settings))
    config.load()
    state = ServerState()
    loop = asyncio.get_running_loop()
    async with app.router.lifespan_context(app):
        server = await loop.create_server(
            lambda: Protocol(config, state, {}),
            "127.0.0.1",
            on_port,
        )
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            async with httpx.AsyncClient(base_url=url, timeout=30) as client:
                await heard(app)
                api = ListeningApi(app, client)
                api.url = url
                yield api
        finally:
            server.close()
            for connection in list(state.connections):
                connection.shutdown()
            async with asyncio.timeout(2):
                await asyncio.gather(*state.tasks, return_exceptions=True)

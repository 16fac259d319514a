"""The application under test, over HTTP without a socket: requests as any client sends them."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from starlette.applications import Starlette

from auth.rights import Rights
from auth.viewer import Viewer
from core.clock import utc_now
from core.settings import Settings
from models.account import Account, Session
from models.role import Role
from resolvers.sessions import open_session
from server.application import application
from server.services import Services


@dataclass
class Answer:
    """A response, taken apart."""

    status: int
    body: dict[str, Any]
    headers: httpx.Headers

    @property
    def data(self) -> Any:
        assert "errors" not in self.body, self.body
        return self.body["data"]

    @property
    def codes(self) -> list[str]:
        """The codes of the top-level errors."""
        return [error["extensions"]["code"] for error in self.body.get("errors", [])]


class Api:
    """A client of the running application."""

    def __init__(self, app: Starlette, client: httpx.AsyncClient) -> None:
        self.app = app
        self.client = client

    @property
    def services(self) -> Services:
        services: Services = self.app.state.services
        return services

    async def token(self, account: Account, role: Role, *, now: datetime | None = None) -> str:
        """An access token of a session that acts in a role, in which a factor was shown again."""
        viewer = Viewer(rights=Rights(role), now=now or utc_now(), account_id=account.id)
        opened = await open_session(viewer, gate=self.services.gate, account=account, role=role)
        before = viewer.now - timedelta(seconds=1)
        await Session.filter(id=opened.session.id).update(started_at=before)
        return opened.access_token

    async def ask(
        self,
        query: str,
        token: str | None = None,
        *,
        role: Role | None = None,
        language: str = "en",
        **variables: Any,
    ) -> Answer:
        """One operation, sent as JSON."""
        headers = {"accept-language": language}
        if token is not None:
            headers["authorization"] = f"Bearer {token}"
        if role is not None:
            headers["x-cabinet-role"] = role.value
        response = await self.client.post(
            "/graphql", json={"query": query, "variables": variables}, headers=headers
        )
        return Answer(response.status_code, response.json(), response.headers)


def settings_of(database_url: str, home: Path, **options: Any) -> Settings:
    """Settings in which no stranger waits for an even time: who measures one says so."""
    return Settings(database_url=database_url, home=home, **{"even_time": timedelta(), **options})


@asynccontextmanager
async def serving(database_url: str, home: Path, **options: Any) -> AsyncIterator[Api]:
    """The application over a migrated database, started and stopped as uvicorn would."""
    app = application(settings_of(database_url, home, **options))
    async with app.router.lifespan_context(app):
        await heard(app)
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            yield Api(app, client)


async def heard(app: Starlette) -> None:
    """Waits for the change feed: a test is sometimes over before its connection is made."""
    while not app.state.services.feed.fresh(time.monotonic()):  # noqa: ASYNC110 - it tells nobody
        await asyncio.sleep(0.005)


def fresh_secret() -> str:
    return secrets.token_hex(16)


def soon(**delta: float) -> Any:
    return utc_now() + timedelta(**delta)

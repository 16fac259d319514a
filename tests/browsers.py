"""A browser as far as cookies go: keeps what it is told to, tells where a request is from."""

from dataclasses import dataclass, field
from typing import Any

import httpx

from auth.rights import Rights
from auth.viewer import Cookies, Viewer
from core.clock import utc_now
from models.account import Account
from models.role import Role
from resolvers.sessions import SignedIn, open_session
from server.cookies import ACCESS, DEVICE, REFRESH
from tests.api import Answer, Api

_SAFE = {"path=/", "secure", "httponly", "samesite=strict"}


@dataclass
class Browser:
    """One browser's cookies for the server: those of the session by their names, the device's."""

    api: Api
    kept: dict[str, str] = field(default_factory=dict)
    device: str = ""

    async def asks(
        self,
        document: str,
        variables: dict[str, Any] | None = None,
        session: str | None = "cookie",
        **headers: str,
    ) -> Answer:
        """One operation from a page of the server, or from where its headers say."""
        told = {name.replace("_", "-"): value for name, value in headers.items()}
        given = {"accept-language": "en", **self.headers(session), **told}
        body = {"query": document, "variables": variables or {}}
        response = await self.api.client.post("/graphql", json=body, headers=given)
        self.take(response)
        return Answer(response.status_code, response.json(), response.headers)

    def headers(self, session: str | None = "cookie") -> dict[str, str]:
        """What goes with a request of a page of the server."""
        found = {
            "origin": str(self.api.client.base_url).rstrip("/"),
            "sec-fetch-site": "same-origin",
        }
        kept = {**self.kept, **({DEVICE: self.device} if self.device else {})}
        if kept:
            found["cookie"] = "; ".join(f"{name}={value}" for name, value in kept.items())
        if session is not None:
            found["x-cabinet-session"] = session
        return found

    def take(self, response: httpx.Response) -> None:
        """Keeps and forgets as told; a cookie with the prefix must be as that demands, and more."""
        for line in response.headers.get_list("set-cookie"):
            pair, *attributes = line.split("; ")
            name, _, value = pair.partition("=")
            told = {attribute.lower() for attribute in attributes}
            assert name.startswith("__Host-")
            if name == DEVICE:
                # It outlives the session, and the browser.
                assert told == _SAFE | {"max-age=15552000"}
                self.device = value
            elif "max-age=0" in told:
                assert (value, told - {"max-age=0"}) == ("", _SAFE)
                self.kept.pop(name, None)
            else:
                assert told == _SAFE
                self.kept[name] = value


async def browsing(api: Api, account: Account, role: Role) -> tuple[Browser, SignedIn]:
    """A browser in which somebody has signed in, and what it was given."""
    viewer = Viewer(rights=Rights(role), now=utc_now(), account_id=account.id, cookies=Cookies())
    opened = await open_session(viewer, gate=api.services.gate, account=account, role=role)
    return Browser(api, {ACCESS: opened.access_token, REFRESH: opened.refresh_token}), opened

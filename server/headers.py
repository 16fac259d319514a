"""Security headers on every response; a page with a policy of its own keeps it."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}
# Browsers heed it over TLS only: behind the proxy of a production server.
TRANSPORT = {"strict-transport-security": "max-age=31536000; includeSubDomains"}


def headers_of(production: bool) -> dict[str, str]:
    """The security headers of a server."""
    return {**HEADERS, **TRANSPORT} if production else HEADERS


class SecurityHeaders:
    """Adds what a response lacks of the security headers."""

    def __init__(self, app: ASGIApp, *, production: bool = False) -> None:
        self._app = app
        self._headers = headers_of(production)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, guarded)

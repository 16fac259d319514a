"""Who a websocket is: the token, or the cookie, and the role that one sign-in of it goes by."""

from typing import Any

from starlette.websockets import WebSocket

from auth.recognition import RoleNotHeld
from auth.sessions import SessionExpired
from auth.tokens import TokenExpired, TokenInvalid
from auth.viewer import Cookies, Viewer, Visit
from core.clock import utc_now
from core.errors import Unavailable
from core.translation import preferred
from execution.incidents import incident
from server import cookies
from server.requests import Malformed, bearer, by_name, text_of
from server.services import Services
from server.sockets import AGAIN, BAD_MESSAGE, FAILED, FORBIDDEN, UNAUTHORIZED, Closing

# With a renewed token clients come again.
RENEWABLE = "TOKEN_EXPIRED"


class SocketSignIn:
    """The sign-in of one socket, until it is closed."""

    def __init__(self, websocket: WebSocket, services: Services) -> None:
        self._websocket = websocket
        self._services = services
        self._token: str | None = None
        # Set where that token came in a cookie of the handshake.
        self._cookies: Cookies | None = None
        # The role this socket asked for; None follows the session.
        self._role: str | None = None

    def read(self, payload: Any) -> None:
        """Takes what ``connection_init`` brought, or else the handshake; raises Closing."""
        if payload is None:
            payload = {}
        if not isinstance(payload, dict):
            raise Closing(BAD_MESSAGE, "Payload is not an object")
        token, role = (
            payload.get("authorization", payload.get("Authorization")),
            payload.get("role"),
        )
        if not isinstance(token, str | None) or not isinstance(role, str | None):
            raise Closing(BAD_MESSAGE, "Payload is malformed")
        try:
            headers = by_name(self._websocket.scope["headers"])
            # Programs may send the header instead, as browsers cannot.
            self._token = bearer(text_of(headers, b"authorization") if token is None else token)
            if self._token is None:
                origins = self._services.settings.origins
                self._token, self._cookies = cookies.of_handshake(headers, origins)
        except TokenInvalid:
            raise Closing(UNAUTHORIZED, "UNAUTHENTICATED") from None
        except Malformed as malformed:
            raise Closing(FORBIDDEN, malformed.code) from None
        self._role = role

    async def viewer(self, *, in_use: bool = True) -> Viewer:
        """Who asks now; raises Closing where that is nobody any more.

        ``in_use`` is false where nobody asked: an event keeps no idle session alive.
        """
        headers = self._websocket.headers
        try:
            return await self._services.sessions.viewer(
                self._token,
                Visit(
                    utc_now(),
                    self._role,
                    self._websocket.client.host if self._websocket.client else "",
                    headers.get("user-agent", "")[:200],
                    preferred(headers.get("accept-language", "")),
                    self._cookies,
                ),
                in_use=in_use,
            )
        except TokenExpired:
            # Clients take 4401 for final; with 4403 they come again with a renewed token.
            raise Closing(FORBIDDEN, RENEWABLE) from None
        except TokenInvalid:
            raise Closing(UNAUTHORIZED, "UNAUTHENTICATED") from None
        except SessionExpired:
            raise Closing(UNAUTHORIZED, "SESSION_EXPIRED") from None
        except RoleNotHeld:
            raise Closing(FORBIDDEN, "ROLE_NOT_HELD") from None
        except Exception as error:
            told = incident(error, self._services.settings.language)
            code = told["extensions"]["code"]
            raise Closing(AGAIN if code == Unavailable.code else FAILED, code) from None

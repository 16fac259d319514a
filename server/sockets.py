"""The open sockets of this process, and why one is closed."""

from uuid import UUID

# Close codes: the protocol's own, and 4401/4403 for the session.
BAD_MESSAGE, UNAUTHORIZED, FORBIDDEN = 4400, 4401, 4403
WRONG_PROTOCOL, INIT_TIMEOUT, DUPLICATE_ID, TOO_MANY_INITS = 4406, 4408, 4409, 4429
TOO_MANY = 4429
# RFC 6455, 7.4.1: going away, an unexpected condition, a restart, try again later.
GOING_AWAY, FAILED, RESTART, AGAIN = 1001, 1011, 1012, 1013


class Closing(Exception):
    """The socket must be closed, with this code and reason.

    Reasons are for programs: the protocol's own words, or a code of ours.
    """

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Gone(Exception):
    """The client has left: nothing can be sent to it any more."""


class Sockets:
    """The open sockets of this process, counted by session so that nobody takes them all."""

    def __init__(self) -> None:
        self._open: dict[int, UUID | None] = {}

    def add(self, socket: object) -> None:
        self._open[id(socket)] = None

    def name(self, socket: object, session_id: UUID | None) -> None:
        self._open[id(socket)] = session_id

    def remove(self, socket: object) -> None:
        self._open.pop(id(socket), None)

    def __len__(self) -> int:
        return len(self._open)

    def of_session(self, session_id: UUID | None) -> int:
        return sum(1 for other in self._open.values() if other == session_id)

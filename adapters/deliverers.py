"""Deliverers of messages: what they take, what may come of it, and the two without a gateway."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Letter:
    """A message to be delivered. An SMS has no subject.

    ``id`` goes with it, the same each time: one that is delivered twice can be recognised.
    """

    id: UUID
    to: str
    subject: str
    body: str
    written_at: datetime


class NotDelivered(Exception):
    """A message was not taken. The text says why, and nothing of what was in it.

    NotDelivered
    ├── Refused       for good: the gateway works, and will never take this message
    ├── Deferred      for now: the gateway works, and may take this message later
    └── Unreachable   the gateway does not work, or not for us, whatever the message
    """


class Refused(NotDelivered):
    """The gateway will never take this message."""


class Deferred(NotDelivered):
    """The gateway may take this message later."""


class Unreachable(NotDelivered):
    """The gateway takes no message: it is down, or does not know us."""


class Deliverer(Protocol):
    """Delivers the messages of one channel."""

    async def deliver(self, letter: Letter) -> None:
        """Hands a message over; raises Refused, Deferred or Unreachable."""

    async def close(self) -> None:
        """Ends what is kept open between messages."""


class Shown:
    """Delivers nothing: while the cabinet is developed, messages are read in the outbox."""

    async def deliver(self, letter: Letter) -> None:
        """Takes every message."""

    async def close(self) -> None:
        """Nothing is open."""


class Missing:
    """Stands where a server in production was given no gateway: nothing can be sent."""

    async def deliver(self, letter: Letter) -> None:
        """Raises Unreachable."""
        raise Unreachable("no gateway is configured")

    async def close(self) -> None:
        """Nothing is open."""

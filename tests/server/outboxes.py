"""What the tests of the outbox share: messages put in, and a clock that can be moved."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from auth.messages import put_message
from core.sealing import Vault, open_vault
from core.settings import Settings, SmsGateway
from models.database import unit_of_work
from models.factor import Channel
from models.message import Message
from server.sending import Sending, deliverers_of
from tests.auth.entrance import visitor
from tests.factories import NOW

PHONE, EMAIL = "+79001234567", "anna@example.org"


@dataclass
class Clock:
    """A clock that goes when it is told to."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def go_on(self, **time: float) -> None:
        self.now += timedelta(**time)


def vault_at(home: Path) -> Vault:
    """The vault that a process over this home opens, too."""
    return open_vault(home / "keys" / "vault.key")


@unit_of_work
async def put(
    vault: Vault,
    channel: Channel = Channel.SMS,
    *,
    body: str = "Ваш код: 123456",
    now: datetime = NOW,
    deliver: bool = True,
    expires_at: datetime | None = None,
) -> Message:
    """A message in the outbox."""
    to = PHONE if channel is Channel.SMS else EMAIL
    return await put_message(
        visitor(now),
        vault,
        channel,
        to,
        body=body,
        language="ru",
        deliver=deliver,
        expires_at=expires_at,
    )


@asynccontextmanager
async def sending_sms(
    vault: Vault, address: str, clock: Clock, *, seconds: float = 5.0
) -> AsyncIterator[Sending]:
    """What sends SMS to a gateway; mail is shown."""
    settings = Settings(database_url="", home=Path(), sms=SmsGateway(address, "a token"))
    sending = Sending(vault, deliverers_of(settings), clock=clock, seconds=seconds)
    try:
        yield sending
    finally:
        await sending.close()

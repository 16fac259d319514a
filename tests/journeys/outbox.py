"""What the stories' people receive: the messages in the outbox, opened."""

import re

from models.message import Message, MessageState
from tests.api import Api


async def received(api: Api, contact: str) -> list[str]:
    """The texts that are sent to a contact, oldest first."""
    messages = await Message.filter(state=MessageState.QUEUED).order_by("id")
    vault = api.services.vault
    return [vault.open(m.body_sealed) for m in messages if vault.open(m.to_sealed) == contact]


def code_in(text: str) -> str:
    """The six digits of a message."""
    found = re.search(r"(?<!\d)\d{6}(?!\d)", text)
    assert found is not None, text
    return found[0]

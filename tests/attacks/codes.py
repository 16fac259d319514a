"""What came by the outbox, as whoever has the telephone or the mailbox reads it."""

import re

from auth.gate import Gate
from models.message import Message


async def last_code(gate: Gate) -> str:
    """The six digits of the message that was written last."""
    message = await Message.all().order_by("-id").first()
    assert message is not None
    found = re.search(r"\b\d{6}\b", gate.vault.open(message.body_sealed))
    assert found is not None
    return found[0]

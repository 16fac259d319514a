"""What people got by mail and SMS: the outbox of a story, opened."""

import re
from dataclasses import dataclass

from models.message import Message, MessageState
from tests.journeys.hospital import Hospital


@dataclass(frozen=True)
class Got:
    """One message that somebody got."""

    to: str
    body: str

    @property
    def code(self) -> str:
        found = re.search(r"\b\d{6}\b", self.body)
        assert found is not None, self.body
        return found[0]


async def messages(hospital: Hospital) -> list[Got]:
    """All that were sent, oldest first."""
    opened = hospital.api.services.vault.open
    rows = await Message.exclude(state=MessageState.WITHHELD).order_by("id")
    return [Got(opened(row.to_sealed), opened(row.body_sealed)) for row in rows]


async def code_for(hospital: Hospital, to: str) -> str:
    """The digits of the last code that went to a contact."""
    return [got for got in await messages(hospital) if got.to == to][-1].code

"""The outbox, read: the newest messages, with what is in them or without."""

from dataclasses import dataclass
from datetime import datetime

from auth.audit import record
from auth.viewer import Viewer
from core.sealing import SealBroken, Vault
from core.text import mask
from models.database import unit_of_work
from models.factor import Channel
from models.message import Message, MessageState
from resolvers.forms import reason_of

# Of a contact, so much is shown to who may not know it.
_KEPT = 2


@dataclass(frozen=True, slots=True)
class Told:
    """A message as it is shown; without content, ``to`` is masked and the texts are empty."""

    channel: Channel
    state: MessageState
    created_at: datetime
    attempts: int
    error: str
    to: str
    subject: str = ""
    body: str = ""


async def newest_messages(vault: Vault, *, limit: int, with_content: bool) -> list[Told]:
    """The newest messages, newest first."""
    rows = await Message.all().order_by("-created_at", "-id").limit(limit)
    return [_told(row, vault, with_content) for row in rows]


async def reveal_messages(viewer: Viewer, vault: Vault, *, limit: int, reason: str) -> list[Told]:
    """The same with their content, which is noted in the audit trail first.

    Raises ReasonNeeded, Problems.
    """
    await _note(viewer, limit, reason_of(reason))
    return await newest_messages(vault, limit=limit, with_content=True)


@unit_of_work
async def _note(viewer: Viewer, limit: int, reason: str) -> None:
    record(viewer, "OUTBOX_REVEALED", limit=limit, reason=reason)


def _told(row: Message, vault: Vault, with_content: bool) -> Told:
    def opened(sealed: str) -> str:
        try:
            return vault.open(sealed)
        except SealBroken:
            return "?"

    to = opened(row.to_sealed)
    return Told(
        channel=row.channel,
        state=row.state,
        created_at=row.created_at,
        attempts=row.attempts,
        error=row.error,
        to=to if with_content else mask(to, _KEPT),
        subject=opened(row.subject_sealed) if with_content else "",
        body=opened(row.body_sealed) if with_content else "",
    )

"""Messages to people: put into the outbox with what they tell of, and sent by the worker."""

from datetime import datetime

from auth.viewer import Viewer
from core.sealing import Vault
from core.translation import message
from models.database import current_unit
from models.factor import Channel
from models.message import Message, MessageState


async def put_message(
    viewer: Viewer,
    vault: Vault,
    channel: Channel,
    to: str,
    *,
    body: str,
    language: str,
    subject: str = "",
    deliver: bool = True,
    expires_at: datetime | None = None,
) -> Message:
    """Writes a message into the caller's unit of work: it is sent once that is committed.

    ``deliver`` is False where the contact is nobody's: the same is written and nothing sent, so
    that the time taken tells nothing. An SMS has no subject, and says first who sends it. What has
    expired is not sent any more. The message's id goes with it.
    """
    current_unit()
    if channel is Channel.SMS:
        body = f"{message(language, 'Message.sender')}. {body}"
    return await Message.create(
        channel=channel,
        to_sealed=vault.seal(to),
        subject_sealed=vault.seal(subject),
        body_sealed=vault.seal(body),
        state=MessageState.QUEUED if deliver else MessageState.WITHHELD,
        created_at=viewer.now,
        next_at=viewer.now,
        expires_at=expires_at,
    )

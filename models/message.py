"""The outbox: mail and SMS to be sent, committed with what they tell of."""

from enum import StrEnum

from tortoise import fields

from models.factor import Channel
from models.fields import Moment, Text
from models.row import Row


class MessageState(StrEnum):
    """FAILED is given up. WITHHELD is never sent: it was written for a contact of nobody's,
    so that the time taken tells nothing."""

    QUEUED = "QUEUED"
    SENT = "SENT"
    FAILED = "FAILED"
    WITHHELD = "WITHHELD"


class Message(Row):
    """One message. Its id goes with it, so that one sent twice is recognised."""

    channel = fields.CharEnumField(Channel, max_length=10)
    to_sealed = fields.TextField()
    subject_sealed = fields.TextField()
    body_sealed = fields.TextField()
    state = fields.CharEnumField(MessageState, max_length=10, default=MessageState.QUEUED)
    attempts = fields.IntField(default=0)
    created_at = Moment()
    # When it is to be tried next.
    next_at = Moment()
    sent_at = Moment(null=True)
    # From when on it is of no use to anybody: it is not sent any more.
    expires_at = Moment(null=True)
    # Why the last attempt failed, without what was in the message.
    error = Text(max_length=400, default="")

    class Meta:
        table = "message"
        indexes = (("state", "next_at", "id"),)

"""Service notices: planned work and outages, told to everybody."""

from datetime import datetime
from enum import StrEnum

from tortoise import fields

from models.fields import Moment, Text
from models.row import Row


class NoticeKind(StrEnum):
    """PLANNED is announced before it begins, OUTAGE when it has."""

    PLANNED = "PLANNED"
    OUTAGE = "OUTAGE"


class ServicePart(StrEnum):
    """A part of the service that can fail by itself.

    ESIA: signing in through Gosuslugi. SIGNATURES: lists of revoked certificates, without which
    no signature is taken. LIMITS: Redis, which counts rate limits. FILES: where files are kept.
    """

    DATABASE = "DATABASE"
    EMAIL = "EMAIL"
    SMS = "SMS"
    ESIA = "ESIA"
    SIGNATURES = "SIGNATURES"
    LIMITS = "LIMITS"
    FILES = "FILES"


class ServiceNotice(Row):
    """A notice about one part of the service, in both languages."""

    kind = fields.CharEnumField(NoticeKind, max_length=10)
    # The ServicePart that does not work; empty for the whole.
    part = Text(max_length=40, default="")
    title_ru = Text(max_length=200)
    title_en = Text(max_length=200)
    text_ru = Text(max_length=4000, default="")
    text_en = Text(max_length=4000, default="")
    starts_at = Moment()
    # When it is expected to be over, where that is known.
    ends_at = Moment(null=True)
    # When somebody, or the part itself, said that it is over.
    ended_at = Moment(null=True)
    # Who wrote it: the public id of an account, or the part that failed.
    source = Text(max_length=40)
    created_at = Moment()
    version = fields.IntField(default=1)

    class Meta:
        table = "service_notice"
        indexes = (("ended_at", "starts_at", "id"),)

    def holds_at(self, moment: datetime) -> bool:
        """Whether it tells of that moment."""
        return (
            self.starts_at <= moment
            and self.ended_at is None
            and (self.ends_at is None or moment < self.ends_at)
        )

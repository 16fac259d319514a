"""Pruning: deletes what is over, a little at a time."""

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from uuid import UUID

from tortoise.expressions import Q, RawSQL
from tortoise.models import Model
from tortoise.queryset import QuerySet

from adapters.storage import Storage
from core.clock import Clock, utc_now
from core.settings import SessionTimes, SignInLimits
from models.account import Session, SignInFailure, SignInMethod
from models.database import unit_of_work
from models.factor import Challenge, SentCode
from models.hit import Hit
from models.message import Message, MessageState
from resolvers.uploads import prune_uploads

# A code lives ten minutes, and the waits between codes are forgotten after an hour: a day lets
# support find out what became of one.
_CODES = timedelta(days=1)
_CHALLENGES = timedelta(hours=1)
# Messages hold contacts and codes: kept while somebody may still ask why nothing came.
_MESSAGES = timedelta(days=7)
# People look for sign-ins that were not theirs in the list of sessions.
_SESSIONS = timedelta(days=30)
# By an account's last one it is known that its owner has signed in before: whoever comes back after
# a year is told of a new device, and not advised as at a first sign-in.
_IS_LAST = RawSQL(
    """NOT EXISTS (
        SELECT 1 FROM "session" AS "later" WHERE "later"."account_id" = "session"."account_id"
        AND "later"."id" > "session"."id" AND "later"."method" <> 'SCRIPT'
    )"""
)
# Small, so that nobody who writes waits long.
_BATCH = 500
_EVERY_SECONDS = 600.0

_log = logging.getLogger(__name__)


class Pruning:
    """Deletes what is over, of every kind that grows by itself."""

    def __init__(
        self,
        times: SessionTimes,
        limits: SignInLimits,
        storage: Storage,
        *,
        clock: Clock = utc_now,
    ) -> None:
        self._times = times
        self._limits = limits
        self._storage = storage
        self._clock = clock

    async def run(self) -> None:
        """Prunes now and then until cancelled; faults are waited out."""
        while True:
            try:
                await self.prune()
            except Exception as error:
                _log.warning("what is over was not deleted (%s)", type(error).__name__)
            await asyncio.sleep(_EVERY_SECONDS)

    async def prune(self) -> dict[str, int]:
        """Deletes all that is over now; how many rows of which table."""
        found = {"upload": await prune_uploads(self._storage, now=self._clock())}
        for rows in self._over(self._clock()):
            table = rows.model._meta.db_table
            found[table] = sum([number async for number in _batches(rows)])
        return found

    def _over(self, now: datetime) -> tuple[QuerySet[Model], ...]:
        """What is over. A session's refresh tokens go with it."""
        is_done = (MessageState.SENT, MessageState.FAILED, MessageState.WITHHELD)
        long_ago = now - _SESSIONS
        return (  # type: ignore[return-value]  # querysets of rows are querysets of models
            SentCode.filter(sent_at__lt=now - _CODES),
            Challenge.filter(expires_at__lt=now - _CHALLENGES),
            Hit.filter(ends_at__lte=now),
            Message.filter(state__in=is_done, created_at__lt=now - _MESSAGES),
            SignInFailure.filter(at__lte=now - self._limits.window),
            Session.annotate(is_last=_IS_LAST).filter(
                Q(method=SignInMethod.SCRIPT) | Q(is_last=False),
                Q(ended_at__lt=long_ago)
                | Q(expires_at__lt=long_ago)
                | Q(seen_at__lt=long_ago - self._times.idle),
            ),
        )


async def _batches(rows: QuerySet[Model]) -> AsyncIterator[int]:
    """How many rows each batch deleted."""
    while True:
        ids = [row.pk for row in await rows.only("id").limit(_BATCH)]
        if not ids:
            return
        await _delete(rows.model, ids)
        # Not what the database counts: SQLite adds the rows that went along.
        yield len(ids)


@unit_of_work
async def _delete(model: type[Model], ids: list[UUID]) -> None:
    await model.filter(id__in=ids).delete()

"""Sending: takes messages out of the outbox, hands them over, and tells what became of them.

Each is sent at least once. Whoever sends claims a message first, by moving its next try ahead:
nobody else sends it meanwhile, and when the process is killed the claim runs out by itself. What
was in a message is never logged.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta

from tortoise.expressions import F
from tortoise.queryset import QuerySet

from adapters.deliverers import Deferred, Deliverer, Letter, Missing, Refused, Shown, Unreachable
from adapters.mail import Smtp
from adapters.sms import HttpSms
from core.clock import Clock, utc_now
from core.sealing import Vault
from core.settings import Settings
from models.database import unit_of_work
from models.factor import Channel
from models.message import Message, MessageState
from models.notice import ServicePart
from server.outages import Outages

# How many messages of a channel are on their way at once.
TOGETHER = 5
# How long one delivery may take. A claim lasts three times as long, so that it holds to the end
# of the delivery even where the clocks of two machines differ by half a minute.
SECONDS = 20.0
CLAIM = timedelta(minutes=1)
# How long to wait after the first failure, the second, and so on; after the last it is given up,
# and sooner where it would have expired by then. Four days, so that a gateway that is away for a
# weekend loses nothing (RFC 5321, 4.5.4.1).
WAITS = (
    timedelta(seconds=10),
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    *(timedelta(hours=2),) * 48,
)
# After so many failures in a row everybody is told of an outage.
OUTAGE = 3
# How often the outbox is looked at: a code that is sent is waited for.
_POLL_SECONDS = 1.0
_RETRY_SECONDS = 5.0
_PARTS = {Channel.EMAIL: ServicePart.EMAIL, Channel.SMS: ServicePart.SMS}

_EXPIRED = "it has expired"

_log = logging.getLogger(__name__)


def deliverers_of(settings: Settings) -> dict[Channel, Deliverer]:
    """By what the messages of each channel are delivered."""
    nothing: Deliverer = Missing() if settings.production else Shown()
    return {
        Channel.EMAIL: Smtp(settings.mail) if settings.mail is not None else nothing,
        Channel.SMS: HttpSms(settings.sms) if settings.sms is not None else nothing,
    }


class Sending:
    """Sends what is due: some of it again and again, until it is taken or given up."""

    def __init__(
        self,
        vault: Vault,
        deliverers: Mapping[Channel, Deliverer],
        *,
        clock: Clock = utc_now,
        seconds: float = SECONDS,
    ) -> None:
        self._vault = vault
        self._deliverers = deliverers
        self._clock = clock
        self._seconds = seconds
        self._outages = Outages(OUTAGE)
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Sends until it is stopped; faults of the database are waited out.

        What nothing can send is said at once: nobody would know before somebody waits for a code.
        """
        for channel, deliverer in self._deliverers.items():
            if isinstance(deliverer, Missing):
                _log.warning("%s is sent by nothing: no gateway is configured", channel)
        async with asyncio.TaskGroup() as channels:
            # Each by itself: a gateway that hangs keeps no other's messages waiting.
            for channel in self._deliverers:
                channels.create_task(self._keep_sending(channel))

    def stop(self) -> None:
        """Lets ``run`` end when what is on its way has been told of."""
        self._stopping.set()

    async def close(self) -> None:
        """Ends what the deliverers keep open."""
        for deliverer in self._deliverers.values():
            await deliverer.close()

    async def send_due(self) -> Counter[MessageState]:
        """Sends all that is due now; how many came to which state, QUEUED for another try."""
        every = await asyncio.gather(*map(self._send_channel, self._deliverers))
        return sum(every, Counter())

    async def _keep_sending(self, channel: Channel) -> None:
        while not self._stopping.is_set():
            pause = _POLL_SECONDS
            try:
                await self._send_channel(channel)
                if self._is_out(channel):
                    pause = _RETRY_SECONDS
            except Exception as error:
                # A worker that has died is noticed by nobody. Nothing but the kind is logged:
                # errors tell of what they were about.
                _log.warning("%s was not sent (%s)", channel, type(error).__name__)
                pause = _RETRY_SECONDS
            try:
                async with asyncio.timeout(pause):
                    await self._stopping.wait()
            except TimeoutError:
                continue

    async def _send_channel(self, channel: Channel) -> Counter[MessageState]:
        became: Counter[MessageState] = Counter()
        while not self._stopping.is_set():
            now = self._clock()
            # Read first: to claim nothing would take the turn of others who write.
            if not await _due(channel, now).exists():
                break
            became[MessageState.FAILED] += await _give_up(channel, now)
            claimed = await _claim(channel, now, 1 if self._is_out(channel) else TOGETHER)
            if not claimed:
                break  # others have them in hand
            # Each comes to its end, whatever becomes of the others.
            every = await asyncio.gather(*map(self._send, claimed), return_exceptions=True)
            for state in every:
                if isinstance(state, BaseException):
                    raise state
                became[state] += 1
            if self._is_out(channel):
                # One message finds out whether it works again: the others keep their attempts.
                break
        return became

    def _is_out(self, channel: Channel) -> bool:
        return self._outages.is_out(_PARTS[channel])

    async def _send(self, message: Message) -> MessageState:
        """Sends a claimed message, and writes down what became of it."""
        error: str | None = None
        # What it tells of the gateway, where that was asked.
        works: bool | None = None
        for_good = False
        try:
            letter = self._letter(message)
            async with asyncio.timeout(self._seconds):
                await self._deliverers[message.channel].deliver(letter)
            works = True
        except Refused as refused:
            error, for_good = str(refused), True
        except Deferred as deferred:
            works, error = True, str(deferred)
        except (Unreachable, TimeoutError) as unreachable:
            works, error = False, str(unreachable) or "it took too long"
        except Exception as bug:
            error = type(bug).__name__
        now = self._clock()
        if error is not None:
            state = await _not_sent(message, now, error, for_good=for_good)
        else:
            state = await _sent(message, now)
        if works is not None:
            await self._outages.note(_PARTS[message.channel], works, now)
        return state

    def _letter(self, message: Message) -> Letter:
        return Letter(
            id=message.id,
            to=self._vault.open(message.to_sealed),
            subject=self._vault.open(message.subject_sealed),
            body=self._vault.open(message.body_sealed),
            written_at=message.created_at,
        )


def _due(channel: Channel, now: datetime) -> QuerySet[Message]:
    return Message.filter(state=MessageState.QUEUED, next_at__lte=now, channel=channel)


@unit_of_work
async def _give_up(channel: Channel, now: datetime) -> int:
    """Gives up what is due and has expired, such as a code; how many those are."""
    expired = _due(channel, now).filter(expires_at__lte=now)
    return await expired.update(state=MessageState.FAILED, error=_EXPIRED)


@unit_of_work
async def _claim(channel: Channel, now: datetime, most: int) -> list[Message]:
    """Some due messages that nobody else sends until the claim runs out; counts the attempt."""
    # SQLite's unit holds the only write lock already.
    locked = _due(channel, now).select_for_update(skip_locked=True)
    claimed: list[Message] = await locked.order_by("next_at", "id").limit(most)
    for message in claimed:
        message.attempts += 1
        message.next_at = now + CLAIM
    await Message.filter(id__in=[message.id for message in claimed]).update(
        attempts=F("attempts") + 1, next_at=now + CLAIM
    )
    return claimed


@unit_of_work
async def _sent(message: Message, now: datetime) -> MessageState:
    # Whoever else has claimed it since: it was taken.
    waiting = Message.filter(id=message.id, state=MessageState.QUEUED)
    await waiting.update(state=MessageState.SENT, sent_at=now, error="")
    return MessageState.SENT


@unit_of_work
async def _not_sent(message: Message, now: datetime, error: str, *, for_good: bool) -> MessageState:
    # Only while the claim is ours: another's attempt may have been taken.
    ours = Message.filter(id=message.id, state=MessageState.QUEUED, attempts=message.attempts)
    next_at = None if message.attempts > len(WAITS) else now + WAITS[message.attempts - 1]
    is_late = next_at and message.expires_at and next_at >= message.expires_at
    if for_good or next_at is None or is_late:
        await ours.update(state=MessageState.FAILED, error=error)
        return MessageState.FAILED
    await ours.update(next_at=next_at, error=error)
    return MessageState.QUEUED

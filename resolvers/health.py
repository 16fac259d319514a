"""The health of each part, from what is known here: nothing outside is ever asked."""

from datetime import datetime, timedelta
from enum import StrEnum

from models.factor import Channel
from models.message import Message, MessageState
from models.notice import NoticeKind, ServicePart
from resolvers.notices import notices_that_hold

# A message that is due is sent within seconds.
_WAITING = timedelta(minutes=1)
_PARTS = {Channel.EMAIL: ServicePart.EMAIL, Channel.SMS: ServicePart.SMS}


class Health(StrEnum):
    """DEGRADED: it works, and not as it should, or is being worked on."""

    OK = "OK"
    DEGRADED = "DEGRADED"
    DOWN = "DOWN"


async def health_of_parts(now: datetime) -> dict[ServicePart, Health]:
    """How each part is. The database is well enough to answer this."""
    found = dict.fromkeys(ServicePart, Health.OK)
    for channel, part in _PARTS.items():
        # The index leads with the state and the time: the first that waits is found at once.
        waits = Message.filter(
            state=MessageState.QUEUED, next_at__lt=now - _WAITING, channel=channel
        )
        if await waits.exists():
            found[part] = Health.DEGRADED
    for notice in await notices_that_hold(now):
        told = Health.DOWN if notice.kind is NoticeKind.OUTAGE else Health.DEGRADED
        for part in found:
            if notice.part in ("", part) and found[part] is not Health.DOWN:
                found[part] = told
    return found

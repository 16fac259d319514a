"""The health of each part, from what is known here: nothing outside is ever asked."""

from datetime import datetime, timedelta
from enum import StrEnum

from adapters.oidc import Client
from core.settings import Settings
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


def parts_of(settings: Settings) -> tuple[ServicePart, ...]:
    """The parts that an installation has: what it was not given cannot fail."""
    given = {
        ServicePart.ESIA: settings.esia is not None,
        ServicePart.SIGNATURES: settings.signatures.authorities is not None,
        ServicePart.LIMITS: settings.redis_url is not None,
    }
    return tuple(part for part in ServicePart if given.get(part, True))


async def health_of_parts(
    now: datetime, *, settings: Settings, esia: Client | None = None
) -> dict[ServicePart, Health]:
    """How each part is. The database is well enough to answer this."""
    found = dict.fromkeys(parts_of(settings), Health.OK)
    if esia is not None and esia.is_refused:
        found[ServicePart.ESIA] = Health.DOWN
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

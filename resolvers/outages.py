"""Outages: a part of the service elsewhere that fails is told of, until it works again."""

from tortoise.queryset import QuerySet

from auth.audit import record
from auth.turns import take_turns
from auth.viewer import Viewer
from core.errors import Problem
from core.translation import message
from models.database import unit_of_work
from models.notice import NoticeKind, ServiceNotice


class ServiceUnavailable(Problem):
    """A service elsewhere does not answer, or is not set up here: try again, or another way."""

    code = "SERVICE_UNAVAILABLE"


async def failed(viewer: Viewer, part: str) -> None:
    """Tells everybody that a part fails, where that is not told yet."""
    if not await _open(part).exists():
        await _begin(viewer, part)


async def works(viewer: Viewer, part: str) -> None:
    """Ends the notice that ``failed`` began, where there is one."""
    if await _open(part).exists():
        await _end(viewer, part)


@unit_of_work
async def _begin(viewer: Viewer, part: str) -> None:
    await take_turns(f"outage {part}")
    if await _open(part).exists():
        return
    title, text = f"Outage.{part}.title", f"Outage.{part}.text"
    notice = await ServiceNotice.create(
        kind=NoticeKind.OUTAGE,
        part=part,
        title_ru=message("ru", title),
        title_en=message("en", title),
        text_ru=message("ru", text),
        text_en=message("en", text),
        starts_at=viewer.now,
        source=part,
        created_at=viewer.now,
    )
    record(viewer, "OUTAGE_BEGAN", notice, reason=part)


@unit_of_work
async def _end(viewer: Viewer, part: str) -> None:
    await take_turns(f"outage {part}")
    for notice in await _open(part):
        notice.ended_at = viewer.now
        await notice.save(update_fields=["ended_at"])
        record(viewer, "OUTAGE_ENDED", notice, reason=part)


def _open(part: str) -> QuerySet[ServiceNotice]:
    # What a person wrote of the part is not ours to end.
    return ServiceNotice.filter(part=part, source=part, ended_at__isnull=True)

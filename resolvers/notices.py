"""Notices of planned work and outages: written by administrators, and by parts that fail."""

from datetime import datetime
from typing import Any
from uuid import UUID

from tortoise.expressions import F, Q
from tortoise.queryset import QuerySet

from auth.audit import record
from auth.rows import NotFound
from auth.turns import take_turns
from auth.viewer import Viewer
from core.errors import Problem
from core.translation import message
from models.account import Account
from models.database import unit_of_work
from models.notice import NoticeKind, ServiceNotice, ServicePart
from resolvers.forms import Check, DatesReversed, Required, as_given, prose, read, refuse, text
from resolvers.standing import ActionDenied
from resolvers.versions import check_version, next_version

# More are not told at once, the nearest first.
_TOLD = 50
_CHECKS: dict[str, Check] = {
    "kind": as_given,
    "part": as_given,
    "title_ru": text(200),
    "title_en": text(200),
    "text_ru": prose(4000),
    "text_en": prose(4000),
    "starts_at": as_given,
    "ends_at": as_given,
}
_NEEDED = ("title_ru", "title_en", "starts_at")


class NoticePast(Problem):
    """It would have been over before anybody could read it."""

    code = "NOTICE_PAST"


class NoticeOver(Problem):
    """The notice was ended, and is kept as it was."""

    code = "NOTICE_OVER"


async def notices_to_tell(viewer: Viewer) -> list[ServiceNotice]:
    """What holds now and what is to come, the nearest first."""
    return await _living(viewer.now).order_by("starts_at", "id").limit(_TOLD)


def _living(now: datetime) -> QuerySet[ServiceNotice]:
    return ServiceNotice.filter(_goes_on(now), ended_at__isnull=True)


def _goes_on(now: datetime) -> Q:
    """It was not said that it would be over by now."""
    return Q(ends_at__isnull=True) | Q(ends_at__gt=now)


async def notices_that_hold(now: datetime) -> list[ServiceNotice]:
    """What does not work now, or is being worked on."""
    return await _living(now).filter(starts_at__lte=now)


@unit_of_work
async def announce_work(
    viewer: Viewer,
    *,
    title_ru: str,
    title_en: str,
    kind: NoticeKind | None = None,
    part: ServicePart | None = None,
    text_ru: str | None = None,
    text_en: str | None = None,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
) -> ServiceNotice:
    """Tells everybody of planned work or an outage, of a part or the whole, from now or later.

    Where ``kind`` is not given it is planned work.

    Raises ActionDenied where the caller's role holds in a department only, and Problems:
    Required, TooLong, TextInvalid, DatesReversed, NoticePast.
    """
    _check_standing(viewer)
    author = await Account.get(id=viewer.account_id)
    notice = ServiceNotice(source=author.public_id, created_at=viewer.now)
    values = {
        "kind": kind or NoticeKind.PLANNED,
        "part": part,
        "title_ru": title_ru,
        "title_en": title_en,
        "text_ru": text_ru,
        "text_en": text_en,
        "starts_at": starts_at or viewer.now,
        "ends_at": ends_at,
    }
    _write(viewer, notice, values)
    await notice.save(force_create=True)
    record(viewer, "NOTICE_ANNOUNCED", notice)
    return notice


@unit_of_work
async def edit_notice(viewer: Viewer, *, id: UUID, version: int, **changes: Any) -> ServiceNotice:
    """Mends the named values: part, titles, texts, starts_at, ends_at.

    Raises NotFound, Stale, NoticeOver, and otherwise as ``announce_work`` does.
    """
    notice = await _lock(viewer, id)
    check_version(notice, version)
    _write(viewer, notice, changes)
    next_version(notice)
    await notice.save()
    record(viewer, "NOTICE_EDITED", notice, fields=sorted(changes))
    return notice


@unit_of_work
async def end_notice(viewer: Viewer, *, id: UUID) -> ServiceNotice:
    """Says that it is over, or that planned work will not be. Raises NotFound, NoticeOver."""
    notice = await _lock(viewer, id)
    notice.ended_at = viewer.now
    next_version(notice)
    await notice.save()
    record(viewer, "NOTICE_ENDED", notice)
    return notice


async def tell_outage(viewer: Viewer, part: ServicePart) -> None:
    """Opens the notice that a part failed, unless one that the part wrote is told still."""
    if not await _own(part).filter(_goes_on(viewer.now)).exists():
        await _open(viewer, part)


async def tell_recovery(viewer: Viewer, part: ServicePart) -> None:
    """Ends the notice that a part wrote: it works again."""
    # It is asked after everything that worked: reading is cheap.
    if await _own(part).exists():
        await _close(viewer, part)


def _own(part: ServicePart) -> QuerySet[ServiceNotice]:
    return ServiceNotice.filter(kind=NoticeKind.OUTAGE, source=part.value, ended_at__isnull=True)


@unit_of_work
async def _open(viewer: Viewer, part: ServicePart) -> None:
    # Each process that sends finds the outage by itself; one of them tells it.
    await take_turns(f"outage {part}")
    if await _own(part).filter(_goes_on(viewer.now)).exists():
        return
    notice = await ServiceNotice.create(
        kind=NoticeKind.OUTAGE,
        part=part.value,
        title_ru=message("ru", f"Outage.{part}.title"),
        title_en=message("en", f"Outage.{part}.title"),
        text_ru=message("ru", f"Outage.{part}.text"),
        text_en=message("en", f"Outage.{part}.text"),
        starts_at=viewer.now,
        source=part.value,
        created_at=viewer.now,
    )
    record(viewer, "OUTAGE_BEGAN", notice, part=part.value)


@unit_of_work
async def _close(viewer: Viewer, part: ServicePart) -> None:
    ended = await _own(part).update(ended_at=viewer.now, version=F("version") + 1)
    if ended:
        record(viewer, "OUTAGE_ENDED", part=part.value)


async def _lock(viewer: Viewer, id: UUID) -> ServiceNotice:
    """A notice that was not ended, locked. Everybody may read them all: no rows are hidden."""
    _check_standing(viewer)
    notice = await ServiceNotice.filter(id=id).select_for_update(no_key=True).get_or_none()
    if notice is None:
        raise NotFound("id")
    if notice.ended_at is not None:
        raise NoticeOver("id")
    return notice


def _check_standing(viewer: Viewer) -> None:
    # The service is everybody's: who manages a department does not speak for it.
    if all(place.department_id is not None for place in viewer.places):
        raise ActionDenied


def _write(viewer: Viewer, notice: ServiceNotice, values: dict[str, Any]) -> None:
    """Checks the values all at once, and puts them into the row."""
    problems: list[Problem] = []
    stored = read(values, _CHECKS, required=_NEEDED, problems=problems)
    for name in ("part", "text_ru", "text_en"):
        if name in stored:
            stored[name] = stored[name] or ""
    told = {name: stored.get(name, getattr(notice, name)) for name in ("text_ru", "text_en")}
    # Everybody is told as much, whichever language they read.
    if bool(told["text_ru"]) != bool(told["text_en"]):
        missing = "text_en" if told["text_ru"] else "text_ru"
        if all(problem.field != missing for problem in problems):
            problems.append(Required(missing))
    starts_at = stored.get("starts_at", notice.starts_at)
    ends_at = stored.get("ends_at", notice.ends_at)
    if starts_at is not None and ends_at is not None and ends_at <= starts_at:
        problems.append(DatesReversed("ends_at"))
    elif ends_at is not None and ends_at != notice.ends_at and ends_at <= viewer.now:
        problems.append(NoticePast("ends_at"))
    refuse(problems)
    notice.update_from_dict(stored)

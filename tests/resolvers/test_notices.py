"""Notices: who writes them, what is wrong with one, and what parts write by themselves."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from auth.rights import Rights
from auth.rows import NotFound
from auth.viewer import Viewer
from core.errors import Problem, Problems
from core.ids import uuid7
from core.settings import Settings
from models.account import Account
from models.notice import NoticeKind, ServiceNotice, ServicePart
from models.role import Role
from resolvers.health import health_of_parts
from resolvers.notices import (
    NoticeOver,
    announce_work,
    edit_notice,
    end_notice,
    notices_to_tell,
    tell_outage,
    tell_recovery,
)
from resolvers.standing import ActionDenied
from resolvers.versions import Stale
from tests import factories as make
from tests.factories import NOW
from tests.resolvers.callers import administrator, journal, problems_of

TITLES = {"title_ru": "Работы на сервере", "title_en": "Maintenance"}
TEXTS = {"text_ru": "С 22:00 до 23:00.", "text_en": "From 22:00 to 23:00."}
HOUR = timedelta(hours=1)


@pytest.fixture
async def admin(database: str) -> Viewer:
    return await administrator(await make.organisation())


def system(now: Any = NOW) -> Viewer:
    return Viewer(rights=Rights(Role.ADMIN), now=now)


async def announced(admin: Viewer, **values: Any) -> ServiceNotice:
    return await announce_work(admin, **{**TITLES, **values})


async def test_an_administrator_announces_work(admin: Viewer) -> None:
    made = await announced(
        admin,
        kind=None,
        **TEXTS,
        part=ServicePart.SMS,
        starts_at=NOW + HOUR,
        ends_at=NOW + 2 * HOUR,
    )

    notice = await ServiceNotice.get()
    author = await Account.get(id=admin.account_id)
    assert notice.id == made.id
    assert (notice.kind, notice.part, notice.source) == (
        NoticeKind.PLANNED,
        "SMS",
        author.public_id,
    )
    assert (notice.title_ru, notice.title_en) == (TITLES["title_ru"], TITLES["title_en"])
    assert (notice.text_ru, notice.text_en) == (TEXTS["text_ru"], TEXTS["text_en"])
    assert (notice.starts_at, notice.ends_at) == (NOW + HOUR, NOW + 2 * HOUR)
    assert await journal() == [("NOTICE_ANNOUNCED", "ServiceNotice", None)]


async def test_every_wrong_field_is_named_at_once(admin: Viewer) -> None:
    with pytest.raises(Problems) as refused:
        await announce_work(
            admin,
            title_ru=" ",
            title_en="x" * 201,
            text_ru="Только по-русски.",
            starts_at=NOW,
            ends_at=NOW - HOUR,
        )
    assert set(problems_of(refused)) == {
        ("REQUIRED", "title_ru"),
        ("TOO_LONG", "title_en"),
        ("REQUIRED", "text_en"),
        ("DATES_REVERSED", "ends_at"),
    }
    assert await ServiceNotice.all().count() == 0


async def test_who_manages_a_department_does_not_speak_for_the_service(database: str) -> None:
    organisation = await make.organisation()
    department = await make.department(organisation)
    manager = await administrator(organisation, department)
    notice = await announced(await administrator(organisation))
    for work in (
        announced(manager),
        edit_notice(manager, id=notice.id, version=1, title_ru="Другое"),
        end_notice(manager, id=notice.id),
    ):
        with pytest.raises(ActionDenied):
            await work
    await notice.refresh_from_db()
    assert (await ServiceNotice.all().count(), notice.title_ru) == (1, TITLES["title_ru"])
    assert notice.ended_at is None


async def test_a_notice_is_mended_from_its_newest_version(admin: Viewer) -> None:
    notice = await announced(admin)
    edited = await edit_notice(admin, id=notice.id, version=1, title_en="Work", **TEXTS)
    with pytest.raises(Stale):
        await edit_notice(admin, id=notice.id, version=1, title_en="Late")

    await notice.refresh_from_db()
    assert (edited.version, notice.version, notice.title_en) == (2, 2, "Work")
    assert notice.text_en == TEXTS["text_en"]


async def test_one_language_alone_is_not_emptied(admin: Viewer) -> None:
    notice = await announced(admin, **TEXTS)
    with pytest.raises(Problems) as refused:
        await edit_notice(admin, id=notice.id, version=1, text_en=None, title_ru="")
    assert set(problems_of(refused)) == {("REQUIRED", "text_en"), ("REQUIRED", "title_ru")}


async def test_what_was_ended_is_kept_as_it_was(admin: Viewer) -> None:
    notice = await announced(admin)
    await end_notice(admin, id=notice.id)
    works: list[Any] = [
        end_notice(admin, id=notice.id),
        edit_notice(admin, id=notice.id, version=2, title_ru="Другое"),
    ]
    for work in works:
        with pytest.raises(NoticeOver):
            await work
    with pytest.raises(NotFound):
        await end_notice(admin, id=uuid7())


async def test_of_many_who_end_a_notice_one_does(admin: Viewer) -> None:
    notice = await announced(admin)
    every = await asyncio.gather(
        *(end_notice(admin, id=notice.id) for _ in range(50)), return_exceptions=True
    )
    refused = [one for one in every if isinstance(one, Problem)]
    assert [type(one) for one in refused] == [NoticeOver] * 49
    assert [entry[0] for entry in await journal()] == ["NOTICE_ANNOUNCED", "NOTICE_ENDED"]


async def test_what_holds_and_what_is_to_come_is_told(admin: Viewer) -> None:
    earlier = admin._replace(now=NOW - 2 * HOUR)
    await announced(earlier, title_ru="прошло", ends_at=NOW - HOUR)
    ended = await announced(admin, title_ru="закрыто")
    await end_notice(admin, id=ended.id)
    await announced(admin, title_ru="будет", starts_at=NOW + HOUR)
    await announced(admin, title_ru="идёт", starts_at=NOW - HOUR, ends_at=NOW + HOUR)

    assert [notice.title_ru for notice in await notices_to_tell(admin)] == ["идёт", "будет"]


async def test_a_part_tells_its_outage_once_and_ends_its_own_only(admin: Viewer) -> None:
    by_hand = await announced(admin, kind=NoticeKind.OUTAGE, part=ServicePart.SMS)
    await asyncio.gather(*(tell_outage(system(), ServicePart.SMS) for _ in range(50)))
    assert await ServiceNotice.filter(source="SMS").count() == 1

    await tell_recovery(system(NOW + HOUR), ServicePart.EMAIL)
    assert await ServiceNotice.filter(ended_at__isnull=False).count() == 0
    await asyncio.gather(*(tell_recovery(system(NOW + HOUR), ServicePart.SMS) for _ in range(50)))

    own = await ServiceNotice.get(source="SMS")
    by_hand = await ServiceNotice.get(id=by_hand.id)
    assert [by_hand.ended_at, own.ended_at] == [None, NOW + HOUR]
    told = [entry[0] for entry in await journal()]
    assert told == ["NOTICE_ANNOUNCED", "OUTAGE_BEGAN", "OUTAGE_ENDED"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"part": ServicePart.SMS}, {"SMS": "DEGRADED"}),
        ({"part": ServicePart.SMS, "kind": NoticeKind.OUTAGE}, {"SMS": "DOWN"}),
        ({"part": ServicePart.SMS, "starts_at": NOW + HOUR}, {}),
        # A part that is not configured is none, whatever is told of it.
        ({"part": ServicePart.ESIA, "kind": NoticeKind.OUTAGE}, {}),
        ({}, dict.fromkeys(ServicePart, "DEGRADED")),
        ({"kind": NoticeKind.OUTAGE}, dict.fromkeys(ServicePart, "DOWN")),
    ],
)
async def test_notices_tell_how_parts_are(
    values: dict[str, Any], expected: dict[str, str], admin: Viewer, tmp_path: Path
) -> None:
    await announced(admin, **values)
    found = await health_of_parts(NOW, settings=Settings(database_url="", home=tmp_path))
    parts = ("DATABASE", "EMAIL", "SMS", "FILES")
    assert found == {part: expected.get(part, "OK") for part in parts}

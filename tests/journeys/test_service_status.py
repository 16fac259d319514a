"""The status of the service, over HTTP: told to everybody, kept by administrators."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from auth.rights import Rights
from auth.viewer import Viewer
from core.clock import utc_now
from core.settings import EsiaSettings, Signatures
from models.notice import ServiceNotice, ServicePart
from models.role import Role
from resolvers.notices import tell_outage, tell_recovery
from tests.api import serving
from tests.certificates import authority
from tests.journeys.hospital import Caller, Hospital, coming, journal, sent

STATUS = """{ serviceStatus {
    notices { kind part title text startsAt endsAt }
    parts { part health }
} }"""
WAYS = "{ signInWays }"
KEPT = "notice { id version title titleRu titleEn textRu textEn source endedAt }"
# What is not configured is no part.
WELL = [{"part": part, "health": "OK"} for part in ("DATABASE", "EMAIL", "SMS", "FILES")]


async def status(caller: Caller, language: str = "ru") -> Any:
    return (await caller.answer(STATUS, language=language)).data["serviceStatus"]


async def test_a_visitor_is_told_what_an_administrator_announces(hospital: Hospital) -> None:
    admin, visitor = await hospital.admin(), hospital.visitor()
    begins, ends = coming(20), coming(22)
    assert await status(visitor) == {"notices": [], "parts": WELL}

    made = await admin.does(
        "announceWork",
        KEPT,
        titleRu="Плановые работы",
        titleEn="Planned work",
        part="ESIA",
        startsAt=begins,
        endsAt=ends,
    )
    notice = {
        "kind": "PLANNED",
        "part": "ESIA",
        "title": "Плановые работы",
        "text": "",
        "startsAt": sent(begins),
        "endsAt": sent(ends),
    }
    assert (await status(visitor))["notices"] == [notice]
    english = (await status(await hospital.citizen(), "en"))["notices"]
    assert english == [{**notice, "title": "Planned work"}]

    await admin.does(
        "editNotice",
        KEPT,
        id=made["notice"]["id"],
        version=made["notice"]["version"],
        input={"textRu": "Вход через Госуслуги", "textEn": "Gosuslugi", "part": None},
    )
    (edited,) = (await status(visitor))["notices"]
    assert (edited["part"], edited["text"]) == (None, "Вход через Госуслуги")

    ended = await admin.does("endNotice", KEPT, id=made["notice"]["id"])
    assert ended["notice"]["endedAt"] is not None
    assert (await status(visitor))["notices"] == []
    actions = [action for action, _, _ in await journal() if action.startswith("NOTICE_")]
    assert actions == ["NOTICE_ANNOUNCED", "NOTICE_EDITED", "NOTICE_ENDED"]


async def test_everybody_is_told_of_an_outage_and_of_its_end(hospital: Hospital) -> None:
    visitor = hospital.visitor()
    system = Viewer(rights=Rights(Role.ADMIN), now=utc_now())

    await tell_outage(system, ServicePart.SMS)
    broken = await status(visitor)
    await tell_recovery(system, ServicePart.SMS)

    assert [(one["kind"], one["part"]) for one in broken["notices"]] == [("OUTAGE", "SMS")]
    assert broken["notices"][0]["title"] == "SMS отправляются с задержкой"
    assert {"part": "SMS", "health": "DOWN"} in broken["parts"]
    assert await status(visitor) == {"notices": [], "parts": WELL}


async def test_an_outage_that_outlasts_what_was_expected_is_told_on(hospital: Hospital) -> None:
    visitor, admin = hospital.visitor(), await hospital.admin()
    system = Viewer(rights=Rights(Role.ADMIN), now=utc_now())
    await tell_outage(system, ServicePart.SMS)
    notice = await ServiceNotice.get(source="SMS")
    soon = system.now + timedelta(minutes=30)
    await admin.does("editNotice", id=notice.id, version=1, input={"endsAt": soon})
    await tell_outage(system, ServicePart.SMS)
    assert await ServiceNotice.filter(source="SMS").count() == 1

    hour_ago = system.now - timedelta(hours=1)
    await ServiceNotice.filter(id=notice.id).update(
        starts_at=hour_ago, ends_at=hour_ago + timedelta(minutes=30)
    )
    await tell_outage(system, ServicePart.SMS)

    broken = await status(visitor)
    assert [(one["part"], one["endsAt"]) for one in broken["notices"]] == [("SMS", None)]
    assert {"part": "SMS", "health": "DOWN"} in broken["parts"]
    await tell_recovery(system, ServicePart.SMS)
    assert await ServiceNotice.filter(ended_at__isnull=True).count() == 0
    assert await status(visitor) == {"notices": [], "parts": WELL}


async def test_the_ways_in_are_told_to_everybody(hospital: Hospital) -> None:
    for caller in (hospital.visitor(), await hospital.doctor()):
        assert await caller.sees(WAYS) == {"signInWays": ["PASSWORD", "PASSKEY"]}


async def test_the_ways_in_are_those_that_are_set_up(database_url: str, tmp_path: Path) -> None:
    (tmp_path / "root.pem").write_bytes(authority("Центр").pem)
    client = EsiaSettings(
        "https://id.example", "cabinet", "https://cabinet.example", client_secret="secret"
    )
    trusted = Signatures(tmp_path, ())
    async with serving(database_url, tmp_path / "home", esia=client, signatures=trusted) as api:
        found = await Caller(api).sees(WAYS)
    assert found == {"signInWays": ["PASSWORD", "PASSKEY", "SIGNATURE", "ESIA"]}


async def test_each_wrong_field_of_a_notice_is_named(hospital: Hospital) -> None:
    admin = await hospital.admin()
    refused = await admin.refused(
        "announceWork",
        titleRu="",
        titleEn="x" * 201,
        textRu="Только по-русски",
        startsAt=coming(22),
        endsAt=coming(20),
    )
    assert set(refused) == {
        ("REQUIRED", "titleRu"),
        ("TOO_LONG", "titleEn"),
        ("REQUIRED", "textEn"),
        ("DATES_REVERSED", "endsAt"),
    }


async def test_what_is_over_is_not_announced(hospital: Hospital) -> None:
    admin = await hospital.admin()
    refused = await admin.refused(
        "announceWork",
        titleRu="Работы",
        titleEn="Work",
        startsAt="2026-01-10T20:00:00Z",
        endsAt="2026-01-10T22:00:00Z",
    )
    assert refused == [("NOTICE_PAST", "endsAt")]


async def test_a_notice_is_ended_and_not_edited_away(hospital: Hospital) -> None:
    admin, visitor = await hospital.admin(), hospital.visitor()
    given = {"titleRu": "Работы", "titleEn": "Work", "startsAt": "2026-01-10T20:00:00Z"}
    made = (await admin.does("announceWork", "notice { id }", **given))["notice"]

    past = {"id": made["id"], "version": 1, "input": {"endsAt": "2026-01-10T22:00:00Z"}}
    assert await admin.refused("editNotice", **past) == [("NOTICE_PAST", "input.endsAt")]
    assert len((await status(visitor))["notices"]) == 1
    # What was expected, and has passed, keeps no other value from being mended.
    ends_at = utc_now() - timedelta(minutes=1)
    await ServiceNotice.filter(id=made["id"]).update(ends_at=ends_at)
    mended = {"titleRu": "Работы окончены", "endsAt": ends_at}
    await admin.does("editNotice", id=made["id"], version=1, input=mended)


async def test_what_administrators_see_of_a_notice_is_unknown_to_others(
    hospital: Hospital,
) -> None:
    for caller in (
        hospital.visitor(),
        await hospital.doctor(),
        await hospital.staff(Role.OPERATOR),
    ):
        error = await caller.unknown("{ serviceStatus { notices { source } } }")
        assert "source" in error["message"]
        await caller.unknown('mutation { endNotice(id: "x") { errors { code } } }')
    manager = await hospital.manager(hospital.therapy)
    assert await manager.refused("announceWork", titleRu="Работы", titleEn="Work") == [
        ("DENIED", None)
    ]

"""Groups: periods are those of the organisation and figures are exact, in both executors."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tortoise.connection import get_connections

import resolvers.aggregates
from auth.viewer import Visit
from core.clock import day_of, utc_now
from execution.dialects import DIALECTS
from models.database import dialect
from models.organisation import Department, Organisation
from models.practitioner import Category
from models.role import Role
from models.shift import Shift, ShiftKind
from resolvers.founding import zones
from tests import factories as make
from tests.api import Api
from tests.execution.asking import Both
from tests.generated import Operation


async def _admin(api: Api, organisation: Organisation, role: Role = Role.ADMIN) -> Both:
    account = await make.account(organisation)
    await make.grant(account, role, organisation)
    token = await api.token(account, role)
    viewer = await api.services.sessions.viewer(token, Visit(utc_now()))
    return Both(api.services, viewer)


async def _asked(both: Both, text: str, **variables: Any) -> Any:
    ours, theirs = await both.ask(Operation(text, variables))
    assert ours == theirs
    assert both.plans > 0
    return json.loads(ours)["data"]


async def _shifts(ward: Department, *starts: datetime, **values: Any) -> None:
    for start in starts:
        await make.shift(ward, starts_at=start, ends_at=start + timedelta(hours=8), **values)


PERIODS = """{ shiftGroups(by: [STARTS_AT_DAY, STARTS_AT_WEEK, STARTS_AT_MONTH]) {
  nodes { count key { startsAtDay startsAtWeek startsAtMonth } }
} }"""


@pytest.mark.parametrize(
    ("zone", "moment", "day", "week", "month"),
    [
        ("Asia/Vladivostok", "2026-05-31T13:59:59", "2026-05-31", "2026-05-25", "2026-05-01"),
        ("Asia/Vladivostok", "2026-05-31T14:00:00", "2026-06-01", "2026-06-01", "2026-06-01"),
        ("Europe/Moscow", "2025-12-31T21:00:00", "2026-01-01", "2025-12-29", "2026-01-01"),
        # Moscow was at +4 until the autumn of 2014.
        ("Europe/Moscow", "2014-07-31T20:00:00", "2014-08-01", "2014-07-28", "2014-08-01"),
        ("Europe/Moscow", "2015-07-31T20:00:00", "2015-07-31", "2015-07-27", "2015-07-01"),
        # Summer time and winter time; an offset of half an hour; a zone behind UTC.
        ("Europe/Berlin", "2026-03-31T22:00:00", "2026-04-01", "2026-03-30", "2026-04-01"),
        ("Europe/Berlin", "2026-10-31T22:00:00", "2026-10-31", "2026-10-26", "2026-10-01"),
        ("Asia/Kolkata", "2026-02-28T18:30:00", "2026-03-01", "2026-02-23", "2026-03-01"),
        ("America/New_York", "2026-03-01T04:59:59", "2026-02-28", "2026-02-23", "2026-02-01"),
    ],
)
async def test_a_period_is_one_where_the_organisation_is(
    api: Api, zone: str, moment: str, day: str, week: str, month: str
) -> None:
    organisation = await make.organisation(zone=zone)
    start = datetime.fromisoformat(moment).replace(tzinfo=UTC)
    await _shifts(await make.department(organisation), start)
    data = await _asked(await _admin(api, organisation), PERIODS)
    key = {"startsAtDay": day, "startsAtWeek": week, "startsAtMonth": month}
    assert data == {"shiftGroups": {"nodes": [{"count": 1, "key": key}]}}


async def test_a_date_lies_in_its_period_whatever_the_zone(api: Api) -> None:
    organisation = await make.organisation(zone="Asia/Vladivostok")
    worker = await make.practitioner(await make.department(organisation))
    for _ in range(2):
        await make.licence(worker)
    await make.licence(worker, expires_on=None)
    data = await _asked(
        await _admin(api, organisation),
        """{ licenceGroups(by: [EXPIRES_ON_WEEK, EXPIRES_ON_MONTH]) {
          totalCount nodes { count key { expiresOnDay expiresOnWeek expiresOnMonth } }
        } }""",
    )
    empty = {"expiresOnDay": None, "expiresOnWeek": None, "expiresOnMonth": None}
    full = {**empty, "expiresOnWeek": "2029-01-08", "expiresOnMonth": "2029-01-01"}
    assert data["licenceGroups"] == {
        "totalCount": 2,
        "nodes": [{"count": 2, "key": full}, {"count": 1, "key": empty}],
    }


async def test_figures_are_rounded_half_up_to_hundredths(api: Api) -> None:
    organisation = await make.organisation()
    ward = await make.department(organisation)
    for seconds in (18, 17, 1_200, 90_000):
        start = make.NOW
        await make.shift(ward, starts_at=start, ends_at=start + timedelta(seconds=seconds))
    for seats in (10, 20, 25):
        await make.course(organisation, seats=seats)
    admin = await _admin(api, organisation)
    figures = "{ sum average minimum maximum }"
    data = await _asked(
        admin,
        f"{{ shiftGroups {{ nodes {{ count hours {figures} }} }}"
        f" courseGroups {{ nodes {{ seats {figures} credits {{ average }} }} }} }}",
    )
    assert data["shiftGroups"]["nodes"] == [
        {
            "count": 4,
            # 91 235 seconds: 25.343 hours, 6.336 each.
            "hours": {"sum": "25.34", "average": "6.34", "minimum": "0.00", "maximum": "25.00"},
        }
    ]
    assert data["courseGroups"]["nodes"] == [
        {
            "seats": {
                "sum": "55.00",
                "average": "18.33",
                "minimum": "10.00",
                "maximum": "25.00",
            },
            "credits": {"average": "36.00"},
        }
    ]
    lengths = await _asked(admin, "{ shifts(filter: {}) { nodes { hours } } }")
    assert sorted(node["hours"] for node in lengths["shifts"]["nodes"]) == [
        "0.00",
        "0.01",
        "0.33",
        "25.00",
    ]


async def test_groups_stand_in_order_of_their_keys_and_the_first_are_shown(api: Api) -> None:
    organisation = await make.organisation()
    made = [await make.department(organisation) for _ in range(2)]
    wards = sorted(made, key=lambda ward: ward.id)
    for number, category in enumerate([*Category, None, *Category]):
        await make.practitioner(wards[number // 4], category=category)
    admin = await _admin(api, organisation)
    query = """query($by: [PractitionerGroupBy!]!, $first: Int) {
      practitionerGroups(by: $by, first: $first) {
        totalCount nodes { count key { category department { name } } }
      }
    }"""
    whole = await _asked(admin, query, by=["CATEGORY"])
    assert [(n["key"]["category"], n["count"]) for n in whole["practitionerGroups"]["nodes"]] == [
        ("FIRST", 2),
        ("HIGHEST", 2),
        ("SECOND", 2),
        (None, 1),
    ]
    twice = await _asked(admin, query, by=["CATEGORY", "DEPARTMENT", "CATEGORY"], first=3)
    assert twice["practitionerGroups"] == {
        "totalCount": 7,
        "nodes": [
            {"count": 1, "key": {"category": "FIRST", "department": {"name": wards[0].name}}},
            {"count": 1, "key": {"category": "FIRST", "department": {"name": wards[1].name}}},
            {"count": 1, "key": {"category": "HIGHEST", "department": {"name": wards[0].name}}},
        ],
    }


async def test_rows_are_filtered_and_groups_are_chosen(api: Api) -> None:
    organisation = await make.organisation(zone="Asia/Vladivostok")
    ward, other = [await make.department(organisation) for _ in range(2)]
    days = [make.NOW + timedelta(days=number) for number in range(-3, 3)]
    await _shifts(ward, *days)
    await _shifts(other, *days, kind=ShiftKind.NIGHT)
    query = """query($ward: ID!, $kinds: [ShiftKind!], $from: Date, $kind: ShiftKind) {
      shiftGroups(
        by: [STARTS_AT_MONTH]
        filter: {kind: {eq: $kind}}
        only: {startsAtDay: {gte: $from}, department: {eq: $ward}, kind: {in: $kinds}}
      ) { totalCount nodes { count key { startsAtMonth kind department { id } } } }
    }"""
    admin = await _admin(api, organisation)

    async def asked(**variables: Any) -> Any:
        given = {"ward": str(ward.id), "from": "2026-03-01", "kinds": ["DAY", "NIGHT"], **variables}
        return (await _asked(admin, query, **given))["shiftGroups"]

    key = {"startsAtMonth": "2026-03-01", "kind": None, "department": None}
    assert await asked() == {"totalCount": 1, "nodes": [{"count": 4, "key": key}]}
    nothing = {"totalCount": 0, "nodes": []}
    assert await asked(kind="NIGHT") == nothing
    assert await asked(ward=str(other.id), kinds=["DAY"]) == nothing
    assert await asked(kinds=[]) == nothing
    assert (await asked(ward=str(other.id), kind="NIGHT"))["nodes"] == [{"count": 4, "key": key}]
    february = {**key, "startsAtMonth": "2026-02-01"}
    assert (await asked(**{"from": None}))["nodes"] == [
        {"count": 2, "key": february},
        {"count": 4, "key": key},
    ]


async def test_rows_that_are_read_some_at_a_time_are_all_counted(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resolvers.aggregates, "_AT_ONCE", 3)
    organisation = await make.organisation()
    ward = await make.department(organisation)
    admin = await _admin(api, organisation)
    for rows in range(1, 8):
        await _shifts(ward, make.NOW, kind=list(ShiftKind)[rows % 2])
        data = await _asked(
            admin, "{ shiftGroups(by: KIND) { nodes { count hours { sum } key { kind } } } }"
        )
        assert sum(group["count"] for group in data["shiftGroups"]["nodes"]) == rows


async def test_of_no_rows_there_is_no_group(api: Api) -> None:
    admin = await _admin(api, await make.organisation())
    data = await _asked(admin, "{ shiftGroups { totalCount nodes { count hours { average } } } }")
    assert data == {"shiftGroups": {"totalCount": 0, "nodes": []}}


async def test_days_are_the_same_in_every_zone_of_an_organisation(database: str) -> None:
    ward = await make.department(await make.organisation())
    # Around midnight, in summer and in winter, and where clocks are moved in Europe.
    for day in ("2026-01-15", "2026-03-29", "2026-07-15"):
        first = datetime.fromisoformat(f"{day}T00:00:00+00:00")
        await _shifts(ward, *(first + timedelta(minutes=30 * half) for half in range(-3, 48)))
    moments = [shift.starts_at for shift in await Shift.all().order_by("starts_at")]
    printer = DIALECTS[dialect()]
    told = printer.text(printer.day("starts_at", printer.parameter(1)))
    for zone in ("UTC", "Asia/Omsk", "Etc/GMT+12", "Europe/Athens", *sorted(zones())[::9]):
        found = (
            await get_connections()
            .get("default")
            .execute_query_dict(f"SELECT {told} AS day FROM shift ORDER BY starts_at", [zone])
        )
        assert [row["day"] for row in found] == [str(day_of(each, zone)) for each in moments], zone


@pytest.mark.parametrize(
    ("arguments", "code", "field"),
    [
        ("first: 0", "TOO_MANY_GROUPS", "first"),
        ("first: 1001", "TOO_MANY_GROUPS", "first"),
        ('only: {department: {eq: "x"}}', "ID_INVALID", "only.department.eq"),
        ("by: [" + "KIND, " * 101 + "]", "FILTER_INVALID", "by"),
    ],
)
async def test_wrong_arguments_have_their_codes(
    api: Api, arguments: str, code: str, field: str
) -> None:
    admin = await _admin(api, await make.organisation())
    ours, theirs = await admin.ask(
        Operation(f"{{ shiftGroups({arguments}) {{ totalCount }} }}", {})
    )
    assert ours == theirs
    (error,) = json.loads(ours)["errors"]
    assert error["extensions"] == {"code": code, "field": field}


async def test_an_inspector_counts_no_enrolments_and_a_doctor_nothing(api: Api) -> None:
    organisation = await make.organisation()
    for role, field in ((Role.INSPECTOR, "enrolmentGroups"), (Role.DOCTOR, "shiftGroups")):
        account = await make.account(organisation)
        await make.grant(account, role, organisation)
        answer = await api.ask(f"{{ {field} {{ totalCount }} }}", await api.token(account, role))
        assert answer.codes == ["GRAPHQL_VALIDATION_FAILED"]

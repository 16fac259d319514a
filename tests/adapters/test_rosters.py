"""Rosters of INRC-I: what is read, what is refused and where, and what never gets in."""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from adapters.roster_values import kind_of, rate_of
from adapters.rosters import SKILLS, RosterWrong, first_day_in, read_roster
from adapters.staff_records import (
    FILE_BYTES,
    DemandRecord,
    DepartmentRecord,
    FileHostile,
    FileMalformed,
    FileTooLarge,
    FormatUnknown,
    PersonRecord,
    PostRecord,
    Refusal,
    Refused,
    Remark,
    StaffFile,
    Term,
    WishRecord,
)
from models.practitioner import Profession
from models.shift import ShiftKind

pytestmark = pytest.mark.any_database

WARD = (Path(__file__).parents[1] / "data/rosters/ward.xml").read_bytes()
MOSCOW = "Europe/Moscow"
BERLIN = "Europe/Berlin"


def read(content: bytes = WARD, zone: str = MOSCOW, month: date | None = None) -> StaffFile:
    return read_roster(content, "ward.xml", zone=zone, month=month)


def refusals(file: StaffFile) -> list[tuple[str, Refusal, tuple[Remark, ...]]]:
    return [
        (element.where, element.refusal, element.remarks)
        for element in file.elements
        if isinstance(element, Refused)
    ]


def test_a_roster_is_a_department_with_its_nurses_and_their_contracts() -> None:
    file = read()
    people = [element for element in file.elements if isinstance(element, PersonRecord)]
    posts = [element for element in file.elements if isinstance(element, PostRecord)]
    assert [e for e in file.elements if isinstance(e, DepartmentRecord)] == [
        DepartmentRecord(
            name="SchedulingPeriod/ward7", where="2", code="roster:ward7", title="ward7"
        )
    ]
    assert people[0] == PersonRecord(
        name="Employee/0",
        where="36",
        last_name="0",
        profession=Profession.NURSE,
        department="SchedulingPeriod/ward7",
    )
    assert len(people) == 3
    assert posts[0] == PostRecord(
        name="Employee/0/ContractID",
        where="37",
        remarks=(Remark("IMPORT_SKILLS_SEVERAL", "37", {"value": "HeadNurse"}),),
        person="Employee/0",
        department="SchedulingPeriod/ward7",
        title=Term(SKILLS, "HeadNurse", "HeadNurse"),
        profession=Profession.NURSE,
        rate=Decimal("1.00"),
        starts_on=date(2010, 1, 1),
        start_assumed=True,
    )
    assert [post.rate for post in posts] == [Decimal("1.00"), Decimal("0.50"), None]
    assert posts[2].remarks == (Remark("IMPORT_RATE_UNKNOWN", "33", {"value": "night"}),)


def test_demand_is_one_shift_for_each_worker_needed_and_a_date_replaces_its_weekday() -> None:
    demand = [element for element in read().elements if isinstance(element, DemandRecord)]
    assert [(d.name, d.kind, d.starts_at, d.ends_at) for d in demand] == [
        (
            "Cover/2010-01-01/E/1",
            ShiftKind.DAY,
            datetime(2010, 1, 1, 3, 30, tzinfo=UTC),
            datetime(2010, 1, 1, 11, 30, tzinfo=UTC),
        ),
        (
            "Cover/2010-01-01/E/2",
            ShiftKind.DAY,
            datetime(2010, 1, 1, 3, 30, tzinfo=UTC),
            datetime(2010, 1, 1, 11, 30, tzinfo=UTC),
        ),
        (
            "Cover/2010-01-01/N/1",
            ShiftKind.NIGHT,
            datetime(2010, 1, 1, 19, 30, tzinfo=UTC),
            datetime(2010, 1, 2, 3, 30, tzinfo=UTC),
        ),
        (
            "Cover/2010-01-02/L/1",
            ShiftKind.EVENING,
            datetime(2010, 1, 2, 11, 30, tzinfo=UTC),
            datetime(2010, 1, 2, 19, 30, tzinfo=UTC),
        ),
        (
            "Cover/2010-01-02/L/2",
            ShiftKind.EVENING,
            datetime(2010, 1, 2, 11, 30, tzinfo=UTC),
            datetime(2010, 1, 2, 19, 30, tzinfo=UTC),
        ),
    ]
    assert demand[0].note == "Early"


def test_wishes_about_types_of_one_kind_become_one_with_the_greater_weight() -> None:
    file = read()
    wishes = [element for element in file.elements if isinstance(element, WishRecord)]
    assert [(w.name, w.day, w.kind, w.weight) for w in wishes] == [
        ("DayOff/0/2010-01-02", date(2010, 1, 2), None, 1),
        ("ShiftOff/1/2010-01-01/E", date(2010, 1, 1), ShiftKind.DAY, 3),
        ("ShiftOff/1/2010-01-01/N", date(2010, 1, 1), ShiftKind.NIGHT, 2),
    ]
    assert refusals(file) == [
        ("69", Refusal.FAILED, (Remark("IMPORT_EMPLOYEE_UNKNOWN", "69", {"value": "9"}),)),
        ("77", Refusal.SKIPPED, (Remark("IMPORT_WISH_JOINED", "77", {"first": "72"}),)),
    ]


@pytest.mark.parametrize(
    ("old", "new", "where", "remark"),
    [
        (b'ID="E"', b'ID="!"', "10", Remark("IMPORT_VALUE_INVALID", "10", {"value": "ID"})),
        (
            b"06:30:00</StartTime>",
            b"25:30:00</StartTime>",
            "10",
            Remark("IMPORT_VALUE_INVALID", "11", {"value": "StartTime"}),
        ),
        (
            b"<ContractID>2<",
            b"<ContractID>7<",
            "47",
            Remark("IMPORT_CONTRACT_UNKNOWN", "47"),
        ),
        (b">Friday<", b">Freitag<", "53", Remark("IMPORT_VALUE_INVALID", "53", {"value": "Day"})),
        (
            b"<Preferred>2</Preferred>",
            b"<Preferred>999999999</Preferred>",
            "55",
            Remark("IMPORT_NUMBER_INVALID", "55", {"most": 200}),
        ),
        (
            b"<Date>2010-01-02</Date></DayOff>",
            b"<Date>2010-02-02</Date></DayOff>",
            "68",
            Remark("IMPORT_DATE_OUTSIDE", "68", {"value": date(2010, 2, 2)}),
        ),
        (
            b'weight="3"',
            b'weight="-3"',
            "77",
            Remark("IMPORT_NUMBER_INVALID", "77", {"most": 1_000_000}),
        ),
    ],
)
def test_a_wrong_element_is_refused_with_its_line(
    old: bytes, new: bytes, where: str, remark: Remark
) -> None:
    assert old in WARD
    file = read(WARD.replace(old, new, 1))
    assert (where, Refusal.FAILED, (remark,)) in refusals(file)
    assert any(isinstance(element, PersonRecord) for element in file.elements)


def test_an_employee_named_twice_is_imported_once() -> None:
    file = read(WARD.replace(b'Employee ID="1"', b'Employee ID="0"'))
    twice = Remark("IMPORT_ELEMENT_TWICE", "41", {"first": "36"})
    assert ("41", Refusal.FAILED, (twice,)) in refusals(file)


def test_a_roster_moves_by_whole_weeks_into_the_month() -> None:
    file = read(month=date(2026, 12, 1))
    demand = [element for element in file.elements if isinstance(element, DemandRecord)]
    wishes = [element for element in file.elements if isinstance(element, WishRecord)]
    assert file.remarks == (
        Remark("IMPORT_ROSTER_MOVED", "2", {"starts_on": date(2026, 12, 4), "days": 6181}),
    )
    assert demand[2].name == "Cover/2026-12-04/N/1"
    assert demand[2].starts_at == datetime(2026, 12, 4, 19, 30, tzinfo=UTC)
    assert wishes[0].day == date(2026, 12, 5)


@pytest.mark.parametrize("month", range(1, 13))
@pytest.mark.parametrize("like", [date(2010, 1, 1), date(2010, 1, 4), date(2010, 1, 10)])
def test_the_first_day_keeps_its_weekday_and_lies_in_the_first_week(month: int, like: date) -> None:
    found = first_day_in(date(2026, month, 1), like)
    assert (found.weekday(), found.month) == (like.weekday(), month)
    assert found.day <= 7


def test_a_night_over_the_change_of_the_clocks_ends_at_the_local_hour() -> None:
    longer = WARD.replace(b"2010-01-07", b"2010-01-28").replace(b">Friday<", b">Saturday<")
    # Berlin's clocks go back in the night to 25 October 2026, and forward to 29 March.
    autumn = nights(read(longer, BERLIN, date(2026, 10, 1)))
    assert autumn["Cover/2026-10-17/N/1"] == (
        datetime(2026, 10, 17, 20, 30, tzinfo=UTC),
        timedelta(hours=8),
    )
    assert autumn["Cover/2026-10-24/N/1"] == (
        datetime(2026, 10, 24, 20, 30, tzinfo=UTC),
        timedelta(hours=9),
    )
    spring = nights(read(longer, BERLIN, date(2026, 3, 1)))
    assert spring["Cover/2026-03-28/N/1"] == (
        datetime(2026, 3, 28, 21, 30, tzinfo=UTC),
        timedelta(hours=7),
    )


def nights(file: StaffFile) -> dict[str, tuple[datetime, timedelta]]:
    return {
        element.name: (element.starts_at, element.ends_at - element.starts_at)
        for element in file.elements
        if isinstance(element, DemandRecord) and element.kind is ShiftKind.NIGHT
    }


def test_a_stretch_that_the_clocks_skip_is_refused() -> None:
    skipped = (
        WARD.replace(b"2010-01-07", b"2010-01-31")
        .replace(b">Friday<", b">Sunday<")
        .replace(b"06:30:00</StartTime>", b"02:10:00</StartTime>", 1)
        .replace(b"14:30:00</EndTime>", b"03:05:00</EndTime>", 1)
    )
    file = read(skipped, BERLIN, date(2026, 3, 1))
    assert ("55", Refusal.FAILED, (Remark("IMPORT_TIME_MISSING", "55"),)) in refusals(file)


@pytest.mark.parametrize(
    ("starts", "ends", "kind"),
    [
        (time(6, 30), time(14, 30), ShiftKind.DAY),
        (time(14, 30), time(22, 30), ShiftKind.EVENING),
        (time(22, 30), time(6, 30), ShiftKind.NIGHT),
        (time(0, 0), time(6, 0), ShiftKind.NIGHT),
        (time(20, 0), time(8, 0), ShiftKind.NIGHT),
        (time(8, 0), time(8, 0), ShiftKind.DUTY),
        (time(18, 0), time(23, 0), ShiftKind.EVENING),
    ],
)
def test_the_kind_of_a_shift_follows_from_its_hours(
    starts: time, ends: time, kind: ShiftKind
) -> None:
    assert kind_of(starts, ends) is kind


@pytest.mark.parametrize(
    ("contract", "rate"),
    [
        ("fulltime", Decimal("1.00")),
        ("75_time", Decimal("0.75")),
        ("50_percent", Decimal("0.50")),
        ("0_time", None),
        ("140_percent", None),
        ("night", None),
        ("uniform", None),
    ],
)
def test_a_rate_is_read_and_never_guessed(contract: str, rate: Decimal | None) -> None:
    assert rate_of(contract) == rate


LAUGHS = b"""<?xml version="1.0"?>
<!DOCTYPE lolz [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]>
<SchedulingPeriod ID="x"><StartDate>&c;</StartDate></SchedulingPeriod>"""
EXTERNAL = b"""<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/hostname">]>
<SchedulingPeriod ID="x"><StartDate>&f;</StartDate></SchedulingPeriod>"""


@pytest.mark.parametrize(
    ("content", "problem", "where"),
    [
        (LAUGHS, FileHostile, "2"),
        (EXTERNAL, FileHostile, "1"),
        (b'<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd"><x/>', FileHostile, "1"),
        (b"<a>" * 100_000, FileHostile, "1"),
        (b"", FileMalformed, "1"),
        (WARD[:900], FileMalformed, "32"),
        (b"<a>\x00</a>", FileMalformed, "1"),
        (b"<a>&nbsp;</a>", FileMalformed, "1"),
        (b'<?xml version="1.0" encoding="x-none"?><a/>', FileMalformed, "1"),
        (b"\x89PNG\r\n\x1a\n", FileMalformed, "1"),
        (b"<html/>", FormatUnknown, "1"),
        (b'<SchedulingPeriod ID="x"/>', RosterWrong, "1"),
        (WARD.replace(b"2010-01-07", b"2009-12-31"), RosterWrong, "2"),
        (WARD.replace(b"2010-01-07", b"9999-12-31"), RosterWrong, "2"),
        (b" " * (FILE_BYTES + 1), FileTooLarge, ""),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else "",
)
def test_a_wrong_file_is_refused_whole(
    content: bytes, problem: type[FileMalformed], where: str
) -> None:
    with pytest.raises(problem) as refused:
        read(content)
    assert type(refused.value) is problem
    assert refused.value.values["where"] == where

"""Small cells: of fewer than five persons an analyst is told nothing, asked whichever way.

Two worlds that differ only within cells that are too small answer every question alike, in both
executors; what is told adds up, so that no difference of two answers is of fewer persons.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import combinations
from typing import Any

import pytest

from auth.viewer import Visit
from core.clock import utc_now
from models.course import Enrolment, EnrolmentStatus
from models.licence import Licence, LicenceKind
from models.organisation import Department, Organisation
from models.practitioner import Category, Practitioner
from models.role import Role
from models.shift import Shift, ShiftKind, ShiftState
from schema.aggregates import Aggregate, aggregates
from tests import factories as make
from tests.api import Api
from tests.execution.asking import Both
from tests.generated import Operation

FEW = 5
WARDS = {"A": 9, "B": 7, "C": 3}


@dataclass
class Hospital:
    """Three wards, one of them of three people, and an analyst who asks in both executors."""

    both: Both
    workers: dict[str, list[Practitioner]]
    month: datetime

    async def ask(self, text: str) -> Any:
        ours, theirs = await self.both.ask(Operation(text, {}))
        assert ours == theirs
        return ours

    async def answers(self) -> dict[str, bytes]:
        return {text: await self.ask(text) for text in QUESTIONS}

    async def groups(self, question: str) -> list[dict[str, Any]]:
        (found,) = json.loads(await self.ask(question))["data"].values()
        nodes: list[dict[str, Any]] = found["nodes"]
        assert found["totalCount"] == len(nodes)
        return nodes


def _question(made: Aggregate, by: tuple[str, ...]) -> str:
    """Groups by some keys, with everything that an analyst can be told of them."""
    keys = [made.keys[name] for name in by]
    shown = " ".join(
        f"{key.graphql_name} {{ id }}" if key.spec.kind == "to_one" else key.graphql_name
        for key in keys
    )
    key = f"key {{ {shown} }}" if shown else ""
    measures = " ".join(
        f"{made.view.specs[name].graphql_name} {{ sum average }}"
        for name, (_, told) in made.measures.items()
        if Role.ANALYST in told
    )
    names = ", ".join(name.upper() for name in by)
    inner = f"totalCount nodes {{ {key} count {measures} }}"
    return f"{{ {made.field}(by: [{names}], first: 1000) {{ {inner} }} }}"


def _tables(made: Aggregate) -> Iterator[tuple[str, ...]]:
    """The keys that an analyst may combine, and each that stands apart."""
    together = tuple(key.name for key in made.cells(Role.ANALYST, ()))
    yield together
    for key in made.keys.values():
        if Role.ANALYST in key.roles and key.name not in together:
            yield (key.name,)


def _subsets(names: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for size in range(len(names) + 1):
        yield from combinations(names, size)


SMALL = {
    field: made
    for field, made in aggregates().items()
    if Role.ANALYST in made.roles and made.least(Role.ANALYST) > 1
}
QUESTIONS = sorted(
    {
        _question(made, by)
        for made in SMALL.values()
        for table in _tables(made)
        for by in _subsets(table)
    }
)


@pytest.fixture
async def hospital(api: Api) -> Hospital:
    organisation = await make.organisation(zone="Asia/Vladivostok")
    analyst = await make.account(organisation)
    await make.grant(analyst, Role.ANALYST, organisation)
    specialties = [await make.specialty() for _ in range(3)]
    courses = [await make.course(organisation, seats=90) for _ in range(2)]
    # The middle of a month that is over, in any zone.
    now = utc_now()
    month = (now.replace(day=1) - timedelta(days=20)).replace(day=10, hour=3, minute=0, second=0)
    workers: dict[str, list[Practitioner]] = {}
    for ward, size in WARDS.items():
        department = await make.department(organisation)
        workers[ward] = [
            await make.practitioner(
                department,
                # Three specialties and three categories, the last of them of two people.
                specialty=specialties[0 if ward == "A" else 1 if number < 5 else 2],
                category=list(Category)[0 if ward == "A" else 1 if number < 5 else 2],
            )
            for number in range(size)
        ]
        for number, worker in enumerate(workers[ward]):
            await make.licence(worker)
            if ward == "A" and number < 3:
                await make.licence(worker, kind=list(LicenceKind)[number % 2 * 2])
            await Enrolment.create(
                organisation=organisation,
                course=courses[ward == "C"],
                practitioner=worker,
            )
            for day in range(1 + number % 3):
                await _shift(worker, month + timedelta(days=day), hours=6 + number % 3)
            if number < (6 if ward == "B" else 2):
                await _shift(worker, month + timedelta(days=4), kind=ShiftKind.NIGHT, hours=12)
    token = await api.token(analyst, Role.ANALYST)
    viewer = await api.services.sessions.viewer(token, Visit(now))
    return Hospital(Both(api.services, viewer), workers, month)


async def _shift(worker: Practitioner, start: datetime, *, hours: int, **values: Any) -> Shift:
    return await Shift.create(
        organisation_id=worker.organisation_id,
        department_id=worker.department_id,
        practitioner=worker,
        starts_at=start,
        ends_at=start + timedelta(hours=hours),
        **{"kind": ShiftKind.DAY, "state": ShiftState.APPROVED, **values},
    )


async def _change_small_cells(hospital: Hospital) -> None:
    """Another history of those who stand in cells too small in every table that counts them."""
    first, second, third = hospital.workers["C"]
    # One works at night for another, longer and oftener; a day of a third is gone.
    for number in range(4):
        start = hospital.month + timedelta(days=8 + number)
        await _shift(first, start, kind=ShiftKind.NIGHT, hours=20 + number)
    await Shift.filter(practitioner=second, kind=ShiftKind.NIGHT).delete()
    await Shift.filter(practitioner=third).limit(1).delete()
    night = await Shift.filter(practitioner=hospital.workers["A"][0], kind=ShiftKind.NIGHT).get()
    night.ends_at = night.starts_at + timedelta(hours=3)
    await night.save()
    # The few of a kind of licence, of a course, of a specialty and of a category.
    few = Licence.filter(practitioner=hospital.workers["A"][0], kind=LicenceKind.MEDICAL_LICENCE)
    assert await few.update(kind=LicenceKind.SPECIALIST_CERTIFICATE) == 1
    await Enrolment.filter(practitioner=second).update(status=EnrolmentStatus.CANCELLED)
    last = hospital.workers["B"][-1]
    last.category = Category.HIGHEST
    last.specialty = await make.specialty()
    await last.save()


async def test_what_happens_in_a_small_cell_changes_no_answer(hospital: Hospital) -> None:
    before = await hospital.answers()
    await _change_small_cells(hospital)
    assert await hospital.answers() == before


async def test_it_notices_small_cells_that_are_told(
    hospital: Hospital, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Aggregate, "least", lambda *_: 1)
    before = await hospital.answers()
    await _change_small_cells(hospital)
    after = await hospital.answers()
    changed = {text.split("(")[0] for text, answer in after.items() if answer != before[text]}
    assert changed == {
        "{ enrolmentGroups",
        "{ licenceGroups",
        "{ practitionerGroups",
        "{ shiftGroups",
    }


async def test_something_is_told_of_all_the_others(hospital: Hospital) -> None:
    # The nights of ward B have the fewest persons of the large cells, and go with the small ones.
    found = await hospital.groups(
        "{ shiftGroups(by: [DEPARTMENT, KIND]) { totalCount nodes { "
        "key { department { name } kind } count hours { sum } } } }"
    )
    assert [(group["key"]["kind"], group["count"]) for group in found] == [("DAY", 18), ("DAY", 13)]
    assert [group["hours"]["sum"] for group in found] == ["132.00", "94.00"]
    whole = await hospital.groups("{ practitionerGroups { totalCount nodes { count } } }")
    assert whole == [{"count": 19}]
    wards = await hospital.groups(_question(SMALL["practitionerGroups"], ("department",)))
    assert [group["count"] for group in wards] == [9]


async def test_what_is_told_adds_up(hospital: Hospital) -> None:
    """A group is the sum of the groups within it: nothing is told by what is left of it."""
    for made in SMALL.values():
        for table in _tables(made):
            finest = await hospital.groups(_question(made, table))
            for by in _subsets(table):
                if len(table) == 1 and by == ():
                    continue
                parts: Counter[str] = Counter()
                hours: dict[str, float] = defaultdict(float)
                for group in finest:
                    named = repr({made.keys[n].graphql_name: _at(made, group, n) for n in by})
                    parts[named] += group["count"]
                    hours[named] += float(group.get("hours", {"sum": 0})["sum"])
                told = {
                    repr(group.get("key", {})): (
                        group["count"],
                        float(group.get("hours", {"sum": 0})["sum"]),
                    )
                    for group in await hospital.groups(_question(made, by))
                }
                assert told == {name: (count, hours[name]) for name, count in parts.items()}


def _at(made: Aggregate, group: dict[str, Any], name: str) -> Any:
    return group["key"][made.keys[name].graphql_name]


async def test_what_is_left_of_a_whole_is_of_five_persons(hospital: Hospital) -> None:
    made = SMALL["practitionerGroups"]
    for (key,) in [table for table in _tables(made) if len(table) == 1]:
        groups = await hospital.groups(_question(made, (key,)))
        left = sum(WARDS.values()) - sum(group["count"] for group in groups)
        assert left == 0 or left >= FEW, key
        assert all(group["count"] >= FEW for group in groups)


async def test_choosing_among_groups_makes_no_others(hospital: Hospital) -> None:
    whole = await hospital.groups(_question(SMALL["shiftGroups"], ("kind", "department")))
    for group in whole:
        ward = group["key"]["department"]["id"]
        chosen = f'{{department: {{eq: "{ward}"}}, kind: {{in: [{group["key"]["kind"]}]}}}}'
        found = await hospital.groups(
            f"{{ shiftGroups(only: {chosen}) {{ totalCount nodes {{ count hours {{ sum average }} "
            "} } }"
        )
        assert found == [{"count": group["count"], "hours": group["hours"]}]


@pytest.mark.parametrize(
    "arguments",
    [
        "by: [DEPARTMENT, CATEGORY]",
        "by: CATEGORY, only: {department: {isNull: false}}",
        "only: {specialty: {isNull: false}, profession: {eq: DOCTOR}}",
    ],
)
async def test_keys_that_stand_apart_are_not_combined(hospital: Hospital, arguments: str) -> None:
    answer = await hospital.ask(f"{{ practitionerGroups({arguments}) {{ totalCount }} }}")
    assert b'"code":"KEYS_APART","field":"by"' in answer


async def test_an_analyst_of_a_department_is_told_of_it_alone(api: Api, hospital: Hospital) -> None:
    worker = hospital.workers["A"][0]
    department = await Department.get(id=worker.department_id)
    organisation = await Organisation.get(id=worker.organisation_id)
    analyst = await make.account(organisation)
    await make.grant(analyst, Role.ANALYST, organisation, department=department)
    token = await api.token(analyst, Role.ANALYST)
    asked = "{ practitionerGroups { nodes { count } } shiftGroups(by: KIND) { nodes { count } } }"
    assert (await api.ask(asked, token)).data == {
        "practitionerGroups": {"nodes": [{"count": 9}]},
        # One cell is large, and the nights of two are small: both are left out.
        "shiftGroups": {"nodes": []},
    }

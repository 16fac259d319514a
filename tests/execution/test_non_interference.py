"""Non-interference: two worlds that differ only in what a person may not see answer alike.

Random operations run in one world and, after everything hidden has changed, again: status and
bytes must be the same, with counts, order, cursors and errors. The hidden is found by ``Sight``
and the declarations. That the proof can fail is proven beside it, on broken scopes.
"""

import asyncio
import gc
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from graphql import GraphQLSchema
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tortoise.models import Model

import auth.rows
import schema.filters
from auth.rows import REACH
from auth.viewer import Visit
from core.clock import utc_now
from execution.requests import Request
from models.account import Session
from models.change import ChangeKind
from models.conditions import ALWAYS
from models.database import unit_of_work
from models.feed import announce
from models.practitioner import Practitioner
from models.shift import Shift
from schema.views import VIEWS
from server.answers import encoded
from tests.api import Api, serving
from tests.execution.asking import in_python
from tests.execution.perturbing import READS, Perturbation, write
from tests.generated import Operation, Operations, cursors
from tests.generated_inputs import Values
from tests.schema.conftest import ROOMY
from tests.schema.documents import client_schema
from tests.schema.sight import Sight, Snapshot
from tests.world import ONE_EACH, Person, World, token_of, world

# An argument refused deep in an answer leaves graphql-core's other coroutines unawaited.
pytestmark = pytest.mark.filterwarnings("ignore:coroutine 'Executor:RuntimeWarning")

SEEDS = st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(1, 6)), min_size=10, max_size=20)
BOUNDED = settings(
    max_examples=4,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)


@dataclass(repr=False)
class Stage:
    """One person before the served world."""

    api: Api
    person: Person
    token: str | None
    sight: Sight
    schema: GraphQLSchema
    values: Values

    async def send(self, operation: Operation) -> tuple[int, bytes]:
        headers = {"accept-language": "en"}
        if self.token is not None:
            headers["authorization"] = f"Bearer {self.token}"
        body = {"query": operation.text, "variables": operation.variables}
        response = await self.api.client.post("/graphql", json=body, headers=headers)
        return response.status_code, response.content


class Served:
    """The application over a world; its repr is short, since hypothesis prints it."""

    def __init__(self, api: Api, made: World) -> None:
        self.api = api
        self.world = made
        self.stages: dict[str, Stage] = {}

    async def stage(self, name: str) -> Stage:
        """One person's stage, made once for all examples of a test."""
        if name not in self.stages:
            self.stages[name] = await stage_of(self.api, self.world, name)
        return self.stages[name]


@pytest.fixture
async def served(database_url: str, tmp_path: Path) -> AsyncIterator[Served]:
    async with serving(database_url, tmp_path / "home", limits=ROOMY) as api:
        yield Served(api, await world(api.services.vault))
        gc.collect()  # while that is still expected


async def stage_of(api: Api, made: World, name: str) -> Stage:
    person = made.people[name]
    token = await token_of(api, person)
    # So that no request moves it while the worlds are compared.
    await Session.filter(ended_at__isnull=True).update(seen_at=made.now + timedelta(minutes=9))
    snapshot = await Snapshot.read()
    schema = await client_schema(api, token, person.role)
    sight = Sight.of(snapshot, person, made.now)
    return Stage(api, person, token, sight, schema, Values.of(snapshot, made.now.date()))


Asked = list[tuple[Operation, tuple[int, bytes]]]


async def asked_of(stage: Stage, seeds: Sequence[tuple[int, int]]) -> Asked:
    """Makes the operations of these seeds and runs them; some go on from the answer's cursors."""
    random = Random(repr(seeds))
    asked: Asked = []
    for seed, size in seeds:
        operation = Operations(stage.schema, stage.values, Random(seed), size).query()
        answer = await stage.send(operation)
        asked.append((operation, answer))
        if operation.cursor is not None:
            for cursor in cursors(answer[1], operation.cursor, random):
                again = replace(operation, variables={**operation.variables, "cursor": cursor})
                asked.append((again, await stage.send(again)))
    return asked


async def _is_planned(stage: Stage, operation: Operation) -> bool:
    """Whether the engine that is served answers by a plan."""
    services = stage.api.services
    viewer = await services.sessions.viewer(stage.token, Visit(utc_now(), language="en"))
    request = Request(operation.text, operation.variables)
    return (await services.engine.execute(request, services.context(viewer))).text is not None


async def differences(stage: Stage, seeds: Sequence[tuple[int, int]]) -> list[str]:
    """Runs the operations of these seeds in both worlds; what differed, ready to be read."""
    return await differing(stage, await asked_of(stage, seeds), Random(repr(seeds)))


async def differing(stage: Stage, asked: Asked, random: Random) -> list[str]:
    """Those of the operations that answer otherwise in another world."""
    other = Perturbation(stage.sight, stage.api.services.vault, random).snapshot()
    await write(other)
    try:
        found = []
        for operation, (status, body) in asked:
            again_status, again_body = await stage.send(operation)
            if (status, body) != (again_status, again_body):
                found.append(
                    f"{operation.text}\n{operation.variables}\n"
                    f"{status} {body.decode()}\n{again_status} {again_body.decode()}"
                )
        return found
    finally:
        await write(stage.sight.snapshot)


# Over PostgreSQL, what is planned is tried below, and the rest goes by way of Tortoise.
@pytest.mark.any_database
@pytest.mark.parametrize("name", ONE_EACH)
@BOUNDED
@given(seeds=SEEDS)
async def test_what_one_may_not_see_changes_nothing(
    served: Served, name: str, seeds: list[tuple[int, int]]
) -> None:
    assert await differences(await served.stage(name), seeds) == []


@pytest.mark.parametrize("name", ONE_EACH)
async def test_what_one_may_not_see_changes_no_planned_answer(served: Served, name: str) -> None:
    stage = await served.stage(name)
    asked: Asked = []
    for seed in range(30):
        random = Random(f"{name} {seed}")
        avoided = in_python()
        made = Operations(stage.schema, stage.values, random, 1 + seed % 3, avoided).query()
        if await _is_planned(stage, made):
            asked.append((made, await stage.send(made)))
    assert len(asked) > 15
    assert not any(b'"errors"' in body for _, (_, body) in asked)
    assert await differing(stage, asked, Random(name)) == []


async def test_generated_operations_are_valid_and_mostly_answered(served: Served) -> None:
    for name in ONE_EACH:
        random = Random(name)
        seeds = [(random.getrandbits(32), 1 + n % 3) for n in range(12)]
        asked = await asked_of(await served.stage(name), seeds)
        broken = [
            f"{operation.text}\n{body.decode()[:600]}"
            for operation, (_, body) in asked
            if any(code in body for code in (b"GRAPHQL_", b'"INTERNAL"', b"BAD_USER", b"TIMEOUT"))
        ]
        assert broken == [], name
        answered = [body for _, (_, body) in asked if b'"errors"' not in body]
        assert len(answered) > len(asked) * 0.6, name


# Filters in which a hidden row and none at all are easily told apart.
POINTED = (
    'shifts(filter: {not: {practitioner: {lastName: {contains: "а"}}}})',
    "shifts(filter: {not: {practitioner: {}}})",
    "shifts(filter: {or: [{practitioner: {}}, {kind: {eq: DAY}}]})",
    "shifts(filter: {not: {not: {practitioner: {lastName: {isNull: false}}}}})",
    "practitioners(filter: {not: {shifts: {}}})",
    "practitioners(filter: {not: {licences: {status: {eq: VALID}}}})",
    "departments(filter: {practitioners: {shifts: {practitioner: {}}}})",
    "departments(filter: {not: {shifts: {not: {practitioner: {}}}}})",
)


@pytest.mark.parametrize("name", ["doctor limited to a department", "nurse", "doctor elsewhere"])
async def test_a_hidden_row_and_none_at_all_are_alike_in_a_filter(
    served: Served, name: str
) -> None:
    stage = await served.stage(name)
    asked: Asked = []
    for field in POINTED:
        operation = Operation(f"{{ a: {field} {{ totalCount nodes {{ id }} }} }}", {})
        answer = await stage.send(operation)
        assert b'"errors"' not in answer[1], answer[1]
        asked.append((operation, answer))
    for seed in range(3):
        assert await differing(stage, asked, Random(seed)) == []


LIVE = """subscription { shiftChanged {
  id kind status note absenceReason version department { name practitioners { totalCount } }
  practitioner { lastName category snils birthDate account { publicId }
    licences(first: 9) { totalCount nodes { number status } } enrolments { totalCount } }
} }"""


@pytest.mark.parametrize("name", ["nurse", "doctor elsewhere"])
async def test_the_events_of_a_subscription_tell_nothing_hidden(served: Served, name: str) -> None:
    stage = await served.stage(name)
    first = await _events(stage)
    other = Perturbation(stage.sight, stage.api.services.vault, Random(name)).snapshot()
    await write(other)
    assert await _events(stage) == first
    assert len(first) == len(stage.sight.seen(Shift)) > 5


async def _events(stage: Stage) -> list[str]:
    """What a subscriber is told when every shift of the first world changes, hidden ones too."""
    services = stage.api.services
    viewer = await services.sessions.viewer(stage.token, Visit(utc_now()))
    stream = await services.engine.subscribe(Request(LIVE), services.context(viewer))
    shifts = stage.sight.snapshot.rows[Shift]
    seen = stage.sight.seen(Shift)

    @unit_of_work
    async def change() -> None:
        for shift in [row for row in shifts if row is not seen[-1]] + [seen[-1]]:
            announce(ChangeKind.SHIFT, account_id=viewer.account_id, subject_id=shift.id)

    events: list[str] = []
    reading = asyncio.create_task(anext(stream))
    await asyncio.sleep(0.1)
    await change()
    while True:
        body = await asyncio.wait_for(reading, 10)
        events.append(encoded(body))
        if body["data"]["shiftChanged"]["id"] == str(seen[-1].id):
            await stream.aclose()
            return events
        reading = asyncio.create_task(anext(stream))


def test_the_columns_of_every_computed_field_are_known() -> None:
    computed = {
        f"{view.name}.{made.name}"
        for view in VIEWS.values()
        for made in view.specs.values()
        if made.kind == "computed"
    }
    assert computed == set(READS)


def _break(monkeypatch: pytest.MonkeyPatch, model: type[Model], **reach: Any) -> None:
    changed: dict[Any, Any] = {**REACH, model: replace(REACH[model], **reach)}
    monkeypatch.setattr(auth.rows, "REACH", changed)


async def noticed(stage: Stage, operations: int) -> bool:
    """Whether one of so many operations differs; those after the first handful are not run."""
    for begun in range(0, operations, 20):
        if await differences(stage, [(seed, 1 + seed % 3) for seed in range(begun, begun + 20)]):
            return True
    return False


async def test_it_notices_rows_of_another_organisation(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = await served.stage("inspector")
    _break(monkeypatch, Practitioner, organisation=None)
    assert await noticed(stage, 60)


async def test_it_notices_a_department_that_is_not_looked_at(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = await served.stage("nurse")
    monkeypatch.setattr(auth.rows, "_scope", lambda *_: ALWAYS)
    assert await noticed(stage, 60)


async def test_it_notices_a_filter_that_looks_at_hidden_rows(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = await served.stage("doctor elsewhere")
    monkeypatch.setattr(schema.filters, "scope_of", lambda *_: ALWAYS)
    assert await noticed(stage, 180)

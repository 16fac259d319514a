"""Non-interference: two worlds that differ only in what a person may not see answer alike.

Random operations run in one world and, after everything hidden has changed, again: status and
bytes must be the same, with counts, order, cursors and errors. The hidden is found by ``Sight``
and the declarations. That the proof can fail is proven beside it, on broken scopes.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
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
from models.account import Session
from models.conditions import ALWAYS
from models.practitioner import Practitioner
from schema.views import VIEWS
from tests.api import Api, serving
from tests.execution.perturbing import READS, Perturbation, write
from tests.generated import Operation, Operations, Values
from tests.schema.conftest import ROOMY
from tests.schema.documents import client_schema
from tests.schema.sight import Sight, Snapshot
from tests.world import ONE_EACH, Person, World, token_of, world

SEEDS = st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(1, 6)), min_size=10, max_size=40)
BOUNDED = settings(
    max_examples=5,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)


@dataclass
class Stage:
    """One person before the served world, and what was asked so far."""

    api: Api
    person: Person
    token: str | None
    sight: Sight
    schema: GraphQLSchema
    values: Values
    asked: int = 0
    answered: int = 0
    broken: list[str] = field(default_factory=list)

    async def send(self, operation: Operation) -> tuple[int, bytes]:
        headers = {"accept-language": "en"}
        if self.token is not None:
            headers["authorization"] = f"Bearer {self.token}"
        body = {"query": operation.text, "variables": operation.variables}
        response = await self.api.client.post("/graphql", json=body, headers=headers)
        return response.status_code, response.content


@pytest.fixture
async def served(database_url: str, tmp_path: Path) -> AsyncIterator[tuple[Api, World]]:
    async with serving(database_url, tmp_path / "home", limits=ROOMY) as api:
        yield api, await world(api.services.vault)


async def stage_of(api: Api, made: World, name: str) -> Stage:
    person = made.people[name]
    token = await token_of(api, person)
    # So that no request moves it while the worlds are compared.
    await Session.filter(ended_at__isnull=True).update(seen_at=made.now + timedelta(minutes=9))
    snapshot = await Snapshot.read()
    schema = await client_schema(api, token, person.role)
    sight = Sight.of(snapshot, person, made.now)
    return Stage(api, person, token, sight, schema, _values(snapshot))


async def differences(stage: Stage, seeds: Sequence[tuple[int, int]]) -> list[str]:
    """Runs the operations of these seeds in both worlds; what differed, ready to be read."""
    original = stage.sight.snapshot
    random = Random(repr(seeds))
    asked: list[tuple[Operation, tuple[int, bytes]]] = []
    for seed, size in seeds:
        operation = Operations(stage.schema, stage.values, Random(seed), size).query()
        answer = await stage.send(operation)
        asked.append((operation, answer))
        if operation.cursor:
            for cursor in _cursors(answer[1], random):
                again = replace(operation, variables={**operation.variables, "cursor": cursor})
                asked.append((again, await stage.send(again)))
    stage.asked += len(asked)
    stage.answered += sum(1 for _, (_, body) in asked if b'"errors"' not in body)
    stage.broken += [
        f"{operation.text}\n{body.decode()[:600]}"
        for operation, (_, body) in asked
        if b'"GRAPHQL_' in body or b'"INTERNAL"' in body or b'"BAD_USER_INPUT"' in body
    ]
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
        await write(original)


@pytest.mark.parametrize("name", ONE_EACH)
@BOUNDED
@given(seeds=SEEDS)
async def test_what_one_may_not_see_changes_nothing(
    served: tuple[Api, World], stages: dict[str, Stage], name: str, seeds: list[tuple[int, int]]
) -> None:
    if name not in stages:
        stages[name] = await stage_of(*served, name)
    assert await differences(stages[name], seeds) == []


@pytest.fixture
def stages() -> dict[str, Stage]:
    """The stage of this test, made once for all of its examples."""
    return {}


async def test_generated_operations_are_valid_and_mostly_answered(
    served: tuple[Api, World],
) -> None:
    for name in ONE_EACH:
        stage = await stage_of(*served, name)
        random = Random(name)
        await differences(stage, [(random.getrandbits(32), 1 + n % 3) for n in range(12)])
        assert stage.broken == [], name
        assert stage.answered > stage.asked * 0.6, (name, stage.answered, stage.asked)


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


MANY = [(seed, 1 + seed % 3) for seed in range(60)]


async def test_it_notices_rows_of_another_organisation(
    served: tuple[Api, World], monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = await stage_of(*served, "inspector")
    _break(monkeypatch, Practitioner, organisation=None)
    assert await differences(stage, MANY) != []


async def test_it_notices_a_department_that_is_not_looked_at(
    served: tuple[Api, World], monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = await stage_of(*served, "nurse")
    monkeypatch.setattr(auth.rows, "_scope", lambda *_: ALWAYS)
    assert await differences(stage, MANY) != []


async def test_it_notices_a_filter_that_looks_at_hidden_rows(
    served: tuple[Api, World], monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = await stage_of(*served, "doctor elsewhere")
    monkeypatch.setattr(schema.filters, "scope_of", lambda *_: ALWAYS)
    assert await differences(stage, MANY * 3) != []


def _cursors(body: bytes, random: Random) -> list[str]:
    """One or two of the cursors in an answer."""
    import json

    found: list[str] = []

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            for key, inner in value.items():
                if key in ("cursor", "endCursor", "startCursor") and isinstance(inner, str):
                    found.append(inner)
                walk(inner)
        elif isinstance(value, list):
            for inner in value:
                walk(inner)

    walk(json.loads(body))
    return random.sample(found, min(2, len(found)))


def _values(snapshot: Snapshot) -> Values:
    """Ids and values to ask for, those of hidden rows among them."""
    of_field: dict[str, list[str]] = {}
    for model, rows in snapshot.rows.items():
        for made in VIEWS[model.__name__].specs.values():
            if made.kind != "column" or made.column is None or made.type.startswith("list["):
                continue
            values = {getattr(row, made.column) for row in rows} - {None}
            texts = sorted(_literal(value) for value in values)
            of_field[f"{model.__name__}.{made.graphql_name}"] = texts
    ids = {model.__name__: [str(row.id) for row in rows] for model, rows in snapshot.rows.items()}
    return Values(ids, of_field)


def _literal(value: Any) -> str:
    if hasattr(value, "strftime"):
        return str(value.isoformat()).replace("+00:00", "Z")
    return str(value)

"""The reference test: a plan and the ordinary executor answer every operation with equal bytes.

Generated operations of every role, and telling ones written by hand of which it is asserted
that they are planned, so that nothing here passes by falling back.
"""

import json
import os
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from core.clock import utc_now
from execution.engine import Engine, Request
from execution.plans import Asking
from models.database import dialect
from schema.build import build
from schema.context import Context
from server.answers import encoded
from tests.api import Api, serving
from tests.execution.telling import TELLING
from tests.execution.test_non_interference import Stage, _cursors, stage_of
from tests.generated import Operation, Operations
from tests.schema.conftest import ROOMY
from tests.world import PEOPLE, World, token_of, world

SNAPSHOTS = Path(__file__).parent / "snapshots"
OPERATIONS = 60
# Where one of several fields fails, graphql-core drops the coroutines of the others.
DROPPED = pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning", "ignore:coroutine:RuntimeWarning"
)


@pytest.fixture
async def served(database_url: str, tmp_path: Path) -> AsyncIterator[tuple[Api, World]]:
    async with serving(database_url, tmp_path / "home", limits=ROOMY) as api:
        yield api, await world(api.services.vault)


class Both:
    """Asks the plan and the reference executor as one person, at one moment."""

    def __init__(self, api: Api, context: Context) -> None:
        self.planned = Engine(build(), ROOMY)
        self.reference = Engine(build(), ROOMY, planned=False)
        # Both execute one document: it is parsed and validated once.
        self.reference._prepared = self.planned._prepared
        self.context = context
        self.services = api.services
        self.plans = 0
        self.pages = 0

    async def ask(self, operation: Operation) -> tuple[bytes, bytes]:
        request = Request(operation.text, operation.variables)
        ours = await self.planned.execute(request, self.services.context(self.context.viewer))
        theirs = await self.reference.execute(request, self.services.context(self.context.viewer))
        self.plans += ours.text is not None
        self.pages += ours.text is not None and operation.variables.get("cursor") is not None
        return ours.text or encoded(ours.body).encode(), encoded(theirs.body).encode()

    def sql(self, operation: Operation) -> str:
        """The statement of an operation; raises NotPlannable."""
        request = Request(operation.text, operation.variables)
        prepared = self.planned.prepare(request, self.context)
        asking = Asking(
            self.context.viewer, self.planned._variables(prepared, request, self.context)
        )
        return prepared.plans.find(asking, dialect()).statement.sql


async def both(api: Api, made: World, name: str) -> Both:
    person = made.people[name]
    viewer = await api.services.sessions.viewer(
        await token_of(api, person),
        role=None,
        now=utc_now(),
        address="",
        device="",
        language="en",
    )
    return Both(api, api.services.context(viewer))


async def _differences(stage: Stage, asks: Both, random: Random, size: int) -> list[str]:
    operation = Operations(stage.schema, stage.values, random, size).query()
    found = []
    todo = [operation]
    while todo:
        operation = todo.pop()
        ours, theirs = await asks.ask(operation)
        if ours != theirs:
            found.append(f"{operation.text}\n{operation.variables}\n{ours!r}\n{theirs!r}")
        elif operation.cursor and operation.variables.get("cursor") is None:
            todo += [
                replace(operation, variables={**operation.variables, "cursor": cursor})
                for cursor in _cursors(theirs, operation.cursor, random)
            ]
    return found


@DROPPED
@pytest.mark.parametrize("name", PEOPLE)
async def test_a_plan_answers_as_the_reference_does(served: tuple[Api, World], name: str) -> None:
    stage = await stage_of(*served, name)
    asks = await both(*served, name)
    for seed in range(OPERATIONS):
        assert await _differences(stage, asks, Random(f"{name} {seed}"), 1 + seed % 5) == []
    assert asks.plans > OPERATIONS / 4
    # Pages behind a cursor were planned as well.
    assert asks.pages > 3


@pytest.mark.parametrize("title", TELLING)
async def test_a_telling_query_is_planned_and_answers_as_the_reference_does(
    served: tuple[Api, World], title: str
) -> None:
    name, text, variables = TELLING[title]
    asks = await both(*served, name)
    operation = Operation(text, _filled(variables, served[1]))
    assert asks.sql(operation)
    ours, theirs = await asks.ask(operation)
    assert ours == theirs
    assert "errors" not in json.loads(ours)
    assert asks.plans == 1
    kept = SNAPSHOTS / f"{title.replace(' ', '_')}.{dialect()}.sql"
    if os.environ.get("CABINET_WRITE_SNAPSHOTS"):
        kept.write_text(f"{asks.sql(operation)}\n", encoding="utf-8")
    assert kept.read_text(encoding="utf-8") == f"{asks.sql(operation)}\n"


def _filled(variables: dict[str, Any], made: World) -> dict[str, Any]:
    """``<doctor>`` stands for the id of that person's file."""
    found = dict(variables)
    for key, value in variables.items():
        if isinstance(value, str) and value.startswith("<"):
            practitioner = made.people[value[1:-1]].practitioner
            assert practitioner is not None
            found[key] = str(practitioner.id)
    return found

"""The reference test: a plan and the ordinary executor answer every operation with equal bytes.

Generated operations of every role, each asked by all who act in it and with several sets of
values; and over PostgreSQL, the same operations of a world that is the same over SQLite. The
world stands still: what fails once fails again, by its seed.
"""

from collections.abc import AsyncIterator
from itertools import islice
from random import Random

import pytest
import pytest_asyncio

from models.role import Role
from tests.conftest import POSTGRES
from tests.execution.asking import Both, Executors, documents, pages_behind
from tests.execution.elsewhere import Elsewhere, elsewhere
from tests.generated import Operation
from tests.still import Still
from tests.world import PEOPLE

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    # Where one of several fields fails, graphql-core drops the coroutines of the others.
    pytest.mark.filterwarnings(
        "ignore::pytest.PytestUnraisableExceptionWarning", "ignore:coroutine:RuntimeWarning"
    ),
]
DOCUMENTS = 70
# Of those, the ones that are compared between the databases.
COMPARED = 35


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def sqlite(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Elsewhere]:
    async with elsewhere(tmp_path_factory.mktemp("elsewhere")) as found:
        yield found


@pytest.mark.parametrize("role", Role)
async def test_a_plan_answers_as_the_reference_does(still_world: Still, role: Role) -> None:
    people = _people(still_world, role)

    async def ask(name: str, operation: Operation) -> bytes:
        ours, theirs = await people[name].ask(operation)
        assert ours == theirs, f"{name}: {operation}"
        return ours

    found = documents(role, still_world.rows, DOCUMENTS)
    # Over PostgreSQL the first are compared below, with what the same test has found to be right.
    for random, operations in islice(found, COMPARED if POSTGRES else 0, None):
        for name, operation in _asked(people, random, operations):
            for behind in pages_behind(operation, await ask(name, operation), random):
                await ask(name, behind)
    _counted(people)


@pytest.mark.postgres
@pytest.mark.skipif(not POSTGRES, reason="compares SQLite with PostgreSQL: run `make check`")
@pytest.mark.parametrize("role", Role)
async def test_both_databases_answer_alike(
    still_world: Still, sqlite: Elsewhere, role: Role
) -> None:
    people, planned = _people(still_world, role), 0

    async def ask(name: str, operation: Operation) -> bytes:
        nonlocal planned
        ours = await people[name].planned(operation)
        theirs, was_planned = await sqlite.ask(name, operation)
        assert ours == theirs, f"{name}: {operation}"
        planned += was_planned
        return ours

    for random, operations in documents(role, still_world.rows, COMPARED):
        for name, operation in _asked(people, random, operations):
            for behind in pages_behind(operation, await ask(name, operation), random):
                await ask(name, behind)
    assert planned > _counted(people) * 0.6


def _people(world: Still, role: Role) -> dict[str, Both]:
    """Everybody who acts in a role, before the same executors."""
    executors = Executors()
    return {
        name: Both(world.api.services, world.viewers[name], executors)
        for name, acting in PEOPLE.items()
        if acting is role
    }


def _asked(
    people: dict[str, Both], random: Random, operations: list[Operation]
) -> list[tuple[str, Operation]]:
    """Who asks with which values: everybody with the first, somebody with each of the others."""
    first, *others = operations
    return [
        *((name, first) for name in people),
        *((random.choice(list(people)), other) for other in others),
    ]


def _counted(people: dict[str, Both]) -> int:
    """How many operations were asked; that they were many, and answered by plans."""
    asked = sum(asks.asked for asks in people.values())
    plans = sum(asks.plans for asks in people.values())
    pages = sum(asks.pages for asks in people.values())
    refused = sum(asks.refused for asks in people.values())
    assert asked > 4 * COMPARED
    assert plans > asked * 0.6
    assert refused < asked * 0.25
    # Pages behind a cursor were planned as well.
    assert pages > asked * 0.1
    return asked

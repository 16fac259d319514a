"""The reference test: a plan and the ordinary executor answer every operation with equal bytes.

Generated operations of every role, each asked by all who act in it and with several sets of
values. The world stands still: what fails once fails again, by its seed.
"""

from dataclasses import replace
from random import Random

import pytest

from models.role import Role
from schema.build import build
from schema.views import VIEWS
from tests.execution.asking import Both, Executors
from tests.factories import NOW
from tests.generated import Operation, Operations, cursors
from tests.generated_inputs import Values
from tests.still import Still
from tests.world import PEOPLE

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    # Where one of several fields fails, graphql-core drops the coroutines of the others.
    pytest.mark.filterwarnings(
        "ignore::pytest.PytestUnraisableExceptionWarning", "ignore:coroutine:RuntimeWarning"
    ),
]
DOCUMENTS = 50
ASKINGS = 4


@pytest.mark.parametrize("role", Role)
async def test_a_plan_answers_as_the_reference_does(still_world: Still, role: Role) -> None:
    people = _people(still_world, role)
    values, in_python = Values.of(still_world.rows, NOW.date()), _in_python(role)
    for seed in range(DOCUMENTS):
        random = Random(f"{role} {seed}")
        # Of what is computed in Python, both executors are one: it is asked for now and then.
        avoided = in_python if seed % 6 else ()
        made = Operations(build().views[role].schema, values, random, 1 + seed % 4, avoided)
        for number, operation in enumerate(made.queries(ASKINGS)):
            for asks in people if number == 0 else [random.choice(people)]:
                assert await _differences(asks, operation, random) == []
    asked, plans = (sum(getattr(each, name) for each in people) for name in ("asked", "plans"))
    refused, pages = (sum(getattr(each, name) for each in people) for name in ("refused", "pages"))
    assert asked > 4 * DOCUMENTS
    assert plans > asked * 0.6
    assert refused < asked * 0.2
    # Pages behind a cursor were planned as well.
    assert pages > asked * 0.1


def _people(still_world: Still, role: Role) -> list[Both]:
    """Everybody who acts in a role, before the same executors."""
    executors = Executors()
    return [
        Both(still_world.api.services, still_world.viewers[name], executors)
        for name, acting in PEOPLE.items()
        if acting is role
    ]


def _in_python(role: Role) -> set[str]:
    """The fields that a role is shown by no statement."""
    computed = {
        f"{view.name}.{made.graphql_name}"
        for view in VIEWS.values()
        for made in view.specs.values()
        if made.kind == "computed" and not (made.where or made.less or made.span)
    }
    return computed | set(build().views[role].masked)


async def _differences(asks: Both, operation: Operation, random: Random) -> list[str]:
    """What differs between the executors for an operation and for pages that go on from it."""
    found, todo = [], [operation]
    while todo:
        operation = todo.pop()
        ours, theirs = await asks.ask(operation)
        if ours != theirs:
            found.append(f"{operation.text}\n{operation.variables}\n{ours!r}\n{theirs!r}")
        elif operation.cursor and operation.variables.get("cursor") is None:
            todo += [
                replace(operation, variables={**operation.variables, "cursor": cursor})
                for cursor in cursors(theirs, operation.cursor, random)
            ]
    return found

"""The reference test of mixed queries, each with a root of which no statement tells."""

from dataclasses import replace
from random import Random

import pytest
from graphql import OperationDefinitionNode, parse

from schema.build import build
from tests.conftest import POSTGRES
from tests.execution.asking import Both
from tests.factories import NOW
from tests.generated import Operations
from tests.generated_inputs import Values
from tests.still import Still
from tests.world import PEOPLE

# Over PostgreSQL every plan is compared by itself as well.
OPERATIONS = 20 if POSTGRES else 40
# Roots of which no statement tells, and the field that a role must have for each.
OTHERS = (
    ("", 'other: __type(name: "Query") { name }'),
    ("", "__schema { queryType { name fields { name } } }"),
    (
        "Practitioner.workedTime",
        'me { id workedTime(from: "2026-01-01", to: "2026-12-31") { hours } }',
    ),
    ("Practitioner.passport", "other: practitioners(first: 4) { nodes { id passport } }"),
)


# Where one of several fields fails, graphql-core drops the coroutines of the others.
@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning", "ignore:coroutine:RuntimeWarning"
)
@pytest.mark.asyncio(loop_scope="module")
@pytest.mark.parametrize("name", PEOPLE)
async def test_a_mixed_query_answers_as_the_reference_does(still_world: Still, name: str) -> None:
    schema = build().views[PEOPLE[name]].schema
    values = Values.of(still_world.rows, NOW.date())
    asks = Both(still_world.api.services, still_world.viewers[name])
    known = asks.viewer.rights.coordinates | {""}
    others = [text for field, text in OTHERS if field in known]
    mixed = 0
    for seed in range(OPERATIONS):
        random = Random(f"mixing {name} {seed}")
        made = Operations(schema, values, random, 1 + seed % 4).query()
        text = _with(made.text, random.choice(others), spread=random.random() < 0.5)
        operation = replace(made, text=text)
        ours, theirs = await asks.ask(operation)
        assert ours == theirs, operation
        mixed += asks.mixture(operation) is not None
    assert mixed > OPERATIONS / 3


def _with(text: str, root: str, *, spread: bool) -> str:
    """The document with one root field more, perhaps by way of a fragment."""
    operation = parse(text).definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    assert operation.selection_set.loc is not None
    start = operation.selection_set.loc.start + 1
    more = "...Others" if spread else root
    end = f" fragment Others on Query {{ {root} }}" if spread else ""
    return f"{text[:start]} {more} {text[start:]}{end}"

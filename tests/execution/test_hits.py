"""A request like an earlier one reads no document, walks no schema and builds no SQL."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from execution import documents, inputs
from execution.planning import Planning
from execution.printing import Printer
from execution.requests import Request
from execution.withheld import _Walk
from models.database import SQLITE
from tests.api import Api, serving
from tests.execution.asking import both
from tests.generated import Operation
from tests.schema.conftest import ROOMY
from tests.world import World, world

PLAIN = "{ practitioners { nodes { id lastName birthDate } totalCount } }"
PAGED = """
query($first: Int, $text: String) {
  practitioners(first: $first, filter: {lastName: {contains: $text}}) { nodes { id birthDate } }
}
"""
INCLUDED = """
query($more: Boolean!, $less: Boolean = false) {
  practitioners(first: 3) { nodes { id ...More @include(if: $more) birthDate @skip(if: $less) } }
}
fragment More on Practitioner { birthDate shifts(first: 2) { nodes { id } } }
"""
MIXED = """
query($more: Boolean!) {
  practitioners(first: 3) { nodes { id birthDate @include(if: $more) } }
  me { id workedTime(from: "2026-01-01", to: "2026-12-31") { hours } }
}
"""
# A document, and the variables of two requests whose plans are alike.
ALIKE: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    (PLAIN, {}, {}),
    (PAGED, {"first": 2, "text": "а"}, {"first": 2, "text": "е"}),
    (INCLUDED, {"more": True}, {"more": True}),
    (INCLUDED, {"more": False, "less": True}, {"more": False, "less": True}),
    (MIXED, {"more": True}, {"more": True}),
]


@pytest.fixture
async def served(database_url: str, tmp_path: Path) -> AsyncIterator[tuple[Api, World]]:
    async with serving(database_url, tmp_path / "home", limits=ROOMY) as api:
        yield api, await world(api.services.vault)


@contextmanager
def work_forbidden() -> Iterator[None]:
    """Within the block, what is to be done once for a document fails."""

    def never(*_: Any, **__: Any) -> Any:
        raise AssertionError("this was done before")

    with pytest.MonkeyPatch.context() as patch:
        for module, names in (
            (documents, ("parse", "validate", "check_limits", "check_shape", "costing")),
            (inputs, ("_fields", "withheld", "visit")),
        ):
            for name in names:
                patch.setattr(module, name, never)
        for made in (Planning, Printer, _Walk):
            patch.setattr(made, "__init__", never)
        yield


@pytest.mark.parametrize(("text", "first", "second"), ALIKE)
async def test_what_is_done_for_a_document_is_done_once(
    served: tuple[Api, World], text: str, first: dict[str, Any], second: dict[str, Any]
) -> None:
    # A doctor has cells that are withheld.
    asks = await both(*served, "doctor")
    _, expected = await asks.ask(Operation(text, second))
    engine = type(asks.executors)().planned
    await engine.execute(Request(text, first), asks.context)

    with work_forbidden():
        answer = await engine.execute(Request(text, second), asks.context)

    assert answer.text == expected


async def test_choices_that_were_met_are_kept_side_by_side(served: tuple[Api, World]) -> None:
    asks = await both(*served, "doctor")
    choices = [{"more": more, "less": less} for more in (True, False) for less in (True, False)]
    answers = [(await asks.ask(Operation(INCLUDED, chosen)))[0] for chosen in choices]

    with work_forbidden():
        again = [await asks.planned(Operation(INCLUDED, chosen)) for chosen in choices]

    assert again == answers
    assert len(set(answers)) == 3


async def test_work_is_forbidden_in_earnest(served: tuple[Api, World]) -> None:
    asks = await both(*served, "doctor")
    with work_forbidden():
        answer = await asks.executors.planned.execute(Request(PLAIN), asks.context)
    assert answer.text is None
    assert answer.body["errors"][0]["extensions"]["code"] == "INTERNAL"


async def test_a_value_used_often_is_bound_once(served: tuple[Api, World]) -> None:
    asks = await both(*served, "admin")
    lists = " ".join(
        f"p{n}: practitioners(filter: $filter, first: $first) {{ totalCount nodes {{ id }} }}"
        for n in range(12)
    )
    operation = Operation(
        f"query($filter: PractitionerFilter, $first: Int) {{ {lists} }}",
        {"filter": {"lastName": {"contains": "А", "in": ["Б", "В"]}}, "first": 2},
    )
    plan, _ = asks.plan(operation, SQLITE)
    # Two texts of the filter's list, the folded one, the size, and the department of the scope.
    assert len(plan.statement.reads) <= 6
    ours, theirs = await asks.ask(operation)
    assert ours == theirs

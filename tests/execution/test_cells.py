"""Cells: masks, members of JSON and texts of rows beyond, as each database and Python tell them."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import pytest

from core.text import mask
from execution.dialects import DIALECTS
from models.database import dialect
from models.practitioner import Practitioner
from models.reading import read_text
from tests.api import Api, serving
from tests.execution.asking import both
from tests.generated import Operation
from tests.schema.conftest import ROOMY
from tests.world import World, world

LETTERS = "аЯёЁ-aZ09 .,;:!?'\"\\/()[]{}^$*+|_~`@#%&=<>№—«»…•²½٣四ßıé\u0301\u00a0\u2028🙂\t\n\r\x7f"
FILE = "id personalPhone personalEmail birthDate address snils"


@pytest.fixture
async def served(database_url: str, tmp_path: Path) -> AsyncIterator[tuple[Api, World]]:
    async with serving(database_url, tmp_path / "home", limits=ROOMY) as api:
        yield api, await world(api.services.vault)


@pytest.mark.parametrize("keep", [0, 1, 2, 5])
async def test_every_text_is_masked_alike(database: str, keep: int) -> None:
    of_this = DIALECTS[dialect()]
    masked = of_this.masked(of_this.text(of_this.parameter(1)), keep)
    random = Random(keep)
    texts = ["", *LETTERS, *("".join(random.choices(LETTERS, k=1 + n % 30)) for n in range(300))]
    for text in texts:
        assert await read_text(f"SELECT {masked}", (text,), 90) == mask(text, keep), text


def test_a_mask_hides_what_is_no_ascii_punctuation() -> None:
    assert mask("+7916 100-00-07", 4) == "+•••• •••-00-07"
    assert mask("г. Орёл — 4", 0) == "•. •••• • •"
    assert mask("12", 4) == "12"


@pytest.mark.parametrize("name", ["doctor", "nurse", "admin", "analyst"])
async def test_kinds_are_told_by_the_request_itself(served: tuple[Api, World], name: str) -> None:
    asks = await both(*served, name)
    text = """
      { shiftKinds { kind name __typename } ... on Query { shiftKinds { code: kind } } }
    """
    for language in ("ru", "en"):
        asks.viewer = asks.viewer._replace(language=language)
        ours, theirs = await asks.ask(Operation(text, {}))
        assert ours == theirs
        assert asks.is_planned(Operation(text, {}))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("operator", f"{{ practitioners(last: 9) {{ nodes {{ {FILE} }} }} }}"),
        ("inspector", "{ practitioners { nodes { id snils createdAt } } }"),
        ("admin", "{ practitioners { nodes { inn snils } } }"),
        ("inspector", "{ auditTrail { nodes { at by { lastName snils } actor reason field } } }"),
        ("nurse", "{ auditTrail { nodes { at by { lastName snils } actor reason field } } }"),
        ("doctor", "{ auditTrail { totalCount nodes { by { id account { id } } actor } } }"),
    ],
)
async def test_what_was_left_to_python_is_planned(
    served: tuple[Api, World], name: str, text: str
) -> None:
    asks = await both(*served, name)
    ours, theirs = await asks.ask(Operation(text, {}))
    assert ours == theirs
    assert asks.is_planned(Operation(text, {}))
    (page,) = json.loads(ours)["data"].values()
    assert page["nodes"]


async def test_a_masked_text_of_any_letters_is_written_as_the_reference_does(
    served: tuple[Api, World],
) -> None:
    asks = await both(*served, "operator")
    for number, row in enumerate(await Practitioner.all()):
        hostile = "".join(Random(number).choices(LETTERS, k=40))
        await Practitioner.filter(id=row.id).update(address=hostile, personal_phone=hostile[:16])
    text = f"{{ practitioners(first: 100) {{ nodes {{ {FILE} }} }} }}"
    ours, theirs = await asks.ask(Operation(text, {}))
    assert ours == theirs
    assert asks.is_planned(Operation(text, {}))

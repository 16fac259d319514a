"""What the generated operations are made of: whatever the proofs by them speak of comes up."""

import re
from random import Random
from typing import Any

import pytest
from graphql import get_operation_ast, parse, validate

from execution.if_visible import without_invisible
from models.role import Role
from schema.build import build
from tests.factories import NOW
from tests.generated import Operations
from tests.generated_inputs import Values

pytestmark = pytest.mark.any_database
# Each a form of document, and at least how many of two hundred hold it.
FORMS = {
    r"fragment F\d+ on": 100,
    r"\.\.\. on \w+ ": 50,
    r"\.\.\. +(@\w+(\(if: [$\w]+\))? ?)*\{": 50,
    r"@include\(if: \$yes\)": 50,
    r"@skip\(if: (true|false)\)": 30,
    r"@(include|skip)\(if: \$may": 50,
    r"@ifVisible": 50,
    r"first: \$v\d": 20,
    r"last: \d": 50,
    r"(after|before): \$cursor": 50,
    r"order: \[\{field": 50,
    r"filter: \$v\d": 20,
    r"(and|or): \[\{": 10,
    r"(and|or): \[\]": 3,
    r"in: \[\]": 2,
    r"not: \{": 10,
    r"\$v\d+: \[?\w+!?\]? = ": 20,
    r"\w{64,}: ": 30,
    r"(a\w*\d+: \w+ ){100}": 2,
    r"by: \[[A-Z_]+, ": 2,
    r"only: ": 3,
    r"pageInfo \{": 50,
    r"edges \{": 50,
    r"viewer \{": 1,
    r"practitioner\(id: ": 1,
}


def test_documents_are_valid_and_of_every_form() -> None:
    view = build().views[Role.ADMIN].schema
    texts = [text for text, _ in _made(400)]
    for text in texts:
        document = parse(text)
        operation = get_operation_ast(document)
        assert operation is not None
        assert validate(view, without_invisible(view, document, operation, {})) == []
    missing = {
        form: held
        for form, least in FORMS.items()
        if (held := sum(re.search(form, text) is not None for text in texts)) < least
    }
    assert missing == {}
    assert max(_depth(text) for text in texts) > 12


def test_variables_are_given_otherwise_null_and_left_out() -> None:
    forms = {"null": 0, "absent": 0, "changed": 0, "flipped": 0}
    for _, given in _made(200):
        first, *others = given
        for values in others:
            assert values.keys() <= first.keys()
            forms["null"] += any(v is None for k, v in values.items() if k != "cursor")
            forms["absent"] += values.keys() < first.keys()
            forms["changed"] += any(values[k] not in (None, first[k]) for k in values)
            forms["flipped"] += values.get("yes") is False
    assert {form: many for form, many in forms.items() if many < 50} == {}


def _made(documents: int) -> list[tuple[str, list[dict[str, Any]]]]:
    schema, values = build().views[Role.ADMIN].schema, Values({}, {}, NOW.date())
    made = []
    for seed in range(documents):
        found = Operations(schema, values, Random(seed), 1 + seed % 4).queries(4)
        made.append((found[0].text, [operation.variables for operation in found]))
    return made


def _depth(text: str) -> int:
    """How many selections stand within each other, those of fragments by themselves."""
    open_, deepest = 0, 0
    for character in re.sub(r"\([^()]*(\([^()]*\)[^()]*)*\)", "", text):
        open_ += {"{": 1, "}": -1}.get(character, 0)
        deepest = max(deepest, open_)
    return deepest

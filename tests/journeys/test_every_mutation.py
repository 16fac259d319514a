"""No mutation is left out: each succeeds in some story, where its audit entry is asked for."""

import ast
from pathlib import Path

from tests.journeys.hospital import mutation_names


def test_every_mutation_succeeds_in_a_story() -> None:
    done = {
        call.args[0].value
        for story in Path(__file__).parent.glob("*.py")
        for call in ast.walk(ast.parse(story.read_text(encoding="utf-8")))
        # ``does`` is the call that asks for success and for an entry in the audit trail.
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr == "does"
        and call.args
        and isinstance(call.args[0], ast.Constant)
    }
    assert set(mutation_names()) - done == set()

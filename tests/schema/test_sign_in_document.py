"""docs/sign-in.md shows operations that there are: each fits what some role sees."""

import re
from pathlib import Path

from graphql import DocumentNode, parse, validate

from schema.build import build

TEXT = (Path(__file__).parents[2] / "docs" / "sign-in.md").read_text(encoding="utf-8")


def test_every_operation_shown_fits_some_role() -> None:
    views = [view.schema for view in build().views.values()]
    blocks = re.findall(r"```graphql\n(.*?)```", TEXT, re.DOTALL)
    shown = [operation for block in blocks for operation in parse(block).definitions]
    assert len(shown) >= 9
    for operation in shown:
        document = DocumentNode(definitions=(operation,))
        errors = [validate(view, document) for view in views]
        assert [] in errors, errors[0]

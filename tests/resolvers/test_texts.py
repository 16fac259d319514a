"""Every outcome of the domain's operations has a text in each language."""

import pytest

from core.errors import Problem
from core.translation import LANGUAGES, is_translated
from models import identifiers
from resolvers import (
    applications,
    courses,
    departments,
    enrolments,
    forms,
    licences,
    positions,
    practitioners,
    shiftrules,
    shifts,
    standing,
    versions,
)

MODULES = (
    applications,
    courses,
    departments,
    enrolments,
    forms,
    identifiers,
    licences,
    positions,
    practitioners,
    shiftrules,
    shifts,
    standing,
    versions,
)
CODES = sorted(
    {
        thing.code
        for module in MODULES
        for thing in vars(module).values()
        if isinstance(thing, type) and issubclass(thing, Problem) and thing is not Problem
        if thing.__module__ == module.__name__
    }
)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_problem_has_a_text(language: str) -> None:
    assert [code for code in CODES if not is_translated(language, code)] == []

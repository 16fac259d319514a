"""Every outcome has a text in each language: those of the domain, and those of the server."""

import ast
import re
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from core.errors import Problem
from core.translation import CATALOGUES, LANGUAGES, is_translated
from models.application import ApplicationKind
from models.shift import ShiftKind
from schema.build import build
from server import cli  # noqa: F401  # the command line has problems of its own

ROOT = Path(__file__).parents[2]
_CODE = re.compile(r"[A-Z]+(?:_[A-Z]+)+|INTERNAL|TIMEOUT|UNAVAILABLE|UNAUTHENTICATED")
# Names in the same layers that are no codes of answers.
_NOT_CODES = re.compile(r"CABINET_.*")


def problems(parent: type[Problem] = Problem) -> Iterator[type[Problem]]:
    for child in parent.__subclasses__():
        # Only ours: tests make problems of their own.
        if not child.__module__.startswith("tests"):
            yield child
        yield from problems(child)


def top_level_codes() -> set[str]:
    """The codes written in the layers that answer requests and sockets."""
    return {
        node.value
        for layer in ("server", "execution")
        for path in (ROOT / layer).glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        if _CODE.fullmatch(node.value) and not _NOT_CODES.fullmatch(node.value)
    }


def problem_codes() -> set[str]:
    """The values of the schema's ProblemCode: what clients may get in ``errors``."""
    enum = build().whole._schema.type_map["ProblemCode"]
    return set(enum.values)  # type: ignore[attr-defined]  # an enum type


CODES = {child.code for child in problems() if hasattr(child, "code")}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_problem_has_a_text(language: str) -> None:
    assert sorted(code for code in CODES if not is_translated(language, code)) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_code_of_the_schema_has_a_text(language: str) -> None:
    codes = problem_codes()
    assert {"NOT_FOUND", "CONFLICT", "SHIFT_OVERLAP", "LAST_ADMIN"} <= codes
    assert sorted(code for code in codes if not is_translated(language, code)) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_top_level_code_has_a_text(language: str) -> None:
    codes = top_level_codes()
    assert {"INTERNAL", "TIMEOUT", "TOO_DEEP", "MEDIA_TYPE", "ROLE_CHANGED"} <= codes
    assert sorted(code for code in codes if not is_translated(language, code)) == []


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kinds", [ShiftKind, ApplicationKind])
def test_every_kind_has_a_name(language: str, kinds: type[StrEnum]) -> None:
    names = [f"{kinds.__name__}.{kind.name}" for kind in kinds]
    assert [name for name in names if not is_translated(language, name)] == []


def texts(language: str) -> dict[str, tuple[str, str]]:
    """Each code's catalogue and text; no code stands in two catalogues."""
    found: dict[str, tuple[str, str]] = {}
    for path in sorted((CATALOGUES / language).glob("*.po")):
        with path.open("rb") as file:
            for entry in read_po(file, locale=language):
                if entry.id:
                    assert entry.id not in found, (path.name, entry.id)
                    found[str(entry.id)] = (path.name, str(entry.string))
    return found


def test_the_languages_have_the_same_texts_with_the_same_values() -> None:
    russian, english = (texts(language) for language in LANGUAGES)
    assert russian.keys() == english.keys()
    different = {
        code
        for code in russian
        if russian[code][0] != english[code][0] or _values(russian[code]) != _values(english[code])
    }
    assert different == set()


def _values(entry: tuple[str, str]) -> set[str]:
    return set(re.findall(r"\{(\w+)", entry[1]))

"""The terms of use: their version, and their text in each language."""

from dataclasses import dataclass
from functools import cache

from core.translation import CATALOGUES, LANGUAGES


class TermsDiffer(Exception):
    """The languages have different versions of the terms: a person would accept one unread."""


@dataclass(frozen=True, slots=True)
class Terms:
    """One version of the terms, which its acceptance names."""

    version: str
    texts: dict[str, str]


@cache
def current_terms() -> Terms:
    """The terms of ``translations/<language>/terms.md``, whose first line is their version.

    Raises TermsDiffer.
    """
    read = {
        language: (CATALOGUES / language / "terms.md").read_text(encoding="utf-8")
        for language in LANGUAGES
    }
    parts = {language: text.partition("\n") for language, text in read.items()}
    versions = {first.removeprefix("Version: ").strip() for first, _, _ in parts.values()}
    if len(versions) != 1:
        raise TermsDiffer(sorted(versions))
    return Terms(
        versions.pop(), {language: text.strip() for language, (_, _, text) in parts.items()}
    )

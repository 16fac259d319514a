"""Texts for people: gettext catalogues of the languages, Russian first."""

import gettext
import io
from functools import cache, lru_cache
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LANGUAGES = ("ru", "en")
CATALOGUES = Path(__file__).parent.parent / "translations"


@cache
def _texts(language: str) -> gettext.NullTranslations:
    """All catalogues of a language as one: each topic keeps its own file."""
    whole = Catalog(locale=language)
    for path in sorted((CATALOGUES / language).glob("*.po")):
        with path.open("rb") as file:
            for message in read_po(file, locale=language):
                if message.id:
                    whole.add(message.id, message.string)
    compiled = io.BytesIO()
    write_mo(compiled, whole)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def is_translated(language: str, code: str) -> bool:
    return _texts(language).gettext(code) != code


def message(language: str, code: str, /, **values: object) -> str:
    """The text of a code in a language; the code itself where nobody has written it yet."""
    text = _texts(language).gettext(code)
    try:
        return text.format(**values)
    except (KeyError, IndexError):
        return text


@lru_cache(maxsize=256)
def preferred(accept_language: str) -> str:
    """The language of ours that an Accept-Language header prefers (RFC 9110, 12.5.4)."""
    best, quality = LANGUAGES[0], 0.0
    for part in accept_language[:200].split(","):
        tag, _, weight = part.strip().partition(";q=")
        language = tag.split("-")[0].lower()
        try:
            weighed = float(weight) if weight else 1.0
        except ValueError:
            continue
        if language in LANGUAGES and weighed > quality:
            best, quality = language, weighed
    return best

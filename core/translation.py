"""Texts for people: gettext catalogues of the languages, Russian first."""

import gettext
import io
from enum import Enum
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
    """The text of a code in a language; the code itself where nobody has written it yet.

    Members of an enum among the values are told by their own texts, such as TicketState.NEW.
    """
    text = _texts(language).gettext(code)
    told = {name: _told(language, value) for name, value in values.items()}
    try:
        return text.format(**told)
    except (KeyError, IndexError):
        return text


def _told(language: str, value: object) -> object:
    if isinstance(value, Enum):
        name = f"{type(value).__name__}.{value.name}"
        return _texts(language).gettext(name) if is_translated(language, name) else value
    return value


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

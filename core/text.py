"""Text folded for comparing: case, «ё» and outer or doubled spaces do not matter."""

import unicodedata


def fold(text: str) -> str:
    """The form that is compared and ordered, by code point, on every database.

    ``Ё`` becomes ``е``: Russian alphabetical order treats them as one letter, and people
    write either.
    """
    normal = unicodedata.normalize("NFC", text).casefold().replace("ё", "е")
    return " ".join(normal.split())

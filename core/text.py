"""Text folded for comparing, compact for reading numbers and codes, and masked for those who may
recognise it and not know it.
"""

import re
import string
import unicodedata

# What a mask leaves: all else hides, a letter of any script as well as a dash of another code page.
_SHOWN = frozenset(string.punctuation + string.whitespace)

# Marks of direction and joining: they come along, unseen, with what is copied from an address book.
_UNSEEN = r"\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff"
# What people and word processors put between groups of digits.
_BETWEEN = re.compile(rf"[\s\u00ad\u2010-\u2015\u2212{_UNSEEN}-]+")


def compact(text: str) -> str:
    """The text without spaces and hyphens, wherever people put them in a number or a code."""
    return _BETWEEN.sub("", text)


def without_marks(text: str) -> str:
    """The text without outer spaces, and without the marks in it that nobody sees."""
    return re.sub(f"[{_UNSEEN}]", "", text).strip()


def fold(text: str) -> str:
    """The form that is compared and ordered, by code point, on every database: case, «ё» and
    outer or doubled spaces do not matter.

    ``Ё`` becomes ``е``: Russian alphabetical order treats them as one letter, and people
    write either.
    """
    normal = unicodedata.normalize("NFC", text).casefold().replace("ё", "е")
    return " ".join(normal.split())


def mask(text: str, keep: int) -> str:
    """The text with all but its last ``keep`` letters and digits replaced by dots.

    ASCII punctuation and spaces stay, so that the kind of value is recognised:
    ``•••-•••-•45 95``.
    """
    hidden = max(sum(character not in _SHOWN for character in text) - keep, 0)
    shown = []
    for character in text:
        if hidden and character not in _SHOWN:
            hidden -= 1
            character = "•"
        shown.append(character)
    return "".join(shown)

"""The layout of a keyboard: what looks typed in the other one, told by what was typed alone."""

import re

from core.errors import Problem


class KeyboardLayout(Problem):
    """What was typed looks as if the keyboard were switched to another language."""

    code = "KEYBOARD_LAYOUT"


_CYRILLIC = re.compile(r"[а-яё]", re.IGNORECASE)
# «привет» on Latin keys is ghbdtn: so many letters of a word have a vowel among them.
_VOWELLESS = re.compile(r"[bcdfghjklmnpqrstvwxz]{6,}", re.IGNORECASE)


def layout_hints(login: str, password: str) -> list[Problem]:
    """KeyboardLayout about ``login`` and ``password``, where they look so.

    A login has no Cyrillic letter. A password may be Russian words, so one without a space is
    hinted at, and so are Latin letters that are no word; whether it is right plays no part.
    """
    hints: list[Problem] = []
    if _CYRILLIC.search(login):
        hints.append(KeyboardLayout("login"))
    is_one_word = _CYRILLIC.search(password) and not re.search(r"\s", password.strip())
    if is_one_word or _VOWELLESS.search(password):
        hints.append(KeyboardLayout("password"))
    return hints

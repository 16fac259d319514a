"""Passwords: which are good enough, and their Argon2id hashes, made off the event loop."""

import asyncio
import functools
import re
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from importlib.resources import files
from typing import TypeVar

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from auth.breached import Breached
from core.errors import Problem, Unavailable

T = TypeVar("T")

# NIST 800-63B: length and a blocklist, no rules of composition.
SHORTEST = 8
LONGEST = 128

NOTHING_BREACHED = Breached()

# As OWASP advises: 19 MiB, two passes, one lane.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1, type=Type.ID)
_THREADS = 2
# At 23 ms a hash, this queue is three quarters of a second long.
_WAITING = 64


class PasswordWeak(Problem):
    """Too short, too long, or one of those that are tried first."""

    code = "PASSWORD_WEAK"


def check_new_password(
    password: str,
    field: str = "password",
    *,
    about: tuple[str, ...] = (),
    breached: Breached = NOTHING_BREACHED,
) -> None:
    """Raises PasswordWeak; ``about`` is what names the person: words, an e-mail, numbers."""
    normal = _normal(password)
    if len(normal) < SHORTEST:
        raise PasswordWeak(field, reason="SHORT", length=SHORTEST)
    if len(normal) > LONGEST:
        raise PasswordWeak(field, reason="LONG", length=LONGEST)
    if is_common(normal) or _is_made_of(normal, about) or breached.holds(password):
        raise PasswordWeak(field, reason="COMMON", length=SHORTEST)


def is_common(password: str) -> bool:
    """Whether a password is a listed one or a row of keys, digits or dates, or such a word in
    decorations: capitals, digits and signs around it, letters written as digits, the word twice.
    """
    plain = password.casefold()
    if len(set(plain)) <= 2 or plain in _walks() or plain[::-1] in _walks():
        return True
    if plain in _most_usual():
        return True
    if plain.isdecimal() and plain.isascii():
        return len(plain) == 8 and _is_date(plain)
    core = _core(plain)
    half, odd = divmod(len(core), 2)
    return _is_listed(core) or (not odd and core[:half] == core[half:] and _is_listed(core[:half]))


def _is_made_of(password: str, words: tuple[str, ...]) -> bool:
    """Whether it holds a number of theirs, or is words put together and little else."""
    digits = re.sub(r"\D", "", password)
    # Without what stands for the country.
    numbers = (re.sub(r"\D", "", word)[-10:] for word in words if _NUMBER.fullmatch(word))
    if any(number in digits for number in numbers):
        return True
    core = left = _core(password)
    for word in sorted({_core(word) for word in words}, key=len, reverse=True):
        left = left.replace(word, "") if word else left
    return left != core and len(left) <= _LITTLE


# Fewer digits stand in many a password.
_NUMBER = re.compile(r"\+?[\d ]{6,}")
# So many letters beside a word make no other password of it.
_LITTLE = 3
# What people write for a letter.
_LETTERS = str.maketrans("0134578@$!", "oieastbasi")


def _core(password: str) -> str:
    """The word inside: «P@ssw0rd2024!» is «password»."""
    plain = password.casefold()
    bare = re.sub(r"^[\W\d_]+|[\W\d_]+$", "", plain)
    spelled = bare.translate(_LETTERS)
    return re.sub(r"[\W_]+", "", spelled)


def _is_listed(word: str) -> bool:
    return word in _words() or word in _most_usual()


@functools.cache
def _most_usual() -> frozenset[str]:
    """The passwords most used by people, in lower case, of those that are long enough."""
    # It takes 40 ms and 13 MB, which only who sets a password shall pay.
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    return frozenset(word for word in FREQUENCY_LISTS["passwords"] if len(word) >= SHORTEST)


@functools.cache
def _words() -> frozenset[str]:
    text = files("auth").joinpath("common_passwords.txt").read_text(encoding="utf-8")
    lines = (line.strip() for line in text.splitlines() if not line.startswith("#"))
    return frozenset(_core(word) for line in lines for word in line.split())


@functools.cache
def _walks() -> frozenset[str]:
    """Pieces of eight keys and more along the rows of the keyboards, once or repeated."""
    rows = (
        "1234567890",
        "0123456789",
        "abcdefghijklmnopqrstuvwxyz",
        "qwertyuiop",
        "qwertyuiopasdfghjklzxcvbnm",
        "asdfghjkl",
        "zxcvbnm",
        "1qaz2wsx3edc4rfv5tgb6yhn",
        "q1w2e3r4t5y6u7i8o9p0",
        "1q2w3e4r5t6y7u8i9o0p",
        "qazwsxedcrfvtgbyhnujmikolp",
        "йцукенгшщзхъ",
        "йцукенгшщзхъфывапролджэячсмитьбю",
        "фывапролджэ",
        "абвгдежзиклмнопрстуфхцчшщъыьэюя",
    )
    pieces = set()
    for row in rows:
        for length in range(3, len(row) + 1):
            for start in range(len(row) - length + 1):
                piece = row[start : start + length]
                if length >= SHORTEST:
                    pieces.add(piece)
                if SHORTEST <= 2 * length <= 12:
                    pieces |= {piece * 2, piece + piece[::-1]}
                if SHORTEST <= 3 * length <= 12:
                    pieces.add(piece * 3)
    return frozenset(pieces)


def _is_date(digits: str) -> bool:
    """Eight digits that are a day of the last hundred years, in any of the usual orders."""
    first, second, third, fourth = (int(digits[start : start + 2]) for start in range(0, 8, 2))
    late, early = third * 100 + fourth, first * 100 + second
    for year, month, day in ((late, second, first), (late, first, second), (early, third, fourth)):
        try:
            date(year, month, day)
        except ValueError:
            continue
        if 1920 <= year <= 2040:
            return True
    return False


@functools.cache
def _nobodys() -> str:
    """What a password is compared with where there is none: that takes as long."""
    return _HASHER.hash("nobody's password")


def _normal(password: str) -> str:
    # NIST 800-63B, 5.1.1.2: the same password from another keyboard is the same password.
    return unicodedata.normalize("NFKC", password)


class Passwords:
    """Hashes and verifies in two threads of its own."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="argon2")
        self._nobody = _nobodys()
        self._waiting = 0

    async def hash(self, password: str) -> str:
        return await self._off_loop(lambda: _HASHER.hash(_octets(password)))

    async def verify(self, hashed: str | None, password: str) -> bool:
        """Whether this is the password; without a hash it takes as long and is not."""
        if len(password) > LONGEST * 4:
            password = ""
        right = await self._off_loop(lambda: self._verify(hashed or self._nobody, password))
        return right and hashed is not None

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _verify(self, hashed: str, password: str) -> bool:
        try:
            return _HASHER.verify(hashed, _octets(password))
        except (VerificationError, InvalidHashError):
            return False

    async def _off_loop(self, work: Callable[[], T]) -> T:
        if self._waiting >= _WAITING:
            raise Unavailable
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting -= 1


def _octets(password: str) -> bytes:
    return _normal(password).encode("utf-8", "surrogatepass")

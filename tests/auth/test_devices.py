"""Tokens of known devices: of one account, for a term, and of our making."""

from datetime import timedelta

import pytest

from auth.devices import LIFETIME, device_of, device_token
from auth.keys import HashKey
from core.ids import uuid7
from tests.factories import NOW

KEY, ACCOUNT = HashKey(b"k" * 32), uuid7()
TOKEN = device_token(KEY, ACCOUNT, NOW)


def test_a_token_names_its_device_until_its_term() -> None:
    just = NOW + LIFETIME - timedelta(seconds=1)
    named = {device_of(KEY, ACCOUNT, TOKEN, now) for now in (NOW, just)}
    assert named == {TOKEN.split(".")[0]}
    assert device_of(KEY, ACCOUNT, TOKEN, NOW + LIFETIME) is None
    assert device_token(KEY, ACCOUNT, NOW) != TOKEN


NAME, ENDS, SIGNATURE = TOKEN.split(".")


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "x",
        "\0",
        "\ud800.\ud800.\ud800",
        f"{NAME}.{int(ENDS) + 1}.{SIGNATURE}",
        f"{NAME}x.{ENDS}.{SIGNATURE}",
        f"{NAME}.{ENDS}.{SIGNATURE[:-1]}",
        f"{NAME}.{ENDS}.",
        f"{NAME}.{ENDS}.{SIGNATURE}.{SIGNATURE}",
        "x" * 100_000,
    ],
)
def test_what_we_did_not_sign_names_none(token: str) -> None:
    assert device_of(KEY, ACCOUNT, token, NOW) is None


def test_a_token_is_of_its_account_and_key_alone() -> None:
    assert device_of(KEY, uuid7(), TOKEN, NOW) is None
    assert device_of(HashKey(b"K" * 32), ACCOUNT, TOKEN, NOW) is None

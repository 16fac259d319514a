"""Passkeys: what is asked for, and what of an answer is checked."""

import base64
import json
import random
from datetime import timedelta
from typing import Any

import pytest

from auth.passkeys import (
    PasskeyCloned,
    PasskeyInvalid,
    check_made,
    check_shown,
    creation_options,
    read_made,
    read_shown,
    request_options,
)
from core.errors import Problem
from core.ids import uuid7
from core.settings import Passkeys
from models.factor import Passkey
from tests.authenticator import PRESENT, VERIFIED, Authenticator

pytestmark = pytest.mark.any_database

SETTINGS = Passkeys()
ACCOUNT = uuid7()
CHALLENGE = base64.urlsafe_b64encode(bytes(range(32))).decode().rstrip("=")
FIVE = timedelta(minutes=5)


def creation(known: tuple[Passkey, ...] = ()) -> str:
    return creation_options(
        SETTINGS,
        challenge=CHALLENGE,
        account_id=ACCOUNT,
        login="anna@example.org",
        known=known,
        lifetime=FIVE,
    )


def request(allowed: tuple[Passkey, ...] = ()) -> str:
    return request_options(SETTINGS, challenge=CHALLENGE, allowed=allowed, lifetime=FIVE)


def made(authenticator: Authenticator, **changed: Any) -> Passkey:
    answer = read_made(authenticator.create(creation(), **changed), "credential")
    return Passkey(**check_made(SETTINGS, answer, "credential"))


def count_of(passkey: Passkey | None, credential: str) -> int:
    return check_shown(SETTINGS, read_shown(credential, "credential"), passkey, "credential")


def test_a_browser_is_asked_for_a_passkey_that_it_finds_by_itself() -> None:
    known = made(Authenticator())

    asked = json.loads(creation((known,)))

    assert asked["rp"] == {"id": "localhost", "name": "Кабинет медицинского работника"}
    assert (asked["user"]["name"], asked["challenge"]) == ("anna@example.org", CHALLENGE)
    assert base64.urlsafe_b64decode(asked["user"]["id"] + "==") == ACCOUNT.bytes
    assert asked["authenticatorSelection"] == {
        "residentKey": "required",
        "requireResidentKey": True,
        "userVerification": "required",
    }
    assert (asked["attestation"], asked["timeout"]) == ("none", 300_000)
    assert asked["excludeCredentials"] == [
        {"id": known.credential_id, "type": "public-key", "transports": ["hybrid", "internal"]}
    ]


def test_any_passkey_is_asked_for_where_nobody_is_known() -> None:
    known = made(Authenticator())

    assert json.loads(request())["allowCredentials"] == []
    assert json.loads(request())["userVerification"] == "required"
    (allowed,) = json.loads(request((known,)))["allowCredentials"]
    assert allowed["id"] == known.credential_id


def test_an_answer_is_of_the_key_that_was_made() -> None:
    authenticator, other = Authenticator(), Authenticator()
    passkey = made(authenticator)

    shown = read_shown(authenticator.get(request()), "credential")

    assert (shown.challenge, shown.credential_id) == (CHALLENGE, passkey.credential_id)
    assert shown.account_id == ACCOUNT
    assert check_shown(SETTINGS, shown, passkey, "credential") == 1
    for wrong in (made(other), None):
        with pytest.raises(PasskeyInvalid) as raised:
            check_shown(SETTINGS, shown, wrong, "credential")
        assert raised.value.field == "credential"


WRONG: dict[str, dict[str, Any]] = {
    "of another page": {"origin": "https://cabinet.example"},
    "of a page whose name begins alike": {"origin": "http://localhost:8000.example"},
    "for another domain": {"domain": "example.org"},
    "without the person's being verified": {"flags": PRESENT},
    "without the person's being there": {"flags": VERIFIED},
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
def test_an_answer_from_elsewhere_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(PasskeyInvalid):
        made(Authenticator(**wrong))

    authenticator = Authenticator()
    passkey = made(authenticator)
    for name, value in wrong.items():
        setattr(authenticator, name, value)
    with pytest.raises(PasskeyInvalid):
        count_of(passkey, authenticator.get(request()))


def test_an_answer_of_the_other_kind_is_refused() -> None:
    with pytest.raises(PasskeyInvalid):
        made(Authenticator(), type="webauthn.get")

    authenticator = Authenticator()
    passkey = made(authenticator)
    with pytest.raises(PasskeyInvalid):
        count_of(passkey, authenticator.get(request(), type="webauthn.create"))


def test_a_passkey_that_counts_has_signed_more_often_each_time() -> None:
    authenticator = Authenticator(count=7)
    passkey = made(authenticator)
    assert passkey.sign_count == 7

    passkey.sign_count = count_of(passkey, authenticator.get(request()))

    assert passkey.sign_count == 8
    for count in (7, 6, 0):
        authenticator.count = count
        authenticator.counts = count == 7
        with pytest.raises(PasskeyCloned):
            count_of(passkey, authenticator.get(request()))


def test_one_that_does_not_count_is_taken_as_it_is() -> None:
    authenticator = Authenticator(counts=False)
    passkey = made(authenticator)

    assert [count_of(passkey, authenticator.get(request())) for _ in range(2)] == [0, 0]


def test_a_stranger_raises_no_alarm_about_a_copy() -> None:
    """Whoever knows the id of a passkey may send any count: the signature is looked at first."""
    authenticator = Authenticator(count=7)
    passkey = made(authenticator)
    stranger = Authenticator(credential_id=authenticator.credential_id, counts=False)

    with pytest.raises(PasskeyInvalid):
        count_of(passkey, stranger.get(request()))


@pytest.mark.parametrize(
    "credential",
    [
        "",
        "null",
        "[]",
        "{}",
        "Ж",
        "\ud800",
        '"' + "a" * 40_000 + '"',
        "[" * 20_000,
        "9" * 5_000,
        '{"id": 1, "rawId": "AA", "type": "public-key", "response": {}}',
    ],
)
def test_what_is_no_answer_is_refused(credential: str) -> None:
    for read in (read_made, read_shown):
        with pytest.raises(PasskeyInvalid):
            read(credential, "credential")


def test_whatever_is_altered_is_refused_and_nothing_else_comes_of_it() -> None:
    """Bits of every part, by chance: of an answer, and of a new passkey."""
    chance = random.Random(42)
    authenticator = Authenticator()
    created = json.loads(authenticator.create(creation()))
    answer = read_made(json.dumps(created), "credential")
    passkey = Passkey(**check_made(SETTINGS, answer, "credential"))
    shown = json.loads(authenticator.get(request()))

    for part in ("clientDataJSON", "authenticatorData", "signature"):
        for _ in range(150):
            with pytest.raises(Problem):
                count_of(passkey, _altered(shown, part, chance))
    refused = 0
    for _ in range(300):
        try:
            altered = read_made(_altered(created, "attestationObject", chance), "credential")
            check_made(SETTINGS, altered, "credential")
        except PasskeyInvalid:
            refused += 1
    # Nothing vouches for a new key but the one who sends it: another of them is as good.
    assert refused > 100


def _altered(answer: dict[str, Any], part: str, chance: random.Random) -> str:
    response = answer["response"]
    padded = response[part] + "=" * (-len(response[part]) % 4)
    data = bytearray(base64.urlsafe_b64decode(padded))
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    text = base64.urlsafe_b64encode(bytes(data)).decode().rstrip("=")
    return json.dumps({**answer, "response": {**response, part: text}})

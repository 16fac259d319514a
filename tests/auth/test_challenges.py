"""Challenges: random, for one purpose and person, used once and soon."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from auth.challenges import ChallengeInvalid, begin, find, payload_of, use
from auth.gate import Gate
from models.database import unit_of_work
from models.factor import Challenge, ChallengePurpose
from tests import factories as make
from tests.auth import entrance
from tests.factories import NOW

PURPOSE = ChallengePurpose.PASSKEY


@pytest.fixture
async def gate(database: str, tmp_path: Path) -> AsyncIterator[Gate]:
    gate = entrance.gate(tmp_path)
    yield gate
    gate.passwords.close()


@unit_of_work
async def used(challenge: Challenge) -> None:
    await use(entrance.visitor(), challenge)


async def test_a_challenge_is_found_by_its_value_with_what_it_was_begun_with(gate: Gate) -> None:
    begun = await begin(entrance.visitor(), gate=gate, purpose=PURPOSE, payload={"nonce": "тест"})

    found = await find(entrance.visitor(), purpose=PURPOSE, value=begun.value)

    assert found.id == begun.challenge.id
    assert payload_of(gate, found) == {"nonce": "тест"}
    assert len(begun.value) == 43
    kept = str(vars(await Challenge.get()))
    assert begun.value not in kept and "nonce" not in kept


async def test_a_challenge_lasts_five_minutes(gate: Gate) -> None:
    begun = await begin(entrance.visitor(), gate=gate, purpose=PURPOSE)
    just_before = entrance.visitor(NOW + timedelta(minutes=4, seconds=59))
    late = entrance.visitor(NOW + timedelta(minutes=5))

    assert await find(just_before, purpose=PURPOSE, value=begun.value)
    with pytest.raises(ChallengeInvalid):
        await find(late, purpose=PURPOSE, value=begun.value)


async def test_a_challenge_is_for_its_purpose_and_person_alone(gate: Gate) -> None:
    account, other = await make.account(), await make.account()
    visitor = entrance.visitor()
    begun = await begin(visitor, gate=gate, purpose=PURPOSE, account_id=account.id)
    value = begun.value

    for wrong in (
        find(visitor, purpose=ChallengePurpose.ESIA, value=value, account_id=account.id),
        find(visitor, purpose=PURPOSE, value=value, account_id=other.id),
        find(visitor, purpose=PURPOSE, value=value),
        find(visitor, purpose=PURPOSE, value="x" * 43, account_id=account.id),
    ):
        with pytest.raises(ChallengeInvalid):
            await wrong
    assert await find(visitor, purpose=PURPOSE, value=value, account_id=account.id)


async def test_of_two_who_answer_at_once_one_does(gate: Gate) -> None:
    begun = await begin(entrance.visitor(), gate=gate, purpose=PURPOSE)

    answers = await asyncio.gather(
        used(begun.challenge), used(begun.challenge), return_exceptions=True
    )

    assert sorted(type(answer).__name__ for answer in answers) == ["ChallengeInvalid", "NoneType"]
    with pytest.raises(ChallengeInvalid):
        await find(entrance.visitor(), purpose=PURPOSE, value=begun.value)

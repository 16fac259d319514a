"""Numbers of documents: sealed, found by their hash, and of one account each."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tortoise.exceptions import IntegrityError

from auth.gate import Gate
from auth.identities import Number, number_hash, number_of, set_number
from models.database import violated
from models.identity import Identity
from tests import factories as make
from tests.auth import entrance

NUMBERS: dict[Number, str] = {
    "inn": "500100732259",
    "snils": "11223344595",
    "passport": "4510123456",
}


@pytest.fixture
async def gate(database: str, tmp_path: Path) -> AsyncIterator[Gate]:
    gate = entrance.gate(tmp_path)
    yield gate
    gate.passwords.close()


async def identity(gate: Gate, **numbers: Any) -> Identity:
    row = Identity(account=await make.account(), last_name="Ёлкина", first_name="Анна")
    for kind, number in numbers.items():
        set_number(gate, row, kind, number)  # type: ignore[arg-type]  # a Number
    await row.save(force_create=True)
    return row


async def test_numbers_are_read_and_found_and_not_told_by_the_row(gate: Gate) -> None:
    await identity(gate, **NUMBERS)

    for kind, number in NUMBERS.items():
        row = await Identity.filter(**{f"{kind}_hash": number_hash(gate, kind, number)}).get()
        assert number_of(gate, row, kind) == number
        assert number not in str(vars(row))


@pytest.mark.parametrize("kind", ["inn", "snils"])
async def test_a_number_belongs_to_one_account(gate: Gate, kind: Number) -> None:
    await identity(gate, **{kind: NUMBERS[kind]})

    with pytest.raises(IntegrityError) as error:
        await identity(gate, **{kind: NUMBERS[kind]})

    assert f"{kind}_hash" in violated(error.value)


async def test_who_has_no_number_takes_it_from_nobody(gate: Gate) -> None:
    first, second = await identity(gate), await identity(gate, inn=NUMBERS["inn"])

    set_number(gate, second, "inn", None)
    await second.save()

    assert number_of(gate, first, "inn") is None
    assert await Identity.filter(inn_hash__isnull=True).count() == 2

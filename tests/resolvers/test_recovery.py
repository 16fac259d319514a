"""Recovery: a code for one reset, however many ask at once, and the same work for everybody."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from auth.gate import Gate
from auth.limits import TooManyAttempts
from auth.sent_codes import Sent
from models.account import Account
from models.message import Message
from models.ticket import TicketReason
from resolvers.recovery import request_recovery, reset_password
from resolvers.tickets import file_ticket
from tests import factories as make
from tests.auth import entrance
from tests.execution.test_query_counts import counted
from tests.factories import NOW

NEW = "другой омут 43 сома"


@pytest.fixture
async def gate(database: str, tmp_path: Path) -> AsyncIterator[Gate]:
    gate = entrance.gate(tmp_path)
    yield gate
    gate.passwords.close()


async def ask(gate: Gate, contact: str, now: datetime = NOW, address: str = "192.0.2.1") -> Sent:
    return await request_recovery(entrance.visitor(now, address), gate=gate, contact=contact)


async def last_code(gate: Gate) -> str:
    message = await Message.all().order_by("-id").first()
    assert message is not None
    found = re.search(r"\d{6}", gate.vault.open(message.body_sealed))
    assert found is not None
    return found[0]


def kinds(statements: list[str]) -> list[str]:
    """What each statement does, whatever its values."""
    return [re.sub(r"'[^']*'|\$?\b\d+\b|:.*$", "?", text) for text in statements]


async def test_of_fifty_who_use_a_code_at_once_one_does(gate: Gate) -> None:
    person = await entrance.person(gate)
    sent = await ask(gate, person.login)
    code = await last_code(gate)

    async def reset(number: int) -> Account:
        return await reset_password(
            entrance.visitor(address=f"192.0.2.{number}"),
            gate=gate,
            handle=sent.handle,
            code=code,
            password=f"{NEW} {number}",
        )

    answers = await asyncio.gather(*(reset(number) for number in range(50)), return_exceptions=True)

    assert sum(isinstance(answer, Account) for answer in answers) == 1
    refused = {type(answer).__name__ for answer in answers if not isinstance(answer, Account)}
    assert refused <= {"CodeReused", "TooManyAttempts"}
    row = await Account.get(id=person.account.id)
    (winner,) = (n for n, answer in enumerate(answers) if isinstance(answer, Account))
    assert await gate.passwords.verify(row.password_hash, f"{NEW} {winner}")


async def test_of_fifty_guesses_at_once_five_are_looked_at(gate: Gate) -> None:
    person = await entrance.person(gate)
    sent = await ask(gate, person.login)
    wrong = f"{(int(await last_code(gate)) + 1) % 1_000_000:06}"

    answers = await asyncio.gather(
        *(
            reset_password(
                entrance.visitor(address=f"192.0.2.{number}"),
                gate=gate,
                handle=sent.handle,
                code=wrong,
                password=NEW,
            )
            for number in range(50)
        ),
        return_exceptions=True,
    )

    names = [type(answer).__name__ for answer in answers]
    assert {name: names.count(name) for name in set(names)} == {"CodeInvalid": 5, "CodeExpired": 45}


@pytest.mark.parametrize("state", ["nobody's", "closed"])
async def test_the_same_is_done_for_a_contact_that_is_sent_nothing(gate: Gate, state: str) -> None:
    organisation = await make.organisation()
    person = await entrance.person(gate, organisation)
    await make.practitioner(await make.department(organisation), account=person.account)
    if state == "closed":
        other = (await make.account(organisation, state="CLOSED")).email
    else:
        other = "nobody@example.org"
    # Before it is measured, once: what is prepared once is prepared.
    await ask(gate, "first@example.org")

    with counted() as known:
        await ask(gate, person.login)
    with counted() as unknown:
        await ask(gate, str(other))

    assert len(known) > 5
    assert kinds(known) == kinds(unknown)


async def test_nobody_is_sent_more_than_ten_codes_a_day(gate: Gate) -> None:
    person = await entrance.person(gate)
    often = [NOW + timedelta(minutes=20 * number) for number in range(10)]
    for number, now in enumerate(often):
        await ask(gate, person.login, now, f"192.0.2.{number}")

    with pytest.raises(TooManyAttempts):
        await ask(gate, person.login, NOW + timedelta(hours=23), "192.0.2.99")

    assert await Message.all().count() == 10
    await ask(gate, person.login, NOW + timedelta(days=1), "192.0.2.99")


@pytest.mark.parametrize("known", ["by contact", "by id"])
async def test_the_same_is_done_for_a_ticket_of_anybody_and_of_nobody(
    gate: Gate, known: str
) -> None:
    person = await entrance.person(gate)
    public_id = person.account.public_id if known == "by id" else "ID-0000-0000"
    contact = person.login if known == "by contact" else "other@example.org"

    async def file(contact: str, public_id: str) -> list[str]:
        with counted() as statements:
            await file_ticket(
                entrance.visitor(),
                gate=gate,
                contact=contact,
                reason=TicketReason.OTHER,
                text="Не могу войти",
                public_id=public_id,
            )
        return kinds(statements)

    await file("first@example.org", "ID-0000-0000")

    told = await file(contact, public_id)
    assert len(told) > 5
    assert told == await file("nobody@example.org", "ID-0000-0000")

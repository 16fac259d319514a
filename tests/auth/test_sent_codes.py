"""Codes that are sent: what makes one right, how often it may be guessed, and how soon resent."""

import asyncio
import re
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from auth.gate import Gate
from auth.limits import TooManyAttempts
from auth.sent_codes import (
    CodeExpired,
    CodeInvalid,
    CodeReused,
    ResendTooSoon,
    Sent,
    check_code,
    contact_of,
    prove,
    proved,
    send_code,
    use_code,
)
from core.errors import Problem
from core.translation import LANGUAGES, message
from models.database import unit_of_work
from models.factor import Channel, CodePurpose, SentCode
from models.message import Message, MessageState
from tests import factories as make
from tests.auth import entrance
from tests.factories import NOW

PHONE = "+79261234567"
PURPOSE = CodePurpose.REGISTRATION


@pytest.fixture
async def gate(database: str, tmp_path: Path) -> AsyncIterator[Gate]:
    gate = entrance.gate(tmp_path)
    yield gate
    gate.passwords.close()


@unit_of_work
async def send(gate: Gate, now: datetime = NOW, **values: Any) -> Sent:
    values = {"purpose": PURPOSE, "channel": Channel.SMS, "contact": PHONE, **values}
    return await send_code(entrance.visitor(now), gate=gate, **values)


async def last_code(gate: Gate) -> str:
    message = await Message.all().order_by("-id").first()
    assert message is not None
    found = re.search(r"\d{6}", gate.vault.open(message.body_sealed))
    assert found is not None
    return found[0]


def other_than(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06}"


async def check(gate: Gate, sent: Sent, code: str, now: datetime = NOW, **values: Any) -> SentCode:
    values = {"purpose": PURPOSE, "handle": sent.handle, "code": code, **values}
    return await check_code(entrance.visitor(now), gate=gate, **values)


async def refused(gate: Gate, sent: Sent, code: str, now: datetime = NOW, **values: Any) -> Problem:
    with pytest.raises(Problem) as found:
        await check(gate, sent, code, now, **values)
    return found.value


@unit_of_work
async def use(row: SentCode, now: datetime = NOW) -> None:
    await use_code(entrance.visitor(now), row)


async def test_a_code_comes_by_the_outbox_and_is_right(gate: Gate) -> None:
    sent = await send(gate)

    message = await Message.get()
    row = await check(gate, sent, f" {await last_code(gate)} ")
    assert (message.channel, message.state) == (Channel.SMS, MessageState.QUEUED)
    assert gate.vault.open(message.to_sealed) == PHONE
    assert contact_of(gate, row) == PHONE
    assert sent.expires_at == message.expires_at == NOW + timedelta(minutes=10)


async def test_a_code_is_forgiven_spaces_and_hyphens_and_not_other_digits(gate: Gate) -> None:
    sent = await send(gate)
    code = await last_code(gate)

    wide = code.translate({ord("0") + digit: 0xFF10 + digit for digit in range(10)})
    assert isinstance(await refused(gate, sent, wide), CodeInvalid)
    for typed in (f"{code[:3]} {code[3:]}", f"{code[:2]}-{code[2:4]}\u2011{code[4:]}\n"):
        await check(gate, sent, typed)


async def test_nothing_that_is_kept_tells_the_code_the_handle_or_the_contact(gate: Gate) -> None:
    sent = await send(gate)

    kept = str([vars(row) for row in [*await SentCode.all(), *await Message.all()]])
    assert await last_code(gate) not in kept
    assert sent.handle not in kept
    assert PHONE not in kept


KEPT = {"ru": ("никому", "только оператору"), "en": ("to nobody", "to anybody")}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "text", [*(f"CodePurpose.{purpose}" for purpose in CodePurpose), "Account.reset_started"]
)
def test_whoever_gets_a_code_is_told_to_keep_it_to_themselves(language: str, text: str) -> None:
    told = message(language, text, code="123456", minutes=10, handle="RS-0000")

    assert "123456" in told
    assert any(words in told.lower() for words in KEPT[language])


async def test_a_wrong_code_is_refused_and_counted(gate: Gate) -> None:
    sent = await send(gate)

    problem = await refused(gate, sent, other_than(await last_code(gate)))

    assert (type(problem), problem.field) == (CodeInvalid, "code")
    assert (await SentCode.get()).tries == 1


async def test_the_right_code_comes_too_late_after_five_guesses(gate: Gate) -> None:
    sent = await send(gate)
    code = await last_code(gate)
    for _ in range(5):
        assert type(await refused(gate, sent, other_than(code))) is CodeInvalid

    assert type(await refused(gate, sent, code)) is CodeExpired


async def test_a_right_code_is_counted_as_no_guess(gate: Gate) -> None:
    sent = await send(gate)
    code = await last_code(gate)
    await refused(gate, sent, other_than(code))

    await asyncio.gather(*(check(gate, sent, code) for _ in range(6)))

    assert (await SentCode.get()).tries == 1


async def test_of_fifty_guesses_at_once_five_are_looked_at(gate: Gate) -> None:
    sent = await send(gate)
    wrong = other_than(await last_code(gate))

    answers = await asyncio.gather(
        *(check(gate, sent, wrong) for _ in range(50)), return_exceptions=True
    )

    names = [type(answer).__name__ for answer in answers]
    assert {name: names.count(name) for name in set(names)} == {
        "CodeInvalid": 5,
        "CodeExpired": 45,
    }
    assert (await SentCode.get()).tries == 5


async def test_a_code_expires_after_ten_minutes(gate: Gate) -> None:
    sent = await send(gate)
    code = await last_code(gate)

    just_before = timedelta(minutes=9, seconds=59)
    assert await check(gate, sent, code, NOW + just_before)
    assert type(await refused(gate, sent, code, NOW + timedelta(minutes=10))) is CodeExpired


async def test_a_code_is_for_its_purpose_account_and_sending_alone(gate: Gate) -> None:
    account, other = await make.account(), await make.account()
    sent = await send(gate, account_id=account.id)
    code = await last_code(gate)
    elsewhere = await send(gate, contact="+79261234568")

    assert type(await refused(gate, sent, code, purpose=CodePurpose.RECOVERY)) is CodeInvalid
    assert type(await refused(gate, sent, code, account_id=other.id)) is CodeInvalid
    assert type(await refused(gate, elsewhere, code)) is CodeInvalid
    assert type(await refused(gate, sent, code, handle="x" * 43)) is CodeInvalid
    assert await check(gate, sent, code, account_id=account.id)


async def test_of_two_who_use_a_code_at_once_one_does(gate: Gate) -> None:
    sent = await send(gate)
    code = await last_code(gate)
    rows = [await check(gate, sent, code), await check(gate, sent, code)]

    answers = await asyncio.gather(*(use(row) for row in rows), return_exceptions=True)

    assert sorted(type(answer).__name__ for answer in answers) == ["CodeReused", "NoneType"]
    assert type(await refused(gate, sent, code)) is CodeReused


async def test_what_a_code_was_for_may_follow_by_its_handle_once(gate: Gate) -> None:
    sent = await send(gate)
    visitor = entrance.visitor()
    await prove(visitor, await check(gate, sent, await last_code(gate)))

    assert type(await refused(gate, sent, await last_code(gate))) is CodeReused
    late = entrance.visitor(NOW + timedelta(minutes=30))
    with pytest.raises(CodeExpired) as expired:
        await proved(late, purpose=PURPOSE, handle=sent.handle)
    row = await proved(visitor, purpose=PURPOSE, handle=sent.handle)
    await use(row)
    with pytest.raises(CodeReused):
        await proved(visitor, purpose=PURPOSE, handle=sent.handle)
    with pytest.raises(CodeReused):
        await use(row)
    assert expired.value.field == "handle"


async def test_a_handle_proves_nothing_before_its_code_came_back(gate: Gate) -> None:
    sent = await send(gate)

    with pytest.raises(CodeExpired):
        await proved(entrance.visitor(), purpose=PURPOSE, handle=sent.handle)


async def test_the_wait_before_the_next_code_grows(gate: Gate) -> None:
    now, waits = NOW, []
    for _ in range(6):
        sent = await send(gate, now)
        waits.append((sent.resend_at - now).total_seconds() / 60)
        with pytest.raises(ResendTooSoon) as refusal:
            await send(gate, sent.resend_at - timedelta(seconds=1), field="phone")
        assert refusal.value.values == {"until": sent.resend_at}
        assert refusal.value.field == "phone"
        now = sent.resend_at

    assert waits == [1, 2, 5, 15, 15, 15]


async def test_the_wait_begins_anew_after_an_hour_and_after_a_used_code(gate: Gate) -> None:
    first = await send(gate)
    second = await send(gate, first.resend_at)
    hour = NOW + timedelta(minutes=61)
    third = await send(gate, hour)
    await use(await check(gate, third, await last_code(gate), hour), hour)
    fourth = await send(gate, hour)

    assert second.resend_at - first.resend_at == timedelta(minutes=2)
    assert third.resend_at == fourth.resend_at == hour + timedelta(minutes=1)


async def test_where_anybody_may_ask_a_used_code_ends_no_wait(gate: Gate) -> None:
    first = await send(gate, anybody=True)
    await use(await check(gate, first, await last_code(gate)))

    with pytest.raises(ResendTooSoon):
        await send(gate, anybody=True)
    second = await send(gate, first.resend_at, anybody=True)
    assert second.resend_at - first.resend_at == timedelta(minutes=2)


async def test_where_anybody_may_ask_ten_codes_are_sent_a_day(gate: Gate) -> None:
    now = NOW
    for _ in range(10):
        now = (await send(gate, now, anybody=True)).resend_at

    with pytest.raises(TooManyAttempts) as refusal:
        await send(gate, now, anybody=True)
    assert refusal.value.values == {"until": NOW + timedelta(days=1)}
    # Whoever is known to ask goes on.
    await send(gate, now)
    assert await send(gate, NOW + timedelta(days=1, minutes=5), anybody=True)


async def test_of_ten_codes_asked_for_at_once_one_is_sent(gate: Gate) -> None:
    answers = await asyncio.gather(*(send(gate) for _ in range(10)), return_exceptions=True)

    assert sum(isinstance(answer, Sent) for answer in answers) == 1
    assert sum(isinstance(answer, ResendTooSoon) for answer in answers) == 9
    assert await Message.all().count() == 1


async def test_another_code_does_not_end_the_one_before(gate: Gate) -> None:
    first = await send(gate)
    code = await last_code(gate)
    await send(gate, first.resend_at)

    assert await check(gate, first, code, first.resend_at)


async def test_nobody_s_contact_gets_no_message_and_no_code_is_right(gate: Gate) -> None:
    known = await send(gate)
    unknown = await send(gate, contact="+79261234568", deliver=False)

    message = await Message.all().order_by("-id").first()
    assert message is not None
    assert message.state is MessageState.WITHHELD
    # The text that was withheld is no key either.
    assert type(await refused(gate, unknown, await last_code(gate))) is CodeInvalid
    assert (unknown.expires_at, unknown.resend_at) == (known.expires_at, known.resend_at)
    with pytest.raises(ResendTooSoon):
        await send(gate, contact="+79261234568", deliver=False)


async def test_a_guess_may_not_be_taken_back_with_the_work_around_it(gate: Gate) -> None:
    sent = await send(gate)

    @unit_of_work
    async def inside() -> None:
        await check(gate, sent, "000000")

    with pytest.raises(RuntimeError):
        await inside()

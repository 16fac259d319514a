"""The second step of signing in: what waits for how long, what is raced, and what it costs."""

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from auth.challenges import ChallengeInvalid
from auth.gate import Gate
from auth.limits import TooManyAttempts
from auth.sent_codes import CodeInvalid
from auth.viewer import Viewer
from core.errors import Problem
from models.account import Account, AccountState, Session, SignInFailure, SignInMethod
from models.audit import AuditEntry
from models.factor import Challenge, SecondFactor, SentCode
from models.message import Message, MessageState
from models.role import Role
from resolvers import esia, passkey_sign_in, signatures
from resolvers.lockout import AccountLocked
from resolvers.pending import Pending, finish_pending, pending_account
from resolvers.recovery_codes import create_recovery_codes
from resolvers.second_step import SENDING, finish_sign_in, send_sign_in_code
from resolvers.sessions import SignedIn
from resolvers.sign_in import BadCredentials, sign_in
from tests import factories as make
from tests.auth import entrance
from tests.auth.entrance import PASSWORD, RIGHTS, Person, visitor
from tests.execution.test_query_counts import counted
from tests.factories import NOW

TOTP, SMS, RECOVERY_CODE = SecondFactor.TOTP, SecondFactor.SMS, SecondFactor.RECOVERY_CODE
MINUTE = timedelta(minutes=1)


@pytest.fixture
async def gate(database: str, tmp_path: Path) -> AsyncIterator[Gate]:
    gate = entrance.gate(tmp_path)
    yield gate
    gate.passwords.close()


def patient(gate: Gate) -> Gate:
    """One that counts failures, and makes nobody wait for them."""
    return replace(gate, limits=replace(gate.limits, failures=1_000, pause=timedelta(0)))


def test_a_hospital_behind_one_address_signs_in_at_the_change_of_its_shifts() -> None:
    """By what nobody guesses; a shift of hundreds comes within a quarter of an hour."""
    limits = (
        passkey_sign_in.ASKING,
        passkey_sign_in.SHOWING,
        signatures.ASKING,
        signatures.SHOWING,
        esia.BEGINNING,
        esia.FINISHING,
        SENDING,
    )
    assert {(one.times, one.window) for one in limits} == {(300, timedelta(minutes=15))}


async def begun(gate: Gate, person: Person) -> str:
    """The handle of a sign-in after the right password."""
    pending = await sign_in(visitor(), gate=gate, login=person.login, password=PASSWORD)
    assert isinstance(pending, Pending)
    return pending.handle


async def finish(gate: Gate, handle: str, factor: SecondFactor, code: str, **at: Any) -> SignedIn:
    viewer = visitor(**at)
    return await finish_sign_in(viewer, gate=gate, handle=handle, factor=factor, code=code)


async def codes_of(gate: Gate, person: Person) -> tuple[str, ...]:
    viewer = Viewer(rights=RIGHTS[Role.CITIZEN], now=NOW, account_id=person.account.id)
    return (await create_recovery_codes(viewer, gate=gate)).codes


async def sms_code(gate: Gate) -> str:
    """The digits that went out last."""
    message = await Message.filter(state=MessageState.QUEUED).order_by("-id").first()
    assert message is not None
    found = re.search(r"\d{6}", gate.vault.open(message.body_sealed))
    assert found is not None
    return found[0]


async def test_it_waits_for_ten_minutes(gate: Gate) -> None:
    person = await entrance.person(gate)
    handle = await begun(gate, person)

    at = NOW + 10 * MINUTE
    with pytest.raises(ChallengeInvalid) as late:
        await finish(gate, handle, TOTP, person.code(at), now=at)
    just = at - timedelta(seconds=1)
    entered = await finish(gate, handle, TOTP, person.code(just), now=just)

    assert late.value.field == "handle"
    assert entered.account.id == person.account.id
    assert (await Challenge.get()).used_at == just


@pytest.mark.parametrize("handle", ["", "x", "\0", "\ud800", "x" * 9_000])
async def test_a_handle_that_is_none_opens_nothing(gate: Gate, handle: str) -> None:
    with pytest.raises(ChallengeInvalid):
        await finish(gate, handle, TOTP, "123456")
    with pytest.raises(ChallengeInvalid):
        await send_sign_in_code(visitor(), gate=gate, handle=handle)
    assert await SignInFailure.all().count() == 0


@pytest.mark.parametrize(
    "change",
    [
        {"state": AccountState.CLOSED},
        {"state": AccountState.LOCKED, "locked_until": None},
        {"password_hash": "another"},
    ],
)
async def test_what_ends_an_account_or_its_password_ends_what_waits(
    gate: Gate, change: dict[str, Any]
) -> None:
    person = await entrance.person(gate)
    handle = await begun(gate, person)
    await Account.filter(id=person.account.id).update(**change)

    with pytest.raises(ChallengeInvalid):
        await finish(gate, handle, TOTP, person.code(NOW))
    with pytest.raises(ChallengeInvalid):
        await pending_account(visitor(), gate=gate, handle=handle)


async def test_another_factor_finishes_once_and_clears_what_failed_before(gate: Gate) -> None:
    person = await entrance.person(gate)
    handle = await begun(gate, person)
    with pytest.raises(CodeInvalid):
        await finish(gate, handle, TOTP, "12345")

    assert (await pending_account(visitor(), gate=gate, handle=handle)).id == person.account.id
    method = SignInMethod.SECOND_PASSKEY
    answers = await asyncio.gather(
        *(finish_pending(visitor(), gate=gate, handle=handle, method=method) for _ in range(50)),
        return_exceptions=True,
    )

    assert Counter(type(answer) for answer in answers) == {SignedIn: 1, ChallengeInvalid: 49}
    assert (await Session.get()).method is method
    assert await SignInFailure.all().count() == 0


async def test_a_lock_is_in_the_way_of_every_factor(gate: Gate) -> None:
    person = await entrance.person(gate)
    handle = await begun(gate, person)
    until = NOW + 9 * MINUTE
    locked = {"state": AccountState.LOCKED, "locked_until": until}
    await Account.filter(id=person.account.id).update(**locked)

    with pytest.raises(AccountLocked) as refused:
        await finish_pending(
            visitor(), gate=gate, handle=handle, method=SignInMethod.SECOND_PASSKEY
        )
    await finish_pending(
        visitor(until), gate=gate, handle=handle, method=SignInMethod.SECOND_PASSKEY
    )

    # Whoever is here has known the password.
    assert refused.value.values["public_id"] == person.account.public_id
    assert refused.value.values["until"] == until
    assert (await Account.get(id=person.account.id)).state is AccountState.ACTIVE


@pytest.mark.parametrize("factor", [TOTP, SMS, RECOVERY_CODE])
async def test_of_one_code_shown_fifty_times_at_once_one_opens(
    gate: Gate, factor: SecondFactor
) -> None:
    gate = patient(gate)
    person = await entrance.person(gate)
    await Account.filter(id=person.account.id).update(sms_factor=True)
    handles = [await begun(gate, person) for _ in range(50)]
    code = person.code(NOW)
    if factor is RECOVERY_CODE:
        code = (await codes_of(gate, person))[0]
    if factor is SMS:
        # One code, one sign-in: shown by fifty at once. Five guesses is all that it takes.
        handles = handles[:1] * 50
        await send_sign_in_code(visitor(), gate=gate, handle=handles[0])
        code = await sms_code(gate)

    answers = await asyncio.gather(
        *(finish(gate, handle, factor, code) for handle in handles), return_exceptions=True
    )

    found = Counter(type(answer).__name__ for answer in answers)
    others = {"CodeReused"} if factor is not SMS else {"CodeReused", "CodeExpired"}
    assert found["SignedIn"] == 1
    assert set(found) - {"ChallengeInvalid"} <= {"SignedIn", *others}
    assert await Session.all().count() == 1
    assert all(sent.tries <= 5 for sent in await SentCode.all())


@pytest.mark.parametrize("is_known", [True, False])
async def test_of_fifty_guesses_at_once_two_are_looked_at(gate: Gate, is_known: bool) -> None:
    person = await entrance.person(gate)
    login = person.login if is_known else "nobody@example.org"

    answers = await asyncio.gather(
        *(sign_in(visitor(), gate=gate, login=login, password="wrong") for _ in range(50)),
        return_exceptions=True,
    )

    assert Counter(type(answer) for answer in answers) == {BadCredentials: 2, TooManyAttempts: 48}


async def test_each_pause_is_twice_as_long_and_counts_from_the_last_failure(gate: Gate) -> None:
    person = await entrance.person(gate)
    seconds = timedelta(seconds=1)

    async def tried(after: int) -> tuple[str, Any]:
        with pytest.raises(Problem) as refused:
            then = visitor(NOW + after * seconds)
            await sign_in(then, gate=gate, login=person.login, password="wrong")
        return refused.value.code, refused.value.values.get("until")

    assert await tried(0) == ("BAD_CREDENTIALS", None)
    assert await tried(0) == ("BAD_CREDENTIALS", None)
    assert await tried(0) == ("TOO_MANY_ATTEMPTS", NOW + seconds)
    assert await tried(1) == ("BAD_CREDENTIALS", None)
    assert await tried(2) == ("TOO_MANY_ATTEMPTS", NOW + 3 * seconds)
    assert await tried(3) == ("BAD_CREDENTIALS", None)
    assert await tried(6) == ("TOO_MANY_ATTEMPTS", NOW + 7 * seconds)
    assert await tried(7) == ("BAD_CREDENTIALS", None)
    assert await tried(8) == ("ACCOUNT_LOCKED", NOW + 15 * MINUTE)


async def test_a_refusal_costs_the_same_statements_whether_or_not_there_is_an_account(
    gate: Gate,
) -> None:
    person = await entrance.person(gate)
    without_factor = await make.account(password_hash=person.account.password_hash)
    costs = []
    for login in (person.login, "nobody@example.org", str(without_factor.email)):
        steps = []
        for minute in range(6):
            then = visitor(NOW + minute * MINUTE, address="")
            with counted() as statements, pytest.raises((BadCredentials, AccountLocked)):
                await sign_in(then, gate=gate, login=login, password="wrong")
            steps.append([_shape(text) for text in statements])
        costs.append(steps)

    assert costs[0] == costs[1] == costs[2]
    # Each writes a lock and tells of it, in vain but for the fifth at somebody's account.
    assert costs[0][:5] == [costs[0][0]] * 5
    states = [message.state for message in await Message.all().order_by("id")]
    first, none, last = states[:5], states[5:10], states[10:]
    assert first == last == [MessageState.WITHHELD] * 4 + [MessageState.QUEUED]
    assert none == [MessageState.WITHHELD] * 5


def _shape(statement: str) -> str:
    found = re.search(
        r'(?s)^(SELECT|INSERT|UPDATE|DELETE).*?(?:FROM|INTO|UPDATE) ("\w+")', statement
    )
    return " ".join(found.groups()) if found else statement.split()[0]


async def test_a_refused_factor_is_written_down_without_its_code(gate: Gate) -> None:
    person = await entrance.person(gate)
    handle = await begun(gate, person)

    with pytest.raises(CodeInvalid):
        await finish(gate, handle, TOTP, "12345")

    entries = await AuditEntry.all().order_by("position")
    assert [(entry.action, entry.details) for entry in entries[1:]] == [
        ("FACTOR_ASKED_FOR", {}),
        ("SIGN_IN_FAILED", {"reason": "CODE_INVALID"}),
    ]


async def test_an_account_that_waits_says_so_to_whoever_has_shown_the_password(gate: Gate) -> None:
    person = await entrance.person(gate)
    handle = await begun(gate, person)
    for login in [str(person.account.phone)] * 5:
        gate = replace(gate, limits=replace(gate.limits, pause=timedelta(0)))
        with pytest.raises(BadCredentials):
            await sign_in(visitor(), gate=gate, login=login, password="wrong")

    with pytest.raises(AccountLocked) as refused:
        await finish(gate, handle, TOTP, person.code(NOW))

    assert refused.value.values["public_id"] == person.account.public_id
    assert refused.value.values["until"] == NOW + 15 * MINUTE


async def test_wrong_factors_lock_the_login_that_they_came_by(gate: Gate) -> None:
    gate = replace(gate, limits=replace(gate.limits, pause=timedelta(0)))
    person = await entrance.person(gate)
    handle = await begun(gate, person)
    for _ in range(5):
        with pytest.raises(CodeInvalid):
            await finish(gate, handle, TOTP, "12345")

    with pytest.raises(AccountLocked):
        await sign_in(visitor(), gate=gate, login=person.login, password=PASSWORD)


async def test_a_known_device_finishes_while_a_stranger_has_locked_the_account(gate: Gate) -> None:
    gate = replace(gate, limits=replace(gate.limits, pause=timedelta(0)))
    person = await entrance.person(gate)
    await Account.filter(id=person.account.id).update(sms_factor=True)
    handle = await begun(gate, person)
    before = visitor(NOW - 60 * MINUTE)
    first = await sign_in(
        before,
        gate=gate,
        login=person.login,
        password=PASSWORD,
        code=person.code(before.now),
    )
    assert isinstance(first, SignedIn)
    for _ in range(5):
        with pytest.raises(BadCredentials):
            await sign_in(visitor(), gate=gate, login=person.login, password="wrong")

    pending = await sign_in(
        visitor(),
        gate=gate,
        login=person.login,
        password=PASSWORD,
        device_token=first.device_token,
    )

    assert isinstance(pending, Pending)
    with pytest.raises(AccountLocked):
        await send_sign_in_code(visitor(), gate=gate, handle=handle)
    await send_sign_in_code(visitor(), gate=gate, handle=pending.handle)
    with pytest.raises(CodeInvalid):
        await finish(gate, pending.handle, TOTP, "12345")
    assert await finish(gate, pending.handle, SMS, await sms_code(gate))
    assert (await Account.get(id=person.account.id)).state is AccountState.LOCKED

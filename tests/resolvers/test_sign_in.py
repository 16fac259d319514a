"""Signing in: both factors, what a failure tells, and how many there may be."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from auth.devices import device_token
from auth.gate import Gate
from auth.limits import TooManyAttempts
from auth.passwords import Passwords
from auth.sent_codes import CodeInvalid, CodeReused
from auth.viewer import Cookies
from core.errors import Problem, Problems, Unavailable
from models.account import Account, AccountState, Session, SignInFailure
from models.audit import AuditEntry
from models.factor import SecondFactor
from models.message import Message, MessageState
from models.role import Role
from resolvers.accounts import unlock_account
from resolvers.factors import ClockSide, ClockSkew
from resolvers.lockout import AccountLocked
from resolvers.pending import Pending
from resolvers.second_factors import Offered
from resolvers.sessions import SignedIn
from resolvers.sign_in import BadCredentials, sign_in
from tests import factories as make
from tests.auth import entrance
from tests.auth.entrance import PASSWORD, Person
from tests.factories import NOW

WINDOW = timedelta(minutes=15)
# A failure counts for the login that was typed, and for the account.
COUNTED = 2
PHONE = "+79161234567"


@pytest.fixture
async def gate(database: str, tmp_path: Path) -> AsyncIterator[Gate]:
    """One that makes nobody wait for the next try but the lock."""
    gate = entrance.gate(tmp_path)
    yield replace(gate, limits=replace(gate.limits, pause=timedelta(0)))
    gate.passwords.close()


async def attempt(
    gate: Gate, person: Person, now: datetime = NOW, **values: Any
) -> SignedIn | Pending:
    """Signs in rightly, but for the values given."""
    viewer = entrance.visitor(now, values.pop("address", "192.0.2.1"))
    values = {
        "login": person.login,
        "password": PASSWORD,
        "code": person.code(now),
        **values,
    }
    return await sign_in(viewer, gate=gate, **values)


async def enter(gate: Gate, person: Person, now: datetime = NOW, **values: Any) -> SignedIn:
    signed_in = await attempt(gate, person, now, **values)
    assert isinstance(signed_in, SignedIn)
    return signed_in


async def fail(gate: Gate, person: Person, now: datetime = NOW, **values: Any) -> Problem:
    with pytest.raises(Problem) as failed:
        await enter(gate, person, now, **values)
    return failed.value


async def actions() -> list[str]:
    return [entry.action for entry in await AuditEntry.all().order_by("position")]


async def test_both_factors_open_a_session(gate: Gate) -> None:
    organisation = await make.organisation()
    person = await entrance.person(gate, organisation, Role.ADMIN, Role.DOCTOR)

    signed_in = await enter(gate, person)

    session = await Session.get()
    assert signed_in.session.id == session.id
    assert signed_in.held == (Role.DOCTOR, Role.ADMIN)
    assert (session.account_id, session.active_role) == (person.account.id, Role.DOCTOR)
    assert (session.started_at, session.seen_at) == (NOW, NOW)
    assert [session.expires_at, session.ended_at] == [NOW + timedelta(hours=12), None]
    assert (session.device, session.address) == ("Firefox", "192.0.2.1")
    claims = gate.signer.read(signed_in.access_token, NOW)
    assert (claims.session_id, claims.role) == (session.id, "DOCTOR")
    assert signed_in.access_expires_at == claims.expires_at
    assert await SignInFailure.all().count() == 0
    entry = await AuditEntry.get(action="SIGNED_IN")
    assert (entry.account_id, entry.subject_id, entry.organisation_id) == (
        person.account.id,
        session.id,
        organisation.id,
    )
    # ASVS 5.0, 16.3.1: with what was signed in.
    assert entry.details == {"role": "DOCTOR", "method": "TOTP"}


@pytest.mark.parametrize(
    "login",
    [
        "olga@example.org",
        "  OLGA@Example.ORG\n",
        "+79161234567",
        "89161234567",
        " 8 (916) 123-45-67 ",
        "7 916 123 45 67",
    ],
)
async def test_a_login_is_forgiven_spaces_case_and_the_eight(gate: Gate, login: str) -> None:
    person = await entrance.person(gate, email="olga@example.org", phone="+79161234567")

    assert (await enter(gate, person, login=login)).account.id == person.account.id


async def test_the_first_role_is_the_one_used_last_while_it_is_held(gate: Gate) -> None:
    organisation = await make.organisation()
    person = await entrance.person(gate, organisation, Role.DOCTOR, Role.ADMIN)

    await Account.filter(id=person.account.id).update(last_role=Role.ADMIN)
    first = await enter(gate, person)
    await Account.filter(id=person.account.id).update(last_role=Role.NURSE)
    second = await enter(gate, person, NOW + timedelta(minutes=1))

    assert (first.session.active_role, second.session.active_role) == (Role.ADMIN, Role.DOCTOR)
    assert (await Account.get(id=person.account.id)).last_role is Role.DOCTOR


async def test_a_wrong_password_is_written_down_and_nothing_else_happens(gate: Gate) -> None:
    organisation = await make.organisation()
    person = await entrance.person(gate, organisation, Role.DOCTOR)

    problem = await fail(gate, person, password="wrong horse battery")

    assert (type(problem), problem.field, problem.values) == (BadCredentials, "", {})
    assert await Session.all().count() == 0
    assert await SignInFailure.all().count() == COUNTED
    entry = await AuditEntry.get(action="SIGN_IN_FAILED")
    assert (entry.account_id, entry.role, entry.subject_id, entry.details) == (
        None,
        Role.VISITOR,
        person.account.id,
        {"reason": "PASSWORD"},
    )


@pytest.mark.parametrize(
    "login",
    [
        "nobody@example.org",
        "+79990000000",
        "nobody",
        "nobody of this name",
        "\0",
        "\ud800",
        "@",
        "x" * 9_000,
    ],
)
async def test_an_unknown_login_is_answered_like_a_wrong_password(gate: Gate, login: str) -> None:
    person = await entrance.person(gate)

    problem = await fail(gate, person, login=login)

    assert (type(problem), problem.field, problem.values) == (BadCredentials, "", {})
    assert (await AuditEntry.get(action="SIGN_IN_FAILED")).subject_id is None


@pytest.mark.parametrize(
    ("login", "password", "fields"),
    [("  ", "", ["login", "password"]), ("", "secret", ["login"]), ("a@b.org", "", ["password"])],
)
async def test_what_was_left_empty_is_named_and_counts_as_no_attempt(
    gate: Gate, login: str, password: str, fields: list[str]
) -> None:
    with pytest.raises(Problems) as raised:
        await sign_in(entrance.visitor(NOW, "192.0.2.1"), gate=gate, login=login, password=password)

    assert [(p.code, p.field) for p in raised.value.problems] == [("REQUIRED", f) for f in fields]
    assert await AuditEntry.all().count() == 0


@pytest.mark.parametrize("state", [AccountState.INVITED, AccountState.CLOSED, AccountState.LOCKED])
async def test_an_account_that_is_not_open_answers_like_a_wrong_password(
    gate: Gate, state: AccountState
) -> None:
    person = await entrance.person(gate)
    await Account.filter(id=person.account.id).update(state=state)

    for _ in range(5):
        assert type(await fail(gate, person)) is BadCredentials
    assert type(await fail(gate, person)) is AccountLocked
    assert (await Account.get(id=person.account.id)).state is state


async def test_an_account_without_a_factor_cannot_be_entered(gate: Gate) -> None:
    person = await entrance.person(gate)
    await Account.filter(id=person.account.id).update(totp_sealed=None)

    assert type(await fail(gate, person)) is BadCredentials


async def test_a_factor_is_waited_for_only_after_the_right_password(gate: Gate) -> None:
    person = await entrance.person(gate)

    for code in (None, ""):
        pending = await attempt(gate, person, code=code)
        assert isinstance(pending, Pending)
        assert pending.factors == (Offered(SecondFactor.TOTP),)
        assert pending.expires_at == NOW + timedelta(minutes=10)
    assert await SignInFailure.all().count() == 0
    assert type(await fail(gate, person, code=None, password="wrong")) is BadCredentials
    assert await SignInFailure.all().count() == COUNTED


async def test_beginning_again_and_again_locks_nobody(gate: Gate) -> None:
    person = await entrance.person(gate)

    for _ in range(10):
        assert isinstance(await attempt(gate, person, code=None), Pending)

    assert await enter(gate, person)


@pytest.mark.parametrize("typed", ["{0} {1}", " {0}{1}", "{0}-{1}", "{0}\u00a0{1}\n"])
async def test_a_code_is_forgiven_spaces_and_hyphens(gate: Gate, typed: str) -> None:
    person = await entrance.person(gate)
    code = person.code(NOW)

    await enter(gate, person, code=typed.format(code[:3], code[3:]))


@pytest.mark.parametrize("code", ["12345", "abcdef", "１２３４５６", "1234567", "\0"])
async def test_a_wrong_code_counts_as_a_failure(gate: Gate, code: str) -> None:
    person = await entrance.person(gate)

    problem = await fail(gate, person, code=code)

    assert (type(problem), problem.field) == (CodeInvalid, "code")
    assert await SignInFailure.all().count() == COUNTED
    assert (await AuditEntry.get(action="SIGN_IN_FAILED")).details == {"reason": "CODE_INVALID"}


async def test_a_code_works_once(gate: Gate) -> None:
    person = await entrance.person(gate)
    await enter(gate, person)

    problem = await fail(gate, person)

    assert (type(problem), problem.field) == (CodeReused, "code")
    assert await Session.all().count() == 1
    assert await SignInFailure.all().count() == COUNTED


async def test_of_one_code_sent_at_once_one_works(gate: Gate) -> None:
    person = await entrance.person(gate)

    answers = await asyncio.gather(*(enter(gate, person) for _ in range(4)), return_exceptions=True)

    assert sorted(type(answer).__name__ for answer in answers) == [
        "CodeReused",
        "CodeReused",
        "CodeReused",
        "SignedIn",
    ]
    assert await Session.all().count() == 1


@pytest.mark.parametrize("minutes", [-5, 5])
async def test_a_clock_that_is_off_is_diagnosed(gate: Gate, minutes: int) -> None:
    person = await entrance.person(gate)

    problem = await fail(gate, person, code=person.code(NOW + timedelta(minutes=minutes)))

    assert (type(problem), problem.field) == (ClockSkew, "code")
    side = ClockSide.AHEAD if minutes > 0 else ClockSide.BEHIND
    assert problem.values == {"seconds": abs(minutes) * 60, "side": side}
    assert await Session.all().count() == 0


async def test_a_code_that_was_told_of_before_its_time_opens_nothing_in_it(gate: Gate) -> None:
    """Whoever guessed it would only have to wait; whoever has the clock set right goes on."""
    person = await entrance.person(gate)
    told, moments = NOW + timedelta(minutes=2), (90, 120, 150)
    assert type(await fail(gate, person, code=person.code(told))) is ClockSkew

    await enter(gate, person, NOW + timedelta(seconds=30))
    for seconds in moments:
        now = NOW + timedelta(seconds=seconds)
        assert type(await fail(gate, person, now, code=person.code(told))) is CodeReused
    await enter(gate, person, told + timedelta(seconds=30))


class Busy(Passwords):
    """For which too many wait already."""

    async def verify(self, hashed: str | None, password: str) -> bool:
        raise Unavailable


async def test_what_was_not_compared_locks_nobody(gate: Gate) -> None:
    person = await entrance.person(gate)
    busy = replace(gate, passwords=Busy())
    for _ in range(5):
        with pytest.raises(Unavailable):
            await attempt(busy, person)
    busy.passwords.close()
    assert isinstance(await attempt(gate, person), SignedIn)


async def test_after_five_failures_even_the_right_password_waits(gate: Gate) -> None:
    person = await entrance.person(gate)
    for minute in range(5):
        now = NOW + timedelta(minutes=minute)
        assert type(await fail(gate, person, now, password="wrong")) is BadCredentials
    row = await Account.get(id=person.account.id)
    assert (row.state, row.locked_until) == (AccountState.LOCKED, NOW + WINDOW)

    for moment in (NOW + timedelta(minutes=5), NOW + WINDOW - timedelta(seconds=1)):
        problem = await fail(gate, person, moment)
        assert (type(problem), problem.field) == (AccountLocked, "")
        assert problem.values["until"] == NOW + WINDOW

    assert await enter(gate, person, NOW + WINDOW)
    row = await Account.get(id=person.account.id)
    assert [row.state, row.locked_until] == [AccountState.ACTIVE, None]
    assert (await actions()).count("SIGN_IN_LOCKED") == 1


async def test_the_account_counts_by_whichever_login_and_tells_nobody(gate: Gate) -> None:
    person = await entrance.person(gate, phone=PHONE)
    for login in (person.login, PHONE) * 2 + (person.login,):
        await fail(gate, person, login=login, password="wrong")
    row = await Account.get(id=person.account.id)
    assert (row.state, row.locked_until) == (AccountState.LOCKED, NOW + WINDOW)

    # Three failures by the one login and two by the other lock neither, and the right password is
    # refused as a wrong one is.
    for login in (person.login, PHONE):
        assert type(await fail(gate, person, login=login)) is BadCredentials
        assert type(await fail(gate, person, login=login, code=None)) is BadCredentials
    assert type(await fail(gate, person)) is AccountLocked
    entries = await AuditEntry.filter(action__startswith="SIGN_IN").order_by("position")
    reasons = [entry.details["reason"] for entry in entries]
    assert reasons == ["PASSWORD"] * 5 + ["ACCOUNT_LOCKED"] * 4

    # What was refused then has not made the account wait any longer.
    for login in (person.login, PHONE):
        assert await enter(gate, person, NOW + WINDOW, login=login)
        await Account.filter(id=person.account.id).update(totp_last_step=0)


async def test_a_login_is_told_its_own_lock_and_pause_alone(gate: Gate) -> None:
    person = await entrance.person(gate, phone=PHONE)
    for minute in range(5):
        await fail(gate, person, NOW + timedelta(minutes=minute), password="wrong")

    told = [await fail(gate, person, login=PHONE) for _ in range(6)]

    assert [type(problem) for problem in told] == [BadCredentials] * 5 + [AccountLocked]
    by_email = await fail(gate, person)
    assert [by_email.values["until"], told[5].values["until"]] == [NOW + WINDOW] * 2
    # Neither is the account's, so that nobody sees whose they are.
    ids = {by_email.values["public_id"], told[5].values["public_id"]}
    assert len(ids) == 2
    assert person.account.public_id not in ids


async def test_the_owner_is_told_of_a_lock_with_its_end_and_their_public_id(gate: Gate) -> None:
    person = await entrance.person(gate)
    for second in range(5):
        await fail(gate, person, NOW + timedelta(seconds=second + 2), password="wrong")

    (told,) = await Message.filter(state=MessageState.QUEUED)
    assert gate.vault.open(told.to_sealed) == person.login
    text = gate.vault.open(told.body_sealed)
    # It ends two seconds after that, and nobody is to come too soon.
    assert "до 12:16 02.03.2026 (Europe/Moscow)" in text
    assert person.account.public_id in text


async def test_the_owner_is_told_of_three_locks_a_day(gate: Gate) -> None:
    """Whoever guesses on and on would send them a message every quarter of an hour."""
    person = await entrance.person(gate)

    async def told_by(now: datetime) -> int:
        for lock in range(5):
            for _ in range(5):
                await fail(gate, person, now + lock * WINDOW, password="wrong")
        return await Message.filter(state=MessageState.QUEUED).count()

    assert await told_by(NOW) == 3
    assert await told_by(NOW + timedelta(days=1, minutes=45)) == 6


async def test_what_forgives_forgives_every_login(gate: Gate) -> None:
    organisation = await make.organisation()
    chief = await entrance.admin_of(organisation)
    person = await entrance.person(gate, organisation, phone=PHONE)
    logins = (person.login, PHONE)
    for login in logins * 5:
        await fail(gate, person, NOW - timedelta(minutes=1), login=login, password="wrong")

    await unlock_account(chief, id=person.account.id, reason="Позвонила сама", gate=gate)

    assert await SignInFailure.all().count() == 0
    for login in logins:
        assert await enter(gate, person, login=login)
        await Account.filter(id=person.account.id).update(totp_last_step=0)


async def test_by_two_logins_at_once_an_account_is_guessed_at_five_times(gate: Gate) -> None:
    person = await entrance.person(gate, phone=PHONE)

    await asyncio.gather(
        *(
            enter(gate, person, login=(person.login, PHONE)[number % 2], password=f"guess {number}")
            for number in range(20)
        ),
        return_exceptions=True,
    )

    looked_at = await AuditEntry.filter(action__startswith="SIGN_IN").order_by("position")
    reasons = [entry.details["reason"] for entry in looked_at]
    assert sorted(reasons) == ["ACCOUNT_LOCKED"] * 5 + ["PASSWORD"] * 5
    assert (await actions()).count("SIGN_IN_LOCKED") == 1


async def test_an_unknown_login_is_locked_exactly_alike(gate: Gate) -> None:
    person = await entrance.person(gate)
    logins = (person.login, "nobody@example.org", "NOBODY@example.org", "nobody2@example.org")
    for _ in range(5):
        for login in (logins[0], logins[1], logins[3]):
            assert type(await fail(gate, person, login=login, password="wrong")) is BadCredentials

    problems = [await fail(gate, person, login=login) for login in logins]

    assert {type(problem) for problem in problems} == {AccountLocked}
    assert {problem.values["until"] for problem in problems} == {NOW + WINDOW}
    ids = [str(problem.values["public_id"]) for problem in problems]
    assert person.account.public_id not in ids
    assert ids[1] == ids[2]
    assert len(set(ids)) == 3
    assert {tuple(len(part) for part in text.split("-")) for text in ids} == {(2, 4, 4)}


async def test_a_locked_login_counts_no_more_so_that_the_lock_passes(gate: Gate) -> None:
    person = await entrance.person(gate)
    for _ in range(5):
        await fail(gate, person, password="wrong")

    for _ in range(20):
        await fail(gate, person, NOW + WINDOW - timedelta(seconds=1), password="wrong")

    assert await enter(gate, person, NOW + WINDOW)


async def test_success_forgives_the_failures_before_it(gate: Gate) -> None:
    person = await entrance.person(gate)
    for round_ in range(3):
        now = NOW + timedelta(minutes=round_)
        for _ in range(4):
            assert type(await fail(gate, person, now, password="wrong")) is BadCredentials
        assert await enter(gate, person, now)


async def test_fifty_guesses_at_once_are_no_more_than_five(gate: Gate) -> None:
    person = await entrance.person(gate)

    answers = await asyncio.gather(
        *(
            enter(gate, person, password=f"guess number {number}", address=f"192.0.2.{number}")
            for number in range(50)
        ),
        return_exceptions=True,
    )

    names = [type(answer).__name__ for answer in answers]
    assert {name: names.count(name) for name in set(names)} == {
        "BadCredentials": 5,
        "AccountLocked": 45,
    }
    assert await SignInFailure.all().count() == 5 * COUNTED
    assert type(await fail(gate, person)) is AccountLocked


async def test_fifty_guesses_at_an_unknown_login_are_no_more_than_five(gate: Gate) -> None:
    person = await entrance.person(gate)

    answers = await asyncio.gather(
        *(enter(gate, person, login="nobody@example.org") for _ in range(50)),
        return_exceptions=True,
    )

    names = [type(answer).__name__ for answer in answers]
    assert {name: names.count(name) for name in set(names)} == {
        "BadCredentials": 5,
        "AccountLocked": 45,
    }


async def test_an_address_has_its_own_limit_and_others_go_on(gate: Gate) -> None:
    few = replace(gate, limits=replace(gate.limits, address_failures=6))
    person = await entrance.person(gate)
    for number in range(6):
        login = f"nobody{number}@example.org"
        assert type(await fail(few, person, login=login)) is BadCredentials

    problem = await fail(few, person)

    assert (type(problem), problem.values) == (TooManyAttempts, {"until": NOW + WINDOW})
    assert await enter(few, person, address="192.0.2.99")


async def test_a_sixth_session_ends_the_oldest(gate: Gate) -> None:
    person = await entrance.person(gate)
    sessions = [
        (await enter(gate, person, NOW + timedelta(minutes=minute))).session for minute in range(6)
    ]

    rows = {row.id: row.ended_at for row in await Session.all()}
    assert [rows[session.id] for session in sessions] == [NOW + timedelta(minutes=5)] + [None] * 5
    assert (await AuditEntry.get(action="SESSION_ENDED")).details == {"reason": "TOO_MANY"}


async def test_idle_sessions_give_way_without_counting(gate: Gate) -> None:
    person = await entrance.person(gate)
    for minute in range(5):
        await enter(gate, person, NOW + timedelta(minutes=minute))

    await enter(gate, person, NOW + timedelta(minutes=17))

    assert await Session.filter(ended_at__isnull=False).count() == 0


async def device_of(gate: Gate, person: Person) -> str:
    """The token that a device keeps of a sign-in an hour ago."""
    token = (await enter(gate, person, NOW - timedelta(hours=1))).device_token
    assert token is not None
    return token


async def locked_by_a_stranger(gate: Gate, person: Person) -> None:
    for _ in range(5):
        await fail(gate, person, password="wrong", address="198.51.100.9")
    assert type(await fail(gate, person, password="wrong")) is AccountLocked


async def test_a_device_that_signed_in_before_is_not_held_up_by_a_stranger(gate: Gate) -> None:
    person = await entrance.person(gate)
    token = await device_of(gate, person)
    await locked_by_a_stranger(gate, person)

    assert await enter(gate, person, device_token=token)

    # The lock stays for whom it is for, and the stranger has got no more guesses.
    row = await Account.get(id=person.account.id)
    assert (row.state, row.locked_until) == (AccountState.LOCKED, NOW + WINDOW)
    assert type(await fail(gate, person)) is AccountLocked


async def test_a_browser_keeps_the_token_in_its_cookie(gate: Gate) -> None:
    person = await entrance.person(gate)
    token = await device_of(gate, person)
    await locked_by_a_stranger(gate, person)

    viewer = entrance.visitor()._replace(cookies=Cookies(device=token))
    signed_in = await sign_in(
        viewer, gate=gate, login=person.login, password=PASSWORD, code=person.code(NOW)
    )

    assert isinstance(signed_in, SignedIn)


async def test_a_known_device_has_five_guesses_of_its_own_and_then_is_like_any_other(
    gate: Gate,
) -> None:
    person = await entrance.person(gate)
    token = await device_of(gate, person)

    answers = await asyncio.gather(
        *(enter(gate, person, password=f"guess {n}", device_token=token) for n in range(30)),
        return_exceptions=True,
    )

    names = [type(answer).__name__ for answer in answers]
    assert (names.count("BadCredentials"), names.count("AccountLocked")) == (10, 20)
    assert (await actions()).count("SIGN_IN_LOCKED") == 1


async def test_guesses_of_a_known_device_lock_nobody_else(gate: Gate) -> None:
    person = await entrance.person(gate)
    token = await device_of(gate, person)
    for _ in range(5):
        assert type(await fail(gate, person, password="wrong", device_token=token)) is (
            BadCredentials
        )

    assert (await Account.get(id=person.account.id)).state is AccountState.ACTIVE
    assert await enter(gate, person)


async def test_what_a_device_failed_before_is_forgiven_when_it_succeeds(gate: Gate) -> None:
    person = await entrance.person(gate)
    token = await device_of(gate, person)
    for round_ in range(3):
        now = NOW + timedelta(minutes=round_)
        for _ in range(4):
            await fail(gate, person, now, password="wrong", device_token=token)
        assert await enter(gate, person, now, device_token=token)
    assert await SignInFailure.all().count() == 0


@pytest.mark.parametrize("whose", ["another's", "old", "nonsense"])
async def test_a_token_that_is_no_device_of_the_account_counts_for_nothing(
    gate: Gate, whose: str
) -> None:
    person = await entrance.person(gate)
    token = {
        "another's": await device_of(gate, await entrance.person(gate)),
        "old": device_token(gate.hashes, person.account.id, NOW - timedelta(days=180)),
        "nonsense": "x.1.y",
    }[whose]
    await locked_by_a_stranger(gate, person)

    assert type(await fail(gate, person, device_token=token)) is AccountLocked
    # Nor of an account that nobody has.
    problem = await fail(gate, person, login="nobody@example.org", device_token=token)
    assert type(problem) is BadCredentials

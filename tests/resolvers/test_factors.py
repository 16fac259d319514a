"""The second factor shown again: it makes the session fresh, once for each code."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from auth.gate import Gate
from auth.limits import TooManyAttempts
from auth.passwords import Passwords
from auth.sent_codes import CodeInvalid, CodeReused
from auth.sessions import SessionExpired
from auth.viewer import Cookies, Viewer
from core.errors import Problems
from models.account import Account, Session, SignInMethod
from models.audit import AuditEntry
from models.change import Change, ChangeKind
from models.database import unit_of_work
from models.role import Role
from resolvers.factors import ClockSkew, confirm_factor
from resolvers.forms import Required
from resolvers.own_password import PasswordWrong
from resolvers.sessions import SignedIn, open_session, script_token, sign_out
from tests import factories as make
from tests.auth import entrance
from tests.auth.entrance import PASSWORD, RIGHTS, Person, visitor
from tests.factories import NOW

LATER = NOW + timedelta(minutes=12)
MINUTE = timedelta(minutes=1)


@pytest.fixture
async def gate(database: str, tmp_path: Path) -> AsyncIterator[Gate]:
    gate = entrance.gate(tmp_path)
    yield gate
    gate.passwords.close()


async def signed_in(gate: Gate) -> tuple[Person, SignedIn]:
    person = await entrance.person(gate, await make.organisation(), Role.DOCTOR)
    return person, await open_session(visitor(), gate=gate, account=person.account)


def viewer_of(opened: SignedIn, now: datetime = LATER) -> Viewer:
    return Viewer(
        rights=RIGHTS[Role.DOCTOR],
        now=now,
        account_id=opened.account.id,
        session_id=opened.session.id,
        held=opened.held,
    )


async def confirms(viewer: Viewer, gate: Gate, *, code: str, password: str = PASSWORD) -> SignedIn:
    return await confirm_factor(viewer, gate=gate, password=password, code=code)


async def test_a_session_begins_fresh_by_what_opened_it_and_a_script_s_never_is(gate: Gate) -> None:
    person, opened = await signed_in(gate)
    browser = visitor()._replace(cookies=Cookies())
    by_passkey = await open_session(
        browser, gate=gate, account=person.account, method=SignInMethod.PASSKEY
    )
    await script_token(visitor(), gate=gate, account=person.account, role=Role.DOCTOR)

    rows = await Session.all().order_by("id")
    assert [(row.method, row.factor_at, row.in_cookies) for row in rows] == [
        (SignInMethod.TOTP, NOW, False),
        (SignInMethod.PASSKEY, NOW, True),
        (SignInMethod.SCRIPT, None, False),
    ]
    assert [opened.session.id, by_passkey.session.id] == [row.id for row in rows[:2]]


async def test_a_code_makes_the_session_fresh_and_others_hear_of_it(gate: Gate) -> None:
    person, opened = await signed_in(gate)

    await confirms(viewer_of(opened), gate, code=person.code(LATER))

    assert (await Session.get()).factor_at == LATER
    change = await Change.all().order_by("-id").first()
    assert change is not None
    assert (change.kind, change.account_id) == (ChangeKind.SESSION, person.account.id)
    assert await AuditEntry.filter(action="FACTOR_CONFIRMED").count() == 1


async def test_a_wrong_code_leaves_it_as_it_was(gate: Gate) -> None:
    person, opened = await signed_in(gate)

    with pytest.raises(CodeInvalid) as wrong:
        await confirms(viewer_of(opened), gate, code="12345")
    with pytest.raises(ClockSkew):
        await confirms(viewer_of(opened), gate, code=person.code(LATER + 3 * MINUTE))

    assert wrong.value.field == "code"
    assert (await Session.get()).factor_at == NOW
    refusals = await AuditEntry.filter(action="FACTOR_REFUSED").order_by("position")
    assert [entry.details["reason"] for entry in refusals] == ["CODE_INVALID", "CLOCK_SKEW"]


async def test_a_code_without_the_password_is_not_looked_at(gate: Gate) -> None:
    """Whoever holds the session and the telephone, as on a desk, is not its owner yet."""
    person, opened = await signed_in(gate)
    viewer, code = viewer_of(opened), person.code(LATER)

    with pytest.raises(PasswordWrong) as wrong:
        await confirms(viewer, gate, code=code, password="не тот пароль 42")
    with pytest.raises(Problems) as empty:
        await confirms(viewer, gate, code="", password="")

    assert wrong.value.field == "password"
    assert [(type(one), one.field) for one in empty.value.problems] == [
        (Required, "password"),
        (Required, "code"),
    ]
    assert (await Session.get()).factor_at == NOW
    assert (await AuditEntry.get(action="FACTOR_REFUSED")).details == {"reason": "PASSWORD_WRONG"}
    await confirms(viewer, gate, code=code)


class ChangedMeanwhile(Passwords):
    """The owner sets another password while one is verified."""

    async def verify(self, hashed: str | None, password: str) -> bool:
        is_right = await super().verify(hashed, password)
        await self._set_another()
        return is_right

    @unit_of_work
    async def _set_another(self) -> None:
        await Account.all().update(password_hash="another")


async def test_a_password_that_is_changed_meanwhile_is_wrong(gate: Gate) -> None:
    person, opened = await signed_in(gate)
    passwords = ChangedMeanwhile()

    with pytest.raises(PasswordWrong):
        await confirms(
            viewer_of(opened), replace(gate, passwords=passwords), code=person.code(LATER)
        )

    assert (await Session.get()).factor_at == NOW
    passwords.close()


async def test_fifty_guesses_at_the_password_are_five(gate: Gate) -> None:
    person, opened = await signed_in(gate)
    guess = {"code": person.code(LATER), "password": "не тот пароль 42"}

    answers = await asyncio.gather(
        *(confirms(viewer_of(opened), gate, **guess) for _ in range(50)), return_exceptions=True
    )

    names = [type(answer) for answer in answers]
    assert (names.count(PasswordWrong), names.count(TooManyAttempts)) == (5, 45)


async def test_a_code_that_was_told_of_before_its_time_is_shown_in_vain_in_it(gate: Gate) -> None:
    person, opened = await signed_in(gate)
    code = person.code(LATER + 2 * MINUTE)
    with pytest.raises(ClockSkew):
        await confirms(viewer_of(opened), gate, code=code)

    with pytest.raises(CodeReused):
        await confirms(viewer_of(opened, LATER + 2 * MINUTE), gate, code=code)


async def test_of_two_who_show_one_code_at_once_one_is_right(gate: Gate) -> None:
    person, opened = await signed_in(gate)
    code = person.code(LATER)

    answers = await asyncio.gather(
        *(confirms(viewer_of(opened), gate, code=code) for _ in range(2)),
        return_exceptions=True,
    )

    assert sorted(type(answer).__name__ for answer in answers) == ["CodeReused", "SignedIn"]
    with pytest.raises(CodeReused):
        await confirms(viewer_of(opened), gate, code=code)


async def test_of_fifty_guesses_at_once_five_are_looked_at(gate: Gate) -> None:
    person, opened = await signed_in(gate)

    answers = await asyncio.gather(
        *(confirms(viewer_of(opened), gate, code="12345") for _ in range(50)),
        return_exceptions=True,
    )

    names = [type(answer) for answer in answers]
    assert (names.count(CodeInvalid), names.count(TooManyAttempts)) == (5, 45)
    with pytest.raises(TooManyAttempts):
        await confirms(viewer_of(opened), gate, code=person.code(LATER))


async def test_a_right_code_begins_the_count_anew(gate: Gate) -> None:
    person, opened = await signed_in(gate)
    for _ in range(4):
        with pytest.raises(CodeInvalid):
            await confirms(viewer_of(opened), gate, code="12345")
    await confirms(viewer_of(opened), gate, code=person.code(LATER))

    for _ in range(5):
        with pytest.raises(CodeInvalid):
            await confirms(viewer_of(opened), gate, code="12345")


async def test_a_session_that_has_ended_is_not_made_fresh(gate: Gate) -> None:
    person, opened = await signed_in(gate)
    await sign_out(viewer_of(opened))

    with pytest.raises(SessionExpired):
        await confirms(viewer_of(opened), gate, code=person.code(LATER))
    assert (await Session.get()).factor_at == NOW

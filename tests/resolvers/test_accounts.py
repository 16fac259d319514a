"""Accounts: made, and unlocked."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from auth.gate import Gate
from auth.passwords import PasswordWeak
from auth.rows import NotFound
from models.account import Account, AccountState
from models.audit import AuditEntry
from models.identifiers import PhoneInvalid
from resolvers.accounts import (
    LoginRequired,
    create_account,
    unlock_account,
)
from resolvers.forms import IdentityUnavailable
from resolvers.sign_in import BadCredentials, sign_in
from tests import factories as make
from tests.auth import entrance
from tests.auth.entrance import PASSWORD, visitor
from tests.factories import NOW

REASON = "Позвонил и назвал себя"
SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"


@pytest.fixture
async def gate(database: str, tmp_path: Path) -> AsyncIterator[Gate]:
    gate = entrance.gate(tmp_path)
    yield gate
    gate.passwords.close()


async def test_an_account_keeps_no_secret_in_the_open(gate: Gate) -> None:
    organisation = await make.organisation()

    account = await create_account(
        visitor(),
        gate=gate,
        password=PASSWORD,
        totp_secret=SECRET,
        email=" Olga@Example.org",
        phone="8 916 123-45-67",
        organisation_id=organisation.id,
        is_demo=True,
    )

    row = await Account.get(id=account.id)
    assert (row.email, row.phone, row.organisation_id, row.is_demo) == (
        "olga@example.org",
        "+79161234567",
        organisation.id,
        True,
    )
    assert (row.state, row.confirmed_at, row.password_changed_at) == (AccountState.ACTIVE, NOW, NOW)
    assert row.totp_sealed is not None
    assert row.password_hash is not None
    assert SECRET not in row.totp_sealed
    assert gate.vault.open(row.totp_sealed) == SECRET
    assert await gate.passwords.verify(row.password_hash, PASSWORD)
    assert (await AuditEntry.get()).action == "ACCOUNT_CREATED"


@pytest.mark.parametrize("contact", [{"email": "olga@example.org"}, {"phone": "+79161234567"}])
async def test_a_contact_serves_one_account(gate: Gate, contact: dict[str, str]) -> None:
    values: dict[str, Any] = {"gate": gate, "password": PASSWORD, "totp_secret": SECRET, **contact}
    await create_account(visitor(), **values)

    with pytest.raises(IdentityUnavailable) as refused:
        await create_account(visitor(), **values)

    assert [refused.value.field] == list(contact)
    assert await Account.all().count() == 1


async def test_a_bad_account_is_not_made(gate: Gate) -> None:
    with pytest.raises(LoginRequired):
        await create_account(visitor(), gate=gate, password=PASSWORD, totp_secret=SECRET)
    with pytest.raises(PhoneInvalid):
        await create_account(
            visitor(), gate=gate, password=PASSWORD, totp_secret=SECRET, phone="12"
        )
    with pytest.raises(PasswordWeak):
        await create_account(
            visitor(), gate=gate, password="qwerty12", totp_secret=SECRET, email="a@example.org"
        )
    assert await Account.all().count() == 0


async def test_an_unlocked_account_is_entered_at_once(gate: Gate) -> None:
    organisation = await make.organisation()
    chief = await entrance.admin_of(organisation)
    person = await entrance.person(gate, organisation)
    for minute in range(-5, 0):
        then = visitor(NOW + timedelta(minutes=minute))
        with pytest.raises(BadCredentials):
            await sign_in(then, gate=gate, login=person.login, password="wrong")

    unlocked = await unlock_account(chief, id=person.account.id, reason=REASON, gate=gate)

    assert [unlocked.state, unlocked.locked_until] == [AccountState.ACTIVE, None]
    assert (await Account.get(id=person.account.id)).state is AccountState.ACTIVE
    assert await AuditEntry.filter(
        action="ACCOUNT_UNLOCKED", subject_id=person.account.id, account_id=chief.account_id
    ).exists()
    assert await sign_in(
        visitor(), gate=gate, login=person.login, password=PASSWORD, code=person.code(NOW)
    )


async def test_a_closed_account_is_not_opened_by_unlocking(gate: Gate) -> None:
    organisation = await make.organisation()
    chief = await entrance.admin_of(organisation)
    account = await make.account(organisation, state=AccountState.CLOSED)

    unlocked = await unlock_account(chief, id=account.id, reason=REASON, gate=gate)

    assert unlocked.state is AccountState.CLOSED


async def test_a_strangers_account_is_not_found(gate: Gate) -> None:
    chief = await entrance.admin_of(await make.organisation())
    account = await make.account(await make.organisation())

    with pytest.raises(NotFound):
        await unlock_account(chief, id=account.id, reason=REASON, gate=gate)

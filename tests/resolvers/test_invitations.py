"""Invitations: a code that works once, for three days."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyotp
import pytest

from auth.gate import Gate
from auth.passwords import PasswordWeak
from auth.rows import NotFound
from models.account import Account, AccountState, Invitation
from models.audit import AuditEntry
from models.grant import RoleGrant
from models.identifiers import EmailInvalid
from models.practitioner import Practitioner
from models.role import Role
from resolvers.accounts import LoginRequired
from resolvers.forms import IdentityUnavailable
from resolvers.grants import RoleNotGrantable
from resolvers.invitations import AccountExists, InvitationInvalid, accept_invitation, invite
from resolvers.sessions import SignedIn
from resolvers.sign_in import BadCredentials, sign_in
from tests import factories as make
from tests.auth import entrance
from tests.auth.entrance import PASSWORD, visitor
from tests.factories import NOW


@pytest.fixture
async def gate(database: str, tmp_path: Path) -> AsyncIterator[Gate]:
    gate = entrance.gate(tmp_path)
    yield gate
    gate.passwords.close()


async def hired(**values: Any) -> tuple[Any, Practitioner]:
    """The head admin of a hospital, and a worker who has no account."""
    organisation = await make.organisation()
    ward = await make.department(organisation)
    return await entrance.admin_of(organisation), await make.practitioner(ward, **values)


async def test_an_invited_worker_opens_the_account_and_signs_in(gate: Gate) -> None:
    chief, worker = await hired(personal_email="olga@example.org")

    invited = await invite(chief, practitioner_id=worker.id, role=Role.NURSE)
    account = await Account.get(id=invited.account.id)
    assert [account.state, account.email, account.password_hash] == [
        AccountState.INVITED,
        "olga@example.org",
        None,
    ]
    assert (await Practitioner.get(id=worker.id)).account_id == account.id
    assert (await RoleGrant.get(account=account)).role is Role.NURSE
    assert (await Invitation.get()).expires_at == NOW + timedelta(hours=72)

    accepted = await accept_invitation(visitor(), gate=gate, code=invited.code, password=PASSWORD)
    account = await Account.get(id=account.id)
    assert (account.state, account.confirmed_at) == (AccountState.ACTIVE, NOW)
    assert account.totp_sealed is not None
    assert accepted.totp_secret not in account.totp_sealed
    secret = pyotp.parse_uri(accepted.totp_uri)
    assert isinstance(secret, pyotp.TOTP)
    signed_in = await sign_in(
        visitor(),
        gate=gate,
        login="OLGA@example.org",
        password=PASSWORD,
        code=secret.at(NOW),
    )
    assert isinstance(signed_in, SignedIn)
    assert (signed_in.account.id, signed_in.held) == (account.id, (Role.NURSE,))
    entries = await AuditEntry.all().order_by("position")
    assert [(entry.action, entry.about_id) for entry in entries] == [
        ("ROLE_GRANTED", worker.id),
        ("INVITED", worker.id),
        ("INVITATION_ACCEPTED", worker.id),
        ("SIGNED_IN", worker.id),
    ]
    assert all(invited.code not in str(entry.details) for entry in entries)


async def test_a_code_is_read_as_people_type_it(gate: Gate) -> None:
    chief, worker = await hired(personal_email="olga@example.org")
    invited = await invite(chief, practitioner_id=worker.id, role=Role.NURSE)
    typed = f"  {invited.code.lower().replace('-', ' ').replace('0', 'o').replace('1', 'l')} "

    accepted = await accept_invitation(visitor(), gate=gate, code=typed, password=PASSWORD)

    assert accepted.account.id == invited.account.id


async def test_a_code_works_once(gate: Gate) -> None:
    chief, worker = await hired(personal_email="olga@example.org")
    invited = await invite(chief, practitioner_id=worker.id, role=Role.NURSE)

    answers = await asyncio.gather(
        *(
            accept_invitation(visitor(), gate=gate, code=invited.code, password=PASSWORD)
            for _ in range(5)
        ),
        return_exceptions=True,
    )

    assert (
        sorted(type(answer).__name__ for answer in answers)
        == ["Accepted"] + ["InvitationInvalid"] * 4
    )


async def test_a_code_ends_after_three_days(gate: Gate) -> None:
    chief, worker = await hired(personal_email="olga@example.org")
    invited = await invite(chief, practitioner_id=worker.id, role=Role.NURSE)

    with pytest.raises(InvitationInvalid) as refused:
        await accept_invitation(
            visitor(NOW + timedelta(hours=72)), gate=gate, code=invited.code, password=PASSWORD
        )

    assert refused.value.field == "code"


@pytest.mark.parametrize("code", ["", "IN-0000-0000-0000-0000", "\0", "\ud800"])
async def test_an_unknown_code_is_refused(gate: Gate, code: str) -> None:
    with pytest.raises(InvitationInvalid):
        await accept_invitation(visitor(), gate=gate, code=code, password=PASSWORD)


async def test_a_new_invitation_ends_the_one_before(gate: Gate) -> None:
    chief, worker = await hired(personal_email="olga@example.org")
    first = await invite(chief, practitioner_id=worker.id, role=Role.NURSE)
    second = await invite(chief, practitioner_id=worker.id, role=Role.NURSE)

    assert first.account.id == second.account.id
    assert await RoleGrant.filter(account_id=first.account.id).count() == 1
    with pytest.raises(InvitationInvalid):
        await accept_invitation(visitor(), gate=gate, code=first.code, password=PASSWORD)
    assert await accept_invitation(visitor(), gate=gate, code=second.code, password=PASSWORD)
    with pytest.raises(AccountExists):
        await invite(chief, practitioner_id=worker.id, role=Role.NURSE)


async def test_a_weak_password_leaves_the_code_good(gate: Gate) -> None:
    chief, worker = await hired(personal_email="olga@example.org")
    invited = await invite(chief, practitioner_id=worker.id, role=Role.NURSE)

    with pytest.raises(PasswordWeak):
        await accept_invitation(visitor(), gate=gate, code=invited.code, password="Password1")

    assert await accept_invitation(visitor(), gate=gate, code=invited.code, password=PASSWORD)


async def test_a_worker_without_contacts_names_one(gate: Gate) -> None:
    chief, worker = await hired()
    invited = await invite(chief, practitioner_id=worker.id, role=Role.NURSE)
    accept: dict[str, Any] = {"gate": gate, "code": invited.code, "password": PASSWORD}

    with pytest.raises(LoginRequired):
        await accept_invitation(visitor(), **accept)
    with pytest.raises(EmailInvalid):
        await accept_invitation(visitor(), **accept, email="nonsense")
    accepted = await accept_invitation(visitor(), **accept, phone="8 916 123 45 67")

    assert accepted.account.phone == "+79161234567"


async def test_a_contact_that_serves_another_account_is_left_out(gate: Gate) -> None:
    chief, worker = await hired(personal_phone="+79161234567")
    await make.account(phone="+79161234567", email="first@example.org")

    invited = await invite(chief, practitioner_id=worker.id, role=Role.NURSE)

    assert invited.account.phone is None
    accept: dict[str, Any] = {"gate": gate, "code": invited.code, "password": PASSWORD}
    for taken in ({"phone": "+79161234567"}, {"email": "first@example.org"}):
        with pytest.raises(IdentityUnavailable) as refused:
            await accept_invitation(visitor(), **accept, **taken)
        assert [refused.value.field] == list(taken)


async def test_one_is_invited_by_those_who_see_and_may_grant(gate: Gate) -> None:
    _, worker = await hired()
    stranger, _ = await hired()

    with pytest.raises(NotFound):
        await invite(stranger, practitioner_id=worker.id, role=Role.NURSE)
    assert await Account.filter(state=AccountState.INVITED).count() == 0


async def test_nothing_is_made_when_the_role_cannot_be_granted(gate: Gate) -> None:
    chief, worker = await hired()

    with pytest.raises(RoleNotGrantable):
        await invite(chief, practitioner_id=worker.id, role=Role.CITIZEN)

    assert await Account.filter(state=AccountState.INVITED).count() == 0
    assert (await Practitioner.get(id=worker.id)).account_id is None


async def test_an_invited_account_cannot_be_signed_in_to(gate: Gate) -> None:
    chief, worker = await hired(personal_email="olga@example.org")
    await invite(chief, practitioner_id=worker.id, role=Role.NURSE)

    with pytest.raises(BadCredentials):
        await sign_in(visitor(), gate=gate, login="olga@example.org", password=" ", code="000000")

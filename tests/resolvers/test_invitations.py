"""Invitations: a code that works once, for three days, and a contact whose code came back."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyotp
import pytest

from auth.gate import Gate
from auth.limits import TooManyAttempts
from auth.rows import NotFound
from auth.sent_codes import ResendTooSoon, Sent
from core.errors import Problems
from models.account import Account, AccountState, Invitation
from models.audit import AuditEntry
from models.factor import SentCode
from models.grant import RoleGrant
from models.message import Message
from models.practitioner import Practitioner
from models.role import Role
from resolvers.forms import IdentityUnavailable
from resolvers.grants import RoleNotGrantable
from resolvers.invitations import (
    Accepted,
    AccountExists,
    Invited,
    accept_invitation,
    begin_invitation,
    invite,
)
from resolvers.sessions import SignedIn
from resolvers.sign_in import BadCredentials, sign_in
from tests import factories as make
from tests.attacks.codes import last_code
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


async def invited_nurse() -> Invited:
    chief, worker = await hired()
    return await invite(chief, practitioner_id=worker.id, role=Role.NURSE)


EMAIL, PHONE = "olga@example.org", "+79161234567"


async def named(gate: Gate, code: str, contact: str = EMAIL, now: datetime = NOW) -> dict[str, Any]:
    """What accepting needs of a contact: its handle, and the code that came to it."""
    sent = await begin_invitation(visitor(now), gate=gate, code=code, contact=contact)
    return {"handle": sent.handle, "contact_code": await last_code(gate)}


async def accept(gate: Gate, code: str, contact: str = EMAIL) -> Accepted:
    """Both steps."""
    given = await named(gate, code, contact)
    return await accept_invitation(visitor(), gate=gate, code=code, password=PASSWORD, **given)


def told(refused: pytest.ExceptionInfo[Problems]) -> list[tuple[str, str]]:
    return [(problem.code, problem.field) for problem in refused.value.problems]


async def test_an_invited_worker_opens_the_account_and_signs_in(gate: Gate) -> None:
    chief, worker = await hired(personal_email=EMAIL)

    invited = await invite(chief, practitioner_id=worker.id, role=Role.NURSE)
    account = await Account.get(id=invited.account.id)
    assert [account.state, account.email, account.password_hash] == [
        AccountState.INVITED,
        None,
        None,
    ]
    assert (await Practitioner.get(id=worker.id)).account_id == account.id
    assert (await RoleGrant.get(account=account)).role is Role.NURSE
    assert (await Invitation.get()).expires_at == NOW + timedelta(hours=72)

    accepted = await accept(gate, invited.code)
    account = await Account.get(id=account.id)
    assert (account.state, account.confirmed_at) == (AccountState.ACTIVE, NOW)
    assert [account.email, account.email_confirmed_at, account.phone] == [EMAIL, NOW, None]
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
        ("INVITATION_BEGUN", None),
        ("INVITATION_ACCEPTED", worker.id),
        ("SIGNED_IN", worker.id),
    ]
    assert all(invited.code not in str(entry.details) for entry in entries)


async def test_a_code_is_read_as_people_type_it(gate: Gate) -> None:
    invited = await invited_nurse()
    typed = f"  {invited.code.lower().replace('-', ' ').replace('0', 'o').replace('1', 'l')} "

    assert (await accept(gate, typed)).account.id == invited.account.id


async def test_a_code_works_once(gate: Gate) -> None:
    code = (await invited_nurse()).code
    given = await named(gate, code)

    answers = await asyncio.gather(
        *(
            accept_invitation(visitor(), gate=gate, code=code, password=PASSWORD, **given)
            for _ in range(5)
        ),
        return_exceptions=True,
    )

    assert sum(isinstance(answer, Accepted) for answer in answers) == 1
    assert await Account.filter(state=AccountState.ACTIVE, email=EMAIL).count() == 1
    with pytest.raises(Problems) as refused:
        await named(gate, code)
    assert told(refused) == [("INVITATION_INVALID", "code")]


async def test_a_code_ends_after_three_days(gate: Gate) -> None:
    code = (await invited_nurse()).code
    late = NOW + timedelta(hours=72)
    given = await named(gate, code, now=late - timedelta(minutes=1))

    for step in (
        begin_invitation(visitor(late), gate=gate, code=code, contact=EMAIL),
        accept_invitation(visitor(late), gate=gate, code=code, password=PASSWORD, **given),
    ):
        with pytest.raises(Problems) as refused:
            await step
        assert told(refused) == [("INVITATION_INVALID", "code")]


@pytest.mark.parametrize("code", ["", "IN-0000-0000-0000-0000", "\0", "\ud800"])
async def test_an_unknown_code_is_refused(gate: Gate, code: str) -> None:
    with pytest.raises(Problems) as refused:
        await begin_invitation(visitor(), gate=gate, code=code, contact="")
    assert told(refused) == [("INVITATION_INVALID", "code"), ("REQUIRED", "contact")]

    given = {"handle": "x", "contact_code": "000000", "password": "Password1"}
    with pytest.raises(Problems) as refused:
        await accept_invitation(visitor(), gate=gate, code=code, **given)
    assert told(refused) == [("INVITATION_INVALID", "code"), ("PASSWORD_WEAK", "password")]


async def test_a_new_invitation_ends_the_one_before(gate: Gate) -> None:
    chief, worker = await hired()
    first = await invite(chief, practitioner_id=worker.id, role=Role.NURSE)
    second = await invite(chief, practitioner_id=worker.id, role=Role.NURSE)

    assert first.account.id == second.account.id
    assert await RoleGrant.filter(account_id=first.account.id).count() == 1
    with pytest.raises(Problems):
        await named(gate, first.code)
    assert await accept(gate, second.code)
    with pytest.raises(AccountExists):
        await invite(chief, practitioner_id=worker.id, role=Role.NURSE)


async def test_a_new_invitation_gives_its_role_in_the_place_of_the_one_before(gate: Gate) -> None:
    chief, worker = await hired()
    ward = worker.department_id
    invited = await invite(chief, practitioner_id=worker.id, role=Role.ADMIN)
    for place in (None, ward, ward):
        await invite(chief, practitioner_id=worker.id, role=Role.NURSE, department_id=place)
        living = await RoleGrant.filter(account_id=invited.account.id, revoked_at__isnull=True)
        assert [(grant.role, grant.department_id) for grant in living] == [(Role.NURSE, place)]
    actions = [entry.action for entry in await AuditEntry.all()]
    assert (actions.count("ROLE_GRANTED"), actions.count("ROLE_REVOKED")) == (3, 2)


async def test_a_new_invitation_revokes_nothing_beyond_its_administrator_s_reach(
    gate: Gate,
) -> None:
    chief, worker = await hired()
    invited = await invite(chief, practitioner_id=worker.id, role=Role.INSPECTOR)
    limited = await make.viewer(
        Role.ADMIN,
        account=await make.account(),
        organisation=await worker.organisation,
        rights=entrance.RIGHTS[Role.ADMIN],
        department_id=worker.department_id,
    )
    place = worker.department_id
    await invite(limited, practitioner_id=worker.id, role=Role.NURSE, department_id=place)
    living = await RoleGrant.filter(account_id=invited.account.id, revoked_at__isnull=True)
    assert {grant.role for grant in living} == {Role.INSPECTOR, Role.NURSE}


async def test_every_wrong_field_is_named_and_leaves_the_codes_good(gate: Gate) -> None:
    code = (await invited_nurse()).code
    given = await named(gate, code)
    wrong = f"{(int(given['contact_code']) + 1) % 1_000_000:06}"

    with pytest.raises(Problems) as refused:
        await accept_invitation(
            visitor(),
            gate=gate,
            code=code,
            **{**given, "contact_code": wrong},
            password="Password1",
        )

    assert told(refused) == [("CODE_INVALID", "contact_code"), ("PASSWORD_WEAK", "password")]
    refusal = await AuditEntry.get(action="CODE_REFUSED")
    assert refusal.details == {"reason": "CODE_INVALID", "purpose": "INVITATION"}
    assert await accept_invitation(visitor(), gate=gate, code=code, password=PASSWORD, **given)


async def test_the_contact_is_no_password(gate: Gate) -> None:
    code = (await invited_nurse()).code
    given = await named(gate, code, "very.long.mailbox@example.org")

    # However often that is tried: the code was right each time, and is not used up.
    for _ in range(6):
        with pytest.raises(Problems) as refused:
            await accept_invitation(
                visitor(), gate=gate, code=code, password="very.long.mailbox", **given
            )
        assert told(refused) == [("PASSWORD_WEAK", "password")]
    assert await accept_invitation(visitor(), gate=gate, code=code, password=PASSWORD, **given)


async def test_a_telephone_that_was_shown_is_the_login_and_confirmed(gate: Gate) -> None:
    accepted = await accept(gate, (await invited_nurse()).code, "8 916 123 45 67")

    row = await Account.get(id=accepted.account.id)
    assert [row.phone, row.phone_confirmed_at, row.email] == [PHONE, NOW, None]


async def test_what_the_organisation_wrote_of_a_contact_takes_it_from_nobody(gate: Gate) -> None:
    chief, worker = await hired(personal_phone=PHONE, personal_email=EMAIL)

    invited = await invite(chief, practitioner_id=worker.id, role=Role.NURSE)

    assert [invited.account.phone, invited.account.email] == [None, None]
    # Of an account from before, what nobody has shown goes.
    await Account.filter(id=invited.account.id).update(phone="+79160000000")
    accepted = await accept(gate, invited.code)
    assert [accepted.account.phone, accepted.account.email] == [None, EMAIL]


@pytest.mark.parametrize("contact", [PHONE, EMAIL])
async def test_a_contact_of_another_account_is_answered_like_a_free_one(
    gate: Gate, contact: str
) -> None:
    invited = await invited_nurse()
    await make.account(phone=PHONE, email=EMAIL)
    free = "+79160000000" if contact == PHONE else "free@example.org"

    sent = [
        await begin_invitation(visitor(), gate=gate, code=invited.code, contact=one)
        for one in (contact, free)
    ]

    assert [_shape(one) for one in sent] == [_shape(sent[1])] * 2
    first, second = await Message.all().order_by("id")
    body, usual = (gate.vault.open(message.body_sealed) for message in (first, second))
    assert "С этим контактом учётная запись уже есть" in body
    assert "Код для открытия кабинета" in usual
    # No code is right.
    for guess in ("000000", "123456"):
        with pytest.raises(Problems) as refused:
            await accept_invitation(
                visitor(),
                gate=gate,
                code=invited.code,
                handle=sent[0].handle,
                contact_code=guess,
                password=PASSWORD,
            )
        assert told(refused) == [("CODE_INVALID", "contact_code")]
    assert (await Account.get(id=invited.account.id)).state is AccountState.INVITED


def _shape(sent: Sent) -> tuple[Any, ...]:
    return (len(sent.handle), sent.channel, sent.expires_at, sent.resend_at)


async def test_of_two_who_show_one_contact_the_first_has_it(gate: Gate) -> None:
    first, second = await invited_nurse(), await invited_nurse()
    mine, theirs = await named(gate, first.code), await named(gate, second.code)
    given: dict[str, Any] = {"gate": gate, "password": PASSWORD}

    await accept_invitation(visitor(), code=first.code, **mine, **given)
    with pytest.raises(IdentityUnavailable) as refused:
        await accept_invitation(visitor(), code=second.code, **theirs, **given)

    assert refused.value.field == "handle"
    assert (await accept(gate, second.code, PHONE)).account.id == second.account.id


async def test_a_contact_is_shown_for_one_invitation_alone(gate: Gate) -> None:
    first, second = await invited_nurse(), await invited_nurse()
    given = await named(gate, first.code)

    with pytest.raises(Problems) as refused:
        await accept_invitation(visitor(), gate=gate, code=second.code, password=PASSWORD, **given)

    assert told(refused) == [("CODE_INVALID", "contact_code")]
    assert (await SentCode.get()).tries == 0


async def test_an_invited_person_has_codes_sent_to_five_contacts(gate: Gate) -> None:
    code = (await invited_nurse()).code
    with pytest.raises(ResendTooSoon):
        for _ in range(2):
            await named(gate, code)
    for number in range(4):
        await named(gate, code, f"+7916000000{number}")

    with pytest.raises(TooManyAttempts):
        await named(gate, code, PHONE)


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
    chief, worker = await hired(personal_email=EMAIL)
    invited = await invite(chief, practitioner_id=worker.id, role=Role.NURSE)
    given: dict[str, Any] = {"gate": gate, "login": EMAIL, "code": "000000"}
    await Account.filter(id=invited.account.id).update(email=EMAIL)

    with pytest.raises(BadCredentials):
        await sign_in(visitor(), **given, password=" ")
    # Nor if it had a password and a factor, by whatever mistake: it was not opened.
    secret = pyotp.random_base32()
    await Account.filter(id=invited.account.id).update(
        password_hash=await gate.passwords.hash(PASSWORD), totp_sealed=gate.vault.seal(secret)
    )
    given["code"] = pyotp.TOTP(secret).at(NOW)
    with pytest.raises(BadCredentials):
        await sign_in(visitor(), **given, password=PASSWORD)
    await Account.filter(id=invited.account.id).update(state=AccountState.ACTIVE)
    # The pause after two failures has passed.
    later = visitor(NOW + timedelta(seconds=10))
    assert isinstance(await sign_in(later, **given, password=PASSWORD), SignedIn)

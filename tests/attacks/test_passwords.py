"""Passwords that are guessed first, because they are made of what names their owner."""

import hashlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from auth.breached import open_breached
from auth.gate import Gate
from auth.identities import set_number
from auth.passwords import PasswordWeak, check_new_password
from auth.viewer import Viewer
from core.errors import Problems
from core.terms import current_terms
from models.account import Account
from models.database import unit_of_work
from models.identity import Identity
from resolvers.invitations import accept_invitation, begin_invitation, new_invitation
from resolvers.own_password import change_password
from resolvers.own_words import own_words
from resolvers.recovery import request_recovery, reset_password
from resolvers.registration import begin_registration, check_registration_code, register
from tests import factories as make
from tests.attacks.codes import last_code
from tests.auth import entrance

# What is tried here, no database decides.
pytestmark = pytest.mark.any_database

MADE_OF_NAMES = (
    "Корнилова1985!",
    "ЕлизаветаКорнилова",
    "1корнилова-елизавета1",
    "Корнилова.Ё.7",
    "korn.eliza2024",
    "korn.eliza@example.org",
    "8 (926) 765-43-21",
    "мой 9267654321 номер",
    "Боткинская2024",
    "БоткинскаяКлиника77",
    "4510 123456",
    "Паспорт № 4510123456",
    "500100732259",
    "инн 500-100-732-259",
    "112-233-445 95",
    "снилс 11223344595",
    "12.04.1985",
    "Родилась 12 04 1985",
    "1985-04-12",
    "12/04/85",
    # Those that the registry's file knows.
    "Зимина.2024",
    "4611 654321",
    "03.02.1984",
)
NOT_OF_NAMES = ("тихий омут 42 кита", "Боткинская осень и 9 котов", "926 корней, 54 дерева")


@pytest.fixture
async def gate(database: str, tmp_path: Path) -> AsyncIterator[Gate]:
    gate = entrance.gate(tmp_path)
    yield gate
    gate.passwords.close()


async def _owner(gate: Gate) -> Account:
    organisation = await make.organisation(name="Боткинская клиника")
    account = await make.account(organisation, email="korn.eliza@example.org", phone="+79267654321")
    identity = Identity(account_id=account.id, last_name="Корнилова", first_name="Елизавета")
    identity.birth_date = date(1985, 4, 12)
    set_number(gate, identity, "passport", "4510 123456")
    set_number(gate, identity, "inn", "500100732259")
    set_number(gate, identity, "snils", "11223344595")
    await identity.save()
    # As the personnel department wrote it down, before she was married.
    await make.practitioner(
        await make.department(organisation),
        account=account,
        last_name="Зимина",
        birth_date=date(1984, 2, 3),
        passport_sealed=gate.vault.seal("4611 654321"),
    )
    return account


@pytest.mark.parametrize("password", MADE_OF_NAMES)
async def test_no_password_is_made_of_what_names_its_owner(gate: Gate, password: str) -> None:
    about = await own_words(gate, await _owner(gate))

    check_new_password(password)  # by itself it would do
    with pytest.raises(PasswordWeak):
        check_new_password(password, about=about)


@pytest.mark.parametrize("password", NOT_OF_NAMES)
async def test_a_password_may_hold_a_name_among_other_words(gate: Gate, password: str) -> None:
    check_new_password(password, about=await own_words(gate, await _owner(gate)))


async def test_wherever_a_password_is_set_the_owner_s_words_are_refused(
    database: object, tmp_path: Path
) -> None:
    gate = entrance.gate(tmp_path)
    visitor = entrance.visitor()
    organisation = await make.organisation(name="Боткинская клиника")
    person = await entrance.person(gate, organisation)
    worker = await make.practitioner(
        await make.department(organisation), account=person.account, last_name="Корнилова"
    )
    weak = "Корнилова1985!"

    signed_in: Viewer = visitor._replace(account_id=person.account.id)
    with pytest.raises(Problems) as changed:
        await change_password(signed_in, gate=gate, old=entrance.PASSWORD, new=weak)
    assert [type(problem) for problem in changed.value.problems] == [PasswordWeak]

    sent = await request_recovery(visitor, gate=gate, contact=person.login)
    code = await last_code(gate)
    with pytest.raises(PasswordWeak):
        await reset_password(visitor, gate=gate, handle=sent.handle, code=code, password=weak)

    invited = await make.account(organisation, state="INVITED")
    worker.account_id = invited.id
    await worker.save()
    assert await _refused(visitor, gate, invited, weak) == [PasswordWeak]
    assert await _refused_registering(visitor, gate, weak, last_name="Корнилова") == [PasswordWeak]
    gate.passwords.close()


BREACHED = ("осенний сад 7 ворот", "чёрный чай 19 чашек")


def _list_of(path: Path, passwords: Sequence[str]) -> Path:
    """A list among a thousand others, as it is offered: by hash, with counts."""
    hashes = {hashlib.sha1(word.encode()).hexdigest().upper() for word in passwords}
    others = {hashlib.sha1(b"%d" % n).hexdigest().upper() for n in range(1_000)}
    counted = (f"{digits}:{n + 1}" for n, digits in enumerate(sorted(hashes | others)))
    path.write_text("\r\n".join(counted), encoding="ascii")
    return path


def test_a_list_of_breaches_holds_all_that_it_lists(tmp_path: Path) -> None:
    words = [f"{n}" for n in range(1_000)]
    breached = open_breached(_list_of(tmp_path / "list.txt", BREACHED))
    assert all(breached.holds(word) for word in (*words, *BREACHED))
    assert not any(breached.holds(f"{word} ") for word in (*words, *BREACHED))
    assert not open_breached(None).holds(BREACHED[0])


async def test_a_password_from_a_breach_is_refused_wherever_one_is_set(
    database: object, tmp_path: Path
) -> None:
    breached = open_breached(_list_of(tmp_path / "list.txt", BREACHED))
    gate = replace(entrance.gate(tmp_path), breached=breached)
    visitor, weak = entrance.visitor(), BREACHED[0]
    person = await entrance.person(gate)

    with pytest.raises(Problems) as changed:
        signed_in = visitor._replace(account_id=person.account.id)
        await change_password(signed_in, gate=gate, old=entrance.PASSWORD, new=weak)
    assert [type(problem) for problem in changed.value.problems] == [PasswordWeak]

    sent = await request_recovery(visitor, gate=gate, contact=person.login)
    code = await last_code(gate)
    with pytest.raises(PasswordWeak):
        await reset_password(visitor, gate=gate, handle=sent.handle, code=code, password=weak)

    invited = await make.account(state="INVITED")
    assert await _refused(visitor, gate, invited, weak) == [PasswordWeak]
    assert await _refused_registering(visitor, gate, weak) == [PasswordWeak]
    gate.passwords.close()


async def _refused(viewer: Viewer, gate: Gate, account: Account, password: str) -> list[type]:
    """With what a password is refused to somebody who is invited."""

    @unit_of_work
    async def made() -> str:
        return (await new_invitation(viewer, account)).code

    code = await made()
    sent = await begin_invitation(viewer, gate=gate, code=code, contact="new@example.org")
    with pytest.raises(Problems) as refused:
        await accept_invitation(
            viewer,
            gate=gate,
            code=code,
            handle=sent.handle,
            contact_code=await last_code(gate),
            password=password,
        )
    return [type(problem) for problem in refused.value.problems]


async def _refused_registering(
    viewer: Viewer, gate: Gate, password: str, *, last_name: str = "Ёлкина"
) -> list[type]:
    """With what a password is refused to somebody who registers, and whose form is right else."""
    sent = await begin_registration(viewer, gate=gate, phone="+79261234599")
    code = await last_code(gate)
    await check_registration_code(viewer, gate=gate, handle=sent.handle, code=code)
    with pytest.raises(Problems) as refused:
        await register(
            viewer,
            gate=gate,
            handle=sent.handle,
            last_name=last_name,
            first_name="Анна",
            birth_date="1985-04-12",
            passport="4510 123456",
            inn="500100732259",
            is_medical_worker=False,
            password=password,
            terms=True,
            terms_version=current_terms().version,
        )
    return [type(problem) for problem in refused.value.problems]

"""`cabinet keys rotate`: every sealed value under a new key, while the cabinet goes on."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from jose import jwt
from typer.testing import CliRunner

from auth.audit import verify
from auth.tokens import TokenInvalid, open_signer
from core.clock import utc_now
from core.ids import uuid7
from core.sealing import Vault, open_vault
from models.account import Account
from models.audit import AuditEntry
from models.database import opened, unit_of_work
from models.factor import Challenge, ChallengePurpose, Channel
from models.identity import Identity
from models.message import Message
from models.practitioner import Practitioner
from models.role import Role
from models.row import Row
from resolvers import resealing
from resolvers.resealing import _BATCH, sealed_columns
from server.cli import app
from tests import factories as make

Rotate = Callable[..., tuple[int, str]]
PEOPLE = _BATCH + 7


@pytest.fixture
def rotate(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Rotate:
    monkeypatch.setenv("CABINET_DATABASE_URL", database_url)
    monkeypatch.setenv("CABINET_HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")

    def run(*options: str) -> tuple[int, str]:
        result = CliRunner().invoke(app, ["keys", "rotate", *options])
        return result.exit_code, result.output

    return run


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return open_vault(tmp_path / "keys" / "vault.key")


def in_database(database_url: str, work: Callable[[], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        async with opened(database_url):
            return await work()

    return asyncio.run(run())


@unit_of_work
async def fill(vault: Vault) -> None:
    """A value in a column of several models, and more people than one batch has."""
    organisation = await make.organisation()
    department = await make.department(organisation)
    account = await make.account(organisation, totp_sealed=vault.seal("SECRET"))
    await Identity.create(
        account=account,
        last_name="Ёлкина",
        first_name="Анна",
        snils_sealed=vault.seal("11223344595"),
    )
    await Message.create(
        channel=Channel.SMS,
        to_sealed=vault.seal("+79261234567"),
        subject_sealed=vault.seal(""),
        body_sealed=vault.seal("текст"),
        created_at=utc_now(),
        next_at=utc_now(),
    )
    await Challenge.create(
        purpose=ChallengePurpose.PASSKEY,
        value_hash="x",
        payload_sealed=vault.seal("{}"),
        expires_at=utc_now(),
    )
    for number in range(PEOPLE):
        await make.practitioner(department, passport_sealed=vault.seal(f"4510 {number:06}"))


async def sealed() -> list[tuple[type[Row], str, str]]:
    """Every sealed value, whichever its model."""
    found = []
    for model, columns in sealed_columns().items():
        for row in await model.all().order_by("id"):
            found += [(model, name, getattr(row, name)) for name in columns if getattr(row, name)]
    return found


def test_sealed_columns_are_found_from_the_models() -> None:
    named = {
        f"{model.__name__}.{name}" for model, names in sealed_columns().items() for name in names
    }
    assert {
        "Account.totp_sealed",
        "Challenge.payload_sealed",
        "Identity.passport_sealed",
        "Message.body_sealed",
        "Practitioner.passport_sealed",
        "SentCode.contact_sealed",
        "Ticket.contact_sealed",
    } <= named


def test_every_value_is_sealed_anew_and_the_old_key_retired(
    rotate: Rotate, vault: Vault, database_url: str
) -> None:
    in_database(database_url, lambda: fill(vault))
    before = in_database(database_url, sealed)

    code, told = rotate()
    after = in_database(database_url, sealed)

    assert code == 0, told
    assert f"Practitioner         {PEOPLE} values, {PEOPLE} sealed anew" in told
    assert len(after) == PEOPLE + 6
    assert all(vault.is_newest(value) for _, _, value in after)
    assert [vault.open(value) for *_, value in after] == [vault.open(value) for *_, value in before]

    code, told = rotate("--retire")
    assert (code, "Keys retired: 1" in told) == (0, True)
    assert not any(vault.is_newest(value) for *_, value in before)
    assert [vault.open(value) for *_, value in in_database(database_url, sealed)]

    async def journal() -> tuple[list[str], list[Any]]:
        entries = await AuditEntry.all().order_by("position")
        return [entry.action for entry in entries], [found async for found in verify()]

    assert in_database(database_url, journal) == (
        ["VAULT_KEY_ADDED", "SEALED_ANEW", "SEALED_ANEW", "VAULT_KEYS_RETIRED"],
        [4],
    )


def test_a_rotation_that_was_broken_off_goes_on(
    rotate: Rotate, vault: Vault, database_url: str, tmp_path: Path
) -> None:
    in_database(database_url, lambda: fill(vault))
    assert rotate("--add-only")[0] == 0

    @unit_of_work
    async def some() -> None:
        for person in await Practitioner.all().limit(10):
            assert person.passport_sealed is not None
            person.passport_sealed = vault.seal(vault.open(person.passport_sealed))
            await person.save()

    in_database(database_url, some)
    code, told = rotate()

    assert code == 0, told
    assert "no key was added" in told
    assert f"Practitioner         {PEOPLE} values, {PEOPLE - 10} sealed anew" in told
    assert len((tmp_path / "keys" / "vault.key").read_bytes().split()) == 2


def test_nothing_is_retired_while_a_value_can_be_opened_with_no_key(
    rotate: Rotate, vault: Vault, database_url: str, tmp_path: Path
) -> None:
    in_database(database_url, lambda: fill(vault))

    @unit_of_work
    async def break_one() -> None:
        await Account.all().update(totp_sealed="gAAAAA nonsense")

    in_database(database_url, break_one)
    rotate()
    code, told = rotate("--retire")

    assert code == 1
    assert "Account: 1 values can be opened with no key" in told
    assert len((tmp_path / "keys" / "vault.key").read_bytes().split()) == 2


def test_a_value_that_somebody_changes_meanwhile_is_theirs(
    rotate: Rotate, vault: Vault, database_url: str
) -> None:
    """What was read before a change is not written over it."""
    in_database(database_url, lambda: fill(vault))
    rotate("--add-only")

    async def race() -> str:
        person = await Practitioner.all().first()
        assert person is not None
        assert person.passport_sealed is not None
        stale = person.passport_sealed
        theirs = vault.seal("4510 999999")
        await Practitioner.filter(id=person.id).update(passport_sealed=theirs)
        again = vault.seal(vault.open(stale))
        changed = await resealing._write(
            Practitioner, [(person.id, "passport_sealed", stale, again)]
        )
        assert changed == 0
        await person.refresh_from_db()
        return vault.open(str(person.passport_sealed))

    assert in_database(database_url, race) == "4510 999999"


@pytest.mark.parametrize("other", ["--retire", "--signing"])
def test_options_that_do_not_go_together_do_nothing(
    rotate: Rotate, vault: Vault, tmp_path: Path, other: str
) -> None:
    before = (tmp_path / "keys" / "vault.key").read_bytes()
    code, told = rotate("--add-only", other)
    assert (code, "--add-only goes with neither" in told) == (2, True)
    assert (tmp_path / "keys" / "vault.key").read_bytes() == before


def test_a_running_server_takes_up_another_signing_key(
    rotate: Rotate, database_url: str, tmp_path: Path
) -> None:
    signer = open_signer(
        tmp_path / "keys" / "signing.keys",
        lifetime=timedelta(minutes=10),
        leeway=timedelta(seconds=30),
    )
    now, ids = utc_now(), (uuid7(), uuid7())
    before = signer.issue(*ids, Role.DOCTOR, now)

    assert rotate("--signing")[0] == 0
    after = signer.issue(*ids, Role.DOCTOR, now)
    assert jwt.get_unverified_header(before)["kid"] != jwt.get_unverified_header(after)["kid"]
    assert {signer.read(token, now).session_id for token in (before, after)} == {ids[0]}

    code, told = rotate("--signing", "--retire")
    assert (code, "Keys retired: 1" in told) == (0, True)
    assert signer.read(after, now).session_id == ids[0]
    with pytest.raises(TokenInvalid):
        signer.read(before, now)

    async def journal() -> list[str]:
        return [entry.action for entry in await AuditEntry.all().order_by("position")]

    assert in_database(database_url, journal) == ["SIGNING_KEY_ADDED", "SIGNING_KEYS_RETIRED"]

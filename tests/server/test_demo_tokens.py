"""`cabinet token`: a session of scripts, beside those of the person and in nobody's way."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from jose import jwt
from typer.testing import CliRunner

from models.account import Account, Session
from models.audit import AuditEntry
from models.database import opened
from models.role import Role
from server.cli import app
from server.demo_tokens import demo_token
from tests import factories as make
from tests.api import serving

Cabinet = Callable[..., tuple[int, str]]


@pytest.fixture
def cabinet(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cabinet:
    """The command line over the test's database: its exit code, and all that it says."""
    monkeypatch.setenv("CABINET_DATABASE_URL", database_url)
    monkeypatch.setenv("CABINET_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(app, arguments)
        return result.exit_code, result.output.strip()

    return run


def in_database(database_url: str, work: Callable[[], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        async with opened(database_url):
            return await work()

    return asyncio.run(run())


async def demo_account() -> Account:
    organisation = await make.organisation()
    account = await make.account(organisation, is_demo=True)
    for role in (Role.DOCTOR, Role.ADMIN):
        await make.grant(account, role, organisation)
    return account


def session_of(token: str) -> Any:
    return jwt.get_unverified_claims(token)["sid"]


def test_a_role_is_given_in_any_case_and_its_session_used_again(
    cabinet: Cabinet, database_url: str
) -> None:
    in_database(database_url, demo_account)
    told = [cabinet("token", "--role", role) for role in ("DOCTOR", "doctor", "Admin", "Doctor")]
    assert [code for code, _ in told] == [0] * 4
    first, again, other, third = [session_of(token) for _, token in told]
    # A script goes on in its role while another has a token of another role.
    assert first == again == third != other
    kept = in_database(database_url, lambda: Session.all())
    assert {(row.active_role, row.device, row.ended_at) for row in kept} == {
        (Role.DOCTOR, "cabinet token", None),
        (Role.ADMIN, "cabinet token", None),
    }
    entries = in_database(database_url, lambda: AuditEntry.all())
    assert [entry.action for entry in entries] == ["SCRIPT_TOKEN_ISSUED"] * 4


def test_what_roles_there_are_is_said(cabinet: Cabinet, database_url: str) -> None:
    code, text = cabinet("token", "--role", "doctor")
    assert (code, text) == (
        1,
        "There are no demo accounts: run `cabinet demo` on an empty database first.",
    )
    in_database(database_url, demo_account)
    code, text = cabinet("token", "--role", "VISITOR")
    assert (code, text) == (
        1,
        "No demo account holds VISITOR; there are accounts for DOCTOR, ADMIN.",
    )


async def test_a_script_s_session_works_and_takes_nobody_s_room(
    database_url: str, tmp_path: Path
) -> None:
    async with serving(database_url, tmp_path / "home") as api:
        account = await demo_account()
        own = [await api.token(account, Role.DOCTOR) for _ in range(5)]
        script = await demo_token(api.services.settings, Role.ADMIN)
        assert (await Account.get(id=account.id)).last_role is Role.DOCTOR
        asked = "{ viewer { activeRole } }"
        assert (await api.ask(asked, script)).data == {"viewer": {"activeRole": "ADMIN"}}
        for token in own:
            assert (await api.ask(asked, token)).data == {"viewer": {"activeRole": "DOCTOR"}}
        # A sixth sign-in ends the first of the person's own, and not the script's.
        await api.token(account, Role.DOCTOR)
        over = await Session.filter(ended_at__isnull=False)
        assert [str(row.id) for row in over] == [session_of(own[0])]

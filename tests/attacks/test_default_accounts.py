"""Demo accounts, whose passwords everybody knows, open nothing in production."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from core.clock import utc_now
from models.account import Account, Session
from models.audit import AuditEntry
from models.role import Role
from resolvers.sessions import script_token
from server.cli import app
from tests.api import Api, serving
from tests.auth.entrance import PASSWORD, visitor
from tests.journeys.hospital import Caller, Hospital, founded
from tests.live import served

PHONE = "+79001234567"
WHO = "{ viewer { activeRole } }"
CLOSED = [("ACCOUNT_CLOSED", None)]


@pytest.fixture
async def api(database_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    async with serving(database_url, tmp_path / "home", production=True) as api:
        yield api


@pytest.fixture
async def hospital(api: Api) -> Hospital:
    return await founded(api)


async def demo(hospital: Hospital) -> Caller:
    return await hospital.signing_in(Role.DOCTOR, is_demo=True)


async def test_nobody_signs_in_to_a_demo_account(hospital: Hospital) -> None:
    person = await demo(hospital)
    given = {"login": PHONE, "password": PASSWORD}
    visitor = hospital.visitor()

    assert await visitor.refused("signIn", **given, code=person.code(seconds=-30)) == CLOSED

    handle = (await visitor.does("signIn", "pending { handle }", **given))["pending"]["handle"]
    shown = {"handle": handle, "factor": "TOTP", "code": person.code()}
    assert await visitor.refused("finishSignIn", **shown) == CLOSED
    assert await Session.all().count() == 0
    failed = await AuditEntry.filter(action="SIGN_IN_FAILED")
    assert [entry.details["reason"] for entry in failed] == ["ACCOUNT_CLOSED"] * 2


async def test_no_session_of_a_demo_account_lives(hospital: Hospital) -> None:
    person = await hospital.signing_in(Role.DOCTOR)
    given = {"login": PHONE, "password": PASSWORD, "code": person.code()}
    payload = await hospital.visitor().does("signIn", "accessToken refreshToken", **given)
    person.token = payload["accessToken"]
    await Account.filter(id=person.account_id).update(is_demo=True)
    # As a server would come to know of it that has not seen the token yet.
    assert person.account is not None
    gate = hospital.api.services.gate
    script = await script_token(
        visitor(utc_now()), gate=gate, account=person.account, role=Role.DOCTOR
    )

    for token in (payload["accessToken"], script):
        answer = await Caller(hospital.api, token).answer(WHO)
        assert (answer.status, answer.codes) == (401, ["SESSION_EXPIRED"])
    renewing = {"refreshToken": payload["refreshToken"]}
    assert await hospital.visitor().refused("refreshSession", **renewing) == [
        ("SESSION_EXPIRED", "refreshToken")
    ]


@pytest.mark.any_database
async def test_a_server_says_that_there_are_some(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CABINET_PRODUCTION", "1")
    home = tmp_path / "served"
    home.mkdir()
    async with served(database_url, home) as server:
        pass
    assert "demo accounts" in server.log.read_text()


@pytest.mark.any_database
@pytest.mark.parametrize(
    "command", [["demo"], ["demo", "--if-empty"], ["token", "--role", "DOCTOR"]], ids=" ".join
)
def test_the_command_line_makes_none(
    command: list[str], database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CABINET_DATABASE_URL", database_url)
    monkeypatch.setenv("CABINET_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CABINET_PRODUCTION", "1")

    result = CliRunner().invoke(app, command)

    assert result.exit_code == 1
    assert result.output.startswith("This is production")

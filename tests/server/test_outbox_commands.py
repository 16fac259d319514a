"""`cabinet outbox` and `cabinet send`: who sees what is in messages, and what became of them."""

import asyncio
from pathlib import Path

import pytest
from typer.testing import CliRunner

from models.audit import AuditEntry
from models.database import opened, settle
from models.factor import Channel
from server.cli import app, main
from tests.server.outboxes import put, vault_at

CODE = "Ваш код: 123456"


@pytest.fixture
def home(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CABINET_HOME", str(tmp_path))
    monkeypatch.setenv("CABINET_DATABASE_URL", database_url)
    return tmp_path


async def _fill(database_url: str, home: Path) -> None:
    async with opened(database_url):
        await put(vault_at(home), body=CODE)
        await put(vault_at(home), Channel.EMAIL, body=CODE)
        await settle()


def fill(database_url: str, home: Path) -> None:
    asyncio.run(_fill(database_url, home))


def journal(database_url: str) -> list[tuple[str, object]]:
    async def read() -> list[tuple[str, object]]:
        async with opened(database_url):
            entries = await AuditEntry.all().order_by("position")
            return [(entry.action, entry.details.get("reason")) for entry in entries]

    return asyncio.run(read())


def ran(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, arguments)
    return result.exit_code, result.output


def test_in_development_messages_are_read(database_url: str, home: Path) -> None:
    assert ran("outbox") == (0, "The outbox is empty.\n")
    fill(database_url, home)

    code, told = ran("outbox")

    assert code == 0
    assert told.count(CODE) == 2
    assert "+79001234567" in told and "anna@example.org" in told
    assert journal(database_url) == []


@pytest.mark.parametrize("command", ["outbox", "send"])
@pytest.mark.any_database
def test_that_the_database_was_not_migrated_is_told_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    command: str,
) -> None:
    monkeypatch.setenv("CABINET_HOME", str(tmp_path))
    monkeypatch.setenv("CABINET_DATABASE_URL", f"sqlite://{tmp_path / 'new.sqlite3'}")
    monkeypatch.setattr("sys.argv", ["cabinet", command])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    assert "perhaps `cabinet migrate` was not run yet" in capsys.readouterr().err


def test_in_production_what_is_in_them_is_hidden_and_its_reading_audited(
    database_url: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(database_url, home)
    monkeypatch.setenv("CABINET_PRODUCTION", "1")

    hidden = ran("outbox")
    nobody_told = journal(database_url)
    wordless = CliRunner().invoke(app, ["outbox", "--reveal", "?"])
    shown = ran("outbox", "--reveal", "обращение TK-1")

    assert hidden[0] == 0
    assert CODE not in hidden[1] and "900123" not in hidden[1] and "anna" not in hidden[1]
    assert "•" in hidden[1] and "QUEUED" in hidden[1]
    assert nobody_told == []
    assert wordless.exit_code != 0 and CODE not in wordless.output
    assert shown[1].count(CODE) == 2
    assert journal(database_url) == [("OUTBOX_REVEALED", "обращение TK-1")]


def test_send_tells_what_became_of_them(
    database_url: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(database_url, home)
    monkeypatch.setenv("CABINET_PRODUCTION", "1")
    assert ran("send") == (1, "Sent: 0. To be tried again: 2. Given up: 0.\n")
    monkeypatch.delenv("CABINET_PRODUCTION")
    fill(database_url, home)
    assert ran("send") == (0, "Sent: 2. To be tried again: 0. Given up: 0.\n")

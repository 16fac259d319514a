"""`cabinet explain`: each root field's way and tree, the statement and the database's plan."""

from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from auth.passwords import Passwords
from core.clock import utc_now
from core.settings import Settings
from execution.requests import Request
from models.account import Account, Session
from models.audit import AuditEntry
from models.database import opened
from models.role import Role
from resolvers.demo import load_demo
from server.cli import app
from server.explaining import NotExplained, explained
from server.services import services_of

MIXED = """query($first: Int) {
  shifts(first: $first, order: [{field: STARTS_AT, direction: DESC}]) {
    totalCount nodes { kind department { name } hours practitioner { inn snils } }
  }
  secret: practitioners(first: 1) { nodes { passport } }
  __schema { queryType { name } }
  kinds: shiftKinds { kind }
  groups: shiftGroups(by: STATUS) { nodes { key { status } count } }
  viewer { activeRole }
}"""


@pytest.fixture
async def demo(database_url: str, tmp_path: Path) -> Settings:
    settings = Settings(database_url=database_url, home=tmp_path / "home")
    async with services_of(settings) as services:
        await load_demo(gate=services.gate, now=utc_now(), hash_password=Passwords().hash)
    return settings


async def test_it_shows_way_and_tree_and_statement_and_plan(demo: Settings) -> None:
    told = await explained(demo, Role.ADMIN, Request(MIXED, {"first": 7}))
    ways, _, rest = told.partition("\n\nOne statement:\n\n")
    lines = ways.splitlines()
    assert [line for line in lines if not line.startswith(" ")] == [
        "shifts: planned",
        "secret: executed, for Practitioner.passport is computed in Python",
        "__schema: executed, for __schema is introspection",
        "kinds: planned",
        "groups: planned",
        "viewer: planned",
    ]
    assert lines[1].startswith(
        "  shifts: the first 7 by starts_at descending of Shift where organisation_id = "
    )
    assert [line.split(" where ")[0] for line in lines[2:11]] == [
        "    totalCount: how many rows there are",
        "    nodes: the rows",
        "      kind: kind, as name",
        "      department: the Department by id = department_id",
        "        name: name, as text",
        "      hours: the hours from starts_at to ends_at",
        "      practitioner: the Practitioner by id = practitioner_id",
        "        inn: inn, masked but for 4",
        "        snils: snils, as text",
    ]
    statement, _, bound = rest.partition("\n\nBound:\n")
    assert statement.startswith("SELECT ")
    values, _, plan = bound.partition("\n\nThe database's plan:\n")
    assert "7" in [line.split(": ")[1] for line in values.splitlines()]
    assert "shift" in plan


async def test_it_says_why_there_is_no_statement(demo: Settings) -> None:
    assert await explained(
        demo, Role.DOCTOR, Request("{ __schema { queryType { name } } __typename }", {})
    ) == (
        "__schema: executed, for __schema is introspection\n"
        "__typename: executed, for it needs no statement"
    )
    assert await explained(
        demo, Role.ADMIN, Request("mutation { signOut { errors { code } } }", {})
    ) == ("Runs in the ordinary executor: a mutation is not planned.")


async def test_it_shows_which_groups_are_asked_for(demo: Settings) -> None:
    text = """query($from: Date) { shiftGroups(
      by: [STATUS]
      only: {status: {in: [OPEN, DONE]}, startsAtDay: {gte: $from}, department: {isNull: false}}
    ) { totalCount } }"""
    told = await explained(demo, Role.ADMIN, Request(text, {"from": "2026-03-02"}))
    assert told.splitlines()[1].endswith(
        ", only where department is not empty and starts_at_day >= 2026-03-02"
        " and status in (OPEN, DONE)"
    )


@pytest.mark.parametrize(
    ("content", "more", "code", "says"),
    [
        (None, (), 2, "does not exist"),
        (".", (), 2, "is a directory"),
        (b"\xff{ viewer { activeRole } }", (), 1, "is not text in UTF-8."),
        (b"{ viewer { activeRole } }", ("--variables", "[1]"), 2, "An object of JSON is needed"),
        (b"{ viewer { activeRole } }", ("--variables", "{"), 2, "An object of JSON is needed"),
        (b"{ me { id } }", (), 1, "Refused: Cannot query field 'me' on type 'Query'."),
        (b"{ __type(name: 1) { name } }", (), 1, "(name)"),
        (b"{", (), 1, "Refused: Syntax Error"),
        (b"{ viewer { activeRole } }", ("--variables", "{}"), 0, "viewer: planned"),
    ],
)
def test_command_says_what_is_wrong(
    database_url: str,
    tmp_path: Path,
    content: bytes | str | None,
    more: tuple[str, ...],
    code: int,
    says: str,
) -> None:
    file = tmp_path / "document.graphql"
    if content == ".":
        file.mkdir()
    elif isinstance(content, bytes):
        file.write_bytes(content)
    result = CliRunner().invoke(
        app,
        ["explain", str(file), "--role", "visitor", *more],
        env={
            "CABINET_HOME": str(tmp_path / "home"),
            "CABINET_DATABASE_URL": database_url,
            "COLUMNS": "400",
        },
    )
    assert (result.exit_code, says in result.output) == (code, True), result.output


async def test_any_account_is_explained_for_and_nothing_is_written(demo: Settings) -> None:
    request = Request("{ practitioners { totalCount } }", {})

    async def kept() -> tuple[int, int]:
        return await Session.all().count(), await AuditEntry.all().count()

    async with opened(demo.database_url):
        before = await kept()
        account = await Account.filter(grants__role=Role.ADMIN).first()
    assert account is not None
    production = replace(demo, production=True)
    assert "practitioners: planned" in await explained(
        production, Role.ADMIN, request, account.public_id
    )
    for named, role, says in (
        (account.public_id, Role.ANALYST, "does not hold ANALYST"),
        ("nobody", Role.ADMIN, "No account has the public id nobody."),
    ):
        with pytest.raises(NotExplained, match=says):
            await explained(production, role, request, named)
    async with opened(demo.database_url):
        assert await kept() == before


async def test_one_of_several_operations_is_explained(demo: Settings) -> None:
    text = "query A { viewer { activeRole } } query B { departments { totalCount } }"
    told = await explained(demo, Role.DOCTOR, Request(text, {}, "B"))
    assert told.startswith("departments: planned")


@pytest.mark.any_database
@pytest.mark.parametrize("role", ["visitor", "doctor"])
@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "unable to open database file"),
        (b"", "never migrated: run `cabinet migrate`"),
        (b"no database" * 1_000, "file is not a database"),
    ],
)
def test_what_is_no_database_of_ours_is_told_in_a_line(
    tmp_path: Path, content: bytes | None, says: str, role: str
) -> None:
    document, database = tmp_path / "document.graphql", tmp_path / "there is.sqlite3"
    document.write_text("{ viewer { activeRole } }")
    if content is not None:
        database.write_bytes(content)
    result = CliRunner().invoke(
        app,
        ["explain", str(document), "--role", role],
        env={
            "CABINET_HOME": str(tmp_path / "home"),
            "CABINET_DATABASE_URL": f"sqlite://{database}",
            "COLUMNS": "400",
        },
    )
    assert result.exit_code == 1
    assert says in result.output
    assert len(result.output.splitlines()) == 1
    assert database.exists() is (content is not None)

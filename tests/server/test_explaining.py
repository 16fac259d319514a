"""`cabinet explain`: each root field's way and tree, the statement and the database's plan."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from auth.passwords import Passwords
from core.clock import utc_now
from core.settings import Settings
from models.role import Role
from resolvers.demo import load_demo
from server.cli import app
from server.explaining import explained
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
    told = await explained(demo, Role.ADMIN, MIXED, {"first": 7})
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
    assert await explained(demo, Role.DOCTOR, "{ __schema { queryType { name } } __typename }") == (
        "__schema: executed, for __schema is introspection\n"
        "__typename: executed, for it needs no statement"
    )
    assert await explained(demo, Role.ADMIN, "mutation { signOut { errors { code } } }") == (
        "Runs in the ordinary executor: a mutation is not planned."
    )


async def test_it_shows_which_groups_are_asked_for(demo: Settings) -> None:
    text = """query($from: Date) { shiftGroups(
      by: [STATUS]
      only: {status: {in: [OPEN, DONE]}, startsAtDay: {gte: $from}, department: {isNull: false}}
    ) { totalCount } }"""
    told = await explained(demo, Role.ADMIN, text, {"from": "2026-03-02"})
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

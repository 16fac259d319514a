"""`cabinet operations check`: the roles that can run each operation of a list, and how."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from core.settings import Settings
from execution.persisted import hash_of
from server.checking_operations import checked
from server.cli import app
from server.trusted_operations import ListInvalid
from tests.server.test_trusted_operations import by_hashes, written

pytestmark = pytest.mark.any_database


Outcomes = Callable[[Any], Awaitable[list[tuple[str, bool]]]]


@pytest.fixture
def outcomes(empty_database: str, tmp_path: Path) -> Outcomes:
    """What the documents of a list come to."""

    async def found(content: Any) -> list[tuple[str, bool]]:
        settings = Settings(empty_database, tmp_path)
        return [one async for one in checked(settings, written(tmp_path, content))]

    return found


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "query Own { me { lastName } }",
            ["query Own", "  one statement: DOCTOR, NURSE, ADMIN, INSPECTOR, OPERATOR"],
        ),
        (
            "query Found($id: ID!) { practitioner(id: $id) { lastName birthDate } }",
            ["query Found", "  one statement: DOCTOR, NURSE, ADMIN, OPERATOR"],
        ),
        (
            "query Sealed($id: ID!) {"
            " departments { totalCount } it: practitioner(id: $id) { passport } }",
            [
                "query Sealed",
                "  one statement, and the executor for it (Practitioner.passport is computed in"
                " Python): DOCTOR, NURSE, ADMIN",
            ],
        ),
        (
            "query Own { me { passport } }",
            [
                "query Own",
                "  the executor for me (Practitioner.passport is computed in Python):"
                " DOCTOR, NURSE, ADMIN",
            ],
        ),
        (
            "mutation($id: ID!) { approveShift(id: $id) { errors { code } } }",
            ["mutation without a name", "  run by: ADMIN"],
        ),
        (
            "query A { departments { nodes { name } } } subscription B { shiftChanged { id } }",
            [
                "query A",
                "  one statement: DOCTOR, NURSE",
                "subscription B",
                "  run by: DOCTOR, NURSE",
            ],
        ),
        (
            "query Filtered($filter: PractitionerFilter!, $order: [PractitionerOrder!]!) {"
            " practitioners(filter: $filter, order: $order) { totalCount } }",
            ["query Filtered", "  one statement: DOCTOR, NURSE, ADMIN, INSPECTOR, OPERATOR"],
        ),
    ],
)
async def test_roles_stand_by_what_the_operation_becomes_in_them(
    outcomes: Outcomes, text: str, expected: list[str]
) -> None:
    ((told, runs),) = await outcomes(by_hashes(text))
    assert told.split("\n") == [f"{hash_of(text)[:12]}  {expected[0]}", *expected[1:]]
    assert runs


async def test_document_that_no_role_can_run_is_told_among_the_others(outcomes: Outcomes) -> None:
    wrong = "{ nothing }"
    found = await outcomes(by_hashes("{ __typename }", wrong))
    assert [runs for _, runs in found] == [True, False]
    assert found[1][0] == (
        f"{hash_of(wrong)[:12]}  valid in no role; in that of VISITOR: "
        "Cannot query field 'nothing' on type 'Query'."
    )


async def test_list_that_cannot_be_read_is_an_error(outcomes: Outcomes) -> None:
    with pytest.raises(ListInvalid):
        await outcomes({"x": "{ __typename }"})


@pytest.mark.parametrize(
    ("text", "code", "end"),
    [
        ("subscription B { shiftChanged { id } }", 0, "  run by: DOCTOR, NURSE\n"),
        ("{ nothing }", 1, "Cannot query field 'nothing' on type 'Query'.\n"),
    ],
)
def test_command_ends_with_1_where_an_operation_cannot_run(
    empty_database: str, tmp_path: Path, text: str, code: int, end: str
) -> None:
    home = tmp_path / "home"
    # An embedded one need not be there.
    database = empty_database if empty_database.startswith("postgres") else ""
    result = CliRunner().invoke(
        app,
        ["operations", "check", str(written(tmp_path, by_hashes(text)))],
        env={"CABINET_HOME": str(home), "CABINET_DATABASE_URL": database},
    )
    assert (result.exit_code, result.stdout.endswith(end)) == (code, True)
    # It leaves nothing behind: no database is made to check a list.
    assert not home.exists()

"""``cabinet import`` as it is typed: what it prints, what it changes, and its exit code."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest
import typer
from typer.testing import CliRunner, Result

from models.account import Invitation
from models.database import opened
from models.grant import RoleGrant
from models.organisation import Department
from models.practitioner import Practitioner
from models.role import Role
from models.shift import Shift
from server.importing import import_command
from tests import factories

T = TypeVar("T")

DATA = Path(__file__).parents[1] / "data"
WARD = DATA / "rosters/ward.xml"
HOSPITAL = DATA / "fhir/hospital.json"
DUTCH = DATA / "fhir/Practitioner-d001.json"

Run = Callable[..., Result]


@pytest.fixture
def run(database_url: str, tmp_path: Path) -> Run:
    app = typer.Typer()
    app.command()(import_command)
    environment = {"CABINET_HOME": str(tmp_path / "home"), "CABINET_DATABASE_URL": database_url}

    def invoke(*arguments: object, language: str = "en") -> Result:
        return CliRunner().invoke(
            app,
            [str(argument) for argument in arguments],
            env={**environment, "CABINET_LANGUAGE": language, "COLUMNS": "200"},
        )

    return invoke


def within(url: str, work: Callable[[], Awaitable[T]]) -> T:
    async def opening() -> T:
        async with opened(url):
            return await work()

    return asyncio.run(opening())


def people_and_shifts(url: str) -> tuple[int, int, int]:
    async def count() -> tuple[int, int, int]:
        return (
            await Department.all().count(),
            await Practitioner.all().count(),
            await Shift.all().count(),
        )

    return within(url, count)


def test_a_dry_run_changes_nothing_and_the_real_run_does_what_it_told(
    run: Run, database_url: str
) -> None:
    within(database_url, factories.organisation)
    dry = run(WARD, DUTCH, "--month", "2026-12", "--dry-run")
    assert people_and_shifts(database_url) == (0, 0, 0)
    real = run(WARD, DUTCH, "--month", "2026-12")
    assert people_and_shifts(database_url) == (1, 4, 5)
    assert (dry.exit_code, real.exit_code) == (1, 1)  # the ward's one wrong wish
    assert "Dry run: nothing was changed" in dry.stdout
    assert dry.stdout.splitlines()[:9] == real.stdout.splitlines()[:9]
    assert "ward.xml:69 DayOff@69: The file has no employee 9." in real.stdout


def test_a_run_without_a_wrong_element_ends_well_in_russian(run: Run, database_url: str) -> None:
    within(database_url, factories.organisation)
    result = run(DUTCH, language="ru")
    assert result.exit_code == 0
    assert (
        "Practitioner-d001.json:$.telecom[0].value Practitioner/d001:"
        " Номер другой страны без её кода: не записан." in result.stdout
    )


def test_one_wrong_file_stops_the_run_before_anything_is_written(
    run: Run, database_url: str, tmp_path: Path
) -> None:
    within(database_url, factories.organisation)
    cut = tmp_path / "cut.xml"
    cut.write_bytes(WARD.read_bytes()[:900])
    text = tmp_path / "note.txt"
    text.write_text("hello")
    result = run(DUTCH, cut, text, tmp_path / "none.json", tmp_path)
    assert result.exit_code == 2
    assert result.stderr.splitlines() == [
        f"{cut}:32: The file is damaged, cut off, or breaks the rules of its format.",
        f"{text}: This is neither a FHIR resource (JSON) nor an INRC-I roster (XML).",
        f"{tmp_path / 'none.json'}: There is no such file, it is not a file, it cannot be opened,"
        " or its name cannot be used.",
        f"{tmp_path}: There is no such file, it is not a file, it cannot be opened, or its name"
        " cannot be used.",
    ]
    assert people_and_shifts(database_url) == (0, 0, 0)


def test_the_organisation_must_be_clear(run: Run, database_url: str) -> None:
    assert run(DUTCH).exit_code == 2

    async def two() -> None:
        await factories.organisation(name="Первая больница")
        await factories.organisation(name="Вторая больница")

    within(database_url, two)
    unclear = run(DUTCH)
    assert unclear.exit_code == 2
    assert unclear.stderr == (
        "Name the organisation with --organisation (id or name): there is not exactly one that"
        " fits.\n"
    )
    assert run(DUTCH, "--organisation", "вторая  БОЛЬНИЦА").exit_code == 0
    assert people_and_shifts(database_url)[1] == 1


@pytest.mark.parametrize(
    "options",
    [
        ("--month", "2026-13"),
        ("--month", "December"),
        ("--month", "1600-01"),
        ("--zone", "Mars/Olympus"),
        ("--zone", "../../etc/passwd"),
    ],
)
def test_an_option_that_cannot_be_used_is_named(
    run: Run, database_url: str, options: tuple[str, str]
) -> None:
    within(database_url, factories.organisation)
    result = run(DUTCH, *options)
    assert (result.exit_code, result.stderr) == (2, f"{options[0]} cannot be {options[1]}.\n")


def test_the_zone_moves_the_hours(run: Run, database_url: str) -> None:
    within(database_url, factories.organisation)
    run(WARD, "--month", "2026-12", "--zone", "Asia/Vladivostok")

    async def hours() -> set[int]:
        return {shift.starts_at.hour for shift in await Shift.all()}

    assert within(database_url, hours) == {20, 4, 12}


def test_imported_workers_are_invited_once(run: Run, database_url: str) -> None:
    within(database_url, factories.organisation)
    first = run(HOSPITAL, "--invite")
    assert first.stdout.count("IN-") == 2

    async def invited() -> tuple[int, list[tuple[str, Role]]]:
        grants = RoleGrant.all().order_by("account__practitioner__last_name")
        return await Invitation.all().count(), [
            (str(name), role)
            for name, role in await grants.values_list("account__practitioner__last_name", "role")
        ]

    expected = (2, [("Орлова", Role.NURSE), ("Соколова", Role.DOCTOR)])
    assert within(database_url, invited) == expected
    again = run(HOSPITAL, "--invite")
    assert "There is nobody to invite." in again.stdout
    assert within(database_url, invited) == expected

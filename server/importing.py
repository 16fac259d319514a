"""The command ``cabinet import``: reads files, imports them, and shows what became of each part."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from adapters.fhir import read_fhir
from adapters.rosters import read_roster
from adapters.staff_records import (
    FILE_BYTES,
    FileTooLarge,
    FormatUnknown,
    Remark,
    StaffFile,
    WrongFile,
)
from auth.viewer import Viewer
from core.errors import Problem
from core.settings import Settings
from core.text import fold
from core.translation import message
from models.database import opened, settle
from models.organisation import Organisation
from resolvers.import_plan import Outcome
from resolvers.imports import ImportReport, import_staff, invitable
from resolvers.invitations import invite as invite_worker
from server.environment import settings, system_viewer
from server.migrating import migrate_database

_NAME_LENGTH = 200
# So many remarks of one kind are shown; --all shows every one.
_SHOWN = 3
_STYLES = {
    Outcome.CREATED: "green",
    Outcome.UPDATED: "cyan",
    Outcome.SKIPPED: "dim",
    Outcome.FAILED: "red",
}


class FileUnreadable(WrongFile):
    """Not there, not a file, not ours to read, or named so that the name cannot be kept."""

    code = "IMPORT_FILE_UNREADABLE"


class OrganisationUnclear(Problem):
    """None or several fit: --organisation must name one."""

    code = "IMPORT_ORGANISATION_UNCLEAR"


class OptionInvalid(Problem):
    """An option's value cannot be used."""

    code = "IMPORT_OPTION_INVALID"


class WrongFiles(Exception):
    """The files that cannot be read, each with its problem: nothing was imported."""

    def __init__(self, wrong: list[tuple[Path, WrongFile]]) -> None:
        super().__init__([str(path) for path, _ in wrong])
        self.wrong = wrong


def import_command(
    files: Annotated[
        list[Path],
        typer.Argument(help="FHIR R4 resources or Bundles (JSON), INRC-I rosters (XML)."),
    ],
    organisation: Annotated[
        str | None,
        typer.Option(help="The importing organisation, by id or name. By default the only one."),
    ] = None,
    month: Annotated[
        str | None,
        typer.Option(
            metavar="YYYY-MM",
            help="Move rosters by whole weeks, to begin in this month on the same weekday.",
        ),
    ] = None,
    zone: Annotated[
        str | None,
        typer.Option(help="The time zone of the rosters. By default the organisation's."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Tell what would happen, and change nothing.")
    ] = False,
    invite: Annotated[
        bool, typer.Option("--invite", help="Invite the imported workers: a one-time code each.")
    ] = False,
    show_all: Annotated[
        bool, typer.Option("--all", help="Show every remark, not the first of each kind.")
    ] = False,
) -> None:
    """Import staff and rosters. Running it again changes nothing.

    Exit code 0: done; 1: some element failed; 2: a wrong file or option, nothing imported.
    """
    found = settings()
    out, err = Console(), Console(stderr=True)
    try:
        first = month_of(month) if month is not None else None
        # Wrong files are found before the database is touched.
        read_files(files, zone=zone_of(zone or "UTC"), month=first)
        asyncio.run(migrate_database(found.database_url))
        work = _import(
            found,
            files,
            organisation,
            first,
            zone,
            dry_run,
            invite,
            Show(out, err, found, show_all),
        )
        report = asyncio.run(work)
    except WrongFiles as wrong:
        for path, problem in wrong.wrong:
            place = (
                f"{path}:{problem.values['where']}" if problem.values.get("where") else f"{path}"
            )
            text = message(found.language, problem.code, **problem.values)
            err.print(Text(f"{place}: {text}", style="red"), soft_wrap=True)
        raise typer.Exit(2) from None
    except (WrongFile, OptionInvalid, OrganisationUnclear) as problem:
        text = message(found.language, problem.code, **problem.values)
        err.print(Text(text, style="red"), soft_wrap=True)
        raise typer.Exit(2) from None
    except Problem as problem:
        text = message(found.language, problem.code, **problem.values)
        err.print(Text(text, style="red"), soft_wrap=True)
        raise typer.Exit(1) from None
    if report.counts[Outcome.FAILED]:
        raise typer.Exit(1)


async def _import(
    found: Settings,
    paths: Sequence[Path],
    named: str | None,
    month: date | None,
    zone: str | None,
    dry_run: bool,
    invite: bool,
    show: "Show",
) -> ImportReport:
    async with opened(found.database_url):
        try:
            organisation = await organisation_named(named)
            viewer = system_viewer(organisation.id)._replace(zone=organisation.zone)
            records = read_files(paths, zone=zone or organisation.zone, month=month)
            with show.progress() as bars:
                tasks = {file.name: bars.add_task(file.name, total=None) for file in records}
                report = await import_staff(
                    viewer,
                    records=records,
                    dry_run=dry_run,
                    organisation_id=organisation.id,
                    progress=lambda name, done, total: bars.update(
                        tasks[name], completed=done, total=total
                    ),
                )
            show.report(report)
            if invite and not dry_run:
                await _invite(viewer, report, show)
            return report
        finally:
            await settle()


async def _invite(viewer: Viewer, report: ImportReport, show: "Show") -> None:
    rows: list[tuple[str, ...]] = []
    for person in await invitable(viewer, report=report):
        try:
            invited = await invite_worker(
                viewer, practitioner_id=person.practitioner_id, role=person.role
            )
            told = invited.code
        except Problem as problem:
            told = message(show.language, problem.code, **problem.values)
        rows.append((person.public_id, person.name, person.department, person.role.value, told))
    show.invitations(rows)


def read_files(paths: Sequence[Path], *, zone: str, month: date | None) -> list[StaffFile]:
    """The files as records, by what is in them and not by their names; raises WrongFiles."""
    found: list[StaffFile] = []
    wrong: list[tuple[Path, WrongFile]] = []
    for path in paths:
        try:
            found.append(read_file(path, zone=zone, month=month))
        except WrongFile as problem:
            wrong.append((path, problem))
    if wrong:
        raise WrongFiles(wrong)
    return found


def read_file(path: Path, *, zone: str, month: date | None) -> StaffFile:
    """One file as records; raises WrongFile."""
    if not path.name.isprintable() or len(path.name) > _NAME_LENGTH or not path.is_file():
        raise FileUnreadable("files", where="")
    try:
        with path.open("rb") as file:
            content = file.read(FILE_BYTES + 1)
    except OSError:
        raise FileUnreadable("files", where="") from None
    if len(content) > FILE_BYTES:
        raise FileTooLarge("files", where="", limit=FILE_BYTES)
    begin = content[:64].removeprefix(b"\xef\xbb\xbf").lstrip()
    if begin.startswith((b"{", b"[")):
        return read_fhir(content, path.name)
    # XML may also come in UTF-16, which begins with a byte order mark.
    if begin.startswith((b"<", b"\xff\xfe", b"\xfe\xff")):
        return read_roster(content, path.name, zone=zone, month=month)
    raise FormatUnknown("files", where="")


def month_of(text: str) -> date:
    """The first day of a month given as YYYY-MM; raises OptionInvalid."""
    try:
        first = datetime.strptime(text, "%Y-%m").date()  # noqa: DTZ007  # a month has no zone
    except ValueError:
        raise OptionInvalid("month", option="--month", value=text) from None
    if not 2000 <= first.year <= 2200:
        raise OptionInvalid("month", option="--month", value=text)
    return first


def zone_of(text: str) -> str:
    """The name of an IANA time zone; raises OptionInvalid."""
    try:
        return ZoneInfo(text).key
    except (ValueError, OSError, LookupError):
        raise OptionInvalid("zone", option="--zone", value=text) from None


async def organisation_named(named: str | None) -> Organisation:
    """The organisation with an id or a name, or the only one; raises OrganisationUnclear."""
    rows = Organisation.all()
    if named is not None:
        try:
            rows = rows.filter(id=UUID(named))
        except ValueError:
            rows = rows.filter(name_folded=fold(named))
    found = await rows.order_by("name_folded").limit(2)
    if len(found) != 1:
        raise OrganisationUnclear("organisation", value=named or "")
    return found[0]


class Show:
    """What the command prints: tables on the standard output, progress beside it."""

    def __init__(self, out: Console, err: Console, found: Settings, every: bool) -> None:
        self.out = out
        self.err = err
        self.language = found.language
        self.every = every

    def progress(self) -> Progress:
        columns = (
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
        )
        return Progress(*columns, console=self.err, transient=True)

    def _text(self, code: str, **values: object) -> str:
        return message(self.language, code, **values)

    def report(self, report: ImportReport) -> None:
        seen: Counter[str] = Counter()
        for file in report.files:
            for remark in file.remarks:
                self._remark(file.file, "", remark, "yellow")
            for line in file.lines:
                has_failed = line.outcome is Outcome.FAILED
                for remark in line.remarks:
                    seen[remark.code] += not has_failed
                    if has_failed or self.every or seen[remark.code] <= _SHOWN:
                        style = "red" if has_failed else "yellow"
                        self._remark(file.file, line.element, remark, style)
        for kind, count in sorted(seen.items()):
            if count > _SHOWN and not self.every:
                more = self._text("IMPORT_MORE", count=count - _SHOWN, kind=kind)
                self.out.print(Text(more, style="dim"), soft_wrap=True)
        self._counts(report)

    def _remark(self, file: str, element: str, remark: Remark, style: str) -> None:
        place = f"{file}:{remark.where}" + (f" {element}" if element else "")
        text = self._text(remark.code, **remark.values)
        self.out.print(Text.assemble((f"{place}: ", style), text), soft_wrap=True)

    def _counts(self, report: ImportReport) -> None:
        title = "IMPORT_TITLE_DRY" if report.dry_run else "IMPORT_TITLE"
        table = Table(title=self._text(title), show_footer=len(report.files) > 1)
        table.add_column(self._text("IMPORT_COLUMN_FILE"), footer=self._text("IMPORT_COLUMN_TOTAL"))
        total = report.counts
        for outcome in Outcome:
            table.add_column(
                self._text(f"IMPORT_COLUMN_{outcome.value}"),
                justify="right",
                style=_STYLES[outcome],
                footer=f"{total[outcome]}",
            )
        for file in report.files:
            table.add_row(Text(file.file), *(f"{file.counts[outcome]}" for outcome in Outcome))
        self.out.print(table)

    def invitations(self, rows: Sequence[tuple[str, ...]]) -> None:
        if not rows:
            self.out.print(self._text("IMPORT_NOBODY_INVITED"))
            return
        table = Table(title=self._text("IMPORT_TITLE_INVITATIONS"))
        for column in ("ID", "PERSON", "DEPARTMENT", "ROLE", "CODE"):
            table.add_column(self._text(f"IMPORT_COLUMN_{column}"), no_wrap=column == "CODE")
        for row in rows:
            table.add_row(*(Text(cell) for cell in row))
        self.out.print(table)

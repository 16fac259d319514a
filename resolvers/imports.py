"""Importing staff records: each file in one unit of work, each element with its outcome.

The identity of an element is its source, its file's name and its own name in the file
(``ImportedRecord``): a second run finds what the first one made, and changes nothing.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from tortoise.exceptions import IntegrityError

from adapters.staff_records import Refused, Remark, StaffFile, WrongFile
from auth import audit
from auth.rows import lock, visible
from auth.viewer import Viewer
from core.errors import Problem
from models.database import unit_of_work
from models.organisation import Organisation
from models.practitioner import Position, Practitioner
from models.role import Role
from resolvers.grants import ROLE_OF
from resolvers.import_people import addresses, departments, people
from resolvers.import_plan import Known, Line, Outcome, Plan
from resolvers.import_work import demand, posts, wishes
from resolvers.standing import ActionDenied, is_limited, organisation_of

# Called with the file's name, how many rows are written, and how many there are to write.
Progress = Callable[[str, int, int], None]


class ImportRace(Problem):
    """Somebody wrote the same thing at the same moment; nothing of this file was imported."""

    code = "IMPORT_RACE"


class FileNamedTwice(WrongFile):
    """Two files of one name: their elements could not be told apart."""

    code = "IMPORT_FILE_TWICE"


@dataclass(frozen=True, slots=True)
class FileReport:
    """What became of each element of a file, and what is to be said about the whole of it."""

    file: str
    lines: tuple[Line, ...]
    remarks: tuple[Remark, ...]

    @property
    def counts(self) -> dict[Outcome, int]:
        counted = Counter(line.outcome for line in self.lines)
        return {outcome: counted[outcome] for outcome in Outcome}


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did, or would do."""

    dry_run: bool
    files: tuple[FileReport, ...] = field(default_factory=tuple)

    @property
    def counts(self) -> dict[Outcome, int]:
        return {outcome: sum(file.counts[outcome] for file in self.files) for outcome in Outcome}

    @property
    def people(self) -> frozenset[UUID]:
        """The practitioners among the elements, whether they were changed or not."""
        return frozenset(
            line.row_id
            for file in self.files
            for line in file.lines
            if line.model is Practitioner and line.row_id is not None
        )


@dataclass(frozen=True, slots=True)
class Invitable:
    """An imported worker without an account, and the role that their profession gives."""

    practitioner_id: UUID
    public_id: str
    name: str
    # Rosters call their people 0, 1, 2: the department tells one from another.
    department: str
    role: Role


async def import_staff(
    viewer: Viewer,
    *,
    records: Sequence[StaffFile],
    dry_run: bool,
    organisation_id: UUID | None = None,
    progress: Progress | None = None,
) -> ImportReport:
    """Imports files, those first that others refer to; with ``dry_run`` only tells.

    A wrong element fails alone. Raises NotFound, Required, ActionDenied, FileNamedTwice,
    ImportRace; files imported before an ImportRace stay.
    """
    organisation_id = organisation_of(viewer, organisation_id)
    if is_limited(viewer, organisation_id):
        raise ActionDenied("organisation_id")
    names = Counter(file.name for file in records)
    if twice := next((name for name, times in names.items() if times > 1), None):
        raise FileNamedTwice("records", where=twice)
    known = Known.among(records)
    reports = []
    for file in sorted(records, key=_rank):
        if dry_run:
            plan = await _plan_file(viewer, organisation_id, file, known, locked=False)
            if progress is not None:
                progress(file.name, plan.size, plan.size)
            known = known.after(plan, keep_rows=True)
        else:
            plan = await _import_file(viewer, organisation_id, file, known, progress)
            known = known.after(plan, keep_rows=False)
        reports.append(FileReport(file.name, tuple(plan.lines), (*file.remarks, *plan.remarks)))
    return ImportReport(dry_run, tuple(reports))


def _rank(file: StaffFile) -> tuple[int, str]:
    return max((element.rank for element in file.elements), default=0), file.name


async def _plan_file(
    viewer: Viewer, organisation_id: UUID, file: StaffFile, known: Known, *, locked: bool
) -> Plan:
    plan = Plan(viewer, organisation_id, file, known, locked=locked)
    await plan.read_records()
    for step in (departments, addresses, people, posts, wishes, demand):
        await step(plan)
    for record in plan.of(Refused):
        plan.tell(record, Outcome(record.refusal.value))
    return plan


@unit_of_work
async def _import_file(
    viewer: Viewer,
    organisation_id: UUID,
    file: StaffFile,
    known: Known,
    progress: Progress | None,
) -> Plan:
    # Imports of one organisation wait for each other here.
    organisation = await lock(viewer, Organisation, organisation_id, "organisation_id")
    plan = await _plan_file(viewer, organisation_id, file, known, locked=True)
    try:
        await plan.write((lambda done: progress(file.name, done, plan.size)) if progress else None)
    except IntegrityError:
        raise ImportRace from None
    counts = FileReport(file.name, tuple(plan.lines), ()).counts
    audit.record(
        viewer,
        "STAFF_IMPORTED",
        organisation,
        organisation=organisation_id,
        source=file.source.value,
        file=file.name,
        created=counts[Outcome.CREATED],
        updated=counts[Outcome.UPDATED],
        skipped=counts[Outcome.SKIPPED],
        failed=counts[Outcome.FAILED],
    )
    for line in plan.lines:
        row = plan.rows.get(line.row_id) if line.row_id else None
        if line.outcome not in (Outcome.CREATED, Outcome.UPDATED):
            continue
        if isinstance(row, Practitioner | Position):
            written = plan.columns_of(row.id)
            details: dict[str, Any] = {"fields": written} if written else {}
            audit.record(
                viewer,
                f"{type(row).__name__.upper()}_{line.outcome.value}",
                row,
                about=row.id if isinstance(row, Practitioner) else row.practitioner_id,
                source=file.source.value,
                file=file.name,
                element=line.element,
                **details,
            )
    return plan


async def invitable(viewer: Viewer, *, report: ImportReport) -> list[Invitable]:
    """The imported workers who have no account yet and whose profession gives them a role."""
    people = (
        visible(viewer, Practitioner)
        .filter(
            id__in=list(report.people),
            account_id__isnull=True,
            profession__in=[profession.value for profession in ROLE_OF],
        )
        .order_by("full_name_folded", "id")
        .prefetch_related("department")
    )
    return [
        Invitable(
            person.id,
            person.public_id,
            " ".join(
                part for part in (person.last_name, person.first_name, person.middle_name) if part
            ),
            person.department.name if person.department is not None else "",
            ROLE_OF[person.profession],
        )
        for person in await people
    ]

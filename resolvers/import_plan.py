"""What importing one file comes to: rows to make and to amend, and an outcome per element.

A plan reads and decides; only ``write`` writes. A dry run is a plan that is not written, so
that both tell the same.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeVar
from uuid import UUID

from adapters.staff_records import (
    AddressRecord,
    Element,
    PersonRecord,
    PostRecord,
    Refused,
    Remark,
    Source,
    StaffFile,
)
from auth.rows import visible
from auth.viewer import Viewer
from models.fields import canonical_json
from models.imported import ImportedRecord
from models.organisation import Department, DictionaryEntry
from models.practitioner import Position, Practitioner
from models.row import Row
from models.shift import DayWish, Shift

R = TypeVar("R", bound=Row)
E = TypeVar("E", bound=Element)
T = TypeVar("T")

_CHUNK = 500
# Rows are made in this order: each refers to those before it.
_ORDER: tuple[type[Row], ...] = (
    DictionaryEntry,
    Department,
    Practitioner,
    Position,
    DayWish,
    Shift,
    ImportedRecord,
)


class Outcome(StrEnum):
    """What became of an element. SKIPPED: it is there already, or it is not ours to import."""

    CREATED = "CREATED"
    UPDATED = "UPDATED"
    SKIPPED = "SKIPPED"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class Line:
    """An element's outcome, where it stands in the file, and the row that it stands for."""

    element: str
    where: str
    outcome: Outcome
    remarks: tuple[Remark, ...] = ()
    model: type[Row] | None = None
    row_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What the other files of a run contribute to the plan of one."""

    # Rows by element and file, for what refers to another file's element.
    ids: Mapping[str, Mapping[str, tuple[str, UUID]]] = field(default_factory=dict)
    # Rows that a dry run has only thought of.
    rows: Mapping[UUID, Row] = field(default_factory=dict)
    # Official numbers, and the elements (file, name) that carry them.
    numbers: Mapping[str, frozenset[tuple[str, str]]] = field(default_factory=dict)

    @classmethod
    def among(cls, files: Iterable[StaffFile]) -> "Known":
        numbers: dict[str, frozenset[tuple[str, str]]] = {}
        for file in files:
            for person in file.elements:
                if isinstance(person, PersonRecord):
                    for number in person.numbers:
                        carrier = (file.name, person.name)
                        numbers[number] = numbers.get(number, frozenset()) | {carrier}
        return cls(numbers=numbers)

    def after(self, plan: "Plan", *, keep_rows: bool) -> "Known":
        if not keep_rows:
            return self
        ids = {name: dict(files) for name, files in self.ids.items()}
        if plan.file.source is Source.FHIR:
            for name, target in plan.ids.items():
                ids.setdefault(name, {})[plan.file.name] = target
        return Known(ids, {**self.rows, **plan.rows}, self.numbers)


class Refusal(Exception):
    """The element yields no row."""

    def __init__(self, code: str, where: str, *, failed: bool = True, **values: object) -> None:
        super().__init__(code)
        self.remark = Remark(code, where, values)
        self.outcome = Outcome.FAILED if failed else Outcome.SKIPPED


@dataclass(slots=True)
class Pending:
    """An element on its way, and the values that it gives to its row; None gives nothing."""

    record: Element
    model: type[Row]
    values: dict[str, Any]
    # Columns of a new row only.
    initial: dict[str, Any] = field(default_factory=dict)
    # What else a change must be noticed in.
    seal: tuple[object, ...] = ()
    # Remarks made while planning; those in ``news`` are told when something changes only.
    remarks: list[Remark] = field(default_factory=list)
    news: list[Remark] = field(default_factory=list)

    @property
    def digest(self) -> str:
        content = [self.model.__name__, sorted(self.values.items()), self.seal]
        return hashlib.sha256(canonical_json(_plain(content)).encode()).hexdigest()


class Plan:
    """The plan of one file; ``import_people`` and ``import_work`` take its elements through it."""

    def __init__(
        self, viewer: Viewer, organisation_id: UUID, file: StaffFile, known: Known, *, locked: bool
    ) -> None:
        self.viewer = viewer
        self.organisation_id = organisation_id
        self.file = file
        self.known = known
        self.locked = locked
        self.lines: list[Line] = []
        self.remarks: list[Remark] = []
        # This file's elements: the name of the model and the row's id.
        self.ids: dict[str, tuple[str, UUID]] = {}
        self.failed = {element.name for element in file.elements if isinstance(element, Refused)}
        self.rows: dict[UUID, Row] = {}
        self.records: dict[str, ImportedRecord] = {}
        self._elsewhere: dict[str, dict[str, tuple[str, UUID]]] = {}
        self._made: dict[type[Row], list[Row]] = {model: [] for model in _ORDER}
        self._new: set[UUID] = set()
        self._amended: dict[UUID, set[str]] = {}

    def of(self, kind: type[E]) -> list[E]:
        return [element for element in self.file.elements if isinstance(element, kind)]

    @property
    def size(self) -> int:
        """How many rows are to be written."""
        return sum(len(rows) for rows in self._made.values()) + len(self._amended)

    def columns_of(self, row_id: UUID) -> list[str]:
        """The values that a row there was before is given."""
        return sorted(self._amended.get(row_id, set()) - {"version"})

    async def write(self, progress: Callable[[int], None] | None) -> None:
        """Writes the rows in chunks, inside the caller's unit of work."""
        done = 0
        for model, rows in self._made.items():
            for chunk in chunks(rows):
                await model.bulk_create(chunk)
                done += len(chunk)
                if progress is not None:
                    progress(done)
        for row_id, columns in self._amended.items():
            await self.rows[row_id].save(update_fields=columns)
            done += 1
            if progress is not None:
                progress(done)

    async def read_records(self) -> None:
        """What earlier runs made of this file, and of the elements that it refers to."""
        own = ImportedRecord.filter(
            organisation_id=self.organisation_id, source=self.file.source, file=self.file.name
        )
        self.records = {record.element: record for record in await own}
        if self.file.source is not Source.FHIR:
            return
        # A FHIR resource refers to others by type and id, whichever file they came in.
        names = set[str]()
        for element in self.file.elements:
            if isinstance(element, AddressRecord | PostRecord) and element.department:
                names.add(element.department)
            if isinstance(element, PostRecord):
                names.add(element.person)
        for chunk in chunks(sorted(names)):
            others = ImportedRecord.filter(
                organisation_id=self.organisation_id, source=self.file.source, element__in=chunk
            ).exclude(file=self.file.name)
            for record in await others:
                target = (record.model, record.row_id)
                self._elsewhere.setdefault(record.element, {})[record.file] = target

    async def load(self, model: type[Row], ids: Iterable[UUID]) -> None:
        """Brings rows into ``rows``, locked when they are going to be written."""
        wanted = set(ids) - self.rows.keys()
        for row_id in wanted & self.known.rows.keys():
            self.rows[row_id] = self.known.rows[row_id]
        for chunk in chunks(sorted(wanted - self.rows.keys())):
            if self.locked:
                await model.filter(id__in=chunk).select_for_update(no_key=True).only("id")
            for row in await visible(self.viewer, model).filter(id__in=chunk):
                self.rows[row.id] = row

    def refer(self, name: str, model: type[Row], where: str) -> UUID:
        """The id of the row that another element stands for; raises Refusal."""
        own = self.ids.get(name)
        if own is None and name in self.records:
            own = (self.records[name].model, self.records[name].row_id)
        if own is None and name in self.failed:
            raise Refusal("IMPORT_REFERENCE_FAILED", where, value=name)
        others = {**self._elsewhere.get(name, {}), **self.known.ids.get(name, {})}
        targets = {own} if own is not None else set(others.values())
        ids = {row_id for kind, row_id in targets if kind == model.__name__}
        if len(ids) > 1:
            raise Refusal("IMPORT_REFERENCE_AMBIGUOUS", where, value=name)
        if not ids:
            raise Refusal("IMPORT_REFERENCE_UNKNOWN", where, value=name)
        return ids.pop()

    def make(self, row: R) -> R:
        self._made[type(row)].append(row)
        self._new.add(row.id)
        self.rows[row.id] = row
        return row

    def amend(self, row: Row, values: Mapping[str, Any]) -> bool:
        """Gives a row the values that are known and differ; whether there were any."""
        changed = {
            column
            for column, value in values.items()
            if value is not None and getattr(row, column) != value
        }
        if not changed:
            return False
        for column in changed:
            setattr(row, column, values[column])
        if row.id in self._new:
            return True
        columns = self._amended.setdefault(row.id, set())
        if not columns and "version" in row._meta.fields_map:
            row.version += 1  # type: ignore[attr-defined]  # seen in the line above
            columns.add("version")
        columns |= changed
        self.rows[row.id] = row
        return True

    def note(self, name: str, model: type[Row], row_id: UUID, digest: str) -> None:
        """Remembers which row an element stands for, and what was read of it."""
        self.ids[name] = (model.__name__, row_id)
        record = self.records.get(name)
        if record is None:
            self.make(
                ImportedRecord(
                    organisation_id=self.organisation_id,
                    source=self.file.source,
                    file=self.file.name,
                    element=name,
                    model=model.__name__,
                    row_id=row_id,
                    digest=digest,
                )
            )
            return
        self.amend(record, {"model": model.__name__, "row_id": row_id, "digest": digest})

    def tell(
        self,
        record: Element,
        outcome: Outcome,
        remarks: Iterable[Remark] = (),
        model: type[Row] | None = None,
        row_id: UUID | None = None,
    ) -> None:
        if outcome is Outcome.FAILED:
            self.failed.add(record.name)
        every = (*record.remarks, *remarks)
        self.lines.append(Line(record.name, record.where, outcome, every, model, row_id))

    def refuse(self, record: Element, refusal: Refusal) -> None:
        self.tell(record, refusal.outcome, (refusal.remark,))

    async def settle(
        self, pending: Sequence[Pending], check: Callable[[Pending, Row], None] | None = None
    ) -> None:
        """Makes or amends the rows of elements of one kind, and tells their outcomes.

        ``check`` looks at a row that is about to be amended, and may raise Refusal.
        """
        changed = [
            self.records[item.record.name].row_id
            for item in pending
            if item.record.name in self.records
            and self.records[item.record.name].digest != item.digest
        ]
        if pending:
            await self.load(pending[0].model, changed)
        for item in pending:
            try:
                self._settle(item, check)
            except Refusal as refusal:
                self.refuse(item.record, refusal)

    def _settle(self, item: Pending, check: Callable[[Pending, Row], None] | None) -> None:
        name, digest = item.record.name, item.digest
        earlier = self.records.get(name)
        if earlier is None:
            given = {column: value for column, value in item.values.items() if value is not None}
            row = self.make(item.model(**{**item.initial, **given}))
            self.note(name, item.model, row.id, digest)
            told = (*item.remarks, *item.news)
            self.tell(item.record, Outcome.CREATED, told, item.model, row.id)
            return
        self.ids[name] = (earlier.model, earlier.row_id)
        if earlier.digest == digest:
            self.tell(item.record, Outcome.SKIPPED, item.remarks, item.model, earlier.row_id)
            return
        found = self.rows.get(earlier.row_id)
        if found is None:
            # Somebody removed it in the cabinet: an import does not bring it back.
            raise Refusal("IMPORT_ROW_GONE", item.record.where, failed=False)
        if check is not None:
            check(item, found)
        outcome = Outcome.UPDATED if self.amend(found, item.values) else Outcome.SKIPPED
        self.note(name, item.model, found.id, digest)
        told = (*item.remarks, *item.news)
        self.tell(item.record, outcome, told, item.model, found.id)


def chunks(items: Sequence[T]) -> Iterator[list[T]]:
    for start in range(0, len(items), _CHUNK):
        yield list(items[start : start + _CHUNK])


def _plain(value: object) -> object:
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, bool | int) else str(value)

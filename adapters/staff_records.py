"""What every import format comes down to: departments, people, posts, wishes and demand.

A parser yields a ``StaffFile``: elements that are right, in neutral words, and elements that it
refused. Nothing here knows rows' ids; an element refers to another by its name in the file.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar

from core.errors import Problem
from models.practitioner import EmploymentType, Profession
from models.shift import ShiftKind

# Larger than any of the formats' files need to be; a file is read into memory whole.
FILE_BYTES = 16 * 1024 * 1024
ELEMENTS = 50_000


class WrongFile(Problem):
    """The file as a whole cannot be imported. ``where`` among its values locates the reason."""

    code = "IMPORT_FILE_WRONG"


class FileTooLarge(WrongFile):
    """More bytes or more elements than are read at once."""

    code = "IMPORT_FILE_TOO_LARGE"


class FormatUnknown(WrongFile):
    """Neither FHIR JSON nor an INRC-I roster."""

    code = "IMPORT_FORMAT_UNKNOWN"


class FileMalformed(WrongFile):
    """Cut off, binary, or otherwise not well formed."""

    code = "IMPORT_FILE_MALFORMED"


class FileHostile(WrongFile):
    """Declares a document type or entities, or is nested beyond reason."""

    code = "IMPORT_FILE_HOSTILE"


class Source(StrEnum):
    """A format that elements come from: a part of their identity."""

    FHIR = "FHIR"
    ROSTER = "ROSTER"


class Refusal(StrEnum):
    """Why the parser yields no record: the element is wrong, or it is nothing that we import."""

    FAILED = "FAILED"
    SKIPPED = "SKIPPED"


@dataclass(frozen=True, slots=True)
class Remark:
    """A thing that a person should look at: a code, where in the file, values for the text."""

    code: str
    where: str
    values: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Element:
    """A part of a file with a name of its own. ``where`` is a JSON path or a line's number."""

    rank: ClassVar[int] = 0

    name: str
    where: str
    remarks: tuple[Remark, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused(Element):
    """An element that is not imported; its remarks say why."""

    refusal: Refusal = Refusal.FAILED


@dataclass(frozen=True, slots=True, kw_only=True)
class DepartmentRecord(Element):
    rank: ClassVar[int] = 1

    code: str
    title: str
    city: str | None = None
    address: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressRecord(Element):
    """Where a department is, told apart from it."""

    rank: ClassVar[int] = 2

    department: str
    city: str | None
    address: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonRecord(Element):
    """A worker. None means that the file does not say, or says it wrongly."""

    rank: ClassVar[int] = 3

    last_name: str
    first_name: str | None = None
    middle_name: str | None = None
    birth_date: date | None = None
    snils: str | None = None
    inn: str | None = None
    address: str | None = None
    personal_phone: str | None = None
    personal_email: str | None = None
    work_phone: str | None = None
    work_email: str | None = None
    profession: Profession | None = None
    department: str | None = None
    # Digests of official numbers, by which two records of one person are noticed.
    numbers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Term:
    """A coded term. The name is given where the file itself declares the dictionary."""

    oid: str
    code: str
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PostRecord(Element):
    """What a worker is employed as. A position is written when title and start are known."""

    rank: ClassVar[int] = 4

    person: str
    department: str | None = None
    title: Term | None = None
    specialty: Term | None = None
    profession: Profession | None = None
    # Without a rate the worker's file is incomplete until somebody tells it.
    rate: Decimal | None = None
    employment: EmploymentType = EmploymentType.MAIN
    starts_on: date | None = None
    # The file knows only that the post was held on ``starts_on``.
    start_assumed: bool = False
    ends_on: date | None = None
    work_phone: str | None = None
    work_email: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WishRecord(Element):
    """A wish to be free on a day, or of one kind of shift on it."""

    rank: ClassVar[int] = 5

    person: str
    day: date
    kind: ShiftKind | None
    weight: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DemandRecord(Element):
    """One worker needed in a department from ``starts_at`` to ``ends_at``, in UTC."""

    rank: ClassVar[int] = 6

    department: str
    kind: ShiftKind
    profession: Profession
    starts_at: datetime
    ends_at: datetime
    note: str | None = None


@dataclass(frozen=True, slots=True)
class StaffFile:
    """One file as read: its own name without folders, and its elements, those needed first."""

    source: Source
    name: str
    elements: tuple[Element, ...]
    remarks: tuple[Remark, ...] = ()


def staff_file(
    source: Source, name: str, elements: Iterable[Element], remarks: Iterable[Remark] = ()
) -> StaffFile:
    """Orders the elements by what needs what, and refuses a name that was there before."""
    seen: dict[str, Element] = {}
    kept: list[Element] = []
    for element in elements:
        if len(kept) >= ELEMENTS:
            raise FileTooLarge("file", where=element.where, limit=ELEMENTS)
        if (first := seen.setdefault(element.name, element)) is not element:
            twice = Remark("IMPORT_ELEMENT_TWICE", element.where, {"first": first.where})
            element = Refused(name=element.name, where=element.where, remarks=(twice,))
        kept.append(element)
    kept.sort(key=lambda element: element.rank)
    return StaffFile(source, name, tuple(kept), tuple(remarks))


def digest_of_number(system: str, value: str) -> str:
    """An official number in a form that is compared and tells nothing."""
    return hashlib.sha256(f"{system}|{value}".encode()).hexdigest()

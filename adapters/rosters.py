"""Rosters of the first nurse rostering competition (INRC-I, ``competition.xsd``).

One roster is one ward: a department, its nurses and their contracts, the shifts that it needs
covered, and the days and shifts on which its nurses wish to be free.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from adapters.roster_values import (
    ID,
    Wrong,
    date_of,
    id_of,
    kind_of,
    number_of,
    rate_of,
    time_of,
)
from adapters.roster_xml import Node, read_xml
from adapters.staff_records import (
    DemandRecord,
    DepartmentRecord,
    Element,
    FormatUnknown,
    PersonRecord,
    PostRecord,
    Refusal,
    Refused,
    Remark,
    Source,
    StaffFile,
    Term,
    WishRecord,
    WrongFile,
    staff_file,
)
from models.practitioner import Profession
from models.shift import ShiftKind

# The competition's own vocabulary of skills, declared by each file: not a Russian dictionary.
SKILLS = "urn:inrc-i:skill"

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_LONGEST = timedelta(days=366)
_MOST_OF_ONE_SHIFT = 200
_HEAVIEST_WISH = 1_000_000
_NAME_LENGTH = 120
_NOTE_LENGTH = 1_000


class RosterWrong(WrongFile):
    """Well-formed XML, but a roster without a usable period of time, or not a roster."""

    code = "IMPORT_ROSTER_WRONG"


@dataclass(frozen=True, slots=True)
class _ShiftType:
    starts: time
    ends: time
    kind: ShiftKind
    note: str | None


def read_roster(content: bytes, name: str, *, zone: str, month: date | None = None) -> StaffFile:
    """The elements of a roster. Its times are local times of ``zone``.

    With ``month`` all its dates move by whole weeks, so that its first day becomes the first
    day of that month which is the same day of the week. Raises WrongFile.
    """
    root = read_xml(content)
    if root.tag != "SchedulingPeriod":
        raise FormatUnknown("file", where=root.where)
    return _Roster(root, name, zone, month).read()


def first_day_in(month: date, like: date) -> date:
    """The first day of a month that falls on the same day of the week as another date."""
    first = month.replace(day=1)
    return first + timedelta(days=(like.weekday() - first.weekday()) % 7)


class _Roster:
    def __init__(self, root: Node, name: str, zone: str, month: date | None) -> None:
        self.root = root
        self.name = name
        self.zone = ZoneInfo(zone)
        self.id = root.attributes.get("ID", "")
        try:
            if not ID.fullmatch(self.id):
                raise Wrong("IMPORT_VALUE_INVALID", root, value="ID")
            self.starts_on, self.ends_on = date_of(root, "StartDate"), date_of(root, "EndDate")
        except Wrong as wrong:
            raise RosterWrong("file", where=wrong.remark.where) from None
        if not timedelta(0) <= self.ends_on - self.starts_on <= _LONGEST:
            raise RosterWrong("file", where=root.where)
        target = first_day_in(month, self.starts_on) if month else self.starts_on
        self.moved_by = target - self.starts_on
        self.ward = f"SchedulingPeriod/{self.id}"
        self.refused: list[Refused] = []
        self.types: dict[str, _ShiftType] = {}
        self.skills = [skill.text.strip() for skill in root.within("Skills")]
        self.contracts = {
            contract.attributes.get("ID", ""): contract for contract in root.within("Contracts")
        }
        self.employees = {
            employee.attributes.get("ID", "") for employee in root.within("Employees")
        }

    def read(self) -> StaffFile:
        elements: list[Element] = [
            DepartmentRecord(
                name=self.ward, where=self.root.where, code=f"roster:{self.id}", title=self.id
            )
        ]
        for node in self.root.within("ShiftTypes"):
            self._keep(f"Shift/{node.attributes.get('ID', '')}", node, self._shift_type)
        for node in self.root.within("Employees"):
            elements += self._employee(node)
        elements += self._wishes()
        elements += self._demand()
        remarks = []
        if self.moved_by:
            moved = {"starts_on": self._moved(self.starts_on), "days": self.moved_by.days}
            remarks.append(Remark("IMPORT_ROSTER_MOVED", self.root.where, moved))
        return staff_file(Source.ROSTER, self.name, [*elements, *self.refused], remarks)

    def _keep(self, name: str, node: Node, read: Callable[[Node], None]) -> None:
        try:
            read(node)
        except Wrong as wrong:
            self._refuse(name, node, wrong.remark)

    def _refuse(
        self, name: str, node: Node, remark: Remark, refusal: Refusal = Refusal.FAILED
    ) -> None:
        self.refused.append(
            Refused(name=name, where=node.where, remarks=(remark,), refusal=refusal)
        )

    def _moved(self, day: date) -> date:
        return day + self.moved_by

    def _shift_type(self, node: Node) -> None:
        starts, ends = time_of(node, "StartTime"), time_of(node, "EndTime")
        key = id_of(node, node.attributes.get("ID"))
        if key in self.types:
            raise Wrong("IMPORT_ELEMENT_TWICE", node, first=key)
        note = " ".join((node.value("Description") or "").split())[:_NOTE_LENGTH] or None
        self.types[key] = _ShiftType(starts, ends, kind_of(starts, ends), note)

    def _employee(self, node: Node) -> Iterator[Element]:
        given = node.attributes.get("ID", "")
        name = f"Employee/{given}"
        try:
            id_of(node, given)
            # A nurse's name is all that a roster tells; it is kept as it stands.
            last_name = " ".join((node.value("Name") or given).split())
            if len(last_name) > _NAME_LENGTH:
                raise Wrong("IMPORT_VALUE_INVALID", node, value="Name")
        except Wrong as wrong:
            self._refuse(name, node, wrong.remark)
            return
        yield PersonRecord(
            name=name,
            where=node.where,
            last_name=last_name,
            profession=Profession.NURSE,
            department=self.ward,
        )
        contract = node.child("ContractID") or node
        try:
            yield self._post(name, node, contract)
        except Wrong as wrong:
            self._refuse(f"{name}/ContractID", contract, wrong.remark)

    def _post(self, person: str, node: Node, reference: Node) -> PostRecord:
        contract = self.contracts.get(node.value("ContractID") or "")
        if contract is None:
            raise Wrong("IMPORT_CONTRACT_UNKNOWN", reference)
        remarks = []
        rate = rate_of(contract.value("Description") or "")
        if rate is None:
            said = {"value": contract.value("Description") or ""}
            remarks.append(Remark("IMPORT_RATE_UNKNOWN", contract.where, said))
        held = {skill.text.strip() for skill in node.within("Skills")}
        if unknown := sorted(held - set(self.skills)):
            said = {"value": ", ".join(unknown)}
            remarks.append(Remark("IMPORT_SKILL_UNKNOWN", reference.where, said))
        # A roster declares its skills from the general to the special.
        declared = [skill for skill in self.skills if skill in held]
        if len(declared) > 1:
            remarks.append(
                Remark("IMPORT_SKILLS_SEVERAL", reference.where, {"value": declared[-1]})
            )
        return PostRecord(
            name=f"{person}/ContractID",
            where=reference.where,
            remarks=tuple(remarks),
            person=person,
            department=self.ward,
            title=Term(SKILLS, declared[-1][:40], declared[-1][:40]) if declared else None,
            profession=Profession.NURSE,
            rate=rate,
            starts_on=self._moved(self.starts_on),
            start_assumed=True,
        )

    def _wishes(self) -> list[WishRecord]:
        # A kind holds several types (early and day are both DAY): their wishes become one.
        wishes: dict[tuple[str, date, ShiftKind | None], WishRecord] = {}

        def read(node: Node) -> None:
            employee, day = self._employee_of(node), self._day(node)
            kind, suffix = None, ""
            if node.tag == "ShiftOff":
                shift = node.value("ShiftTypeID") or ""
                kind, suffix = self._type(node, shift).kind, f"/{shift}"
            weight = number_of(node, node.attributes.get("weight"), _HEAVIEST_WISH)
            record = WishRecord(
                name=f"{node.tag}/{employee}/{self._moved(day)}{suffix}",
                where=node.where,
                person=f"Employee/{employee}",
                day=self._moved(day),
                kind=kind,
                weight=weight,
            )
            key = (employee, day, kind)
            if (first := wishes.setdefault(key, record)) is not record:
                wishes[key] = replace(first, weight=max(first.weight, weight))
                joined = Remark("IMPORT_WISH_JOINED", node.where, {"first": first.where})
                self._refuse(f"{record.name}@{node.line}", node, joined, Refusal.SKIPPED)

        for requests in ("DayOffRequests", "ShiftOffRequests"):
            for node in self.root.within(requests):
                self._keep(f"{node.tag}@{node.line}", node, read)
        for requests in ("DayOnRequests", "ShiftOnRequests"):
            for node in self.root.within(requests):
                unsupported = Remark("IMPORT_WISH_TO_WORK", node.where)
                self._refuse(f"{node.tag}@{node.line}", node, unsupported, Refusal.SKIPPED)
        return list(wishes.values())

    def _employee_of(self, node: Node) -> str:
        employee = node.value("EmployeeID") or ""
        if employee not in self.employees:
            raise Wrong("IMPORT_EMPLOYEE_UNKNOWN", node, value=employee[:40])
        return employee

    def _type(self, node: Node, key: str) -> _ShiftType:
        if key not in self.types:
            raise Wrong("IMPORT_SHIFT_TYPE_UNKNOWN", node, value=key[:40])
        return self.types[key]

    def _day(self, node: Node) -> date:
        day = date_of(node, "Date")
        if not self.starts_on <= day <= self.ends_on:
            raise Wrong("IMPORT_DATE_OUTSIDE", node, value=day)
        return day

    def _demand(self) -> list[DemandRecord]:
        weekly: dict[int, list[Node]] = {}
        dated: dict[date, list[Node]] = {}

        def read(node: Node) -> None:
            if node.tag == "DateSpecificCover":
                dated.setdefault(self._day(node), []).extend(node.all("Cover"))
                return
            day = node.value("Day")
            if day not in _DAYS:
                raise Wrong("IMPORT_VALUE_INVALID", node, value="Day")
            weekly.setdefault(_DAYS.index(day), []).extend(node.all("Cover"))

        for node in self.root.within("CoverRequirements"):
            self._keep(f"{node.tag}@{node.line}", node, read)
        sound = {
            id(cover)
            for cover in (
                cover for covers in (*weekly.values(), *dated.values()) for cover in covers
            )
            if self._is_sound(cover)
        }
        found: list[DemandRecord] = []
        day = self.starts_on
        while day <= self.ends_on:
            specific = dated.get(day, [])
            # What is said about a date replaces what is said about its day of the week.
            replaced = {cover.value("Shift") for cover in specific}
            covers = [
                cover
                for cover in weekly.get(day.weekday(), [])
                if cover.value("Shift") not in replaced
            ]
            for cover in [*covers, *specific]:
                if id(cover) in sound:
                    found += self._cover(cover, day)
            day += timedelta(days=1)
        return found

    def _is_sound(self, cover: Node) -> bool:
        before = len(self.refused)

        def read(node: Node) -> None:
            self._type(node, node.value("Shift") or "")
            number_of(node, node.value("Preferred"), _MOST_OF_ONE_SHIFT)

        self._keep(f"Cover@{cover.line}", cover, read)
        return len(self.refused) == before

    def _cover(self, cover: Node, day: date) -> Iterator[DemandRecord]:
        shift = cover.value("Shift") or ""
        kind = self.types[shift]
        moved = self._moved(day)
        starts_at = self._instant(moved, kind.starts)
        ends_at = self._instant(moved + timedelta(days=kind.ends <= kind.starts), kind.ends)
        skill = (cover.value("Skill") or "")[:40]
        for number in range(1, int(cover.value("Preferred") or 0) + 1):
            name = "/".join(
                part for part in ("Cover", f"{moved}", shift, skill, f"{number}") if part
            )
            if ends_at <= starts_at:
                # The clocks go forward over it: there is no such stretch of time.
                self._refuse(name, cover, Remark("IMPORT_TIME_MISSING", cover.where))
                continue
            yield DemandRecord(
                name=name,
                where=cover.where,
                department=self.ward,
                kind=kind.kind,
                profession=Profession.NURSE,
                starts_at=starts_at,
                ends_at=ends_at,
                note=kind.note,
            )

    def _instant(self, day: date, local: time) -> datetime:
        return datetime.combine(day, local, tzinfo=self.zone).astimezone(UTC)

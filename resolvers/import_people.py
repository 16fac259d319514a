"""How imported departments and people become rows."""

import hashlib
from typing import Any
from uuid import UUID

from adapters.staff_records import (
    AddressRecord,
    DepartmentRecord,
    PersonRecord,
    Remark,
)
from auth.rows import visible
from models.imported import ImportedRecord
from models.organisation import Department
from models.practitioner import Practitioner, PractitionerStatus, Profession
from models.row import Row
from resolvers.import_plan import Outcome, Pending, Plan, Refusal, chunks

# Under this source stand official numbers, by which two records of one person are noticed.
_NUMBER = "NUMBER"
# Without these a worker's file is incomplete.
_REQUIRED = ("snils", "first_name", "birth_date")
_CODE_LENGTH = 40


async def departments(plan: Plan) -> None:
    records = plan.of(DepartmentRecord)
    wanted = {record.name: _code(record.code) for record in records}
    standing = visible(plan.viewer, Department).filter(
        organisation_id=plan.organisation_id, code__in=list(wanted.values())
    )
    taken = {row.code for row in await standing}
    taken |= {row.code for row in plan.known.rows.values() if isinstance(row, Department)}
    pending = []
    for record in records:
        code = wanted[record.name]
        if code in taken and record.name not in plan.records:
            # Another file's, or the organisation's own: a code of its own keeps them apart.
            mark = hashlib.sha256(f"{plan.file.name}|{record.name}".encode()).hexdigest()[:8]
            code = f"{code[: _CODE_LENGTH - 9]}~{mark}"
        taken.add(code)
        pending.append(
            Pending(
                record,
                Department,
                {"name": record.title, "city": record.city, "address": record.address},
                initial={"organisation_id": plan.organisation_id, "code": code},
            )
        )
    await plan.settle(pending)


def _code(code: str) -> str:
    if len(code) <= _CODE_LENGTH:
        return code
    return f"{code[: _CODE_LENGTH - 9]}~{hashlib.sha256(code.encode()).hexdigest()[:8]}"


async def addresses(plan: Plan) -> None:
    for record in plan.of(AddressRecord):
        try:
            department_id = plan.refer(record.department, Department, record.where)
        except Refusal as refusal:
            plan.refuse(record, refusal)
            continue
        values = {"city": record.city, "address": record.address}
        digest = Pending(record, Department, values, seal=(department_id,)).digest
        earlier = plan.records.get(record.name)
        if earlier is not None and earlier.digest == digest:
            plan.tell(record, Outcome.SKIPPED, (), Department, department_id)
            continue
        await plan.load(Department, [department_id])
        department = plan.rows.get(department_id)
        if earlier is None:
            # What the department's own record says comes before what a place says about it.
            values = {
                column: value
                for column, value in values.items()
                if getattr(department, column, None) is None
            }
        if department is None or not plan.amend(department, values):
            known = Remark("IMPORT_ADDRESS_KNOWN", record.where)
            plan.tell(record, Outcome.SKIPPED, (known,), Department, department_id)
            continue
        plan.note(record.name, Department, department_id, digest)
        plan.tell(record, Outcome.UPDATED, (), Department, department_id)


async def people(plan: Plan) -> None:
    records = plan.of(PersonRecord)
    others = await _other_carriers(plan, records)
    snils = {record.snils for record in records if record.snils is not None}
    owners: dict[str, UUID] = {
        row.snils: row.id
        for row in plan.known.rows.values()
        if isinstance(row, Practitioner) and row.snils is not None
    }
    for chunk in chunks(sorted(snils)):
        owners |= {
            str(person.snils): person.id
            for person in await visible(plan.viewer, Practitioner).filter(
                organisation_id=plan.organisation_id, snils__in=chunk
            )
        }
    claimed: dict[str, str] = {}
    pending = []
    for record in records:
        try:
            if record.snils is not None:
                owner = owners.get(record.snils)
                earlier = plan.records.get(record.name)
                if owner is not None and (earlier is None or owner != earlier.row_id):
                    raise Refusal("DUPLICATE_SNILS", record.where)
                if claimed.setdefault(record.snils, record.name) != record.name:
                    raise Refusal("DUPLICATE_SNILS", record.where)
            pending.append(_person(plan, record, others.get(record.name, ())))
        except Refusal as refusal:
            plan.refuse(record, refusal)

    def complete(item: Pending, row: Row) -> None:
        # The row may know by now what the file does not.
        merged = {
            column: item.values[column] or getattr(row, column)
            for column in (*_REQUIRED, "profession")
        }
        if getattr(row, "status", None) is not PractitionerStatus.DISMISSED:
            item.values["status"] = _status(merged, bool(item.seal))

    await plan.settle(pending, complete)
    await _note_numbers(plan, [record for record in records if record.name in plan.ids])


def _person(plan: Plan, record: PersonRecord, others: tuple[str, ...]) -> Pending:
    values: dict[str, Any] = {
        column: getattr(record, column)
        for column in (
            "last_name",
            "first_name",
            "middle_name",
            "birth_date",
            "snils",
            "inn",
            "address",
            "personal_phone",
            "personal_email",
            "work_phone",
            "work_email",
            "profession",
        )
    }
    values["department_id"] = (
        plan.refer(record.department, Department, record.where) if record.department else None
    )
    missing = [column for column in _REQUIRED if values[column] is None]
    return Pending(
        record,
        Practitioner,
        values,
        initial={
            "organisation_id": plan.organisation_id,
            "profession": Profession.OTHER,
            "status": _status(values, bool(others)),
        },
        seal=("shared",) if others else (),
        remarks=[Remark("IMPORT_NUMBER_SHARED", record.where, {"value": ", ".join(others)})]
        if others
        else [],
        news=[Remark("IMPORT_INCOMPLETE", record.where, {"value": ", ".join(missing)})]
        if missing
        else [],
    )


def _status(values: dict[str, Any], is_doubtful: bool) -> PractitionerStatus:
    if is_doubtful or any(values[column] is None for column in _REQUIRED):
        return PractitionerStatus.INCOMPLETE
    return PractitionerStatus.ACTIVE


async def _other_carriers(plan: Plan, records: list[PersonRecord]) -> dict[str, tuple[str, ...]]:
    """For each person, who else carries an official number of theirs, now or in earlier runs."""
    numbers = sorted({number for record in records for number in record.numbers})
    carriers = {number: set(plan.known.numbers.get(number, ())) for number in numbers}
    for chunk in chunks(numbers):
        earlier = ImportedRecord.filter(
            organisation_id=plan.organisation_id, source=_NUMBER, digest__in=chunk
        )
        for noted in await earlier:
            carriers[noted.digest].add((noted.file, noted.element.rsplit("#", 1)[0]))
    found = {}
    for record in records:
        others = {carrier for number in record.numbers for carrier in carriers[number]}
        others.discard((plan.file.name, record.name))
        if others:
            found[record.name] = tuple(f"{name} ({file})" for file, name in sorted(others))
    return found


async def _note_numbers(plan: Plan, records: list[PersonRecord]) -> None:
    earlier = ImportedRecord.filter(
        organisation_id=plan.organisation_id, source=_NUMBER, file=plan.file.name
    )
    noted = {number.element: number for number in await earlier}
    for record in records:
        row_id = plan.ids[record.name][1]
        for index, digest in enumerate(record.numbers):
            element = f"{record.name}#{index}"
            if element in noted:
                plan.amend(noted[element], {"digest": digest, "row_id": row_id})
                continue
            plan.make(
                ImportedRecord(
                    organisation_id=plan.organisation_id,
                    source=_NUMBER,
                    file=plan.file.name,
                    element=element,
                    model=Practitioner.__name__,
                    row_id=row_id,
                    digest=digest,
                )
            )

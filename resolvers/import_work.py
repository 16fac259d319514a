"""How imported posts, wishes and demand become rows."""

from typing import Any
from uuid import UUID

from adapters.staff_records import DemandRecord, PostRecord, Remark, Term, WishRecord
from auth.rows import visible
from models.organisation import Department, DictionaryEntry
from models.practitioner import Position, Practitioner, PractitionerStatus, Profession
from models.row import Row
from models.shift import DayWish, Shift, ShiftKind, ShiftState
from resolvers.import_plan import Outcome, Pending, Plan, Refusal, chunks

# Of the dictionaries that a file declares for itself.
_TERMS_VERSION = "1"

# Ids of dictionary entries by dictionary and code.
Terms = dict[tuple[str, str], UUID]


async def posts(plan: Plan) -> None:
    """Positions where all is known that one needs; else what a post tells about its worker."""
    records = plan.of(PostRecord)
    terms = await _terms(plan, records)
    pending: list[Pending] = []
    for record in records:
        try:
            pending.append(_post(plan, record, terms))
        except Refusal as refusal:
            plan.refuse(record, refusal)
    changed = [
        item
        for item in pending
        if (earlier := plan.records.get(item.record.name)) is None or earlier.digest != item.digest
    ]
    await plan.load(Practitioner, [item.values["practitioner_id"] for item in changed])
    earlier_rows = [plan.records[i.record.name] for i in changed if i.record.name in plan.records]
    await plan.load(Position, [row.row_id for row in earlier_rows if row.model == "Position"])
    for item in pending:
        earlier = plan.records.get(item.record.name)
        if earlier is not None and earlier.digest == item.digest:
            plan.ids[item.record.name] = (earlier.model, earlier.row_id)
            plan.tell(item.record, Outcome.SKIPPED, item.remarks, Position, earlier.row_id)
            continue
        try:
            _settle_post(plan, item, terms)
        except Refusal as refusal:
            plan.refuse(item.record, refusal)


async def _terms(plan: Plan, records: list[PostRecord]) -> Terms:
    """The dictionary entries that posts name; those that a file declares are made."""
    wanted = {term for record in records for term in (record.title, record.specialty) if term}
    found: Terms = {
        (row.oid, row.code): row.id
        for row in plan.known.rows.values()
        if isinstance(row, DictionaryEntry)
    }
    for oid in sorted({term.oid for term in wanted}):
        codes = sorted({term.code for term in wanted if term.oid == oid})
        for chunk in chunks(codes):
            # Of several versions the newest counts: it comes last.
            entries = visible(plan.viewer, DictionaryEntry).filter(
                oid=oid, code__in=chunk, actual=True
            )
            found |= {
                (entry.oid, entry.code): entry.id for entry in await entries.order_by("version")
            }
    for term in sorted(wanted, key=lambda term: (term.oid, term.code)):
        if term.name is not None and (term.oid, term.code) not in found:
            entry = DictionaryEntry(
                oid=term.oid, version=_TERMS_VERSION, code=term.code, name=term.name
            )
            found[term.oid, term.code] = plan.make(entry).id
    return found


def _term_id(term: Term | None, terms: Terms) -> UUID | None:
    return terms.get((term.oid, term.code)) if term is not None else None


def _post(plan: Plan, record: PostRecord, terms: Terms) -> Pending:
    unknown = [
        term
        for term in (record.title, record.specialty)
        if term is not None and (term.oid, term.code) not in terms
    ]
    values: dict[str, Any] = {
        "practitioner_id": plan.refer(record.person, Practitioner, record.where),
        "department_id": plan.refer(record.department, Department, record.where)
        if record.department
        else None,
        "title_id": _term_id(record.title, terms),
        "rate": record.rate,
        "employment": record.employment,
        "starts_on": record.starts_on,
        "ends_on": record.ends_on,
    }
    initial: dict[str, Any] = {"organisation_id": plan.organisation_id}
    if record.start_assumed:
        # Another month's roster does not move the day on which a post began.
        initial["starts_on"] = values.pop("starts_on")
    return Pending(
        record,
        Position,
        values,
        initial,
        seal=(
            _term_id(record.specialty, terms),
            record.profession,
            record.work_phone,
            record.work_email,
        ),
        remarks=[
            Remark("IMPORT_TERM_UNKNOWN", record.where, {"value": f"{term.oid}|{term.code}"})
            for term in unknown
        ],
    )


def _settle_post(plan: Plan, item: Pending, terms: Terms) -> None:
    record = item.record
    assert isinstance(record, PostRecord)
    person = plan.rows.get(item.values["practitioner_id"])
    if not isinstance(person, Practitioner):
        raise Refusal("IMPORT_ROW_GONE", record.where, failed=False)
    has_ended = record.ends_on is not None and record.ends_on < plan.viewer.today
    remarks = list(item.remarks)
    digest = item.digest
    earlier = plan.records.get(record.name)
    position = plan.rows.get(earlier.row_id) if earlier is not None else None
    old_department = getattr(position, "department_id", None)
    outcome = Outcome.SKIPPED
    row: Row = person
    if isinstance(position, Position):
        row = position
        if plan.amend(position, item.values):
            outcome = Outcome.UPDATED
    elif earlier is not None and earlier.model == Position.__name__:
        raise Refusal("IMPORT_ROW_GONE", record.where, failed=False)
    else:
        complete = {**item.initial, **item.values}
        needed = ("title_id", "department_id", "starts_on")
        if missing := [column.removesuffix("_id") for column in needed if complete[column] is None]:
            said = {"value": ", ".join(missing)}
            remarks.append(Remark("IMPORT_NO_POSITION", record.where, said))
        else:
            row = plan.make(Position(**complete))
            outcome = Outcome.CREATED
    if has_ended:
        remarks.append(Remark("IMPORT_POST_ENDED", record.where))
    told: dict[str, Any] = {}
    if not has_ended:
        told = _about_person(record, person)
        if person.department_id in (None, old_department):
            told["department_id"] = item.values["department_id"]
        if person.specialty_id is None:
            told["specialty_id"] = _term_id(record.specialty, terms)
    if record.profession not in (None, Profession.OTHER, person.profession) and not (
        "profession" in told or has_ended
    ):
        remarks.append(Remark("IMPORT_PROFESSIONS_SEVERAL", record.where))
    if isinstance(row, Position) and row.rate is None:
        remarks.append(Remark("IMPORT_RATE_MISSING", record.where))
        if person.status is PractitionerStatus.ACTIVE:
            told["status"] = PractitionerStatus.INCOMPLETE
    if plan.amend(person, told) and outcome is Outcome.SKIPPED:
        outcome = Outcome.UPDATED
    # A post that gave nothing is not remembered: it may have something to give another day.
    if outcome is not Outcome.SKIPPED or earlier is not None:
        plan.note(record.name, type(row), row.id, digest)
    plan.tell(record, outcome, remarks, type(row), row.id)


def _about_person(record: PostRecord, person: Practitioner) -> dict[str, Any]:
    """What a current post tells about its worker, where nothing else has told it."""
    told: dict[str, Any] = {}
    if person.profession is Profession.OTHER:
        told["profession"] = record.profession
    if person.work_phone is None:
        told["work_phone"] = record.work_phone
    if person.work_email is None:
        told["work_email"] = record.work_email
    return told


async def wishes(plan: Plan) -> None:
    records = plan.of(WishRecord)
    pending = []
    for record in records:
        try:
            values: dict[str, Any] = {
                "practitioner_id": plan.refer(record.person, Practitioner, record.where),
                "day": record.day,
                "kind": record.kind,
                "weight": record.weight,
            }
        except Refusal as refusal:
            plan.refuse(record, refusal)
            continue
        initial = {"organisation_id": plan.organisation_id}
        pending.append(Pending(record, DayWish, values, initial))
    # A day and a kind are wished once by a person, be it in the cabinet or by a file.
    people = {item.values["practitioner_id"] for item in pending}
    standing: dict[tuple[UUID, object, ShiftKind | None], UUID] = {}
    for chunk in chunks(sorted(people)):
        for wish in await visible(plan.viewer, DayWish).filter(practitioner_id__in=chunk):
            standing[wish.practitioner_id, wish.day, wish.kind] = wish.id
    free = []
    for item in pending:
        wished = standing.get(
            (item.values["practitioner_id"], item.values["day"], item.values["kind"])
        )
        earlier = plan.records.get(item.record.name)
        if wished is None or (earlier is not None and earlier.row_id == wished):
            free.append(item)
        else:
            plan.refuse(item.record, Refusal("IMPORT_WISH_STANDS", item.record.where, failed=False))
    await plan.settle(free)


async def demand(plan: Plan) -> None:
    """Open shifts; one that somebody has asked for since is left as it is."""
    records = plan.of(DemandRecord)
    pending = []
    for record in records:
        try:
            values = {
                "department_id": plan.refer(record.department, Department, record.where),
                "kind": record.kind,
                "profession": record.profession,
                "starts_at": record.starts_at,
                "ends_at": record.ends_at,
                "note": record.note,
            }
        except Refusal as refusal:
            plan.refuse(record, refusal)
            continue
        initial = {"organisation_id": plan.organisation_id, "state": ShiftState.OPEN}
        pending.append(Pending(record, Shift, values, initial))

    def untaken(item: Pending, row: Row) -> None:
        if getattr(row, "state", None) is not ShiftState.OPEN:
            raise Refusal("IMPORT_SHIFT_TAKEN", item.record.where, failed=False)

    await plan.settle(pending, untaken)
    if any(record.starts_at < plan.viewer.now for record in records):
        first = min(records, key=lambda record: record.starts_at)
        said = {"value": first.starts_at.date()}
        plan.remarks.append(Remark("IMPORT_DEMAND_PAST", first.where, said))

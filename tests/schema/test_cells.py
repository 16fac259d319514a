"""Rows and cells: every list, every row and every visible field of every person, executed.

What is expected is computed from the rows, the table of DOMAIN.md and the committed matrix.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

import pytest
from graphql import GraphQLObjectType, GraphQLSchema, get_named_type
from jose import jwt
from tortoise.models import Model

from core.clock import day_of
from models.account import Account
from models.application import Application
from models.course import Course, Enrolment
from models.factor import Passkey
from models.grant import RoleGrant
from models.licence import Licence
from models.organisation import Department, DictionaryEntry, Organisation
from models.practitioner import Position, Practitioner
from models.role import Role
from models.shift import DayWish, Shift
from models.ticket import Ticket, TicketDocument
from schema.views import VIEWS
from tests.api import Api
from tests.schema.documents import client_schema
from tests.schema.matrix import HIDDEN, Matrix, committed, kept_of, scopes_of
from tests.schema.sight import ROWS, Sight, Snapshot
from tests.schema.timesheet import timesheet, timesheet_of
from tests.world import PEOPLE, World, token_of

# The list that leads to every row of a view; where there is none, the parent's list and field.
LISTS: dict[str, tuple[str, ...]] = {
    "Account": ("accounts",),
    "Application": ("applications",),
    "AuditEntry": ("auditTrail",),
    "Course": ("courses",),
    "DayWish": ("practitioners", "dayWishes"),
    "Department": ("departments",),
    "DictionaryEntry": ("dictionaryEntries",),
    "Enrolment": ("enrolments",),
    "Licence": ("licences",),
    "Organisation": ("organisations",),
    "Passkey": ("passkeys",),
    "Position": ("practitioners", "positions"),
    "Practitioner": ("practitioners",),
    "RoleGrant": ("roleGrants",),
    "Session": ("sessions",),
    "Shift": ("shifts",),
    "Ticket": ("tickets",),
    "TicketDocument": ("tickets", "documents"),
}
SINGLES = {
    "account": Account,
    "application": Application,
    "course": Course,
    "department": Department,
    "dictionaryEntry": DictionaryEntry,
    "enrolment": Enrolment,
    "licence": Licence,
    "organisation": Organisation,
    "practitioner": Practitioner,
    "roleGrant": RoleGrant,
    "shift": Shift,
    "ticket": Ticket,
}
MODELS: dict[str, type[Model]] = {model.__name__: model for model in ROWS}
CHILDREN: dict[str, tuple[type[Model], str]] = {
    "Practitioner.positions": (Position, "practitioner_id"),
    "Practitioner.licences": (Licence, "practitioner_id"),
    "Practitioner.shifts": (Shift, "practitioner_id"),
    "Practitioner.dayWishes": (DayWish, "practitioner_id"),
    "Practitioner.enrolments": (Enrolment, "practitioner_id"),
    "Practitioner.applications": (Application, "practitioner_id"),
    "Department.practitioners": (Practitioner, "department_id"),
    "Department.shifts": (Shift, "department_id"),
    "Course.enrolments": (Enrolment, "course_id"),
    "Ticket.documents": (TicketDocument, "ticket_id"),
}


@dataclass
class Proof:
    """One person before the world: what they are told against what they should be."""

    name: str
    api: Api
    token: str | None
    sight: Sight
    matrix: Matrix
    schema: GraphQLSchema

    @property
    def role(self) -> Role:
        return self.sight.role

    def mark(self, type_name: str, field: str) -> str:
        return self.matrix.mark(type_name, field, self.role)


@pytest.fixture
async def proofs(roomy: Api, populated: World) -> list[Proof]:
    """Everybody, each with a session of their own, before the same rows."""
    people = [populated.people[name] for name in PEOPLE]
    tokens = [await token_of(roomy, person) for person in people]
    snapshot = await Snapshot.read()
    return [
        Proof(
            person.name,
            roomy,
            token,
            Sight.of(snapshot, person, populated.now),
            committed(),
            await client_schema(roomy, token, person.role),
        )
        for person, token in zip(people, tokens, strict=True)
    ]


def test_every_view_has_a_list_here() -> None:
    assert set(LISTS) == set(MODELS) == set(VIEWS)
    assert {name for name, view in VIEWS.items() if view.many} == {
        name for name, path in LISTS.items() if len(path) == 1
    }
    assert {view.one for view in VIEWS.values() if view.one} == set(SINGLES)


def test_the_committed_matrix_gives_the_rows_of_the_domain() -> None:
    matrix = committed()
    differing = {
        (name, role.value): (matrix.type(name, role), scopes)
        for name, model in MODELS.items()
        for role in Role
        for scopes in [ROWS[model].get(role, frozenset())]
        if set(scopes_of(matrix.type(name, role))) != scopes
    }
    assert differing == {}


async def test_a_list_holds_the_rows_that_one_may_see_and_no_other(proofs: list[Proof]) -> None:
    for proof in proofs:
        for name, model in MODELS.items():
            rows, _ = await _rows(proof, name, "id", "totalCount")
            if rows is None:
                continue
            seen = proof.sight.seen(model)
            if len(LISTS[name]) == 2:
                # A list under a parent holds the rows of parents that are visible themselves.
                parents = {row.id for row in proof.sight.seen(Practitioner)}
                seen = [row for row in seen if row.practitioner_id in parents]
            assert sorted(row["id"] for row in rows) == sorted(str(row.id) for row in seen), (
                proof.name,
                name,
            )


async def test_a_total_count_counts_the_visible_rows(proofs: list[Proof]) -> None:
    for proof in proofs:
        for name, path in LISTS.items():
            query = proof.schema.query_type
            assert query is not None
            if len(path) == 1 and path[0] in query.fields:
                data = (await proof.api.ask(f"{{ {path[0]} {{ totalCount }} }}", proof.token)).data
                assert data[path[0]]["totalCount"] == len(proof.sight.seen(MODELS[name])), (
                    proof.name,
                    name,
                )


async def test_a_row_is_found_by_its_id_exactly_where_it_is_visible(proofs: list[Proof]) -> None:
    for proof in proofs:
        query = proof.schema.query_type
        assert query is not None
        for field, model in SINGLES.items():
            if field not in query.fields:
                continue
            rows = proof.sight.snapshot.rows[model]
            asked = " ".join(
                f'a{n}: {field}(id: "{row.id}") {{ id }}' for n, row in enumerate(rows)
            )
            data = (await proof.api.ask(f"{{ {asked} }}", proof.token)).data
            found = [row.id for n, row in enumerate(rows) if data[f"a{n}"] is not None]
            assert found == [row.id for row in proof.sight.seen(model)], (proof.name, field)


async def test_every_cell_is_shown_masked_or_withheld_as_the_matrix_says(
    proofs: list[Proof],
) -> None:
    for proof in proofs:
        for name, model in MODELS.items():
            if name not in proof.schema.type_map:
                continue
            type_ = proof.schema.type_map[name]
            assert isinstance(type_, GraphQLObjectType)
            plain = [field for field in type_.fields if f"{name}.{field}" not in CHILDREN]
            selected = " ".join(
                field if _is_leaf(type_, field) else _inner(proof, name, field) for field in plain
            )
            rows, extensions = await _rows(proof, name, f"id {selected}")
            if rows is None:
                continue
            faults = [
                f"{name}.{field} of {row['id']}: {row[field]!r}, not {expected!r}"
                for row in rows
                for field in plain
                for expected in [_cell(proof, model, name, field, row["id"])]
                if row[field] != expected
            ]
            assert faults == [], proof.name
            prefix = ".".join(f"{step}.nodes" for step in LISTS[name])
            limited = [f"{prefix}.{field}" for field in plain if _is_limited(proof, name, field)]
            assert extensions.get("withheld", []) == limited, (proof.name, name)


async def test_a_list_under_a_parent_holds_the_visible_rows_of_that_parent(
    proofs: list[Proof],
) -> None:
    for proof in proofs:
        for coordinate, (model, by) in CHILDREN.items():
            name, field = coordinate.split(".")
            if proof.mark(name, field) == HIDDEN or name not in proof.schema.type_map:
                continue
            rows, _ = await _rows(
                proof, name, f"id {field}(first: 100) {{ totalCount nodes {{ id }} }}"
            )
            assert rows is not None
            for row in rows:
                expected = [
                    str(r.id) for r in proof.sight.seen(model) if str(getattr(r, by)) == row["id"]
                ]
                assert sorted(n["id"] for n in row[field]["nodes"]) == sorted(expected), (
                    proof.name,
                    coordinate,
                )
                assert row[field]["totalCount"] == len(expected), (proof.name, coordinate)


async def test_every_field_that_the_matrix_shows_exists_and_no_other(proofs: list[Proof]) -> None:
    for proof in proofs:
        for name in MODELS:
            type_ = proof.schema.type_map.get(name)
            shown = set(type_.fields) if isinstance(type_, GraphQLObjectType) else set()
            marks = proof.matrix.elements[name]
            assert shown == {f for f, by_role in marks.items() if by_role[proof.role] != HIDDEN}, (
                proof.name,
                name,
            )


async def test_every_role_sees_a_value_of_every_field_that_it_has(proofs: list[Proof]) -> None:
    """Guards the world: a field that is always null would prove nothing."""
    empty: dict[tuple[Role, str], bool] = {}
    for proof in proofs:
        for name, model in MODELS.items():
            for field in proof.matrix.elements[name]:
                if proof.mark(name, field) == HIDDEN or f"{name}.{field}" in CHILDREN:
                    continue
                key = (proof.role, f"{name}.{field}")
                rows = proof.sight.seen(model)
                has_value = any(
                    _cell(proof, model, name, field, str(r.id)) is not None for r in rows
                )
                empty[key] = empty.get(key, True) and not has_value
    barren = {
        f"{coordinate} for {role.value}"
        for (role, coordinate), is_empty in empty.items()
        if is_empty
    }
    # One's own account is not locked, nor does one's own grant end.
    assert {b for b in barren if not b.startswith("Account.lockedUntil")} == set()


async def _rows(
    proof: Proof, name: str, selected: str, beside: str = ""
) -> tuple[list[Any] | None, dict[str, Any]]:
    """Every row of a view with the selection; None where no list leads there."""
    path = LISTS[name]
    query = proof.schema.query_type
    assert query is not None
    if path[0] not in query.fields:
        return None, {}
    inner = selected
    if len(path) == 2:
        parent = proof.schema.type_map["Practitioner"]
        if not isinstance(parent, GraphQLObjectType) or path[1] not in parent.fields:
            return None, {}
        inner = f"{path[1]}(first: 100) {{ nodes {{ {selected} }} }}"
        beside = ""
    document = f"{{ {path[0]}(first: 100) {{ {beside} nodes {{ {inner} }} }} }}"
    answer = await proof.api.ask(document, proof.token)
    rows = answer.data[path[0]]["nodes"]
    if len(path) == 2:
        rows = [row for parent_row in rows for row in parent_row[path[1]]["nodes"]]
    return rows, answer.body.get("extensions", {})


def _inner(proof: Proof, name: str, field: str) -> str:
    """What to select of a field that is an object."""
    match f"{name}.{field}":
        case "Practitioner.workedTime":
            return timesheet_of(proof.sight)
        case "Account.factors":
            return "factors { kind contact }"
        case "Account.identity":
            return "identity { lastName firstName patronymic birthDate passport inn snils }"
    return f"{field} {{ id }}"


def _is_leaf(type_: GraphQLObjectType, field: str) -> bool:
    return not isinstance(get_named_type(type_.fields[field].type), GraphQLObjectType)


def _is_limited(proof: Proof, name: str, field: str) -> bool:
    return bool(scopes_of(proof.mark(name, field)))


def _cell(proof: Proof, model: type[Model], name: str, field: str, row_id: str) -> Any:
    """What a person should be told in a cell."""
    sight, mark = proof.sight, proof.mark(name, field)
    row = sight.snapshot.get(model, UUID(row_id))
    scopes = scopes_of(mark)
    if scopes and not any(sight.within(row, scope) for scope in scopes):
        return None
    found = _value(proof, name, field, row)
    kept = kept_of(mark)
    return found if kept is None or found is None else _masked(found, kept)


def _masked(text: str, kept: int) -> str:
    letters = [number for number, character in enumerate(text) if character.isalnum()]
    hidden = set(letters[: max(len(letters) - kept, 0)])
    return "".join("•" if n in hidden else character for n, character in enumerate(text))


def _value(proof: Proof, name: str, field: str, row: Any) -> Any:
    sight = proof.sight
    coordinate = f"{name}.{field}"
    type_ = proof.schema.type_map[name]
    assert isinstance(type_, GraphQLObjectType)
    if coordinate == "AuditEntry.by":
        worker = sight.snapshot.worker_of(row.account_id)
        return {"id": str(worker.id)} if worker is not None and sight.sees(worker) else None
    if coordinate == "Practitioner.workedTime":
        return timesheet(sight, row)
    if coordinate == "Account.factors":
        kinds = ["TOTP"] * bool(row.totp_sealed) + ["PASSKEY"] * _has_passkey(sight, row)
        return [{"kind": kind, "contact": None} for kind in kinds]
    if coordinate == "Account.identity":
        return _stated(row)
    if not _is_leaf(type_, field):
        target = MODELS[get_named_type(type_.fields[field].type).name]
        pointed = sight.snapshot.get(target, getattr(row, f"{_snake(field)}_id"))
        return {"id": str(pointed.id)} if pointed is not None and sight.sees(pointed) else None
    match coordinate:
        case "Practitioner.passport":
            sealed = row.passport_sealed
            return None if sealed is None else proof.api.services.vault.open(sealed)
        case "Ticket.contact":
            return proof.api.services.vault.open(row.contact_sealed)
        case "Licence.status":
            return row.status_on(day_of(sight.now, sight.zone)).value
        case "Shift.status":
            return row.status_at(sight.now).value
        case "RoleGrant.holds":
            return row.holds_at(sight.now)
        case "Session.isCurrent":
            return str(row.id) == _session_of(proof.token)
        case "AuditEntry.actor":
            account = sight.snapshot.get(Account, row.account_id)
            return account.public_id if account is not None else None
        case "AuditEntry.reason" | "AuditEntry.field":
            return row.details.get(field)
        case "Account.esiaLinkedAt":
            return _plain(row.created_at)
        case "Account.recoveryCodesLeft":
            return 0
        case "Account.recommendations":
            # Nobody in this world has a password, or a factor but passkeys.
            unconfirmed = ["CONFIRM_ACCOUNT"] if row.confirmed_at is None else []
            bare = [] if _has_passkey(sight, row) else ["ADD_PASSKEY"]
            return [*unconfirmed, "ADD_SECOND_METHOD", "CREATE_RECOVERY_CODES", *bare]
        case "Course.seatsLeft":
            return row.seats - row.seats_taken
    return _plain(getattr(row, _snake(field)))


def _stated(account: Account) -> dict[str, Any]:
    """As the world has it: by their owners, and of numbers the end."""
    return {
        "lastName": account.public_id,
        "firstName": "Ёлка",
        "patronymic": "Петровна",
        "birthDate": _plain(account.created_at.date()),
        "passport": "••••••3456",
        "inn": "••••••••2259",
        "snils": "•••••••4595",
    }


def _has_passkey(sight: Sight, account: Account) -> bool:
    return any(one.account_id == account.id for one in sight.snapshot.rows[Passkey])


def _session_of(token: str | None) -> Any:
    return jwt.get_unverified_claims(token)["sid"] if token else None


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.value
    return str(value) if isinstance(value, UUID | Decimal) else value


def _snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name)

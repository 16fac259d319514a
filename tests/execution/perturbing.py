"""The other world: everything changed that a person may not see, by the declared rules.

Derived from the declarations and from ``Sight``; ``auth.rows`` has no part in it. Values marked
``@discloses`` are held, and so is what the session itself stands on.
"""

import copy
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from random import Random
from typing import Any
from uuid import UUID

from tortoise import fields
from tortoise.models import Model
from tortoise.transactions import in_transaction

from core.sealing import Vault
from core.text import fold
from models.account import Account
from models.application import Application
from models.audit import AuditEntry
from models.course import Course, Enrolment, EnrolmentStatus
from models.database import SQLITE, dialect
from models.fields import Folded
from models.grant import RoleGrant
from models.licence import Licence
from models.practitioner import Position, Practitioner
from models.shift import DayWish, Shift
from schema.views import VIEWS, Spec, View
from tests.schema.sight import Sight, Snapshot

# The columns that a computed field is made from.
READS: dict[str, frozenset[str]] = {
    "Practitioner.passport": frozenset({"passport_sealed"}),
    # Made from other rows, and @discloses them: see ``_is_worked``.
    "Practitioner.worked_time": frozenset(),
    "Account.factors": frozenset({"totp_sealed", "sms_factor", "phone"}),
    # From rows of their own, passkeys among them, which are the owner's alone.
    "Account.esia_linked_at": frozenset(),
    "Account.identity": frozenset(),
    "Account.recovery_codes_left": frozenset(),
    "Account.recommendations": frozenset(
        {
            "totp_sealed",
            "sms_factor",
            "phone",
            "confirmed_at",
            "password_hash",
            "password_changed_at",
        }
    ),
    "Licence.status": frozenset({"revoked_on", "issued_on", "expires_on"}),
    "Shift.status": frozenset({"state", "ends_at"}),
    "Shift.hours": frozenset({"starts_at", "ends_at"}),
    "RoleGrant.holds": frozenset({"revoked_at", "starts_at", "ends_at"}),
    "Session.is_current": frozenset(),
    "Course.seats_left": frozenset({"seats", "seats_taken"}),
    # Who acted is told by the account, which stays; see ``_actors`` for its public id.
    "AuditEntry.by": frozenset(),
    "AuditEntry.actor": frozenset(),
    "AuditEntry.reason": frozenset({"details"}),
    "AuditEntry.field": frozenset({"details"}),
    "Ticket.contact": frozenset({"contact_sealed"}),
}
# What is opened to be shown.
_SEALED = ("passport_sealed", "contact_sealed")
# Whose row it is: these decide what is seen, and stay where they are.
_SCOPING = frozenset(
    {"id", "organisation_id", "department_id", "practitioner_id", "account_id", "about_id"}
)
# Values by which a row may be seen or not.
_SHOWING = frozenset({"audience", "kind", "submitted_at"})
# What the session stands on is known to whoever has it.
_OWN_GRANT = frozenset({"role", "starts_at", "ends_at", "revoked_at"})
# What of a worker's shifts and positions the worked time is made from.
_WORKED = frozenset(
    {"kind", "state", "starts_at", "ends_at", "rate", "weekly_norm", "starts_on", "ends_on"}
)
# Their deletion leaves nothing behind that points to them.
_LEAVES = (AuditEntry, DayWish, Licence, Enrolment, Application, Position, RoleGrant, Shift)
_ZONES = ("Asia/Omsk", "Europe/Samara")


@dataclass
class Perturbation:
    """Makes the other snapshot of one sight; everything random comes from ``random``."""

    sight: Sight
    vault: Vault
    random: Random
    _numbers: int = 0

    def snapshot(self) -> Snapshot:
        """The changed rows; raises AssertionError where the change would rightly be seen."""
        before = self.sight.snapshot
        rows = {
            model: [self._changed(row) for row in found] for model, found in before.rows.items()
        }
        leaf: type[Model]
        for leaf in _LEAVES:
            rows[leaf] = [
                row
                for row in rows[leaf]
                if self._sees(before, row) or self._is_held(row) or self.random.random() < 0.7
            ]
        for model, found in rows.items():
            hidden = [row for row in before.rows[model] if not self.sight.sees(row)]
            for row in self.random.sample(hidden, min(3, len(hidden))):
                if not self._is_held(row):
                    found.append(self._copied(row, before.rows[model]))
        self._repoint(rows)
        after = Snapshot(rows)
        assert self._what_is_seen(before) == self._what_is_seen(after), self.sight.role
        return after

    @cached_property
    def _actors(self) -> set[Any]:
        """The accounts behind the entries that are seen: their public ids are @discloses."""
        return {entry.account_id for entry in self.sight.seen(AuditEntry)}

    def _what_is_seen(self, snapshot: Snapshot) -> dict[str, dict[str, list[bool]]]:
        sight = _over(self.sight, snapshot)
        return {
            model.__name__: {
                str(row.id): [sight.within(row, scope) for scope in ("own", "department", "all")]
                for row in sorted(rows, key=lambda row: row.id.int)
                if sight.sees(row)
            }
            for model, rows in snapshot.rows.items()
        }

    def _sees(self, snapshot: Snapshot, row: Any) -> bool:
        original = snapshot.get(type(row), row.id)
        return original is not None and self.sight.sees(original)

    def _is_held(self, row: Any) -> bool:
        return self._is_own_grant(row) or self._is_worked(row) or self._is_counted(row)

    def _is_told_of(self, row: Any) -> bool:
        return self.sight.sees(row) or self._is_counted(row)

    def _is_counted(self, row: Any) -> bool:
        """Whether the person is told numbers of the row: see ``test_small_cells`` for how few."""
        rule = VIEWS[type(row).__name__].rules.aggregable(self.sight.role)
        return rule is not None and self.sight.within(row, "all")

    def _is_worked(self, row: Any) -> bool:
        """Whether the row is part of a worked time that is seen: what it tells is @discloses."""
        if not isinstance(row, Shift | Position):
            return False
        rules = VIEWS["Practitioner"].specs["worked_time"].rules
        worker = self.sight.snapshot.get(Practitioner, row.practitioner_id)
        if worker is None or not rules.allows(self.sight.role) or not self.sight.sees(worker):
            return False
        scopes = rules.scopes(self.sight.role)
        return scopes is None or any(
            self.sight.within(worker, scope.value.lower()) for scope in scopes
        )

    def _is_own_grant(self, row: Any) -> bool:
        return isinstance(row, RoleGrant) and row.account_id == self.sight.account_id

    def _changed(self, row: Any) -> Any:
        made = copy.copy(row)
        held, masked = self._held(row)
        for column in _columns(type(row)):
            if column in _SCOPING or column in held or column.endswith("_id"):
                continue
            self._change(made, column, masked.get(column))
        self._move(made, held)
        if not self._is_told_of(row) and self._is_told_of(made):
            # Another audience or kind would show it.
            for column in _SHOWING & set(_columns(type(row))):
                setattr(made, column, getattr(row, column))
        return _refolded(made)

    def _held(self, row: Any) -> tuple[frozenset[str], dict[str, int]]:
        """The columns that the person sees of a row, and those of which only the last letters."""
        view = VIEWS[type(row).__name__]
        held: set[str] = set()
        masked: dict[str, int] = {}
        if self._is_own_grant(row):
            held |= _OWN_GRANT
        if self._is_worked(row):
            held |= _WORKED
        if self._is_counted(row):
            for made in view.specs.values():
                if made.rules.aggregable(self.sight.role) is not None:
                    held |= _read(view, made)
        if isinstance(row, Account) and row.id in self._actors:
            held |= {"public_id"}
        if isinstance(row, AuditEntry):
            held |= {"position"}  # unique, and a place in the chain of everybody
        if not self.sight.sees(row):
            return frozenset(held), {}
        for made in view.specs.values():
            role = self.sight.role
            if not made.rules.allows(role) or made.kind == "to_many":
                continue
            scopes = made.rules.scopes(role)
            if scopes and not any(self.sight.within(row, scope.value.lower()) for scope in scopes):
                continue
            read = _read(view, made)
            keep = made.rules.mask(role)
            if keep is None:
                held |= read
            else:
                masked |= dict.fromkeys(read, keep)
        return frozenset(held), masked

    def _change(self, row: Any, column: str, keep: int | None) -> None:
        kind = type(row)._meta.fields_map[column]
        value = getattr(row, column)
        if isinstance(kind, Folded) or (isinstance(row, Shift) and column.endswith("s_at")):
            return
        if isinstance(row, Course) and column in ("seats", "seats_taken"):
            return
        if keep is not None:
            setattr(row, column, self._masked(value, column, keep))
        elif column == "passport_sealed":
            row.passport_sealed = self.vault.seal(f"4510 {self._number():06d}")
        elif column == "zone":
            row.zone = self.random.choice(_ZONES)
        elif kind.null and self.random.random() < 0.25:
            setattr(row, column, None)
        else:
            setattr(row, column, self._other(kind, value))

    def _other(self, kind: Any, value: Any) -> Any:
        number = self._number()
        if isinstance(getattr(kind, "enum_type", None), type):
            return self.random.choice(list(kind.enum_type))
        if isinstance(kind, fields.DatetimeField):
            start = value or self.sight.now
            return start + timedelta(days=self.random.randint(-900, 900), hours=number % 24)
        if isinstance(kind, fields.DateField):
            return (value or date(2026, 3, 2)) + timedelta(days=self.random.randint(-900, 900))
        if isinstance(kind, fields.BooleanField):
            return not value
        if isinstance(kind, fields.DecimalField):
            return Decimal(self.random.randint(10, 150)) / 100
        if isinstance(kind, fields.IntField | fields.BigIntField):
            return number
        if isinstance(kind, fields.JSONField):
            return [] if isinstance(value, list) else {"number": number}
        if isinstance(kind, fields.BinaryField):
            return number.to_bytes(32, "big")
        if isinstance(kind, fields.UUIDField):
            return UUID(int=self.random.getrandbits(128))
        prefix = self.random.choice(("Ё", "а", "Z", ""))
        return f"{prefix}{number:06d}"[: getattr(kind, "max_length", None) or 40]

    def _masked(self, value: Any, column: str, keep: int) -> Any:
        """Another value that looks the same behind the mask."""
        if value is None:
            return None
        if isinstance(value, date):
            return value.replace(
                year=self.random.randint(1960, 1999), month=self.random.choice((1, 3))
            )
        text = self.vault.open(value) if column in _SEALED else str(value)
        letters = [n for n, character in enumerate(text) if character.isalnum()]
        changed = list(text)
        for n in letters[: max(len(letters) - keep, 0)]:
            changed[n] = self.random.choice("0123456789")
        made = "".join(changed)
        return self.vault.seal(made) if column in _SEALED else made

    def _move(self, row: Any, held: frozenset[str]) -> None:
        """Values that depend on one another, changed together."""
        if isinstance(row, Shift) and not {"starts_at", "ends_at"} & held:
            days = timedelta(days=1_000 + self._number() * 2)
            row.starts_at, row.ends_at = row.starts_at + days, row.ends_at + days
        if isinstance(row, Course):
            if "seats" not in held:
                row.seats = row.seats_taken + self.random.randint(0, 40)
            if "seats_taken" not in held:
                row.seats_taken = self.random.randint(0, row.seats)

    def _copied(self, row: Any, among: list[Any]) -> Any:
        """Another row like a hidden one, whose id stands between those that are seen."""
        made = self._changed(row)
        near = self.random.choice(among).id
        made.id = UUID(int=near.int ^ (1 + self.random.getrandbits(20)))
        unique = ("public_id", "code", "email", "phone", "number", "storage_name", "credential_id")
        for column in unique:
            if column in _columns(type(row)):
                setattr(made, column, f"X{self._number():07d}")
        match made:
            case Practitioner():
                made.account_id = None
                made.snils = None  # type: ignore[assignment]  # the column may be empty
            case Enrolment():
                made.status = EnrolmentStatus.CANCELLED
            case DayWish():
                made.day = made.day + timedelta(days=10_000 + self._number())
            case AuditEntry():
                made.position = 1_000_000 + self._number()
            case Shift():
                days = timedelta(days=20_000 + self._number() * 2)
                made.starts_at, made.ends_at = made.starts_at + days, made.ends_at + days
        return _refolded(made)

    def _repoint(self, rows: dict[type[Model], list[Any]]) -> None:
        """Where a visible row points to a hidden one, it points to another, or to none."""
        hidden = [
            row.id
            for row in self.sight.snapshot.rows[Practitioner]
            if not self.sight.sees(row) and row.organisation_id in {p for p, _ in self.sight.places}
        ]
        for shift in rows[Shift]:
            if shift.practitioner_id in hidden and not self._is_counted(shift):
                shift.practitioner_id = self.random.choice([*hidden, None])

    def _number(self) -> int:
        self._numbers += 1
        return self._numbers


def _read(view: View, made: Spec) -> frozenset[str]:
    """The columns that a field is made from."""
    if made.kind == "computed":
        return READS[f"{view.name}.{made.name}"]
    return frozenset() if made.column is None else frozenset({made.column})


def _over(sight: Sight, snapshot: Snapshot) -> Sight:
    values = {name: getattr(sight, name) for name in sight.__dataclass_fields__}
    return Sight(**{**values, "snapshot": snapshot})


def _columns(model: type[Model]) -> Iterable[str]:
    return sorted(model._meta.fields_db_projection)


def _refolded(row: Any) -> Any:
    for name, kind in type(row)._meta.fields_map.items():
        if isinstance(kind, Folded):
            text = " ".join(getattr(row, part) or "" for part in kind.of)
            setattr(row, name, fold(text)[: kind.max_length])
    return row


async def write(snapshot: Snapshot) -> None:
    """Puts the rows of a snapshot into the database, in place of those that are there."""
    if dialect() == SQLITE:
        await _without_sqlite_guards()
    async with in_transaction("default") as connection:
        if dialect() != SQLITE:
            await connection.execute_script("SET LOCAL session_replication_role = replica")
        for model in snapshot.rows:
            await connection.execute_script(f'DELETE FROM "{model._meta.db_table}"')
        for model, rows in snapshot.rows.items():
            if rows:
                await model.bulk_create([copy.copy(row) for row in rows], using_db=connection)
        # Tortoise stamps this column with the present moment.
        for row in snapshot.rows[Practitioner]:
            changed = Practitioner.filter(id=row.id).using_db(connection)
            await changed.update(updated_at=row.updated_at)


async def _without_sqlite_guards() -> None:
    """Foreign keys and triggers would refuse what another history could have brought about."""
    from tortoise.connection import get_connections

    connection = get_connections().get("default")
    await connection.execute_script("PRAGMA foreign_keys = OFF")
    _, triggers = await connection.execute_query(
        "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    )
    for trigger in triggers:
        await connection.execute_script(f'DROP TRIGGER "{trigger["name"]}"')

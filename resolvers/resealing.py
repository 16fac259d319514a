"""Sealing anew: every sealed value under the newest key, a few rows at a time."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

import models
from auth.audit import record
from auth.viewer import Viewer
from core.sealing import SealBroken, Vault
from models.database import unit_of_work
from models.row import Row

# The ending by which a column is known to hold sealed text.
_ENDING = "_sealed"
# Rows in one unit of work: others wait for it on SQLite.
_BATCH = 200

Keys = Literal["VAULT", "SIGNING"]


@dataclass(frozen=True, slots=True)
class Resealed:
    """What became of one model's columns: values looked at, sealed anew, and not to be opened."""

    name: str
    values: int
    anew: int
    broken: int


def sealed_columns() -> dict[type[Row], tuple[str, ...]]:
    """The columns with sealed text of every model that has some."""
    rows = (found for found in vars(models).values() if isinstance(found, type))
    columns = {
        row: tuple(sorted(name for name in row._meta.db_fields if name.endswith(_ENDING)))
        for row in rows
        if issubclass(row, Row)
    }
    return {row: names for row, names in columns.items() if names}


async def reseal(viewer: Viewer, *, vault: Vault) -> AsyncIterator[Resealed]:
    """Seals anew what was not sealed with the newest key, model by model.

    It may be stopped and begun again: what is done is passed over. Servers go on meanwhile; a
    value that one of them changes is left as that one wrote it.
    """
    done = []
    for model, columns in sealed_columns().items():
        found = await _reseal_model(vault, model, columns)
        done.append(found)
        yield found
    await _note(viewer, done)


async def _reseal_model(vault: Vault, model: type[Row], columns: tuple[str, ...]) -> Resealed:
    values = anew = broken = 0
    last: UUID | None = None
    while True:
        rows = model.all() if last is None else model.filter(id__gt=last)
        batch = await rows.order_by("id").limit(_BATCH).values("id", *columns)
        if not batch:
            return Resealed(model.__name__, values, anew, broken)
        last = batch[-1]["id"]
        old = []
        for row in batch:
            sealed = {name: row[name] for name in columns if row[name] is not None}
            values += len(sealed)
            for name, value in sealed.items():
                if vault.is_newest(value):
                    continue
                try:
                    old.append((row["id"], name, value, vault.seal(vault.open(value))))
                except SealBroken:
                    broken += 1
        anew += await _write(model, old) if old else 0


@unit_of_work
async def _write(model: type[Row], old: list[tuple[UUID, str, str, str]]) -> int:
    changed = 0
    for row_id, name, before, after in old:
        same: dict[str, Any] = {"id": row_id, name: before}
        changed += await model.filter(**same).update(**{name: after})
    return changed


@unit_of_work
async def _note(viewer: Viewer, done: list[Resealed]) -> None:
    counts = {found.name: found.anew for found in done if found.anew}
    broken = sum(found.broken for found in done)
    record(viewer, "SEALED_ANEW", values=counts, broken=broken)


@unit_of_work
async def note_key_added(viewer: Viewer, file: Keys) -> None:
    """The entry of the audit trail about a new key."""
    record(viewer, f"{file}_KEY_ADDED")


@unit_of_work
async def note_keys_retired(viewer: Viewer, file: Keys, keys: int) -> None:
    """The entry of the audit trail about so many keys that were dropped."""
    record(viewer, f"{file}_KEYS_RETIRED", keys=keys)

"""The audit trail: entries written at the end of the unit of work that they tell of."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from auth.viewer import Viewer
from models.audit import AuditEntry, AuditHead
from models.database import current_unit
from models.row import Row


def record(
    viewer: Viewer,
    action: str,
    subject: Row | None = None,
    *,
    about: UUID | None = None,
    organisation: UUID | None = None,
    **details: Any,
) -> None:
    """Adds an entry to the current unit of work: ``action`` is a verb phrase in capitals.

    ``about`` is the worker concerned. Details hold names of fields and reasons, never the
    values of personal data.
    """
    if organisation is None:
        organisation = getattr(subject, "organisation_id", None) or next(
            iter(viewer.organisations), None
        )
    entry = AuditEntry(
        at=viewer.now,
        action=action,
        account_id=viewer.account_id,
        role=viewer.role,
        organisation_id=organisation,
        subject_type=type(subject).__name__ if subject is not None else "",
        subject_id=subject.id if subject is not None else None,
        about_id=about,
        details=details,
        position=0,
        previous_hash="",
        hash="",
    )
    unit = current_unit()

    async def append() -> None:
        # The head is locked last, and shortly: everybody who writes waits here in line.
        head = await AuditHead.all().select_for_update(no_key=True).get()
        entry.position = head.position + 1
        entry.previous_hash = head.hash
        entry.hash = entry.digest()
        await entry.save(force_create=True)
        head.position, head.hash = entry.position, entry.hash
        await head.save(update_fields=["position", "hash"])

    unit.before_commit.append(append)


@dataclass(frozen=True, slots=True)
class Break:
    """A place where the chain does not hold: what is wrong at which position."""

    position: int
    what: str


async def verify(batch: int = 1_000) -> AsyncIterator[Break | int]:
    """Walks the whole chain; yields each break, and at the end the number of entries read."""
    position, previous = 0, ""
    while True:
        entries = await AuditEntry.filter(position__gt=position).order_by("position").limit(batch)
        if not entries:
            break
        for entry in entries:
            if entry.position != position + 1:
                yield Break(position + 1, "missing")
                previous = entry.previous_hash
            if entry.previous_hash != previous:
                yield Break(entry.position, "out of order")
            if entry.digest() != entry.hash:
                yield Break(entry.position, "altered")
            position, previous = entry.position, entry.hash
    head = await AuditHead.all().get()
    if (head.position, head.hash) != (position, previous):
        yield Break(position + 1, "cut off")
    yield position

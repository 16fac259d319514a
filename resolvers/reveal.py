"""Showing one masked value of a worker's file, for a reason that is kept."""

from collections.abc import Collection
from datetime import date
from uuid import UUID

from auth.audit import record
from auth.rows import NotFound, find
from auth.viewer import Viewer
from core.sealing import Vault
from models.database import unit_of_work
from models.practitioner import Practitioner
from resolvers.forms import reason_of


@unit_of_work
async def reveal(
    viewer: Viewer, *, vault: Vault, id: UUID, field: str, reason: str, allowed: Collection[str]
) -> str | None:
    """One value of a worker's file in full; None where there is none. Always audited.

    ``allowed`` are the names that the caller's role may ask for. Raises NotFound, ReasonNeeded,
    Problems.
    """
    person = await find(viewer, Practitioner, id)
    if field not in allowed:
        raise NotFound("field")
    text = reason_of(reason)
    record(viewer, "REVEALED", person, about=person.id, field=field, reason=text)
    if field == "passport":
        return vault.open(person.passport_sealed) if person.passport_sealed else None
    value = getattr(person, field)
    return value.isoformat() if isinstance(value, date) else value

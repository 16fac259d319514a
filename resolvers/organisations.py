"""Settings of an organisation, kept by its administration."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from auth.audit import record
from auth.rows import lock
from auth.viewer import Viewer
from core.errors import Problem
from models.database import unit_of_work
from models.organisation import Organisation
from resolvers.forms import Check, hundredths, read, refuse
from resolvers.standing import ActionDenied, is_limited

# Hours a week of a full post (Labour Code, article 91: at most 40).
WEEKLY_NORM = hundredths(Decimal(1), Decimal(40))
_CHECKS: dict[str, Check] = {"weekly_norm": WEEKLY_NORM}


@unit_of_work
async def update_organisation(viewer: Viewer, *, id: UUID, **changes: Any) -> Organisation:
    """Changes the named settings: weekly_norm.

    Raises NotFound, ActionDenied where the caller's role holds in a department only, and
    Problems: Required, OutOfRange.
    """
    organisation = await lock(viewer, Organisation, id)
    if is_limited(viewer, organisation.id):
        raise ActionDenied("id")
    problems: list[Problem] = []
    stored = read(changes, _CHECKS, required=_CHECKS, problems=problems)
    refuse(problems)
    organisation.update_from_dict(stored)
    await organisation.save()
    record(
        viewer,
        "ORGANISATION_UPDATED",
        organisation,
        organisation=organisation.id,
        fields=sorted(changes),
    )
    return organisation

"""The change feed: what is committed with a change, so that subscriptions and workers hear of it."""

from uuid import UUID

from models.change import Change, ChangeKind
from models.database import current_unit


def announce(
    kind: ChangeKind, *, account_id: UUID | None = None, subject_id: UUID | None = None, note: str = ""
) -> None:
    """Adds a change to the current unit of work."""
    unit = current_unit()

    async def write() -> None:
        await Change.create(kind=kind, account_id=account_id, subject_id=subject_id, note=note)

    unit.before_commit.append(write)

"""Codes of a time to come: what was told of one lets nobody in when that time has come.

That a clock is ahead is told to whoever has the authenticator, and to whoever has guessed a code
of the next minutes. The first sets the clock right and goes on with another code.
"""

from datetime import UTC, datetime
from uuid import UUID

from auth.gate import Gate
from auth.one_time_codes import STEP_SECONDS
from auth.viewer import Viewer
from models.database import outside_units, unit_of_work
from models.hit import Hit


async def note_told(viewer: Viewer, gate: Gate, account_id: UUID, step: int) -> None:
    """Remembers a step of the account's authenticator for as long as its code could be taken.

    Outside of units of work, for it must stay when what told of it fails.
    """
    outside_units()
    ends = (step + gate.limits.totp_steps + 1) * STEP_SECONDS
    await _note(_key(gate, account_id, step), viewer.now, datetime.fromtimestamp(ends, UTC))


@unit_of_work
async def _note(key_hash: str, now: datetime, ends_at: datetime) -> None:
    await Hit.create(key_hash=key_hash, at=now, ends_at=ends_at)


async def was_told(gate: Gate, account_id: UUID, step: int) -> bool:
    """Whether it was told of a step when its time had not come."""
    return await Hit.exists(key_hash=_key(gate, account_id, step))


def _key(gate: Gate, account_id: UUID, step: int) -> str:
    return gate.hashes.hash("told code", f"{account_id}\0{step}")

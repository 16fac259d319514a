"""Challenges: random values that must come back once and soon, for passkeys, signatures, ESIA."""

import json
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from auth.gate import Gate
from auth.keys import digest
from auth.viewer import Viewer
from core.errors import Problem
from models.database import current_unit, unit_of_work
from models.factor import Challenge, ChallengePurpose
from models.fields import canonical_json

LIFETIME = timedelta(minutes=5)
_BYTES = 32


class ChallengeInvalid(Problem):
    """The challenge is not ours, too old, or was answered already: begin again."""

    code = "CHALLENGE_INVALID"


@dataclass(frozen=True, slots=True)
class Begun:
    """A challenge and its value, 32 bytes as base64url without padding, which is shown once."""

    challenge: Challenge
    value: str


@unit_of_work
async def begin(
    viewer: Viewer,
    *,
    gate: Gate,
    purpose: ChallengePurpose,
    account_id: UUID | None = None,
    session_id: UUID | None = None,
    payload: dict[str, Any] | None = None,
    lifetime: timedelta = LIFETIME,
) -> Begun:
    """A new challenge, perhaps for one account or session alone.

    ``payload`` is what the answer will be checked with, as JSON; it is sealed.
    """
    value = secrets.token_urlsafe(_BYTES)
    challenge = await Challenge.create(
        purpose=purpose,
        value_hash=digest(value),
        account_id=account_id,
        session_id=session_id,
        payload_sealed=gate.vault.seal(canonical_json(payload or {})),
        expires_at=viewer.now + lifetime,
    )
    return Begun(challenge, value)


async def find(
    viewer: Viewer,
    *,
    purpose: ChallengePurpose,
    value: str,
    account_id: UUID | None = None,
    session_id: UUID | None = None,
    field: str = "",
) -> Challenge:
    """The living challenge of a value; raises ChallengeInvalid about ``field``.

    It must have been begun for just this account and session, or for none where none is given.
    """
    challenge = await Challenge.get_or_none(
        purpose=purpose,
        value_hash=digest(value),
        expires_at__gt=viewer.now,
        used_at__isnull=True,
    )
    asked_for = (account_id, session_id)
    if challenge is None or (challenge.account_id, challenge.session_id) != asked_for:
        raise ChallengeInvalid(field)
    return challenge


def payload_of(gate: Gate, challenge: Challenge) -> dict[str, Any]:
    """What a challenge was begun with."""
    found: dict[str, Any] = json.loads(gate.vault.open(challenge.payload_sealed))
    return found


async def use(viewer: Viewer, challenge: Challenge, field: str = "") -> None:
    """Uses a challenge, once, in the caller's unit of work; raises ChallengeInvalid."""
    current_unit()
    used = await Challenge.filter(id=challenge.id, used_at__isnull=True).update(used_at=viewer.now)
    if not used:
        raise ChallengeInvalid(field)

"""What is known of a token: whose session it is, and the viewer that it makes of a visit."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from auth.rights import Rights
from auth.tokens import TokenInvalid
from auth.viewer import Place, Viewer, Visit
from core.errors import Problem
from models.practitioner import Profession
from models.role import Role


class RoleNotHeld(Problem):
    """The person holds no such role now, whether or not there is one by that name."""

    code = "ROLE_NOT_HELD"


class Acting(NamedTuple):
    """What a viewer in one role is made of."""

    rights: Rights
    places: tuple[Place, ...]
    zone: str
    departments: tuple[UUID, ...]


@dataclass(slots=True)
class Entry:
    """One token's person: what they may act in, until when it is certain."""

    until: datetime
    account_id: UUID
    session_id: UUID
    practitioner_id: UUID | None
    profession: Profession | None
    held: tuple[Role, ...]
    is_confirmed: bool
    factor_at: datetime | None
    is_shown_again: bool
    in_cookies: bool
    # By name; None is the session's own active role. What is not here is not held.
    acting: Mapping[str | None, Acting]

    def viewer(self, visit: Visit) -> Viewer:
        """The viewer of a request that came with the token; raises TokenInvalid, RoleNotHeld."""
        if self.in_cookies is (visit.cookies is None):
            raise TokenInvalid
        acting = self.acting.get(visit.role)
        if acting is None:
            raise RoleNotHeld("role", held=self.held)
        return Viewer(
            rights=acting.rights,
            now=visit.now,
            account_id=self.account_id,
            session_id=self.session_id,
            practitioner_id=self.practitioner_id,
            profession=self.profession,
            departments=acting.departments,
            places=acting.places,
            held=self.held,
            is_confirmed=self.is_confirmed,
            factor_at=self.factor_at,
            is_shown_again=self.is_shown_again,
            zone=acting.zone,
            language=visit.language,
            address=visit.address,
            device=visit.device,
            cookies=visit.cookies,
        )

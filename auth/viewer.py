"""The viewer: who asks, in which role, where that role holds, and how they come."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from auth.rights import Rights
from core.addresses import network_of
from core.clock import day_of
from models.practitioner import Profession
from models.role import Role


@dataclass(frozen=True, slots=True)
class Place:
    """Where a grant holds: an organisation, or one department of it."""

    organisation_id: UUID
    department_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Cookies:
    """That a browser keeps the session's tokens, and the digest of the refresh token it sent.

    ``device`` is the token of a known device that it keeps beside them.
    """

    refresh_hash: str | None = None
    device: str | None = None


class Visit(NamedTuple):
    """How somebody comes: when, from where and with what, and in which role for this once."""

    now: datetime
    role: str | None = None
    address: str = ""
    device: str = ""
    language: str = "ru"
    # Set where the request's tokens are kept in cookies, or are to be.
    cookies: Cookies | None = None


class Viewer(NamedTuple):
    """One request's view of the person who asks. ``now`` is bound once per request."""

    rights: Rights
    now: datetime
    account_id: UUID | None = None
    session_id: UUID | None = None
    practitioner_id: UUID | None = None
    profession: Profession | None = None
    # The departments in which the person works.
    departments: tuple[UUID, ...] = ()
    # Where the active role was granted.
    places: tuple[Place, ...] = ()
    # Every role held now, the active one among them.
    held: tuple[Role, ...] = ()
    # Whether the account is confirmed, and when a factor beyond the password was shown last.
    is_confirmed: bool = False
    factor_at: datetime | None = None
    # Whether that was after signing in.
    is_shown_again: bool = False
    zone: str = "Europe/Moscow"
    language: str = "ru"
    address: str = ""
    device: str = ""
    # Set where the request's tokens are kept in cookies, or are to be.
    cookies: Cookies | None = None

    @property
    def role(self) -> Role:
        return self.rights.role

    @property
    def network(self) -> str:
        """What the address counts as where tries are limited; empty where it is not known."""
        return network_of(self.address)

    @property
    def today(self) -> date:
        """The calendar day where the organisation is."""
        return day_of(self.now, self.zone)

    @property
    def organisations(self) -> tuple[UUID, ...]:
        return tuple(dict.fromkeys(place.organisation_id for place in self.places))

    @property
    def organisation_id(self) -> UUID | None:
        """The organisation in which the active role was granted first."""
        return self.places[0].organisation_id if self.places else None

"""Founding an organisation: its row, and the invitation of its first administrator."""

from dataclasses import dataclass
from zoneinfo import available_timezones

from auth.audit import record
from auth.viewer import Viewer
from core.errors import Problem
from models import identifiers
from models.account import Account, AccountState
from models.database import unit_of_work
from models.grant import RoleGrant
from models.organisation import Organisation
from models.role import Role
from resolvers.accounts import save_account
from resolvers.invitations import Invited, new_invitation


class ZoneUnknown(Problem):
    """There is no such time zone in the IANA list, or not as a region and a place."""

    code = "ZONE_UNKNOWN"


def zones() -> frozenset[str]:
    """The time zones in which organisations may work: a region and a place, or UTC.

    PostgreSQL takes ``EET`` and its like for abbreviations, so for zones without summer time; and
    whatever of one word is none has another name.
    """
    return frozenset(name for name in available_timezones() if "/" in name) | {"UTC"}


@dataclass(frozen=True, slots=True)
class Founded:
    """A new organisation, and the code with which its administrator opens an account."""

    organisation: Organisation
    invited: Invited


@unit_of_work
async def found_organisation(
    viewer: Viewer, *, name: str, admin_email: str, zone: str, ogrn: str | None = None
) -> Founded:
    """Makes an organisation with one invited administrator.

    Raises EmailInvalid, OgrnChecksum, ZoneUnknown, IdentityUnavailable.
    """
    if zone not in zones():
        raise ZoneUnknown("zone")
    email = identifiers.email(admin_email, "admin_email")
    number = identifiers.ogrn(ogrn, "ogrn") if ogrn else None
    organisation = await Organisation.create(name=name.strip(), zone=zone, ogrn=number)
    account = Account(organisation_id=organisation.id, email=email, state=AccountState.INVITED)
    await save_account(account, create=True)
    await RoleGrant.create(
        account=account, organisation=organisation, role=Role.ADMIN, starts_at=viewer.now
    )
    record(viewer, "ORGANISATION_FOUNDED", organisation, organisation=organisation.id)
    return Founded(organisation, await new_invitation(viewer, account))

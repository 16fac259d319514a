"""For whom and where an operation acts: the caller's own file, an organisation, a department."""

from uuid import UUID

from auth.rows import NotFound, existing, lock
from auth.viewer import Viewer
from core.errors import Problem
from models.account import Account
from models.organisation import Department
from models.practitioner import Practitioner, PractitionerStatus
from resolvers.forms import Required


class WithoutFile(Problem):
    """The caller has no file in the staff registry, and the operation is about one's own."""

    code = "NO_PERSONNEL_FILE"


class ActionDenied(Problem):
    """The row is there for the caller to see; doing this to it is not the caller's."""

    code = "DENIED"


class PractitionerDismissed(Problem):
    """The worker was dismissed, and nothing new is given to them."""

    code = "PRACTITIONER_DISMISSED"


class AlreadyAttached(Problem):
    """The account is that of a worker of the registry."""

    code = "ALREADY_ATTACHED"


async def closed_file_of(account: Account) -> Practitioner | None:
    """The file of a job that the owner has left, if any; raises AlreadyAttached for another."""
    file = await Practitioner.get_or_none(account_id=account.id)
    if file is not None and file.status is not PractitionerStatus.DISMISSED:
        raise AlreadyAttached
    return file


async def own_file(viewer: Viewer) -> Practitioner:
    """The caller's own file, locked until the unit of work ends; raises WithoutFile."""
    if viewer.practitioner_id is None:
        raise WithoutFile
    try:
        return await lock(viewer, Practitioner, viewer.practitioner_id)
    except NotFound:
        # The active role was granted in a place that the person does not belong to.
        raise WithoutFile from None


def organisation_of(viewer: Viewer, given: UUID | None, field: str = "organisation_id") -> UUID:
    """The organisation meant: the one given among the caller's, or their only one.

    Raises NotFound, Required.
    """
    organisations = viewer.organisations
    if given is not None:
        if given not in organisations:
            raise NotFound(field)
        return given
    if len(organisations) != 1:
        raise Required(field)
    return organisations[0]


def is_limited(viewer: Viewer, organisation_id: UUID) -> bool:
    """Whether the active role holds in some departments of the organisation only."""
    return all(
        place.department_id is not None
        for place in viewer.places
        if place.organisation_id == organisation_id
    )


async def department_of(
    viewer: Viewer, organisation_id: UUID, given: UUID, field: str = "department_id"
) -> Department:
    """A visible department of the organisation; raises NotFound."""
    departments = existing(viewer, Department).filter(organisation_id=organisation_id)
    found = await departments.get_or_none(id=given)
    if found is None:
        raise NotFound(field)
    return found

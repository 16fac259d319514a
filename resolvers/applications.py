"""Applications to the authorities: written, sent, reviewed and decided by their states."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from auth.audit import record
from auth.rows import NotFound, lock
from auth.viewer import Viewer
from core.errors import Problem
from models.application import DECIDED, Application, ApplicationKind, ApplicationStatus
from models.change import ChangeKind
from models.database import unit_of_work
from models.feed import announce
from models.organisation import Organisation
from models.practitioner import Practitioner
from resolvers.forms import Required, optional, prose, reason_of
from resolvers.foureyes import check_other_eyes
from resolvers.standing import ActionDenied, organisation_of
from resolvers.versions import check_version, next_version


class ApplicationStateWrong(Problem):
    """The application's state does not allow this."""

    code = "APPLICATION_STATE"


# How long the authorities may take (Federal law 59-FZ, article 12: thirty days).
TIME_TO_DECIDE = timedelta(days=30)
_LONGEST = 2000
_COMMENT = prose(_LONGEST)


@unit_of_work
async def create_application(
    viewer: Viewer,
    *,
    kind: ApplicationKind,
    comment: str | None = None,
    organisation_id: UUID | None = None,
) -> Application:
    """Begins a draft. Raises ActionDenied, NotFound, Required, Problems."""
    if viewer.account_id is None:
        raise ActionDenied
    home = await _addressee(viewer, organisation_id)
    application = Application(
        organisation_id=home,
        account_id=viewer.account_id,
        practitioner_id=await _own_file_in(viewer, home),
        kind=kind,
        comment=optional(comment, _COMMENT, "comment"),
    )
    await application.save()
    record(viewer, "APPLICATION_CREATED", application, about=application.practitioner_id)
    return application


@unit_of_work
async def update_application(
    viewer: Viewer, *, id: UUID, version: int, **changes: Any
) -> Application:
    """Changes the kind or the comment of one's own draft or returned application.

    Raises NotFound, ActionDenied, Stale, ApplicationStateWrong, Problems.
    """
    application = await _lock_own(viewer, id)
    check_version(application, version)
    _expect(application, ApplicationStatus.DRAFT, ApplicationStatus.RETURNED)
    if "kind" in changes:
        if changes["kind"] is None:
            raise Required("kind")
        application.kind = changes["kind"]
    if "comment" in changes:
        application.comment = optional(changes["comment"], _COMMENT, "comment")
    await _save(viewer, application, "APPLICATION_UPDATED", fields=sorted(changes))
    return application


@unit_of_work
async def submit_application(viewer: Viewer, *, id: UUID) -> Application:
    """Sends one's own draft or returned application; from here the term runs.

    Raises NotFound, ActionDenied, ApplicationStateWrong.
    """
    application = await _lock_own(viewer, id)
    _expect(application, ApplicationStatus.DRAFT, ApplicationStatus.RETURNED)
    application.update_from_dict(
        {
            "status": ApplicationStatus.SUBMITTED,
            "submitted_at": viewer.now,
            "due_on": viewer.today + TIME_TO_DECIDE,
            "decision_reason": None,
            "decided_at": None,
            "decided_by_id": None,
        }
    )
    await _save(viewer, application, "APPLICATION_SUBMITTED")
    return application


@unit_of_work
async def withdraw_application(viewer: Viewer, *, id: UUID) -> Application:
    """Takes one's own application back while it is not decided.

    Raises NotFound, ActionDenied, ApplicationStateWrong.
    """
    application = await _lock_own(viewer, id)
    _expect(application, *(status for status in ApplicationStatus if status not in DECIDED))
    application.status = ApplicationStatus.WITHDRAWN
    await _save(viewer, application, "APPLICATION_WITHDRAWN")
    return application


@unit_of_work
async def take_application(viewer: Viewer, *, id: UUID) -> Application:
    """Begins the review. Raises NotFound, ApplicationStateWrong."""
    application = await lock(viewer, Application, id)
    _expect(application, ApplicationStatus.SUBMITTED)
    application.status = ApplicationStatus.IN_REVIEW
    await _save(viewer, application, "APPLICATION_TAKEN")
    return application


@unit_of_work
async def approve_application(viewer: Viewer, *, id: UUID) -> Application:
    """Grants what is applied for. Raises NotFound, ApplicationStateWrong, SelfApproval."""
    return await _decide(viewer, id, ApplicationStatus.APPROVED, None)


@unit_of_work
async def return_application(viewer: Viewer, *, id: UUID, reason: str) -> Application:
    """Sends the application back to be mended.

    Raises NotFound, ApplicationStateWrong, ReasonNeeded, Problems.
    """
    return await _decide(viewer, id, ApplicationStatus.RETURNED, reason)


@unit_of_work
async def reject_application(viewer: Viewer, *, id: UUID, reason: str) -> Application:
    """Refuses what is applied for.

    Raises NotFound, ApplicationStateWrong, ReasonNeeded, Problems.
    """
    return await _decide(viewer, id, ApplicationStatus.REJECTED, reason)


async def _decide(
    viewer: Viewer, id: UUID, status: ApplicationStatus, reason: str | None
) -> Application:
    application = await lock(viewer, Application, id)
    _expect(application, ApplicationStatus.IN_REVIEW)
    details: dict[str, Any] = {}
    if status is not ApplicationStatus.APPROVED:
        reason = reason_of(reason, length=_LONGEST)
    elif application.account_id == viewer.account_id:
        details = await _other_eyes(viewer, application)
    application.update_from_dict(
        {
            "status": status,
            "decision_reason": reason,
            "decided_at": viewer.now,
            "decided_by_id": viewer.account_id,
        }
    )
    await _save(viewer, application, f"APPLICATION_{status.value}", **details)
    return application


async def _other_eyes(viewer: Viewer, application: Application) -> dict[str, Any]:
    person = await Practitioner.get_or_none(id=application.practitioner_id)
    ward = person.department_id if person is not None else None
    home = application.organisation_id
    return await check_other_eyes(viewer, organisation_id=home, department_id=ward)


async def _lock_own(viewer: Viewer, id: UUID) -> Application:
    application = await lock(viewer, Application, id)
    if application.account_id != viewer.account_id:
        raise ActionDenied("id")
    return application


def _expect(application: Application, *statuses: ApplicationStatus) -> None:
    if application.status not in statuses:
        raise ApplicationStateWrong("id", status=application.status)


async def _save(viewer: Viewer, application: Application, action: str, **details: Any) -> None:
    next_version(application)
    await application.save()
    announce(ChangeKind.APPLICATION, account_id=application.account_id, subject_id=application.id)
    record(viewer, action, application, about=application.practitioner_id, **details)


async def _addressee(viewer: Viewer, given: UUID | None) -> UUID:
    """The organisation applied to. Somebody without a place may apply to any."""
    if viewer.places:
        return organisation_of(viewer, given)
    if given is not None:
        if not await Organisation.filter(id=given).exists():
            raise NotFound("organisation_id")
        return given
    organisations = await Organisation.all().limit(2)
    if len(organisations) != 1:
        raise Required("organisation_id")
    return organisations[0].id


async def _own_file_in(viewer: Viewer, organisation_id: UUID) -> UUID | None:
    if viewer.practitioner_id is None:
        return None
    own = Practitioner.filter(id=viewer.practitioner_id, organisation_id=organisation_id)
    return viewer.practitioner_id if await own.exists() else None

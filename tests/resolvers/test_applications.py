"""Applications: their states, who moves them, and whose comment stays whose."""

import asyncio
from datetime import date
from typing import Any

import pytest

from auth.rows import NotFound
from core.errors import Problem, Problems
from models.application import Application, ApplicationKind, ApplicationStatus
from resolvers import applications
from resolvers.applications import ApplicationStateWrong
from resolvers.forms import ReasonNeeded, Required
from resolvers.standing import ActionDenied
from resolvers.versions import Stale
from tests import factories as make
from tests.resolvers import callers
from tests.resolvers.callers import announced, journal, problems_of

REASON = "Не приложен диплом"


async def test_an_application_goes_from_draft_to_approval(database: str) -> None:
    organisation = await make.organisation()
    doctor, person = await callers.worker(await make.department(organisation))
    admin = await callers.administrator(organisation)

    draft = await applications.create_application(
        doctor, kind=ApplicationKind.CHANGE_OF_DATA, comment=" Сменила фамилию "
    )
    assert (draft.status, draft.comment, draft.practitioner_id, draft.organisation_id) == (
        ApplicationStatus.DRAFT,
        "Сменила фамилию",
        person.id,
        organisation.id,
    )

    edited = await applications.update_application(
        doctor, id=draft.id, version=1, comment="Сменила фамилию и адрес"
    )
    sent = await applications.submit_application(doctor, id=draft.id)
    assert (edited.version, sent.status, sent.submitted_at, sent.due_on) == (
        2,
        ApplicationStatus.SUBMITTED,
        make.NOW,
        date(2026, 4, 1),
    )

    taken = await applications.take_application(admin, id=draft.id)
    assert taken.status is ApplicationStatus.IN_REVIEW
    approved = await applications.approve_application(admin, id=draft.id)
    assert (approved.status, approved.decided_at, approved.decided_by_id, approved.version) == (
        ApplicationStatus.APPROVED,
        make.NOW,
        admin.account_id,
        5,
    )
    assert await journal() == [
        (action, "Application", person.id)
        for action in (
            "APPLICATION_CREATED",
            "APPLICATION_UPDATED",
            "APPLICATION_SUBMITTED",
            "APPLICATION_TAKEN",
            "APPLICATION_APPROVED",
        )
    ]
    assert await announced() == [("APPLICATION", doctor.account_id, draft.id)] * 4


async def test_a_returned_application_is_mended_and_sent_again(database: str) -> None:
    organisation = await make.organisation()
    doctor, _ = await callers.worker(await make.department(organisation))
    admin = await callers.administrator(organisation)
    assert doctor.account_id is not None
    application = await Application.create(
        account_id=doctor.account_id,
        organisation=organisation,
        kind=ApplicationKind.CHANGE_OF_DATA,
        status=ApplicationStatus.IN_REVIEW,
        submitted_at=make.NOW,
    )

    returned = await applications.return_application(admin, id=application.id, reason=REASON)
    assert (returned.status, returned.decision_reason) == (ApplicationStatus.RETURNED, REASON)
    await applications.update_application(doctor, id=application.id, version=2, comment="Есть")
    again = await applications.submit_application(doctor, id=application.id)

    assert again.status is ApplicationStatus.SUBMITTED
    assert again.decision_reason is None
    assert again.decided_at is None


OWNER_MOVES = {
    applications.submit_application: {ApplicationStatus.DRAFT, ApplicationStatus.RETURNED},
    applications.withdraw_application: {
        ApplicationStatus.DRAFT,
        ApplicationStatus.SUBMITTED,
        ApplicationStatus.IN_REVIEW,
        ApplicationStatus.RETURNED,
    },
}
REVIEW_MOVES = {
    applications.take_application: {ApplicationStatus.SUBMITTED},
    applications.approve_application: {ApplicationStatus.IN_REVIEW},
    applications.return_application: {ApplicationStatus.IN_REVIEW},
    applications.reject_application: {ApplicationStatus.IN_REVIEW},
}


@pytest.mark.parametrize(("move", "states"), [*OWNER_MOVES.items(), *REVIEW_MOVES.items()])
@pytest.mark.parametrize("status", list(ApplicationStatus))
async def test_every_move_from_every_state(
    database: str, move: Any, states: set[ApplicationStatus], status: ApplicationStatus
) -> None:
    organisation = await make.organisation()
    doctor, _ = await callers.worker(await make.department(organisation))
    admin = await callers.administrator(organisation)
    assert doctor.account_id is not None
    is_draft = status is ApplicationStatus.DRAFT
    application = await Application.create(
        account_id=doctor.account_id,
        organisation=organisation,
        kind=ApplicationKind.CHANGE_OF_DATA,
        status=status,
        submitted_at=None if is_draft else make.NOW,
    )
    needs_reason = move in (applications.return_application, applications.reject_application)
    values = {"reason": REASON} if needs_reason else {}
    caller = doctor if move in OWNER_MOVES else admin

    if status in states:
        assert (await move(caller, id=application.id, **values)).version == 2
        return
    # To those who review, a draft does not exist.
    unseen = is_draft and move in REVIEW_MOVES
    with pytest.raises(NotFound if unseen else ApplicationStateWrong) as refused:
        await move(caller, id=application.id, **values)
    assert refused.value.values == ({} if unseen else {"status": status.value})
    assert (await Application.get(id=application.id)).version == 1


@pytest.mark.parametrize("reason", [None, "", "  нет "])
async def test_a_refusal_says_why(database: str, reason: Any) -> None:
    organisation = await make.organisation()
    admin = await callers.administrator(organisation)
    application = await make.application(
        await make.account(organisation), organisation, status=ApplicationStatus.IN_REVIEW
    )

    for move in (applications.return_application, applications.reject_application):
        with pytest.raises(ReasonNeeded) as refused:
            await move(admin, id=application.id, reason=reason)
        assert refused.value.field == "reason"


async def test_an_application_is_its_owners_to_change(database: str) -> None:
    organisation = await make.organisation()
    ward = await make.department(organisation)
    doctor, _ = await callers.worker(ward)
    colleague, _ = await callers.worker(ward)
    admin = await callers.administrator(organisation)
    draft = await applications.create_application(doctor, kind=ApplicationKind.NEW_CABINET)

    with pytest.raises(NotFound):
        await applications.submit_application(colleague, id=draft.id)
    with pytest.raises(NotFound):
        await applications.submit_application(admin, id=draft.id)
    sent = await applications.create_application(doctor, kind=ApplicationKind.NEW_CABINET)
    await applications.submit_application(doctor, id=sent.id)
    for move in (applications.submit_application, applications.withdraw_application):
        with pytest.raises(ActionDenied):
            await move(admin, id=sent.id)
    with pytest.raises(ActionDenied):
        await applications.update_application(admin, id=sent.id, version=2, comment="чужое")
    with pytest.raises(Stale):
        await applications.update_application(doctor, id=draft.id, version=0, comment="поздно")
    with pytest.raises(Problems) as long:
        await applications.update_application(doctor, id=draft.id, version=1, comment="x" * 2001)

    assert problems_of(long) == [("TOO_LONG", "comment")]


async def test_a_citizen_applies_to_the_only_organisation(database: str) -> None:
    organisation = await make.organisation()
    account = await make.account()
    citizen = callers.citizen(account)

    made = await applications.create_application(citizen, kind=ApplicationKind.ATTACH_ROLE)
    sent = await applications.submit_application(citizen, id=made.id)

    assert (sent.organisation_id, sent.account_id, sent.practitioner_id) == (
        organisation.id,
        account.id,
        None,
    )


async def test_a_citizen_names_one_of_several_organisations(database: str) -> None:
    first = await make.organisation()
    await make.organisation()
    citizen = callers.citizen(await make.account())
    kind = ApplicationKind.ATTACH_ROLE

    with pytest.raises(Required) as unsaid:
        await applications.create_application(citizen, kind=kind)
    with pytest.raises(NotFound) as unknown:
        await applications.create_application(
            citizen, kind=kind, organisation_id=citizen.account_id
        )
    made = await applications.create_application(citizen, kind=kind, organisation_id=first.id)

    assert unsaid.value.field == unknown.value.field == "organisation_id"
    assert made.organisation_id == first.id


async def test_two_decisions_at_once_are_one(database: str) -> None:
    organisation = await make.organisation()
    admin = await callers.administrator(organisation)
    application = await make.application(
        await make.account(organisation), organisation, status=ApplicationStatus.IN_REVIEW
    )

    outcomes = await asyncio.gather(
        applications.approve_application(admin, id=application.id),
        applications.reject_application(admin, id=application.id, reason=REASON),
        applications.return_application(admin, id=application.id, reason=REASON),
        return_exceptions=True,
    )

    assert [type(outcome) for outcome in outcomes].count(Application) == 1
    codes = [outcome.code for outcome in outcomes if isinstance(outcome, Problem)]
    assert codes == ["APPLICATION_STATE"] * 2

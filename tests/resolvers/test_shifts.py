"""Shifts: who may have one, what state it passes to, and who wins a race."""

import asyncio
from datetime import date, timedelta
from typing import Any

import pytest

from auth.rows import NotFound
from auth.viewer import Viewer
from core.errors import Problem, Problems
from models.licence import LicenceKind
from models.practitioner import PractitionerStatus, Profession
from models.shift import Shift, ShiftKind, ShiftState, ShiftStatus
from resolvers import shifts
from resolvers.shiftrules import CredentialExpired, ProfessionMismatch, RestTooShort
from resolvers.shifts import ShiftBegun, ShiftOverlaps, ShiftStateWrong, ShiftTaken
from resolvers.standing import ActionDenied, PractitionerDismissed, WithoutFile
from resolvers.versions import Stale
from tests import factories as make
from tests.resolvers import callers
from tests.resolvers.callers import announced, journal, problems_of

TOMORROW = make.NOW + timedelta(days=1)


def times(start: int, length: int = 8) -> dict[str, Any]:
    """A shift that starts so many hours from tomorrow's beginning of work."""
    starts_at = TOMORROW + timedelta(hours=start)
    return {"starts_at": starts_at, "ends_at": starts_at + timedelta(hours=length)}


async def test_a_shift_without_a_person_is_open(database: str) -> None:
    organisation = await make.organisation()
    ward = await make.department(organisation)
    admin = await callers.administrator(organisation)

    shift = await shifts.plan_shift(
        admin, department_id=ward.id, kind=ShiftKind.NIGHT, note="  Пост 2 ", **times(0, 12)
    )

    stored = await Shift.get(id=shift.id)
    assert (stored.state, stored.practitioner_id, stored.note) == (ShiftState.OPEN, None, "Пост 2")
    assert await journal() == [("SHIFT_PLANNED", "Shift", None)]
    assert await announced() == []


async def test_a_shift_for_a_person_is_planned_and_told_to_them(database: str) -> None:
    organisation = await make.organisation()
    ward = await make.department(organisation)
    admin = await callers.administrator(organisation)
    doctor, person = await callers.worker(ward)

    shift = await shifts.plan_shift(
        admin, department_id=ward.id, practitioner_id=person.id, kind=ShiftKind.DUTY, **times(0, 24)
    )

    assert (shift.state, shift.practitioner_id) == (ShiftState.PLANNED, person.id)
    assert await journal() == [("SHIFT_PLANNED", "Shift", person.id)]
    assert await announced() == [("SHIFT", doctor.account_id, shift.id)]


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        (times(0, 0), ("DATES_REVERSED", "ends_at")),
        (times(0, -2), ("DATES_REVERSED", "ends_at")),
        (times(0, 25), ("SHIFT_TOO_LONG", "ends_at")),
        (times(-24), ("SHIFT_BEGUN", "starts_at")),
        ({**times(0), "note": "x" * 1001}, ("TOO_LONG", "note")),
        ({**times(0), "note": "\x07"}, ("FIELD_INVALID", "note")),
    ],
)
async def test_a_plan_that_cannot_be_is_refused(
    database: str, values: dict[str, Any], problem: tuple[str, str]
) -> None:
    organisation = await make.organisation()
    ward = await make.department(organisation)
    admin = await callers.administrator(organisation)

    with pytest.raises(Problems) as refused:
        await shifts.plan_shift(admin, department_id=ward.id, kind=ShiftKind.DAY, **values)

    assert problems_of(refused) == [problem]
    assert await Shift.all().count() == 0
    assert await journal() == []


async def test_a_department_administrator_plans_in_that_department_only(database: str) -> None:
    organisation = await make.organisation()
    ward, other = await make.department(organisation), await make.department(organisation)
    stranger = await make.practitioner(other)
    admin = await callers.administrator(organisation, ward)

    with pytest.raises(NotFound) as elsewhere:
        await shifts.plan_shift(admin, department_id=other.id, kind=ShiftKind.DAY, **times(0))
    with pytest.raises(NotFound) as unknown:
        await shifts.plan_shift(
            admin,
            department_id=ward.id,
            practitioner_id=stranger.id,
            kind=ShiftKind.DAY,
            **times(0),
        )

    assert elsewhere.value.field == "department_id"
    assert unknown.value.field == "practitioner_id"


async def test_an_open_shift_is_asked_for_and_approved(database: str) -> None:
    organisation = await make.organisation()
    ward = await make.department(organisation)
    doctor, person = await callers.worker(ward)
    admin = await callers.administrator(organisation)
    shift = await make.shift(ward)

    asked = await shifts.request_shift(doctor, id=shift.id, note="Прошу эту")
    assert (asked.state, asked.practitioner_id, asked.note, asked.version) == (
        ShiftState.REQUESTED,
        person.id,
        "Прошу эту",
        2,
    )

    approved = await shifts.approve_shift(admin, id=shift.id)
    assert (approved.state, approved.decided_by_id, approved.decided_at, approved.version) == (
        ShiftState.APPROVED,
        admin.account_id,
        make.NOW,
        3,
    )
    assert await journal() == [
        ("SHIFT_REQUESTED", "Shift", person.id),
        ("SHIFT_APPROVED", "Shift", person.id),
    ]
    assert await announced() == [("SHIFT", doctor.account_id, shift.id)] * 2


async def test_a_declined_request_leaves_the_work_open_to_others(database: str) -> None:
    organisation = await make.organisation()
    ward = await make.department(organisation)
    doctor, person = await callers.worker(ward)
    colleague, _ = await callers.worker(ward)
    admin = await callers.administrator(organisation)
    shift = await make.shift(ward, profession=Profession.DOCTOR)
    await shifts.request_shift(doctor, id=shift.id, note="личное")

    declined = await shifts.decline_shift(admin, id=shift.id, reason="Превышение нормы")

    opened = await Shift.get(state=ShiftState.OPEN)
    assert (declined.state, declined.practitioner_id) == (ShiftState.DECLINED, person.id)
    assert (opened.starts_at, opened.ends_at, opened.kind, opened.profession) == (
        shift.starts_at,
        shift.ends_at,
        shift.kind,
        Profession.DOCTOR,
    )
    assert opened.note is None
    assert (await shifts.request_shift(colleague, id=opened.id)).state is ShiftState.REQUESTED
    assert [action for action, *_ in await journal()] == [
        "SHIFT_REQUESTED",
        "SHIFT_DECLINED",
        "SHIFT_OPENED",
        "SHIFT_REQUESTED",
    ]


async def test_a_request_is_taken_back_by_its_owner_only(database: str) -> None:
    ward = await make.department(await make.organisation())
    doctor, person = await callers.worker(ward)
    colleague, _ = await callers.worker(ward)
    shift = await make.shift(ward)
    await shifts.request_shift(doctor, id=shift.id, note="личное")

    with pytest.raises(ActionDenied):
        await shifts.withdraw_shift_request(colleague, id=shift.id)
    back = await shifts.withdraw_shift_request(doctor, id=shift.id)

    stored = await Shift.get(id=shift.id)
    assert (stored.state, stored.practitioner_id) == (ShiftState.OPEN, None)
    assert stored.note is None
    assert back.version == stored.version == 3
    assert (await journal())[-1] == ("SHIFT_REQUEST_WITHDRAWN", "Shift", person.id)
    assert (await announced())[-1] == ("SHIFT", doctor.account_id, shift.id)


async def test_a_shift_is_cancelled_before_its_start_only(database: str) -> None:
    organisation = await make.organisation()
    ward = await make.department(organisation)
    admin = await callers.administrator(organisation)
    to_come = await make.shift(ward)
    begun = await make.shift(
        ward, starts_at=make.NOW, ends_at=make.NOW + timedelta(hours=8), state=ShiftState.OPEN
    )

    cancelled = await shifts.cancel_shift(admin, id=to_come.id, reason="Ремонт")
    with pytest.raises(ShiftBegun):
        await shifts.cancel_shift(admin, id=begun.id)

    assert cancelled.state is ShiftState.CANCELLED
    assert (await Shift.get(id=begun.id)).state is ShiftState.OPEN


@pytest.mark.parametrize(
    ("operation", "states"),
    [
        (shifts.request_shift, {ShiftState.OPEN}),
        (shifts.approve_shift, {ShiftState.REQUESTED, ShiftState.PLANNED}),
        (shifts.decline_shift, {ShiftState.REQUESTED}),
        (shifts.withdraw_shift_request, {ShiftState.REQUESTED}),
        (
            shifts.cancel_shift,
            {ShiftState.OPEN, ShiftState.REQUESTED, ShiftState.PLANNED, ShiftState.APPROVED},
        ),
    ],
)
@pytest.mark.parametrize("state", list(ShiftState))
async def test_every_move_from_every_state(
    database: str, operation: Any, states: set[ShiftState], state: ShiftState
) -> None:
    organisation = await make.organisation()
    ward = await make.department(organisation)
    doctor, person = await callers.worker(ward)
    admin = await callers.administrator(organisation)
    own = operation in (shifts.request_shift, shifts.withdraw_shift_request)
    owner = None if state is ShiftState.OPEN and own is False else person
    shift = await make.shift(ward, state=state, practitioner=owner)
    caller = doctor if own else admin

    if state in states:
        assert (await operation(caller, id=shift.id)).version == 2
        return
    with pytest.raises(ShiftStateWrong) as refused:
        await operation(caller, id=shift.id)
    assert refused.value.values == {"status": state.value}
    assert (await Shift.get(id=shift.id)).version == 1


async def test_a_shift_that_is_over_is_done(database: str) -> None:
    organisation = await make.organisation()
    ward = await make.department(organisation)
    admin = await callers.administrator(organisation)
    shift = await make.shift(
        ward,
        practitioner=await make.practitioner(ward),
        state=ShiftState.APPROVED,
        starts_at=make.NOW - timedelta(hours=8),
        ends_at=make.NOW,
    )

    with pytest.raises(ShiftStateWrong) as refused:
        await shifts.cancel_shift(admin, id=shift.id)

    assert refused.value.values == {"status": "DONE"}


async def test_work_that_was_done_is_entered_late(database: str) -> None:
    organisation = await make.organisation()
    ward = await make.department(organisation)
    admin = await callers.administrator(organisation)
    person = await make.practitioner(ward)

    planned = await shifts.plan_shift(
        admin,
        department_id=ward.id,
        practitioner_id=person.id,
        kind=ShiftKind.NIGHT,
        **times(-36),
    )
    approved = await shifts.approve_shift(admin, id=planned.id)

    assert approved.status_at(make.NOW) is ShiftStatus.DONE
    with pytest.raises(Problems) as refused:
        await shifts.plan_shift(admin, department_id=ward.id, kind=ShiftKind.DAY, **times(-60))
    assert problems_of(refused) == [("SHIFT_BEGUN", "starts_at")]


async def test_an_open_shift_that_has_begun_is_nobodys(database: str) -> None:
    ward = await make.department(await make.organisation())
    doctor, _ = await callers.worker(ward)
    shift = await make.shift(ward, starts_at=make.NOW, ends_at=make.NOW + timedelta(hours=8))

    with pytest.raises(ShiftBegun):
        await shifts.request_shift(doctor, id=shift.id)


async def test_a_shift_of_another_department_is_not_found(database: str) -> None:
    organisation = await make.organisation()
    doctor, _ = await callers.worker(await make.department(organisation))
    shift = await make.shift(await make.department(organisation))

    with pytest.raises(NotFound):
        await shifts.request_shift(doctor, id=shift.id)


async def test_a_duty_at_home_is_not_there_for_a_nurse(database: str) -> None:
    organisation = await make.organisation()
    ward = await make.department(organisation)
    nurse, person = await callers.worker(ward, profession=Profession.NURSE)
    admin = await callers.administrator(organisation)
    shift = await make.shift(ward, kind=ShiftKind.HOME_DUTY)

    with pytest.raises(NotFound):
        await shifts.request_shift(nurse, id=shift.id)
    with pytest.raises(ProfessionMismatch):
        await shifts.plan_shift(
            admin,
            department_id=ward.id,
            practitioner_id=person.id,
            kind=ShiftKind.HOME_DUTY,
            **times(0),
        )


async def test_a_person_without_a_file_asks_for_nothing(database: str) -> None:
    organisation = await make.organisation()
    shift = await make.shift(await make.department(organisation))
    admin = await callers.administrator(organisation)

    with pytest.raises(WithoutFile):
        await shifts.request_shift(admin, id=shift.id)


async def test_work_of_another_profession_is_refused(database: str) -> None:
    ward = await make.department(await make.organisation())
    doctor, _ = await callers.worker(ward)
    shift = await make.shift(ward, profession=Profession.NURSE)

    with pytest.raises(ProfessionMismatch) as refused:
        await shifts.request_shift(doctor, id=shift.id)

    assert (refused.value.field, refused.value.values) == ("id", {"profession": "NURSE"})


async def test_nothing_is_planned_for_somebody_dismissed(database: str) -> None:
    organisation = await make.organisation()
    ward = await make.department(organisation)
    person = await make.practitioner(ward, status=PractitionerStatus.DISMISSED)
    admin = await callers.administrator(organisation)

    with pytest.raises(PractitionerDismissed):
        await shifts.plan_shift(
            admin,
            department_id=ward.id,
            practitioner_id=person.id,
            kind=ShiftKind.DAY,
            **times(0),
        )


@pytest.mark.parametrize(
    ("licences", "passes"),
    [
        ([], True),
        ([{"expires_on": TOMORROW.date()}], True),
        ([{"expires_on": make.NOW.date()}], False),
        ([{"revoked_on": make.NOW.date()}], False),
        ([{"issued_on": date(2027, 1, 1)}], False),
        ([{"expires_on": date(2025, 1, 1)}, {"kind": LicenceKind.SPECIALIST_CERTIFICATE}], True),
        # The organisation's licence says nothing about the person.
        ([{"kind": LicenceKind.MEDICAL_LICENCE, "expires_on": date(2025, 1, 1)}], True),
        ([{"expires_on": date(2025, 1, 1)}, {"kind": LicenceKind.MEDICAL_LICENCE}], False),
    ],
)
async def test_credentials_hold_on_the_day_of_the_shift(
    database: str, licences: list[dict[str, Any]], passes: bool
) -> None:
    organisation = await make.organisation()
    ward = await make.department(organisation)
    doctor, person = await callers.worker(ward)
    for values in licences:
        await make.licence(person, **values)
    shift = await make.shift(ward)
    planned = await make.shift(ward, practitioner=person, state=ShiftState.PLANNED, **times(36))
    admin = await callers.administrator(organisation)

    if passes:
        assert (await shifts.request_shift(doctor, id=shift.id)).state is ShiftState.REQUESTED
        return
    with pytest.raises(CredentialExpired) as refused:
        await shifts.request_shift(doctor, id=shift.id)
    assert refused.value.values == {"day": TOMORROW.date()}
    with pytest.raises(CredentialExpired):
        await shifts.approve_shift(admin, id=planned.id)


@pytest.mark.parametrize(
    ("hours", "passes"), [(-18, True), (-17, False), (17, False), (18, True), (8, False)]
)
async def test_ten_hours_of_rest_lie_between_two_shifts(
    database: str, hours: int, passes: bool
) -> None:
    ward = await make.department(await make.organisation())
    doctor, person = await callers.worker(ward)
    await make.shift(ward, practitioner=person, state=ShiftState.APPROVED, **times(hours + 48))
    shift = await make.shift(ward, **times(48))

    if passes:
        assert (await shifts.request_shift(doctor, id=shift.id)).state is ShiftState.REQUESTED
        return
    with pytest.raises(RestTooShort) as refused:
        await shifts.request_shift(doctor, id=shift.id)
    assert (refused.value.field, refused.value.values) == ("id", {"hours": 10})


async def test_a_cancelled_shift_needs_no_rest_and_no_room(database: str) -> None:
    ward = await make.department(await make.organisation())
    doctor, person = await callers.worker(ward)
    await make.shift(ward, practitioner=person, state=ShiftState.CANCELLED, **times(0))
    shift = await make.shift(ward, **times(0))

    assert (await shifts.request_shift(doctor, id=shift.id)).state is ShiftState.REQUESTED


async def test_a_shift_over_another_is_refused(database: str) -> None:
    organisation = await make.organisation()
    ward = await make.department(organisation)
    doctor, person = await callers.worker(ward)
    admin = await callers.administrator(organisation)
    await make.shift(ward, practitioner=person, state=ShiftState.PLANNED, **times(0))
    shift = await make.shift(ward, **times(4))

    with pytest.raises(ShiftOverlaps) as asked:
        await shifts.request_shift(doctor, id=shift.id)
    with pytest.raises(ShiftOverlaps) as planned:
        await shifts.plan_shift(
            admin,
            department_id=ward.id,
            practitioner_id=person.id,
            kind=ShiftKind.DAY,
            **times(4),
        )

    assert (asked.value.field, planned.value.field) == ("id", "starts_at")
    assert (await Shift.get(id=shift.id)).state is ShiftState.OPEN
    assert await journal() == []


async def test_a_note_is_changed_by_those_who_may_read_it(database: str) -> None:
    organisation = await make.organisation()
    ward = await make.department(organisation)
    doctor, person = await callers.worker(ward)
    colleague, _ = await callers.worker(ward)
    admin = await callers.administrator(organisation)
    shift = await make.shift(ward, practitioner=person, state=ShiftState.PLANNED)

    noted = await shifts.update_shift_note(doctor, id=shift.id, version=1, note="С ночи")
    with pytest.raises(ActionDenied):
        await shifts.update_shift_note(colleague, id=shift.id, version=2, note="чужая")
    with pytest.raises(Stale) as stale:
        await shifts.update_shift_note(admin, id=shift.id, version=1, note="поздно")
    cleared = await shifts.update_shift_note(admin, id=shift.id, version=2, note=None)

    assert (noted.note, noted.version) == ("С ночи", 2)
    assert stale.value.code == "CONFLICT"
    assert cleared.note is None
    assert cleared.version == 3


async def test_the_last_open_shift_goes_to_one(database: str) -> None:
    ward = await make.department(await make.organisation())
    racers = [await callers.worker(ward) for _ in range(8)]
    shift = await make.shift(ward)

    outcomes = await asyncio.gather(
        *(shifts.request_shift(viewer, id=shift.id) for viewer, _ in racers),
        return_exceptions=True,
    )

    winners = [outcome for outcome in outcomes if isinstance(outcome, Shift)]
    losers = [outcome.code for outcome in outcomes if isinstance(outcome, Problem)]
    assert (len(winners), losers) == (1, [ShiftTaken.code] * 7)
    stored = await Shift.get(id=shift.id)
    assert (stored.practitioner_id, stored.version) == (winners[0].practitioner_id, 2)
    assert len(await journal()) == 1


async def test_one_person_racing_for_overlapping_shifts_has_one(database: str) -> None:
    organisation = await make.organisation()
    ward = await make.department(organisation)
    doctor, person = await callers.worker(ward)
    admin = await callers.administrator(organisation)
    open_shifts = [await make.shift(ward, **times(hour)) for hour in range(4)]

    async def plan(hour: int) -> Shift:
        return await shifts.plan_shift(
            admin,
            department_id=ward.id,
            practitioner_id=person.id,
            kind=ShiftKind.DAY,
            **times(hour),
        )

    outcomes = await asyncio.gather(
        *(shifts.request_shift(doctor, id=shift.id) for shift in open_shifts),
        *(plan(hour) for hour in range(4)),
        return_exceptions=True,
    )

    kept = await Shift.filter(practitioner_id=person.id)
    codes = [outcome.code for outcome in outcomes if isinstance(outcome, Problem)]
    assert (len(kept), codes) == (1, [ShiftOverlaps.code] * 7)


async def test_two_decisions_on_one_request_are_one(database: str) -> None:
    organisation = await make.organisation()
    ward = await make.department(organisation)
    admins: list[Viewer] = [await callers.administrator(organisation) for _ in range(4)]
    doctor, _ = await callers.worker(ward)
    shift = await make.shift(ward)
    await shifts.request_shift(doctor, id=shift.id)

    outcomes = await asyncio.gather(
        *(shifts.approve_shift(admin, id=shift.id) for admin in admins[:2]),
        *(shifts.decline_shift(admin, id=shift.id) for admin in admins[2:]),
        return_exceptions=True,
    )

    assert [type(outcome) for outcome in outcomes].count(Shift) == 1
    assert [type(outcome) for outcome in outcomes].count(ShiftStateWrong) == 3

"""Four eyes: one's own is approved by another administrator, where there is one."""

from datetime import timedelta
from typing import Any

import pytest

from models.account import Account, AccountState
from models.audit import AuditEntry
from models.role import Role
from models.shift import Shift, ShiftState
from resolvers import shifts
from resolvers.foureyes import SelfApproval
from tests import factories as make
from tests.resolvers import callers
from tests.resolvers.callers import journal

TOMORROW = make.NOW + timedelta(days=1)


@pytest.mark.parametrize(
    ("others", "passes"),
    [
        ([], True),
        # Who was only invited or is gone; who was or will be; who is elsewhere or another.
        ([{"state": AccountState.INVITED}, {"state": AccountState.CLOSED}], True),
        ([{"starts_at": TOMORROW}, {"ends_at": make.NOW}, {"revoked_at": make.NOW}], True),
        ([{"ward": "other"}, {"role": Role.INSPECTOR}], True),
        ([{}], False),
        ([{"ward": "own"}], False),
        ([{"ends_at": TOMORROW}], False),
        # Anybody can lock an account by wrong passwords.
        ([{"state": AccountState.LOCKED}], False),
    ],
)
async def test_one_s_own_shift_is_approved_by_another_if_there_is_one(
    database: str, others: list[dict[str, Any]], passes: bool
) -> None:
    organisation = await make.organisation()
    wards = {name: await make.department(organisation) for name in ("own", "other")}
    viewer = await callers.administrator(organisation)
    account = await Account.get(id=viewer.account_id)
    await make.grant(account, Role.ADMIN, organisation)
    person = await make.practitioner(wards["own"], account=account)
    for other in others:
        values = {"role": Role.ADMIN, "state": AccountState.ACTIVE, "ward": None, **other}
        their_account = await make.account(organisation, state=values.pop("state"))
        ward = wards.get(values.pop("ward"))
        await make.grant(their_account, organisation=organisation, department=ward, **values)
    shift = await make.shift(wards["own"], practitioner=person, state=ShiftState.PLANNED)
    as_oneself = viewer._replace(practitioner_id=person.id)

    if passes:
        assert (await shifts.approve_shift(as_oneself, id=shift.id)).state is ShiftState.APPROVED
        entry = await AuditEntry.get(action="SHIFT_APPROVED")
        assert entry.details == {"only_administrator": True}
        return
    with pytest.raises(SelfApproval) as refused:
        await shifts.approve_shift(as_oneself, id=shift.id)
    assert refused.value.field == "id"
    assert (await Shift.get(id=shift.id)).state is ShiftState.PLANNED
    assert await journal() == []


async def test_another_s_shift_is_approved_whoever_else_there_is(database: str) -> None:
    organisation = await make.organisation()
    ward = await make.department(organisation)
    viewer, other = [await callers.administrator(organisation) for _ in range(2)]
    for admin in (viewer, other):
        account = await Account.get(id=admin.account_id)
        await make.grant(account, Role.ADMIN, organisation)
    shift = await make.shift(
        ward, practitioner=await make.practitioner(ward), state=ShiftState.REQUESTED
    )

    await shifts.approve_shift(viewer, id=shift.id)

    assert (await AuditEntry.get(action="SHIFT_APPROVED")).details == {}

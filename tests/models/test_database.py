"""What the database itself decides, on both dialects."""

import asyncio
from datetime import timedelta

import pytest
from tortoise.exceptions import IntegrityError

from models.database import unit_of_work, violated
from models.practitioner import Practitioner
from models.shift import ShiftState
from tests import factories as make


async def test_two_occupying_shifts_of_one_person_cannot_overlap(database: str) -> None:
    ward = await make.department(await make.organisation())
    person = await make.practitioner(ward)
    await make.shift(ward, practitioner=person, state=ShiftState.PLANNED)

    with pytest.raises(IntegrityError) as refused:
        await make.shift(
            ward,
            practitioner=person,
            state=ShiftState.REQUESTED,
            starts_at=make.NOW + timedelta(days=1, hours=7),
            ends_at=make.NOW + timedelta(days=1, hours=12),
        )

    assert violated(refused.value) == "shift_no_overlap"


async def test_shifts_that_touch_do_not_overlap(database: str) -> None:
    ward = await make.department(await make.organisation())
    person = await make.practitioner(ward)
    first = await make.shift(ward, practitioner=person, state=ShiftState.PLANNED)

    second = await make.shift(
        ward,
        practitioner=person,
        state=ShiftState.PLANNED,
        starts_at=first.ends_at,
        ends_at=first.ends_at + timedelta(hours=8),
    )

    assert second.starts_at == first.ends_at


async def test_a_cancelled_unit_still_commits_and_frees_the_connection(database: str) -> None:
    started = asyncio.Event()

    @unit_of_work
    async def slow() -> None:
        ward = await make.department(await make.organisation())
        await make.practitioner(ward, last_name="Ёлкина")
        started.set()
        await asyncio.sleep(0.05)

    task = asyncio.ensure_future(slow())
    await started.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await asyncio.sleep(0.2)

    assert [row.full_name_folded for row in await Practitioner.all()] == ["елкина анна"]

"""Even time: what is waited for is up to the next moment of the grid."""

import asyncio
from datetime import timedelta

import pytest

from auth.even_time import EvenTime


@pytest.mark.parametrize(
    ("step", "worked", "waits"),
    [(50, 0, 50), (50, 1, 49), (50, 49, 1), (50, 51, 49), (50, 120, 30), (0, 7, None)],
)
async def test_the_next_moment_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, step: int, worked: int, waits: int | None
) -> None:
    slept: list[float] = []
    loop = asyncio.get_running_loop()

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    with monkeypatch.context() as patched:
        patched.setattr(loop, "time", lambda: 1000.0)
        patched.setattr(asyncio, "sleep", sleep)
        even_time = EvenTime(timedelta(milliseconds=step))
        patched.setattr(loop, "time", lambda: 1000 + worked / 1000)
        await even_time.wait()

    assert slept == ([] if waits is None else [pytest.approx(waits / 1000)])

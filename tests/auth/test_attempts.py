"""Failed sign-ins, counted at once from many sides: no more than the limit by any of the counts."""

import asyncio
from collections import Counter
from datetime import timedelta

import pytest

from auth.attempts import Attempt, AttemptsExceeded, Names, begin_attempt, forgive, give_back
from core.settings import SignInLimits
from models.account import SignInFailure
from models.database import unit_of_work
from tests.factories import NOW

LIMITS = SignInLimits(failures=5, address_failures=7, pause=timedelta(0))
MANY = 30


async def begun_at_once(*attempts: tuple[Names, str]) -> Counter[str]:
    """What came of attempts that began at the same time."""
    answers = await asyncio.gather(
        *(begin_attempt(names, network, now=NOW, limits=LIMITS) for names, network in attempts),
        return_exceptions=True,
    )
    return Counter(_what(answer) for answer in answers)


def _what(answer: Attempt | BaseException) -> str:
    if isinstance(answer, Attempt):
        return "refused" if answer.refused_until else "looked at"
    assert isinstance(answer, AttemptsExceeded)
    return "locked" if answer.is_lock else "waits"


# PostgreSQL's transactions run beside each other: without turns each of these counts too late.
async def test_a_login_is_tried_five_times(database: str) -> None:
    one = Names("login", "account")
    told = await begun_at_once(*((one, f"192.0.2.{n}") for n in range(MANY)))
    assert told == {"looked at": 5, "locked": MANY - 5}


async def test_an_account_is_tried_five_times_by_however_many_logins(database: str) -> None:
    told = await begun_at_once(
        *((Names(f"login {n}", "account"), f"192.0.2.{n}") for n in range(MANY))
    )
    assert told == {"looked at": 5, "refused": MANY - 5}
    assert await SignInFailure.filter(login_hash="account").count() == 5


async def test_an_address_tries_all_logins_together(database: str) -> None:
    told = await begun_at_once(
        *((Names(f"login {n}", f"account {n}"), "2001:db8:2:2::/64") for n in range(MANY))
    )
    assert told == {"looked at": 7, "waits": MANY - 7}
    assert await SignInFailure.filter(address="2001:db8:2:2::/64").count() == 7


@pytest.mark.parametrize("failed_before", [0, 4])
async def test_of_attempts_that_were_right_none_stays_counted(
    database: str, failed_before: int
) -> None:
    names = Names("login", "account")
    for _ in range(failed_before):
        await begin_attempt(names, "", now=NOW, limits=LIMITS)
    attempt = await begin_attempt(names, "", now=NOW, limits=LIMITS)
    assert attempt.locks_until == (NOW + LIMITS.window if failed_before else None)

    await give_back(attempt)

    assert await SignInFailure.all().count() == 2 * failed_before
    await unit_of_work(forgive)(names.login, names.account)
    assert await SignInFailure.all().count() == 0

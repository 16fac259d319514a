"""How long a refusal takes: as long for a login that nobody has as for a wrong password."""

import random
import time
from pathlib import Path
from statistics import median

import pyotp
import pytest

from core.settings import SignInLimits
from tests import factories as make
from tests.live import ListeningApi, listening
from tests.times import chance, log_measured, samples, share

SAMPLES = samples(220)
WARMING = 10
# Nobody is refused here for trying too often, but every login is tried once anyway.
MANY = SignInLimits(address_failures=10_000)


async def seconds(api: ListeningApi, login: str) -> float:
    """How long the server takes over a wrong password."""
    variables = {"login": login, "password": "не тот пароль 42"}
    query = (
        "mutation($login: String!, $password: String!) { signIn(login: $login,"
        " password: $password) { accessToken errors { code field message } } }"
    )
    began = time.perf_counter()
    response = await api.client.post("/graphql", json={"query": query, "variables": variables})
    took = time.perf_counter() - began
    (problem,) = response.json()["data"]["signIn"]["errors"]
    assert problem["code"] == "BAD_CREDENTIALS"
    return took


@pytest.mark.any_database
async def test_a_login_that_nobody_has_is_refused_neither_sooner_nor_later(
    database_url: str, tmp_path: Path
) -> None:
    async with listening(database_url, tmp_path / "home", sign_in=MANY) as api:
        gate = api.services.gate
        password_hash = await gate.passwords.hash("тихий омут 42 кита")
        logins = []
        for number in range(SAMPLES + WARMING):
            known = f"known{number:04}@example.org"
            await make.account(
                email=known,
                password_hash=password_hash,
                totp_sealed=gate.vault.seal(pyotp.random_base32()),
            )
            logins += [(known, True), (f"unknow{number:03}@example.org", False)]
        warming, tried = logins[: 2 * WARMING], logins[2 * WARMING :]
        random.Random(1).shuffle(tried)
        for login, _ in warming:
            await seconds(api, login)
        took: dict[bool, list[float]] = {True: [], False: []}
        for login, is_known in tried:
            took[is_known].append(await seconds(api, login))

    known_ones, unknown_ones = took[True], took[False]
    assert len(known_ones) == len(unknown_ones) == SAMPLES
    waits, medians = share(known_ones, unknown_ones), median(known_ones) / median(unknown_ones)
    log_measured(SAMPLES, waits, medians)
    assert abs(waits - 0.5) < chance(SAMPLES)
    assert abs(medians - 1) < 0.15

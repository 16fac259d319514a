"""Guessing logins, passwords and codes: by aliases, from many addresses, at once, over sockets."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pyotp
import pytest

from core.clock import utc_now
from core.settings import Limits, SignInLimits
from models.account import SignInFailure
from models.audit import AuditEntry
from resolvers.accounts import create_account
from tests.api import Answer
from tests.attacks.codes import last_code
from tests.auth.entrance import PASSWORD, visitor
from tests.live import ListeningApi, listening
from tests.sockets import connected

LOGIN, PHONE = "anna.petrova@example.org", "+79001234567"
SIGN_IN = """mutation($login: String!, $password: String!, $code: String) {
    signIn(login: $login, password: $password, code: $code) { accessToken errors { code } } }"""
RESET = """mutation($handle: String!, $code: String!, $password: String!) {
    resetPassword(handle: $handle, code: $code, password: $password) { errors { code } } }"""


# Fifty at once on a busy machine may take longer than one operation is given.
PATIENT = Limits(operation_seconds=120)
# The number of guesses is asked for here; without pauses it is reached at once.
AT_ONCE: dict[str, Any] = {"limits": PATIENT, "sign_in": SignInLimits(pause=timedelta(0))}


@pytest.fixture
async def listening_api(database_url: str, tmp_path: Path) -> AsyncIterator[ListeningApi]:
    """The server as it is reached without a proxy."""
    async with listening(database_url, tmp_path / "home", **AT_ONCE) as api:
        api.client.timeout = httpx.Timeout(PATIENT.operation_seconds)
        yield api


@pytest.fixture
async def behind_a_proxy(database_url: str, tmp_path: Path) -> AsyncIterator[ListeningApi]:
    """The server behind a proxy whose word about addresses is taken."""
    proxies = ("127.0.0.1",)
    async with listening(database_url, tmp_path / "home", **AT_ONCE, proxies=proxies) as api:
        api.client.timeout = httpx.Timeout(PATIENT.operation_seconds)
        yield api


async def anna(api: ListeningApi) -> str:
    """Somebody with a password; the secret of their authenticator."""
    secret = pyotp.random_base32()
    await create_account(
        visitor(utc_now()),
        gate=api.services.gate,
        password=PASSWORD,
        totp_secret=secret,
        email=LOGIN,
        phone=PHONE,
    )
    return secret


async def guess(
    api: ListeningApi,
    *,
    login: str = LOGIN,
    password: str = "не тот пароль 42",
    address: str = "192.0.2.1",
    **variables: Any,
) -> str:
    """What a sign-in from an address came to."""
    given = {"login": login, "password": password, **variables}
    response = await api.client.post(
        "/graphql",
        json={"query": SIGN_IN, "variables": given},
        headers={"x-forwarded-for": address},
    )
    payload = Answer(response.status_code, response.json(), response.headers).data["signIn"]
    return "IN" if payload["accessToken"] else payload["errors"][0]["code"]


@pytest.mark.parametrize("field", ["signIn", "confirmFactor", "refreshSession"])
async def test_one_document_holds_one_guess(listening_api: ListeningApi, field: str) -> None:
    given = {
        "signIn": f'(login: "{LOGIN}", password: "x")',
        "confirmFactor": '(password: "x", code: "000000")',
        "refreshSession": '(refreshToken: "x")',
    }[field]
    call = f"{field}{given} {{ errors {{ code }} }}"
    aliased = " ".join(f"a{number}: {call}" for number in range(15))
    for document in (
        f"mutation {{ {aliased} }}",
        f"mutation {{ {call} a: {call} }}",
        f"mutation {{ {call} ...F }} fragment F on Mutation {{ a: {call} }}",
        f"mutation {{ ...F }} fragment F on Mutation {{ {aliased} }}",
        f"mutation {{ {call} ... on Mutation @skip(if: false) {{ a: {call} }} }}",
    ):
        assert (await listening_api.ask(document)).codes == ["ONE_SENSITIVE_FIELD"]
    assert await SignInFailure.all().count() == 0


async def test_one_request_holds_one_document(listening_api: ListeningApi) -> None:
    one = {"query": SIGN_IN, "variables": {"login": LOGIN, "password": "x"}}
    response = await listening_api.client.post("/graphql", json=[one] * 15)
    assert response.status_code == 400
    assert await SignInFailure.all().count() == 0


async def test_fifty_addresses_at_once_have_five_guesses_at_a_login(
    behind_a_proxy: ListeningApi,
) -> None:
    secret = await anna(behind_a_proxy)
    # As people write it, and both of the account's.
    logins = (LOGIN, LOGIN.upper(), f"  {LOGIN} ", PHONE, "8 (900) 123-45-67")

    told = await asyncio.gather(
        *(
            guess(behind_a_proxy, login=logins[number % 5], address=f"192.0.2.{number}")
            for number in range(50)
        )
    )

    # Each login is told of its own five; at the account five were looked at in all.
    assert Counter(told) == {"BAD_CREDENTIALS": 10, "ACCOUNT_LOCKED": 40}
    reasons = Counter(
        entry.details["reason"] for entry in await AuditEntry.filter(action__startswith="SIGN_IN")
    )
    assert reasons == {"PASSWORD": 5, "ACCOUNT_LOCKED": 5}
    right = {"password": PASSWORD, "code": pyotp.TOTP(secret).now()}
    for login in (LOGIN, PHONE):
        refused = await guess(behind_a_proxy, login=login, address="198.51.100.1", **right)
        assert refused == "ACCOUNT_LOCKED"


async def test_a_login_that_nobody_has_is_guessed_at_no_more_and_no_less(
    behind_a_proxy: ListeningApi,
) -> None:
    told = await asyncio.gather(
        *(
            guess(behind_a_proxy, login="nobody@example.org", address=f"192.0.2.{number}")
            for number in range(50)
        )
    )
    assert Counter(told) == {"BAD_CREDENTIALS": 5, "ACCOUNT_LOCKED": 45}


async def test_a_pause_leaves_fewer_guesses_still(database_url: str, tmp_path: Path) -> None:
    # So long that none has passed before the last of them is answered.
    longer = SignInLimits(pause=timedelta(minutes=5))
    async with listening(database_url, tmp_path / "home", limits=PATIENT, sign_in=longer) as api:
        api.client.timeout = httpx.Timeout(PATIENT.operation_seconds)
        told = Counter(await asyncio.gather(*(guess(api) for _ in range(50))))
    assert told == {"BAD_CREDENTIALS": 2, "TOO_MANY_ATTEMPTS": 48}


async def test_one_address_has_fifty_guesses_at_all_logins_together(
    behind_a_proxy: ListeningApi,
) -> None:
    secret = await anna(behind_a_proxy)

    told = await asyncio.gather(
        *(guess(behind_a_proxy, login=f"nobody{number}@example.org") for number in range(60))
    )

    assert Counter(told) == {"BAD_CREDENTIALS": 50, "TOO_MANY_ATTEMPTS": 10}
    right = {"password": PASSWORD, "code": pyotp.TOTP(secret).now()}
    assert await guess(behind_a_proxy, **right) == "TOO_MANY_ATTEMPTS"
    assert await guess(behind_a_proxy, address="198.51.100.1", **right) == "IN"


async def test_the_addresses_of_one_line_count_as_one(behind_a_proxy: ListeningApi) -> None:
    """A line has 2^64 addresses of IPv6, each of which can be written in many ways."""
    written = ("2001:db8:2:2::{n:x}", "2001:0db8:0002:2:0:0:0:{n:x}", "2001:DB8:2:2:{n:x}::")
    told = await asyncio.gather(
        *(
            guess(
                behind_a_proxy,
                login=f"nobody{number}@example.org",
                address=written[number % 3].format(n=number + 1),
            )
            for number in range(60)
        )
    )
    assert Counter(told) == {"BAD_CREDENTIALS": 50, "TOO_MANY_ATTEMPTS": 10}
    # The neighbours go on.
    other = {"login": "nobody@example.org", "address": "2001:db8:2:3::1"}
    assert await guess(behind_a_proxy, **other) == "BAD_CREDENTIALS"


async def test_an_address_of_ipv4_is_the_same_in_the_clothes_of_ipv6(
    behind_a_proxy: ListeningApi,
) -> None:
    written = ("192.0.2.9", "::ffff:192.0.2.9", "::FFFF:c000:209")
    told = await asyncio.gather(
        *(
            guess(behind_a_proxy, login=f"nobody{n}@example.org", address=written[n % 3])
            for n in range(60)
        )
    )
    assert Counter(told) == {"BAD_CREDENTIALS": 50, "TOO_MANY_ATTEMPTS": 10}


async def test_an_address_that_anybody_may_write_down_is_not_counted_by(
    listening_api: ListeningApi,
) -> None:
    """Without a proxy that is trusted, X-Forwarded-For is a client's own word."""
    told = await asyncio.gather(
        *(
            guess(listening_api, login=f"nobody{number}@example.org", address=f"192.0.2.{number}")
            for number in range(55)
        )
    )
    assert Counter(told) == {"BAD_CREDENTIALS": 50, "TOO_MANY_ATTEMPTS": 5}


async def test_fifty_codes_at_once_are_five_guesses(behind_a_proxy: ListeningApi) -> None:
    secret = await anna(behind_a_proxy)
    shown = {pyotp.TOTP(secret).at(utc_now(), counter_offset=step) for step in range(-20, 21)}
    wrong = [code for code in (f"{number:06}" for number in range(100)) if code not in shown]

    told = await asyncio.gather(
        *(
            guess(behind_a_proxy, password=PASSWORD, code=code, address=f"192.0.2.{number}")
            for number, code in enumerate(wrong[:50])
        )
    )

    assert Counter(told) == {"CODE_INVALID": 5, "ACCOUNT_LOCKED": 45}


async def test_fifty_guesses_at_once_at_a_code_that_was_sent_are_five(
    behind_a_proxy: ListeningApi,
) -> None:
    """From as many addresses: what is counted is the code's own."""
    await anna(behind_a_proxy)
    asked = await behind_a_proxy.ask(
        f'mutation {{ requestRecovery(contact: "{PHONE}") {{ handle errors {{ code }} }} }}'
    )
    handle = asked.data["requestRecovery"]["handle"]
    right = await last_code(behind_a_proxy.services.gate)

    async def tried(code: str, number: int) -> str:
        given = {"handle": handle, "code": code, "password": "другой омут 43 сома"}
        response = await behind_a_proxy.client.post(
            "/graphql",
            json={"query": RESET, "variables": given},
            headers={"x-forwarded-for": f"192.0.2.{number}"},
        )
        ((problem,),) = [it["errors"] for it in response.json()["data"].values()]
        return str(problem["code"])

    wrong = [code for code in (f"{number:06}" for number in range(51)) if code != right][:50]
    told = await asyncio.gather(*(tried(code, number) for number, code in enumerate(wrong)))

    assert Counter(told) == {"CODE_INVALID": 5, "CODE_EXPIRED": 45}
    assert await tried(right, 50) == "CODE_EXPIRED"


async def test_over_sockets_no_more_is_guessed(listening_api: ListeningApi) -> None:
    await anna(listening_api)
    codes: Counter[str] = Counter()

    async def many() -> None:
        async with connected(listening_api.socket_url) as socket:
            await socket.init()
            for number in range(10):
                await socket.subscribe(f"{number}", SIGN_IN, login=LOGIN, password="нет 42 42")
            left = 10
            while left:
                message = await socket.message(PATIENT.operation_seconds)
                if message["type"] == "next":
                    (problem,) = message["payload"]["data"]["signIn"]["errors"]
                    codes[problem["code"]] += 1
                left -= message["type"] == "complete"

    await asyncio.gather(*(many() for _ in range(5)))

    assert codes == {"BAD_CREDENTIALS": 5, "ACCOUNT_LOCKED": 45}

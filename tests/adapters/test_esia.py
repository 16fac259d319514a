"""Gosuslugi's client: requests signed, persons told, and everything that goes wrong told apart."""

import asyncio
import base64
import hmac
import json
import os
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from joserfc.jwk import RSAKey
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response

from adapters.detached import KeySigner, ProgramSigner
from adapters.esia import EsiaMisconfigured, open_esia
from adapters.fetching import LARGEST, NotAnswered
from adapters.oidc import Asked, Client, Misconfigured, Refused, Vouched
from core.clock import utc_now
from tests.gosuslugi import (
    Gosuslugi,
    came_back,
    certificate_of,
    check_detached,
    gosuslugi,
    written,
)

pytestmark = pytest.mark.any_database

ASKED = Asked(state="0b1ad1b0-0000-4000-8000-000000000001", nonce="n" * 43, verifier="v" * 64)
ANNA = "1000299654"
PERSON = {
    "firstName": "Анна",
    "lastName": "Петрова",
    "birthDate": "02.01.1980",
    "trusted": True,
    "snils": "112-233-445 95",
}


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Gosuslugi]:
    async with gosuslugi(tmp_path) as service:
        service.people[ANNA] = PERSON
        yield service


@pytest.fixture
async def client(service: Gosuslugi) -> AsyncIterator[Client]:
    client = open_esia(service.settings)
    yield client
    await client.close()


@pytest.fixture
async def hasty(service: Gosuslugi) -> AsyncIterator[Client]:
    """The same client with less patience."""
    client = open_esia(replace(service.settings, seconds=1.0))
    yield client
    await client.close()


async def finished(client: Client) -> Vouched:
    back = await came_back(await client.begin(ASKED, utc_now()), ANNA)
    assert back["state"] == ASKED.state
    return await client.finish(ASKED, back["code"], utc_now())


async def test_a_person_is_told_by_what_gosuslugi_knows(client: Client) -> None:
    assert await finished(client) == Vouched(
        subject=ANNA,
        is_trusted=True,
        snils="11223344595",
        last_name="Петрова",
        first_name="Анна",
        birth_date=date(1980, 1, 2),
    )


@pytest.mark.parametrize(
    ("told", "is_trusted", "snils"),
    [
        ({**PERSON, "trusted": False}, False, "11223344595"),
        ({**PERSON, "trusted": "true"}, False, "11223344595"),
        ({"snils": "112-233-445 96"}, False, None),
        ({"trusted": True, "snils": 11223344595}, True, None),
    ],
)
async def test_only_what_is_plainly_told_is_believed(
    service: Gosuslugi, client: Client, told: dict[str, Any], is_trusted: bool, snils: str | None
) -> None:
    service.people[ANNA] = told

    person = await finished(client)

    assert (person.is_trusted, person.snils) == (is_trusted, snils)


async def test_the_nonce_need_not_come_back_but_where_it_does_it_is_right(
    service: Gosuslugi, client: Client
) -> None:
    service.claims = {"nonce": ASKED.nonce}
    assert (await finished(client)).subject == ANNA
    service.claims = {"nonce": "of another request"}
    with pytest.raises(Refused):
        await finished(client)


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "http://esia.example.org/"},
        {"aud": "ANOTHER"},
        {"aud": ["CABINET", "ANOTHER"]},  # without azp: for whom is it?
        {"aud": ["CABINET"], "azp": "ANOTHER"},
        {"aud": "ANOTHER", "azp": "CABINET"},
        {"exp": 1_700_000_000},
        {"exp": None},
        {"iat": 4_000_000_000},
        {"iat": None},
        {"sub": ""},
        {"sub": True},
        {"sub": None},
        {"at_hash": "AAAA"},
    ],
)
async def test_an_id_token_that_is_not_ours_or_not_of_now_is_not_believed(
    service: Gosuslugi, client: Client, claims: dict[str, Any]
) -> None:
    service.claims = claims
    with pytest.raises(NotAnswered):
        await finished(client)


async def test_an_id_token_that_others_signed_is_not_believed(
    service: Gosuslugi, client: Client
) -> None:
    service.signing = RSAKey.generate_key(2048)
    with pytest.raises(NotAnswered):
        await finished(client)


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
async def test_an_id_token_that_anybody_could_make_is_not_believed(
    service: Gosuslugi, client: Client, algorithm: str
) -> None:
    now = int(utc_now().timestamp())
    claims = {"iss": service.settings.issuer, "aud": "CABINET", "sub": ANNA}
    parts = ({"alg": algorithm}, {**claims, "iat": now, "exp": now + 60})
    token = ".".join(_encoded(json.dumps(part).encode()) for part in parts)
    # The public key as a secret, which everybody has.
    key = service.key.as_pem(private=False)
    signature = b"" if algorithm == "none" else hmac.digest(key, token.encode(), "sha256")

    async def answer(_request: Request) -> Response:
        made = f"{token}.{_encoded(signature)}"
        return JSONResponse({"access_token": f"access {ANNA}", "id_token": made})

    service.instead["te"] = answer
    with pytest.raises(NotAnswered, match="an ID token that is none"):
        await finished(client)


def _encoded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).decode().rstrip("=")


async def test_a_code_works_once_and_for_who_began(client: Client) -> None:
    back = await came_back(await client.begin(ASKED, utc_now()), ANNA)
    other = replace(ASKED, verifier="w" * 64)

    with pytest.raises(Refused):
        await client.finish(other, back["code"], utc_now())

    back = await came_back(await client.begin(ASKED, utc_now()), ANNA)
    assert await client.finish(ASKED, back["code"], utc_now())
    with pytest.raises(Refused):
        await client.finish(ASKED, back["code"], utc_now())


async def hangs(_request: Request) -> Response:
    await asyncio.sleep(30)
    return Response()


async def fails(_request: Request) -> Response:
    return JSONResponse({"error": "invalid_grant"}, 503)


async def is_garbage(_request: Request) -> Response:
    return PlainTextResponse("<html>Ведутся работы</html>")


async def is_deep(_request: Request) -> Response:
    return PlainTextResponse("[" * 60_000)


async def is_elsewhere(_request: Request) -> Response:
    return RedirectResponse("/moved/te", 307)


async def does_not_know_us(_request: Request) -> Response:
    return JSONResponse({"error": "invalid_client"}, 401)


async def is_empty(_request: Request) -> Response:
    return JSONResponse({})


async def is_busy(_request: Request) -> Response:
    return JSONResponse({"error": "invalid_grant"}, 429)


FAULTS = [
    hangs,
    fails,
    is_garbage,
    is_deep,
    is_elsewhere,
    is_empty,
    is_busy,
]


@pytest.mark.parametrize("fault", FAULTS)
async def test_an_outage_is_told_within_the_time_that_there_is(
    service: Gosuslugi, hasty: Client, fault: Any
) -> None:
    service.instead["te"] = fault
    began = time.monotonic()

    with pytest.raises(NotAnswered):
        await finished(hasty)

    assert time.monotonic() - began < 5


async def test_a_client_that_is_refused_is_so_until_one_is_taken(
    service: Gosuslugi, client: Client
) -> None:
    service.instead["te"] = does_not_know_us
    with pytest.raises(Misconfigured, match="invalid_client"):
        await finished(client)
    refused = client.is_refused
    service.instead = {}
    await finished(client)
    assert (refused, client.is_refused) == (True, False)


async def test_an_answer_that_is_too_long_is_not_read(service: Gosuslugi, client: Client) -> None:
    service.people[ANNA] = {**PERSON, "more": "x" * LARGEST}
    with pytest.raises(NotAnswered, match="bytes"):
        await finished(client)


async def test_a_person_that_is_no_number_is_not_asked_for(
    service: Gosuslugi, client: Client
) -> None:
    service.claims = {"sub": "../admins"}
    with pytest.raises(NotAnswered, match="no number"):
        await finished(client)


async def test_persons_that_come_slowly_take_no_longer_than_the_whole_may(
    service: Gosuslugi, hasty: Client
) -> None:
    async def slow(request: Request) -> Response:
        await asyncio.sleep(0.7)
        return await service.redeem(request)

    async def slow_too(request: Request) -> Response:
        await asyncio.sleep(0.7)
        return await service.person(request)

    service.instead = {"te": slow, "prns": slow_too}
    with pytest.raises(NotAnswered, match="not in time"):
        await finished(hasty)


async def test_where_nobody_listens_it_is_an_outage(service: Gosuslugi) -> None:
    client = open_esia(replace(service.settings, address="http://127.0.0.1:9"))
    with pytest.raises(NotAnswered):
        await client.finish(ASKED, "code", utc_now())
    await client.close()


async def test_nothing_secret_is_in_what_is_logged(service: Gosuslugi, client: Client) -> None:
    service.instead["te"] = does_not_know_us
    with pytest.raises(Misconfigured) as told:
        await client.finish(ASKED, "the-code", utc_now())
    assert "the-code" not in str(told.value) and ASKED.verifier not in str(told.value)
    assert "s3cret" not in repr(replace(service.settings, client_secret="s3cret"))


@pytest.mark.parametrize("make", [lambda: rsa.generate_private_key(65537, 2048), "ec"])
async def test_a_signature_covers_its_content(make: Any) -> None:
    key = ec.generate_private_key(ec.SECP256R1()) if make == "ec" else make()
    certificate = certificate_of(key)

    signature = await KeySigner(certificate, key).sign("область".encode())

    check_detached(signature, "область".encode(), certificate)
    with pytest.raises(AssertionError):
        check_detached(signature, "области".encode(), certificate)


async def test_a_program_may_sign_as_for_gost(tmp_path: Path) -> None:
    echo = "import sys; sys.stdout.buffer.write(b'signed ' + sys.stdin.buffer.read())"
    assert await ProgramSigner([sys.executable, "-c", echo]).sign(b"this") == b"signed this"
    for command in (
        [sys.executable, "-c", "raise SystemExit(3)"],
        [sys.executable, "-c", "pass"],
        [str(tmp_path / "missing")],
    ):
        with pytest.raises(NotAnswered):
            await ProgramSigner(command).sign(b"this")


async def test_a_program_that_hangs_is_ended_in_time(service: Gosuslugi, tmp_path: Path) -> None:
    noted = tmp_path / "pid"
    code = f"import os, time; open({str(noted)!r}, 'w').write(str(os.getpid())); time.sleep(60)"
    settings = replace(
        service.settings, key=None, sign_command=(sys.executable, "-c", code), seconds=0.5
    )
    client = open_esia(settings)
    with pytest.raises(NotAnswered, match="not in time"):
        await client.begin(ASKED, utc_now())
    await client.close()
    with pytest.raises(ProcessLookupError):
        os.kill(int(noted.read_text()), 0)


@pytest.mark.parametrize("name", ["key", "certificate", "provider_certificate", "authorities"])
async def test_a_file_that_cannot_be_used_is_named(
    service: Gosuslugi, tmp_path: Path, name: str
) -> None:
    for path in (tmp_path / "missing.pem", written(tmp_path / "wrong.pem", b"nothing of ours")):
        broken: Any = {name: path}
        with pytest.raises(EsiaMisconfigured, match=path.name):
            open_esia(replace(service.settings, **broken))


async def test_the_time_of_a_token_has_some_leeway(service: Gosuslugi, client: Client) -> None:
    now = utc_now()
    service.claims = {"iat": int((now + timedelta(seconds=20)).timestamp())}
    assert (await finished(client)).subject == ANNA

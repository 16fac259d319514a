"""Journey 8 against a real OpenID provider, npm's ``oidc-provider``: what the standard asks."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import RSAKey

from adapters.oidc import AWAY_SECONDS
from core.settings import EsiaSettings
from models.identity import ExternalIdentity
from models.notice import ServiceNotice
from server.watching import OUTAGE, Watching
from tests.api import serving
from tests.gosuslugi import BACK, came_back, keys, pem, written
from tests.journeys.hospital import Caller, Hospital, founded
from tests.live import free_port
from tests.node import line, program, running

SECRET = "s3cret: + / = %41"
PEOPLE = {
    "anna": {"snils": "112-233-445 95", "trusted": True, "given_name": "Анна"},
    "boris": {"snils": "087-654-303 00", "trusted": False},
}


@pytest.fixture
def node() -> str:
    """The program that runs the provider."""
    return program()


@asynccontextmanager
async def provider(node: str, issuer: str) -> AsyncIterator[None]:
    """The provider, which knows two clients: by a secret, and by a key."""
    client: dict[str, Any] = {"redirect_uris": [BACK]}
    public = RSAKey.import_key(keys()[1]).as_dict(private=False)
    clients = [
        {**client, "client_id": "by-secret", "client_secret": SECRET},
        {
            **client,
            "client_id": "by-key",
            "token_endpoint_auth_method": "private_key_jwt",
            "jwks": {"keys": [public]},
        },
    ]
    environment = {"ISSUER": issuer, "CLIENTS": json.dumps(clients), "PEOPLE": json.dumps(PEOPLE)}
    async with running(node, "esia.mjs", **environment) as process:
        await line(process)
        yield


@asynccontextmanager
async def hospital_of(
    database_url: str, home: Path, settings: EsiaSettings
) -> AsyncIterator[Hospital]:
    async with serving(database_url, home, esia=settings) as api:
        yield await founded(api)


@pytest.fixture
def settings() -> EsiaSettings:
    issuer = f"http://127.0.0.1:{free_port()}"
    return EsiaSettings(
        issuer=issuer,
        client_id="by-secret",
        redirect_uri=BACK,
        client_secret=SECRET,
    )


async def back(caller: Caller, who: str) -> dict[str, str]:
    begun = await caller.does("beginEsia", "address binding")
    return {"binding": begun["binding"], **await came_back(begun["address"], who)}


@pytest.mark.parametrize("client_id", ["by-secret", "by-key"])
async def test_a_worker_signs_in_with_a_real_provider(
    node: str, settings: EsiaSettings, database_url: str, tmp_path: Path, client_id: str
) -> None:
    if client_id == "by-key":
        key = written(tmp_path / "key.pem", pem(keys()[1]))
        settings = replace(settings, client_id=client_id, client_secret="", key=key)
    async with (
        provider(node, settings.issuer),
        hospital_of(database_url, tmp_path / "home", settings) as hospital,
    ):
        doctor = await hospital.doctor(snils="11223344595")
        visitor = hospital.visitor()
        given = await back(visitor, "anna")

        signed_in = await visitor.does("finishEsia", "viewer { activeRole }", **given)

        assert signed_in == {"viewer": {"activeRole": "DOCTOR"}}
        link = await ExternalIdentity.get()
        assert (link.account_id, link.subject) == (doctor.account_id, "anna")

        # The same code in another sign-in of the same browser, and somebody unconfirmed.
        replayed = {**await back(visitor, "anna"), "code": given["code"]}
        assert await visitor.refused("finishEsia", **replayed) == [("ESIA_REFUSED", "code")]
        unconfirmed = await back(visitor, "boris")
        assert await visitor.refused("finishEsia", **unconfirmed) == [("ESIA_NOT_TRUSTED", None)]
        # A code that was begun with another nonce and verifier.
        swapped = {**await back(visitor, "anna"), "code": (await back(visitor, "anna"))["code"]}
        assert await visitor.refused("finishEsia", **swapped) == [("ESIA_REFUSED", "code")]


async def test_a_provider_that_is_down_is_told_of_until_it_is_back(
    node: str, settings: EsiaSettings, database_url: str, tmp_path: Path
) -> None:
    unavailable = [("SERVICE_UNAVAILABLE", None)]
    async with hospital_of(database_url, tmp_path / "home", settings) as hospital:
        await hospital.doctor(snils="11223344595")
        visitor = hospital.visitor()
        assert await visitor.refused("beginEsia") == unavailable
        await asyncio.sleep(AWAY_SECONDS)
        async with provider(node, settings.issuer):
            given = await back(visitor, "anna")
        # It ends between the two steps, and what it knew of codes with it.
        assert await visitor.refused("finishEsia", **given) == unavailable
        notice = await ServiceNotice.get()
        async with provider(node, settings.issuer):
            await visitor.does("finishEsia", **await back(visitor, "anna"))
        await notice.refresh_from_db()
        assert notice.ended_at is not None


async def test_an_outage_is_noticed_where_people_leave_and_its_end_by_itself(
    node: str, settings: EsiaSettings, database_url: str, tmp_path: Path
) -> None:
    unavailable = [("SERVICE_UNAVAILABLE", None)]
    async with serving(database_url, tmp_path / "home", esia=settings) as api:
        visitor, watching = Caller(api), Watching(api.services)
        esia = api.services.esia
        assert esia is not None

        async def health() -> str:
            esia._look_at = 0.0  # as if some seconds had passed
            await watching.look()
            seen = await visitor.sees("{ serviceStatus { parts { part health } } }")
            (found,) = [o for o in seen["serviceStatus"]["parts"] if o["part"] == "ESIA"]
            return str(found["health"])

        async with provider(node, settings.issuer):
            await visitor.does("beginEsia", "address")
            well = await health()
        # Of this provider all is known that an address is made of, and nobody is there.
        esia._look_at = 0.0
        assert await visitor.refused("beginEsia") == unavailable
        away = [await health() for _ in range(OUTAGE)]
        assert await visitor.refused("beginEsia") == unavailable
        notice = await ServiceNotice.get()
        async with provider(node, settings.issuer):
            back = await health()
            await visitor.does("beginEsia", "address")

        assert (well, away, back) == ("OK", ["DOWN"] * OUTAGE, "OK")
        await notice.refresh_from_db()
        assert notice.ended_at is not None
        assert await ServiceNotice.all().count() == 1


@pytest.mark.any_database
async def test_a_provider_that_does_not_know_our_secret_is_as_good_as_down(
    node: str, settings: EsiaSettings, database_url: str, tmp_path: Path
) -> None:
    wrong = replace(settings, client_secret="another")
    async with (
        provider(node, settings.issuer),
        hospital_of(database_url, tmp_path / "home", wrong) as hospital,
    ):
        visitor = hospital.visitor()
        given = await back(visitor, "anna")
        unavailable = [("SERVICE_UNAVAILABLE", None)]
        assert await visitor.refused("finishEsia", **given) == unavailable


@pytest.mark.any_database
async def test_a_description_of_another_issuer_is_not_believed(
    node: str, settings: EsiaSettings, database_url: str, tmp_path: Path
) -> None:
    other = replace(settings, issuer=f"{settings.issuer}/")
    async with (
        provider(node, settings.issuer),
        hospital_of(database_url, tmp_path / "home", other) as hospital,
    ):
        assert await hospital.visitor().refused("beginEsia") == [("SERVICE_UNAVAILABLE", None)]

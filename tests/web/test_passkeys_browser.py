"""Passkeys in a headless Chromium that has an authenticator: what a browser really answers."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import CDPSession, Page, async_playwright

from core.settings import Passkeys
from models.factor import Passkey
from models.role import Role
from tests.api import serving
from tests.browsing import ARGUMENTS, needed
from tests.journeys.hospital import Caller, Hospital, founded, sign_in

EMAIL = "anna.petrova@example.org"
CREATE = """async (options) => {
    const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(JSON.parse(options));
    return JSON.stringify((await navigator.credentials.create({ publicKey })).toJSON());
}"""
GET = """async (options) => {
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(JSON.parse(options));
    return JSON.stringify((await navigator.credentials.get({ publicKey })).toJSON());
}"""

pytestmark = [pytest.mark.browser, pytest.mark.any_database]


@dataclass
class Browsing:
    """A page of the cabinet's origin, and the authenticator that its browser has."""

    page: Page
    devices: CDPSession
    hospital: Hospital
    authenticator: str = ""

    async def has_authenticator(self) -> None:
        """Gives the browser an authenticator that verifies its person."""
        options = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        made = await self.devices.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        self.authenticator = made["authenticatorId"]

    async def credentials(self) -> list[dict[str, Any]]:
        asked = {"authenticatorId": self.authenticator}
        found: list[dict[str, Any]] = (await self.devices.send("WebAuthn.getCredentials", asked))[
            "credentials"
        ]
        return found

    async def enters(self) -> Any:
        """What comes of signing in by whichever passkey the browser finds."""
        visitor = self.hospital.visitor()
        asked = await visitor.does("beginPasskeySignIn", "options")
        credential = await self.page.evaluate(GET, asked["options"])
        return await visitor.tries(
            "signInByPasskey", "accessToken viewer { activeRole }", credential=credential
        )


@pytest.fixture
async def origin() -> AsyncIterator[str]:
    """An empty page on this machine: passkeys hold for origins that are kept safe."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n\r\n"
            b"<!doctype html><title>page</title>"
        )
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    yield f"http://localhost:{server.sockets[0].getsockname()[1]}"
    server.close()


@pytest.fixture
async def browsing(database_url: str, tmp_path: Path, origin: str) -> AsyncIterator[Browsing]:
    program = shutil.which("chromium")
    needed(program, "there is no `chromium` on the PATH")
    async with (
        serving(database_url, tmp_path / "home", passkeys=Passkeys(origins=(origin,))) as api,
        async_playwright() as playwright,
    ):
        browser = await playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        page = await browser.new_page()
        await page.goto(origin)
        devices = await page.context.new_cdp_session(page)
        await devices.send("WebAuthn.enable")
        yield Browsing(page, devices, await founded(api))
        await browser.close()


async def added(browsing: Browsing) -> Caller:
    """Somebody who has added the passkey that the browser made."""
    person = await browsing.hospital.signing_in(Role.DOCTOR)
    await sign_in(person, EMAIL)
    asked = await person.does("beginPasskey", "options")
    credential = await browsing.page.evaluate(CREATE, asked["options"])
    await person.does("addPasskey", "passkey { id }", name="Браузер", credential=credential)
    return person


async def test_a_browser_s_passkey_signs_in_and_is_a_second_factor(browsing: Browsing) -> None:
    await browsing.has_authenticator()
    person = await added(browsing)

    entered = await browsing.enters()
    asked = await person.does("beginPasskeyConfirmation", "options")
    credential = await browsing.page.evaluate(GET, asked["options"])
    await person.does("confirmFactorByPasskey", "session { isCurrent }", credential=credential)

    assert entered["viewer"] == {"activeRole": "DOCTOR"}
    passkey = await Passkey.get()
    assert (passkey.transports, passkey.sign_count) == ("internal", 3)
    (kept,) = await browsing.credentials()
    assert (kept["isResidentCredential"], kept["rpId"]) == (True, "localhost")


async def test_a_copy_of_a_browser_s_passkey_is_refused(browsing: Browsing) -> None:
    await browsing.has_authenticator()
    await added(browsing)
    (copied,) = await browsing.credentials()
    await browsing.enters()
    await browsing.devices.send("WebAuthn.clearCredentials", _of(browsing))
    await browsing.devices.send("WebAuthn.addCredential", {**_of(browsing), "credential": copied})

    refused = await browsing.enters()

    assert [error["code"] for error in refused["errors"]] == ["PASSKEY_CLONED"]
    assert refused["accessToken"] is None


async def test_a_browser_makes_no_second_passkey_on_one_authenticator(browsing: Browsing) -> None:
    await browsing.has_authenticator()
    person = await added(browsing)

    asked = await person.does("beginPasskey", "options")
    with pytest.raises(Exception, match="InvalidStateError"):
        await browsing.page.evaluate(CREATE, asked["options"])


def _of(browsing: Browsing) -> dict[str, str]:
    return {"authenticatorId": browsing.authenticator}

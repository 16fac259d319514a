"""Cookies as a real browser keeps and sends them: to our own pages, and to pages of others."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pyotp
import pytest
from playwright.async_api import Browser, Page, async_playwright

from core.clock import utc_now
from models.account import Session
from models.role import Role
from resolvers.accounts import create_account
from tests import factories as make
from tests.auth.entrance import PASSWORD, visitor
from tests.browsing import ARGUMENTS, needed
from tests.live import ListeningApi

pytestmark = [pytest.mark.browser, pytest.mark.any_database]

LOGIN = "anna.petrova@example.org"
ASK = """async ([url, query, variables, headers]) => {
    try {
        const answer = await fetch(url + '/graphql', {
            method: 'POST',
            credentials: 'include',
            headers: { 'content-type': 'application/json', ...headers },
            body: JSON.stringify({ query, variables }),
        });
        return await answer.json();
    } catch (error) {
        return String(error);
    }
}"""
SOCKET = """(url) => new Promise((resolve) => {
    const socket = new WebSocket(url.replace('http', 'ws') + '/graphql', 'graphql-transport-ws');
    const send = (message) => socket.send(JSON.stringify(message));
    const payload = { query: '{ viewer { activeRole } }' };
    socket.onopen = () => send({ type: 'connection_init' });
    socket.onclose = ({ code, reason }) => resolve([code, reason]);
    socket.onmessage = ({ data }) => {
        const message = JSON.parse(data);
        if (message.type === 'connection_ack') send({ type: 'subscribe', id: '1', payload });
        if (message.type === 'next') resolve(message.payload);
    };
})"""
# What sites can send without asking first: a form, a picture, a script without CORS.
FORGED = """async ([url, query]) => {
    const body = JSON.stringify({ query, pad: '' }).replace('""', '"="');
    const sent = [];
    for (const enctype of ['text/plain', 'application/x-www-form-urlencoded']) {
        const frame = Object.assign(document.createElement('iframe'), { name: enctype });
        document.body.append(frame);
        const form = Object.assign(document.createElement('form'), {
            action: url + '/graphql', method: 'POST', enctype, target: enctype,
        });
        const [name, value] = body.split('=');
        form.append(Object.assign(document.createElement('input'), { name, value }));
        document.body.append(form);
        sent.push(new Promise((resolve) => { frame.onload = resolve; }));
        form.submit();
    }
    await Promise.all(sent);
    for (const type of ['text/plain', 'application/json'])
        await fetch(url + '/graphql', {
            method: 'POST',
            mode: 'no-cors',
            credentials: 'include',
            body: new Blob([body], { type }),
        }).catch(() => null);
    await fetch(url + '/graphql?query=' + encodeURIComponent(query), {
        mode: 'no-cors', credentials: 'include',
    }).catch(() => null);
}"""
WHO = "{ viewer { activeRole } }"
DOCTOR = {"data": {"viewer": {"activeRole": "DOCTOR"}}}
VISITOR = {"data": {"viewer": {"activeRole": "VISITOR"}}}
SIGN_OUT = "mutation { signOut { errors { code } } }"
SIGN_IN = """mutation($login: String!, $password: String!, $code: String!) {
    signIn(login: $login, password: $password, code: $code) {
        accessToken refreshToken errors { code } } }"""
BY_COOKIE = {"x-cabinet-session": "cookie"}


@pytest.fixture
async def chromium() -> AsyncIterator[Browser]:
    program = shutil.which("chromium")
    needed(program, "there is no `chromium` on the PATH")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield browser
        await browser.close()


@asynccontextmanager
async def another_site() -> AsyncIterator[int]:
    """A server of an empty page, by its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        body = b"<!doctype html><title>x</title>"
        head = "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nconnection: close\r\ncontent-length: "
        writer.write(f"{head}{len(body)}\r\n\r\n".encode() + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def page_of(browser: Browser, url: str) -> Page:
    """A page of the server's origin; its own policy lets no script of a test ask anything."""
    context = await browser.new_context(bypass_csp=True)
    page = await context.new_page()
    await page.goto(f"{url}/health")
    return page


async def asked(page: Page, url: str, query: str, headers: Any, **variables: str) -> Any:
    return await page.evaluate(ASK, [url, query, variables, headers])


async def signed_in(page: Page, url: str, api: ListeningApi) -> None:
    secret, organisation = pyotp.random_base32(), await make.organisation()
    account = await create_account(
        visitor(utc_now()),
        gate=api.services.gate,
        password=PASSWORD,
        totp_secret=secret,
        email=LOGIN,
        organisation_id=organisation.id,
    )
    await make.grant(account, Role.DOCTOR, organisation)
    given = {"login": LOGIN, "password": PASSWORD, "code": pyotp.TOTP(secret).now()}
    answer = await asked(page, url, SIGN_IN, BY_COOKIE, **given)
    assert answer == {"data": {"signIn": {"accessToken": None, "refreshToken": None, "errors": []}}}


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_page_of_ours_keeps_a_session_that_no_script_can_read(
    listening_api: ListeningApi, chromium: Browser, host: str
) -> None:
    url = listening_api.url.replace("127.0.0.1", host)
    page = await page_of(chromium, url)
    await signed_in(page, url, listening_api)

    assert await asked(page, url, WHO, BY_COOKIE) == DOCTOR
    assert await page.evaluate(SOCKET, url) == DOCTOR
    assert await page.evaluate("document.cookie") == ""
    kept = {cookie["name"]: cookie for cookie in await page.context.cookies()}
    assert set(kept) == {"__Host-cabinet", "__Host-cabinet-refresh", "__Host-cabinet-device"}
    assert all(
        (one["secure"], one["httpOnly"], one["sameSite"], one["path"])
        == (True, True, "Strict", "/")
        for one in kept.values()
    )
    # The session's end with the browser; by the device's it is known again.
    lasting = {name for name, one in kept.items() if one["expires"] != -1}
    assert lasting == {"__Host-cabinet-device"}
    assert await asked(page, url, SIGN_OUT, BY_COOKIE) == {"data": {"signOut": {"errors": []}}}
    assert {one["name"] for one in await page.context.cookies()} == lasting
    assert await asked(page, url, WHO, BY_COOKIE) == VISITOR


# Another port is another origin on the same site: cookies are sent, whatever SameSite says.
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_page_of_others_does_nothing_in_the_session(
    listening_api: ListeningApi, chromium: Browser, host: str
) -> None:
    url = listening_api.url
    page = await page_of(chromium, url)
    await signed_in(page, url, listening_api)
    async with another_site() as port:
        await page.goto(f"http://{host}:{port}/")
        assert "TypeError" in await asked(page, url, SIGN_OUT, BY_COOKIE)
        assert "TypeError" in await asked(page, url, SIGN_OUT, {})
        await page.evaluate(FORGED, [url, SIGN_OUT])
        assert await page.evaluate(SOCKET, url) == [4403, "CROSS_SITE"]
    assert (await Session.get()).ended_at is None
    await page.goto(f"{url}/health")
    assert await asked(page, url, WHO, BY_COOKIE) == DOCTOR


async def test_a_cookie_with_the_prefix_but_not_secure_is_not_kept(
    listening_api: ListeningApi, chromium: Browser
) -> None:
    page = await page_of(chromium, listening_api.url)
    await page.evaluate("document.cookie = '__Host-cabinet=planted; Path=/'")
    await page.evaluate("document.cookie = '__Host-cabinet=planted; Path=/graphql; Secure'")
    assert await page.context.cookies() == []
    await page.evaluate("document.cookie = '__Host-other=kept; Path=/; Secure'")
    assert [cookie["name"] for cookie in await page.context.cookies()] == ["__Host-other"]

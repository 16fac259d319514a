"""What another site makes a browser send, and what a token is worth the other way round."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.clock import utc_now
from models.account import RefreshToken, Session
from models.audit import AuditEntry
from models.role import Role
from server.cookies import ACCESS, REFRESH
from tests.api import Api, serving
from tests.auth.entrance import PASSWORD
from tests.browsers import Browser, browsing
from tests.journeys.hospital import founded
from tests.live import ListeningApi
from tests.server.people import somebody
from tests.server.test_protocol import CLOSE, answer, posted
from tests.sockets import connected

WHO = "{ viewer { activeRole } }"
DOCTOR = {"viewer": {"activeRole": "DOCTOR"}}
SIGN_OUT = "mutation { signOut { errors { code } } }"
REFRESHING = "mutation { refreshSession { accessToken refreshToken errors { code field } } }"
CONFIRMING = """mutation ($password: String!, $code: String!) {
    confirmFactor(password: $password, code: $code) { accessToken errors { code } } }"""
ELSEWHERE: list[dict[str, str]] = [
    {"origin": "https://evil.example", "sec_fetch_site": "cross-site"},
    {"origin": "http://test:81", "sec_fetch_site": "same-site"},
    {"origin": "http://test.evil.example", "sec_fetch_site": "same-origin"},
    {"origin": "null"},
    # An old browser tells only one of the two.
    {"sec_fetch_site": "cross-site"},
    {"sec_fetch_site": "same-site"},
    {"sec_fetch_site": "none"},
]


@pytest.fixture
async def browser(api: Api) -> Browser:
    """A doctor's, who is an administrator as well."""
    person = await somebody(Role.DOCTOR, Role.ADMIN)
    return (await browsing(api, person.account, Role.DOCTOR))[0]


async def is_open() -> bool:
    return (await Session.get()).ended_at is None


async def test_cookies_are_taken_from_our_own_pages(browser: Browser) -> None:
    assert (await browser.asks(WHO)).data == DOCTOR
    # A program that is no browser tells neither.
    told = {**browser.headers()}
    del told["origin"], told["sec-fetch-site"]
    response = await browser.api.client.post("/graphql", json={"query": WHO}, headers=told)
    assert response.json() == {"data": DOCTOR}


@pytest.mark.parametrize("elsewhere", ELSEWHERE, ids=str)
async def test_what_another_site_sends_is_refused(
    browser: Browser, elsewhere: dict[str, str]
) -> None:
    refused = await browser.asks(SIGN_OUT, {}, "cookie", **elsewhere)

    assert (refused.status, refused.codes) == (403, ["CROSS_SITE"])
    assert await is_open()


@pytest.mark.parametrize("session", [None, "", "cookies", "1", "COOKIE"])
async def test_cookies_without_the_header_are_refused(
    browser: Browser, session: str | None
) -> None:
    refused = await browser.asks(SIGN_OUT, session=session)

    assert (refused.status, refused.codes) == (403, ["CROSS_SITE"])
    assert await is_open()


@pytest.mark.parametrize(
    "media", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
)
async def test_what_a_form_can_send_is_refused_even_with_the_header(
    browser: Browser, media: str
) -> None:
    headers = {**browser.headers(), "content-type": media}
    body = b'{"query": "%s"}' % SIGN_OUT.encode()
    response = await browser.api.client.post("/graphql", content=body, headers=headers)

    assert response.status_code == 415
    assert await is_open()


async def test_by_get_cookies_read_and_change_nothing(browser: Browser) -> None:
    client, headers = browser.api.client, browser.headers()
    read = await client.get("/graphql", params={"query": WHO}, headers=headers)
    changing = await client.get("/graphql", params={"query": SIGN_OUT}, headers=headers)
    # As a link or a picture on another site would.
    del headers["x-cabinet-session"]
    linked = await client.get("/graphql", params={"query": WHO}, headers=headers)

    assert read.json() == {"data": DOCTOR}
    assert changing.status_code == 405
    assert linked.status_code == 403
    assert await is_open()


async def test_another_site_signs_nobody_in(api: Api) -> None:
    browser = Browser(api)
    document = 'mutation { signIn(login: "a", password: "b") { errors { code } } }'
    for session in ("cookie", "new-cookie"):
        refused = await browser.asks(
            document, session=session, origin="https://evil.example", sec_fetch_site="cross-site"
        )
        assert (refused.status, refused.codes) == (403, ["CROSS_SITE"])
    assert await AuditEntry.filter(action="SIGN_IN_FAILED").count() == 0


async def test_no_other_site_is_let_in_by_cors(api: Api) -> None:
    asked = {
        "origin": "https://evil.example",
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type,x-cabinet-session",
    }
    response = await api.client.options("/graphql", headers=asked)

    assert response.status_code == 405
    assert not [name for name in response.headers if name.startswith("access-control-")]


async def test_pages_of_a_named_origin_are_ours(database_url: str, tmp_path: Path) -> None:
    origins = ("http://localhost:5173",)
    async with serving(database_url, tmp_path / "home", origins=origins) as api:
        person = await somebody(Role.DOCTOR)
        browser, _ = await browsing(api, person.account, Role.DOCTOR)
        assert (await browser.asks(WHO, origin="http://localhost:5173")).data == DOCTOR
        assert (await browser.asks(WHO, origin="http://localhost:5174")).status == 403


async def test_a_cookie_is_no_bearer_token_and_the_other_way_round(
    api: Api, browser: Browser
) -> None:
    person = await somebody(Role.DOCTOR)
    bearer = await api.token(person.account, Role.DOCTOR)
    # Both are kept in the cache by now.
    assert (await browser.asks(WHO)).data == DOCTOR
    assert (await api.ask(WHO, bearer)).data == DOCTOR

    by_header = await api.ask(WHO, browser.kept[ACCESS])
    by_cookie = await Browser(api, {ACCESS: bearer}).asks(WHO)

    assert (by_header.status, by_header.codes) == (401, ["UNAUTHENTICATED"])
    assert (by_cookie.status, by_cookie.codes) == (401, ["UNAUTHENTICATED"])


async def test_a_bearer_token_wins_over_cookies(api: Api, browser: Browser) -> None:
    person = await somebody(Role.NURSE)
    token = await api.token(person.account, Role.NURSE)
    asked = await browser.asks(WHO, session=None, authorization=f"Bearer {token}")
    assert asked.data == {"viewer": {"activeRole": "NURSE"}}
    wrong = await browser.asks(WHO, authorization="Bearer x")
    assert wrong.status == 401


async def test_a_refresh_token_goes_only_the_way_it_came(api: Api, browser: Browser) -> None:
    document = """mutation($given: String) {
        refreshSession(refreshToken: $given) { accessToken errors { code field } } }"""
    refused = {
        "accessToken": None,
        "errors": [{"code": "REFRESH_INVALID", "field": "refreshToken"}],
    }
    stolen = browser.kept[REFRESH]
    assert (await api.ask(document, given=stolen)).data == {"refreshSession": refused}
    # Nor as the argument of a request by cookie.
    by_cookie = await browser.asks(document, {"given": stolen}, session="new-cookie")
    assert by_cookie.data == {"refreshSession": refused}

    person = await somebody(Role.DOCTOR)
    _, opened = await browsing(api, person.account, Role.DOCTOR)
    await Session.filter(id=opened.session.id).update(in_cookies=False)
    planted = Browser(api, {REFRESH: opened.refresh_token})
    assert (await planted.asks(document, session="new-cookie")).data == {"refreshSession": refused}
    # None of it has used a token up, or ended a session.
    assert await RefreshToken.filter(used_at__isnull=False).count() == 0
    assert await Session.filter(ended_at__isnull=False).count() == 0


async def test_an_access_cookie_renews_nothing_and_a_refresh_cookie_reads_nothing(
    api: Api, browser: Browser
) -> None:
    access, refresh = browser.kept[ACCESS], browser.kept[REFRESH]
    swapped = Browser(api, {ACCESS: refresh, REFRESH: access})
    assert (await swapped.asks(WHO)).status == 401
    renewed = await swapped.asks(REFRESHING, session="new-cookie")
    assert renewed.data["refreshSession"]["errors"] == [
        {"code": "REFRESH_INVALID", "field": "refreshToken"}
    ]


async def test_pages_that_renew_at_once_end_nothing(api: Api, browser: Browser) -> None:
    pages = [Browser(api, dict(browser.kept)) for _ in range(50)]

    answers = await asyncio.gather(*(page.asks(REFRESHING, session="new-cookie") for page in pages))

    told = [answer.data["refreshSession"] for answer in answers]
    codes = [problem["code"] for one in told for problem in one["errors"]]
    assert codes == ["REFRESH_RACED"] * 49
    assert all(one["accessToken"] is one["refreshToken"] is None for one in told)
    (winner,) = [page for page in pages if page.kept != browser.kept]
    assert (await winner.asks(WHO)).data == DOCTOR
    assert await is_open()


async def test_a_refresh_cookie_that_comes_back_later_was_stolen(
    api: Api, browser: Browser
) -> None:
    stolen = Browser(api, dict(browser.kept))
    await browser.asks(REFRESHING, session="new-cookie")
    await RefreshToken.filter(used_at__isnull=False).update(
        used_at=utc_now() - timedelta(seconds=11)
    )

    answer = await stolen.asks(REFRESHING, session="new-cookie")

    assert answer.data["refreshSession"]["errors"] == [
        {"code": "REFRESH_INVALID", "field": "refreshToken"}
    ]
    assert (await browser.asks(WHO)).codes == ["SESSION_EXPIRED"]
    assert (await AuditEntry.get(action="SESSION_ENDED")).details == {
        "reason": "REFRESH_TOKEN_REUSED"
    }


# Websockets: a browser sends no header of ours, and cookies to whichever page asks.


@pytest.fixture
async def sockets(listening_api: ListeningApi) -> AsyncIterator[tuple[ListeningApi, Browser]]:
    person = await somebody(Role.DOCTOR)
    yield listening_api, (await browsing(listening_api, person.account, Role.DOCTOR))[0]


def handshake(browser: Browser, origin: str | None) -> dict[str, Any]:
    headers = {"cookie": browser.headers()["cookie"]}
    return {"additional_headers": headers, "origin": origin}


async def test_a_socket_of_our_page_is_the_browser_s_session(listening_api: ListeningApi) -> None:
    api, hospital = listening_api, await founded(listening_api)
    person = await hospital.signing_in(Role.DOCTOR)
    assert person.account is not None
    browser, _ = await browsing(api, person.account, Role.DOCTOR)
    async with connected(api.socket_url, **handshake(browser, api.url)) as socket:
        await socket.init()
        await socket.subscribe("1", WHO)
        assert (await socket.message())["payload"] == {"data": DOCTOR}
        assert (await socket.message())["type"] == "complete"
        # New tokens could not be kept: a session is not renewed on a socket.
        await socket.subscribe("2", REFRESHING)
        payload = (await socket.message())["payload"]["data"]["refreshSession"]
        assert payload["errors"] == [{"code": "REFRESH_INVALID", "field": "refreshToken"}]
        await socket.message()
        # Nor is a factor shown there, which would void the browser's cookies.
        await socket.subscribe("3", CONFIRMING, password=PASSWORD, code=person.code())
        payload = (await socket.message())["payload"]["data"]["confirmFactor"]
        assert payload["errors"] == [{"code": "COOKIES_OUT_OF_REACH"}]
        await socket.message()
        assert (await browser.asks(SIGN_OUT)).data == {"signOut": {"errors": []}}
        assert await socket.closed() == (4401, "SESSION_EXPIRED")


@pytest.mark.parametrize("origin", ["https://evil.example", "null", None])
async def test_a_socket_of_another_site_is_nobody_s(
    sockets: tuple[ListeningApi, Browser], origin: str | None
) -> None:
    api, browser = sockets
    async with connected(api.socket_url, **handshake(browser, origin)) as socket:
        await socket.send(type="connection_init")
        assert await socket.closed() == (4403, "CROSS_SITE")


async def test_a_page_from_elsewhere_has_nobody_guess_on_a_socket(
    listening_api: ListeningApi,
) -> None:
    """By HTTP its browser asks first, and is told no; a socket it opens from anywhere."""
    async with connected(listening_api.socket_url, origin="https://evil.example") as socket:
        await socket.send(type="connection_init")
        assert await socket.closed() == (4403, "CROSS_SITE")
    for origin in (listening_api.url, None):
        async with connected(listening_api.socket_url, origin=origin) as socket:
            await socket.init()


async def test_on_a_socket_too_a_cookie_is_no_bearer_token(
    sockets: tuple[ListeningApi, Browser],
) -> None:
    api, browser = sockets
    async with connected(api.socket_url) as socket:
        payload = {"authorization": f"Bearer {browser.kept[ACCESS]}"}
        await socket.send(type="connection_init", payload=payload)
        assert await socket.closed() == (4401, "UNAUTHENTICATED")
    person = await somebody(Role.NURSE)
    token = await api.token(person.account, Role.NURSE)
    async with connected(api.socket_url, **handshake(browser, "https://evil.example")) as socket:
        # A token of one's own needs no cookie, wherever the page is from.
        await socket.init(token)
        await socket.subscribe("1", WHO)
        assert (await socket.message())["payload"]["data"]["viewer"]["activeRole"] == "NURSE"


@pytest.mark.parametrize("at_once", [True, False])
async def test_cookies_are_set_whichever_way_an_operation_takes(
    listening_api: ListeningApi, at_once: bool
) -> None:
    person = await somebody(Role.DOCTOR, Role.ADMIN)
    browser, _ = await browsing(listening_api, person.account, Role.DOCTOR)
    lines = [b"cookie: %b" % browser.headers()["cookie"].encode(), b"x-cabinet-session: cookie"]
    switching = b'{"query": "mutation { switchRole(role: ADMIN) { accessToken } }"}'
    whole = posted(switching, *lines, CLOSE)
    port = httpx.URL(listening_api.url).port or 0

    told = await answer(port, *([whole] if at_once else [whole[:-1], whole[-1:]]))

    head, _, body = told.partition(b"\r\n\r\n")
    (line,) = [one for one in head.split(b"\r\n") if one.lower().startswith(b"set-cookie: ")]
    token, _, attributes = line.partition(b": ")[2].removeprefix(b"__Host-cabinet=").partition(b";")
    assert attributes == b" Path=/; Secure; HttpOnly; SameSite=Strict"
    assert token.decode() != browser.kept[ACCESS]
    assert token.count(b".") == 2
    assert body == b'{"data":{"switchRole":{"accessToken":null}}}'

"""What the endpoint says to requests of every kind, well and badly made."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from core.clock import utc_now
from core.settings import Limits
from execution.engine import Engine
from models.account import Session
from models.role import Role
from resolvers.sessions import access_token
from server.requests import accepted
from tests.api import Api, serving
from tests.live import ListeningApi
from tests.server.people import somebody
from tests.sockets import connected

pytestmark = pytest.mark.any_database

JSON = {"content-type": "application/json"}


@pytest.fixture
def api(listening_api: ListeningApi) -> ListeningApi:
    """The application through a real port: what our protocol does is part of the answer."""
    return listening_api


SMALL = b'{"query": "{ __typename }"}'


async def send(
    api: Api, body: bytes, headers: dict[str, str] | None = None
) -> tuple[int, list[str]]:
    """The status and the codes that raw bytes are answered with."""
    response = await api.client.post("/graphql", content=body, headers=headers or JSON)
    return response.status_code, [e["extensions"]["code"] for e in response.json()["errors"]]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b'"query"',
        b"7",
        b"[]",
        b'[{"query": "{ __typename }"}]',
        b"{",
        b"\xef\xbb\xbf" + SMALL,
        SMALL.decode().encode("utf-16"),
        b'{"query": "\xff"}',
        b'{"query": "\xed\xa0\x80"}',
        b'{"query": "{ __typename } # \\ud800"}',
        b'{"query": "{ __typename } # \\u0000"}',
        b'{"query": "{ __typename } # \x00"}',
        b'{"query": "{ __typename }", "variables": {"\\udfff": 1}}',
        b'{"query": "{ __typename }", "variables": {"x": NaN}}',
        b'{"query": "{ __typename }", "variables": {"x": -Infinity}}',
        b'{"query": "{ __typename }", "variables": {"x": ' + b"9" * 5_000 + b"}}",
        b'{"query": "{ __typename }", "query": "{ viewer }"}',
        b'{"query": "{ __typename }", "variables": '
        + b'{"a":' * 5_000
        + b"1"
        + b"}" * 5_000
        + b"}",
        b"[" * 100_000,
    ],
    ids=lambda body: repr(body[:24]),
)
async def test_body_that_is_no_strict_json_object_is_refused(api: Api, body: bytes) -> None:
    assert await send(api, body) == (400, ["BODY_INVALID"])


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{}", "QUERY_MISSING"),
        (b'{"query": null}', "QUERY_MISSING"),
        (b'{"query": ""}', "QUERY_MISSING"),
        (b'{"query": {"a": 1}}', "QUERY_MISSING"),
        (b'{"query": "{ __typename }", "variables": []}', "VARIABLES_INVALID"),
        (b'{"query": "{ __typename }", "variables": "{}"}', "VARIABLES_INVALID"),
        (b'{"query": "{ __typename }", "operationName": 1}', "OPERATION_NAME_INVALID"),
        (b'{"query": "{ __typename }", "extensions": "x"}', "EXTENSIONS_INVALID"),
    ],
)
async def test_member_of_the_wrong_kind_is_named(api: Api, body: bytes, code: str) -> None:
    assert await send(api, body) == (400, [code])


@pytest.mark.parametrize(
    ("value", "place"),
    [
        (b'"a\\u0000"', "v"),
        (b'{"and": [{}, {"lastName": {"eq": "\\ud800"}}]}', "v.and[1].lastName.eq"),
        (b'{"\\u0000": 1}', "v"),
    ],
)
async def test_text_that_cannot_be_kept_is_told_by_its_place(
    api: Api, value: bytes, place: str
) -> None:
    body = b'{"query": "query($v: String) { __typename }", "variables": {"v": %s}}' % value
    headers = {"content-type": "application/json", "accept-language": "en"}
    answer = (await api.client.post("/graphql", content=body, headers=headers)).json()
    assert answer == {
        "errors": [
            {
                "message": "The text holds a character that cannot be kept:"
                " U+0000 or half of a surrogate pair.",
                "extensions": {"code": "BAD_USER_INPUT", "field": place},
            }
        ]
    }


@pytest.mark.parametrize("number", [b"9" * 30, b"1e400"])
async def test_number_too_large_for_its_type_is_told_by_its_place(api: Api, number: bytes) -> None:
    query = b"query($n: Int) { dictionaryEntries(first: $n) { totalCount } }"
    body = b'{"query": "%s", "variables": {"n": %s}}' % (query, number)
    headers = {"content-type": "application/json"}
    answer = (await api.client.post("/graphql", content=body, headers=headers)).json()
    (error,) = answer["errors"]
    assert error["extensions"] == {"code": "BAD_USER_INPUT", "field": "first"}


async def test_text_that_only_looks_like_an_escape_is_kept(api: Api) -> None:
    answer = await api.ask('query($s: String! = "a") { __typename }', s="\\u0000 \\ud800 😀")
    assert answer.codes == ["GRAPHQL_VALIDATION_FAILED"]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content-type": "text/plain"},
        {"content-type": "application/graphql"},
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": "multipart/form-data; boundary=x"},
        {"content-type": "application/json; charset=utf-16"},
        {"content-type": "application/jsonx"},
        {"content-type": "application/json", "content-encoding": "gzip"},
    ],
    ids=str,
)
async def test_other_media_types_are_refused(api: Api, headers: dict[str, str]) -> None:
    response = await api.client.request("POST", "/graphql", content=SMALL, headers=headers)
    codes = [error["extensions"]["code"] for error in response.json()["errors"]]
    assert (response.status_code, codes) == (415, ["MEDIA_TYPE"])


async def test_utf_8_may_be_named(api: Api) -> None:
    headers = {"content-type": 'Application/JSON; Charset="UTF-8"'}
    response = await api.client.post("/graphql", content=SMALL, headers=headers)
    assert response.json() == {"data": {"__typename": "Query"}}


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        ("*/*", "application/json"),
        ("application/*", "application/json"),
        ("application/json", "application/json"),
        ("application/graphql-response+json", "application/graphql-response+json"),
        ("text/html, application/json;q=0.9", "application/json"),
        (
            "application/json;q=0.5, application/graphql-response+json",
            "application/graphql-response+json",
        ),
        (
            "application/graphql-response+json; charset=utf-8, application/json",
            "application/graphql-response+json",
        ),
    ],
)
async def test_answer_comes_in_the_type_liked_best(accept: str, media: str) -> None:
    assert accepted(accept.encode()) == media


@pytest.mark.parametrize(
    "accept", ["text/html", "application/json;q=0", "application/json;q=x", "image/*"]
)
async def test_type_that_nobody_answers_in_is_406(api: Api, accept: str) -> None:
    assert await send(api, SMALL, {**JSON, "accept": accept}) == (406, ["NOT_ACCEPTABLE"])


async def test_refused_request_has_no_data_and_400_under_the_own_media_type(api: Api) -> None:
    own = {**JSON, "accept": "application/graphql-response+json"}
    response = await api.client.post("/graphql", content=b'{"query": "{ nothing }"}', headers=own)
    assert response.status_code == 400
    assert response.headers["content-type"] == "application/graphql-response+json; charset=utf-8"
    assert response.json() == {
        "errors": [
            {
                "message": "Cannot query field 'nothing' on type 'Query'.",
                "locations": [{"line": 1, "column": 3}],
                "extensions": {"code": "GRAPHQL_VALIDATION_FAILED"},
            }
        ]
    }


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "HEAD"])
async def test_other_methods_are_405(api: Api, method: str) -> None:
    response = await api.client.request(method, "/graphql")
    assert response.status_code == 405
    assert {m.strip() for m in response.headers["allow"].split(",")} >= {"GET", "POST"}
    if method != "HEAD":
        assert response.json()["errors"][0]["extensions"] == {"code": "METHOD_NOT_ALLOWED"}


async def test_get_runs_queries_and_nothing_else(api: Api) -> None:
    query = {"query": "query($s: Boolean!) { __typename @include(if: $s) }"}
    given = await api.client.get("/graphql", params={**query, "variables": '{"s": true}'})
    assert (given.status_code, given.json()) == (200, {"data": {"__typename": "Query"}})

    changing = {"query": 'mutation { signIn(login: "a", password: "b") { errors { code } } }'}
    refused = await api.client.get("/graphql", params=changing)
    assert refused.status_code == 405
    assert refused.headers["allow"] == "POST"
    assert [e["extensions"]["code"] for e in refused.json()["errors"]] == ["NEEDS_POST"]


@pytest.mark.parametrize(
    "variables", ["[", '{"a":' * 2_000, "9" * 5_000, '{"a": NaN}', '{"a": "\\ud800"}', "[" * 9_000]
)
async def test_variables_of_a_get_are_read_as_strictly(api: Api, variables: str) -> None:
    response = await api.client.get(
        "/graphql", params={"query": "{ __typename }", "variables": variables}
    )
    codes = [error["extensions"]["code"] for error in response.json()["errors"]]
    assert (response.status_code, codes) == (400, ["VARIABLES_INVALID"])


async def test_large_body_is_413_before_it_is_read(api: Api) -> None:
    begun = time.perf_counter()
    answered = await send(api, b'{"query": "{ ' + b"a " * 500_000 + b'}"}')
    assert answered == (413, ["TOO_LARGE"])
    assert time.perf_counter() - begun < 1


async def test_large_body_without_a_length_is_413(api: Api) -> None:
    async def parts() -> AsyncIterator[bytes]:
        for _ in range(64):
            yield b" " * 8_192

    response = await api.client.post("/graphql", content=parts(), headers=JSON)
    assert response.status_code == 413


async def test_body_that_does_not_come_is_given_up(database_url: str, tmp_path: Path) -> None:
    async def parts() -> AsyncIterator[bytes]:
        yield b"{"
        await asyncio.sleep(60)

    limits = Limits(operation_seconds=0.2)
    async with serving(database_url, tmp_path / "home", limits=limits) as api:
        response = await api.client.post("/graphql", content=parts(), headers=JSON)
    codes = [error["extensions"]["code"] for error in response.json()["errors"]]
    assert (response.status_code, codes) == (408, ["BODY_TIMEOUT"])


@pytest.mark.parametrize("token", ["x", "a.b.c", "x" * 5_000, "eyJhbGciOiJub25lIn0.e30."])
async def test_wrong_token_is_401_and_never_a_visitor(api: Api, token: str) -> None:
    response = await api.client.post(
        "/graphql", content=SMALL, headers={**JSON, "authorization": f"Bearer {token}"}
    )
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == 'Bearer error="invalid_token"'
    assert response.json()["errors"][0]["extensions"] == {"code": "UNAUTHENTICATED"}


@pytest.mark.parametrize("second", ["Bearer {}", "Bearer x", "Basic YTpi", ""])
async def test_two_tokens_are_nobody_s(listening_api: ListeningApi, second: str) -> None:
    person = await somebody(Role.DOCTOR)
    token = await listening_api.token(person.account, Role.DOCTOR)
    both = [f"Bearer {token}", second.format(token)]
    for told in (both, both[::-1]):
        headers = [*JSON.items(), *(("authorization", one) for one in told)]
        # Both the way past ASGI and the one through it, which a part of a body takes.
        for content in (SMALL, in_parts(SMALL)):
            response = await listening_api.client.post("/graphql", content=content, headers=headers)
            assert response.status_code == 401
        with pytest.raises(ConnectionClosed) as closed:
            async with connected(
                listening_api.socket_url, additional_headers=headers[1:]
            ) as socket:
                await socket.init()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 4401


async def in_parts(body: bytes) -> AsyncIterator[bytes]:
    yield body[:1]
    yield body[1:]


@pytest.mark.parametrize("header", ["Basic YTpi", "Bearer", "token", "Bearer a b"])
async def test_other_schemes_are_401(api: Api, header: str) -> None:
    assert (await send(api, SMALL, {**JSON, "authorization": header}))[0] == 401


async def test_expired_token_is_401(api: Api) -> None:
    person = await somebody(Role.DOCTOR)
    await api.token(person.account, Role.DOCTOR)
    session = await Session.get(account_id=person.account.id)
    old = access_token(api.services.gate, session, utc_now() - timedelta(hours=1))
    answer = await api.ask("{ __typename }", old)
    assert (answer.status, answer.codes) == (401, ["UNAUTHENTICATED"])
    assert "www-authenticate" in answer.headers


async def test_ended_session_is_401_at_once(api: Api) -> None:
    person = await somebody(Role.DOCTOR)
    token = await api.token(person.account, Role.DOCTOR)
    assert (await api.ask("mutation { signOut { errors { code } } }", token)).data == {
        "signOut": {"errors": []}
    }
    answer = await api.ask("{ __typename }", token)
    assert (answer.status, answer.codes) == (401, ["SESSION_EXPIRED"])


async def test_header_picks_another_held_role_for_one_request(api: Api) -> None:
    person = await somebody(Role.DOCTOR, Role.ADMIN)
    token = await api.token(person.account, Role.DOCTOR)
    asked = "{ viewer { activeRole } }"
    assert (await api.ask(asked, token, role=Role.ADMIN)).data["viewer"]["activeRole"] == "ADMIN"
    assert (await api.ask(asked, token)).data["viewer"]["activeRole"] == "DOCTOR"


async def test_role_not_held_and_unknown_one_answer_alike(api: Api) -> None:
    person = await somebody(Role.DOCTOR)
    token = await api.token(person.account, Role.DOCTOR)
    bodies = []
    for role in ("INSPECTOR", "EMPEROR", "", "doctor"):
        headers = {**JSON, "authorization": f"Bearer {token}", "x-cabinet-role": role}
        response = await api.client.post("/graphql", content=SMALL, headers=headers)
        bodies.append((response.status_code, response.text))
    assert len(set(bodies)) == 1
    assert bodies[0][0] == 403
    assert '"code":"ROLE_NOT_HELD"' in bodies[0][1]


async def test_denied_field_is_unknown_but_for_the_roles_held(api: Api) -> None:
    asked = "{ me { licences { totalCount } } }"
    unknown = "Cannot query field 'me' on type 'Query'."
    stranger = await api.ask(asked)
    assert stranger.body["errors"][0]["message"] == unknown
    assert stranger.body["errors"][0]["extensions"] == {"code": "GRAPHQL_VALIDATION_FAILED"}

    plain, both = await somebody(Role.DOCTOR), await somebody(Role.DOCTOR, Role.ADMIN)
    text = "mutation { cancelShift(id: 1) { errors { code } } }"
    never = "mutation { cancelShifz(id: 1) { errors { code } } }"
    told = {}
    for name, person in (("plain", plain), ("both", both)):
        token = await api.token(person.account, Role.DOCTOR)
        (told[name],) = (await api.ask(text, token)).body["errors"]
    (unknown_error,) = (await api.ask(never, token)).body["errors"]
    assert told["plain"]["message"] == "Cannot query field 'cancelShift' on type 'Mutation'."
    assert told["plain"] == {
        **unknown_error,
        "message": unknown_error["message"].replace("cancelShifz", "cancelShift"),
    }
    assert told["both"]["message"] == told["plain"]["message"]
    assert told["both"]["extensions"] == {
        "code": "GRAPHQL_VALIDATION_FAILED",
        "availableIn": ["ADMIN"],
    }


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/graphql"),
        ("GET", "/graphql?query={__typename}"),
        ("DELETE", "/graphql"),
        ("GET", "/"),
        ("GET", "/health"),
        ("GET", "/graphiql"),
        ("GET", "/nothing"),
        ("GET", "/graphiql/assets/../../pyproject.toml"),
        ("GET", "/graphiql/assets/%2e%2e/%2e%2e/pyproject.toml"),
    ],
)
async def test_every_response_carries_the_security_headers(
    api: Api, method: str, path: str
) -> None:
    response = await api.client.request(method, path)
    assert response.headers["x-content-type-options"] == "nosniff"
    assert response.headers["referrer-policy"] == "no-referrer"
    assert response.headers["x-frame-options"] == "DENY"
    assert "default-src 'none'" in response.headers["content-security-policy"]
    assert response.headers["cache-control"] == "no-store"
    assert "server" not in response.headers
    assert "[project]" not in response.text


class Broken:
    """A part of the server that fails in the way that tells most."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(f"SELECT secret FROM /etc/passwd -- {name}")


def broken() -> Any:
    return Broken()


SIGN_IN = 'mutation { signIn(login: "a@b.example", password: "p") { errors { code } } }'


async def test_bug_in_a_resolver_answers_its_incident_and_is_logged_once(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    api.app.state.services = replace(api.services, gate=broken())
    answer = await api.ask(SIGN_IN)
    (error,) = answer.body["errors"]
    incident = error["extensions"]["incident"]
    assert answer.status == 200
    assert answer.body["data"] is None
    assert error == {
        "message": f"Internal error. Quote the number {incident} to support.",
        "path": ["signIn"],
        "extensions": {"code": "INTERNAL", "incident": incident},
    }
    logged = [r for r in caplog.records if r.levelno >= logging.WARNING]
    assert [r.getMessage() for r in logged] == [f"incident {incident}"]
    assert "SELECT secret" in caplog.text


async def test_bug_beside_the_resolvers_answers_its_incident(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    services = api.services
    api.app.state.services = replace(services, sessions=broken())
    before = await api.ask("{ __typename }")
    api.app.state.services = replace(services, engine=Engine(broken(), Limits()))
    inside = await api.ask("{ __typename }")
    assert (before.status, before.codes) == (500, ["INTERNAL"])
    assert (inside.status, inside.codes) == (200, ["INTERNAL"])
    assert "secret" not in str(before.body) + str(inside.body)


async def test_operation_that_takes_too_long_is_given_up(database_url: str, tmp_path: Path) -> None:
    class Slow:
        """Passwords that are never checked."""

        cancelled = 0

        async def verify(self, *_: Any) -> bool:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                Slow.cancelled += 1
                raise
            return False

        def __getattr__(self, _name: str) -> Any:
            return self.verify

    limits = Limits(operation_seconds=0.2)
    async with serving(database_url, tmp_path / "home", limits=limits) as api:
        gate = replace(api.services.gate, passwords=Slow())  # type: ignore[arg-type]
        api.app.state.services = replace(api.services, gate=gate)
        begun = time.perf_counter()
        answer = await api.ask(SIGN_IN)
        assert time.perf_counter() - begun < 2
        assert answer.body == {
            "data": None,
            "errors": [
                {"message": "The operation took too long.", "extensions": {"code": "TIMEOUT"}}
            ],
        }
        assert Slow.cancelled == 1
        # What it held is free again: others read and write.
        person = await somebody(Role.DOCTOR)
        token = await api.token(person.account, Role.DOCTOR)
        assert (await api.ask("{ viewer { activeRole } }", token)).codes == []

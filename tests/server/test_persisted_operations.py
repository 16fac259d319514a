"""Operations by their hash: automatic persisted queries, over HTTP and websocket, in every role."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from execution.persisted import hash_of
from models.role import Role
from tests import factories as make
from tests.api import Api
from tests.live import ListeningApi
from tests.server.people import somebody
from tests.server.test_websocket import changed, plan, switch
from tests.sockets import Socket, connected

pytestmark = pytest.mark.any_database

TEXT = "{ viewer { activeRole } }"
HASH = hash_of(TEXT)
NOT_FOUND = {
    "errors": [
        {
            "message": "PersistedQueryNotFound",
            "extensions": {"code": "PERSISTED_QUERY_NOT_FOUND"},
        }
    ]
}
NOT_SUPPORTED = {
    "errors": [
        {
            "message": "PersistedQueryNotSupported",
            "extensions": {"code": "PERSISTED_QUERY_NOT_SUPPORTED"},
        }
    ]
}
VISITOR = {"data": {"viewer": {"activeRole": "VISITOR"}}}


def named(text: str, **more: Any) -> dict[str, Any]:
    """What Apollo's clients send instead of a text."""
    return {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": hash_of(text)}}, **more}


async def post(
    api: Api, content: dict[str, Any], token: str | None = None, **headers: str
) -> httpx.Response:
    headers = {"accept-language": "en", **headers}
    if token is not None:
        headers["authorization"] = f"Bearer {token}"
    return await api.client.post("/graphql", json=content, headers=headers)


async def get(api: Api, content: dict[str, Any]) -> httpx.Response:
    extensions = json.dumps(content["extensions"])
    return await api.client.get("/graphql", params={**content, "extensions": extensions})


async def told(api: Api, content: dict[str, Any], token: str | None = None) -> list[Any]:
    """The extensions of the errors that a request is answered with."""
    body = (await post(api, content, token)).json()
    return [error["extensions"] for error in body["errors"]]


async def test_hash_is_not_found_then_sent_with_its_text_then_known(api: Api) -> None:
    missed = await post(api, named(TEXT))
    assert (missed.status_code, missed.json()) == (200, NOT_FOUND)
    kept = await post(api, named(TEXT, query=TEXT))
    assert (kept.status_code, kept.json()) == (200, VISITOR)
    for absent in ({}, {"query": None}, {"query": ""}):
        found = await post(api, named(TEXT, **absent))
        assert (found.status_code, found.content) == (200, kept.content)


async def test_protocol_s_words_are_the_same_in_every_language_and_400_by_the_own_media_type(
    api: Api,
) -> None:
    for language in ("ru", "en"):
        own = {"accept": "application/graphql-response+json", "accept-language": language}
        response = await api.client.post("/graphql", json=named(TEXT), headers=own)
        assert (response.status_code, response.json()) == (400, NOT_FOUND)


async def test_text_that_came_without_its_hash_is_not_known_by_it(api: Api) -> None:
    assert (await api.ask(TEXT)).codes == []
    assert (await post(api, named(TEXT))).json() == NOT_FOUND


async def test_hash_goes_by_get_and_no_answer_is_stored(api: Api) -> None:
    assert (await get(api, named(TEXT))).json() == NOT_FOUND
    assert (await get(api, named(TEXT, query=TEXT))).json() == VISITOR
    found = await get(api, named(TEXT))
    assert (found.status_code, found.json()) == (200, VISITOR)
    assert found.headers["cache-control"] == "no-store"


async def test_mutation_by_hash_is_refused_by_get_as_its_text_is(api: Api) -> None:
    text = 'mutation { signIn(login: "a", password: "b") { errors { code } } }'
    by_text = await get(api, named(text, query=text))
    assert (await post(api, named(text))).status_code == 200
    by_hash = await get(api, named(text))
    assert (by_hash.status_code, by_hash.headers["allow"]) == (405, "POST")
    assert by_hash.content == by_text.content
    assert [e["extensions"]["code"] for e in by_hash.json()["errors"]] == ["NEEDS_POST"]


async def test_document_id_of_the_draft_is_the_same_name(api: Api) -> None:
    document_id = f"sha256:{hash_of(TEXT)}"
    assert (await post(api, {"documentId": document_id})).json() == NOT_FOUND
    assert (await post(api, {"documentId": document_id, "query": TEXT})).json() == VISITOR
    assert (await post(api, {"documentId": document_id})).json() == VISITOR
    assert (await post(api, named(TEXT))).json() == VISITOR
    by_get = await api.client.get("/graphql", params={"documentId": document_id})
    assert by_get.json() == VISITOR


async def test_hash_may_have_the_prefix_that_code_generators_give_it(api: Api) -> None:
    extension = {"version": 1, "sha256Hash": f"sha256:{HASH}"}
    assert (await post(api, named(TEXT, query=TEXT))).json() == VISITOR
    assert (await post(api, {"extensions": {"persistedQuery": extension}})).json() == VISITOR


async def test_variables_and_the_operation_s_name_go_with_a_hash(api: Api) -> None:
    text = "query A($s: Boolean!) { __typename @include(if: $s) } query B { b: __typename }"
    sent = named(text, query=text, operationName="B")
    assert (await post(api, sent)).json() == {"data": {"b": "Query"}}
    given = named(text, operationName="A", variables={"s": True})
    assert (await post(api, given)).json() == {"data": {"__typename": "Query"}}
    assert await told(api, named(text)) == [{"code": "OPERATION_UNKNOWN"}]


@pytest.mark.parametrize("version", [None, 0, 2, "1", True, 1.5, [1], {}])
async def test_other_versions_are_not_supported(api: Api, version: Any) -> None:
    extension = {"version": version, "sha256Hash": hash_of(TEXT)}
    content = {"query": TEXT, "extensions": {"persistedQuery": extension}}
    response = await post(api, content)
    assert (response.status_code, response.json()) == (200, NOT_SUPPORTED)
    # A client that is told so sends the text alone.
    assert (await post(api, {"query": TEXT, "extensions": {}})).json() == VISITOR


@pytest.mark.parametrize(
    "hash_",
    [
        None,
        "",
        7,
        True,
        [HASH],
        {"hash": HASH},
        HASH.upper(),
        HASH[:-1],
        HASH + "0",
        f" {HASH}",
        f"{HASH}\n",
        f"sha256:{HASH[:-1]}",
        f"sha1:{HASH}",
        f"sha256:sha256:{HASH}",
        "g" * 64,
        "٠" * 64,
        "0" * 100_000,
    ],
    ids=lambda hash_: repr(hash_)[:24],
)
@pytest.mark.parametrize("query", [{}, {"query": TEXT}], ids=["alone", "with the text"])
async def test_malformed_hash_is_named(api: Api, hash_: Any, query: dict[str, Any]) -> None:
    extension = {"version": 1, "sha256Hash": hash_}
    assert await told(api, {**query, "extensions": {"persistedQuery": extension}}) == [
        {"code": "PERSISTED_QUERY_INVALID", "field": "extensions.persistedQuery.sha256Hash"}
    ]


@pytest.mark.parametrize("extension", ["", "x", 7, False, [], [1], "0" * 64])
async def test_extension_of_another_kind_is_named(api: Api, extension: Any) -> None:
    content = {"query": TEXT, "extensions": {"persistedQuery": extension}}
    assert await told(api, content) == [
        {"code": "PERSISTED_QUERY_INVALID", "field": "extensions.persistedQuery"}
    ]


@pytest.mark.parametrize(
    "document_id",
    ["", HASH, f"md5:{HASH[:32]}", f"sha256:{HASH.upper()}", "sha256:", f"x-own:{HASH}", 7, [], {}],
    ids=lambda document_id: repr(document_id)[:24],
)
async def test_document_id_that_is_no_hash_is_named(api: Api, document_id: Any) -> None:
    assert await told(api, {"documentId": document_id, "query": TEXT}) == [
        {"code": "PERSISTED_QUERY_INVALID", "field": "documentId"}
    ]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ({"extensions": {}}, "QUERY_MISSING"),
        ({"extensions": {"persistedQuery": None}}, "QUERY_MISSING"),
        ({"documentId": None}, "QUERY_MISSING"),
        ({**named(TEXT), "query": 7}, "QUERY_MISSING"),
        ({**named(TEXT), "variables": []}, "VARIABLES_INVALID"),
        ({"documentId": f"sha256:{HASH}", "extensions": []}, "EXTENSIONS_INVALID"),
    ],
)
async def test_body_that_names_nothing_or_wrongly_is_malformed_as_ever(
    api: Api, content: dict[str, Any], code: str
) -> None:
    response = await post(api, content)
    codes = [error["extensions"]["code"] for error in response.json()["errors"]]
    assert (response.status_code, codes) == (400, [code])


async def test_hash_of_another_text_is_refused_and_nothing_is_kept(api: Api) -> None:
    other = "{ __typename }"
    assert await told(api, named(TEXT, query=other)) == [
        {"code": "PERSISTED_QUERY_MISMATCH", "field": "extensions.persistedQuery.sha256Hash"}
    ]
    assert await told(api, {"documentId": f"sha256:{HASH}", "query": other}) == [
        {"code": "PERSISTED_QUERY_MISMATCH", "field": "documentId"}
    ]
    assert await told(api, {**named(TEXT), "documentId": f"sha256:{hash_of(other)}"}) == [
        {"code": "PERSISTED_QUERY_MISMATCH", "field": "documentId"}
    ]
    for text in (TEXT, other):
        assert (await post(api, named(text))).json() == NOT_FOUND
    # Nor is a known hash a way to run something else.
    assert (await post(api, named(TEXT, query=TEXT))).json() == VISITOR
    assert await told(api, named(TEXT, query=other)) == [
        {"code": "PERSISTED_QUERY_MISMATCH", "field": "extensions.persistedQuery.sha256Hash"}
    ]
    assert (await post(api, named(TEXT))).json() == VISITOR


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ " + "a { " * 20 + "b" + " }" * 21, "TOO_DEEP"),
        ("{ __typename } #" + "x" * 70_000, "DOCUMENT_TOO_LONG"),
        ("fragment A on Query { __typename }", "OPERATION_UNKNOWN"),
    ],
    ids=lambda value: value[:24],
)
async def test_text_that_is_refused_is_not_kept(api: Api, text: str, code: str) -> None:
    refused = await post(api, named(text, query=text))
    assert [e["extensions"]["code"] for e in refused.json()["errors"]] == [code]
    assert (await post(api, named(text))).json() == NOT_FOUND


# Roles.


async def test_one_hash_is_each_role_s_own_view(api: Api) -> None:
    text = "{ practitioners(first: 9) { nodes { snils } } }"
    person = await somebody(Role.DOCTOR, Role.ADMIN)
    await make.practitioner(person.department, snils="11223344595")
    token = await api.token(person.account, Role.DOCTOR)
    roles = (Role.DOCTOR, Role.ADMIN, Role.DOCTOR)
    by_text = [(await api.ask(text, token, role=role)).body for role in roles]
    for role in roles[:2]:
        await post(api, named(text, query=text), token, **{"x-cabinet-role": role.value})
    by_hash = [
        (await post(api, named(text), token, **{"x-cabinet-role": role.value})).json()
        for role in roles
    ]
    assert by_hash == by_text
    colleague = {"snils": "11223344595"}
    assert [colleague in body["data"]["practitioners"]["nodes"] for body in by_hash] == [
        False,
        True,
        False,
    ]


async def test_hash_after_a_switch_of_role_is_of_the_new_role(api: Api) -> None:
    person = await somebody(Role.DOCTOR, Role.ADMIN)
    token = await api.token(person.account, Role.DOCTOR)
    assert (await post(api, named(TEXT, query=TEXT), token)).json() == {
        "data": {"viewer": {"activeRole": "DOCTOR"}}
    }
    switching = "mutation { switchRole(role: ADMIN) { accessToken errors { code } } }"
    switched = (await api.ask(switching, token)).data["switchRole"]
    token = switched["accessToken"]
    assert (await post(api, named(TEXT), token)).json() == NOT_FOUND
    await post(api, named(TEXT, query=TEXT), token)
    assert (await post(api, named(TEXT), token)).json() == {
        "data": {"viewer": {"activeRole": "ADMIN"}}
    }


async def test_hash_does_not_tell_a_role_what_another_asks(api: Api) -> None:
    text = "{ practitioners(first: 1) { nodes { createdAt } } }"
    person = await somebody(Role.DOCTOR, Role.ADMIN)
    token = await api.token(person.account, Role.DOCTOR)
    asked = await post(api, named(text, query=text), token, **{"x-cabinet-role": "ADMIN"})
    assert "errors" not in asked.json()
    for caller in (token, None):
        assert (await post(api, named(text), caller)).json() == NOT_FOUND
    denied = {"code": "GRAPHQL_VALIDATION_FAILED", "availableIn": ["ADMIN"]}
    assert await told(api, named(text, query=text), token) == [denied]
    assert (await post(api, named(text), token)).json() == NOT_FOUND


# Sockets.


@pytest.fixture
async def socket(listening_api: ListeningApi) -> AsyncIterator[Socket]:
    async with connected(listening_api.socket_url) as opened:
        yield await opened.init()


async def answered(socket: Socket, content: dict[str, Any]) -> list[dict[str, Any]]:
    """The messages by which a socket answers one operation."""
    await socket.send(type="subscribe", id="1", payload=content)
    found = [await socket.message()]
    while found[-1]["type"] == "next":
        found.append(await socket.message())
    return found


async def test_socket_misses_takes_in_and_knows(socket: Socket) -> None:
    missed = {"id": "1", "type": "error", "payload": NOT_FOUND["errors"]}
    assert await answered(socket, named(TEXT)) == [missed]
    known = [{"id": "1", "type": "next", "payload": VISITOR}, {"id": "1", "type": "complete"}]
    assert await answered(socket, named(TEXT, query=TEXT)) == known
    assert await answered(socket, named(TEXT)) == known
    assert await answered(socket, {"documentId": f"sha256:{HASH}"}) == known


async def test_socket_stays_open_on_a_name_that_is_not_supported(socket: Socket) -> None:
    for extension, code in (
        ({"version": 2}, "PERSISTED_QUERY_NOT_SUPPORTED"),
        ({"version": 1, "sha256Hash": 7}, "PERSISTED_QUERY_INVALID"),
        ([], "PERSISTED_QUERY_INVALID"),
    ):
        content = {"query": TEXT, "extensions": {"persistedQuery": extension}}
        (message,) = await answered(socket, content)
        assert message["type"] == "error"
        assert [error["extensions"]["code"] for error in message["payload"]] == [code]


async def test_subscription_by_hash_goes_on_in_a_role_that_does_not_know_it(
    listening_api: ListeningApi,
) -> None:
    api, text = listening_api, "subscription { shiftChanged { id status } }"
    person = await somebody(Role.DOCTOR, Role.NURSE)
    head = await somebody(Role.ADMIN, beside=person)
    token = await api.token(person.account, Role.DOCTOR)
    async with connected(api.socket_url) as socket:
        await socket.init(token)
        await socket.send(type="subscribe", id="1", payload=named(text, query=text))
        await socket.ready()
        await socket.send(type="complete", id="1")
        await socket.send(type="subscribe", id="2", payload=named(text))
        await socket.ready()
        await switch(api, token, Role.NURSE)
        await asyncio.sleep(0.5)
        shift = await plan(api, await api.token(head.account, Role.ADMIN), person)
        assert await socket.message() == changed(shift, "PLANNED", "2")

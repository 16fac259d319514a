"""A list of trusted operations: what runs beside it, what does not, and which lists are none."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from core.settings import Settings
from execution.persisted import hash_of
from models.role import Role
from server.trusted_operations import ListInvalid, trusted_of
from tests.api import Api, serving
from tests.live import ROOT, listening
from tests.server.people import somebody
from tests.server.test_persisted_operations import NOT_SUPPORTED, answered, get, named, post, told
from tests.sockets import connected

pytestmark = pytest.mark.any_database

ROLE = "{ viewer { activeRole } }"
STAFF = "query Staff { practitioners(first: 1) { nodes { createdAt } } }"
SHIFTS = "subscription { shiftChanged { id status } }"
SIGN_IN = 'mutation { signIn(login: "a", password: "b") { errors { code } } }'
TRUSTED = (ROLE, STAFF, SHIFTS, SIGN_IN)
OTHER = "{ viewer { roles } }"
NOT_TRUSTED = {
    "message": "This server runs the operations of its list only, and this is none of them.",
    "extensions": {"code": "OPERATION_NOT_TRUSTED"},
}


def by_hashes(*texts: str) -> Any:
    return {hash_of(text): text for text in texts}


def prefixed(*texts: str) -> Any:
    return {f"sha256:{hash_of(text)}": text for text in texts}


def manifest(*texts: str) -> Any:
    operations = [
        {"id": hash_of(text), "name": f"Operation{number}", "type": "query", "body": text}
        for number, text in enumerate(texts)
    ]
    return {"format": "apollo-persisted-query-manifest", "version": 1, "operations": operations}


def written(directory: Path, content: Any) -> Path:
    path = directory / "operations.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


@pytest.fixture(params=[by_hashes, prefixed, manifest])
async def closed(
    request: pytest.FixtureRequest, database_url: str, tmp_path: Path
) -> AsyncIterator[Api]:
    """The application with a list of trusted operations, in each format."""
    path = written(tmp_path, request.param(*TRUSTED))
    async with serving(database_url, tmp_path / "home", trusted_operations=path) as api:
        yield api


async def test_listed_operation_runs_by_its_text_and_by_its_hash(closed: Api) -> None:
    expected = {"data": {"viewer": {"activeRole": "VISITOR"}}}
    for content in (
        {"query": ROLE},
        named(ROLE),
        named(ROLE, query=ROLE),
        {"documentId": f"sha256:{hash_of(ROLE)}"},
    ):
        assert (await post(closed, content)).json() == expected
    assert (await get(closed, named(ROLE))).json() == expected


@pytest.mark.parametrize(
    "content",
    [
        {"query": OTHER},
        named(OTHER),
        # It is not taken in either: the second time it is as unknown.
        named(OTHER, query=OTHER),
        named(OTHER),
        {"documentId": f"sha256:{hash_of(OTHER)}"},
        {"query": f"{ROLE} "},
        {"query": "{"},
        {"query": "{ __schema { types { name } } }"},
    ],
    ids=repr,
)
async def test_everything_else_is_refused_before_it_is_read(
    closed: Api, content: dict[str, Any]
) -> None:
    response = await post(closed, content)
    assert (response.status_code, response.json()) == (200, {"errors": [NOT_TRUSTED]})
    own = {"accept": "application/graphql-response+json"}
    assert (await post(closed, content, **own)).status_code == 400


async def test_get_runs_listed_queries_only(closed: Api) -> None:
    other = await get(closed, named(OTHER))
    assert [e["extensions"] for e in other.json()["errors"]] == [NOT_TRUSTED["extensions"]]
    mutation = await get(closed, named(SIGN_IN))
    assert (mutation.status_code, mutation.headers["allow"]) == (405, "POST")


async def test_names_are_checked_as_without_a_list(closed: Api) -> None:
    field = "extensions.persistedQuery.sha256Hash"
    for text in (ROLE, OTHER):
        assert await told(closed, named(STAFF, query=text)) == [
            {"code": "PERSISTED_QUERY_MISMATCH", "field": field}
        ]
    assert await told(closed, {"documentId": "x"}) == [
        {"code": "PERSISTED_QUERY_INVALID", "field": "documentId"}
    ]
    extension = {"version": 2, "sha256Hash": hash_of(ROLE)}
    asked = await post(closed, {"query": ROLE, "extensions": {"persistedQuery": extension}})
    assert asked.json() == NOT_SUPPORTED


async def test_hash_of_what_a_role_cannot_run_is_as_unknown_but_for_the_roles_held(
    closed: Api,
) -> None:
    doctor, both = await somebody(Role.DOCTOR), await somebody(Role.DOCTOR, Role.ADMIN)
    plain = await closed.token(doctor.account, Role.DOCTOR)
    for token in (None, plain):
        unknown = await post(closed, named(OTHER), token)
        assert (await post(closed, named(STAFF), token)).content == unknown.content
    token = await closed.token(both.account, Role.DOCTOR)
    available = {"code": "OPERATION_NOT_TRUSTED", "availableIn": ["ADMIN"]}
    assert await told(closed, named(STAFF), token) == [available]
    admin = await post(closed, named(STAFF), token, **{"x-cabinet-role": "ADMIN"})
    assert len(admin.json()["data"]["practitioners"]["nodes"]) == 1
    # Whoever has the text is told what is wrong with it, as ever.
    assert await told(closed, {"query": STAFF}, plain) == [{"code": "GRAPHQL_VALIDATION_FAILED"}]


async def test_socket_takes_what_is_listed(database_url: str, tmp_path: Path) -> None:
    path = written(tmp_path, by_hashes(*TRUSTED))
    async with listening(database_url, tmp_path / "home", trusted_operations=path) as api:
        person = await somebody(Role.DOCTOR, Role.ADMIN)
        token = await api.token(person.account, Role.DOCTOR)
        async with connected(
            api.socket_url, additional_headers={"accept-language": "en"}
        ) as socket:
            await socket.init(token)
            for content in ({"query": OTHER}, named(OTHER), named(OTHER, query=OTHER)):
                assert await answered(socket, content) == [
                    {"id": "1", "type": "error", "payload": [NOT_TRUSTED]}
                ]
            for content in ({"query": ROLE}, named(ROLE)):
                assert [message["type"] for message in await answered(socket, content)] == [
                    "next",
                    "complete",
                ]
            await socket.send(type="subscribe", id="1", payload=named(SHIFTS))
            await socket.ready()
            switching = "mutation { switchRole(role: ADMIN) { accessToken errors { code } } }"
            assert (await api.ask(switching, token)).codes == ["OPERATION_NOT_TRUSTED"]
            assert await socket.quiet(0.2)


async def test_switch_of_role_ends_a_listed_subscription_as_any(
    database_url: str, tmp_path: Path
) -> None:
    switching = "mutation { switchRole(role: ADMIN) { errors { code } } }"
    path = written(tmp_path, by_hashes(SHIFTS, switching))
    async with listening(database_url, tmp_path / "home", trusted_operations=path) as api:
        person = await somebody(Role.DOCTOR, Role.ADMIN)
        token = await api.token(person.account, Role.DOCTOR)
        async with connected(api.socket_url) as socket:
            await socket.init(token)
            await socket.send(type="subscribe", id="1", payload=named(SHIFTS))
            await socket.ready()
            assert (await api.ask(switching, token)).codes == []
            ended = await socket.message()
            assert [e["extensions"] for e in ended["payload"]] == [{"code": "ROLE_CHANGED"}]


async def test_page_that_could_run_nothing_is_not_served(closed: Api) -> None:
    for path in ("/", "/graphiql"):
        assert (await closed.client.get(path)).status_code == 404
    assert (await closed.client.get("/health")).status_code == 200


# Lists.

HASH = hash_of(ROLE)
NO_LIST = "holds no documents by their hashes, and is no apollo-persisted-query-manifest"


def read(directory: Path, content: Any) -> str:
    """What is wrong with a list, without the file's name."""
    path = written(directory, content)
    with pytest.raises(ListInvalid) as invalid:
        trusted_of(Settings("sqlite://x", directory, trusted_operations=path))
    lines = str(invalid.value).split("\n")
    assert all(line.startswith(f"{path}: ") for line in lines)
    return "\n".join(line.removeprefix(f"{path}: ") for line in lines)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ("", "is not JSON"),
        ("{", "is not JSON"),
        (f'{{"{HASH}": "{ROLE}", "{HASH}": "{ROLE}"}}', "is not JSON"),
        ([], NO_LIST),
        ({}, NO_LIST),
        ({**manifest(ROLE), "version": 2}, NO_LIST),
        ({**manifest(ROLE), "format": "other"}, NO_LIST),
        ({**manifest(ROLE), "operations": {}}, NO_LIST),
        (manifest(), NO_LIST),
        ({HASH: OTHER}, f"{HASH}: is not the SHA-256 of its document"),
        ({HASH: None}, f"{HASH}: is not the SHA-256 of its document"),
        ({HASH.upper(): ROLE}, f"{HASH.upper()}: is not the SHA-256 of its document"),
        ({f"sha1:{HASH}": ROLE}, f"sha1:{HASH}: is not the SHA-256 of its document"),
        ({"Home": ROLE}, "Home: is not the SHA-256 of its document"),
        ({**manifest(ROLE), "operations": [7]}, "7: is not the SHA-256 of its document"),
        (by_hashes("{"), "valid in no role; in that of VISITOR: Syntax Error: Expected Name"),
        (by_hashes("fragment A on Query { __typename }"), "valid in no role; in that of VISITOR: "),
        (by_hashes("{ nothing }"), "Cannot query field 'nothing' on type 'Query'."),
        (
            by_hashes(
                "{ practitioners(first: 100) { nodes { shifts(first: 100) { nodes { id } } } } }"
            ),
            "The operation is too large: at most 5000 objects.",
        ),
        (
            by_hashes("query A { viewer { activeRole } } query B { nothing }"),
            "Cannot query field 'nothing' on type 'Query'.",
        ),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_list_that_cannot_be_used_says_why(tmp_path: Path, content: Any, fault: str) -> None:
    assert fault in read(tmp_path, content)


def test_every_fault_of_a_list_is_told_at_once(tmp_path: Path) -> None:
    wrong = by_hashes("{ a }", ROLE, "{ b }")
    assert [line.partition(":")[0] for line in read(tmp_path, wrong).split("\n")] == [
        hash_of("{ a }"),
        hash_of("{ b }"),
    ]


def test_list_that_is_not_there_says_so(tmp_path: Path) -> None:
    missing = Settings("sqlite://x", tmp_path, trusted_operations=tmp_path / "none.json")
    with pytest.raises(ListInvalid, match="cannot be read: No such file or directory"):
        trusted_of(missing)


async def test_server_does_not_start_with_a_list_that_cannot_be_used(tmp_path: Path) -> None:
    path = written(tmp_path, by_hashes("{ nothing }"))
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "from server.cli import main; main()",
        "serve",
        cwd=ROOT,
        env={
            **os.environ,
            "CABINET_HOME": str(tmp_path),
            "CABINET_TRUSTED_OPERATIONS": str(path),
            "PYTHONPATH": str(ROOT),
        },
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(60):
        _, said = await process.communicate()
    assert (process.returncode, said.decode()) == (
        1,
        f"{path}: {hash_of('{ nothing }')}: valid in no role; in that of VISITOR: "
        "Cannot query field 'nothing' on type 'Query'.\n",
    )

"""Mixing: a query of several roots answers with the bytes of the reference, however they go."""

import asyncio
import re
from collections.abc import AsyncIterator
from pathlib import Path
from threading import Thread
from typing import Any

import aiosqlite
import asyncpg
import pytest

from execution.requests import Request
from models.database import SQLITE, dialect_of, settle
from schema.context import Context
from server.answers import encoded
from tests.api import Api, serving
from tests.execution.asking import both
from tests.execution.test_query_counts import counted
from tests.generated import Operation
from tests.schema.conftest import ROOMY
from tests.world import World, world

INCIDENT = re.compile(rb"[0-9a-f]{12}")


@pytest.fixture
async def served(database_url: str, tmp_path: Path) -> AsyncIterator[tuple[Api, World]]:
    async with serving(database_url, tmp_path / "home", limits=ROOMY) as api:
        yield api, await world(api.services.vault)


async def test_roots_stand_in_the_order_of_the_document(served: tuple[Api, World]) -> None:
    asks = await both(*served, "admin")
    operation = Operation(
        """
        query($no: Boolean!, $yes: Boolean!) {
          b: practitioners(first: 1) { nodes { passport } }
          ...Roots @include(if: $yes)
          never: departments @include(if: $no) { totalCount }
          a: departments { totalCount }
          ... on Query @skip(if: $no) { b: practitioners(first: 1) { totalCount } __typename }
          nor: departments @skip(if: $yes) { totalCount }
        }
        fragment Roots on Query {
          query: __schema { queryType { name } } a: departments { nodes { name } }
        }
        """,
        {"no": False, "yes": True},
    )
    ours, theirs = await asks.ask(operation)
    assert ours == theirs
    assert re.findall(rb'"(b|query|a|__typename|never|nor)":', ours) == [
        b"b",
        b"query",
        b"a",
        b"__typename",
    ]
    found = asks.mixture(operation)
    assert found is not None
    assert found.roots == (("b", False), ("query", False), ("a", True), ("__typename", True))


async def test_planned_roots_of_a_mixed_query_are_one_statement(
    served: tuple[Api, World],
) -> None:
    asks = await both(*served, "admin")
    request = Request("{ a: departments { totalCount } __schema { queryType { name } } me { id } }")
    with counted() as statements:
        answer = await asks.executors.planned.execute(request, asks.context)
    assert answer.text is not None
    assert len(statements) == 1


async def test_a_query_without_rows_reads_nothing(served: tuple[Api, World]) -> None:
    asks = await both(*served, "admin")
    with counted() as statements:
        await asks.executors.planned.execute(
            Request("{ __typename __schema { queryType { name } } }"), asks.context
        )
    assert statements == []


@pytest.mark.parametrize(
    "text",
    [
        "{ a: departments { totalCount } practitioners { nodes { id passport } } }",
        """
        {
          a: practitioners(first: 2) { nodes { passport } } d: departments { totalCount }
          c: practitioners(last: 2) { nodes { ...Secret } } query: __schema { queryType { name } }
        }
        fragment Secret on Practitioner { lastName department { name } passport }
        """,
    ],
)
async def test_errors_are_those_of_the_reference_in_its_order(
    served: tuple[Api, World], text: str
) -> None:
    api, made = served
    doctor = await both(api, made, "doctor as admin")
    # Without the vault nobody can open a passport.
    request = Request(text)
    ours = await doctor.executors.planned.execute(request, Context(doctor.viewer))
    theirs = await doctor.executors.reference.execute(request, Context(doctor.viewer))
    assert ours.text is not None
    assert theirs.body["errors"]
    assert _told(ours) == _told(theirs)


async def test_a_root_that_must_not_be_null_takes_the_whole_with_it(
    served: tuple[Api, World], database_url: str
) -> None:
    asks = await both(*served, "admin")
    await _run(database_url, "UPDATE organisation SET zone = 'Nowhere/Land'")
    text = """{
      a: departments { totalCount }
      practitioners { nodes { id workedTime(from: "2026-01-01", to: "2026-02-01") { hours } } }
      query: __schema { queryType { name } }
    }"""
    ours = await asks.executors.planned.execute(Request(text), asks.context)
    theirs = await asks.executors.reference.execute(Request(text), asks.context)
    assert ours.text is not None
    assert _told(ours) == _told(theirs)


class Interfering:
    """A vault in which, whenever it is asked, somebody else renames every department."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.asked = 0

    def open(self, _sealed: str) -> str:
        self.asked += 1
        statement = f"UPDATE department SET name = 'renamed {self.asked}'"
        other = Thread(target=asyncio.run, args=(_run(self._url, statement),))
        other.start()
        other.join()
        return "4509 600000"


FILE = "practitioner(id: $id) { passport department { name } }"


@pytest.mark.parametrize(
    "text", [f"query($id: ID!) {{ {FILE} }}", f"query($id: ID!) {{ me {{ id }} {FILE} }}"]
)
async def test_a_query_of_several_statements_reads_one_state(
    served: tuple[Api, World], database_url: str, text: str
) -> None:
    asks = await both(*served, "admin")
    doctor = served[1].people["doctor"].practitioner
    assert doctor is not None
    variables, vault = {"id": str(doctor.id)}, Interfering(database_url)
    context = Context(asks.context.viewer, {**asks.context.services, "vault": vault})

    answer = await asks.executors.planned.execute(Request(text, variables), context)

    assert vault.asked == 1
    assert answer.body["data"]["practitioner"]["department"] == {"name": "Терапия"}
    again = Request("query($id: ID!) { practitioner(id: $id) { department { name } } }", variables)
    later = await asks.executors.planned.execute(again, asks.context)
    assert later.body["data"]["practitioner"]["department"] == {"name": "renamed 1"}


async def test_queries_that_are_given_up_leave_no_connection_behind(
    served: tuple[Api, World], database_url: str
) -> None:
    asks = await both(*served, "admin")
    text = "{ a: departments { totalCount } practitioners { nodes { passport account { id } } } }"

    async def ask() -> bytes:
        answer = await asks.executors.planned.execute(Request(text), asks.context)
        return answer.text or b""

    known = await ask()
    for number in range(60):
        task = asyncio.create_task(ask())
        await asyncio.sleep(number / 4_000)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    await settle()
    async with asyncio.timeout(10):
        assert await asyncio.gather(*(ask() for _ in range(12))) == [known] * 12
    assert await in_transaction(database_url) == 0


async def in_transaction(url: str) -> int:
    """How many connections to PostgreSQL idle in a transaction."""
    if dialect_of(url) == SQLITE:
        return 0
    connection = await asyncpg.connect(url)
    try:
        found: int = await connection.fetchval(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND state LIKE 'idle in transaction%'"
        )
        return found
    finally:
        await connection.close()


async def _run(url: str, statement: str) -> None:
    """Runs a statement as somebody else."""
    if dialect_of(url) == SQLITE:
        async with aiosqlite.connect(url.removeprefix("sqlite://")) as connection:
            await connection.execute(statement)
            await connection.commit()
        return
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


def _told(answer: Any) -> bytes:
    """The bytes of an answer, the numbers of incidents left out."""
    return INCIDENT.sub(b"#", answer.text or encoded(answer.body).encode())

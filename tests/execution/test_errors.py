"""Which errors are told to the client, which are bugs, and what is remembered of documents."""

import logging
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from asyncpg.exceptions._base import DataError
from tortoise.exceptions import DBConnectionError, ValidationError

from auth.viewer import Viewer
from core.clock import utc_now
from core.settings import Limits
from execution.engine import Engine
from execution.incidents import incident
from execution.problems import Refused
from execution.requests import Request
from models.role import Role
from schema.build import build
from schema.context import Context
from tests import factories as make
from tests.api import serving

# What is tried here, no database decides.
pytestmark = pytest.mark.any_database


def context(role: Role = Role.VISITOR, *held: Role) -> Context:
    rights = build().views[role].rights
    return Context(Viewer(rights=rights, now=utc_now(), held=(role, *held), language="en"))


def engine() -> Engine:
    return Engine(build(), Limits())


def refusal(text: str, asking: Context, **variables: Any) -> list[dict[str, Any]]:
    """The extensions of the errors that a request is refused with."""
    found, request = engine(), Request(text, variables)
    with pytest.raises(Refused) as refused:
        found.documents.variables(found.documents.prepare(request, asking), request, asking)
    return [error["extensions"] for error in refused.value.errors]


def test_five_errors_are_told_at_most() -> None:
    text = "{ " + " ".join(f"x{i}" for i in range(50)) + " }"
    assert len(refusal(text, context())) <= 6


def test_no_message_suggests_a_name() -> None:
    found = engine()
    with pytest.raises(Refused) as refused:
        found.documents.prepare(Request("{ practitionrs { nodes { id } } }"), context(Role.DOCTOR))
    assert "Did you mean" not in str(refused.value.errors)


@pytest.mark.parametrize(
    ("text", "roles"),
    [
        ("mutation { approveShift(id: 1) { errors { code } } }", ["ADMIN"]),
        ("{ practitioners(filter: {birthDate: {isNull: true}}) { nodes { id } } }", ["ADMIN"]),
        ("mutation { nothing }", None),
    ],
)
def test_held_roles_that_have_the_name_are_told(text: str, roles: list[str] | None) -> None:
    alone, both = context(Role.DOCTOR), context(Role.DOCTOR, Role.ADMIN, Role.NURSE)
    without, with_roles = refusal(text, alone), refusal(text, both)
    assert "availableIn" not in without[0]
    assert with_roles[0].get("availableIn") == roles
    assert {k: v for k, v in with_roles[0].items() if k != "availableIn"} == without[0]


def test_bug_is_an_incident_and_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    told = incident(RuntimeError("SELECT secret"), "en")
    number = told["extensions"]["incident"]
    assert told == {
        "message": f"Internal error. Quote the number {number} to support.",
        "extensions": {"code": "INTERNAL", "incident": number},
    }
    assert [r.getMessage() for r in caplog.records] == [f"incident {number}"]


def test_value_that_the_driver_cannot_encode_is_a_bug() -> None:
    told = incident(DataError("invalid input for query argument $1: 'x'"), "en")
    assert told["extensions"]["code"] == "INTERNAL"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (DBConnectionError("host 10.0.0.1"), "UNAVAILABLE"),
        (ConnectionRefusedError("/var/run"), "UNAVAILABLE"),
        (asyncpg.InterfaceError("connection is closed"), "UNAVAILABLE"),
        (asyncpg.InternalClientError("cannot switch to state 12"), "UNAVAILABLE"),
        (ValidationError("phone: Length of 'x' 17 > 16"), "INPUT_INVALID"),
    ],
)
def test_fault_that_has_a_code_is_no_incident(
    error: Exception, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    told = incident(error, "en")
    assert told["extensions"] == {"code": code}
    assert str(error) not in str(told)
    assert all(record.levelno < logging.ERROR for record in caplog.records)


def test_documents_are_remembered_up_to_a_size() -> None:
    found, asking = engine(), context()
    for number in range(60):
        found.documents.prepare(Request("{ __typename } #" + f"{number:05}" * 2_000), asking)
    kept = found.documents.kept[asking.viewer.role]
    assert 0 < kept.characters <= 100_000
    assert kept.characters == sum(len(one.text) for one in kept.prepared.values())


def test_nobody_pushes_out_the_documents_of_another_role() -> None:
    found, doctor, visitor = engine(), context(Role.DOCTOR), context(Role.VISITOR)
    asked = Request("{ __typename }")
    prepared = found.documents.prepare(asked, doctor)
    for number in range(60):
        found.documents.prepare(Request("{ __typename } #" + f"{number:05}" * 2_000), visitor)
    assert found.documents.kept[Role.VISITOR].characters <= 50_000
    assert found.documents.prepare(asked, doctor) is prepared


def test_limits_hold_for_a_document_that_is_remembered() -> None:
    found, asking = engine(), context(Role.DOCTOR)
    text = """query($n: Int) { practitioners(first: $n) { nodes {
        licences(first: $n) { nodes { id } } } } }"""
    found.documents.prepare(Request(text, {"n": 1}), asking)
    with pytest.raises(Refused) as refused:
        found.documents.prepare(Request(text, {"n": 100}), asking)
    assert refused.value.errors[0]["extensions"] == {"code": "TOO_COSTLY"}


async def test_in_production_a_visitor_cannot_introspect(database_url: str, tmp_path: Path) -> None:
    asked = "{ __schema { queryType { name } } }"
    async with serving(database_url, tmp_path / "home", production=True) as api:
        account = await make.account(await make.organisation())

        closed = await api.ask(asked)
        opened = await api.ask(asked, await api.token(account, Role.CITIZEN))

    assert closed.codes == ["GRAPHQL_VALIDATION_FAILED", "GRAPHQL_VALIDATION_FAILED"]
    assert opened.data == {"__schema": {"queryType": {"name": "Query"}}}

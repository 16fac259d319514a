"""Wrong cursors, sizes, ids and filters refuse a request before anything of it runs."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from execution.requests import Request
from models.role import Role
from models.shift import Shift, ShiftState
from tests.api import Api, serving
from tests.execution.asking import Both, both
from tests.generated import Operation
from tests.schema.conftest import ROOMY
from tests.world import World, token_of, world

# What is tried here, no database decides.
pytestmark = pytest.mark.any_database


@pytest.fixture
async def served(database_url: str, tmp_path: Path) -> AsyncIterator[tuple[Api, World]]:
    async with serving(database_url, tmp_path / "home", limits=ROOMY) as api:
        yield api, await world(api.services.vault)


async def _refused(asks: Both, text: str, variables: dict[str, Any]) -> list[dict[str, Any]]:
    """The errors of a request that is refused as a whole, in either way of running it."""
    ours, theirs = await asks.ask(Operation(text, variables))
    assert ours == theirs
    body: dict[str, Any] = json.loads(ours)
    assert body.keys() == {"errors"}
    errors: list[dict[str, Any]] = body["errors"]
    return errors


NESTED = "{{ me {{ lastName shifts({}) {{ nodes {{ id }} }} }} viewer {{ activeRole }} }}"
LONG = "я" * 401


@pytest.mark.parametrize(
    ("arguments", "code", "field"),
    [
        ('after: "x"', "CURSOR_INVALID", "after"),
        ('last: 1, before: "x"', "CURSOR_INVALID", "before"),
        ("first: 0", "PAGE_INVALID", "first"),
        ("first: 101", "PAGE_INVALID", "first"),
        ("first: 1, last: 1", "PAGE_INVALID", "last"),
        ('filter: {and: [{}, {id: {eq: "x"}}]}', "ID_INVALID", "filter.and[1].id.eq"),
        ('filter: {id: {in: ["x"]}}', "ID_INVALID", "filter.id.in[0]"),
        (
            f'filter: {{department: {{name: {{eq: "{LONG}"}}}}}}',
            "FILTER_INVALID",
            "filter.department.name.eq",
        ),
        (
            f'filter: {{practitioner: {{lastName: {{contains: "{LONG}"}}}}}}',
            "FILTER_INVALID",
            "filter.practitioner.lastName.contains",
        ),
        (
            "order: [{field: STARTS_AT}, {field: STARTS_AT, direction: DESC}]",
            "FILTER_INVALID",
            "order",
        ),
    ],
)
async def test_what_is_wrong_deep_in_a_document_refuses_all_of_it(
    served: tuple[Api, World], arguments: str, code: str, field: str
) -> None:
    # A person without a file has no shifts to ask for: they are told the same.
    for name in ("doctor", "doctor as admin", "admin"):
        asks = await both(*served, name)
        (error,) = await _refused(asks, NESTED.format(arguments), {})
        assert error["extensions"] == {"code": code, "field": field}
        assert error["locations"] == [{"line": 1, "column": 17}]


@pytest.mark.parametrize(
    ("declared", "arguments", "value", "code", "field"),
    [
        ("$v: String", "after: $v", "x", "CURSOR_INVALID", "after"),
        ("$v: Int", "last: $v", 0, "PAGE_INVALID", "last"),
        ("$v: ID", "filter: {or: [], id: {eq: $v}}", "x", "ID_INVALID", "filter.id.eq"),
        (
            "$v: ShiftFilter",
            "filter: {not: $v}",
            {"department": {"name": {"in": ["", LONG]}}},
            "FILTER_INVALID",
            "filter.not.department.name.in[1]",
        ),
    ],
)
async def test_a_wrong_value_is_refused_after_right_ones_of_the_same_document(
    served: tuple[Api, World], declared: str, arguments: str, value: Any, code: str, field: str
) -> None:
    text = f"query ({declared}) " + NESTED.format(arguments)
    for name in ("doctor", "admin"):
        asks = await both(*served, name)
        ours, theirs = await asks.ask(Operation(text, {}))
        assert ours == theirs
        assert "errors" not in json.loads(ours)
        (error,) = await _refused(asks, text, {"v": value})
        assert error["extensions"] == {"code": code, "field": field}


SIZES = """query ($v: Int) {
  p: practitioners(first: $v) { totalCount } g: shiftGroups(first: $v) { totalCount }
}"""
TEXTS = """query ($v: String) {
  a: organisations(filter: {name: {contains: $v}}) { totalCount }
  b: practitioners(filter: {or: [], snils: {eq: $v}}) { totalCount }
  c: shifts(filter: {note: {eq: $v}}) { totalCount }
}"""
# Of a person without a file nothing is planned.
ORDERS = """query ($v: ShiftOrderField!) {
  me { shifts(order: [{field: STARTS_AT}, {field: $v}]) { totalCount } }
}"""


@pytest.mark.parametrize(
    ("text", "right", "wrong", "code"),
    [
        (SIZES, 100, 101, "PAGE_INVALID"),
        (TEXTS, "a", "a" * 60, "FILTER_INVALID"),
        (ORDERS, "ENDS_AT", "STARTS_AT", "FILTER_INVALID"),
    ],
    ids=["sizes", "texts", "orders"],
)
async def test_a_value_that_is_right_at_one_place_and_wrong_at_another_is_refused_each_time(
    served: tuple[Api, World], text: str, right: Any, wrong: Any, code: str
) -> None:
    asks = await both(*served, "admin")
    for value, is_wrong in ((right, False), (wrong, True), (right, False), (wrong, True)):
        if is_wrong:
            (error,) = await _refused(asks, text, {"v": value})
            assert error["extensions"]["code"] == code
        else:
            ours, theirs = await asks.ask(Operation(text, {"v": value}))
            assert ours == theirs
            assert "errors" not in json.loads(ours)


async def test_a_wrong_period_of_a_nested_field_is_told_before_anything_runs(
    served: tuple[Api, World],
) -> None:
    asks = await both(*served, "doctor")
    text = """query ($to: Date!) {
      me { lastName workedTime(from: "2026-02-01", to: $to) { hours } }
    }"""
    (error,) = await _refused(asks, text, {"to": "2026-01-01"})
    assert error["extensions"] == {"code": "PERIOD_OUT_OF_RANGE", "field": "to"}


async def test_texts_longer_than_their_column_are_told_by_their_field(
    served: tuple[Api, World],
) -> None:
    asks = await both(*served, "admin")
    text = "query ($v: PractitionerFilter) { practitioners(filter: $v) { totalCount } }"
    for value, field in (
        ({"lastName": {"eq": "я" * 300}}, "filter.lastName.eq"),
        ({"or": [{"snils": {"in": ["", "1" * 300]}}]}, "filter.or[0].snils.in[1]"),
    ):
        (error,) = await _refused(asks, text, {"v": value})
        assert error["extensions"] == {"code": "FILTER_INVALID", "field": field}


async def test_every_wrong_field_is_told_at_once_and_one_that_does_not_run_is_not(
    served: tuple[Api, World],
) -> None:
    asks = await both(*served, "doctor")
    text = """query ($no: Boolean!) {
      a: shifts(first: 0) { totalCount } ...F ...F
      b: shifts(first: 0) @include(if: $no) { totalCount }
      ... @skip(if: true) { c: shifts(first: 0) { totalCount } }
    }
    fragment F on Query { d: practitioner(id: "x") { id } }"""
    for no, lines in ((False, [2, 6]), (True, [2, 6, 3])):
        errors = await _refused(asks, text, {"no": no})
        assert sorted(e["locations"][0]["line"] for e in errors) == sorted(lines)


async def test_no_mutation_of_a_request_runs_where_one_has_a_wrong_id(
    served: tuple[Api, World],
) -> None:
    api, made = served
    token = await token_of(api, made.people["admin"])
    shift = await Shift.filter(state=ShiftState.REQUESTED).first()
    assert shift is not None
    text = """mutation ($id: ID!) {
      a: approveShift(id: $id) { errors { code } } b: approveShift(id: "x") { errors { code } }
    }"""
    before = [row async for row in Shift.all().order_by("id").values()]
    answer = await api.ask(text, token, id=str(shift.id))
    assert "data" not in answer.body
    assert [e["extensions"] for e in answer.body["errors"]] == [
        {"code": "ID_INVALID", "field": "id"}
    ]
    assert [row async for row in Shift.all().order_by("id").values()] == before


async def test_what_a_variable_leaves_out_where_it_must_not_names_the_argument(
    served: tuple[Api, World],
) -> None:
    api, made = served
    text = """query ($d: Direction = ASC) {
      practitioners(order: [{field: LAST_NAME, direction: $d}]) { totalCount }
    }"""
    token = await api.token(made.people["admin"].account, Role.ADMIN)  # type: ignore[arg-type]
    answer = await api.ask(text, token, d=None)
    assert "data" not in answer.body
    (error,) = answer.body["errors"]
    assert error["extensions"]["code"] == "BAD_USER_INPUT"
    assert error["extensions"]["field"].startswith("order")


@pytest.mark.parametrize("condition", ["@include(if: $on)", "@skip(if: $on)"])
async def test_a_null_decides_nothing(served: tuple[Api, World], condition: str) -> None:
    text = f"""query One($on: Boolean = true) {{
      practitioners(first: 1) {{ nodes {{ id ...Name }} }}
    }}
    fragment Name on Practitioner {{ lastName {condition} }}
    query Other($on: String) {{ practitioners(filter: {{lastName: {{eq: $on}}}}) {{ totalCount }} }}
    """
    asks = await both(*served, "admin")
    request = Request(text, {"on": None}, "One")
    for engine in (asks.executors.planned, asks.executors.reference):
        answer = await engine.execute(request, asks.context)
        assert answer.refused
        (error,) = answer.body["errors"]
        assert error["extensions"] == {"code": "BAD_USER_INPUT", "field": "if"}
        assert error["locations"] == [{"line": 1, "column": 11}]
        # Elsewhere a null is a value like others.
        other = await engine.execute(Request(text, {"on": None}, "Other"), asks.context)
        assert not other.refused

"""Every argument of every operation, given what no form would send: each has a code, none a 500."""

import json
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLObjectType,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
    is_required_argument,
    is_required_input_field,
)

from core.ids import uuid7
from models.database import POSTGRESQL, dialect
from models.role import Role
from schema.build import build
from tests import factories as make
from tests.api import Api
from tests.server.people import somebody

# Generous for a loaded machine; alone, each takes a few milliseconds.
BOUND = 2.0

STRANGE: dict[str, list[Any]] = {
    "String": [
        "",
        " ",
        "x" * 100_000,
        "\t\r\n\x01\x7f\u2028",
        "\ufffe\uffff\U0010ffff",
        "'; DROP TABLE account; --",
        "%_\\",
        "{incident} {0} {",
        "e\u0301" * 300,
        7,
        ["a"],
        {"a": 1},
    ],
    "ID": [
        "",
        "x",
        7,
        -(2**63),
        "x" * 100_000,
        "{00000000-0000-0000-0000-000000000000}",
        "00000000000000000000000000000000",
        "٠" * 36,
        1.5,
        [],
    ],
    "Int": [2**31, -(2**31) - 1, 2**31 - 1, -(2**31), -1, 0, 10**19, 1.5, 1.0, "1", True, [1, 2]],
    "Boolean": [0, "true", [], {}],
    "Date": [
        "9999-99-99",
        "0000-00-00",
        "9999-12-31",
        "0001-01-01",
        "2026-02-30",
        "20260301",
        "2026-W01-1",
        "٢٠٢٦-٠٣-٠١",
        "2026-03-01T00:00:00Z",
        20260301,
        "x" * 10_000,
        "",
    ],
    "DateTime": [
        "9999-12-31T23:59:59-23:59",
        "0001-01-01T00:00:00+23:59",
        "1900-01-01T00:00:00+23:59",
        "2200-12-31T23:59:59-23:59",
        "2026-03-01T24:00:00Z",
        "2026-03-01T10:00:00",
        "2026-03-01T10:00:00+99:99",
        "2026-03-01T10:00:00.123456789Z",
        1,
        "",
    ],
    "Decimal": [
        "1e400",
        "1E-999999",
        "NaN",
        "sNaN",
        "Infinity",
        "0." + "1" * 10_000,
        "-0",
        "-1",
        "999999999999",
        1e308,
        "1_0",
        "٣",
        True,
        {},
    ],
}
USUAL: dict[str, Any] = {
    "String": "текст",
    "Int": 1,
    "Boolean": True,
    "Date": "2026-05-01",
    "DateTime": "2026-05-01T10:00:00Z",
    "Decimal": "0.50",
}
# In so many places of filters, one after the other, all values of a kind are tried.
_TURNS = 3
LISTS: list[Any] = [None, [], "x", [None], [[]], {}]


async def send(api: Api, token: str | None, body: Any) -> tuple[httpx.Response, float]:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    begun = time.perf_counter()
    response = await api.client.post("/graphql", json=body, headers=headers)
    return response, time.perf_counter() - begun


def values_for(type_: Any, wanted: bool, ids: dict[str, str], name: str, depth: int = 0) -> Any:
    """A sensible value of an input type."""
    type_ = get_nullable_type(type_)
    if is_list_type(type_):
        return [values_for(type_.of_type, wanted, ids, name, depth)]
    if isinstance(type_, GraphQLInputObjectType):
        return {
            key: values_for(f.type, wanted, ids, key, depth + 1)
            for key, f in type_.fields.items()
            if is_required_input_field(f)
        }
    if isinstance(type_, GraphQLEnumType):
        return next(iter(type_.values))
    if type_.name == "ID":
        return ids.get(name.removesuffix("Id").lower(), str(uuid7()))
    return USUAL.get(type_.name)


def paths(type_: Any, depth: int = 0) -> Iterator[tuple[list[str | int], Any]]:
    """The places in a value of an input type where a strange one may stand."""
    type_ = get_nullable_type(type_)
    if is_list_type(type_):
        yield [], type_
        for inner, found in paths(type_.of_type, depth):
            yield [0, *inner], found
    elif isinstance(type_, GraphQLInputObjectType):
        yield [], type_
        # Filters lead on through relations without end.
        if depth < (3 if not type_.name.endswith("Filter") else 2):
            for key, made in type_.fields.items():
                for inner, found in paths(made.type, depth + 1):
                    yield [key, *inner], found
    else:
        yield [], type_


def strange(type_: Any) -> list[Any]:
    if is_list_type(type_) or isinstance(type_, GraphQLInputObjectType):
        return LISTS
    if isinstance(type_, GraphQLEnumType):
        return ["NOTHING", 7, "", "__proto__", ["X"], None]
    return [None, *STRANGE[type_.name]]


def is_passed_on(type_: Any, value: Any) -> bool:
    """Whether a value may come as far as to a database: what is of another kind never does."""
    if value is None or value == []:
        return True
    if is_list_type(type_) or isinstance(type_, GraphQLInputObjectType):
        return bool(value == {})
    if isinstance(type_, GraphQLEnumType) or type_.name == "Boolean":
        return False
    if type_.name == "Int":
        return type(value) is int and abs(value) < 2**31
    return isinstance(value, str)


def put(whole: Any, path: list[str | int], value: Any) -> Any:
    """The value with another at a path of it."""
    if not path:
        return value
    key, *rest = path
    if isinstance(key, int):
        return [put(whole[0] if isinstance(whole, list) and whole else {}, rest, value)]
    inner = whole if isinstance(whole, dict) else {}
    return {**inner, key: put(inner.get(key), rest, value)}


def operation(kind: str, name: str, field: GraphQLField, given: dict[str, Any]) -> dict[str, Any]:
    """The text and variables of an operation with one field and these arguments."""
    declared = ", ".join(f"${key}: {field.args[key].type}" for key in given)
    passed = ", ".join(f"{key}: ${key}" for key in given)
    type_ = get_named_type(field.type)
    if is_leaf_type(type_):
        selected = ""
    elif isinstance(type_, GraphQLObjectType) and "nodes" in type_.fields:
        selected = "{ nodes { __typename } }"
    elif isinstance(type_, GraphQLObjectType) and "errors" in type_.fields:
        selected = "{ errors { code field message } }"
    else:
        selected = "{ __typename }"
    text = f"{kind}({declared}) {{ {name}({passed}) {selected} }}"
    return {"query": text, "variables": given}


def cases(role: Role, ids: dict[str, str], seen: set[str]) -> Iterator[dict[str, Any]]:
    """Operations of a role, each with one strange value; those of earlier roles left out."""
    schema = build().views[role].schema
    turns: Counter[str] = Counter()
    for kind, root in (("query", schema.query_type), ("mutation", schema.mutation_type)):
        for name, field in (root.fields if root else {}).items():
            about = {k: v for k, v in ids.items() if name.lower().removesuffix("s").endswith(k)}
            known = {**ids, "": next(iter(about.values()), str(uuid7()))}
            base = {
                key: known[""] if key == "id" else values_for(a.type, True, known, key)
                for key, a in field.args.items()
                if is_required_argument(a)
            }
            for key, given in field.args.items():
                for path, type_ in paths(given.type):
                    place = f"{name}.{key}.{path}"
                    if place in seen:
                        continue
                    seen.add(place)
                    values = strange(type_)
                    if dialect() == POSTGRESQL:
                        # On SQLite all are asked.
                        values = [value for value in values if is_passed_on(type_, value)]
                    if get_named_type(given.type).name.endswith("Filter"):
                        # One kind of value is compared alike in hundreds of places: in turn.
                        turns[str(type_)] += 1
                        values = values[turns[str(type_)] % _TURNS :: _TURNS]
                    for value in values:
                        whole = base.get(key, values_for(given.type, True, known, key))
                        yield operation(kind, name, field, {**base, key: put(whole, path, value)})


def complaints(response: httpx.Response) -> list[str]:
    """What is wrong with an answer: a bug, a missing code, or a driver's own words."""
    text, body = response.text, response.json()
    found = [f"status {response.status_code}"] if response.status_code >= 500 else []
    for error in body.get("errors", []):
        code = error["extensions"].get("code")
        if code in (None, "INTERNAL", "UNAVAILABLE", "TIMEOUT"):
            found.append(str(code))
    for words in ("asyncpg", "sqlite", "Traceback", "SELECT ", "site-packages"):
        if words in text:
            found.append(words)
    return found


async def test_no_argument_can_be_given_what_ends_in_a_bug(
    api: Api, caplog: pytest.LogCaptureFixture
) -> None:
    person = await somebody(*(role for role in Role if role not in (Role.VISITOR, Role.CITIZEN)))
    specialty = await make.specialty()
    rows: dict[str, Any] = {
        "practitioner": person.practitioner,
        "department": person.department,
        "organisation": person.organisation,
        "account": person.account,
        "specialty": specialty,
        "title": specialty,
        "licence": await make.licence(person.practitioner),
        "course": await make.course(person.organisation),
        "shift": await make.shift(person.department),
        "application": await make.application(person.account, person.organisation),
    }
    ids = {key: str(row.id) for key, row in rows.items()}
    seen: set[str] = {"signOut", "endSession"}
    found: list[str] = []
    slow: list[str] = []
    number = 0
    for role in (Role.ADMIN, Role.DOCTOR, Role.NURSE, Role.INSPECTOR, Role.OPERATOR, Role.VISITOR):
        token = await api.token(person.account, role) if role is not Role.VISITOR else None
        for body in cases(role, ids, seen):
            response, took = await send(api, token, body)
            number += 1
            shown = json.dumps(body, ensure_ascii=False)[:300]
            if wrong := complaints(response):
                found.append(f"{role} {wrong} {shown}")
            if took > BOUND:
                slow.append(f"{took:.2f} s: {shown}")
    assert number > 1_000
    assert found == []
    assert slow == []


def nested(text: str, levels: int, inner: str = "") -> str:
    return text * levels + inner + "}" * levels


BOMB = " ".join(f"fragment F{i} on Query {{ ...F{i + 1} ...F{i + 1} }}" for i in range(60))
DOCUMENTS = {
    "not GraphQL": ("a a a", "GRAPHQL_PARSE_FAILED"),
    "empty": ("   ", "GRAPHQL_PARSE_FAILED"),
    "open brackets": ("{" * 60_000, "GRAPHQL_PARSE_FAILED"),
    "open lists": ("{ a(b: " + "[" * 60_000, "GRAPHQL_PARSE_FAILED"),
    "many tokens": ("{ " + "a " * 30_000 + "}", "GRAPHQL_PARSE_FAILED"),
    "too long": ("{ __typename } #" + "a" * 200_000, "DOCUMENT_TOO_LONG"),
    "long string": ('{ practitioner(id: "' + "a" * 200_000 + '") { id } }', "DOCUMENT_TOO_LONG"),
    "10,000 aliases": (
        "{ " + " ".join(f"a{i}: __typename" for i in range(10_000)) + " }",
        "DOCUMENT_TOO_LONG",
    ),
    "300 aliases": (
        "{ " + " ".join(f"a{i}: __typename" for i in range(300)) + " }",
        "TOO_MANY_ALIASES",
    ),
    "10,000 directives": (
        "{ __typename " + "@include(if: true) " * 10_000 + "}",
        "DOCUMENT_TOO_LONG",
    ),
    "100 directives": ("{ __typename " + "@include(if: true) " * 100 + "}", "TOO_MANY_DIRECTIVES"),
    "deep": ("{ " + nested("me { ", 60, "id") + " }", "TOO_DEEP"),
    "a field 400 times": ("{ " + "me { id } " * 200 + " }", "TOO_MANY_REPEATS"),
    "deep literal": (
        "{ practitioners(filter: " + nested("{ not: ", 60, "{}") + ") { nodes { id } } }",
        "TOO_DEEP",
    ),
    "fragment bomb": ("{ ...F0 } " + BOMB + " fragment F60 on Query { __typename }", "TOO_DEEP"),
    "cyclic fragments": (
        "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }",
        "GRAPHQL_VALIDATION_FAILED",
    ),
    "fragment of itself": (
        "{ ...A } fragment A on Query { ...A }",
        "GRAPHQL_VALIDATION_FAILED",
    ),
    "no operation": ("fragment A on Query { __typename }", "OPERATION_UNKNOWN"),
    "two operations": ("query a { __typename } query b { __typename }", "OPERATION_UNKNOWN"),
    "NUL in a literal": ('{ practitioner(id: "\\u0000") { id } }', "BAD_USER_INPUT"),
    "NUL in a longer escape": ('{ practitioner(id: "\\u{0}") { id } }', "BAD_USER_INPUT"),
    "surrogate in a literal": (
        '{ practitioner(id: "\\ud800") { id } }',
        "GRAPHQL_PARSE_FAILED",
    ),
    "great number": ("{ practitioners(first: 99999999999) { nodes { id } } }", None),
    "5,000 digits": (
        "{ practitioners(first: " + "9" * 5_000 + ") { nodes { id } } }",
        "GRAPHQL_VALIDATION_FAILED",
    ),
    "great page": ("{ practitioners(first: 101) { nodes { id } } }", "PAGE_INVALID"),
    "wrong cursor": ('{ practitioners(after: "x") { nodes { id } } }', "CURSOR_INVALID"),
    "wrong id": ('{ practitioner(id: "x") { id } }', "ID_INVALID"),
    "subscription": ("subscription { shiftChanged { id } }", "NEEDS_WEBSOCKET"),
    "unknown directive": ("{ __typename @defer }", "GRAPHQL_VALIDATION_FAILED"),
    "a type system": ("type A { a: Int }", "OPERATION_UNKNOWN"),
}


@pytest.mark.parametrize("name", DOCUMENTS)
async def test_hostile_document_is_refused_at_once(api: Api, name: str) -> None:
    text, code = DOCUMENTS[name]
    person = await somebody(Role.DOCTOR)
    token = await api.token(person.account, Role.DOCTOR)
    await api.ask("{ practitioners { nodes { id } } }", token)
    begun = time.perf_counter()
    answer = await api.ask(text, token)
    assert time.perf_counter() - begun < 1
    assert answer.status == 200
    assert answer.codes
    assert code is None or answer.codes[0] == code


async def test_fragments_that_double_within_the_limits_cost_nothing(api: Api) -> None:
    person = await somebody(Role.DOCTOR)
    token = await api.token(person.account, Role.DOCTOR)
    doubling = " ".join(
        f"fragment F{i} on Practitioner {{ ...F{i + 1} ...F{i + 1} }}" for i in range(20)
    )
    text = "{ me { ...F0 } } " + doubling + " fragment F20 on Practitioner { id }"
    begun = time.perf_counter()
    answer = await api.ask(text, token)
    assert time.perf_counter() - begun < 1
    assert answer.data == {"me": {"id": str(person.practitioner.id)}}


FILTER = "query($f: PractitionerFilter) { practitioners(filter: $f) { nodes { id } } }"


def deep(levels: int) -> dict[str, Any]:
    value: dict[str, Any] = {}
    for _ in range(levels):
        value = {"not": value}
    return value


@pytest.mark.parametrize(
    ("value", "code", "field"),
    [
        (deep(15), "FILTER_INVALID", "filter" + ".not" * 6),
        (deep(400), "TOO_DEEP", None),
        ({"and": [{}] * 60_000}, "TOO_MANY_VALUES", None),
        ({"and": [{}] * 900}, "FILTER_INVALID", "filter.and"),
        ({"lastName": {"in": ["a"] * 101}}, "FILTER_INVALID", "filter.lastName.in"),
        ({"lastName": {"eq": 7}}, "BAD_USER_INPUT", "filter.lastName.eq"),
        ({"and": [{}, {"or": [{"x": 1}]}]}, "BAD_USER_INPUT", "filter.and[1].or[0].x"),
        ([], "BAD_USER_INPUT", "filter"),
    ],
)
async def test_hostile_variable_is_refused_with_its_field(
    api: Api, value: Any, code: str, field: str | None
) -> None:
    person = await somebody(Role.DOCTOR)
    token = await api.token(person.account, Role.DOCTOR)
    begun = time.perf_counter()
    answer = await api.ask(FILTER, token, f=value)
    assert time.perf_counter() - begun < BOUND
    extensions = answer.body["errors"][0]["extensions"]
    assert (extensions["code"], extensions.get("field")) == (code, field)


async def test_null_and_missing_for_what_is_required_name_the_argument(api: Api) -> None:
    text = 'mutation($login: String!) { signIn(login: $login, password: "x") { errors { code } } }'
    for body in ({"query": text}, {"query": text, "variables": {"login": None}}):
        response, _ = await send(api, None, body)
        (error,) = response.json()["errors"]
        assert error["extensions"] == {"code": "BAD_USER_INPUT", "field": "login"}


async def test_wrong_literal_names_its_argument(api: Api) -> None:
    person = await somebody(Role.DOCTOR)
    token = await api.token(person.account, Role.DOCTOR)
    asked = {
        '{ practitioners(first: "x") { nodes { id } } }': "first",
        "{ practitioners(filter: {lastName: {eq: 7}}) { nodes { id } } }": "filter.lastName.eq",
        "{ shifts(filter: {and: [{kind: {eq: NOTHING}}]}) { nodes { id } } }": (
            "filter.and[0].kind.eq"
        ),
        '{ practitioner(id: "\\u0000") { id } }': "id",
    }
    for text, field in asked.items():
        (error,) = (await api.ask(text, token)).body["errors"]
        assert (text, error["extensions"].get("field")) == (text, field)


async def test_long_values_are_not_repeated_in_messages(api: Api) -> None:
    text = "query($f: Boolean) { __typename @include(if: true) }"
    answer = await api.ask(text, f="x" * 100_000)
    assert all(len(error["message"]) < 400 for error in answer.body["errors"])

"""No injection: hostile texts in every filter, cursor and argument are bound, and come back whole.

Each text carries a mark, by which it is looked for in the statements of both databases.
"""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from graphql import (
    GraphQLInputObjectType,
    GraphQLObjectType,
    get_named_type,
    is_required_argument,
)

from execution.dialects import DIALECTS
from models.role import Role
from schema.build import build
from tests.execution.asking import Both
from tests.generated import Operation
from tests.schema.documents import literal as any_literal
from tests.schema.documents import places
from tests.still import Still
from tests.world import PEOPLE

MARK = "Zq7"
# As long as the shortest column takes.
SHORT = [
    MARK + text
    for text in (
        *("'", '"', "\\", "''", "`", "$1", "?1", ":a", "%s", "{0}", "{}", "$$", "--", "/*", ";"),
        *("%", "_", "*", "\\'", '"}', '"]}', "\\u0000", "\n", "\r\n", "\t", "\x01", "\x1b", "\x7f"),
        *("\u2028", "\ufeff", "\u202e", "אב", "😀", "e\u0301", "Ё", "ß", "İ", "ﬀ", "\U0010ffff"),
        *("</a>", "#{x}", "NULL"),
    )
]
LONG = [
    f"{MARK}'; DROP TABLE shift; --",
    f"{MARK}' OR '1'='1",
    f"{MARK}') UNION SELECT totp_secret_sealed FROM account --",
    f'{MARK}"}}}},"errors":[{{"message":"x"}}]',
    MARK + "\\" * 77 + "'" * 77,
    MARK + "я" * 390,
    MARK + "😀" * 5_000,
]
# Where in a template the text stands.
HERE = "\0"
ONE_EACH = [next(name for name, role in PEOPLE.items() if role is each) for each in Role]
still = pytest.mark.asyncio(loop_scope="module")


def _leaves(type_: GraphQLInputObjectType, scalar: str, depth: int = 0) -> Iterator[str]:
    """Every place of a filter where a scalar stands, through a relation and a ``not`` as well."""
    for name, made in type_.fields.items():
        target = get_named_type(made.type)
        assert isinstance(target, GraphQLInputObjectType)
        if name in ("and", "or", "not") or (depth and "and" in target.fields):
            continue
        if "and" in target.fields:
            inner = _leaves(target, scalar, depth + 1)
            wrap = "{{not: {{{}: {}}}}}" if len(name) % 2 else "{{{}: {}}}"
            yield from (wrap.format(name, leaf) for leaf in inner)
            continue
        for operator, compared in target.fields.items():
            if get_named_type(compared.type).name == scalar:
                value = f"[{HERE}]" if operator == "in" else HERE
                yield f"{{{name}: {{{operator}: {value}}}}}"


def _lists(role: Role) -> Iterator[tuple[str, GraphQLInputObjectType]]:
    """The root fields that take a filter, with its type."""
    root = build().views[role].schema.query_type
    assert root is not None
    for name, made in root.fields.items():
        if "filter" in made.args and "by" not in made.args:
            type_ = get_named_type(made.args["filter"].type)
            assert isinstance(type_, GraphQLInputObjectType)
            yield name, type_


async def asked_alike(asks: Both, operation: Operation) -> Any:
    """The answer, the same in both executors and no incident; its plans hold nothing of the text.

    Where it is planned, the text is among what is bound.
    """
    before = asks.plans
    ours, theirs = await asks.ask(operation)
    assert ours == theirs, operation
    body = json.loads(ours)
    codes = {error["extensions"]["code"] for error in body.get("errors", ())}
    assert "INTERNAL" not in codes, body
    if asks.plans > before:
        for dialect in DIALECTS:
            plan, asking = asks.plan(operation, dialect)
            assert MARK.lower() not in plan.statement.sql.lower()
            assert any(MARK.lower() in str(value).lower() for value in plan.values(asking))
    return body


@still
@pytest.mark.parametrize("name", ONE_EACH)
async def test_a_hostile_text_in_any_filter_is_bound(still_world: Still, name: str) -> None:
    asks = Both(still_world.api.services, still_world.viewers[name])
    found = 0
    for number, (field, type_) in enumerate(_lists(PEOPLE[name])):
        leaves = list(_leaves(type_, "String"))
        if not leaves:
            continue
        found += len(leaves)
        # In a variable, one text after the other in all places at once.
        either = ", ".join(leaves).replace(HERE, "$h")
        text = f"query($h: String!) {{ {field}(filter: {{or: [{either}]}}) {{ totalCount }} }}"
        for hostile in SHORT[number % 3 :: 3]:
            assert "data" in await asked_alike(asks, Operation(text, {"h": hostile})), hostile
        # In the document, each place with another text.
        for begun in (0, 17):
            literals = (
                leaf.replace(HERE, json.dumps(SHORT[(begun + n) % len(SHORT)]))
                for n, leaf in enumerate(leaves)
            )
            text = f"{{ {field}(filter: {{or: [{', '.join(literals)}]}}) {{ totalCount }} }}"
            assert "data" in await asked_alike(asks, Operation(text, {}))
        # Long ones are refused where the column is shorter: in every fourth place, for their time.
        for n, leaf in enumerate(leaves[number % 4 :: 4]):
            text = f"query($h: String!) {{ {field}(filter: {leaf.replace(HERE, '$h')})"
            operation = Operation(f"{text} {{ totalCount }} }}", {"h": LONG[n % len(LONG)]})
            body = await asked_alike(asks, operation)
            if "data" not in body:
                (error,) = body["errors"]
                assert error["extensions"]["code"] == "FILTER_INVALID"
    assert found > 2
    assert asks.plans > asks.asked / 2


@still
@pytest.mark.parametrize("name", ONE_EACH)
async def test_a_hostile_text_is_no_id(still_world: Still, name: str) -> None:
    asks = Both(still_world.api.services, still_world.viewers[name])
    for field, type_ in _lists(PEOPLE[name]):
        for n, leaf in enumerate(_leaves(type_, "ID")):
            hostile = [*SHORT, *LONG][n * 7 % 40]
            for text, variables in (
                (f"{{ {field}(filter: {leaf.replace(HERE, json.dumps(hostile))})", {}),
                (f"query($h: ID!) {{ {field}(filter: {leaf.replace(HERE, '$h')})", {"h": hostile}),
            ):
                body = await asked_alike(asks, Operation(f"{text} {{ totalCount }} }}", variables))
                assert [e["extensions"]["code"] for e in body["errors"]] == ["ID_INVALID"]


@still
@pytest.mark.parametrize("name", ONE_EACH)
async def test_a_hostile_text_in_any_argument_is_refused(still_world: Still, name: str) -> None:
    asks = Both(still_world.api.services, still_world.viewers[name])
    schema = build().views[PEOPLE[name]].schema
    for type_name, place in places(schema).items():
        parent = schema.type_map[type_name]
        if place.operation != "query" or not isinstance(parent, GraphQLObjectType):
            continue
        for field, made in parent.fields.items():
            inner = " { __typename }" * isinstance(get_named_type(made.type), GraphQLObjectType)
            for key, argument in made.args.items():
                others = [
                    f"{other}: {any_literal(each)}"
                    for other, each in made.args.items()
                    if other != key and is_required_argument(each)
                ]
                given = ", ".join([*others, f"{key}: $h"])
                kind = str(argument.type).removesuffix("!")
                document = place.document(f"{field}({given}){inner}")
                text = document.replace("query", f"query($h: {kind}!)", 1)
                for hostile in (SHORT[0], LONG[0]):
                    body = await asked_alike(asks, Operation(text, {"h": hostile}))
                    assert "data" not in body, text
                    assert MARK not in json.dumps(body.get("extensions", {}))


@still
@pytest.mark.parametrize("name", ONE_EACH)
async def test_a_hostile_text_within_a_cursor_is_bound(still_world: Still, name: str) -> None:
    asks = Both(still_world.api.services, still_world.viewers[name])
    schema = build().views[PEOPLE[name]].schema
    assert schema.query_type is not None
    bound = 0
    for field, made in schema.query_type.fields.items():
        if "order" not in made.args:
            continue
        type_ = get_named_type(made.args["order"].type)
        assert isinstance(type_, GraphQLInputObjectType)
        for n, column in enumerate(get_named_type(type_.fields["field"].type).values):
            text = f"""query($c: String) {{ {field}(
                first: 1, after: $c, order: [{{field: {column}}}]
            ) {{ edges {{ cursor }} }} }}"""
            page = json.loads((await asks.ask(Operation(text, {})))[0])["data"][field]
            if not page["edges"]:
                continue
            ordered, value, row = json.loads(bytes.fromhex(page["edges"][0]["cursor"]))
            if not isinstance(value, str):
                continue
            for hostile in (SHORT[n % len(SHORT)], LONG[n % len(LONG)]):
                content = json.dumps([ordered, hostile, row], ensure_ascii=False)
                cursor = content.encode().hex().upper()
                body = await asked_alike(asks, Operation(text, {"c": cursor}))
                bound += "data" in body
                assert "data" in body or body["errors"][0]["extensions"]["field"] == "after"
            for hostile in SHORT[:3]:
                (error,) = (await asked_alike(asks, Operation(text, {"c": hostile})))["errors"]
                assert error["extensions"]["code"] == "CURSOR_INVALID"
    assert bound > 0


@still
@pytest.mark.parametrize("text", SHORT)
async def test_no_hostile_text_names_a_part_of_a_response(still_world: Still, text: str) -> None:
    asks = Both(still_world.api.services, still_world.viewers["doctor"])
    for document in (f"{{ {text}: me {{ id }} }}", f"{{ me {{ {text}x: id }} }}"):
        ours, theirs = await asks.ask(Operation(document, {}))
        assert ours == theirs
        body = json.loads(ours)
        if "data" in body:
            # What the grammar ignores ends the name: it is one of letters, digits and "_".
            (key,) = body["data"]
            assert re.fullmatch(r"[A-Za-z_]\w*", key, re.ASCII)
            continue
        codes = {error["extensions"]["code"] for error in body["errors"]}
        assert codes <= {"GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED"}

"""No injection: hostile texts in every place that takes a value are bound, or refused there.

Each text carries a mark, by which it is looked for in the statements of both databases. The places
are those that ``arguments`` finds in the schema: of lists, of lists within rows, and of groups. Of
the roles that see a place one tries it: how a value is taken does not depend on who gives it.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from typing import Any
from zlib import crc32

import pytest
from graphql import GraphQLEnumType, GraphQLInputObjectType, get_named_type

from execution.dialects import DIALECTS
from models.database import SQLITE, dialect
from models.role import Role
from resolvers.pages import signature
from schema.build import build
from schema.filters import Direction, order_terms
from schema.views import VIEWS
from tests.execution.arguments import Leaf, Taker, inputs, takers
from tests.execution.asking import Both
from tests.generated import Operation
from tests.schema.documents import NOWHERE
from tests.schema.sight import Snapshot
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
# What is refused is so whatever the text; these fit into a document many times.
HOSTILE = [*SHORT, *LONG[:4]]
CURSORS = ("after", "before")
# So many values are in one filter; what more steps lead to is deep, and asked for alone.
_AT_ONCE, _DEEPEST = 40, 6
# So many times a field is asked for in one document.
_REPEATED = 24
STAFF = (Role.DOCTOR, Role.NURSE, Role.ADMIN, Role.INSPECTOR, Role.OPERATOR)
ONE_EACH = [next(name for name, role in PEOPLE.items() if role is each) for each in Role]
still = pytest.mark.asyncio(loop_scope="module")


@cache
def _takers(name: str) -> list[Taker]:
    return list(takers(build().views[PEOPLE[name]].schema))


@cache
def _shares() -> dict[str, list[Taker]]:
    """The places of each role's reads that it tries, spread evenly over whoever sees them."""
    seen: defaultdict[tuple[str, str, str], list[str]] = defaultdict(list)
    for name in ONE_EACH:
        for taker in _takers(name):
            for leaf in taker.leaves:
                seen[taker.parent, taker.name, leaf.path].append(name)
    whose = {
        place: names[crc32(repr(place).encode()) % len(names)] for place, names in seen.items()
    }

    def own(name: str) -> Iterator[Taker]:
        for taker in _takers(name):
            of = (taker.parent, taker.name)
            leaves = tuple(leaf for leaf in taker.leaves if whose[*of, leaf.path] == name)
            yield replace(taker, leaves=leaves)

    shares = {name: list(own(name)) for name in ONE_EACH}
    assert sum(len(taker.leaves) for share in shares.values() for taker in share) == len(seen)
    return shares


def _is_bound(leaf: Leaf) -> bool:
    """Whether any text may stand there; what is neither bound nor a cursor takes only some."""
    return leaf.type.name == "String" and leaf.argument not in CURSORS


def _written(value: Any) -> str:
    """The literal of what a leaf gives; texts in it are literals already."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {_written(inner)}' for key, inner in value.items())}}}"
    return f"[{', '.join(map(_written, value))}]" if isinstance(value, list) else str(value)


def _either(given: Sequence[Any]) -> Any:
    return given[0] if len(given) == 1 else {"or": list(given)}


def _filters(taker: Taker) -> Iterator[tuple[str, list[Leaf]]]:
    """The leaves of a field that are bound, with their argument, as many as go into one."""
    for name in taker.field.args:
        leaves = [leaf for leaf in taker.leaves if leaf.argument == name and _is_bound(leaf)]
        yield from ((name, [leaf]) for leaf in leaves if len(leaf.steps) > _DEEPEST)
        near = [leaf for leaf in leaves if len(leaf.steps) <= _DEEPEST]
        yield from ((name, near[n : n + _AT_ONCE]) for n in range(0, len(near), _AT_ONCE))


def _asking(taker: Taker, argument: str, leaves: list[Leaf], number: int) -> Operation:
    """In turn: a text in all the leaves; another in each, in the document or in one variable."""
    if number % 3 == 0:
        alike = _written(_either([leaf.given("$h") for leaf in leaves]))
        text = taker.document([(argument, alike)], "$h: String!")
        return Operation(text, {"h": SHORT[number % len(SHORT)]})
    texts = [SHORT[(number + n) % len(SHORT)] for n in range(len(leaves))]
    if number % 3 == 1:
        literals = zip(leaves, map(json.dumps, texts), strict=True)
        apart = _written(_either([leaf.given(text) for leaf, text in literals]))
        return Operation(taker.document([(argument, apart)]), {})
    whole = _either([leaf.given(text) for leaf, text in zip(leaves, texts, strict=True)])
    declared = f"$f: {taker.field.args[argument].type}"
    return Operation(taker.document([(argument, "$f")], declared), {"f": whole})


async def asked_alike(asks: Both, operation: Operation, *, is_deep: bool = False) -> Any:
    """The answer, the same in both executors and no incident.

    What is not refused is one statement, which holds nothing of the text: it is bound. What is
    deep may be too much for SQLite's parser; then it is executed.
    """
    before = asks.plans
    ours, theirs = await asks.ask(operation)
    assert ours == theirs, operation
    body = json.loads(ours)
    codes = {error["extensions"]["code"] for error in body.get("errors", ())}
    assert "INTERNAL" not in codes, body
    if "data" not in body:
        return body
    assert asks.plans > before or (is_deep and dialect() == SQLITE), operation
    if asks.plans > before:
        for each in DIALECTS:
            plan, asking = asks.plan(operation, each)
            assert MARK.lower() not in plan.statement.sql.lower()
            assert any(MARK.lower() in str(value).lower() for value in plan.values(asking))
    return body


async def _is_unharmed(world: Still) -> bool:
    """Whether every row is as it was made."""

    def plain(rows: Snapshot) -> list[dict[str, Any]]:
        return [
            {name: getattr(row, name) for name in model._meta.fields_db_projection}
            for model, of in rows.rows.items()
            for row in sorted(of, key=lambda row: row.id)
        ]

    return plain(await Snapshot.read()) == plain(world.rows)


@pytest.mark.parametrize("name", ONE_EACH)
def test_every_argument_and_input_of_a_read_is_reached(name: str) -> None:
    found = _takers(name)
    reached = set[tuple[str, str]]().union(*(taker.reached for taker in found))
    assert reached == inputs(build().views[PEOPLE[name]].schema)
    parents = {taker.parent for taker in found}
    fields = {taker.name for taker in found if any(map(_is_bound, taker.leaves))}
    assert "dictionaryEntries" in fields
    assert ("practitionerGroups" in fields) is (PEOPLE[name] in (Role.ADMIN, Role.INSPECTOR))
    assert ("Department" in parents) is (PEOPLE[name] in STAFF)


@still
@pytest.mark.parametrize("name", ONE_EACH)
async def test_a_hostile_text_in_any_filter_is_bound(still_world: Still, name: str) -> None:
    asks = Both(still_world.api.services, still_world.viewers[name])
    number, bound, found = 0, 0, _shares()[name]
    for taker in found:
        for argument, leaves in _filters(taker):
            number += 1
            bound += len(leaves)
            is_deep = len(leaves[0].steps) > _DEEPEST
            body = await asked_alike(
                asks, _asking(taker, argument, leaves, number), is_deep=is_deep
            )
            assert "data" in body
            # Long ones are refused where the column is shorter: in some places, for their time.
            for n, leaf in enumerate(leaves[number % 16 :: 16]):
                text = taker.document([(argument, _written(leaf.given("$h")))], "$h: String!")
                operation = Operation(text, {"h": LONG[(number + n) % len(LONG)]})
                body = await asked_alike(asks, operation, is_deep=is_deep)
                if "data" not in body:
                    (error,) = body["errors"]
                    told = {"code": "FILTER_INVALID", "field": leaf.path}
                    assert error["extensions"] == told
    assert bound == sum(_is_bound(leaf) for taker in found for leaf in taker.leaves)
    assert await _is_unharmed(still_world)


# Nothing of these is run.
@pytest.mark.any_database
@still
@pytest.mark.parametrize("name", ONE_EACH)
async def test_a_hostile_text_anywhere_else_is_refused(still_world: Still, name: str) -> None:
    asks = Both(still_world.api.services, still_world.viewers[name])
    refused, number = 0, 0
    found = _shares()[name]
    for taker in found:
        for leaves, codes in _refused(taker):
            number += 1
            given = [
                (leaf, HOSTILE[(number * 7 + n) % len(HOSTILE)]) for n, leaf in enumerate(leaves)
            ]
            # Half of them in the document, half as whole arguments in variables.
            if number % 2:
                calls = [(leaf.argument, _written(leaf.given(json.dumps(h)))) for leaf, h in given]
                operation = Operation(taker.document(calls), {})
            else:
                calls = [(leaf.argument, f"$v{n}") for n, leaf in enumerate(leaves)]
                kinds = [taker.field.args[leaf.argument].type for leaf in leaves]
                declared = ", ".join(f"$v{n}: {kind}" for n, kind in enumerate(kinds))
                values = {f"v{n}": leaf.given(hostile) for n, (leaf, hostile) in enumerate(given)}
                operation = Operation(taker.document(calls, declared), values)
            body = await asked_alike(asks, operation)
            assert body.keys() == {"errors"}
            told = [error["extensions"] for error in body["errors"]]
            assert {each["code"] for each in told} <= codes, body
            assert {leaf.path for leaf in leaves} <= {each["field"] for each in told}
            refused += len(leaves)
    assert refused == sum(not _is_bound(leaf) for taker in found for leaf in taker.leaves)


def _refused(taker: Taker) -> Iterator[tuple[list[Leaf], set[str]]]:
    """The leaves that take no such text, some at a time, and the codes by which they say so."""
    ids = [leaf for leaf in taker.leaves if leaf.type.name == "ID"]
    cursors = [leaf for leaf in taker.leaves if len(leaf.steps) == 1 and leaf.argument in CURSORS]
    known = [*ids, *cursors]
    others = [leaf for leaf in taker.leaves if leaf not in known and not _is_bound(leaf)]
    for leaves, codes in (
        (known, {"ID_INVALID", "CURSOR_INVALID"}),
        (others, {"GRAPHQL_VALIDATION_FAILED", "BAD_USER_INPUT"}),
    ):
        for n in range(0, len(leaves), _REPEATED):
            yield leaves[n : n + _REPEATED], codes


@still
@pytest.mark.parametrize("name", ONE_EACH)
async def test_a_hostile_text_within_a_cursor_is_bound(still_world: Still, name: str) -> None:
    asks = Both(still_world.api.services, still_world.viewers[name])
    ordered, bound = 0, 0
    for taker in _takers(name):
        if "order" not in taker.field.args:
            continue
        type_ = get_named_type(taker.field.args["order"].type)
        assert isinstance(type_, GraphQLInputObjectType)
        columns = get_named_type(type_.fields["field"].type)
        assert isinstance(columns, GraphQLEnumType)
        view = VIEWS[type_.name.removesuffix("Order")]
        for n, (column, field) in enumerate(columns.values.items()):
            (term,) = order = order_terms(view, [{"field": field, "direction": Direction.ASC}])
            is_text = view.model._meta.fields_map[term.column].field_type is str
            ordered += is_text
            for argument in CURSORS:
                text = taker.document(
                    [(argument, f"$c, order: [{{field: {column}}}]")], "$c: String"
                )
                short = SHORT[n % len(SHORT)]
                for value, row, is_right in (
                    (short, NOWHERE, is_text),
                    (LONG[n % len(LONG)], NOWHERE, None),
                    (short, short, False),
                ):
                    written = [signature(order), value, row]
                    content = json.dumps(written, ensure_ascii=False, separators=(",", ":"))
                    cursor = content.encode().hex().upper()
                    body = await asked_alike(asks, Operation(text, {"c": cursor}))
                    assert is_right in (None, "data" in body), text
                    bound += "data" in body
                    if "data" not in body:
                        (error,) = body["errors"]
                        told = {"code": "CURSOR_INVALID", "field": argument}
                        assert error["extensions"] == told
    assert 0 < ordered * 2 <= bound
    assert await _is_unharmed(still_world)


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

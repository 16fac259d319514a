"""The matrix: every element of the schema × every role, asked for over HTTP.

What the committed matrix hides answers exactly as a name that never was; what it shows is known.
Nothing here runs: every document carries a name that is wrong for everybody.
"""

import re
from dataclasses import dataclass
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLObjectType,
    GraphQLSchema,
    get_introspection_query,
)

from core.translation import message
from models.role import Role
from schema.build import build
from schema.printing import permissions_of, printed
from schema.views import VIEWS
from tests.api import Api
from tests.schema.documents import InputPlace, client_schema, input_places, objects, places
from tests.schema.matrix import HIDDEN, PERMISSIONS, SCHEMA, SHOWN, Matrix, committed
from tests.world import ONE_EACH, World, token_of

pytestmark = pytest.mark.any_database

NONSENSE = "nonsuch"
WHOLE: GraphQLSchema = build().whole._schema


@dataclass
class Asking:
    """One role that asks, alone held."""

    api: Api
    token: str | None
    role: Role
    matrix: Matrix
    schema: GraphQLSchema

    async def messages(self, *documents: str) -> set[str]:
        """What is wrong with documents; none of them may run."""
        found = set()
        for document in documents:
            answer = await self.api.ask(document, self.token)
            assert "data" not in answer.body, document
            assert not any("availableIn" in e["extensions"] for e in answer.body["errors"])
            found |= {error["message"] for error in answer.body["errors"]}
        return found

    async def refused(self, code: str, *documents: str) -> set[str]:
        """The names in documents of one line that are answered with the text of a code."""
        found = set()
        for document in documents:
            answer = await self.api.ask(document, self.token)
            assert "data" not in answer.body, document
            for error in answer.body["errors"]:
                assert "availableIn" not in error["extensions"]
                if error["message"] == message("en", code):
                    name = re.match(r"\w+", document[error["locations"][0]["column"] - 1 :])
                    found.add(name[0] if name else "")
        return found

    def hides(self, type_name: str, element: str) -> bool:
        return self.matrix.mark(type_name, element, self.role) == HIDDEN


@pytest.fixture
async def asking(roomy: Api, populated: World) -> list[Asking]:
    found = []
    for name in ONE_EACH:
        person = populated.people[name]
        token = await token_of(roomy, person)
        schema = await client_schema(roomy, token, person.role)
        found.append(Asking(roomy, token, person.role, committed(), schema))
    return found


def test_the_committed_matrix_is_what_is_generated() -> None:
    assert PERMISSIONS.read_text(encoding="utf-8") == permissions_of(build())


def test_the_committed_schema_is_what_is_generated() -> None:
    assert SCHEMA.read_text(encoding="utf-8") == printed(build())


def test_the_matrix_lists_every_element_of_the_schema() -> None:
    matrix = committed()
    listed = {name: set(elements) for name, elements in matrix.elements.items()}
    whole = {
        name: set(type_.fields if hasattr(type_, "fields") else type_.values)
        for name, type_ in WHOLE.type_map.items()
        if isinstance(type_, GraphQLObjectType | GraphQLInputObjectType | GraphQLEnumType)
        and not name.startswith("__")
    }
    assert {name: len(elements) for name, elements in whole.items() if name in matrix.uniform} == (
        matrix.uniform
    )
    assert {n: e for n, e in whole.items() if n not in matrix.uniform} == listed


async def test_a_hidden_type_is_an_unknown_type(asking: list[Asking]) -> None:
    for one in asking:
        names = [name for name in WHOLE.type_map if not name.startswith("__")]
        marked = [name for name in names if name in one.matrix.types]
        declared = " ".join(f"$v{n}: {name}" for n, name in enumerate([*marked, "Nonsuch"]))
        messages = await one.messages(f"query ({declared}) {{ __typename {NONSENSE} }}")
        unknown = {m for m in messages if m.startswith("Unknown type")}
        hidden = [name for name in marked if one.matrix.type(name, one.role) == HIDDEN]
        assert unknown == {f"Unknown type '{name}'." for name in [*hidden, "Nonsuch"]}, one.role


async def test_a_hidden_field_is_an_unknown_field(asking: list[Asking]) -> None:
    for one in asking:
        for name, place in places(one.schema).items():
            if not place.path:
                continue  # operations are asked for one by one, below
            type_ = WHOLE.type_map[name]
            assert isinstance(type_, GraphQLObjectType)
            fields = [*type_.fields, NONSENSE]
            messages = await one.messages(place.document(" ".join(fields)))
            unknown = {m for m in messages if m.startswith("Cannot query field")}
            hidden = [field for field in type_.fields if one.hides(name, field)]
            assert unknown == {
                f"Cannot query field '{field}' on type '{name}'." for field in [*hidden, NONSENSE]
            }, (one.role, name)


async def test_every_type_that_the_matrix_shows_can_be_reached(asking: list[Asking]) -> None:
    for one in asking:
        reached = {*places(one.schema), *input_places(one.schema)}
        shown = {name for name in one.matrix.types if one.matrix.type(name, one.role) != HIDDEN}
        unreached = {
            name
            for name in shown - reached
            # An enum may stand in outputs alone.
            if not isinstance(WHOLE.type_map[name], GraphQLEnumType)
        }
        # What the matrix says of a view is which rows; a view may have no way to it for a role.
        assert {name for name in unreached if name not in VIEWS} == set(), one.role
        assert reached <= shown, one.role


async def test_a_hidden_operation_is_an_unknown_operation(asking: list[Asking]) -> None:
    for one in asking:
        for operation, root in (
            ("query", WHOLE.query_type),
            ("mutation", WHOLE.mutation_type),
            ("subscription", WHOLE.subscription_type),
        ):
            assert root is not None
            for field in root.fields:
                invented = await one.messages(f"{operation} {{ {NONSENSE} {{ a {{ b }} }} }}")
                messages = await one.messages(f"{operation} {{ {field} {{ a {{ b }} }} }}")
                same = {m.replace(NONSENSE, field) for m in invented}
                assert (messages == same) == one.hides(root.name, field), (one.role, field)


async def test_a_hidden_input_field_is_an_unknown_input_field(asking: list[Asking]) -> None:
    for one in asking:
        for name, place in _inputs(one, GraphQLInputObjectType):
            type_ = WHOLE.type_map[name]
            assert isinstance(type_, GraphQLInputObjectType)
            fields = [*type_.fields, NONSENSE]
            documents = place.documents([f"{{{f}: null}}" for f in fields])
            hidden = {field for field in type_.fields if one.hides(name, field)}
            unknown = await one.refused("FIELD_UNKNOWN", *documents)
            assert unknown == {*hidden, NONSENSE}, (one.role, name)


async def test_a_hidden_enum_value_is_an_unknown_value(asking: list[Asking]) -> None:
    for one in asking:
        for name, place in _inputs(one, GraphQLEnumType):
            type_ = WHOLE.type_map[name]
            assert isinstance(type_, GraphQLEnumType)
            documents = place.documents([*type_.values, NONSENSE])
            hidden = {value for value in type_.values if one.hides(name, value)}
            unknown = await one.refused("BAD_USER_INPUT", *documents)
            assert unknown == {*hidden, NONSENSE}, (one.role, name)


async def test_a_hidden_enum_value_in_a_variable_is_an_unknown_value(asking: list[Asking]) -> None:
    for one in asking:
        for name in ("ShiftKind", "ApplicationKind"):
            # A role may know the values, and nothing to filter by them.
            field, argument = "shifts" if name == "ShiftKind" else "applications", "filter"
            if one.matrix.mark("Query", field, one.role) == HIDDEN:
                field, argument = f"{field[:-1]}Groups", "only"
            if one.matrix.mark("Query", field, one.role) == HIDDEN:
                continue
            type_ = WHOLE.type_map[name]
            assert isinstance(type_, GraphQLEnumType)
            for value in type_.values:
                document = f"query ($v: {name}!) {{ __typename }}"
                # An unused variable stops the document before its values are read.
                document = (
                    f"query ($v: {name}!) {{ {field}({argument}: {{kind: {{eq: $v}}}}) "
                    "{ totalCount } }"
                )
                answers = [await one.api.ask(document, one.token, v=v) for v in (value, NONSENSE)]
                hidden, invented = (str(answer.body) for answer in answers)
                alike = hidden == invented.replace(NONSENSE, value)
                assert alike == one.hides(name, value), (one.role, value)


async def test_only_what_every_row_shows_unmasked_filters_and_orders(asking: list[Asking]) -> None:
    """A filter or an order by a hidden, masked or narrowed field would tell its values."""
    for one in asking:
        told = []
        for name in VIEWS:
            filters = one.schema.type_map.get(f"{name}Filter")
            orders = one.schema.type_map.get(f"{name}OrderField")
            names = [n for n in getattr(filters, "fields", {}) if n not in ("and", "or", "not")]
            names += [value.lower().replace("_", "") for value in getattr(orders, "values", {})]
            marks = {
                key.lower(): by_role[one.role] for key, by_role in one.matrix.elements[name].items()
            }
            told += [f"{name}.{n}" for n in names if marks[n.lower()] != SHOWN]
        assert told == [], one.role


async def test_a_held_role_that_has_a_denied_name_is_told(roomy: Api, populated: World) -> None:
    person = populated.people["doctor"]
    token = await token_of(roomy, person)
    for document, held in (
        ("{ me { createdAt } }", ["ADMIN"]),
        ("mutation { approveShift { errors { code } } }", ["ADMIN"]),
        ("{ practitioners(filter: {snils: {eq: null}}) { totalCount } }", ["ADMIN"]),
        ("{ practitioners(order: {field: BIRTH_DATE}) { totalCount } }", ["ADMIN"]),
        ("query ($v: CreateCourseInput) { __typename }", ["ADMIN"]),
        # The inspector has it, and the caller is none.
        ("{ auditTrail { nodes { hash } } }", None),
        ("{ me { nonsuch } }", None),
    ):
        errors = (await roomy.ask(document, token)).body["errors"]
        told = [e["extensions"].get("availableIn") for e in errors]
        assert (held in told) if held else told == [None], document


async def test_introspection_tells_what_the_matrix_tells(asking: list[Asking]) -> None:
    for one in asking:
        for name in objects(one.schema):
            type_ = one.schema.type_map[name]
            assert isinstance(type_, GraphQLObjectType)
            whole = WHOLE.type_map[name]
            assert isinstance(whole, GraphQLObjectType)
            shown = {field for field in whole.fields if not one.hides(name, field)}
            assert set(type_.fields) == shown, (one.role, name)


async def test_introspection_is_not_limited_away(asking: list[Asking]) -> None:
    for one in asking:
        answer = await one.api.ask(get_introspection_query(), one.token)
        assert answer.status == 200 and answer.codes == []


def _inputs(one: Asking, kind: Any) -> list[tuple[str, InputPlace]]:
    """The inputs or enums that a role can write, and where."""
    return [
        (name, place)
        for name, place in input_places(one.schema).items()
        if isinstance(one.schema.type_map[name], kind)
    ]

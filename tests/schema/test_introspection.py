"""Introspection and messages: nothing hidden is told, directly or by a suggestion."""

import json
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLObjectType,
    get_introspection_query,
)

from models.role import Role
from schema.build import build
from schema.rules import declared
from tests.api import Api
from tests.schema.documents import client_schema, objects
from tests.world import ONE_EACH, World, token_of

pytestmark = pytest.mark.any_database

WHOLE = build().whole._schema
STANDARD = {"include", "skip", "deprecated", "specifiedBy", "oneOf"}


@pytest.fixture
async def tokens(roomy: Api, populated: World) -> dict[Role, str | None]:
    """A token of each role."""
    people = [populated.people[name] for name in ONE_EACH]
    return {person.role: await token_of(roomy, person) for person in people}


async def test_introspection_holds_what_is_declared_for_the_role(
    roomy: Api, tokens: dict[Role, str | None]
) -> None:
    for role, token in tokens.items():
        schema = await client_schema(roomy, token, role)
        for name, type_ in schema.type_map.items():
            whole = WHOLE.type_map[name]
            if name.startswith("__"):
                continue
            if isinstance(type_, GraphQLObjectType | GraphQLInputObjectType):
                assert declared(whole).allows(role), (role, name)
                for key in type_.fields:
                    field = whole.fields[key]  # type: ignore[attr-defined]  # of the same kind
                    assert declared(field).allows(role), (role, f"{name}.{key}")
            if isinstance(type_, GraphQLEnumType) and isinstance(whole, GraphQLEnumType):
                for key, value in whole.values.items():
                    rules = declared(value)
                    shown = not rules.declared or rules.allows(role)
                    assert (key in type_.values) == shown, (role, f"{name}.{key}")


async def test_introspection_is_silent_about_the_rules(
    roomy: Api, tokens: dict[Role, str | None]
) -> None:
    for role, token in tokens.items():
        answer = await roomy.ask(get_introspection_query(), token)
        names = {directive["name"] for directive in answer.data["__schema"]["directives"]}
        assert names - STANDARD == {"ifVisible"}, role
        types = {type_["name"] for type_ in answer.data["__schema"]["types"]}
        assert "Scope" not in types, role
        assert "visible(" not in json.dumps(answer.body), role


async def test_a_type_asked_for_by_name_is_hidden_too(
    roomy: Api, tokens: dict[Role, str | None]
) -> None:
    for role, token in tokens.items():
        schema = await client_schema(roomy, token, role)
        names = [name for name in WHOLE.type_map if not name.startswith("__")]
        told = set()
        # A hundred at a time: more fields of one name are over a limit.
        for part in (names[n : n + 100] for n in range(0, len(names), 100)):
            asked = " ".join(f'{name}: __type(name: "{name}") {{ name }}' for name in part)
            answer = await roomy.ask(f"{{ {asked} }}", token)
            told |= {name for name, type_ in answer.data.items() if type_ is not None}
        assert told == {name for name in names if name in schema.type_map}, role


# Documents with a name that is near a hidden one, in every place where a name may stand.
NEAR = {
    "field": "{ practitioners { nodes { % } } }",
    "root field": "{ % }",
    "argument": "{ practitioners(%: 1) { totalCount } }",
    "input field": "{ practitioners(filter: {%: null}) { totalCount } }",
    "enum value": "{ shifts(filter: {kind: {eq: %}}) { totalCount } }",
    "order": "{ practitioners(order: {field: %}) { totalCount } }",
    "application kind": "{ applications(filter: {kind: {eq: %}}) { totalCount } }",
    "type of a variable": "query ($v: %) { viewer { activeRole } }",
    "type condition": "{ viewer { ... on % { __typename } } }",
    "mutation": "mutation { % }",
    "subscription": "subscription { % }",
    "directive": "{ viewer @% { activeRole } }",
    "fragment": "{ viewer { ...% } }",
}
HIDDEN_NAMES = [
    "snils",
    "snil",
    "birthDate",
    "birthDat",
    "inn",
    "passpor",
    "prescriberCode",
    "createdAt",
    "hash",
    "previousHash",
    "number",
    "auditTrail",
    "auditTrai",
    "approveShift",
    "approveShif",
    "grantRole",
    "createPractitioner",
    "shiftChange",
    "HOME_DUTY",
    "HOME_DUT",
    "CONSULTATION",
    "BIRTH_DATE",
    "BIRTH_DAT",
    "CREATED_A",
    "PRESCRIBER_COD",
    "NURSING_PERMI",
    "CreateCourseInput",
    "CreateCourseInpu",
    "AuditEntr",
    "AuditEntry",
    "RoleGrantFilter",
    "visible",
    "visibl",
    "masked",
]


async def test_a_near_miss_is_told_as_nonsense_is(
    roomy: Api, tokens: dict[Role, str | None]
) -> None:
    for role in (Role.NURSE, Role.VISITOR):
        token = tokens[role]
        coordinates = build().views[role].coordinates
        names = {part for c in coordinates for part in c.replace("(", ".").split(".")}
        names |= {name.rstrip(":)") for name in names}
        for place, document in NEAR.items():
            nonsense = await _messages(roomy, token, document.replace("%", "zzzqqq"))
            for name in HIDDEN_NAMES:
                if name in names:
                    continue  # it exists for this role, here or elsewhere
                told = await _messages(roomy, token, document.replace("%", name))
                expected = [message.replace("zzzqqq", name) for message in nonsense]
                assert told == expected, (role, place, name)


@pytest.mark.parametrize(
    ("declared_as", "argument", "near", "nonsense"),
    [
        ("PractitionerFilter", "filter", {"snil": None}, {"zzzqqq": None}),
        ("PractitionerFilter", "filter", {"birthDate": None}, {"zzzqqq": None}),
        (
            "[PractitionerOrder!]",
            "order",
            [{"field": "CREATED_AT"}],
            [{"field": "zzzqqq"}],
        ),
        ("PractitionerFilter", "filter", {"shifts": {"kind": {"eq": "HOME_DUTY"}}}, None),
    ],
)
async def test_values_of_variables_get_no_suggestions(
    roomy: Api,
    tokens: dict[Role, str | None],
    declared_as: str,
    argument: str,
    near: Any,
    nonsense: Any,
) -> None:
    query = f"query ($v: {declared_as}) {{ practitioners({argument}: $v) {{ totalCount }} }}"
    told = (await roomy.ask(query, tokens[Role.NURSE], v=near)).body
    if nonsense is None:
        nonsense = {"shifts": {"kind": {"eq": "zzzqqq"}}}
    unknown = (await roomy.ask(query, tokens[Role.NURSE], v=nonsense)).body
    name = next(n for n in ("snil", "birthDate", "CREATED_AT", "HOME_DUTY") if n in str(near))
    assert "errors" in told
    assert json.dumps(told) == json.dumps(unknown).replace("zzzqqq", name)
    assert "Did you mean" not in json.dumps(told)


async def test_no_description_names_what_is_hidden(
    roomy: Api, tokens: dict[Role, str | None]
) -> None:
    schema = await client_schema(roomy, tokens[Role.NURSE], Role.NURSE)
    hidden = {"HOME_DUTY", "CONSULTATION", "PRESCRIBING_RIGHTS", "prescriberCode"}
    told = {
        (name, word)
        for name, type_ in objects(schema).items()
        for text in [type_.description or "", *(f.description or "" for f in type_.fields.values())]
        for word in hidden
        if word in text
    }
    assert told == set()


async def _messages(api: Api, token: str | None, document: str) -> list[str]:
    body = (await api.ask(document, token)).body
    messages = [error["message"] for error in body["errors"]]
    assert not any("Did you mean" in m and "{ ... }" not in m for m in messages), messages
    return messages

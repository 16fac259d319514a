"""The example operations of the GraphiQL page: each is valid for its role and does what it says."""

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLInputType,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    get_named_type,
    is_input_object_type,
    parse,
    type_from_ast,
    validate,
)

from core.clock import utc_now
from execution.if_visible import without_invisible
from models.account import Account, AccountState
from models.role import Role
from resolvers.demo import load_demo
from schema.build import build
from tests.api import Api

EXAMPLES = Path(__file__).parents[2] / "web" / "examples"
FILES = sorted(EXAMPLES.glob("*/*.graphql"))
CYRILLIC = re.compile("[а-яё]", re.IGNORECASE)
MOMENT = re.compile(r"(now|today)(?: \+ (\d+) days)?")

HEROES = {
    Role.CITIZEN: "citizen",
    Role.DOCTOR: "doctor",
    Role.NURSE: "nurse",
    Role.ADMIN: "head",
    Role.ANALYST: "analyst",
    Role.INSPECTOR: "inspector",
    Role.OPERATOR: "operator",
}
"""Whose demo account tries the examples of a role."""

PROBLEMS = {
    "ADMIN/06-create-practitioner": ["SNILS_CHECKSUM", "INN_CHECKSUM", "PHONE_INVALID"],
    "VISITOR/03-sign-in": ["REQUIRED"],
}
"""The examples that are there to be refused; every other is done."""


def name_of(file: Path) -> str:
    return f"{file.parent.name}/{file.stem}"


def schema_for(file: Path) -> GraphQLSchema:
    return build().views[Role(file.parent.name)].schema


def text_of(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def document_of(file: Path) -> DocumentNode:
    document = parse(text_of(file))
    return without_invisible(schema_for(file), document, operation_of(document), {})


def operation_of(document: DocumentNode) -> OperationDefinitionNode:
    (operation,) = (
        node for node in document.definitions if isinstance(node, OperationDefinitionNode)
    )
    return operation


def variables_of(file: Path) -> dict[str, Any]:
    """The variables as they stand in the file: with moments and queries in place of values."""
    path = file.with_suffix(".json")
    variables: dict[str, Any] = json.loads(text_of(path)) if path.exists() else {}
    return variables


def queries_in(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [query for inner in value.values() for query in queries_in(inner)]
    return [value] if isinstance(value, str) and value.startswith("{ ") else []


def moment(text: str) -> str:
    found = MOMENT.fullmatch(text)
    if found is None:
        return text
    at = utc_now() + timedelta(days=int(found[2] or 0))
    return at.strftime("%Y-%m-%d" if found[1] == "today" else "%Y-%m-%dT%H:%M:%SZ")


def unknown_keys(value: Any, type_: GraphQLInputType, path: str) -> list[str]:
    """The places in a variable that its type has no field for."""
    named = get_named_type(type_)
    if not isinstance(value, dict) or not is_input_object_type(named):
        return []
    return [
        place
        for key, inner in value.items()
        for place in (
            unknown_keys(inner, named.fields[key].type, f"{path}.{key}")
            if key in named.fields
            else [f"{path}.{key}"]
        )
    ]


@pytest.mark.any_database
@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_example_opens_with_its_title_in_russian_and_in_english(file: Path) -> None:
    russian, english = text_of(file).splitlines()[:2]

    assert russian.startswith("# ")
    assert CYRILLIC.search(russian)
    assert english.startswith("# ")
    assert not CYRILLIC.search(english)


@pytest.mark.any_database
@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_example_is_valid_in_the_schema_of_its_role(file: Path) -> None:
    schema, document = schema_for(file), document_of(file)

    errors: list[GraphQLError] = validate(schema, document)

    assert [error.message for error in errors] == []


@pytest.mark.any_database
@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_variables_of_an_example_are_those_that_it_declares(file: Path) -> None:
    schema, variables = schema_for(file), variables_of(file)
    declared: dict[str, Any] = {
        node.variable.name.value: type_from_ast(schema, node.type)
        for node in operation_of(document_of(file)).variable_definitions or ()
    }

    assert set(variables) <= set(declared)
    for name, value in variables.items():
        assert unknown_keys(value, declared[name], name) == []
    for query in queries_in(variables):
        query = query.replace('"now"', f'"{moment("now")}"')
        assert [error.message for error in validate(schema, parse(query))] == []


@pytest.mark.any_database
def test_every_role_has_examples_to_try() -> None:
    counts = {role.value: len(list((EXAMPLES / role.value).glob("*.graphql"))) for role in Role}

    assert {role: count for role, count in counts.items() if count < 2} == {}
    assert {path.name for path in EXAMPLES.iterdir()} == set(counts)


@pytest.mark.any_database
@pytest.mark.parametrize("file", sorted(EXAMPLES.glob("*/*.json")), ids=name_of)
def test_variables_stand_beside_an_operation(file: Path) -> None:
    assert file.with_suffix(".graphql").exists()


async def unhashed(_password: str) -> str:
    """Nobody signs in with a password here, so none has to be hashed."""
    return ""


async def filled(value: Any, api: Api, token: str | None) -> Any:
    """The variables as the page fills them in: moments from today, ids from answers."""
    if isinstance(value, dict):
        return {key: await filled(inner, api, token) for key, inner in value.items()}
    if not isinstance(value, str) or not value.startswith("{ "):
        return moment(value) if isinstance(value, str) else value
    found = (await api.ask(value.replace('"now"', f'"{moment("now")}"'), token)).data
    while isinstance(found, dict | list):
        found = next(iter(found.values() if isinstance(found, dict) else found), None)
    return found


async def codes_of(file: Path, api: Api, token: str | None) -> list[str]:
    """The codes of everything that is wrong with the answer; it must hold data."""
    body = {
        "query": text_of(file),
        "variables": await filled(variables_of(file), api, token),
    }
    headers = {"authorization": f"Bearer {token}"} if token else {}
    answer = (await api.client.post("/graphql", json=body, headers=headers)).json()
    assert "errors" not in answer, answer
    (root,) = list(answer["data"].values())[:1]
    problems = root.get("errors", []) if isinstance(root, dict) else []
    return [problem["code"] for problem in problems]


async def signed_in(api: Api, role: Role) -> str | None:
    """A token of the demo account that an example of the role is for."""
    accounts = await load_demo(gate=api.services.gate, now=utc_now(), hash_password=unhashed)
    if role is Role.VISITOR:
        return None
    (account,) = (one for one in accounts if one.login.startswith(f"{HEROES[role]}@"))
    return await api.token(await Account.get(email=account.login), role)


@pytest.mark.parametrize("role", list(Role), ids=lambda role: role.value)
async def test_examples_of_a_role_do_what_they_say_on_the_demo(api: Api, role: Role) -> None:
    token = await signed_in(api, role)
    # The demo has nobody locked out, and one example lets somebody in again.
    if role is Role.OPERATOR:
        await Account.filter(email__startswith="nurse@").update(state=AccountState.LOCKED)
    files = [
        file
        for file in FILES
        if file.parent.name == role.value
        and operation_of(document_of(file)).operation is not OperationType.SUBSCRIPTION
    ]

    found = {name_of(file): await codes_of(file, api, token) for file in files}

    assert found == {name_of(file): PROBLEMS.get(name_of(file), []) for file in files}

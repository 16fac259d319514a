"""Proofs: what an operation needs is asked of whoever sends it, before anything of it runs.

Generated operations of accounts that are not confirmed: both executors answer alike, and what is
answered comes from no statement that reads a licence or a schedule. Then every field by itself,
against the committed list.
"""

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from graphql import GraphQLObjectType, OperationType, get_named_type

from auth.viewer import Viewer
from core.errors import Problem
from execution.engine import Engine
from execution.problems import Refused
from execution.requests import Request
from execution.shape import NotPlannable
from models.database import dialect
from models.role import Role
from schema.build import build
from tests.execution.asking import Both, Executors, documents
from tests.factories import NOW
from tests.generated import Operation
from tests.schema.conftest import ROOMY
from tests.schema.documents import NOWHERE, Place, literal, places
from tests.schema.matrix import PERMISSIONS
from tests.still import Still
from tests.world import ONE_EACH

# What a proof is asked for, the schema says, and no database.
pytestmark = [
    pytest.mark.any_database,
    pytest.mark.asyncio(loop_scope="module"),
    # Where one of several fields fails, graphql-core drops the coroutines of the others.
    pytest.mark.filterwarnings(
        "ignore::pytest.PytestUnraisableExceptionWarning", "ignore:coroutine:RuntimeWarning"
    ),
]
DOCUMENTS = 40
PEOPLE = {
    Role.DOCTOR: "doctor",
    Role.NURSE: "nurse",
    Role.ADMIN: "admin",
    Role.INSPECTOR: "inspector",
    Role.ANALYST: "analyst",
}
# DOMAIN A3: licences and schedule, by the names of their tables.
_GUARDED = re.compile(r'"(licence|shift|day_wish)"')


def unconfirmed(viewer: Viewer) -> Viewer:
    return viewer._replace(is_confirmed=False)


def codes(body: dict[str, Any]) -> list[str]:
    return [error["extensions"]["code"] for error in body.get("errors", [])]


def reads_what_is_guarded(person: Both, operation: Operation) -> bool:
    """Whether the statement of an operation reads such rows; not where it has no statement."""
    try:
        plan, _ = person.plan(operation, dialect())
    except (NotPlannable, Refused, Problem):
        return False
    return _GUARDED.search(plan.statement.sql) is not None


@pytest.mark.parametrize("role", PEOPLE)
async def test_an_unconfirmed_account_is_answered_from_what_is_not_guarded(
    still_world: Still, role: Role
) -> None:
    executors, viewer = Executors(), still_world.viewers[PEOPLE[role]]
    services = still_world.api.services
    confirmed = Both(services, viewer, executors)
    bare = Both(services, unconfirmed(viewer), executors)
    refused = answered = 0

    for _, operations in documents(role, still_world.rows, DOCUMENTS):
        for operation in operations[:2]:
            ours, theirs = await bare.ask(operation)
            assert ours == theirs, operation
            is_refused = "ACCOUNT_UNCONFIRMED" in codes(json.loads(ours))
            # Of a list asked for its name alone, no row is read.
            assert is_refused or not reads_what_is_guarded(confirmed, operation), operation
            refused += is_refused
            if not is_refused:
                answered += 1
                assert ours == await confirmed.planned(operation), operation

    assert refused > DOCUMENTS // 10
    assert answered > DOCUMENTS // 10


async def test_a_confirmed_account_is_never_refused(still_world: Still) -> None:
    person = Both(still_world.api.services, still_world.viewers["doctor"])

    for _, operations in documents(Role.DOCTOR, still_world.rows, DOCUMENTS):
        body = json.loads(await person.planned(operations[0]))
        assert "ACCOUNT_UNCONFIRMED" not in codes(body)


def listed(title: str) -> set[str]:
    """The coordinates that the committed matrix lists behind a proof."""
    text = PERMISSIONS.read_text(encoding="utf-8")
    section = text.split("## What must be proved, in any role")[1].split("\n## ")[0]
    (line,) = (line for line in section.splitlines() if line.startswith(f"- {title}: "))
    return set(re.findall(r"`([\w.]+)`", line))


async def test_what_is_listed_is_what_the_domain_names() -> None:
    guarded = listed("a confirmed account")
    assert {"Query.licences", "Query.shifts", "Practitioner.workedTime"} <= guarded
    assert {"Mutation.requestShift", "Subscription.shiftChanged"} <= guarded
    assert not {name for name in guarded if re.search("(?i)course|account|session|position", name)}
    # What is handed in, and how an account is opened.
    assert listed("a factor shown within 10 minutes") == {"Mutation.submitApplication"}
    assert listed("a factor shown again within 10 minutes") == {
        f"Mutation.{name}"
        for name in (
            *("beginTotp", "enableTotp", "disableTotp", "setSmsFactor", "createRecoveryCodes"),
            *("changePassword", "beginContactChange", "changeContact", "stateIdentity"),
            *("beginPasskey", "removePasskey", "beginEsiaLinking", "unlinkEsia"),
            *("endSession", "endOtherSessions"),
        )
    }
    # The way to Gosuslugi and back began with one.
    assert listed("a factor shown again within 20 minutes") == {"Mutation.linkEsia"}


def _types_on(schema: Any, place: Place) -> list[str]:
    """The coordinates of the fields that lead to a place."""
    type_ = schema.get_root_type(OperationType(place.operation))
    found = []
    for step in place.path:
        name = re.split(r"\W", step, maxsplit=1)[0]
        found.append(f"{type_.name}.{name}")
        type_ = get_named_type(type_.fields[name].type)
    return found


@pytest.mark.parametrize("name", ONE_EACH)
async def test_every_field_by_itself_needs_what_is_listed(still_world: Still, name: str) -> None:
    viewer = unconfirmed(still_world.viewers[name])
    schema, guarded = build().views[viewer.role].schema, listed("a confirmed account")
    engine, context = Engine(build(), ROOMY), still_world.api.services.context
    tried = 0
    for type_name, place in places(schema).items():
        type_ = schema.type_map[type_name]
        assert isinstance(type_, GraphQLObjectType)
        above = _types_on(schema, place)
        for field_name, field in type_.fields.items():
            document = place.document(_field(field_name, field))
            is_guarded = bool(guarded & {*above, f"{type_name}.{field_name}"})
            asked = Request(document)
            found = await _refusals(engine, asked, context(viewer))
            assert ("ACCOUNT_UNCONFIRMED" in found) is is_guarded, document
            tried += 1
    assert tried > 20


def _field(name: str, field: Any) -> str:
    required = ", ".join(
        f"{key}: {literal(argument)}"
        for key, argument in field.args.items()
        if str(argument.type).endswith("!")
    )
    inner = " { __typename }" if isinstance(get_named_type(field.type), GraphQLObjectType) else ""
    return f"{name}{f'({required})' if required else ''}{inner}"


async def _refusals(engine: Engine, request: Request, context: Any) -> list[str]:
    """The codes with which an operation is refused; a mutation that is not does not run."""
    prepared = engine.documents.prepare(request, context)
    if prepared.operation.operation.value == "query":
        return codes((await engine.execute(request, context)).body)
    try:
        engine.documents.check_proofs(prepared, {}, context)
    except Refused as refused:
        found = [error["extensions"]["code"] for error in refused.errors]
        if prepared.operation.operation.value == "subscription":
            with pytest.raises(Refused):
                await engine.subscribe(request, context)
        else:
            assert codes((await engine.execute(request, context)).body) == found
        return found
    return []


async def ask(
    still_world: Still, document: str, viewer: Viewer, **variables: Any
) -> dict[str, Any]:
    """What both executors answer."""
    context = still_world.api.services.context
    answers = [
        await Engine(build(), ROOMY, planned=planned).execute(
            Request(document, variables), context(viewer)
        )
        for planned in (True, False)
    ]
    assert answers[0].body == answers[1].body
    return answers[0].body


async def test_the_error_tells_the_code_at_the_path_of_the_field(still_world: Still) -> None:
    viewer = unconfirmed(still_world.viewers["doctor"])

    body = await ask(
        still_world,
        "{ me { id papers: licences { nodes { id specialty { name } } } } shifts { totalCount } }",
        viewer,
    )

    assert body == {
        "errors": [
            {
                "message": "The account is not confirmed. Confirm it with a code by SMS or e-mail, "
                "or at a service centre.",
                "locations": [{"line": 1, "column": 11}],
                "path": ["me", "papers"],
                "extensions": {"code": "ACCOUNT_UNCONFIRMED"},
            },
            {
                "message": "The account is not confirmed. Confirm it with a code by SMS or e-mail, "
                "or at a service centre.",
                "locations": [{"line": 1, "column": 66}],
                "path": ["shifts"],
                "extensions": {"code": "ACCOUNT_UNCONFIRMED"},
            },
        ]
    }


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ("{ me { ...F } } fragment F on Practitioner { ...G } "
         "fragment G on Practitioner { shifts { totalCount } }", ["me", "shifts"]),
        ("{ me { ... on Practitioner { ... { dayWishes { totalCount } } } } }",
         ["me", "dayWishes"]),
        ("query ($on: Boolean = true) { me { id licences @include(if: $on) { totalCount } } }",
         ["me", "licences"]),
        ("{ practitioners(filter: {licences: {kind: {eq: ACCREDITATION}}}) { totalCount } }",
         ["practitioners"]),
        ("{ practitioners(filter: {not: {and: [{shifts: {}}]}}) { totalCount } }",
         ["practitioners"]),
        ("{ p: practitioners(filter: {department: {shifts: {}}}) { totalCount } }", ["p"]),
        ("{ me { lastName department { shifts { totalCount } } } }",
         ["me", "department", "shifts"]),
        ('{ me { workedTime(from: "2026-01-01", to: "2026-02-01") { hours } } }',
         ["me", "workedTime"]),
    ],
)  # fmt: skip
async def test_no_way_leads_around_it(still_world: Still, document: str, path: list[str]) -> None:
    viewer = still_world.viewers["doctor"]

    refused = await ask(still_world, document, unconfirmed(viewer))

    assert [(e["extensions"]["code"], e["path"]) for e in refused["errors"]] == [
        ("ACCOUNT_UNCONFIRMED", path)
    ]
    assert "data" not in refused
    assert (await ask(still_world, document, viewer)).get("data") is not None


@pytest.mark.parametrize(
    "document",
    [
        "{ me { lastName } viewer { account { confirmedAt } } courses { totalCount } }",
        "query ($on: Boolean = false) { me { id licences @include(if: $on) { totalCount } } }",
        "{ me { id licences @skip(if: true) { totalCount } } }",
        "{ practitioners(filter: {licences: null, lastName: {contains: \"а\"}}) { totalCount } }",
        "{ __type(name: \"Licence\") { fields { name } } }",
    ],
)  # fmt: skip
async def test_what_touches_nothing_of_it_is_answered(still_world: Still, document: str) -> None:
    viewer = still_world.viewers["doctor"]

    bare = await ask(still_world, document, unconfirmed(viewer))

    assert "errors" not in bare
    assert bare == await ask(still_world, document, viewer)


@pytest.mark.parametrize(
    ("field", "variables", "is_refused"),
    [
        ("practitioners(filter: $f)", {"f": {"licences": {}}}, True),
        ("practitioners(filter: $f)", {"f": {"or": [{"and": [{"shifts": {}}]}]}}, True),
        ("practitioners(filter: {or: [$g]})", {"g": {"not": {"dayWishes": {}}}}, True),
        ("practitioners(filter: {licences: $l})", {"l": {"kind": {"in": []}}}, True),
        ("practitioners(filter: $f)", {"f": {"lastName": {"in": ["Ёлкина"]}}}, False),
        ("practitioners(filter: $f)", {"f": {"licences": None}}, False),
        ("practitioners(filter: $f)", {}, False),
    ],
)
async def test_a_filter_in_a_variable_is_looked_at(
    still_world: Still, field: str, variables: dict[str, Any], is_refused: bool
) -> None:
    viewer = still_world.viewers["doctor"]
    used = [name for name in ("f", "g", "l") if f"${name}" in field]
    types = {"f": "PractitionerFilter", "g": "PractitionerFilter!", "l": "LicenceFilter"}
    declared = ", ".join(f"${name}: {types[name]}" for name in used)
    document = f"query ({declared}) {{ {field} {{ totalCount }} }}"

    bare = await ask(still_world, document, unconfirmed(viewer), **variables)

    assert ("ACCOUNT_UNCONFIRMED" in codes(bare)) is is_refused
    whole = await ask(still_world, document, viewer, **variables)
    assert "errors" not in whole
    assert is_refused or whole == bare


@pytest.mark.parametrize(
    ("shown", "found"),
    [(timedelta(0), []), (timedelta(minutes=9, seconds=59), []),
     (timedelta(minutes=10), ["FACTOR_NOT_FRESH"]), (None, ["FACTOR_NOT_FRESH"])],
)  # fmt: skip
async def test_submitting_needs_a_factor_of_the_last_ten_minutes(
    still_world: Still, shown: timedelta | None, found: list[str]
) -> None:
    factor_at = None if shown is None else NOW - shown
    viewer = still_world.viewers["citizen"]._replace(now=NOW, factor_at=factor_at)
    document = f'mutation {{ submitApplication(id: "{NOWHERE}") {{ errors {{ code }} }} }}'

    engine = Engine(build(), ROOMY)
    body = (await engine.execute(Request(document), still_world.api.services.context(viewer))).body

    assert codes(body) == found
    if found:
        (error,) = body["errors"]
        assert error["path"] == ["submitApplication"]
        assert error["extensions"] == {"code": "FACTOR_NOT_FRESH", "minutes": 10}
        assert "10 min" in error["message"]
    else:
        assert body["data"]["submitApplication"]["errors"] == [{"code": "NOT_FOUND"}]


async def test_needs_are_found_once_for_a_document(still_world: Still) -> None:
    documents = Engine(build(), ROOMY).documents
    context = still_world.api.services.context(still_world.viewers["doctor"])
    guarded = Request("{ licences { totalCount } }")
    free = Request("{ courses { totalCount } }")

    needs = documents.prepare(guarded, context).inputs.running({}).needs
    assert [need.path for need in needs] == [("licences",)]
    assert documents.prepare(guarded, context).inputs.running({}).needs is needs
    assert documents.prepare(free, context).inputs.running({}).needs == ()

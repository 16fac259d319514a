"""@ifVisible: one document for every role; a hidden name and an invented one behave alike."""

from typing import Any

import pytest

from models.role import Role
from tests.api import Api
from tests.world import ONE_EACH, World, token_of

# What is tried here, no database decides.
pytestmark = pytest.mark.any_database

HOME = """
query Home($kind: ShiftKind, $status: ShiftStatus, $filter: PractitionerFilter, $id: ID!) {
  viewer { activeRole account @ifVisible { publicId } organisation @ifVisible { name } }
  me @ifVisible {
    lastName
    snils @ifVisible
    category @ifVisible
    prescriberCode @ifVisible
    procedurePermits @ifVisible
    shifts(first: 3, filter: {status: {eq: $status}}) @ifVisible { nodes { note @ifVisible } }
    ...Money @ifVisible
  }
  duties: shifts(filter: {kind: {eq: HOME_DUTY}}) @ifVisible { totalCount }
  shifts(filter: {kind: {eq: $kind}}) @ifVisible { totalCount }
  registry: practitioners(filter: $filter, order: [{field: LAST_NAME}]) @ifVisible {
    nodes { ...File @ifVisible }
  }
  bySnils: practitioners(filter: {and: [{snils: {isNull: false}}]}) @ifVisible { totalCount }
  auditTrail @ifVisible { nodes { at hash @ifVisible } }
  application(id: $id) @ifVisible { comment @ifVisible }
  nothing: viewer { secrets @ifVisible }
}
fragment File on Practitioner { lastName snils @ifVisible ...Deeper @ifVisible }
fragment Deeper on Practitioner { enrolments(first: 1) @ifVisible { nodes { id } } }
fragment Money on Practitioner { salary @ifVisible }
"""


async def test_one_document_serves_every_role(roomy: Api, populated: World) -> None:
    for name in ONE_EACH:
        person = populated.people[name]
        token = await token_of(roomy, person)
        # What a role has no type for, it cannot be given either: its variables go too.
        variables: dict[str, Any] = {
            "kind": "DAY",
            "status": "DONE",
            "filter": {},
            "id": str(populated.other.id),
        }
        answer = await roomy.ask(HOME, token, **variables)
        assert (answer.status, answer.codes) == (200, []), (name, answer.body)
        assert answer.data["viewer"]["activeRole"] == person.role.value
        shown = set(answer.data) - {"viewer", "nothing"}
        assert (
            shown
            == {
                Role.VISITOR: set(),
                Role.CITIZEN: {"application"},
                Role.DOCTOR: {"me", "duties", "shifts", "registry", "auditTrail", "application"},
                Role.NURSE: {"me", "shifts", "registry", "auditTrail", "application"},
                Role.ADMIN: {"me", "duties", "shifts", "registry", "bySnils", "application"},
                Role.ANALYST: set(),
                Role.INSPECTOR: {"me", "duties", "shifts", "registry", "auditTrail", "application"},
                Role.OPERATOR: {"me", "registry"},
            }[person.role]
        ), name
        assert answer.data["nothing"] == {}


@pytest.mark.parametrize(
    "document",
    [
        "{ me { lastName % @ifVisible } }",
        "{ me { % @ifVisible } }",
        "{ me { lastName a: % @ifVisible { b { c } } } }",
        "{ % @ifVisible { nodes { id } } }",
        "{ me { lastName ... @ifVisible { % @ifVisible } } }",
        "{ me { lastName ...F } } fragment F on Practitioner { % @ifVisible }",
        "{ me { lastName shifts(first: 1, %: 3) @ifVisible { totalCount } } }",
        "{ practitioners(filter: {%: {isNull: true}}) @ifVisible { totalCount } me { id } }",
        "{ practitioners(filter: {not: {and: [{%: null}]}}) @ifVisible { totalCount } me { id } }",
        "{ practitioners(order: [{field: %}]) @ifVisible { totalCount } me { id } }",
        "{ shifts(filter: {kind: {in: [DAY, %]}}) @ifVisible { totalCount } me { id } }",
        "{ me { lastName ... on % @ifVisible { id } } }",
        "{ me { lastName ...F @ifVisible } } fragment F on % { id }",
        "query ($v: Int) { me { lastName %(first: $v) @ifVisible { totalCount } } }",
        "query ($v: %) { me { lastName a: shifts(filter: $v, %: 1) @ifVisible { totalCount } } }",
        "{ me { lastName % } }",
        "{ me { lastName % @skip(if: true) } }",
        "{ me { lastName % @include(if: true) @ifVisible } }",
        "mutation { % @ifVisible { errors { code } } }",
    ],
)
async def test_a_hidden_name_and_an_invented_one_behave_alike(
    roomy: Api, populated: World, document: str
) -> None:
    token = await token_of(roomy, populated.people["nurse"])
    for hidden in ("prescriberCode", "HOME_DUTY", "approveShift", "createdBy", "hash"):
        invented = "q" * len(hidden)
        texts = []
        for name in (hidden, invented):
            response = await roomy.client.post(
                "/graphql",
                json={"query": document.replace("%", name)},
                headers={"authorization": f"Bearer {token}"},
            )
            texts.append((response.status_code, response.text.replace(name, "%")))
        assert texts[0] == texts[1], hidden


async def test_a_mark_on_what_one_has_changes_nothing(roomy: Api, populated: World) -> None:
    token = await token_of(roomy, populated.people["nurse"])
    marked = await roomy.ask("{ me @ifVisible { lastName @ifVisible } }", token)
    plain = await roomy.ask("{ me { lastName } }", token)
    assert marked.body == plain.body


async def test_variables_used_elsewhere_stay(roomy: Api, populated: World) -> None:
    token = await token_of(roomy, populated.people["nurse"])
    query = """query ($n: Int) {
      practitioners(first: $n) { totalCount } courseList(first: $n) @ifVisible { totalCount }
    }"""
    assert (await roomy.ask(query, token, n=1)).data.keys() == {"practitioners"}
    unused = "query ($n: Int, $unused: Int) { me { lastName secret(a: $n) @ifVisible } }"
    errors = (await roomy.ask(unused, token, n=1)).body["errors"]
    assert [error["message"] for error in errors] == ["Variable '$unused' is never used."]


SEARCH = """query Search($filter: PractitionerFilter, $kind: ShiftKind) {
  viewer { activeRole }
  practitioners(filter: $filter) @ifVisible { totalCount }
  shifts(filter: {not: {kind: {eq: $kind}}}) @ifVisible { totalCount }
}"""


async def test_a_name_in_the_value_of_a_variable_drops_the_node(
    roomy: Api, populated: World
) -> None:
    nurse, admin = [await token_of(roomy, populated.people[name]) for name in ("nurse", "admin")]
    every = {"viewer", "practitioners", "shifts"}
    told: tuple[tuple[dict[str, Any], set[str]], ...] = (
        ({"filter": {}, "kind": "DAY"}, every),
        (
            {"filter": {"and": [{"snils": {"isNull": False}}]}, "kind": "DAY"},
            every - {"practitioners"},
        ),
        ({"filter": {"and": [{"invented": {}}]}, "kind": "DAY"}, every - {"practitioners"}),
        ({"filter": None, "kind": "HOME_DUTY"}, every - {"shifts"}),
        ({"filter": {"birthDate": {}}, "kind": "HOME_DUTY"}, {"viewer"}),
        ({}, every),
        ({"filter": {"lastName": {"contains": "а"}}, "kind": "NIGHT"}, every),
    )
    for variables, seen in told:
        answer = await roomy.ask(SEARCH, nurse, **variables)
        assert (answer.codes, set(answer.data)) == ([], seen), variables
        known = "invented" not in str(variables)
        of_admin = await roomy.ask(SEARCH, admin, **variables)
        assert set(of_admin.data) == (every if known else every - {"practitioners"}), variables


BY_DEFAULT = """query($o: [PractitionerOrder!] = [{field: CREATED_AT}]) {
  practitioners(order: $o, first: 1) @ifVisible { nodes { id } } viewer { activeRole }
}"""


async def test_a_name_in_a_default_drops_the_node_where_the_default_counts(
    roomy: Api, populated: World
) -> None:
    doctor, admin = [await token_of(roomy, populated.people[name]) for name in ("doctor", "admin")]
    every = {"viewer", "practitioners"}
    told: tuple[tuple[dict[str, Any], set[str]], ...] = (
        ({}, {"viewer"}),
        ({"o": [{"field": "LAST_NAME"}]}, every),
        ({"o": [{"field": "CREATED_AT"}]}, {"viewer"}),
        ({"o": None}, every),
        ({}, {"viewer"}),
    )
    for variables, seen in told:
        for query in (BY_DEFAULT, BY_DEFAULT.replace("CREATED_AT", "INVENTED")):
            answer = await roomy.ask(query, doctor, **variables)
            assert (answer.codes, set(answer.data)) == ([], seen), (query, variables)
        of_admin = await roomy.ask(BY_DEFAULT, admin, **variables)
        assert (of_admin.codes, set(of_admin.data)) == ([], every), variables
    answer = await roomy.ask(BY_DEFAULT.replace("CREATED_AT", "LAST_NAME"), doctor)
    assert (answer.codes, set(answer.data)) == ([], every)


async def test_what_one_request_drops_another_is_answered(roomy: Api, populated: World) -> None:
    token = await token_of(roomy, populated.people["nurse"])
    plain = "query ($f: PractitionerFilter) { practitioners(filter: $f) { totalCount } }"
    marked = plain.replace("{ totalCount", "@ifVisible { totalCount")
    shown = {"lastName": {"contains": "а"}}
    first = (await roomy.ask(plain, token, f=shown)).body
    for _ in range(2):
        assert (await roomy.ask(marked, token, f=shown)).body == first
        assert (await roomy.ask(marked, token, f={"snils": {}})).body == {"data": {}}


async def test_a_wrong_value_of_a_known_name_drops_nothing(roomy: Api, populated: World) -> None:
    token = await token_of(roomy, populated.people["nurse"])
    answer = await roomy.ask(SEARCH, token, filter={"lastName": {"eq": 7}}, kind="DAY")
    assert [error["extensions"] for error in answer.body["errors"]] == [
        {"code": "BAD_USER_INPUT", "field": "filter.lastName.eq"}
    ]


async def test_documents_that_values_change_are_remembered_up_to_a_size(
    roomy: Api, populated: World
) -> None:
    token = await token_of(roomy, populated.people["nurse"])
    engine = roomy.services.engine
    for number in range(30):
        text = SEARCH + f" #{number:05}" * 4_000
        assert (await roomy.ask(text, token, filter={})).codes == []
        assert (await roomy.ask(text, token, filter={"snils": {}})).codes == []
        refused = text.replace("activeRole", "nothing")
        assert (await roomy.ask(refused, token)).codes == ["GRAPHQL_VALIDATION_FAILED"]
    kept = engine.documents.kept[Role.NURSE]
    assert 0 < kept.characters <= 100_000
    assert kept.characters == sum(len(one.text) for one in kept.prepared.values())
    assert {key[:2] for key in kept.prepared} >= kept._varying.keys()


async def test_held_roles_are_told_of_a_field_that_lost_its_marked_parts(
    roomy: Api, populated: World
) -> None:
    text = "mutation { approveShift(id: 1) { errors { code hidden @ifVisible } } }"
    token = await token_of(roomy, populated.people["doctor"])
    (error,) = (await roomy.ask(text, token)).body["errors"]
    assert error["extensions"] == {"code": "GRAPHQL_VALIDATION_FAILED", "availableIn": ["ADMIN"]}

"""The dictionaries of kinds: each role is told those that exist for it, with their names."""

import pytest

from models.application import ApplicationKind
from models.role import Role
from models.shift import ShiftKind
from tests.api import Api
from tests.schema.documents import client_schema
from tests.world import ONE_EACH, PEOPLE, World, token_of

# From the table of DOMAIN.md, «What differs, exactly»: what each role lacks of them.
NURSING = {ShiftKind.HOME_DUTY, ShiftKind.CONSULTATION}
LACKS: dict[str, dict[Role, set[str]]] = {
    "shiftKinds": {
        Role.DOCTOR: set(),
        Role.NURSE: {*NURSING},
        Role.ADMIN: set(),
        Role.INSPECTOR: set(),
        Role.ANALYST: set(),
    },
    "applicationKinds": {
        Role.DOCTOR: {ApplicationKind.NURSING_PERMIT},
        Role.NURSE: {ApplicationKind.PRESCRIBING_RIGHTS, ApplicationKind.PRESCRIBER_CODE},
        Role.ADMIN: set(),
        Role.INSPECTOR: set(),
        Role.ANALYST: set(),
        Role.CITIZEN: {*ApplicationKind} - {ApplicationKind.ATTACH_ROLE},
    },
}


@pytest.mark.parametrize(
    ("field", "kinds"), [("shiftKinds", ShiftKind), ("applicationKinds", ApplicationKind)]
)
async def test_a_role_is_told_the_kinds_that_it_has(
    roomy: Api, populated: World, field: str, kinds: type[ShiftKind] | type[ApplicationKind]
) -> None:
    for name in ONE_EACH:
        role = PEOPLE[name]
        token = await token_of(roomy, populated.people[name])
        query = (await client_schema(roomy, token, role)).query_type
        assert query is not None
        lacks = LACKS[field].get(role)
        assert (field in query.fields) == (lacks is not None), role
        if lacks is not None:
            told = (await roomy.ask(f"{{ {field} {{ kind name }} }}", token)).data[field]
            expected = [kind.value for kind in kinds if kind not in lacks]
            assert [entry["kind"] for entry in told] == expected, role


async def test_a_kind_is_named_in_the_language_of_the_viewer(roomy: Api, populated: World) -> None:
    token = await token_of(roomy, populated.people["analyst"])
    for language, name in (("ru", "Дежурство на дому"), ("en", "Duty at home")):
        answer = await roomy.ask("{ shiftKinds { kind name } }", token, language=language)
        names = {entry["kind"]: entry["name"] for entry in answer.data["shiftKinds"]}
        assert names["HOME_DUTY"] == name

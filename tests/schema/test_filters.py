"""Filters over HTTP: what each operator means of a field that is computed."""

import pytest

from models.role import Role
from tests import factories as make
from tests.api import Api


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("{isNull: true}", False),
        ("{isNull: false}", True),
        ("{isNull: true, eq: STATUS}", False),
        ("{isNull: false, in: [STATUS]}", True),
        ("{isNull: null}", True),
    ],
)
@pytest.mark.parametrize(("rows", "status"), [("licences", "VALID"), ("shifts", "OPEN")])
async def test_a_computed_enum_always_has_a_value(
    api: Api, rows: str, status: str, condition: str, holds: bool
) -> None:
    organisation = await make.organisation()
    account = await make.account(organisation)
    await make.grant(account, Role.ADMIN, organisation)
    department = await make.department(organisation)
    await make.licence(await make.practitioner(department))
    await make.shift(department)
    token = await api.token(account, Role.ADMIN)
    of_status = f"{{status: {condition.replace('STATUS', status)}}}"
    answer = await api.ask(
        f"{{ is: {rows}(filter: {of_status}) {{ totalCount }}"
        f" isNot: {rows}(filter: {{not: {of_status}}}) {{ totalCount }}"
        f" all: {rows} {{ nodes {{ status }} }} }}",
        token,
    )
    assert answer.data == {
        "is": {"totalCount": int(holds)},
        "isNot": {"totalCount": 0 if condition == "{isNull: null}" else int(not holds)},
        "all": {"nodes": [{"status": status}]},
    }

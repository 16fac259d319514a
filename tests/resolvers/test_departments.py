"""Departments: one code each, kept by the administration of the whole organisation."""

import pytest

from auth.rows import NotFound
from auth.viewer import Place, Viewer
from core.errors import Problems
from models.organisation import Department
from models.role import Role
from resolvers import departments
from resolvers.forms import IdentityUnavailable, Required
from resolvers.standing import ActionDenied
from tests import factories as make
from tests.resolvers import callers
from tests.resolvers.callers import journal, problems_of


async def test_a_department_is_opened_and_renamed(database: str) -> None:
    organisation = await make.organisation()
    admin = await callers.administrator(organisation)

    made = await departments.create_department(admin, code="Т-1", name="Терапия", city=" Тверь ")
    renamed = await departments.update_department(admin, id=made.id, name="Ёмкая терапия")

    row = await Department.get(id=made.id)
    assert (row.organisation_id, row.code, row.name, row.name_folded, row.city) == (
        organisation.id,
        "Т-1",
        "Ёмкая терапия",
        "емкая терапия",
        "Тверь",
    )
    assert renamed.id == made.id
    assert await journal() == [
        ("DEPARTMENT_CREATED", "Department", None),
        ("DEPARTMENT_UPDATED", "Department", None),
    ]


async def test_a_code_is_used_once_in_an_organisation(database: str) -> None:
    organisation = await make.organisation()
    admin = await callers.administrator(organisation)
    await make.department(organisation, code="Т-1")
    other = await make.department(organisation)
    await make.department(await make.organisation(), code="Х-1")

    with pytest.raises(Problems) as created:
        await departments.create_department(admin, code="Т-1", name="")
    with pytest.raises(Problems) as updated:
        await departments.update_department(admin, id=other.id, code="Т-1")
    made = await departments.create_department(admin, code="Х-1", name="Хирургия")

    assert problems_of(created) == [("REQUIRED", "name"), ("DEPARTMENT_CODE_TAKEN", "code")]
    assert problems_of(updated) == [("DEPARTMENT_CODE_TAKEN", "code")]
    assert made.code == "Х-1"


async def test_a_department_administrator_opens_none_and_sees_no_other(database: str) -> None:
    organisation = await make.organisation()
    ward = await make.department(organisation)
    other = await make.department(organisation, code="Т-1")
    admin = await callers.administrator(organisation, ward)

    with pytest.raises(ActionDenied):
        await departments.create_department(admin, code="Н-1", name="Новое")
    with pytest.raises(NotFound):
        await departments.update_department(admin, id=other.id, name="Чужое")
    with pytest.raises(IdentityUnavailable) as clash:
        await departments.update_department(admin, id=ward.id, code="Т-1")

    assert problems_of(clash) == [("IDENTITY_UNAVAILABLE", "code")]


async def test_an_administrator_of_two_organisations_says_which(database: str) -> None:
    first, second = await make.organisation(), await make.organisation()
    admin = Viewer(
        rights=callers.RIGHTS[Role.ADMIN],
        now=make.NOW,
        account_id=(await make.account()).id,
        places=(Place(first.id), Place(second.id)),
    )

    with pytest.raises(Required) as unsaid:
        await departments.create_department(admin, code="Т-1", name="Терапия")
    with pytest.raises(NotFound):
        await departments.create_department(
            admin, organisation_id=admin.account_id, code="Т-1", name="Терапия"
        )
    made = await departments.create_department(
        admin, organisation_id=second.id, code="Т-1", name="Терапия"
    )

    assert unsaid.value.field == "organisation_id"
    assert made.organisation_id == second.id

"""The organisation, its departments and the dictionaries, as clients see them."""

from auth.rights import Scope
from models.organisation import Department as DepartmentRow
from models.organisation import DictionaryEntry as DictionaryEntryRow
from models.organisation import Organisation as OrganisationRow
from models.role import Role
from resolvers import departments, organisations
from resolvers.pages import Term
from schema.directives import EVERYONE, STAFF, visible
from schema.operations import given, input_of, mutation, row
from schema.views import column, to_many, view_of

MEMBERS = (*STAFF, Role.ANALYST)


@view_of(
    OrganisationRow,
    visible(*MEMBERS, rows=Scope.ALL),
    order=(Term("name_folded"),),
    one="organisation",
    many="organisations",
)
class Organisation:
    """A medical organisation in which the viewer's role was granted."""

    id = column("ID", visible(*MEMBERS), says="Its id.")
    name = column("str", visible(*MEMBERS), says="Its name.")
    ogrn = column(
        "str | None", visible(*MEMBERS), says="OGRN (ОГРН): its number in the state register."
    )
    zone = column("str", visible(*MEMBERS), says="The IANA time zone in which it works.")
    weekly_norm = column(
        "Decimal",
        visible(*MEMBERS),
        says="Hours a week of a full post, where the post has no norm of its own.",
    )


@view_of(
    DepartmentRow,
    visible(*MEMBERS, rows=Scope.ALL),
    order=(Term("name_folded"),),
    one="department",
    many="departments",
)
class Department:
    """A department of the organisation."""

    id = column("ID", visible(*MEMBERS), says="Its id.")
    code = column("str", visible(*MEMBERS), says="Its code within the organisation.")
    name = column("str", visible(*MEMBERS), says="Its name.")
    city = column("str | None", visible(*MEMBERS), says="The city in which it works.")
    address = column("str | None", visible(*MEMBERS), says="Where it works.")
    practitioners = to_many(
        "Practitioner",
        visible(*STAFF),
        by="department_id",
        says="The workers whose main position is here.",
    )
    shifts = to_many(
        "Shift",
        visible(Role.DOCTOR, Role.NURSE, Role.ADMIN, Role.INSPECTOR),
        by="department_id",
        says="Its roster.",
    )


@view_of(
    DictionaryEntryRow,
    visible(*EVERYONE, rows=Scope.ALL),
    order=(Term("name_folded"),),
    one="dictionaryEntry",
    many="dictionaryEntries",
)
class DictionaryEntry:
    """One coded term of a versioned dictionary, such as a specialty or a position."""

    id = column("ID", visible(*EVERYONE), says="Its id.")
    oid = column("str", visible(*EVERYONE), says="The dictionary's OID.")
    version = column("str", visible(*EVERYONE), says="The dictionary's version.")
    code = column("str", visible(*EVERYONE), says="The term's code in the dictionary.")
    name = column("str", visible(*EVERYONE), says="The term.")
    actual = column("bool", visible(*EVERYONE), says="Whether it may still be chosen.")


@input_of(visible(Role.ADMIN))
class UpdateOrganisationInput:
    """The values to change; one that is left out stays."""

    weekly_norm = given("Decimal | None", says="Hours a week of a full post: 1–40.")


mutation(
    organisations.update_organisation,
    visible(Role.ADMIN),
    says="Changes the organisation's settings.",
    input="UpdateOrganisationInput",
    returns=row("Organisation"),
)


@input_of(visible(Role.ADMIN))
class CreateDepartmentInput:
    """A department to be opened."""

    code = given("str", says="Its code within the organisation.")
    name = given("str")
    city = given("str | None")
    address = given("str | None")


@input_of(visible(Role.ADMIN))
class UpdateDepartmentInput:
    """The values to change; one that is left out stays, and null clears."""

    code = given("str | None")
    name = given("str | None")
    city = given("str | None")
    address = given("str | None")


mutation(
    departments.create_department,
    visible(Role.ADMIN),
    says="Opens a department.",
    input="CreateDepartmentInput",
    returns=row("Department"),
)
mutation(
    departments.update_department,
    visible(Role.ADMIN),
    says="Changes a department.",
    input="UpdateDepartmentInput",
    returns=row("Department"),
)

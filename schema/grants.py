"""Roles granted to accounts, as clients see them."""

from auth.rights import Scope
from auth.rows import asked
from auth.viewer import Viewer
from models.conditions import Compare, Condition, IsNull, every, some
from models.grant import RoleGrant as RoleGrantRow
from models.role import Role
from resolvers import grants
from resolvers.pages import Term
from schema.directives import visible
from schema.operations import given, input_of, mutation, row
from schema.views import column, computed, to_one, view_of

DOCTOR, NURSE, ADMIN = Role.DOCTOR, Role.NURSE, Role.ADMIN
CITIZEN, INSPECTOR = Role.CITIZEN, Role.INSPECTOR


def _holds(viewer: Viewer) -> dict[bool, Condition]:
    now = asked(viewer, "now")
    lasting = some(IsNull("ends_at"), Compare("ends_at", "gt", now))
    return {True: every(IsNull("revoked_at"), Compare("starts_at", "lte", now), lasting)}


@view_of(
    RoleGrantRow,
    visible(DOCTOR, NURSE, CITIZEN, rows=Scope.OWN),
    visible(ADMIN, INSPECTOR, rows=Scope.ALL),
    order=(Term("granted_at", descending=True),),
    one="roleGrant",
    many="roleGrants",
)
class RoleGrant:
    """A role granted to an account, perhaps limited to a department and a period."""

    id = column("ID", visible(DOCTOR, NURSE, CITIZEN, ADMIN, INSPECTOR), says="Its id.")
    role = column("Role", visible(DOCTOR, NURSE, CITIZEN, ADMIN, INSPECTOR), says="Which role.")
    account = to_one("Account | None", visible(DOCTOR, NURSE, CITIZEN, ADMIN), says="To whom.")
    department = to_one(
        "Department | None",
        visible(DOCTOR, NURSE, ADMIN, INSPECTOR),
        says="Where; empty for the whole organisation.",
    )
    starts_at = column(
        "datetime", visible(DOCTOR, NURSE, CITIZEN, ADMIN, INSPECTOR), says="Since when."
    )
    ends_at = column(
        "datetime | None", visible(DOCTOR, NURSE, CITIZEN, ADMIN, INSPECTOR), says="Until when."
    )
    granted_at = column(
        "datetime", visible(DOCTOR, NURSE, CITIZEN, ADMIN, INSPECTOR), says="When it was granted."
    )
    revoked_at = column(
        "datetime | None",
        visible(DOCTOR, NURSE, CITIZEN, ADMIN, INSPECTOR),
        says="When it was revoked.",
    )
    granted_by = to_one("Account | None", visible(ADMIN), says="Who granted it.")
    revoked_by = to_one("Account | None", visible(ADMIN), says="Who revoked it.")
    holds = computed(
        "bool",
        visible(DOCTOR, NURSE, CITIZEN, ADMIN, INSPECTOR),
        says="Whether it holds now.",
        value=lambda row, context: row.holds_at(context.viewer.now),
        where=_holds,
    )
    version = column("int", visible(ADMIN), says="To be given back by an edit.")


mutation(
    grants.grant_role,
    visible(ADMIN),
    says="Grants a role, perhaps limited to a department and a period.",
    returns=row("RoleGrant"),
)


@input_of(visible(ADMIN))
class LimitRoleInput:
    """The limits to set; one that is left out stays, and null lifts it."""

    department_id = given("ID | None", says="The only department in which the role holds.")
    ends_at = given("datetime | None", says="When it ends.")


mutation(
    grants.limit_role,
    visible(ADMIN),
    says="Limits a granted role to a department, or to an end.",
    input="LimitRoleInput",
    returns=row("RoleGrant"),
)
mutation(
    grants.revoke_role,
    visible(ADMIN),
    says="Revokes a role at once, on open sessions too. The last admin stays.",
    returns=row("RoleGrant"),
)

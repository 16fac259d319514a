"""The one schema, put together from every module, and its view for each role."""

from dataclasses import dataclass
from functools import cache

import strawberry
from strawberry.schema.config import StrawberryConfig
from strawberry.tools import create_type
from strawberry.types.field import StrawberryField

import schema.accounts
import schema.applications
import schema.attaching
import schema.audit
import schema.confirmation
import schema.courses
import schema.esia
import schema.grants
import schema.identities
import schema.invitations
import schema.licences
import schema.organisations
import schema.passkeys
import schema.practitioners
import schema.recovery
import schema.registration
import schema.sessions
import schema.shifts
import schema.signatures
import schema.status
import schema.tickets
import schema.uploads
import schema.viewing  # noqa: F401
from models.role import Role
from schema.aggregates import aggregates, declare_aggregate, declare_measure
from schema.checks import check
from schema.comparisons import declare_operators
from schema.connections import (
    declare_connection,
    declare_object,
    declare_page_info,
    declare_roots,
    declare_view,
)
from schema.directives import EVERYONE, IF_VISIBLE, visible
from schema.fields import ROOTS
from schema.filters import Direction, declare_filter, declare_order
from schema.names import register
from schema.operations import RESOLVERS
from schema.problems import declare_problem
from schema.roles import RoleView, role_view
from schema.scalars import SCALARS, Masked
from schema.views import OBJECTS, VIEWS, enum_of


@dataclass(frozen=True)
class Schema:
    """The whole schema and the role views cut from it."""

    whole: strawberry.Schema
    views: dict[Role, RoleView]


@cache
def build() -> Schema:
    """Builds the schema once; raises SchemaBroken where a rule is missing or contradicts."""
    enum_of(Direction, "In which direction an order goes.")
    register("Masked", Masked)
    declare_page_info()
    declare_problem(RESOLVERS)
    declare_operators()
    for view in VIEWS.values():
        declare_order(view)
        declare_filter(view)
        declare_connection(view)
        declare_view(view)
    for plain in OBJECTS.values():
        declare_object(plain)
    for view in VIEWS.values():
        declare_roots(view)
    declare_measure()
    for made in aggregates().values():
        declare_aggregate(made)
    roots = {
        name: _root(name, fields)
        for name, fields in (
            ("Query", ROOTS.query),
            ("Mutation", ROOTS.mutation),
            ("Subscription", ROOTS.subscription),
        )
        if fields
    }
    whole = strawberry.Schema(
        query=roots["Query"],
        mutation=roots.get("Mutation"),
        subscription=roots.get("Subscription"),
        types=[Masked],  # a scalar that only role views use
        config=StrawberryConfig(auto_camel_case=True, scalar_map=SCALARS),
    )
    whole._schema.directives = (*whole._schema.directives, IF_VISIBLE)
    views = {role: role_view(whole._schema, role) for role in Role}
    check(whole, views)
    return Schema(whole, views)


def _root(name: str, fields: dict[str, StrawberryField]) -> type:
    for field_name, field in fields.items():
        field.python_name = field_name
    made = create_type(name, list(fields.values()))
    made.__strawberry_definition__.directives = [visible(*EVERYONE)]  # type: ignore[attr-defined]
    return made

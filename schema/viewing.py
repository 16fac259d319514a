"""The viewer: the account, the roles held, the active one, and what it can do."""

from typing import Any

from models.role import Role
from schema.context import Context
from schema.directives import EVERYONE, SIGNED_IN, STAFF, visible
from schema.operations import query, query_row
from schema.organisations import MEMBERS
from schema.views import computed, object_of, row_of_viewer

OPERATIONS = ("Query.", "Mutation.", "Subscription.")


def _coordinates(context: Context, *, operations: bool) -> list[str]:
    """What exists for the active role, without arguments and without the types themselves."""
    return sorted(
        coordinate
        for coordinate in context.viewer.rights.coordinates
        if "." in coordinate
        and "(" not in coordinate
        and coordinate.startswith(OPERATIONS) is operations
    )


@object_of(visible(*EVERYONE))
class Can:
    """What exists for the active role, so that a frontend can draw its buttons."""

    operations = computed(
        "list[str]",
        visible(*EVERYONE),
        says="Operations, such as Mutation.requestShift.",
        value=lambda _, context: _coordinates(context, operations=True),
    )
    fields = computed(
        "list[str]",
        visible(*EVERYONE),
        says="Fields of types and inputs, such as Practitioner.snils.",
        value=lambda _, context: _coordinates(context, operations=False),
    )


@object_of(visible(*EVERYONE))
class Viewer:
    """Who asks, and in which role."""

    account = row_of_viewer(
        "Account | None", visible(*SIGNED_IN), says="One's own account.", of="account_id"
    )
    roles = computed(
        "list[Role]",
        visible(*EVERYONE),
        says="Every role held now; each can be switched to without signing in again.",
        value=lambda _, context: list(context.viewer.held) or [Role.VISITOR],
    )
    active_role = computed(
        "Role",
        visible(*EVERYONE),
        says="The role in which this request acts.",
        value=lambda _, context: context.viewer.role,
    )
    can = computed(
        "Can",
        visible(*EVERYONE),
        says="What the active role can do.",
        value=lambda viewer, _: viewer,
    )
    practitioner = row_of_viewer(
        "Practitioner | None",
        visible(*STAFF),
        says="One's own professional file.",
        of="practitioner_id",
    )
    organisation = row_of_viewer(
        "Organisation | None",
        visible(*MEMBERS),
        says="The organisation in which the active role was granted.",
        of="organisation_id",
    )


@query("viewer", "Viewer", visible(*EVERYONE), says="Who asks, and in which role.")
def viewer(context: Context) -> Any:
    return context.viewer


query_row(
    "me",
    row_of_viewer(
        "Practitioner | None",
        visible(*STAFF),
        says="One's own professional file.",
        of="practitioner_id",
    ),
)

"""Licences, accreditations and certificates, as clients see them."""

from auth.rights import Scope
from auth.rows import asked
from auth.viewer import Viewer
from models.conditions import Compare, Condition, IsNull, every, filled, some
from models.licence import Licence as LicenceRow
from models.licence import LicenceKind, LicenceStatus
from models.role import Role
from resolvers import licences
from resolvers.pages import Term
from schema.directives import ANALYSED, ANALYSED_APART, OVERSEEN, confirmed, visible
from schema.operations import given, input_of, mutation, row
from schema.views import column, computed, enum_of, to_one, view_of

enum_of(LicenceKind)
enum_of(LicenceStatus)

DOCTOR, NURSE, ADMIN, INSPECTOR = Role.DOCTOR, Role.NURSE, Role.ADMIN, Role.INSPECTOR
READERS = (DOCTOR, NURSE, ADMIN, INSPECTOR)


def _statuses(viewer: Viewer) -> dict[LicenceStatus, Condition]:
    today = asked(viewer, "today")
    living = some(IsNull("revoked_on"), Compare("revoked_on", "gt", today))
    begun = Compare("issued_on", "lte", today)
    lasting = some(IsNull("expires_on"), Compare("expires_on", "gte", today))
    expired = every(filled("expires_on"), Compare("expires_on", "lt", today))
    return {
        LicenceStatus.REVOKED: every(filled("revoked_on"), Compare("revoked_on", "lte", today)),
        LicenceStatus.UPCOMING: every(living, Compare("issued_on", "gt", today)),
        LicenceStatus.EXPIRED: every(living, begun, expired),
        LicenceStatus.VALID: every(living, begun, lasting),
    }


@view_of(
    LicenceRow,
    visible(DOCTOR, rows=Scope.OWN),
    visible(DOCTOR, rows=Scope.DEPARTMENT),
    visible(NURSE, rows=Scope.OWN),
    visible(ADMIN, INSPECTOR, rows=Scope.ALL),
    OVERSEEN,
    ANALYSED,
    confirmed(),
    order=(Term("expires_on"),),
    one="licence",
    many="licences",
)
class Licence:
    """A credential that a worker holds, or a licence of the organisation they are bound to."""

    id = column("ID", visible(*READERS), says="Its id.")
    kind = column("LicenceKind", visible(*READERS), OVERSEEN, ANALYSED, says="What it is.")
    number = column(
        "str | None",
        visible(DOCTOR, rows=Scope.OWN),
        visible(NURSE, ADMIN, INSPECTOR),
        says="Its number.",
    )
    issuer = column("str", visible(*READERS), says="Who issued it.")
    issued_on = column("date", visible(*READERS), says="Its first valid day.")
    expires_on = column(
        "date | None",
        visible(*READERS),
        OVERSEEN,
        ANALYSED_APART,
        says="Its last valid day; empty when it is open-ended.",
    )
    revoked_on = column("date | None", visible(*READERS), says="Since when it is revoked.")
    status = computed(
        "LicenceStatus",
        visible(*READERS),
        OVERSEEN,
        ANALYSED,
        says="Computed from the dates, today.",
        value=lambda row, context: row.status_on(context.viewer.today),
        where=_statuses,
    )
    specialty = to_one(
        "DictionaryEntry | None",
        visible(*READERS),
        OVERSEEN,
        ANALYSED_APART,
        says="For which specialty.",
    )
    practitioner = to_one("Practitioner | None", visible(*READERS), says="Whose it is.")
    version = column("int", visible(ADMIN), says="To be given back by an edit.")


@input_of(visible(ADMIN))
class UpdateLicenceInput:
    """The values to change; one that is left out stays, and null clears."""

    number = given("str | None")
    issuer = given("str | None")
    issued_on = given("date | None")
    expires_on = given("date | None")
    specialty_id = given("ID | None")


mutation(
    licences.create_licence,
    visible(ADMIN),
    says="Enters a credential; accreditations and certificates last five years unless said.",
    returns=row("Licence"),
)
mutation(
    licences.update_licence,
    visible(ADMIN),
    says="Changes a credential.",
    input="UpdateLicenceInput",
    returns=row("Licence"),
)
mutation(
    licences.revoke_licence,
    visible(ADMIN),
    says="Revokes a credential; it stays listed.",
    returns=row("Licence"),
)

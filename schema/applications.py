"""Applications to the authorities, as clients see them."""

from auth.rights import Scope
from models.application import Application as ApplicationRow
from models.application import ApplicationKind, ApplicationStatus
from models.role import Role
from resolvers.pages import Term
from schema.directives import EVERYONE, Visible, visible
from schema.views import column, enum_of, to_one, view_of

DOCTOR, NURSE, ADMIN = Role.DOCTOR, Role.NURSE, Role.ADMIN
CITIZEN, INSPECTOR = Role.CITIZEN, Role.INSPECTOR
APPLICANTS = (CITIZEN, DOCTOR, NURSE)
READERS = (*APPLICANTS, ADMIN, INSPECTOR)


def _without(*roles: Role) -> Visible:
    return visible(*(role for role in EVERYONE if role not in roles))


_KNOWN = _without(CITIZEN)
enum_of(
    ApplicationKind,
    NEW_CABINET=_KNOWN,
    CHANGE_OF_DATA=_KNOWN,
    QUALIFICATION_CERTIFICATE=_KNOWN,
    LICENCE_RENEWAL=_KNOWN,
    LICENCE_REPLACEMENT=_KNOWN,
    PRESCRIBING_RIGHTS=_without(CITIZEN, NURSE),
    PRESCRIBER_CODE=_without(CITIZEN, NURSE),
    NURSING_PERMIT=_without(CITIZEN, DOCTOR),
)
enum_of(ApplicationStatus)


@view_of(
    ApplicationRow,
    visible(*APPLICANTS, rows=Scope.OWN),
    visible(ADMIN, INSPECTOR, rows=Scope.ALL),
    order=(Term("created_at", descending=True),),
    one="application",
    many="applications",
)
class Application:
    """An application to the authorities, from draft to decision."""

    id = column("ID", visible(*READERS), says="Its id.")
    number = column("str", visible(*READERS), says="The number to quote to people.")
    kind = column("ApplicationKind", visible(*READERS), says="What is applied for.")
    status = column("ApplicationStatus", visible(*READERS), says="Where it stands.")
    practitioner = to_one(
        "Practitioner | None",
        visible(DOCTOR, NURSE, ADMIN, INSPECTOR),
        says="The worker who applies.",
    )
    comment = column(
        "str | None", visible(*APPLICANTS, ADMIN), says="What the applicant adds.", filter=False
    )
    decision_reason = column(
        "str | None",
        visible(*APPLICANTS, ADMIN),
        says="Why it was returned or rejected.",
        filter=False,
    )
    created_at = column("datetime", visible(*READERS), says="When the draft was made.")
    submitted_at = column("datetime | None", visible(*READERS), says="When it was last submitted.")
    due_on = column("date | None", visible(*READERS), says="By when it will be decided.")
    decided_at = column("datetime | None", visible(*READERS), says="When it was decided.")
    version = column("int", visible(*READERS), says="Grows with every change.")

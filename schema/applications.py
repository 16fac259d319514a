"""Applications to the authorities, as clients see them."""

from collections.abc import AsyncIterator
from typing import Any

from auth.rights import Scope
from models.application import Application as ApplicationRow
from models.application import ApplicationKind, ApplicationStatus
from models.change import ChangeKind
from models.role import Role
from resolvers import applications
from resolvers.pages import Term
from schema.changes import changed_rows
from schema.context import Context
from schema.directives import ANALYSED, ANALYSED_APART, EVERYONE, OVERSEEN, Visible, fresh, visible
from schema.kinds import dictionary_of
from schema.operations import given, input_of, mutation, row, subscription
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
dictionary_of(
    ApplicationKind,
    visible(*READERS, Role.ANALYST),
    says="What may be applied for, as far as it exists for the role.",
)


@view_of(
    ApplicationRow,
    visible(*APPLICANTS, rows=Scope.OWN),
    visible(ADMIN, INSPECTOR, rows=Scope.ALL),
    OVERSEEN,
    ANALYSED,
    order=(Term("created_at", descending=True),),
    one="application",
    many="applications",
)
class Application:
    """An application to the authorities, from draft to decision; until submitted, its author's."""

    id = column("ID", visible(*READERS), says="Its id.")
    number = column("str", visible(*READERS), says="The number to quote to people.")
    kind = column(
        "ApplicationKind", visible(*READERS), OVERSEEN, ANALYSED_APART, says="What is applied for."
    )
    status = column(
        "ApplicationStatus", visible(*READERS), OVERSEEN, ANALYSED_APART, says="Where it stands."
    )
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
    submitted_at = column(
        "datetime | None",
        visible(*READERS),
        OVERSEEN,
        ANALYSED_APART,
        says="When it was last submitted.",
    )
    due_on = column("date | None", visible(*READERS), says="By when it will be decided.")
    decided_at = column("datetime | None", visible(*READERS), says="When it was decided.")
    version = column("int", visible(*READERS), says="Grows with every change.")


@input_of(visible(*APPLICANTS))
class UpdateApplicationInput:
    """The values to change; one that is left out stays, and null clears."""

    kind = given("ApplicationKind | None")
    comment = given("str | None")


mutation(
    applications.create_application,
    visible(*APPLICANTS),
    says="Begins an application, as a draft.",
    returns=row("Application"),
)
mutation(
    applications.update_application,
    visible(*APPLICANTS),
    says="Changes a draft, or an application that was returned.",
    input="UpdateApplicationInput",
    returns=row("Application"),
)
mutation(
    applications.submit_application,
    visible(*APPLICANTS),
    fresh(minutes=10),
    says="Submits a draft, or a returned application again.",
    returns=row("Application"),
)
mutation(
    applications.withdraw_application,
    visible(*APPLICANTS),
    says="Withdraws an application that is not decided.",
    returns=row("Application"),
)
for _decision, _says in (
    (applications.take_application, "Takes a submitted application into review."),
    (
        applications.approve_application,
        "Approves an application in review; one's own only where nobody else can.",
    ),
    (applications.return_application, "Returns an application to be corrected."),
    (applications.reject_application, "Rejects an application."),
):
    mutation(_decision, visible(ADMIN), says=_says, returns=row("Application"))


@subscription(
    "applicationDecided",
    "Application",
    visible(*APPLICANTS),
    says="One's own applications, each time one is taken, returned or decided.",
)
def application_decided(context: Context) -> AsyncIterator[Any]:
    return changed_rows(context, ChangeKind.APPLICATION, ApplicationRow)

"""Practitioners and their positions, as clients see them."""

from auth.rights import Scope
from models.practitioner import (
    Category,
    EmploymentType,
    PractitionerStatus,
    ProcedurePermit,
    Profession,
)
from models.practitioner import Position as PositionRow
from models.practitioner import Practitioner as PractitionerRow
from models.role import Role
from resolvers import detaching, positions, practitioners, reveal
from resolvers.pages import Term
from schema.context import Context
from schema.directives import (
    ANALYSED,
    ANALYSED_APART,
    OVERSEEN,
    STAFF,
    confirmed,
    discloses,
    masked,
    visible,
)
from schema.operations import Returned, given, input_of, mutation, row
from schema.views import VIEWS, column, computed, enum_of, to_many, to_one, view_of
from schema.worktime import PERIOD, check_period, worked_time_of

enum_of(Category)
enum_of(EmploymentType)
enum_of(PractitionerStatus)
enum_of(ProcedurePermit)
enum_of(Profession)

DOCTOR, NURSE, ADMIN = Role.DOCTOR, Role.NURSE, Role.ADMIN
INSPECTOR, OPERATOR = Role.INSPECTOR, Role.OPERATOR
OWN = Scope.OWN


def _passport(row: PractitionerRow, context: Context) -> str | None:
    if row.passport_sealed is None:
        return None
    opened: str = context.services["vault"].open(row.passport_sealed)
    return opened


@view_of(
    PractitionerRow,
    visible(DOCTOR, ADMIN, INSPECTOR, OPERATOR, rows=Scope.ALL),
    visible(NURSE, rows=Scope.DEPARTMENT),
    visible(NURSE, rows=Scope.OWN),
    OVERSEEN,
    ANALYSED,
    order=(Term("full_name_folded"),),
    one="practitioner",
    many="practitioners",
)
class Practitioner:
    """A medical worker of the organisation, as the staff registry knows them."""

    id = column("ID", visible(*STAFF), says="Its id.")
    public_id = column("str", visible(*STAFF), says="The number to quote to people.")
    last_name = column(
        "str", visible(*STAFF), says="Family name (фамилия).", order="full_name_folded"
    )
    first_name = column("str | None", visible(*STAFF), says="Given name (имя).")
    middle_name = column("str | None", visible(*STAFF), says="Patronymic (отчество).")
    status = column(
        "PractitionerStatus",
        visible(*STAFF),
        OVERSEEN,
        says="Whether employed, and whether the registry's data are complete.",
    )
    profession = column(
        "Profession", visible(*STAFF), OVERSEEN, ANALYSED_APART, says="Doctor, nurse or other."
    )
    organisation = to_one("Organisation | None", visible(*STAFF), says="The employer.")
    department = to_one(
        "Department | None",
        visible(*STAFF),
        OVERSEEN,
        ANALYSED_APART,
        says="The department of the main position.",
    )
    specialty = to_one(
        "DictionaryEntry | None",
        visible(*STAFF),
        OVERSEEN,
        ANALYSED_APART,
        says="The specialty of the dictionary …11.1066.",
    )
    positions = to_many(
        "Position", visible(*STAFF), by="practitioner_id", says="The posts held, now and before."
    )
    category = column(
        "Category | None",
        visible(DOCTOR, ADMIN, INSPECTOR),
        visible(NURSE, rows=OWN),
        OVERSEEN,
        ANALYSED_APART,
        says="Qualification category (категория).",
    )
    category_assigned_on = column(
        "date | None",
        visible(DOCTOR, ADMIN, INSPECTOR),
        visible(NURSE, rows=OWN),
        says="Since when the category holds; it lasts five years.",
    )
    work_phone = column(
        "str | None", visible(DOCTOR, NURSE, ADMIN, OPERATOR), says="Work phone, E.164."
    )
    work_email = column("str | None", visible(DOCTOR, NURSE, ADMIN, OPERATOR), says="Work e-mail.")
    personal_phone = column(
        "str | None",
        visible(DOCTOR, NURSE, rows=OWN),
        visible(ADMIN, OPERATOR),
        masked(OPERATOR, keep=4),
        says="Personal phone, E.164.",
    )
    personal_email = column(
        "str | None",
        visible(DOCTOR, NURSE, rows=OWN),
        visible(ADMIN, OPERATOR),
        # The last letters are those of a provider, or of a country: they tell nothing.
        masked(OPERATOR),
        says="Personal e-mail.",
    )
    birth_date = column(
        "date | None",
        visible(DOCTOR, NURSE, rows=OWN),
        visible(ADMIN, OPERATOR),
        masked(OPERATOR, keep=2),
        says="Date of birth.",
    )
    address = column(
        "str | None",
        visible(DOCTOR, NURSE, rows=OWN),
        visible(ADMIN, OPERATOR),
        masked(OPERATOR),
        says="Home address.",
    )
    snils = column(
        "str | None",
        visible(DOCTOR, NURSE, rows=OWN),
        visible(ADMIN, INSPECTOR, OPERATOR),
        masked(INSPECTOR, OPERATOR, keep=5),
        says="SNILS (СНИЛС): eleven digits.",
    )
    inn = column(
        "str | None",
        visible(DOCTOR, NURSE, rows=OWN),
        visible(ADMIN),
        masked(ADMIN, keep=4),
        says="INN (ИНН): twelve digits.",
    )
    passport = computed(
        "str | None",
        visible(DOCTOR, NURSE, rows=OWN),
        visible(ADMIN),
        masked(ADMIN, keep=3),
        says="Series and number of the passport; sealed at rest.",
        value=_passport,
    )
    prescriber_code = column(
        "str | None",
        visible(DOCTOR, rows=OWN),
        visible(ADMIN, INSPECTOR),
        says="The prescriber's own code (личный код врача).",
    )
    procedure_permits = column(
        "list[ProcedurePermit] | None",
        visible(NURSE, rows=OWN),
        visible(ADMIN, INSPECTOR),
        says="Permits for procedures (допуски к манипуляциям).",
    )
    licences = to_many(
        "Licence",
        visible(DOCTOR, NURSE, ADMIN, INSPECTOR),
        by="practitioner_id",
        says="Licences, accreditations and certificates, valid and expired.",
    )
    shifts = to_many(
        "Shift",
        visible(DOCTOR, NURSE, ADMIN, INSPECTOR),
        by="practitioner_id",
        says="Shifts and duties.",
    )
    worked_time = computed(
        "WorkedTime | None",
        visible(DOCTOR, NURSE, rows=OWN),
        visible(ADMIN, INSPECTOR),
        discloses("the hours of all of a worker's shifts and positions, in any department"),
        confirmed(),
        says="Hours worked, norm and overtime in a period of at most a year.",
        takes=PERIOD,
        check=check_period,
        value=worked_time_of,
    )
    day_wishes = to_many(
        "DayWish",
        visible(DOCTOR, NURSE, ADMIN),
        by="practitioner_id",
        says="Wishes to be free on a day.",
    )
    enrolments = to_many(
        "Enrolment", visible(DOCTOR, NURSE, ADMIN), by="practitioner_id", says="Seats in courses."
    )
    applications = to_many(
        "Application",
        visible(DOCTOR, NURSE, ADMIN, INSPECTOR),
        by="practitioner_id",
        says="Applications to the authorities.",
    )
    account = to_one(
        "Account | None",
        visible(DOCTOR, NURSE, rows=OWN),
        visible(ADMIN, OPERATOR),
        says="The account with which the worker signs in.",
    )
    created_at = column("datetime", visible(ADMIN, INSPECTOR), says="When the row was made.")
    updated_at = column("datetime", visible(ADMIN, INSPECTOR), says="When it last changed.")
    version = column(
        "int | None",
        visible(DOCTOR, NURSE, rows=OWN),
        visible(ADMIN),
        says="To be given back by an edit, so that nobody's change is lost.",
    )


@view_of(
    PositionRow,
    visible(DOCTOR, ADMIN, INSPECTOR, OPERATOR, rows=Scope.ALL),
    visible(NURSE, rows=Scope.DEPARTMENT),
    visible(NURSE, rows=Scope.OWN),
    order=(Term("starts_on", descending=True),),
)
class Position:
    """A post that a worker holds in a department, in full or in part."""

    id = column("ID", visible(*STAFF), says="Its id.")
    practitioner = to_one("Practitioner | None", visible(*STAFF), says="Who holds it.")
    department = to_one("Department | None", visible(*STAFF), says="Where.")
    title = to_one(
        "DictionaryEntry | None", visible(*STAFF), says="The position of the dictionary …11.1002."
    )
    rate = column(
        "Decimal | None",
        visible(*STAFF),
        says="Rate (ставка): 0.10–1.50 of a full post; empty where unknown.",
    )
    weekly_norm = column(
        "Decimal | None",
        visible(*STAFF),
        says="Hours a week of the full post; empty where the organisation's norm holds.",
    )
    employment = column("EmploymentType", visible(*STAFF), says="Main or second job.")
    starts_on = column("date", visible(*STAFF), says="Its first day.")
    ends_on = column("date | None", visible(*STAFF), says="Its last day.")


@input_of(visible(ADMIN))
class CreatePractitionerInput:
    """A worker to be entered into the registry. Without a SNILS the file stays incomplete."""

    last_name = given("str", says="Family name (фамилия).")
    first_name = given("str", says="Given name (имя).")
    middle_name = given("str | None", says="Patronymic (отчество).")
    profession = given("Profession", says="Doctor, nurse or other.")
    department_id = given("ID | None", says="The department of the main position.")
    birth_date = given("date | None", says="Date of birth.")
    snils = given("str | None", says="SNILS, with or without spaces and dashes.")
    inn = given("str | None", says="INN of a person: twelve digits.")
    passport = given("str | None", says="Series and number of the passport; sealed at rest.")
    address = given("str | None", says="Home address.")
    personal_phone = given("str | None", says="Any usual spelling; kept as E.164.")
    personal_email = given("str | None")
    work_phone = given("str | None", says="Any usual spelling; kept as E.164.")
    work_email = given("str | None")
    specialty_id = given("ID | None", says="An entry of the dictionary of specialties.")
    category = given("Category | None")
    category_assigned_on = given("date | None")
    prescriber_code = given("str | None", says="The prescriber's own code (личный код врача).")
    procedure_permits = given(
        "list[ProcedurePermit] | None", says="Permits for procedures (допуски к манипуляциям)."
    )


@input_of(visible(ADMIN))
class UpdatePractitionerInput:
    """The values to change; one that is left out stays, and null clears."""

    last_name = given("str | None")
    first_name = given("str | None")
    middle_name = given("str | None")
    profession = given("Profession | None")
    department_id = given("ID | None")
    birth_date = given("date | None")
    snils = given("str | None")
    inn = given("str | None")
    passport = given("str | None")
    address = given("str | None")
    personal_phone = given("str | None")
    personal_email = given("str | None")
    work_phone = given("str | None")
    work_email = given("str | None")
    specialty_id = given("ID | None")
    category = given("Category | None")
    category_assigned_on = given("date | None")
    prescriber_code = given("str | None")
    procedure_permits = given("list[ProcedurePermit] | None")


@input_of(visible(DOCTOR, NURSE))
class UpdateMyFileInput:
    """What a worker may change alone; one that is left out stays, and null clears."""

    address = given("str | None")
    personal_phone = given("str | None")
    personal_email = given("str | None")
    work_phone = given("str | None")
    work_email = given("str | None")


def _revealable(context: Context) -> dict[str, object]:
    """The fields that the viewer's role sees masked, and may therefore ask for one by one."""
    role = context.viewer.role
    fields = VIEWS["Practitioner"].specs.values()
    return {"allowed": [made.name for made in fields if made.rules.mask(role) is not None]}


mutation(
    practitioners.create_practitioner,
    visible(ADMIN),
    says="Enters a worker into the registry; every wrong field is named at once.",
    input="CreatePractitionerInput",
    returns=row("Practitioner"),
)
mutation(
    practitioners.update_practitioner,
    visible(ADMIN),
    says="Changes a worker's file.",
    input="UpdatePractitionerInput",
    returns=row("Practitioner"),
)
mutation(
    practitioners.update_my_file,
    visible(DOCTOR, NURSE),
    says="Changes one's own contacts.",
    input="UpdateMyFileInput",
    returns=row("Practitioner"),
)
mutation(
    practitioners.dismiss_practitioner,
    visible(ADMIN),
    says="Closes a worker's file today: positions and roles end, shifts to come are open again.",
    returns=row("Practitioner"),
)
mutation(
    practitioners.reinstate_practitioner,
    visible(ADMIN),
    says="Opens the file of a dismissed worker who comes back; posts and roles are given anew.",
    returns=row("Practitioner"),
)
mutation(
    detaching.detach_account,
    visible(ADMIN),
    says="Takes a worker's file from the account that holds it; both sides are told.",
    returns=row("Practitioner"),
)
mutation(
    positions.add_position,
    visible(ADMIN),
    says="Gives a worker a post; a main one moves them to its department.",
    returns=row("Position"),
)
mutation(positions.end_position, visible(ADMIN), says="Ends a post.", returns=row("Position"))
mutation(
    reveal.reveal,
    visible(ADMIN),
    says="One masked value of a worker's file in full. The reason goes into the audit trail.",
    presets=_revealable,
    returns={
        "value": Returned(
            "str | None", "The value; null where there is none.", lambda text, _: text
        )
    },
    sensitive=True,
)

"""Registration and the terms of use, as clients see them."""

from dataclasses import replace
from typing import Any

from core.terms import Terms as CurrentTerms
from core.terms import current_terms
from models.role import Role
from resolvers import registration
from schema.context import Context
from schema.directives import EVERYONE, visible
from schema.operations import Returned, given, input_of, mutation, query
from schema.sent_codes import SENT
from schema.sessions import SIGNED_IN_PAYLOAD
from schema.views import computed, object_of

VISITOR = Role.VISITOR


@object_of(visible(*EVERYONE))
class Terms:
    """The terms of use that are in force."""

    version = computed(
        "str",
        visible(*EVERYONE),
        says="To be given back with their acceptance.",
        value=lambda terms, _: terms.version,
    )
    text = computed(
        "str",
        visible(*EVERYONE),
        says="Their text in the viewer's language, as Markdown.",
        value=lambda terms, context: terms.texts[context.viewer.language],
    )


@query("terms", "Terms", visible(*EVERYONE), says="The terms of use, which registering accepts.")
def terms(_context: Context) -> CurrentTerms:
    return current_terms()


@input_of(visible(VISITOR))
class RegisterInput:
    """Who opens an account. Everything that is wrong is told at once."""

    last_name = given("str", says="Family name (фамилия).")
    first_name = given("str", says="Given name (имя).")
    patronymic = given("str | None", says="Patronymic (отчество).")
    birth_date = given("str | None", says="Date of birth: 1985-04-12 or 12.04.1985; needed.")
    passport = given("str", says="Series and number of the passport, ten digits; sealed at rest.")
    inn = given("str", says="INN of a person: twelve digits; sealed at rest.")
    is_medical_worker = given("bool", says="Whether a specialty must be given.")
    specialty = given("ID | None", says="An entry of the dictionary of specialties.", as_text=True)
    email = given("str | None", says="Serves to sign in once a code that is sent there came back.")
    password = given("str", says="8–128 characters, and none of those that are tried first.")
    terms = given("bool", says="Whether the terms of use are accepted.")
    terms_version = given("str", says="Which version of them: see `terms`.")


def _of_session(returned: Returned) -> Returned:
    def value(result: registration.Registered, context: Context) -> Any:
        return returned.value(result.signed_in, context)

    return replace(returned, value=value)


mutation(
    registration.begin_registration,
    visible(VISITOR),
    says="Sends a code by SMS to the telephone number that is to be registered.",
    returns=SENT,
    sensitive=True,
)
mutation(
    registration.check_registration_code,
    visible(VISITOR),
    says="Proves the telephone number with the code; the form follows under the same handle.",
    returns={
        "expires_at": Returned(
            "datetime | None", "Until when the form may follow.", lambda until, _: until
        )
    },
    sensitive=True,
)
mutation(
    registration.register,
    visible(VISITOR),
    says="Opens an account and signs in. It is confirmed apart: see `requestConfirmation`.",
    input="RegisterInput",
    returns={
        **{name: _of_session(returned) for name, returned in SIGNED_IN_PAYLOAD.items()},
        "email_handle": Returned(
            "str | None",
            "With it the code sent to the e-mail address confirms the account: `confirmAccount`.",
            lambda result, _: result.emailed.handle if result.emailed else None,
        ),
    },
    sensitive=True,
)

"""Whose an account is in its owner's own words, as clients see and say it."""

from auth.gate import Gate
from auth.identities import Number, number_of
from core.text import mask
from models.identity import Identity
from resolvers import identities
from schema.context import Context
from schema.directives import SIGNED_IN, visible
from schema.factors import LATELY
from schema.operations import given, input_of, mutation, row
from schema.views import computed, object_of

# Enough to tell one's own document, or a slip in it, and too little for a thief of the session.
_KEPT = 4


def _hidden(identity: Identity, context: Context, kind: Number) -> str | None:
    gate: Gate = context.services["gate"]
    number = number_of(gate, identity, kind)
    return None if number is None else mask(number, _KEPT)


@object_of(visible(*SIGNED_IN))
class StatedIdentity:
    """Who the owner of an account is, as they have said; of numbers the last four digits."""

    last_name = computed(
        "str",
        visible(*SIGNED_IN),
        says="Family name (фамилия).",
        value=lambda own, _: own.last_name,
    )
    first_name = computed(
        "str", visible(*SIGNED_IN), says="Given name (имя).", value=lambda own, _: own.first_name
    )
    patronymic = computed(
        "str | None",
        visible(*SIGNED_IN),
        says="Patronymic (отчество).",
        value=lambda own, _: own.patronymic,
    )
    birth_date = computed(
        "date | None",
        visible(*SIGNED_IN),
        says="Date of birth.",
        value=lambda own, _: own.birth_date,
    )
    passport = computed(
        "str | None",
        visible(*SIGNED_IN),
        says="Series and number of the passport.",
        value=lambda own, context: _hidden(own, context, "passport"),
    )
    inn = computed(
        "str | None",
        visible(*SIGNED_IN),
        says="INN.",
        value=lambda own, context: _hidden(own, context, "inn"),
    )
    snils = computed(
        "str | None",
        visible(*SIGNED_IN),
        says="СНИЛС, once the account was confirmed with it.",
        value=lambda own, context: _hidden(own, context, "snils"),
    )


@input_of(visible(*SIGNED_IN))
class StateIdentityInput:
    """Who one is."""

    last_name = given("str", says="Family name (фамилия).")
    first_name = given("str", says="Given name (имя).")
    patronymic = given("str | None", says="Patronymic (отчество).")
    birth_date = given("str", says="Date of birth: 1985-04-12 or 12.04.1985.")
    passport = given("str", says="Series and number of the passport, ten digits; sealed at rest.")
    inn = given("str", says="INN of a person: twelve digits; sealed at rest.")


mutation(
    identities.state_identity,
    visible(*SIGNED_IN),
    # The document in it is what a visitor shows who has lost a contact.
    LATELY,
    says=(
        "Says whose the account is, where it was not opened by registering, or mends what was said:"
        " then it is confirmed anew."
    ),
    input="StateIdentityInput",
    returns=row("Account"),
)

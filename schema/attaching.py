"""Attaching a professional role, as clients see it."""

from core.text import mask
from resolvers import attaching
from schema.directives import SIGNED_IN, visible
from schema.operations import Returned, given, input_of, mutation
from schema.sent_codes import SENT
from schema.sessions import SWITCHED


@input_of(visible(*SIGNED_IN))
class RoleInput:
    """By what one is found in the staff registry: exactly one of these."""

    licence_number = given("str | None", says="The licence of the organisation one works for.")
    accreditation_number = given(
        "str | None", says="One's own accreditation or specialist certificate."
    )
    snils = given("str | None", says="SNILS, with or without spaces and dashes.")


mutation(
    attaching.request_role,
    visible(*SIGNED_IN),
    says="Looks for one's file in the staff registry, and sends a code to the telephone in it.",
    input="RoleInput",
    returns={
        **SENT,
        "sent_to": Returned(
            "str | None",
            "The telephone to which the code went, as the registry knows it: its last digits.",
            lambda sent, _: mask(sent.phone, 4),
        ),
    },
    sensitive=True,
)
mutation(
    attaching.attach_role,
    visible(*SIGNED_IN),
    says="Attaches the role that the registry gives, by that code; this session goes on in it.",
    input="RoleInput",
    returns=SWITCHED,
    sensitive=True,
)

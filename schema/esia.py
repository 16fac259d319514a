"""Gosuslugi, as clients see it: signing in through it, and linking an account to it."""

from models.role import Role
from resolvers import esia
from schema.directives import SIGNED_IN, fresh, visible
from schema.factors import LATELY
from schema.operations import Returned, mutation, row
from schema.sessions import SIGNED_IN_PAYLOAD

# Whoever begins to link has shown a factor for it, so that no code of Gosuslugi ends while one is
# asked for; the way there and back takes ten minutes more at most.
BACK_FROM_THERE = fresh(minutes=20, again=True)

BEGUN = {
    "address": Returned("str | None", "Where to send the person.", lambda r, _: r.address),
    "binding": Returned(
        "str | None",
        "To be kept in the browser that began, and given back when the person is back there.",
        lambda r, _: r.binding,
    ),
    "expires_at": Returned(
        "datetime | None", "Until when they must be back.", lambda r, _: r.expires_at
    ),
}

mutation(
    esia.begin_esia,
    visible(Role.VISITOR),
    says="Begins a sign-in through Gosuslugi: send the person to the address.",
    returns=BEGUN,
)
mutation(
    esia.begin_esia_linking,
    visible(*SIGNED_IN),
    LATELY,
    says="Begins to link one's account with Gosuslugi: send the person to the address.",
    returns=BEGUN,
)
mutation(
    esia.finish_esia,
    visible(Role.VISITOR),
    says=(
        "Signs in with the state, and the code or error, with which the person came back from"
        " Gosuslugi."
    ),
    returns=SIGNED_IN_PAYLOAD,
    sensitive=True,
)
mutation(
    esia.link_esia,
    visible(*SIGNED_IN),
    BACK_FROM_THERE,
    says="Links one's account with Gosuslugi, and confirms it where Gosuslugi knows its owner.",
    returns=row("Account"),
    sensitive=True,
)
mutation(
    esia.unlink_esia,
    visible(*SIGNED_IN),
    LATELY,
    says=(
        "Takes Gosuslugi off one's account: it opens it no more, until one links them again by"
        " linkEsia."
    ),
    returns=row("Account"),
)

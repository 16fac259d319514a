"""Gosuslugi, as clients see it: signing in through it, and linking an account to it."""

from models.role import Role
from resolvers import esia
from schema.directives import EVERYONE, SIGNED_IN, visible
from schema.factors import LATELY
from schema.operations import Returned, mutation, row
from schema.sessions import SIGNED_IN_PAYLOAD

mutation(
    esia.begin_esia,
    visible(*EVERYONE),
    says=(
        "Begins a sign-in through Gosuslugi, or for who is signed in, the linking of their account:"
        " send the person to the address."
    ),
    returns={
        "address": Returned("str | None", "Where to send the person.", lambda r, _: r.address),
        "binding": Returned(
            "str | None",
            "To be kept in the browser that began, and given back when the person is back there.",
            lambda r, _: r.binding,
        ),
        "expires_at": Returned(
            "datetime | None", "Until when they must be back.", lambda r, _: r.expires_at
        ),
    },
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
    LATELY,
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

"""Getting in again: a new password by a code, and what an operator does for a person."""

from models.factor import Channel
from models.role import Role
from resolvers import lost_factors, recovery
from schema.directives import visible
from schema.operations import Returned, mutation, row
from schema.views import enum_of

enum_of(Channel)

mutation(
    recovery.request_recovery,
    visible(Role.VISITOR),
    says="Sends a code for a new password to a phone or e-mail; whose it is, is not told.",
    returns={
        "handle": Returned(
            "str | None", "To be given back with the code, shown once.", lambda r, _: r.handle
        ),
        "channel": Returned("Channel | None", "By which way.", lambda r, _: r.channel),
        "expires_at": Returned(
            "datetime | None", "Until when the code is good.", lambda r, _: r.expires_at
        ),
        "resend_at": Returned(
            "datetime | None", "From when on another may be sent.", lambda r, _: r.resend_at
        ),
    },
    sensitive=True,
)
mutation(
    recovery.reset_password,
    visible(Role.VISITOR),
    says="Sets a new password by a code; every session ends, and the second factor stays.",
    sensitive=True,
)
mutation(
    recovery.start_reset,
    visible(Role.OPERATOR),
    says="Sends a code for a new password to the confirmed contact of an account.",
    returns=row("Account"),
)
mutation(
    lost_factors.reset_factors,
    visible(Role.OPERATOR),
    says="Takes second factors away that were lost, by a ticket with documents.",
    returns=row("Account"),
)

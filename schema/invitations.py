"""Invitations, as those who invite and the invited see them."""

from models.account import Account as AccountRow
from models.role import Role
from resolvers import invitations
from schema.directives import visible
from schema.operations import Returned, mutation
from schema.sent_codes import SENT

mutation(
    invitations.invite,
    visible(Role.ADMIN),
    says="Invites a worker to open an account; the code is shown once.",
    returns={
        "code": Returned(
            "str | None", "To be handed to the worker; good for 72 hours.", lambda r, _: r.code
        ),
        "account": Returned(
            "Account | None",
            "The account that waits.",
            lambda r, context: context.loaders.one(AccountRow, r.account.id),
        ),
    },
)
mutation(
    invitations.begin_invitation,
    visible(Role.VISITOR),
    says="Sends a code to the phone or e-mail with which an invited person will sign in.",
    returns=SENT,
    sensitive=True,
)
mutation(
    invitations.accept_invitation,
    visible(Role.VISITOR),
    says="Opens an account: the contact of that code, a password and the second factor are set.",
    returns={
        "totp_secret": Returned(
            "str | None", "The secret of the second factor, shown once.", lambda r, _: r.totp_secret
        ),
        "totp_uri": Returned(
            "str | None", "The same as an otpauth address, for a QR code.", lambda r, _: r.totp_uri
        ),
    },
    sensitive=True,
)

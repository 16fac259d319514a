"""Passkeys, as clients see them: kept, shown to sign in, and shown in a session."""

from models.factor import Passkey as PasskeyRow
from models.role import Role
from resolvers import passkey_sign_in, passkeys
from resolvers.pages import Term
from schema.accounts import OWN
from schema.directives import SIGNED_IN, visible
from schema.factors import LATELY
from schema.operations import Returned, mutation, row
from schema.sessions import SIGNED_IN_PAYLOAD
from schema.tokens import SHOWN_AGAIN
from schema.views import column, view_of


@view_of(
    PasskeyRow,
    visible(*SIGNED_IN, rows=OWN),
    order=(Term("created_at"),),
    many="passkeys",
)
class Passkey:
    """A passkey of one's own (WebAuthn): a second factor, and a sign-in by itself."""

    id = column("ID", visible(*SIGNED_IN), says="Its id.")
    name = column("str", visible(*SIGNED_IN), says="What its owner calls it.")
    created_at = column("datetime", visible(*SIGNED_IN), says="When it was added.")
    used_at = column("datetime | None", visible(*SIGNED_IN), says="When it was shown last.")


_ASKED = {
    "options": Returned(
        "str | None",
        "What the browser is asked for, as the JSON of WebAuthn.",
        lambda asked, _: asked.options,
    ),
    "expires_at": Returned(
        "datetime | None", "Until when it may answer.", lambda asked, _: asked.expires_at
    ),
}

mutation(
    passkeys.begin_passkey,
    visible(*SIGNED_IN),
    LATELY,
    says=(
        "Begins to add a passkey: its options are for navigator.credentials.create, and the "
        "browser's answer for addPasskey, in this session."
    ),
    returns=_ASKED,
)
mutation(
    passkeys.add_passkey,
    visible(*SIGNED_IN),
    says="Adds the passkey that the browser made, given as the JSON of its toJSON().",
    returns=row("Passkey"),
)
mutation(
    passkeys.rename_passkey,
    visible(*SIGNED_IN),
    says="Gives a passkey another name.",
    returns=row("Passkey"),
)
mutation(
    passkeys.remove_passkey,
    visible(*SIGNED_IN),
    LATELY,
    says="Removes a passkey; the last second factor stays.",
)
mutation(
    passkey_sign_in.begin_passkey_sign_in,
    visible(Role.VISITOR),
    says=(
        "Begins to sign in by a passkey alone: its options are for navigator.credentials.get, and "
        "the browser's answer for signInByPasskey."
    ),
    returns=_ASKED,
)
mutation(
    passkey_sign_in.sign_in_by_passkey,
    visible(Role.VISITOR),
    says="Signs in by a passkey, given as the JSON of its toJSON().",
    returns=SIGNED_IN_PAYLOAD,
    sensitive=True,
)
mutation(
    passkey_sign_in.passkey_options,
    visible(Role.VISITOR),
    says="Asks for a passkey as the second factor of a sign-in that waits.",
    returns=_ASKED,
)
mutation(
    passkey_sign_in.finish_sign_in_by_passkey,
    visible(Role.VISITOR),
    says="Finishes a sign-in that waits, with a passkey.",
    returns=SIGNED_IN_PAYLOAD,
    sensitive=True,
)
mutation(
    passkey_sign_in.begin_passkey_confirmation,
    visible(*SIGNED_IN),
    says="Asks for a passkey of one's own in this session.",
    returns=_ASKED,
)
mutation(
    passkey_sign_in.confirm_factor_by_passkey,
    visible(*SIGNED_IN),
    says=(
        "Shows a passkey in this session, for what asks for a fresh factor. The tokens from before "
        "are void."
    ),
    returns=SHOWN_AGAIN,
    sensitive=True,
)

"""Electronic signatures, as clients see them: a text to sign, and what its signature opens."""

from models.role import Role
from resolvers import signatures
from schema.directives import SIGNED_IN, visible
from schema.operations import Returned, mutation
from schema.sessions import SIGNED_IN_PAYLOAD
from schema.tokens import SHOWN_AGAIN

_TO_SIGN = {
    "challenge": Returned(
        "str | None", "To be given back with the signature.", lambda made, _: made.challenge
    ),
    "text": Returned(
        "str | None",
        "What is to be signed: its UTF-8, as it is.",
        lambda made, _: made.text,
    ),
    "expires_at": Returned(
        "datetime | None", "Until when it may be signed.", lambda made, _: made.expires_at
    ),
}
_SIGNATURE = (
    "The signature is a detached CMS (RFC 5652), with the certificates that lead to an authority, "
    "as Base64 of DER or PEM."
)

mutation(
    signatures.begin_signature_sign_in,
    visible(Role.VISITOR),
    says="Gives out a text whose electronic signature signs in.",
    returns=_TO_SIGN,
)
mutation(
    signatures.sign_in_by_signature,
    visible(Role.VISITOR),
    says=f"Signs in by an electronic signature, of a confirmed account. {_SIGNATURE}",
    returns=SIGNED_IN_PAYLOAD,
    sensitive=True,
)
mutation(
    signatures.begin_signature_confirmation,
    visible(*SIGNED_IN),
    says="Gives out a text whose electronic signature is a factor in this session.",
    returns=_TO_SIGN,
)
mutation(
    signatures.confirm_factor_by_signature,
    visible(*SIGNED_IN),
    says=(
        "Shows an electronic signature of one's own in this session, for what asks for a fresh "
        f"factor. The tokens from before are void. {_SIGNATURE}"
    ),
    returns=SHOWN_AGAIN,
    sensitive=True,
)

"""Second factors, the password and the contacts of one's own account, as clients see them."""

from models.factor import SecondFactor
from resolvers import contact_changes, enrolling, factors, own_password, recovery_codes
from resolvers.recommendations import Recommendation
from schema.directives import EVERYONE, SIGNED_IN, fresh, visible
from schema.operations import Returned, mutation, row
from schema.tokens import SHOWN_AGAIN
from schema.views import computed, enum_of, object_of

enum_of(SecondFactor)
enum_of(Recommendation, "What a person had better do for the safety of their account.")

# Who changes how the account is opened has shown for it all that signing in asks for: that itself
# does not count, as the token alone, stolen straight after, would do (OWASP ASVS 5.0, 7.5.1).
LATELY = fresh(minutes=10, again=True)


@object_of(visible(*EVERYONE))
class OfferedFactor:
    """A second factor of an account."""

    kind = computed(
        "SecondFactor",
        visible(*EVERYONE),
        says="Which it is.",
        value=lambda offered, _: offered.kind,
    )
    contact = computed(
        "str | None",
        visible(*EVERYONE),
        says="Where its code is sent, all but the last digits hidden.",
        value=lambda offered, _: offered.contact,
    )


# Of a code that was sent.
SENT = {
    "expires_at": Returned(
        "datetime | None", "Until when the code is good.", lambda sent, _: sent.expires_at
    ),
    "resend_at": Returned(
        "datetime | None",
        "From when on another can be asked for.",
        lambda sent, _: sent.resend_at,
    ),
}
SENT_BY_HANDLE = {
    "handle": Returned(
        "str | None", "To be given back with the code; shown once.", lambda sent, _: sent.handle
    ),
    **SENT,
}

mutation(
    factors.send_factor_code,
    visible(*SIGNED_IN),
    says="Sends a code by SMS, to be shown by confirmFactor.",
    returns=SENT_BY_HANDLE,
)
mutation(
    factors.confirm_factor,
    visible(*SIGNED_IN),
    says=(
        "Shows the password and a second factor again in this session, for what asks for a fresh "
        "one: the code of the authenticator, of an SMS with its handle, or a recovery code. The "
        "tokens from before are void."
    ),
    returns=SHOWN_AGAIN,
    sensitive=True,
)
mutation(
    enrolling.begin_totp,
    visible(*SIGNED_IN),
    LATELY,
    says="Begins with an authenticator: its secret becomes a factor when it has shown a code.",
    returns={
        "secret": Returned(
            "str | None", "The secret in base 32, shown once.", lambda begun, _: begun.secret
        ),
        "uri": Returned(
            "str | None", "The same as an otpauth address.", lambda begun, _: begun.uri
        ),
        "qr": Returned(
            "str | None", "That address as a QR code, in SVG.", lambda begun, _: begun.qr
        ),
    },
)
mutation(
    enrolling.enable_totp,
    visible(*SIGNED_IN),
    LATELY,
    says="Makes the authenticator a second factor, in place of one from before.",
    returns=row("Account"),
    sensitive=True,
)
mutation(
    enrolling.disable_totp,
    visible(*SIGNED_IN),
    LATELY,
    says="Forgets the authenticator. The last second factor stays.",
    returns=row("Account"),
)
mutation(
    enrolling.set_sms_factor,
    visible(*SIGNED_IN),
    LATELY,
    says="Turns codes by SMS on or off as a second factor. The last second factor stays.",
    returns=row("Account"),
)
mutation(
    recovery_codes.create_recovery_codes,
    visible(*SIGNED_IN),
    LATELY,
    says="Ten codes to be kept on paper, each good once; those from before are void.",
    returns={
        "codes": Returned("list[str] | None", "Shown once.", lambda made, _: list(made.codes))
    },
)
mutation(
    own_password.change_password,
    visible(*SIGNED_IN),
    LATELY,
    says="Changes the password; every other session ends.",
    returns=row("Account"),
    sensitive=True,
)
mutation(
    contact_changes.begin_contact_change,
    visible(*SIGNED_IN),
    LATELY,
    says="Sends a code to another telephone number or e-mail address of one's own.",
    returns=SENT_BY_HANDLE,
)
mutation(
    contact_changes.change_contact,
    visible(*SIGNED_IN),
    LATELY,
    says="Takes that contact, in place of the one from before; each one from before gets a notice.",
    returns=row("Account"),
    sensitive=True,
)

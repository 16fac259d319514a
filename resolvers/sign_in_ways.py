"""The ways in which people sign in to an installation: what was not set up is none of them."""

from enum import StrEnum

from core.settings import Settings


class SignInWay(StrEnum):
    """A way to sign in. PASSWORD goes with a second factor; the others do without."""

    PASSWORD = "PASSWORD"  # noqa: S105 - the name of a way
    PASSKEY = "PASSKEY"
    SIGNATURE = "SIGNATURE"
    ESIA = "ESIA"


def sign_in_ways(settings: Settings) -> list[SignInWay]:
    """Those that this installation has."""
    set_up = {
        SignInWay.SIGNATURE: settings.signatures.authorities is not None,
        SignInWay.ESIA: settings.esia is not None,
    }
    return [way for way in SignInWay if set_up.get(way, True)]

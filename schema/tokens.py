"""The tokens of a session in payloads; those that are kept in cookies are not told."""

from models.account import Session
from schema.operations import Returned

ACCESS = {
    "access_token": Returned(
        "str | None",
        "To be sent as a bearer token; empty where it is kept in a cookie.",
        lambda result, _: None if result.session.in_cookies else result.access_token,
    ),
    "access_expires_at": Returned(
        "datetime | None", "When it must be renewed.", lambda result, _: result.access_expires_at
    ),
}
REFRESH = {
    "refresh_token": Returned(
        "str | None",
        "Renews the access token, once; used twice, it ends the session."
        " Empty where it is kept in a cookie, and of a script.",
        lambda result, _: None if result.session.in_cookies else result.refresh_token or None,
    )
}
# What a person gets who has shown a factor again: the tokens from before are void.
SHOWN_AGAIN = {
    "session": Returned(
        "Session | None",
        "The Session, as it is now.",
        lambda result, context: context.loaders.one(Session, result.session.id),
    ),
    **ACCESS,
    **REFRESH,
}

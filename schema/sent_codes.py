"""What a client is told of a code under way: with which handle, and when another may be sent."""

from models.factor import Channel
from schema.operations import Returned
from schema.views import enum_of

enum_of(Channel)

SENT = {
    "handle": Returned(
        "str | None", "With it the code is given back; shown once.", lambda sent, _: sent.handle
    ),
    "expires_at": Returned(
        "datetime | None", "Until when the code is good.", lambda sent, _: sent.expires_at
    ),
    "resend_at": Returned(
        "datetime | None", "From when on another may be sent.", lambda sent, _: sent.resend_at
    ),
}

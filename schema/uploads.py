"""Files that clients send: announced by a mutation, then put to the address that it gives."""

from models.upload import UploadPurpose
from resolvers import uploads
from schema.directives import EVERYONE, visible
from schema.operations import Returned, mutation
from schema.views import enum_of

enum_of(UploadPurpose)

mutation(
    uploads.request_upload,
    visible(*EVERYONE),
    says="Announces a file, a PDF of so many bytes, which is then sent by HTTP PUT, once.",
    returns={
        "upload_id": Returned(
            "ID | None", "The id by which it is claimed, within a day.", lambda r, _: r.upload.id
        ),
        "address": Returned(
            "str | None", "Where to put it: a path on this server.", lambda r, _: r.address
        ),
        "expires_at": Returned(
            "datetime | None", "Until when the address takes it.", lambda r, _: r.expires_at
        ),
    },
)

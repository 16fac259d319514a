"""Addresses of files: signed, short-lived, each for one deed with one file on somebody's behalf."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hmac import compare_digest
from typing import Literal
from urllib.parse import urlencode
from uuid import UUID

from auth.keys import HashKey
from core.errors import Problem
from models.role import Role

Deed = Literal["PUT", "GET"]


class AddressInvalid(Problem):
    """The address is not one of ours, too old, or was used already."""

    code = "FILE_ADDRESS_INVALID"


@dataclass(frozen=True, slots=True)
class FileAddress:
    """What an address is good for. ``id`` is the row that the file is of."""

    deed: Deed
    id: UUID
    until: datetime
    role: Role
    # Nobody, for a visitor. An address is good for as long as the session that it was given to.
    account_id: UUID | None
    session_id: UUID | None


def signed(hashes: HashKey, address: FileAddress) -> str:
    """The path and query of an address, on this server."""
    said = {
        "until": str(int(address.until.timestamp())),
        "role": address.role.value,
        "account": str(address.account_id or ""),
        "session": str(address.session_id or ""),
    }
    query = {**said, "signature": _signature(hashes, address.deed, str(address.id), said)}
    return f"/files/{address.id}?{urlencode(query)}"


def read(
    hashes: HashKey, deed: Deed, id: str, query: Mapping[str, str], *, now: datetime
) -> FileAddress:
    """The address that was asked for; raises AddressInvalid."""
    said = {name: query.get(name, "") for name in ("until", "role", "account", "session")}
    right = _signature(hashes, deed, id, said)
    if not compare_digest(right.encode(), query.get("signature", "").encode()):
        raise AddressInvalid
    # What we have signed is as we wrote it.
    until = datetime.fromtimestamp(int(said["until"]), UTC)
    if until <= now:
        raise AddressInvalid
    account_id, session_id = (
        UUID(said[name]) if said[name] else None for name in ("account", "session")
    )
    return FileAddress(deed, UUID(id), until, Role(said["role"]), account_id, session_id)


def _signature(hashes: HashKey, deed: Deed, id: str, said: Mapping[str, str]) -> str:
    return hashes.hash("file address", "\0".join((deed, id, *said.values())))

"""Known devices: by what a browser or a program shows that it has signed in to an account before.

A token opens nothing. It names a device, which has failures of its own: those of strangers do not
keep it out (OWASP, Blocking Brute Force Attacks: device cookies).
"""

import secrets
from datetime import datetime, timedelta
from hmac import compare_digest
from uuid import UUID

from auth.keys import HashKey

LIFETIME = timedelta(days=180)


def device_token(hashes: HashKey, account_id: UUID, now: datetime) -> str:
    """A token for a new device: its random name and its term, signed for the account."""
    signed = f"{secrets.token_urlsafe(24)}.{int((now + LIFETIME).timestamp())}"
    return f"{signed}.{_signature(hashes, account_id, signed)}"


def device_of(hashes: HashKey, account_id: UUID, token: str, now: datetime) -> str | None:
    """The name of the device, where the token is of this account and not too old."""
    signed, _, signature = token.rpartition(".")
    expected = _signature(hashes, account_id, signed)
    if not compare_digest(signature.encode("utf-8", "surrogatepass"), expected.encode()):
        return None
    name, _, ends = signed.partition(".")
    return name if int(ends) > now.timestamp() else None


def _signature(hashes: HashKey, account_id: UUID, signed: str) -> str:
    return hashes.hash("known device", f"{account_id}\0{signed}")

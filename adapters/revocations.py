"""Lists of revoked certificates (RFC 5280), from files and addresses: kept a while, and bounded.

One in the name of an authority that the authority has not signed is not taken. Whether another is
genuine, and whether any still holds, is for whoever validates a certificate to see. What cannot be
had is missing: a certificate that no list speaks of is then not accepted.
"""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from asn1crypto import crl, pem, x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_der_public_key
from cryptography.x509 import load_der_x509_crl

# Those of large authorities have some megabytes.
LARGEST = 16 * 1024 * 1024
# A list is asked for again after so long, or when it ends; after a failure, or where one has ended
# and no newer one is there, sooner, but not by everybody at once.
KEPT = timedelta(minutes=15)
TRIED_AGAIN = timedelta(seconds=30)
# In seconds.
TIMEOUT = 5.0

_log = logging.getLogger(__name__)


class _Unusable(Exception):
    """A source gave no list; the text says why."""


@dataclass(frozen=True, slots=True)
class _List:
    """A list, with what is read of it once: another thread may be validating with it."""

    value: crl.CertificateList
    # Whose it is, and for which part of their certificates.
    name: tuple[bytes, bytes]
    since: datetime
    until: datetime | None
    number: int | None

    def is_older_than(self, other: "_List") -> bool:
        if self.number is not None and other.number is not None and self.number < other.number:
            return True
        return self.since < other.since


# What tells that a file is another one: when it was written, how long and which it is.
_Stamp = tuple[int, int, int]
# Of authorities, by their names.
_Keys = dict[str, list[Any]]


@dataclass
class _Source:
    """A file or an address, and the last lists that it gave."""

    name: str
    keys: _Keys
    next_at: datetime | None = None
    stamp: _Stamp | None = None
    found: dict[tuple[bytes, bytes], _List] = field(default_factory=dict)
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def is_file(self) -> bool:
        return not self.name.startswith(("http://", "https://"))

    def holds(self, now: datetime) -> bool:
        lists = self.found.values()
        return bool(lists) and all(one.until is None or now < one.until for one in lists)

    def asked_again_at(self, now: datetime) -> datetime:
        """When it is asked again that answered now: sooner where one of its lists ends sooner."""
        ends = [one.until for one in self.found.values() if one.until is not None]
        return max(min([now + KEPT, *ends]), now + TRIED_AGAIN)

    def take(self, lists: list[_List]) -> None:
        """Takes lists in place of those from before, but none for a newer one of its name.

        Whoever puts an older one there would un-revoke what was revoked since; and a forged one
        that is newer than all would keep every signature out until a restart. Raises _Unusable
        where one is forged, once the others are taken.
        """
        taken: dict[tuple[bytes, bytes], _List] = {}
        forged = False
        for one in lists:
            kept = taken.get(one.name) or self.found.get(one.name)
            if _is_forged(one.value, self.keys):
                forged = True
                if kept is None:
                    continue
                one = kept
            elif kept is not None and one.is_older_than(kept):
                _log.error("an older list of revoked certificates from %s: not taken", self.name)
                one = kept
            taken[one.name] = one
        self.found = taken
        if forged:
            raise _Unusable("its authority has not signed it")


class RevocationLists:
    """The lists of files and of ``http://`` and ``https://`` addresses: one in DER, or any in PEM.

    An address has ``timeout`` seconds for the whole of its answer. ``authorities`` are those whose
    lists are known to be genuine, or not, before they are taken.
    """

    def __init__(
        self,
        sources: Sequence[str],
        authorities: Sequence[x509.Certificate] = (),
        *,
        timeout: float = TIMEOUT,
    ) -> None:
        keys = _keys_of(authorities)
        self._sources = [_Source(name, keys) for name in sources]
        self._timeout = timeout

    async def current(self, now: datetime) -> list[crl.CertificateList]:
        """The newest lists that could be had, the last known one of a source that fails now."""
        found = await asyncio.gather(*(self._of(source, now) for source in self._sources))
        return [one for lists in found for one in lists]

    async def are_whole(self, now: datetime) -> bool:
        """Whether there are sources, and each has given a list that still holds."""
        await self.current(now)
        return bool(self._sources) and all(source.holds(now) for source in self._sources)

    async def _of(self, source: _Source, now: datetime) -> list[crl.CertificateList]:
        async with source.turn:
            stamp = await asyncio.to_thread(_stamp_of, source.name) if source.is_file else None
            # A file that was replaced is read at once.
            if source.next_at is None or source.next_at <= now or stamp != source.stamp:
                source.stamp = stamp
                try:
                    lists = _read(await _bytes_of(source, self._timeout))
                    await asyncio.to_thread(source.take, lists)
                    source.next_at = source.asked_again_at(now)
                except _Unusable as error:
                    _log.error("no list of revoked certificates from %s: %s", source.name, error)
                    source.next_at = now + TRIED_AGAIN
            return [one.value for one in source.found.values()]


def _keys_of(authorities: Sequence[x509.Certificate]) -> _Keys:
    """The keys of authorities by their names, read before any thread validates with them."""
    keys: _Keys = {}
    for authority in authorities:
        of_name = keys.setdefault(authority.subject.hashable, [])
        # One of a kind that nothing here verifies has signed nothing that counts.
        with suppress(ValueError, UnsupportedAlgorithm):
            of_name.append(load_der_public_key(authority.public_key.dump()))
    return keys


def _is_forged(one: crl.CertificateList, keys: _Keys) -> bool:
    """Whether a list is in the name of an authority, and none of that name has signed it."""
    of_name = keys.get(one.issuer.hashable)
    if of_name is None:
        return False
    try:
        read = load_der_x509_crl(one.dump())
        return not any(read.is_signature_valid(key) for key in of_name)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return True


def _stamp_of(path: str) -> _Stamp | None:
    try:
        found = Path(path).stat()
    except (OSError, ValueError):
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


async def _bytes_of(source: _Source, seconds: float) -> bytes:
    if source.is_file:
        return await asyncio.to_thread(_bytes_of_file, Path(source.name))
    try:
        async with asyncio.timeout(seconds):
            return await _fetched(source.name, seconds)
    except (TimeoutError, httpx.HTTPError, httpx.InvalidURL) as error:
        raise _Unusable(type(error).__name__) from None


def _bytes_of_file(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            found = file.read(LARGEST + 1)
    except OSError as error:
        raise _Unusable(str(error.strerror)) from None
    if len(found) > LARGEST:
        raise _Unusable("too large")
    return found


async def _fetched(address: str, seconds: float) -> bytes:
    found = bytearray()
    async with (
        # Of the environment, only the server's settings are read.
        httpx.AsyncClient(follow_redirects=False, timeout=seconds, trust_env=False) as client,
        client.stream("GET", address) as response,
    ):
        if response.status_code != httpx.codes.OK:
            raise _Unusable(f"status {response.status_code}")
        async for part in response.aiter_bytes():
            found += part
            if len(found) > LARGEST:
                raise _Unusable("too large")
    return bytes(found)


def _read(data: bytes) -> list[_List]:
    try:
        parts = pem.unarmor(data, multiple=True) if pem.detect(data) else [("", {}, data)]
        lists = [_list_of(part) for _, _, part in parts]
    except (ValueError, TypeError, KeyError):
        lists = []
    if not lists:
        raise _Unusable("not a list of revoked certificates")
    return lists


def _list_of(data: bytes) -> _List:
    found = crl.CertificateList.load(data, strict=True)
    # asn1crypto reads what it is asked for: what is no list is told by its first parts.
    part, number = found.issuing_distribution_point_value, found.crl_number_value
    _ = found["signature_algorithm"].native
    return _List(
        found,
        name=(found.issuer.dump(), part.dump() if part is not None else b""),
        since=found["tbs_cert_list"]["this_update"].native,
        until=found["tbs_cert_list"]["next_update"].native,
        number=number.native if number is not None else None,
    )

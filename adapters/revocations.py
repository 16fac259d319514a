"""Lists of revoked certificates (RFC 5280), from files and addresses: kept a while, and bounded.

Whether a list is genuine and still holds is for whoever validates a certificate to see. What
cannot be had is missing: a certificate that no list speaks of is then not accepted.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import httpx
from asn1crypto import crl, pem

# Those of large authorities have some megabytes.
LARGEST = 16 * 1024 * 1024
# A list is asked for again after so long; after a failure sooner, but not by everybody at once.
KEPT = timedelta(minutes=15)
TRIED_AGAIN = timedelta(seconds=30)
# In seconds.
TIMEOUT = 5.0

_log = logging.getLogger(__name__)


class _Unusable(Exception):
    """A source gave no list; the text says why."""


@dataclass
class _Source:
    """A file or an address, and the last list that it gave."""

    name: str
    next_at: datetime | None = None
    found: crl.CertificateList | None = None
    # Read once: a list must not be read while another thread validates with it.
    until: datetime | None = None
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    def holds(self, now: datetime) -> bool:
        return self.found is not None and (self.until is None or now < self.until)


class RevocationLists:
    """The lists of files and of ``http://`` and ``https://`` addresses, PEM or DER.

    An address has ``timeout`` seconds for the whole of its answer.
    """

    def __init__(self, sources: Sequence[str], *, timeout: float = TIMEOUT) -> None:
        self._sources = [_Source(name) for name in sources]
        self._timeout = timeout

    async def current(self, now: datetime) -> list[crl.CertificateList]:
        """The newest lists that could be had, the last known one of a source that fails now."""
        found = await asyncio.gather(*(self._of(source, now) for source in self._sources))
        return [one for one in found if one is not None]

    async def are_whole(self, now: datetime) -> bool:
        """Whether there are sources, and each has given a list that still holds."""
        await self.current(now)
        return bool(self._sources) and all(source.holds(now) for source in self._sources)

    async def _of(self, source: _Source, now: datetime) -> crl.CertificateList | None:
        async with source.turn:
            if source.next_at is None or source.next_at <= now:
                try:
                    found = _read(await _bytes_of(source.name, self._timeout))
                    source.found, source.until = found, _until(found)
                    source.next_at = now + KEPT
                except _Unusable as error:
                    _log.error("no list of revoked certificates from %s: %s", source.name, error)
                    source.next_at = now + TRIED_AGAIN
            return source.found


async def _bytes_of(source: str, seconds: float) -> bytes:
    if not source.startswith(("http://", "https://")):
        return await asyncio.to_thread(_bytes_of_file, Path(source))
    try:
        async with asyncio.timeout(seconds):
            return await _fetched(source, seconds)
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


def _read(data: bytes) -> crl.CertificateList:
    try:
        if pem.detect(data):
            _, _, data = pem.unarmor(data)
        found = crl.CertificateList.load(data, strict=True)
        # asn1crypto reads what it is asked for: what is no list is told by its first parts.
        _ = found["tbs_cert_list"]["this_update"].native, found["signature_algorithm"].native
        _ = _until(found)
    except (ValueError, TypeError, KeyError):
        raise _Unusable("not a list of revoked certificates") from None
    return found


def _until(found: crl.CertificateList) -> datetime | None:
    until: datetime | None = found["tbs_cert_list"]["next_update"].native
    return until

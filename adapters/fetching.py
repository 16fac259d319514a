"""Asking services elsewhere for JSON: within seconds, of bounded size, and followed nowhere."""

import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

LARGEST = 64 * 1024
_CONNECTIONS = 20


class NotAnswered(Exception):
    """Nothing came, or not what had to come. The text is for the log: nothing secret is in it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An object, and the status of HTTP with which it came: one from 200 to 499."""

    status: int
    body: dict[str, Any]


class Fetcher:
    """Sends requests, each of which ends within ``seconds``, over few connections.

    ``authorities`` is a PEM file of certificates that are trusted beside the usual ones.
    """

    def __init__(self, *, seconds: float, authorities: Path | None = None) -> None:
        trusted = ssl.create_default_context()
        if authorities is not None:
            trusted.load_verify_locations(authorities)
        self._client = httpx.AsyncClient(
            timeout=seconds,
            verify=trusted,
            follow_redirects=False,
            trust_env=False,  # only the server's settings read the environment
            limits=httpx.Limits(max_connections=_CONNECTIONS),
            headers={"accept": "application/json", "accept-encoding": "identity"},
        )

    async def fetch(
        self,
        url: str,
        *,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """The answer to a GET, or to a POST of a form; raises NotAnswered."""
        method = "GET" if form is None else "POST"
        try:
            async with self._client.stream(method, url, data=form, headers=headers) as response:
                status = response.status_code
                if not (status == httpx.codes.OK or 400 <= status < 500) or status == 429:
                    raise NotAnswered(f"HTTP {status}")
                text = await _bounded(response)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise NotAnswered(type(error).__name__) from None
        try:
            body = json.loads(text)
        except (ValueError, RecursionError):
            raise NotAnswered(f"HTTP {status} without JSON") from None
        if not isinstance(body, dict):
            raise NotAnswered(f"HTTP {status} without an object")
        return Answer(status, body)

    async def reach(self, url: str) -> None:
        """Sees that there is somebody who answers, whatever it is; raises NotAnswered."""
        try:
            async with self._client.stream("HEAD", url):
                pass
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise NotAnswered(type(error).__name__) from None

    async def close(self) -> None:
        await self._client.aclose()


async def _bounded(response: httpx.Response) -> bytes:
    text = bytearray()
    async for piece in response.aiter_raw():
        text += piece
        if len(text) > LARGEST:
            raise NotAnswered(f"more than {LARGEST} bytes")
    return bytes(text)

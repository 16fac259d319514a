"""What a request may say: strict JSON, the media types of an answer, an operation, a token."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

from starlette.types import Receive

from auth.tokens import TokenInvalid
from execution.persisted import Named
from execution.problems import plain
from execution.requests import Request as Operation

JSON = "application/json"
RESPONSE = "application/graphql-response+json"
_LONGEST_STEP = 60

# Of a request: names in lower case, each with the first of its values.
Headers = Mapping[bytes, bytes]


class Malformed(Exception):
    """A request that cannot be read: its HTTP status, its code, and values for the text."""

    def __init__(self, status: int, code: str, **values: object) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.values = values

    def told(self, language: str) -> dict[str, Any]:
        """The error as it is answered."""
        return plain(language, self.code, **self.values)


class TextInvalid(Malformed):
    """A value of a variable that is text, and holds what no database keeps."""

    def __init__(self, place: str) -> None:
        super().__init__(400, "TEXT_INVALID")
        self._place = place

    def told(self, language: str) -> dict[str, Any]:
        # As the same text in a document is told (execution.problems).
        extensions = {"code": "BAD_USER_INPUT", "field": self._place}
        return {**super().told(language), "extensions": extensions}


def by_name(told: Sequence[tuple[bytes, bytes]]) -> Headers:
    """The headers of a request by their names; two that say who asks are none that is right."""
    found = dict(reversed(told))
    if len(found) != len(told) and sum(name == b"authorization" for name, _ in told) > 1:
        # A proxy may have checked the other one.
        found[b"authorization"] = b""
    return found


def text_of(headers: Headers, name: bytes) -> str | None:
    value = headers.get(name)
    return None if value is None else value.decode("latin-1")


def check_media(headers: Headers) -> None:
    """Raises Malformed where the body is none of strict JSON in UTF-8, by its headers."""
    if not _is_ours(headers.get(b"content-type", b""), headers.get(b"content-encoding", b"")):
        raise Malformed(415, "MEDIA_TYPE")


@lru_cache(maxsize=64)
def _is_ours(content_type: bytes, content_encoding: bytes) -> bool:
    media, _, parameters = content_type.decode("latin-1").partition(";")
    charset = parameters.lower().partition("charset=")[2].strip().strip('"')
    encoding = content_encoding.decode("latin-1").strip().lower() or "identity"
    return media.strip().lower() == JSON and charset in ("", "utf-8") and encoding == "identity"


async def body_of(headers: Headers, receive: Receive, largest: int, seconds: float) -> bytes:
    """A body of at most ``largest`` bytes.

    Raises Malformed, and TimeoutError where it is not whole in so many seconds.
    """
    length = headers.get(b"content-length", b"")
    if length.isdigit() and int(length) > largest:
        raise Malformed(413, "TOO_LARGE", limit=largest)
    # Almost always the first part is the whole. That there is one is the server's to see to
    # (server.protocol).
    body, is_whole = await _part(receive)
    if not is_whole:
        async with asyncio.timeout(seconds):
            while not is_whole and len(body) <= largest:
                part, is_whole = await _part(receive)
                body += part
    if len(body) > largest:
        raise Malformed(413, "TOO_LARGE", limit=largest)
    return body


async def _part(receive: Receive) -> tuple[bytes, bool]:
    """The next part of a body, and whether it is the last."""
    message = await receive()
    if message["type"] == "http.disconnect":
        raise Malformed(400, "BODY_INVALID")
    return message.get("body", b""), not message.get("more_body")


def operation_by_get(query: bytes) -> Operation:
    """The operation of a query string; raises Malformed."""
    # Of two parameters under one name the last is taken, as by other servers.
    found = dict(parse_qsl(query.decode("latin-1"), keep_blank_values=True))
    return operation_of(
        {
            "query": found.get("query"),
            "documentId": found.get("documentId"),
            "variables": _parameter(found.get("variables"), "VARIABLES_INVALID"),
            "operationName": found.get("operationName"),
            "extensions": _parameter(found.get("extensions"), "EXTENSIONS_INVALID"),
        }
    )


def _parameter(text: str | None, code: str) -> Any:
    """A parameter of the query string that holds JSON."""
    if not text:
        return None
    try:
        return decoded(text.encode("utf-8"))
    except (Malformed, UnicodeEncodeError):
        raise Malformed(400, code) from None


def decoded(body: bytes) -> Any:
    """Strict JSON in UTF-8: no NUL, no lone surrogates, no name twice.

    Raises Malformed, and TextInvalid where a variable's value is to blame.
    """
    try:
        text = body.decode("utf-8")
        # Most bodies have nothing around them: the decoder's own scanner is the quicker then.
        content, end = _DECODER.raw_decode(text) if text[:1] == "{" else (None, -1)
        if end != len(text):
            content = _DECODER.decode(text)
    except (ValueError, RecursionError):
        raise Malformed(400, "BODY_INVALID") from None
    # Other ways to write them have been refused by now: the decoder is strict.
    if "\\u" in text and (place := _wrong_text(content)) is not None:
        variable = place.removeprefix("variables.")
        raise Malformed(400, "BODY_INVALID") if variable == place else TextInvalid(variable)
    return content


def _refused(_constant: str) -> Any:
    raise ValueError


def _named_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # Of two values under one name, a proxy may have checked the other.
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError
    return found


def _wrong_text(content: Any) -> str | None:
    """Where a text holds NUL or half of a surrogate pair: ``variables.input.name``."""
    # Places are chains of steps: written out for each value, they could be many and long.
    todo: list[tuple[Any, Any]] = [(content, None)]
    while todo:
        value, place = todo.pop()
        if isinstance(value, str):
            if not _is_kept(value):
                return _written(place)
        elif isinstance(value, dict):
            if not all(map(_is_kept, value)):
                return _written(place)
            todo += [(inner, (place, f".{key[:_LONGEST_STEP]}")) for key, inner in value.items()]
        elif isinstance(value, list):
            todo += [(inner, (place, f"[{index}]")) for index, inner in enumerate(value)]
    return None


def _written(place: Any) -> str:
    steps = []
    while place is not None:
        place, step = place
        steps.append(step)
    return "".join(reversed(steps)).removeprefix(".")


def _is_kept(text: str) -> bool:
    return "\0" not in text and not any("\ud800" <= character <= "\udfff" for character in text)


_DECODER = json.JSONDecoder(
    parse_constant=_refused,
    object_pairs_hook=_named_once,
)


def operation_of(content: Any) -> Operation:
    """The operation that a decoded body names; raises Malformed."""
    if not isinstance(content, dict):
        raise Malformed(400, "BODY_INVALID")
    text, variables = content.get("query"), content.get("variables")
    name, extensions = content.get("operationName"), content.get("extensions")
    named = _named(extensions, content.get("documentId"))
    if text is None and named is not None:
        text = ""
    if not isinstance(text, str) or not (text or named):
        raise Malformed(400, "QUERY_MISSING")
    if variables is not None and not isinstance(variables, dict):
        raise Malformed(400, "VARIABLES_INVALID")
    if name is not None and not isinstance(name, str):
        raise Malformed(400, "OPERATION_NAME_INVALID")
    if extensions is not None and not isinstance(extensions, dict):
        raise Malformed(400, "EXTENSIONS_INVALID")
    return Operation(text, variables or {}, name or None, named)


def _named(extensions: Any, document_id: Any) -> Named | None:
    """What the document is called by, if anything; whether it may be is the engine's to say."""
    extension = extensions.get("persistedQuery") if isinstance(extensions, dict) else None
    if extension is None and document_id is None:
        return None
    return Named(extension, document_id)


@lru_cache(maxsize=64)
def accepted(header: bytes) -> str:
    """The media type to answer in: the one liked best; raises Malformed where none is ours."""
    best, quality = "", 0.0
    for part in header.decode("latin-1").split(","):
        media, _, parameters = part.partition(";")
        found = _OFFERED.get(media.strip().lower())
        weight = _weight(parameters)
        if found is not None and weight > quality:
            best, quality = found, weight
    if not best:
        raise Malformed(406, "NOT_ACCEPTABLE")
    return best


_OFFERED = {RESPONSE: RESPONSE, JSON: JSON, "*/*": JSON, "application/*": JSON, "": JSON}


def _weight(parameters: str) -> float:
    """The ``q`` of an accepted media type (RFC 9110, 12.4.2)."""
    for parameter in parameters.split(";"):
        name, _, value = parameter.strip().partition("=")
        if name.lower() == "q":
            try:
                return float(value)
            except ValueError:
                return 0.0
    return 1.0


def bearer(header: str | None) -> str | None:
    """The token of an Authorization header; raises TokenInvalid where it is of another kind."""
    if header is None:
        return None
    scheme, _, rest = header.partition(" ")
    token = rest.strip()
    if not token or scheme.lower() != "bearer":
        raise TokenInvalid
    return token

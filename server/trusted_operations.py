"""The list of trusted operations: a file, read and checked once when the server starts."""

from pathlib import Path
from typing import Any

from core.settings import Settings
from execution.engine import Engine
from execution.persisted import hash_of
from execution.trusted import Invalid, Trusted, document_of
from schema.build import build
from server.requests import Malformed, decoded
from server.services import closed_to

_APOLLO = "apollo-persisted-query-manifest"
# Of the GraphQL-over-HTTP draft; GraphQL Code Generator writes it.
_PREFIX = "sha256:"


class ListInvalid(ValueError):
    """A list of operations cannot be used; the text says why, a line for each fault."""


def trusted_of(settings: Settings) -> Trusted | None:
    """The trusted operations of the settings, where they name a list; raises ListInvalid."""
    path = settings.trusted_operations
    if path is None:
        return None
    engine = Engine(build(), settings.limits, closed_to=closed_to(settings))
    found, faults = {}, []
    for hash_, text in documents_of(path).items():
        try:
            found[hash_] = document_of(text, engine)
        except Invalid as error:
            faults.append(f"{path}: {hash_}: {error}")
    if faults:
        raise ListInvalid("\n".join(faults))
    return Trusted(found)


def documents_of(path: Path) -> dict[str, str]:
    """The documents of a list by their hashes; raises ListInvalid.

    The list is an object of hashes and documents, as GraphQL Code Generator's client preset writes
    it, or a manifest of Apollo's ``generate-persisted-query-manifest``.
    """
    try:
        content = decoded(path.read_bytes())
    except OSError as error:
        raise ListInvalid(f"{path}: cannot be read: {error.strerror}") from None
    except Malformed:
        raise ListInvalid(f"{path}: is not JSON") from None
    pairs = _pairs(content) if isinstance(content, dict) else []
    if not pairs:
        raise ListInvalid(f"{path}: holds no documents by their hashes, and is no {_APOLLO}")
    faults = [
        f"{path}: {hash_}: is not the SHA-256 of its document"
        for hash_, text in pairs
        if not isinstance(text, str) or hash_ not in (hash_of(text), _PREFIX + hash_of(text))
    ]
    if faults:
        raise ListInvalid("\n".join(faults))
    return {hash_.removeprefix(_PREFIX): text for hash_, text in pairs}


def _pairs(content: dict[str, Any]) -> list[tuple[Any, Any]]:
    if "format" not in content:
        return list(content.items())
    operations = content.get("operations")
    if content["format"] != _APOLLO or content.get("version") != 1:
        return []
    if not isinstance(operations, list):
        return []
    return [
        (one.get("id"), one.get("body")) if isinstance(one, dict) else (one, None)
        for one in operations
    ]

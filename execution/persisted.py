"""Operations by their hash: the texts that clients have sent before and need not send again.

Automatic persisted queries, as Apollo's clients, urql and others speak them, and ``documentId`` of
the GraphQL-over-HTTP draft's appendix «Persisted Documents».
"""

import re
from collections import OrderedDict
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Protocol

from auth.viewer import Viewer
from execution.problems import Refused, plain
from models.role import Role

# Kept for each role: characters of all its texts, and how many they are.
_CHARACTERS = 200_000
_TEXTS = 1_000
_VERSION = 1
_DOCUMENT_ID = re.compile("sha256:([0-9a-f]{64})")
# The draft's prefix stands here too in the hashes that GraphQL Code Generator makes.
_HASH = re.compile("(?:sha256:)?([0-9a-f]{64})")
_HASH_FIELD = "extensions.persistedQuery.sha256Hash"


def hash_of(text: str) -> str:
    """The SHA-256 of a text in UTF-8, in hexadecimal digits."""
    return sha256(text.encode()).hexdigest()


def refused(viewer: Viewer, code: str, **extensions: object) -> Refused:
    """A refusal that is about how an operation is named."""
    told = plain(viewer.language, code)
    told["extensions"].update(extensions)
    return Refused([told])


@dataclass(frozen=True, slots=True)
class Named:
    """What a request calls its document by, as it was sent; None where it is not there."""

    # ``persistedQuery`` of the extensions.
    persisted_query: Any = None
    document_id: Any = None

    def hash(self, viewer: Viewer) -> str:
        """The hash that is meant; raises Refused where it is malformed."""
        meant = self._of_extension(viewer) if self.persisted_query is not None else None
        if self.document_id is None:
            assert meant is not None
            return meant
        found = _digits(_DOCUMENT_ID, self.document_id)
        if found is None:
            raise refused(viewer, "PERSISTED_QUERY_INVALID", field="documentId")
        if meant not in (None, found):
            raise refused(viewer, "PERSISTED_QUERY_MISMATCH", field="documentId")
        return found

    def _of_extension(self, viewer: Viewer) -> str:
        extension = self.persisted_query
        if not isinstance(extension, dict):
            raise refused(viewer, "PERSISTED_QUERY_INVALID", field="extensions.persistedQuery")
        version = extension.get("version")
        if type(version) is not int or version != _VERSION:
            raise refused(viewer, "PERSISTED_QUERY_NOT_SUPPORTED")
        found = _digits(_HASH, extension.get("sha256Hash"))
        if found is None:
            raise refused(viewer, "PERSISTED_QUERY_INVALID", field=_HASH_FIELD)
        return found

    def mismatched(self, viewer: Viewer) -> Refused:
        """The refusal of a text that has another hash."""
        field = "documentId" if self.persisted_query is None else _HASH_FIELD
        return refused(viewer, "PERSISTED_QUERY_MISMATCH", field=field)


def _digits(form: re.Pattern[str], sent: Any) -> str | None:
    found = form.fullmatch(sent) if isinstance(sent, str) else None
    return found[1] if found else None


class Operations(Protocol):
    """Where the texts of operations are found."""

    closed: bool
    """Whether a text runs only where it is known."""

    def text(self, sent: str, named: Named | None, viewer: Viewer) -> str:
        """The text to run, of what was sent of it and its name; raises Refused."""

    def learn(self, named: Named, text: str, viewer: Viewer) -> None:
        """Takes in that a text was valid for a viewer under a name that has been checked."""


class Automatic:
    """The texts that clients have sent with their hashes, for each role apart.

    A hash is known in a role once its text was valid there. Else a hash, guessed, would tell what
    other roles ask, and so which fields they have; and whoever has not signed in would push out
    the texts of those who have.
    """

    closed = False

    def __init__(self, characters: int = _CHARACTERS, texts: int = _TEXTS) -> None:
        self._texts = {role: Texts(characters, texts) for role in Role}

    def text(self, sent: str, named: Named | None, viewer: Viewer) -> str:
        if named is None:
            return sent
        hash_ = named.hash(viewer)
        known = self._texts[viewer.role].get(hash_)
        if not sent:
            if known is None:
                raise refused(viewer, "PERSISTED_QUERY_NOT_FOUND")
            return known
        # One text is in memory once, however many roles know it.
        known = known or next(filter(None, (t.get(hash_) for t in self._texts.values())), None)
        if sent == known:
            return known
        if hash_of(sent) != hash_:
            raise named.mismatched(viewer)
        return sent

    def learn(self, named: Named, text: str, viewer: Viewer) -> None:
        self._texts[viewer.role].put(named.hash(viewer), text)


class Texts:
    """Texts by their hashes, bounded: the one not asked for longest is forgotten first."""

    def __init__(self, characters: int, texts: int) -> None:
        self._characters = characters
        self._most = texts
        self._known: OrderedDict[str, str] = OrderedDict()
        self._kept = 0

    def get(self, hash_: str) -> str | None:
        found = self._known.get(hash_)
        if found is not None:
            self._known.move_to_end(hash_)
        return found

    def put(self, hash_: str, text: str) -> None:
        if self.get(hash_) is not None:
            return
        self._known[hash_] = text
        self._kept += len(text)
        while self._kept > self._characters or len(self._known) > self._most:
            _, forgotten = self._known.popitem(last=False)
            self._kept -= len(forgotten)

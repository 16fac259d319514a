"""A list of trusted operations: nothing else runs, and who may run each is known from the start."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from graphql import GraphQLSyntaxError, OperationDefinitionNode, parse

from auth.viewer import Viewer
from core.clock import utc_now
from execution.engine import Engine
from execution.persisted import Named, hash_of, refused
from execution.prepared import Prepared
from execution.problems import Refused
from execution.requests import Request
from models.role import Role
from schema.build import build
from schema.context import Context


@dataclass(frozen=True, slots=True)
class Document:
    """A trusted document, and the roles in whose views it is valid."""

    text: str
    roles: frozenset[Role]


class Trusted:
    """The documents of a list by their hashes: an operation runs where it is of one of them.

    By its hash alone it runs in the roles that it is valid for, and is unknown to the rest: hashes
    stand in programs that anybody can read, and what is wrong with a text would tell what is in it.
    """

    closed = True

    def __init__(self, documents: Mapping[str, Document]) -> None:
        self._documents = documents
        self._texts = {document.text: document.text for document in documents.values()}

    def text(self, sent: str, named: Named | None, viewer: Viewer) -> str:
        if named is not None:
            return self._named(sent, named.hash(viewer), named, viewer)
        known = self._texts.get(sent)
        if known is None:
            raise refused(viewer, "OPERATION_NOT_TRUSTED")
        return known

    def _named(self, sent: str, hash_: str, named: Named, viewer: Viewer) -> str:
        known = self._documents.get(hash_)
        if sent and (known is None or sent != known.text) and hash_of(sent) != hash_:
            raise named.mismatched(viewer)
        if known is None:
            raise refused(viewer, "OPERATION_NOT_TRUSTED")
        if not sent and viewer.role not in known.roles:
            held = [role.value for role in Role if role in known.roles.intersection(viewer.held)]
            more = {"availableIn": held} if held else {}
            raise refused(viewer, "OPERATION_NOT_TRUSTED", **more)
        return known.text

    def learn(self, named: Named, text: str, viewer: Viewer) -> None:
        """Nothing: the list is what it was at the start."""


class Invalid(Exception):
    """A document that no role can run; the text says why."""


def document_of(text: str, engine: Engine) -> Document:
    """A document with the roles in which each of its operations is valid; raises Invalid."""
    roles, faults = set(), []
    for role in Role:
        try:
            list(prepared_in(engine, text, role))
        except Refused as error:
            faults.append((len(error.errors), role, error.errors))
        else:
            roles.add(role)
    if not roles:
        # The view that lacks least of it says best what is wrong.
        _, role, errors = min(faults, key=lambda fault: fault[0])
        told = " ".join(error["message"] for error in errors)
        raise Invalid(f"valid in no role; in that of {role}: {told}")
    return Document(text, frozenset(roles))


def prepared_in(engine: Engine, text: str, role: Role) -> Iterator[Prepared]:
    """The operations of a document in a role's view, without values; raises Refused."""
    viewer = Viewer(rights=build().views[role].rights, now=utc_now(), language="en")
    for name in _operations(text):
        yield engine.documents.prepare(Request(text, {}, name), Context(viewer))


def _operations(text: str) -> list[str | None]:
    """The names of a document's operations; where there are none, the engine says what is wrong."""
    try:
        definitions = parse(text).definitions
    except GraphQLSyntaxError:
        return [None]
    found = [d for d in definitions if isinstance(d, OperationDefinitionNode)]
    return [d.name.value if d.name else None for d in found] or [None]

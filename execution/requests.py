"""What a client sent, and what it is answered with."""

import json
from dataclasses import dataclass
from typing import Any, NamedTuple

from execution.persisted import Named


class Request(NamedTuple):
    """What a client sent: a document, which of its operations, and values.

    The text may be empty where the document is ``named``.
    """

    text: str
    # Read only: whoever sends none shares these.
    variables: dict[str, Any] = {}
    operation_name: str | None = None
    named: Named | None = None


@dataclass(slots=True)
class Answer:
    """A response, and whether the request itself was refused before anything ran.

    A planned read answers with ``text``, its bytes; everything else with a mapping.
    """

    _body: dict[str, Any] | None = None
    refused: bool = False
    text: bytes | None = None

    @property
    def body(self) -> dict[str, Any]:
        if self._body is None:
            self._body = json.loads(self.text or b"")
        return self._body

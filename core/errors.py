"""Outcomes a person can mend, each an exception with a stable code.

    Problem
    ├── InputInvalid        the request itself is malformed: a top-level error
    └── (the domain's own)  raised by models, auth and resolvers: ``errors`` of a payload

Texts live in ``translations/`` under the code; nothing here formats a message.
"""

from typing import ClassVar


class Problem(Exception):
    """One thing that is wrong: its code, the input field it is about, and values for the text.

    ``field`` is a dotted path in the operation's arguments, in GraphQL names
    (``input.snils``); empty when the problem is about no field.
    """

    code: ClassVar[str]

    def __init__(self, field: str = "", /, **values: object) -> None:
        super().__init__(field)
        self.field = field
        self.values = values


class Problems(Exception):
    """Several problems at once, so that a form names every wrong field in one answer."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__([problem.code for problem in problems])
        self.problems = problems


class InputInvalid(Problem):
    """An argument that no form of ours would send: answered as a top-level error."""

    code: ClassVar[str] = "INPUT_INVALID"


class CursorInvalid(InputInvalid):
    """A cursor that we did not make, or that belongs to another order."""

    code = "CURSOR_INVALID"


class PageInvalid(InputInvalid):
    """A page size outside 1–100, or a page asked for in both directions."""

    code = "PAGE_INVALID"


class IdInvalid(InputInvalid):
    """An id that is not a UUID."""

    code = "ID_INVALID"


class Unavailable(Problem):
    """A part that this request needs does not answer: try again."""

    code = "UNAVAILABLE"


class ServiceUnavailable(Problem):
    """A service outside that this needs does not answer, or is not set up here."""

    code = "SERVICE_UNAVAILABLE"

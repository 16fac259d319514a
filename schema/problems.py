"""The type of a problem, as payloads tell it, and the enum of all its codes."""

import inspect
import sys
from collections.abc import Callable, Iterable
from enum import StrEnum
from typing import Any

import strawberry
from strawberry.types.field import StrawberryField

from core.errors import InputInvalid, Problem
from schema.fields import EVERYBODY, object_type, schema_field
from schema.names import NAMES

_OURS = ("adapters.", "auth.", "core.", "models.", "resolvers.")


def declare_problem(resolvers: Iterable[Callable[..., Any]]) -> None:
    """The type of a problem, and the enum of every code that these resolvers lead to."""
    codes = sorted(_codes(Problem, _sources(resolvers)))
    values: Any = StrEnum("ProblemCode", {code: code for code in codes})  # type: ignore[misc]  # made at run time
    enum: Any = strawberry.enum(
        values, description="What is wrong: stable, for programs. The text is for people."
    )
    NAMES["ProblemCode"] = enum
    fields: dict[str, StrawberryField] = {
        "code": schema_field(
            "ProblemCode", lambda p, _i: enum(p["code"]), EVERYBODY, "What is wrong."
        ),
        "field": schema_field(
            "str | None",
            lambda p, _i: p["field"],
            EVERYBODY,
            "The path in the operation's arguments that it is about, such as input.snils.",
        ),
        "message": schema_field(
            "str",
            lambda p, _i: p["message"],
            EVERYBODY,
            "A short sentence in the viewer's language.",
        ),
        "until": schema_field(
            "datetime | None",
            lambda p, _i: p["until"],
            EVERYBODY,
            "Until when to wait, where waiting helps.",
        ),
    }
    object_type("Problem", fields, EVERYBODY, "One thing that a person can mend.")


def _codes(parent: type[Problem], sources: set[str]) -> set[str]:
    found = set()
    for child in parent.__subclasses__():
        if not issubclass(child, InputInvalid):
            if hasattr(child, "code") and child.__module__ in sources:
                found.add(child.code)
            found |= _codes(child, sources)
    return found


def _sources(resolvers: Iterable[Callable[..., Any]]) -> set[str]:
    """The modules that the resolvers of operations lead to.

    Not all that happen to be imported: the schema is the same in the server, where importing
    has problems of its own, in the command line and in a test.
    """
    found: set[str] = set()
    todo = {resolver.__module__ for resolver in resolvers}
    while todo:
        name = todo.pop()
        found.add(name)
        for value in vars(sys.modules[name]).values():
            source = value.__name__ if inspect.ismodule(value) else getattr(value, "__module__", "")
            if str(source).startswith(_OURS) and source not in found:
                todo.add(source)
    return found

"""Errors as they are told: a code, a text, and the argument that each is about."""

import re
from typing import Any

from graphql import (
    ExecutionResult,
    FieldNode,
    GraphQLError,
    Node,
    NullValueNode,
    ObjectFieldNode,
    VariableNode,
)

from core.errors import Problem
from core.translation import message
from execution.incidents import incident
from execution.places import Places
from execution.proofs import Need

_LONGEST_MESSAGE = 300
# The only thing about a missing input field that graphql-core tells is its name in this text.
_MISSING = re.compile(r"Expected value of type '[^']+' to include required field '(\w+)'")


class Refused(Exception):
    """A request that is not executed: its errors, ready to be sent."""

    def __init__(self, errors: list[dict[str, Any]]) -> None:
        super().__init__(errors)
        self.errors = errors


class ValueWrong(GraphQLError):
    """A literal that its place does not take."""


def plain(language: str, code: str, **values: object) -> dict[str, Any]:
    """An error that is about the request as a whole."""
    return {"message": message(language, code, **values), "extensions": {"code": code}}


def of_document(error: GraphQLError, code: str, places: Places | None = None) -> dict[str, Any]:
    """An error about a document: ``extensions.field`` is the place of the value it is about."""
    told: dict[str, Any] = dict(error.formatted)
    # Messages repeat names, and those may be long.
    if len(error.message) > _LONGEST_MESSAGE:
        told["message"] = f"{error.message[:_LONGEST_MESSAGE]}…"
    told["extensions"] = {"code": code, **(error.extensions or {})}
    found = places.of_nodes(error.nodes or ()) if places is not None else None
    if found is not None:
        told["extensions"]["field"] = found
    return told


def of_value(node: Node, text: str, language: str, extensions: dict[str, Any]) -> dict[str, Any]:
    """A value that its place does not take, which is not repeated."""
    where = GraphQLError("", node).formatted["locations"]
    return {"message": message(language, text), "locations": where, "extensions": extensions}


def of_literal(
    error: GraphQLError, code: str, language: str, places: Places | None = None
) -> dict[str, Any]:
    """What graphql-core says of a value in a document, or of a variable that has none, in a text
    of ours: its own repeats what was sent.
    """
    assert error.nodes
    node, missing = error.nodes[0], _MISSING.match(error.message)
    if missing or isinstance(node, NullValueNode | VariableNode | FieldNode):
        text = "REQUIRED"
    else:
        text = "FIELD_UNKNOWN" if isinstance(node, ObjectFieldNode) else "BAD_USER_INPUT"
    extensions = {"code": code, **(error.extensions or {})}
    place = places.of_nodes([node]) if places is not None else None
    if place is not None:
        extensions["field"] = f"{place}.{missing[1]}" if missing else place
    return of_value(node, text, language, extensions)


def of_problem(problem: Problem, language: str) -> dict[str, Any]:
    """A problem that is no part of a payload."""
    told = plain(language, problem.code, **problem.values)
    if problem.field:
        told["extensions"]["field"] = problem.field
    return told


def of_input(
    node: FieldNode, error: Problem | GraphQLError, language: str, places: Places
) -> dict[str, Any]:
    """What is wrong with the arguments of a field that has not run."""
    if isinstance(error, GraphQLError):
        return of_literal(error, "BAD_USER_INPUT", language, places)
    told = of_problem(error, language)
    where = GraphQLError("", node).formatted["locations"]
    return {"message": told["message"], "locations": where, "extensions": told["extensions"]}


def of_proof(need: Need, problem: Problem, language: str) -> dict[str, Any]:
    """What must be proved first, at the field that needs it; its extensions tell within what."""
    told = of_problem(problem, language)
    where = GraphQLError("", need.node).formatted["locations"]
    extensions = {**told["extensions"], **problem.values}
    return {
        "message": told["message"],
        "locations": where,
        "path": list(need.path),
        "extensions": extensions,
    }


def of_execution(error: GraphQLError, language: str) -> dict[str, Any]:
    """An error of execution: a problem with its code, or a bug with nothing but its incident."""
    original = error.original_error
    blamed = original if isinstance(original, GraphQLError) else error if original is None else None
    # An error that points into the document is the client's; one about a result is a bug.
    if blamed is not None and blamed.nodes:
        told = of_literal(blamed, "BAD_USER_INPUT", language)
        return {**told, "path": error.path} if error.path is not None else told
    if isinstance(original, Problem):
        told = of_problem(original, language)
    else:
        told = incident(original or error, language)
    where = {"path": error.path} if error.path is not None else {}
    return {"message": told["message"], **where, "extensions": told["extensions"]}


def in_order(result: ExecutionResult) -> list[GraphQLError]:
    """The errors in the order of the root fields: as they come, they stand by chance."""
    places = {key: place for place, key in enumerate(result.data or ())}
    return sorted(
        result.errors or (),
        key=lambda error: places.get(error.path[0], 0) if error.path else 0,
    )

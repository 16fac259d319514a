"""What a list of operations comes to: which roles can run each, and what it becomes in them."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

from graphql.execution.values import VariableValues, get_variable_values

from auth.viewer import Place, Viewer
from core.clock import utc_now
from core.errors import Problem
from core.settings import Settings
from execution.engine import Engine
from execution.explaining import explanation
from execution.plans import Asking
from execution.prepared import Prepared
from execution.samples import samples
from execution.trusted import Invalid, document_of, prepared_in
from models.database import dialect, opened
from models.role import Role
from schema.build import build
from server.services import closed_to
from server.trusted_operations import documents_of

_SOMEBODY = UUID(int=0)


async def checked(settings: Settings, path: Path) -> AsyncIterator[tuple[str, bool]]:
    """What each document comes to, and whether any role can run it; raises ListInvalid.

    No database is asked: a plan is tried for somebody who holds the role in a whole organisation.
    """
    engine = Engine(build(), settings.limits, closed_to=closed_to(settings))
    # Opened for its dialect alone: nothing connects to it.
    async with opened(settings.database_url):
        for hash_, text in documents_of(path).items():
            try:
                roles = document_of(text, engine).roles
            except Invalid as error:
                yield f"{hash_[:12]}  {error}", False
            else:
                lines = _lines(engine, text, [role for role in Role if role in roles])
                yield "\n".join([f"{hash_[:12]}  {lines[0]}", *lines[1:]]), True


def _lines(engine: Engine, text: str, roles: list[Role]) -> list[str]:
    """Each operation of a document, and under it the roles by what it becomes in them."""
    found: dict[str, dict[str, list[str]]] = {}
    for role in roles:
        for prepared in prepared_in(engine, text, role):
            operation = prepared.operation
            name = operation.name.value if operation.name else "without a name"
            ways = found.setdefault(f"{operation.operation.value} {name}", {})
            ways.setdefault(_way(prepared, role), []).append(role.value)
    lines = []
    for operation_name, ways in found.items():
        lines.append(operation_name)
        lines += [f"  {way}: {', '.join(names)}" for way, names in ways.items()]
    return lines


def _way(prepared: Prepared, role: Role) -> str:
    operation = prepared.operation
    if operation.operation.value != "query":
        return "run by"
    viewer = Viewer(
        prepared.view.rights,
        utc_now(),
        account_id=None if role is Role.VISITOR else _SOMEBODY,
        session_id=None if role is Role.VISITOR else _SOMEBODY,
        practitioner_id=None if role is Role.VISITOR else _SOMEBODY,
        places=() if role is Role.VISITOR else (Place(_SOMEBODY),),
        held=(role,),
    )
    schema, definitions = prepared.view.schema, operation.variable_definitions or ()
    given = get_variable_values(schema, definitions, samples(schema, operation))
    assert isinstance(given, VariableValues)
    asking = Asking(viewer, given.coerced)
    try:
        found = explanation(prepared.plans, prepared.mixtures, asking, dialect())
    except Problem:
        return "one statement or not, by its values"
    executed = [f"{way.key} ({found.refusal(way)})" for way in found.ways if found.refusal(way)]
    if not executed:
        return "one statement"
    beside = "one statement, and " if found.plan is not None else ""
    return f"{beside}the executor for {', '.join(executed)}"

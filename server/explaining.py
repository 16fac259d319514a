"""How a query is read: the way of each root field, its tree, the statement, the database's plan."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from tortoise.exceptions import OperationalError

from auth.recognition import RoleNotHeld
from auth.viewer import Viewer, Visit
from core.clock import utc_now
from core.settings import Settings
from execution.explaining import Explanation
from execution.requests import Request
from execution.shape import NotPlannable
from execution.trees import tree
from models.account import Account
from models.database import SQLITE, dialect_of
from models.reading import explain
from models.role import Role
from server.demo_tokens import demo_token
from server.migrating import file_of
from server.services import Services, services_of

_NEVER_MIGRATED = "The database was never migrated: run `cabinet migrate`."


class NotExplained(Exception):
    """There is no database, or nobody in it, to explain a read for: the text says which."""


async def explained(
    settings: Settings, role: Role, request: Request, account: str | None = None
) -> str:
    """What a read in a role comes to, for an account by its public id, or for a demo account.

    Raises NotExplained, NotDemo, and Refused.
    """
    if dialect_of(settings.database_url) == SQLITE:
        _check(file_of(settings.database_url))
    async with services_of(settings) as services:
        try:
            viewer = await _viewer(services, role, account)
        except OperationalError:
            raise NotExplained(_NEVER_MIGRATED) from None
        try:
            found = services.engine.explain(request, services.context(viewer))
        except NotPlannable as reason:
            return f"Runs in the ordinary executor: {reason}."
        lines = list(_ways(found))
        if found.plan is not None:
            values, statement = found.values(), found.plan.statement
            lines += ["", "One statement:", "", statement.sql, "", "Bound:"]
            lines += [f"  {number}: {value}" for number, value in enumerate(values, 1)]
            lines += ["", "The database's plan:", *await explain(statement.sql, values)]
        return "\n".join(lines)


def _check(path: Path) -> None:
    """Looks at a file before anything opens it, which would make one where there is none.

    Raises NotExplained.
    """
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as reading:
            held = reading.execute("SELECT 1 FROM sqlite_master WHERE name = 'account'").fetchone()
    except sqlite3.Error as error:
        raise NotExplained(f"{path} cannot be read as a database: {error}.") from None
    if held is None:
        raise NotExplained(_NEVER_MIGRATED)


async def _viewer(services: Services, role: Role, named: str | None) -> Viewer:
    visit = Visit(utc_now(), language="en")
    if role is Role.VISITOR:
        return await services.sessions.viewer(None, visit)
    if named is None:
        return await services.sessions.viewer(await demo_token(services.settings, role), visit)
    account = await Account.get_or_none(public_id=named).select_related("organisation")
    if account is None:
        raise NotExplained(f"No account has the public id {named}.")
    try:
        return await services.sessions.imagined(account, role, visit)
    except RoleNotHeld:
        raise NotExplained(f"{named} does not hold {role.value}.") from None


def _ways(found: Explanation) -> Iterator[str]:
    for way in found.ways:
        if reason := found.refusal(way):
            yield f"{way.key}: executed, for {reason}"
        else:
            assert way.value is not None
            yield f"{way.key}: planned"
            yield from tree(way.key, way.value, 1)

"""Departments of an organisation, kept by its administration."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from tortoise.exceptions import IntegrityError

from auth.audit import record
from auth.rows import existing, lock
from auth.viewer import Viewer
from core.errors import Problem
from models.database import unit_of_work, violated
from models.organisation import Department
from resolvers.forms import Check, IdentityUnavailable, complete, read, refuse, text
from resolvers.standing import ActionDenied, is_limited, organisation_of


class DepartmentCodeTaken(Problem):
    """Another department of the organisation has this code."""

    code = "DEPARTMENT_CODE_TAKEN"


_NEEDED = ("code", "name")
_CHECKS: dict[str, Check] = {
    "code": text(40),
    "name": text(400),
    "city": text(200),
    "address": text(400),
}


@unit_of_work
async def create_department(
    viewer: Viewer, *, organisation_id: UUID | None = None, **values: Any
) -> Department:
    """Opens a department: code, name, city, address.

    Raises NotFound, ActionDenied where the caller's role holds in a department only, and
    Problems: Required, TooLong, DepartmentCodeTaken.
    """
    home = organisation_of(viewer, organisation_id)
    if is_limited(viewer, home):
        raise ActionDenied
    department = Department(organisation_id=home)
    await _write(viewer, department, complete(values, _NEEDED))
    record(viewer, "DEPARTMENT_CREATED", department)
    return department


@unit_of_work
async def update_department(viewer: Viewer, *, id: UUID, **changes: Any) -> Department:
    """Changes the named values. Raises NotFound, and Problems as ``create_department`` does."""
    department = await lock(viewer, Department, id)
    await _write(viewer, department, changes)
    record(viewer, "DEPARTMENT_UPDATED", department, fields=sorted(changes))
    return department


async def _write(viewer: Viewer, department: Department, values: Mapping[str, Any]) -> None:
    problems: list[Problem] = []
    stored = read(values, _CHECKS, required=_NEEDED, problems=problems)
    if "code" in stored:
        others = existing(viewer, Department).exclude(id=department.id)
        same = others.filter(organisation_id=department.organisation_id, code=stored["code"])
        if await same.exists():
            problems.append(DepartmentCodeTaken("code"))
    refuse(problems)
    department.update_from_dict(stored)
    try:
        await department.save()
    except IntegrityError as error:
        if not _is_about_code(violated(error)):
            raise
        raise IdentityUnavailable("code") from None


def _is_about_code(name: str) -> bool:
    # SQLite names the columns; PostgreSQL the constraint, which Tortoise names by a digest.
    return "code" in name or name.startswith("uid_department_organis")

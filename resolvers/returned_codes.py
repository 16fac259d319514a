"""Codes that people give back: counted by whoever sends them, and a wrong one is written down."""

from typing import Any
from uuid import UUID

from auth.audit import record
from auth.gate import Gate
from auth.limits import Limit
from auth.sent_codes import check_code
from auth.viewer import Viewer
from core.errors import Problem
from models.database import unit_of_work
from models.factor import CodePurpose, SentCode


async def returned_code(
    viewer: Viewer,
    *,
    gate: Gate,
    purpose: CodePurpose,
    handle: str,
    code: str,
    account_id: UUID | None = None,
    field: str = "code",
) -> SentCode:
    """The sent code whose digits came back; raises what ``check_code`` does, about ``field``."""
    try:
        return await check_code(
            viewer,
            gate=gate,
            purpose=purpose,
            handle=handle,
            code=code,
            account_id=account_id,
            field=field,
        )
    except Problem as problem:
        await note_refusal(viewer, "CODE_REFUSED", problem, purpose=purpose.value)
        raise


async def code_or_problem(
    viewer: Viewer,
    *,
    gate: Gate,
    purpose: CodePurpose,
    handle: str,
    code: str,
    account_id: UUID | None,
    problems: list[Problem],
    field: str = "code",
) -> SentCode | None:
    """The same, with what is wrong added to ``problems``."""
    try:
        return await returned_code(
            viewer,
            gate=gate,
            purpose=purpose,
            handle=handle,
            code=code,
            account_id=account_id,
            field=field,
        )
    except Problem as problem:
        problems.append(problem)
        return None


async def count_address(viewer: Viewer, gate: Gate, limit: Limit) -> None:
    """Counts a hit of the viewer's address, where it is known; raises TooManyAttempts."""
    if viewer.address:
        await gate.limiter.hit(viewer, limit, viewer.network)


@unit_of_work
async def note_refusal(viewer: Viewer, action: str, problem: Problem, **details: Any) -> None:
    """An entry of the audit trail about something that was refused and rolled back."""
    record(viewer, action, about=viewer.practitioner_id, reason=problem.code, **details)

"""Query counts: a list costs a fixed number of statements, however many rows it has."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from auth.viewer import Visit
from core.clock import utc_now
from execution.engine import Engine
from execution.requests import Request
from models.course import Enrolment
from models.role import Role
from schema.build import build
from tests import factories as make
from tests.api import Api, soon

HOME = """{ me {
  lastName department { id name } licences { nodes { kind status specialty { name } } }
  shifts(first: 10) { nodes { startsAt status department { name } } }
  enrolments { nodes { status course { title startsOn } } }
} }"""
ROSTER = """{ practitioners(first: 50) { nodes {
  lastName department { name } licences(first: 10) { nodes { kind status } }
  shifts(first: 5) { nodes { startsAt status } }
} } }"""

GROUPS = """{ me { id } shiftGroups(by: [DEPARTMENT, STATUS]) {
  totalCount nodes { key { department { name } status } count hours { sum } }
} practitionerGroups(by: [DEPARTMENT]) { nodes { key { department { name } } count } } }"""

COUNTS = "{ practitioners { totalCount nodes { shifts(first: 1) { totalCount } } } }"


class _Counting(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.statements: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        # The change feed reads on its own, beside every request.
        if text.startswith(("SELECT", "WITH", "INSERT", "UPDATE", "DELETE")) and (
            '"change"' not in text
        ):
            self.statements.append(text)


@contextmanager
def counted() -> Iterator[list[str]]:
    """The statements that run within the block."""
    logger = logging.getLogger("tortoise.db_client")
    handler, level = _Counting(), logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    try:
        yield handler.statements
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


async def _staffed(api: Api, people: int, role: Role = Role.DOCTOR) -> str:
    """An organisation of so many workers, each with licences, shifts and a course; a token."""
    organisation = await make.organisation()
    departments = [await make.department(organisation) for _ in range(3)]
    account = await make.account(organisation)
    await make.grant(account, role, organisation)
    course = await make.course(organisation, seats=1_000)
    for number in range(people):
        where = departments[number % 3]
        worker = await make.practitioner(where, account=account if number == 0 else None)
        await make.licence(worker, specialty=await make.specialty())
        await make.licence(worker)
        for day in range(12 if number == 0 else 2):
            start = soon(days=day + 1)
            await make.shift(
                where,
                practitioner=worker,
                state="APPROVED",
                starts_at=start,
                ends_at=start + timedelta(hours=4),
            )
        await Enrolment.create(organisation=organisation, course=course, practitioner=worker)
    return await api.token(account, role)


async def _statements(api: Api, token: str, query: str, *, planned: bool) -> list[str]:
    services = api.services
    viewer = await services.sessions.viewer(token, Visit(utc_now(), language="en"))
    engine = Engine(build(), services.settings.limits, planned=planned)
    with counted() as statements:
        answer = await engine.execute(Request(query), services.context(viewer))
    data = answer.body["data"]
    assert data["me" if "me" in data else "practitioners"]
    return statements


@pytest.mark.parametrize("query", [HOME, ROSTER, COUNTS])
async def test_a_planned_read_is_one_statement(api: Api, query: str) -> None:
    token = await _staffed(api, 3)
    assert len(await _statements(api, token, query, planned=True)) == 1


@pytest.mark.parametrize("people", [1, 7])
async def test_the_home_screen_costs_seven_statements(api: Api, people: int) -> None:
    token = await _staffed(api, people)
    statements = await _statements(api, token, HOME, planned=False)
    # Oneself, departments, licences and their specialties, shifts, enrolments and their courses.
    assert len(statements) == 7, "\n".join(statements)


@pytest.mark.parametrize("people", [3, 50])
async def test_a_roster_costs_four_statements(api: Api, people: int) -> None:
    token = await _staffed(api, people)
    statements = await _statements(api, token, ROSTER, planned=False)
    # The list, then departments, licences and shifts of all of them.
    assert len(statements) == 4, "\n".join(statements)


@pytest.mark.parametrize("people", [3, 30])
async def test_groups_cost_a_statement_each_and_one_for_their_rows(api: Api, people: int) -> None:
    token = await _staffed(api, people, Role.ADMIN)
    assert len(await _statements(api, token, GROUPS, planned=True)) == 1
    statements = await _statements(api, token, GROUPS, planned=False)
    # Oneself, shifts, practitioners, and the departments of both.
    assert len(statements) == 4, "\n".join(statements)


WORKED = """{ practitioners(first: 50) { nodes {
  workedTime(from: "2026-03-01", to: "2026-03-31") { hours norm overtime shifts } } } }"""


async def test_worked_time_of_fifty_costs_three_statements_beside_the_list(api: Api) -> None:
    organisation = await make.organisation()
    ward = await make.department(organisation)
    for _ in range(50):
        await make.shift(ward, practitioner=await make.practitioner(ward), state="APPROVED")
    admin = await make.account(organisation)
    await make.grant(admin, Role.ADMIN, organisation)
    token = await api.token(admin, Role.ADMIN)
    statements = await _statements(api, token, WORKED, planned=True)
    # The list, then the organisation, positions and shifts of all of them.
    assert len(statements) == 4, "\n".join(statements)


async def test_a_total_count_is_asked_only_where_it_is_selected(api: Api) -> None:
    token = await _staffed(api, 3)
    statements = await _statements(api, token, COUNTS, planned=False)
    assert len(statements) == 4, "\n".join(statements)

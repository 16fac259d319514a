"""What every server must answer: the leaf values that PostgreSQL itself builds, in order."""

import json
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import asyncpg

# The department that holds the first practitioners, to which one of the administrators is limited.
DEPARTMENT = 1
ASKED_FOR = 200

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d")
_SPECIALTY = "(SELECT name FROM dictionary_entry WHERE id = p.specialty_id)"
_STATEMENTS = {
    "home": f"""
        SELECT json_build_array(p.id, p.last_name, p.first_name, p.middle_name, {_SPECIALTY},
          p.category, d.id, d.name,
          (SELECT json_agg(json_build_array(id, number, kind, status, expires_on) ORDER BY id)
            FROM licence WHERE practitioner_id = p.id),
          (SELECT json_agg(json_build_array(s.id, s.starts_at, s.ends_at, s.kind, s.state, of.name)
              ORDER BY s.starts_at)
            FROM (SELECT * FROM shift WHERE practitioner_id = p.id ORDER BY starts_at LIMIT 10) s
            JOIN department of ON of.id = s.department_id),
          (SELECT json_agg(json_build_array(e.id, e.status, c.id, c.title, c.credits, c.starts_on)
              ORDER BY e.id)
            FROM enrolment e JOIN course c ON c.id = e.course_id WHERE e.practitioner_id = p.id))
        FROM practitioner p JOIN department d ON d.id = p.department_id WHERE p.id = $1""",
    "roster": f"""
        SELECT json_agg(json_build_array(p.id, p.last_name, p.first_name, {_SPECIALTY}, p.category,
          d.id, d.name, d.city,
          (SELECT json_agg(json_build_array(id, number, kind, status, issued_on, expires_on)
              ORDER BY id)
            FROM licence WHERE practitioner_id = p.id),
          (SELECT json_agg(json_build_array(s.id, s.starts_at, s.ends_at, s.kind, s.state)
              ORDER BY s.starts_at)
            FROM (SELECT * FROM shift WHERE practitioner_id = p.id ORDER BY starts_at LIMIT 5) s))
          ORDER BY p.full_name_folded, p.id)
        FROM (SELECT * FROM practitioner ORDER BY full_name_folded, id LIMIT 50) p
        JOIN department d ON d.id = p.department_id""",
    "tiny": f"""
        SELECT json_build_array(p.id, p.last_name, {_SPECIALTY})
        FROM practitioner p WHERE p.id = $1""",
    "load": """
        SELECT json_agg(json_build_array(department_id, count) ORDER BY department_id)
        FROM (SELECT department_id, count(*) FROM shift GROUP BY department_id) s""",
}
QUERIES = tuple(_STATEMENTS)
OF_ONE = frozenset({"home", "tiny"})


async def expected(url: str, people: Sequence[str]) -> dict[str, list[list[str]]]:
    """The leaves of each query: of each practitioner asked for, or of the one answer there is."""
    connection = await asyncpg.connect(url)
    try:
        found = {}
        for query, statement in _STATEMENTS.items():
            asked = [(person,) for person in people] if query in OF_ONE else [()]
            rows = [await connection.fetchval(statement, *values) for values in asked]
            found[query] = [leaves(query, json.loads(row)) for row in rows]
        return found
    finally:
        await connection.close()


def people() -> list[str]:
    """The ids that home and tiny rotate through: the first department's practitioners.

    rows.sql makes them, by ``bench.id``.
    """
    return [f"019a0000-0004-7000-8000-{number:012x}" for number in range(1, ASKED_FOR + 1)]


def leaves(query: str, answer: Any) -> list[str]:
    """The leaf values of an answer as text, in order; moments in UTC. Groups have no order."""
    found = list(_leaves(answer))
    if query != "load":
        return found
    pairs = sorted(zip(found[::2], found[1::2], strict=True))
    return [leaf for pair in pairs for leaf in pair]


def _leaves(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from _leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _leaves(inner)
    elif isinstance(value, str) and _MOMENT.match(value):
        yield datetime.fromisoformat(value).astimezone(UTC).isoformat()
    else:
        yield str(value)

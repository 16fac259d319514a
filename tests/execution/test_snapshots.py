"""Telling queries keep their result and their statements, side by side in one file each.

``CABINET_WRITE_SNAPSHOTS=1 pytest tests/execution/test_snapshots.py`` writes them anew, over
either database: the result is the same over both, and both statements are printed each time.
"""

import json
import os
import textwrap
from pathlib import Path
from typing import Any

import pytest

from execution.dialects import DIALECTS
from tests.execution.asking import Both
from tests.execution.telling import TELLING
from tests.generated import Operation
from tests.still import Still

pytestmark = pytest.mark.asyncio(loop_scope="module")
KEPT = Path(__file__).parent / "snapshots"
_NAMES = {"sqlite": "SQLite", "asyncpg": "PostgreSQL"}
# What of a statement begins a line.
_CLAUSES = (" FROM ", " WHERE ", " ORDER BY ", " GROUP BY ", " HAVING ", " LIMIT ", " AND ", " OR ")


@pytest.mark.parametrize("title", TELLING)
async def test_a_telling_query_answers_as_it_did_by_the_statement_it_did(
    still_world: Still, title: str
) -> None:
    name, text, variables = TELLING[title]
    asks = Both(still_world.api.services, still_world.viewers[name])
    operation = Operation(textwrap.dedent(text).strip(), _filled(variables, still_world))
    ours, theirs = await asks.ask(operation)
    assert ours == theirs
    assert "errors" not in json.loads(ours)
    assert asks.plans == 1
    told = _told(title, name, operation, json.loads(ours), asks)
    kept = KEPT / f"{title.replace(' ', '_')}.md"
    if os.environ.get("CABINET_WRITE_SNAPSHOTS"):
        kept.write_text(told, encoding="utf-8")
    assert kept.read_text(encoding="utf-8") == told


async def test_every_snapshot_is_of_a_query() -> None:
    assert {kept.stem.replace("_", " ") for kept in KEPT.iterdir()} == set(TELLING)


def _told(title: str, name: str, operation: Operation, answer: Any, asks: Both) -> str:
    parts = [
        f"# {title[0].upper()}{title[1:]}",
        f"Asked by: {name}.",
        _block("graphql", operation.text),
        *([_block("json", _shown(operation.variables))] if operation.variables else []),
        "## Result",
        _block("json", _shown(answer)),
    ]
    for dialect in DIALECTS:
        statement = asks.plan(operation, dialect)[0].statement
        parts += [f"## {_NAMES[dialect]}", _block("sql", _lines(statement.sql))]
        fixed = [f"{n} is {v}" for n, v in enumerate(statement.fixed, 1) if v is not None]
        parts += [f"Bound whoever asks: {', '.join(fixed)}."] if fixed else []
    return "\n\n".join(parts) + "\n"


def _block(language: str, text: str) -> str:
    return f"```{language}\n{text}\n```"


def _shown(value: Any, indent: str = "") -> str:
    """JSON in which whatever fits into a line stands in one."""
    line = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, dict | list) or len(indent + line) <= 100:
        return line
    inner = f"{indent}  "
    if isinstance(value, dict):
        items = [f"{json.dumps(key)}: {_shown(item, inner)}" for key, item in value.items()]
        opening, closing = "{}"
    else:
        items, (opening, closing) = [_shown(item, inner) for item in value], "[]"
    return f"{opening}\n" + ",\n".join(inner + item for item in items) + f"\n{indent}{closing}"


def _lines(sql: str) -> str:
    """A statement with a line for each clause and subquery, indented as they nest."""
    # How many brackets are open within each subquery that is.
    nested, place, begun = [0], 0, 0
    lines = [""]

    def begin() -> None:
        nonlocal begun
        lines[-1] = "  " * begun + lines[-1].rstrip()
        lines.append("")
        begun = len(nested) - 1

    while place < len(sql):
        step = 1
        if sql[place] == "'":
            step = sql.index("'", place + 1) + 1 - place
        elif sql.startswith("(SELECT", place):
            nested.append(0)
            begin()
        elif nested[-1] == 0 and sql.startswith(_CLAUSES, place):
            begin()
            place += 1
        else:
            nested[-1] += {"(": 1, ")": -1}.get(sql[place], 0)
            if nested[-1] < 0:
                nested.pop()
        lines[-1] += sql[place : place + step]
        place += step
    begin()
    return "\n".join(lines[:-1])


def _filled(variables: dict[str, Any], world: Still) -> dict[str, Any]:
    """``<doctor>`` stands for the id of that person's file."""
    return {
        key: str(world.viewers[value[1:-1]].practitioner_id)
        if isinstance(value, str) and value.startswith("<")
        else value
        for key, value in variables.items()
    }

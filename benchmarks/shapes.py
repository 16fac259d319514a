"""In which shape a database is best asked for an answer: the roster, written by hand in each.

python -m benchmarks.shapes     some minutes; writes benchmarks/results/shapes.md

Why the planner puts text together is told by these figures. They are of one connection that asks
for one thing: the database's own time, and what it costs this process to have the answer as text.
CABINET_BENCH_DATABASE_URL, or CABINET_TEST_DATABASE_URL, names the PostgreSQL server to use.
"""

import asyncio
import json
import os
import sqlite3
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

from benchmarks import rows
from benchmarks.measuring import tell
from benchmarks.report import table

_PEOPLE = 10_000
_TIMES, _STRETCHES = 8, 60
_SETTINGS = {"jit": "off", "plan_cache_mode": "force_generic_plan", "datestyle": "ISO"}


@dataclass(frozen=True, slots=True)
class Leaf:
    key: str
    column: str
    # «plain» needs no escaping
    kind: str = "plain"


@dataclass(frozen=True, slots=True)
class One:
    key: str
    source: str
    entries: "tuple[Entry, ...]"


@dataclass(frozen=True, slots=True)
class Many:
    key: str
    source: str
    entries: "tuple[Entry, ...]"


Entry = Leaf | One | Many

ROSTER = Many(
    "practitioners",
    "(SELECT * FROM practitioner ORDER BY full_name_folded, id LIMIT 50) p",
    (
        Leaf("id", "p.id"),
        Leaf("lastName", "p.last_name", "text"),
        Leaf("firstName", "p.first_name", "text"),
        One(
            "specialty",
            "dictionary_entry e WHERE e.id = p.specialty_id",
            (Leaf("name", "e.name", "text"),),
        ),
        Leaf("category", "p.category"),
        One(
            "department",
            "department d WHERE d.id = p.department_id",
            (Leaf("id", "d.id"), Leaf("name", "d.name", "text"), Leaf("city", "d.city", "text")),
        ),
        Many(
            "licences",
            "(SELECT * FROM licence WHERE practitioner_id = p.id ORDER BY expires_on, id) l",
            (
                Leaf("id", "l.id"),
                Leaf("number", "l.number", "text"),
                Leaf("kind", "l.kind"),
                Leaf("status", "'VALID'"),
                Leaf("issuedOn", "l.issued_on"),
                Leaf("expiresOn", "l.expires_on"),
            ),
        ),
        Many(
            "shifts",
            "(SELECT * FROM shift WHERE practitioner_id = p.id ORDER BY starts_at, id LIMIT 5) s",
            (
                Leaf("id", "s.id"),
                Leaf("startsAt", "s.starts_at", "moment"),
                Leaf("endsAt", "s.ends_at", "moment"),
                Leaf("kind", "s.kind"),
                Leaf("status", "s.state"),
            ),
        ),
    ),
)


# PostgreSQL's shapes: each prints an entry.


def text(entry: Entry) -> str:
    """Text, put together: the shape of the planner."""
    return _text(entry, _leaf, "string_agg")


def _leaf(leaf: Leaf) -> str:
    if leaf.kind == "text":
        return f"coalesce(to_json({leaf.column})::text, 'null')"
    if leaf.kind == "moment":
        moment = f"({leaf.column} AT TIME ZONE 'UTC')::text"
        return f"""'"' || replace({moment}, ' ', 'T') || 'Z"'"""
    return f"""coalesce('"' || {leaf.column}::text || '"', 'null')"""


def _text(entry: Entry, leaf: Callable[[Leaf], str], joined: str) -> str:
    if isinstance(entry, Leaf):
        return leaf(entry)
    parts = " || ',' || ".join(
        f"""'"{part.key}":' || {_text(part, leaf, joined)}""" for part in entry.entries
    )
    if isinstance(entry, One):
        return f"coalesce((SELECT '{{' || {parts} || '}}' FROM {entry.source}), 'null')"
    listed = f"{joined}('{{' || {parts} || '}}', ',')"
    return f"(SELECT '[' || coalesce({listed}, '') || ']' FROM {entry.source})"


def build_object(entry: Entry) -> str:
    return _built(entry, lambda parts: f"json_build_object({', '.join(parts)})", keys=True)


def build_array(entry: Entry) -> str:
    """Arrays of values; the keys would be put in by the server, which is not counted here."""
    return _built(entry, lambda parts: f"json_build_array({', '.join(parts)})", keys=False)


def _built(entry: Entry, built: Callable[[list[str]], str], *, keys: bool) -> str:
    if isinstance(entry, Leaf):
        return entry.column
    parts = []
    for part in entry.entries:
        parts += [f"'{part.key}'"] if keys else []
        parts.append(_built(part, built, keys=keys))
    if isinstance(entry, One):
        return f"(SELECT {built(parts)} FROM {entry.source})"
    return f"(SELECT coalesce(json_agg({built(parts)}), '[]') FROM {entry.source})"


def row_to_json(entry: Entry) -> str:
    if isinstance(entry, Leaf):
        return entry.column
    parts = ", ".join(f'{row_to_json(part)} AS "{part.key}"' for part in entry.entries)
    if isinstance(entry, One):
        return f"(SELECT row_to_json(r) FROM (SELECT {parts} FROM {entry.source}) r)"
    rows_of = f"SELECT {parts} FROM {entry.source}"
    return f"(SELECT coalesce(json_agg(row_to_json(r)), '[]') FROM ({rows_of}) r)"


def text_arrays(entry: Many) -> str:
    """A row for each person: arrays of texts, of which this process makes the JSON."""

    def own(of: One | Many) -> list[str]:
        found = []
        for part in of.entries:
            if isinstance(part, Leaf):
                found.append(f"{part.column}::text")
            elif isinstance(part, One):
                inner = ", ".join(own(part))
                found.append(f"(SELECT ARRAY[{inner}] FROM {part.source})")
        return found

    leaves = [part for part in own(entry) if not part.startswith("(")]
    columns = [f"ARRAY[{', '.join(leaves)}]", *(p for p in own(entry) if p.startswith("("))]
    columns += [
        f"(SELECT array_agg(ARRAY[{', '.join(own(part))}]) FROM {part.source})"
        for part in entry.entries
        if isinstance(part, Many)
    ]
    return f"SELECT {', '.join(columns)} FROM {entry.source}"


def assembled(found: Sequence[Any]) -> str:
    """The JSON of rows of text arrays, keys and all."""
    own = [part.key for part in ROSTER.entries if isinstance(part, Leaf)]
    nested = [part for part in ROSTER.entries if not isinstance(part, Leaf)]
    people = []
    for leaves, *others in found:
        person = dict(zip(own, leaves, strict=True))
        for part, values in zip(nested, others, strict=True):
            keys = [leaf.key for leaf in part.entries]
            if isinstance(part, One):
                person[part.key] = dict(zip(keys, values, strict=True))
            else:
                person[part.key] = [dict(zip(keys, row, strict=True)) for row in values]
        people.append(person)
    return json.dumps(people, ensure_ascii=False, separators=(",", ":"))


# SQLite's shapes.


def sqlite_text(entry: Entry) -> str:
    return _text(entry, _sqlite_leaf, "group_concat")


def _sqlite_leaf(leaf: Leaf) -> str:
    if leaf.kind == "text":
        return f"coalesce(json_quote({leaf.column}), 'null')"
    return f"""coalesce('"' || {leaf.column} || '"', 'null')"""


def sqlite_json(entry: Entry) -> str:
    if isinstance(entry, Leaf):
        return entry.column
    parts = ", ".join(f"'{part.key}', {sqlite_json(part)}" for part in entry.entries)
    if isinstance(entry, One):
        return f"(SELECT json_object({parts}) FROM {entry.source})"
    return f"(SELECT json_group_array(json_object({parts})) FROM {entry.source})"


# Measuring.


def _milliseconds(pid: int) -> float:
    """Processor time of a process on this machine."""
    return int(Path(f"/proc/{pid}/schedstat").read_text(encoding="ascii").split()[0]) / 1e6


async def _least(ask: Callable[[], Awaitable[object]], pid: int) -> tuple[float, float]:
    """The least milliseconds of a call, over many short stretches: the database's, and ours."""
    theirs, ours = [], []
    for _ in range(_STRETCHES):
        at, spent = _milliseconds(pid), time.process_time()
        for _ in range(_TIMES):
            await ask()
        theirs.append((_milliseconds(pid) - at) / _TIMES)
        ours.append((time.process_time() - spent) * 1e3 / _TIMES)
    return min(theirs), min(ours)


async def _postgresql(url: str) -> list[list[str]]:
    connection = await asyncpg.connect(url, server_settings=_SETTINGS)
    pid = connection.get_server_pid()
    statements = {
        "text put together": f"SELECT {text(ROSTER)}",
        "json_build_object": f"SELECT {build_object(ROSTER)}::text",
        "row_to_json": f"SELECT {row_to_json(ROSTER)}::text",
        "json_build_array": f"SELECT {build_array(ROSTER)}::text",
    }
    found = []
    try:
        for name, sql in statements.items():

            async def ask(sql: str = sql) -> object:
                return await connection.fetchval(sql)

            found.append([name, *(f"{value:.3f}" for value in await _least(ask, pid))])
        arrays = text_arrays(ROSTER)

        async def ask_arrays() -> object:
            return assembled(await connection.fetch(arrays))

        shown = (f"{value:.3f}" for value in await _least(ask_arrays, pid))
        found.append(["text arrays", *shown])
    finally:
        await connection.close()
    return found


async def _drivers(url: str) -> list[list[str]]:
    """A tiny read by asyncpg: over its pool, which resets, over a connection, and prepared."""
    sql = "SELECT last_name FROM practitioner WHERE public_id = $1"
    found = []
    async with asyncpg.create_pool(url, min_size=1, max_size=1) as pool:
        connection = await asyncpg.connect(url)
        prepared = await connection.prepare(sql)
        pid = await pool.fetchval("SELECT pg_backend_pid()")
        ways: dict[str, tuple[Callable[[], Awaitable[object]], int]] = {
            "its pool": (lambda: pool.fetchval(sql, "MW-000000001"), pid),
            "a connection that is kept": (
                lambda: connection.fetchval(sql, "MW-000000001"),
                connection.get_server_pid(),
            ),
            "a statement that is kept": (
                lambda: prepared.fetchval("MW-000000001"),
                connection.get_server_pid(),
            ),
        }
        for name, (ask, backend) in ways.items():
            found.append([name, *(f"{value:.4f}" for value in await _least(ask, backend))])
        await connection.close()
    return found


def _sqlite(path: Path) -> list[list[str]]:
    found = []
    with sqlite3.connect(path) as connection:
        for name, printer in (("text put together", sqlite_text), ("json_object", sqlite_json)):
            sql = f"SELECT {printer(ROSTER)}"
            spent = []
            for _ in range(_STRETCHES):
                at = time.process_time()
                for _ in range(_TIMES):
                    connection.execute(sql).fetchall()
                spent.append((time.process_time() - at) * 1e3 / _TIMES)
            found.append([name, f"{min(spent):.3f}"])
    return found


def main() -> None:
    server = os.environ.get("CABINET_BENCH_DATABASE_URL") or os.environ.get(
        "CABINET_TEST_DATABASE_URL"
    )
    if not server:
        sys.exit("Set CABINET_BENCH_DATABASE_URL=postgres://user@host/database: a server to use.")
    with tempfile.TemporaryDirectory() as folder, rows.database(server) as url:
        home, path = Path(folder), Path(folder) / "shapes.sqlite3"
        tell("filling PostgreSQL and SQLite")
        asyncio.run(rows.fill(url, home, _PEOPLE))
        rows.migrate(f"sqlite://{path}", home)
        asyncio.run(rows.copy_to_sqlite(url, path))
        tell("measuring")
        shapes, drivers = asyncio.run(_postgresql(url)), asyncio.run(_drivers(url))
        embedded = _sqlite(path)
    page = "\n".join(
        [
            "# Shapes of a statement\n",
            "The roster (fifty practitioners with licences and shifts) asked for in each shape, "
            "over one connection: CPU milliseconds of a call, the least of "
            f"{_STRETCHES} stretches of {_TIMES} calls. The last shape is made into JSON here; "
            "arrays without keys are not, so that they would cost us more than is told.\n",
            table(["PostgreSQL", "its own", "ours"], shapes),
            "A tiny read by asyncpg:\n",
            table(["over", "PostgreSQL's own", "ours"], drivers),
            table(["SQLite", "in all"], embedded),
        ]
    )
    results = Path(__file__).parent / "results"
    results.mkdir(exist_ok=True)
    (results / "shapes.md").write_text(page, encoding="utf-8")
    tell(page)


if __name__ == "__main__":
    main()

"""The whole benchmark: rows, servers, checks, measurements, and what is written of them.

python -m benchmarks                    about twenty minutes
python -m benchmarks --quick            some minutes: that all of it works, not what it costs
python -m benchmarks --million          and how cost grows up to a million practitioners

CABINET_BENCH_DATABASE_URL, or CABINET_TEST_DATABASE_URL, names the PostgreSQL server to use
(postgres://user@host/database); a database of the benchmark's own is made there and dropped.
"""

import argparse
import asyncio
import os
import platform
import signal
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import asyncpg

from benchmarks import answers, contenders, growth, processor, report, rows
from benchmarks.contenders import CONTENDERS, OURS, UNLIMITED, Contender
from benchmarks.measuring import Backends, Pace, ask_all, check, measure, tell
from benchmarks.serving import ROOT, Server, serving
from benchmarks.signing import Person

_WHOLE = Pace(people=10_000, warm=4.0, seconds=3.0, rounds=4)
_QUICK = Pace(people=1_000, warm=0.5, seconds=0.5, rounds=1)
_RESULTS = Path(__file__).parent / "results"


def main() -> None:
    options = _options()
    server_url = os.environ.get("CABINET_BENCH_DATABASE_URL") or os.environ.get(
        "CABINET_TEST_DATABASE_URL"
    )
    if not server_url:
        sys.exit("Set CABINET_BENCH_DATABASE_URL=postgres://user@host/database: a server to use.")
    # Whoever ends the run: the servers are stopped and the database is dropped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    with tempfile.TemporaryDirectory() as home, processor.on(processor.divided()[1]):
        run = _run(options, server_url, Path(home))
    for sentence in run.missing:
        tell(f"NOT MEASURED: {sentence}")
    # What is kept and told is a whole run of everybody.
    whole = not (options.quick or options.only)
    name = "latest" if whole else "quick"
    report.write(run, _RESULTS, name, ROOT / "README.md" if whole else None)
    tell(f"Written: benchmarks/results/{name}.md")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks", description="The cabinet beside its peers.")
    parser.add_argument("--quick", action="store_true", help="short, to see that it works")
    parser.add_argument("--million", action="store_true", help="grow to a million practitioners")
    parser.add_argument("--only", help="names of contenders, by commas", default="")
    return parser.parse_args()


def _run(options: argparse.Namespace, server_url: str, home: Path) -> report.Run:
    pace = _QUICK if options.quick else _WHOLE
    sqlite = home / "cabinet.sqlite3"
    with rows.database(server_url) as url:
        tell("filling PostgreSQL and SQLite")
        persons = _filled(url, sqlite, home, pace.people)
        with ExitStack() as running:
            wanted, missing = _wanted(options.only, running.enter_context(rows.reader(url)))
            starts = contenders.servers(url, sqlite, home)
            servers: dict[str, Server] = {}
            for name in dict.fromkeys(one.server for one in (*wanted, UNLIMITED)):
                tell(f"starting {name}")
                start = starts[name]
                servers[name] = running.enter_context(
                    serving(name, start.command, start.environment, home / f"{name}.log")
                )
            *everybody, unlimited = ask_all(
                (*wanted, UNLIMITED), servers, persons, answers.people()
            )
            tell("checking every answer")
            check(everybody, asyncio.run(answers.expected(url, answers.people())))
            backends = Backends(url)
            samples = measure(everybody, backends, answers.QUERIES, pace)
            megabytes = {
                name: processor.resident_megabytes(processor.tree(server.pid))
                for name, server in servers.items()
            }
            grown = growth.by_rows(unlimited, backends, pace)
            ours = [one for one in everybody if one.contender.name in (OURS, "cabinet-sqlite")]
            sizes = [pace.people, pace.people * 10, *([1_000_000] if options.million else [])]
            grown += growth.by_practitioners(ours, backends, pace, sizes, url=url, sqlite=sqlite)
        about = _about(asyncio.run(_postgres_version(url)), backends, pace)
    return report.Run(about, samples, grown, megabytes, missing)


def _filled(url: str, sqlite: Path, home: Path, people: int) -> dict[str, Person]:
    persons = asyncio.run(rows.fill(url, home, people))
    rows.migrate(f"sqlite://{sqlite}", home)
    asyncio.run(rows.copy_to_sqlite(url, sqlite))
    return persons


def _wanted(only: str, has_reader: bool) -> tuple[Sequence[Contender], list[str]]:
    """Who is measured, and in sentences what is not."""
    names = set(only.split(",")) if only else {one.name for one in CONTENDERS}
    missing = []
    if not has_reader:
        names.discard("postgraphile-role")
        missing.append("PostGraphile with a role for each request: no right to make roles.")
    # Ours is always there: every ratio is to it.
    found = [one for one in CONTENDERS if one.name in names or one.name == OURS]
    return found, missing


def _about(postgres: str, backends: Backends, pace: Pace) -> dict[str, str]:
    node = subprocess.run(
        [contenders.node_path(), "--version"], capture_output=True, text=True, check=True
    ).stdout.strip()
    peers = ", ".join(f"{name} {version}" for name, version in contenders.versions().items())
    pinned = "on cores apart from the server's" if backends.moved else "not pinned to cores"
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "machine": processor.described(),
        "software": f"Python {platform.python_version()} ({platform.python_build()[1]}, "
        f"{platform.python_compiler()}), Node {node}, PostgreSQL {postgres} "
        f"({pinned}), SQLite {sqlite3.sqlite_version}, {peers}",
        "pace": f"{pace.rounds} rounds of {pace.seconds:g} s, after {pace.warm:g} s of warming up",
        "rows": f"{pace.people:,} practitioners, {pace.people * 3:,} licences, "
        f"{pace.people * 20:,} shifts, 200 courses, {pace.people * 5:,} enrolments; "
        "a second organisation with 500 practitioners",
    }


async def _postgres_version(url: str) -> str:
    connection = await asyncpg.connect(url)
    try:
        found: str = await connection.fetchval("SHOW server_version")
        return found.split()[0]
    finally:
        await connection.close()


if __name__ == "__main__":
    main()

"""The benchmark's rows fit the tables of today, and the cabinet answers them as PostgreSQL does."""

import asyncio
import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from benchmarks import answers, rows
from benchmarks.contenders import CONTENDERS, servers
from benchmarks.measuring import ask_all, check
from benchmarks.serving import serving

OURS = [one for one in CONTENDERS if one.name.startswith("cabinet")]


@pytest.fixture
def url() -> Iterator[str]:
    server = os.environ.get("CABINET_TEST_DATABASE_URL")
    if server is None:
        pytest.skip("no PostgreSQL server: CABINET_TEST_DATABASE_URL is not set")
    with rows.database(server) as made:
        yield made


@pytest.mark.postgres
def test_the_cabinet_answers_what_postgresql_builds(url: str, tmp_path: Path) -> None:
    sqlite = tmp_path / "cabinet.sqlite3"
    persons = asyncio.run(rows.fill(url, tmp_path, 200))
    rows.migrate(f"sqlite://{sqlite}", tmp_path)
    asyncio.run(rows.copy_to_sqlite(url, sqlite))
    right = asyncio.run(answers.expected(url, answers.people()))
    assert {query: len(found[0]) for query, found in right.items()} == {
        "home": 113,
        "roster": 2_550,
        "tiny": 3,
        "load": 2,
    }

    starts = servers(url, sqlite, tmp_path)
    with ExitStack() as running:
        served = {
            name: running.enter_context(
                serving(name, starts[name].command, starts[name].environment, tmp_path / name)
            )
            for name in ("cabinet", "cabinet-sqlite")
        }
        # It raises where a leaf differs.
        check(ask_all(OURS, served, persons, answers.people()), right)

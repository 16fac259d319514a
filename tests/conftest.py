"""The database that every test runs on: SQLite unless CABINET_TEST_DATABASE_URL names PostgreSQL.

Two dialects never share a process, so the suite runs once for each.
"""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from models.database import POSTGRESQL, dialect_of, opened, settle
from server.migrating import migrate_database
from tests.api import Api, serving
from tests.live import ListeningApi, LiveServer, listening, served

POSTGRES = os.environ.get("CABINET_TEST_DATABASE_URL", "")


def pytest_report_header() -> str:
    if POSTGRES:
        return "database: PostgreSQL"
    return (
        "database: SQLite; PostgreSQL SKIPPED in this run "
        "(set CABINET_TEST_DATABASE_URL=postgres://…, or run `make check`)"
    )


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a migrated database that holds no rows."""
    if not POSTGRES:
        path = tmp_path_factory.mktemp("database") / "template.sqlite3"
        url = f"sqlite://{path}"
        asyncio.run(migrate_database(url))
        yield url
        return
    name = f"cabinet_test_{os.getpid()}"
    url = f"{POSTGRES.rsplit('/', 1)[0]}/{name}"
    asyncio.run(_administer(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))
    asyncio.run(_administer(f'CREATE DATABASE "{name}"'))
    asyncio.run(migrate_database(url))
    yield url
    asyncio.run(_administer(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))


async def _administer(statement: str) -> None:
    connection = await asyncpg.connect(POSTGRES)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture
def database_url(empty_database: str, tmp_path: Path) -> str:
    """The address of an empty database of this test's own."""
    if dialect_of(empty_database) == POSTGRESQL:
        asyncio.run(_empty(empty_database))
        return empty_database
    path = tmp_path / "cabinet.sqlite3"
    shutil.copyfile(empty_database.removeprefix("sqlite://"), path)
    return f"sqlite://{path}"


async def _empty(url: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        tables = await connection.fetch(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
            " AND tablename NOT IN ('audit_head', 'tortoise_migrations')"
        )
        names = ", ".join(f'"{row["tablename"]}"' for row in tables)
        await connection.execute(f"TRUNCATE {names} RESTART IDENTITY CASCADE")
        await connection.execute("UPDATE audit_head SET position = 0, hash = ''")
    finally:
        await connection.close()


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[str]:
    """An empty database, open in this process; yields its address."""
    async with opened(database_url):
        yield database_url
        await settle()


@pytest.fixture
async def api(database_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    """The running application over an empty database of this test's own."""
    async with serving(database_url, tmp_path / "home") as client:
        yield client


@pytest.fixture
async def live_server(database_url: str, tmp_path: Path) -> AsyncIterator[LiveServer]:
    """`cabinet serve` in a process of its own, over the demo data."""
    async with served(database_url, tmp_path / "home") as server:
        yield server


@pytest.fixture
async def listening_api(database_url: str, tmp_path: Path) -> AsyncIterator[ListeningApi]:
    """The running application behind a real port, over an empty database."""
    async with listening(database_url, tmp_path / "home") as client:
        yield client

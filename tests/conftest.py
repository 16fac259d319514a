"""The database that every test runs on: SQLite unless CABINET_TEST_DATABASE_URL names PostgreSQL.

Two dialects never share a process, so the suite runs once for each.
"""

import asyncio
import gc
import logging
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import asyncpg
import pytest

from models.database import POSTGRESQL, dialect_of, opened, settle
from server.migrating import file_of, migrate_database
from tests.api import Api, serving
from tests.live import ListeningApi, LiveServer, listening, served

POSTGRES = os.environ.get("CABINET_TEST_DATABASE_URL", "")
_numbers = count(1)
# Where there is one, SQLite's files lie in memory: waiting for the disk is a third of a run.
_MEMORY = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
# From tables this small, TRUNCATE takes several times as long as DELETE. As a replica, a session
# fires no triggers: neither the foreign keys' nor those that keep the journal.
_EMPTYING = """
    DO $$ DECLARE name text; BEGIN
        PERFORM set_config('session_replication_role', 'replica', true);
        FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public'
            AND tablename NOT IN ('audit_head', 'tortoise_migrations')
        LOOP
            EXECUTE format('DELETE FROM %I', name);
        END LOOP;
        PERFORM setval('change_id_seq', 1, false);
        UPDATE audit_head SET position = 0, hash = '';
    END $$
"""


def pytest_report_header() -> str:
    if POSTGRES:
        return "database: PostgreSQL"
    return (
        "database: SQLite; PostgreSQL SKIPPED in this run "
        "(set CABINET_TEST_DATABASE_URL=postgres://…, or run `make check`)"
    )


def pytest_collection_finish() -> None:
    """Keeps the modules and the schema out of every collection of garbage to come."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def failed_plans() -> Iterator[list[str]]:
    """The plans that failed: the reference executor answers in their stead, and nobody notices.

    A test that makes one fail empties the list.
    """
    failed: list[str] = []
    handler = _Telling(failed)
    logger = logging.getLogger("execution.plans")
    logger.addHandler(handler)
    yield failed
    logger.removeHandler(handler)
    assert not failed, f"plans failed: {failed}"


class _Telling(logging.Handler):
    def __init__(self, told: list[str]) -> None:
        super().__init__(logging.ERROR)
        self._told = told

    def emit(self, record: logging.LogRecord) -> None:
        self._told.append(self.format(record))


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a migrated database that nobody opens: to migrate another takes seconds."""
    with _database(tmp_path_factory.mktemp("migrated")) as url:
        asyncio.run(migrate_database(url))
        yield url


@contextmanager
def _database(directory: Path, *, like: str = "") -> Iterator[str]:
    """A database without tables, or a copy of another."""
    if not POSTGRES:
        path = directory / "cabinet.sqlite3"
        if like:
            shutil.copyfile(file_of(like), path)
        yield f"sqlite://{path}"
        return
    name = f"cabinet_test_{os.getpid()}_{next(_numbers)}"
    template = f'TEMPLATE "{like.rsplit("/", 1)[1]}"' if like else ""
    asyncio.run(_administer(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))
    asyncio.run(_administer(f'CREATE DATABASE "{name}" {template}'))
    # These rows need not outlive a power cut: waiting for the disk was most of this run.
    asyncio.run(_administer(f'ALTER DATABASE "{name}" SET synchronous_commit = off'))
    yield f"{POSTGRES.rsplit('/', 1)[0]}/{name}"
    asyncio.run(_administer(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))


async def _administer(statement: str) -> None:
    connection = await asyncpg.connect(POSTGRES)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@pytest.fixture(scope="session")
def empty_database(migrated: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a migrated database that holds no rows."""
    with _database(tmp_path_factory.mktemp("database"), like=migrated) as url:
        yield url


@pytest.fixture(scope="session")
def emptying(empty_database: str) -> Iterator[Callable[[], str]]:
    """Empties that database on PostgreSQL: a new connection would take ten times as long."""
    loop = asyncio.new_event_loop()
    connection = loop.run_until_complete(asyncpg.connect(empty_database))
    yield lambda: loop.run_until_complete(connection.execute(_EMPTYING))
    loop.run_until_complete(connection.close())
    loop.close()


@pytest.fixture
def database_url(empty_database: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of an empty database of this test's own."""
    if dialect_of(empty_database) == POSTGRESQL:
        request.getfixturevalue("emptying")()
        yield empty_database
        return
    with tempfile.TemporaryDirectory(prefix="cabinet_", dir=_MEMORY) as directory:
        path = Path(directory) / "cabinet.sqlite3"
        shutil.copyfile(file_of(empty_database), path)
        yield f"sqlite://{path}"


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


@pytest.fixture(scope="module")
def module_database(migrated: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a migrated database that the tests of a module share."""
    with _database(tmp_path_factory.mktemp("shared"), like=migrated) as url:
        yield url


@pytest.fixture
async def listening_api(database_url: str, tmp_path: Path) -> AsyncIterator[ListeningApi]:
    """The running application behind a real port, over an empty database."""
    async with listening(database_url, tmp_path / "home") as client:
        yield client

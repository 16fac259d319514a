"""Bringing a database to the newest migration, one starter at a time."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
from tortoise import Tortoise
from tortoise.connection import get_connections
from tortoise.migrations.api import migrate

from models.database import POSTGRESQL, configuration, dialect_of

# An arbitrary number that stands for «migrating» among PostgreSQL's advisory locks.
_LOCK = 7_041_001


def file_of(url: str) -> Path:
    """The file of a SQLite database."""
    return Path(url.split("://", 1)[1].split("?", 1)[0])


async def migrate_database(url: str) -> None:
    """Runs what migrations are missing; safe when several processes start together."""
    if dialect_of(url) == POSTGRESQL:
        guard = await asyncpg.connect(url.replace("asyncpg://", "postgres://", 1))
        try:
            await guard.execute("SELECT pg_advisory_lock($1)", _LOCK)
            await _migrate(url)
        finally:
            await guard.close()
        return
    path = file_of(url)
    path.parent.mkdir(parents=True, exist_ok=True)
    with _locked(path.with_name(f"{path.name}.migrating")):
        await _migrate(url)


async def _migrate(url: str) -> None:
    try:
        # SQLite alters a table by making it anew: with foreign keys on, rows of others go.
        await migrate(config=configuration(url, foreign_keys=False))
        if dialect_of(url) != POSTGRESQL:
            client = get_connections().get("default")
            broken = await client.execute_query_dict("PRAGMA foreign_key_check")
            if broken:
                raise RuntimeError(f"the migration left {len(broken)} rows without their parent")
    finally:
        await Tortoise.close_connections()


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    descriptor = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)

"""The rows: a PostgreSQL database of its own, filled in place, and its copy in SQLite."""

import asyncio
import os
import secrets
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit
from uuid import UUID

import asyncpg
import pyotp

from auth.passwords import Passwords
from benchmarks.answers import DEPARTMENT
from benchmarks.serving import ROOT
from benchmarks.signing import Person
from core.sealing import open_vault

# PostGraphile's way of permissions: each request as this role of the database server.
READER = f"cabinet_bench_reader_{os.getpid()}"

CABINET = (sys.executable, "-c", "from server.cli import main; main()")
_SQL = Path(__file__).parent / "rows.sql"
_TABLES = (
    "organisation",
    "department",
    "dictionary_entry",
    "account",
    "role_grant",
    "practitioner",
    "licence",
    "shift",
    "course",
    "enrolment",
)
# What only the peers read.
_NOT_OURS = {("licence", "status")}
_BATCH = 20_000


@contextmanager
def database(server_url: str) -> Iterator[str]:
    """The address of a new, empty database on a server; it is dropped after the block."""
    name = f"cabinet_bench_{os.getpid()}"
    asyncio.run(_run(server_url, f"CREATE DATABASE {name}"))
    try:
        yield urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))
    finally:
        asyncio.run(_run(server_url, f"DROP DATABASE {name} WITH (FORCE)"))


@contextmanager
def reader(url: str) -> Iterator[bool]:
    """Whether a role that reads the tables could be made; it is dropped after the block."""
    grant = f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {READER}"
    try:
        asyncio.run(_run(url, f"CREATE ROLE {READER}", grant))
    except asyncpg.InsufficientPrivilegeError:
        yield False
        return
    try:
        yield True
    finally:
        asyncio.run(_run(url, f"DROP OWNED BY {READER}", f"DROP ROLE {READER}"))


async def fill(url: str, home: Path, people: int) -> dict[str, Person]:
    """Fills a database with so many practitioners, 200 at least, and what they have.

    Gives back an administrator of the organisation, and one limited to its first department.
    """
    migrate(url, home)
    whole, limited = _person("whole"), _person("limited")
    connection = await asyncpg.connect(url)
    try:
        await _say_people(connection, people)
        await connection.execute(_SQL.read_text(encoding="utf-8"))
        await _add_account(connection, whole, home, None)
        await _add_account(connection, limited, home, DEPARTMENT)
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()
    return {"whole": whole, "limited": limited}


async def add_people(url: str, there: int, wanted: int) -> None:
    """More practitioners for the organisation, with three licences each, beside those there."""
    connection = await asyncpg.connect(url)
    try:
        await _say_people(connection, there)
        await connection.execute(
            "SELECT bench.add_people(1, 'иванов', $1, $2)", there + 1, wanted, timeout=1_800
        )
        await connection.execute("VACUUM ANALYZE practitioner, licence")
    finally:
        await connection.close()


def migrate(url: str, home: Path) -> None:
    environment = {**os.environ, "CABINET_HOME": str(home), "CABINET_DATABASE_URL": url}
    subprocess.run(
        [*CABINET, "migrate"], cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL
    )


async def copy_to_sqlite(url: str, path: Path, *, first: int = 0) -> None:
    """The same rows, ids and all; with ``first`` only what ``add_people`` added from there on."""
    source = await asyncpg.connect(url)
    target = sqlite3.connect(path)
    try:
        # The indexes are larger than the usual cache; what fails here is begun anew.
        target.executescript("PRAGMA cache_size = -262144; PRAGMA synchronous = OFF")
        for table in _TABLES if not first else ("practitioner", "licence"):
            await _copy(source, target, table, first)
        target.commit()
        target.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        target.close()
        await source.close()


async def _say_people(connection: Any, people: int) -> None:
    await connection.execute("SELECT set_config('bench.people', $1, false)", str(people))


async def _copy(source: Any, target: sqlite3.Connection, table: str, first: int) -> None:
    columns = [
        name
        for (_, name, *_) in target.execute(f'PRAGMA table_info("{table}")')
        if (table, name) not in _NOT_OURS
    ]
    key = "practitioner_id" if table == "licence" else "id"
    added = f"WHERE {key} BETWEEN bench.id(4, {first}) AND bench.id(4, 9000000)" if first else ""
    listed = ", ".join(f'"{name}"' for name in columns)
    marks = ", ".join("?" for _ in columns)
    async with source.transaction():
        cursor = await source.cursor(f'SELECT {listed} FROM "{table}" {added}')
        while rows := await cursor.fetch(_BATCH):
            target.executemany(
                f'INSERT INTO "{table}" ({listed}) VALUES ({marks})',
                [[_stored(value) for value in row] for row in rows],
            )


def _stored(value: Any) -> Any:
    """A value as the cabinet keeps it in SQLite: moments here are in UTC and whole seconds."""
    return str(value) if isinstance(value, UUID | date | Decimal) else value


async def _run(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


def _person(name: str) -> Person:
    return Person(f"{name}@bench.example.org", secrets.token_urlsafe(), pyotp.random_base32())


async def _add_account(connection: Any, person: Person, home: Path, department: int | None) -> None:
    vault = open_vault(home / "keys" / "vault.key")
    account = await connection.fetchval(
        """INSERT INTO account (id, public_id, organisation_id, email, password_hash, totp_sealed,
             totp_last_step, state, is_demo, created_at, confirmed_at)
           VALUES (gen_random_uuid(), $1, bench.id(1, 1), $2, $3, $4, 0, 'ACTIVE', false,
             date_trunc('second', now()), date_trunc('second', now())) RETURNING id""",
        f"ID-{person.login[:8]}",
        person.login,
        await Passwords().hash(person.password),
        vault.seal(person.totp_secret),
    )
    await connection.execute(
        """INSERT INTO role_grant
             (id, account_id, organisation_id, department_id, role, starts_at, granted_at, version)
           VALUES (gen_random_uuid(), $1, bench.id(1, 1), bench.id(2, $2), $3,
             date_trunc('second', now()) - interval '1 day', date_trunc('second', now()), 1)""",
        account,
        department,
        person.role,
    )

"""The database: its configuration, opening and closing, and the unit of work for every write."""

import asyncio
import functools
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, ParamSpec, TypeVar
from urllib.parse import urlsplit

import asyncpg
from tortoise import Tortoise
from tortoise.backends.base.config_generator import expand_db_url
from tortoise.connection import get_connections
from tortoise.exceptions import IntegrityError, OperationalError
from tortoise.transactions import in_transaction

from core.errors import Unavailable

SQLITE = "sqlite"
POSTGRESQL = "asyncpg"
_SCHEMES = {
    "sqlite": SQLITE,
    "postgres": POSTGRESQL,
    "postgresql": POSTGRESQL,
    "asyncpg": POSTGRESQL,
}
_RETRIES = 3

P = ParamSpec("P")
T = TypeVar("T")

# The client of the snapshot in which this code reads (models.snapshot), and its name.
SNAPSHOT = "snapshot"
current_snapshot: ContextVar[Any] = ContextVar("snapshot", default=None)

# The client of planned reads, while the database is open: looking it up costs as much as
# printing a small answer.
_reader: Any = None


class DatabaseUrlInvalid(ValueError):
    """The database address is not one of ``sqlite://path`` or ``postgres://…``."""


class StatementTooDeep(Exception):
    """The database takes no statement as deep, wide or long as this one."""


class NotAtOnce(Exception):
    """A read takes longer than everybody else may be kept waiting for it."""


class _Router:
    """Sends reads outside a unit of work past the writer's connection, or to their snapshot."""

    def db_for_read(self, _model: type) -> str:
        if _unit.get() is not None:
            return "default"
        if current_snapshot.get() is not None:
            return SNAPSHOT
        return "read" if _has_reader() else "default"

    def db_for_write(self, _model: type) -> str:
        return "default"


def _has_reader() -> bool:
    return "read" in get_connections().db_config


def dialect_of(url: str) -> str:
    try:
        return _SCHEMES[urlsplit(url).scheme]
    except KeyError:
        raise DatabaseUrlInvalid(
            "the database address must begin with sqlite:// or postgres://"
        ) from None


def configuration(url: str, *, foreign_keys: bool = True) -> dict[str, Any]:
    """Tortoise's configuration for an address.

    SQLite has one connection that writes and one that only reads: a transaction would
    otherwise keep every read waiting until it ends.
    """
    connections: dict[str, Any] = {}
    if dialect_of(url) == SQLITE:
        config = expand_db_url(url)
        config["engine"] = "models.sqlite_engine"
        config["credentials"] |= {
            "journal_mode": "WAL",
            "busy_timeout": 15_000,
            "synchronous": "FULL",
            "foreign_keys": "ON" if foreign_keys else "OFF",
        }
        reader = {
            "engine": config["engine"],
            "credentials": {**config["credentials"], "query_only": "ON"},
        }
        connections = {"default": config, "read": reader}
    else:
        _, rest = url.split("://", 1)
        config = expand_db_url(f"asyncpg://{rest}")
        config["engine"] = "models.postgresql_engine"
        connections = {"default": config}
    return {
        "connections": connections,
        "apps": {
            "models": {
                "models": ["models"],
                "default_connection": "default",
                "migrations": "migrations",
            }
        },
        "routers": ["models.database._Router"],
        "use_tz": True,
        "timezone": "UTC",
    }


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[None]:
    """The database, open for this process until the block ends."""
    global _reader
    await Tortoise.init(config=configuration(url), _enable_global_fallback=True)
    _reader = get_connections().get("read" if _has_reader() else "default")
    try:
        yield
    finally:
        _reader = None
        await Tortoise.close_connections()


def dialect() -> str:
    """The dialect of the open database."""
    return SQLITE if reader().capabilities.dialect == "sqlite" else POSTGRESQL


def reader() -> Any:
    """The client of planned reads."""
    return _reader if _reader is not None else get_connections().get("default")


@dataclass
class Unit:
    """One transaction: what must be written just before it commits, and told just after."""

    before_commit: list[Callable[[], Awaitable[None]]] = field(default_factory=list)
    after_commit: list[Callable[[], None]] = field(default_factory=list)


_unit: ContextVar[Unit | None] = ContextVar("unit", default=None)
_running: set[asyncio.Task[Any]] = set()


def current_unit() -> Unit:
    """The unit of work that this code runs in; raises RuntimeError outside of one."""
    unit = _unit.get()
    if unit is None:
        raise RuntimeError("this write is not inside a unit of work")
    return unit


def reads_apart() -> bool:
    """Whether reads here are those of one snapshot or unit of work, and mean nothing elsewhere."""
    return current_snapshot.get() is not None or _unit.get() is not None


def outside_units() -> None:
    """Raises RuntimeError inside a unit of work: its end could take back what must stay."""
    if _unit.get() is not None:
        raise RuntimeError("this must stay whatever comes of the unit of work around it")


def unit_of_work(work: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
    """Runs a function in one transaction, in a task of its own that cancellation cannot reach.

    A client that goes away cancels the operation; a transaction cancelled half-way would leak
    its connection. A unit inside a unit joins it.
    """

    @functools.wraps(work)
    async def run(*args: P.args, **kwargs: P.kwargs) -> T:
        if _unit.get() is not None:
            return await work(*args, **kwargs)
        return await finish(_attempt(lambda: work(*args, **kwargs)))

    return run


async def finish(work: Coroutine[Any, Any, T]) -> T:
    """Runs something to its end in a task of its own, also where the caller is cancelled."""
    task = asyncio.create_task(work)
    _running.add(task)
    task.add_done_callback(_running.discard)
    return await asyncio.shield(task)


async def _attempt(work: Callable[[], Awaitable[T]]) -> T:
    for attempt in range(1, _RETRIES + 1):
        unit = Unit()
        token = _unit.set(unit)
        try:
            async with in_transaction("default"):
                result = await work()
                for write in unit.before_commit:
                    await write()
        except (asyncpg.DeadlockDetectedError, asyncpg.SerializationError):
            if attempt == _RETRIES:
                raise Unavailable from None
            continue
        except (
            asyncpg.InterfaceError,
            asyncpg.InternalClientError,
            asyncpg.PostgresConnectionError,
            asyncpg.AdminShutdownError,
            asyncpg.LockNotAvailableError,
            ConnectionError,
        ):
            raise Unavailable from None
        except OperationalError as error:
            if "locked" in str(error) or "full" in str(error) or "readonly" in str(error):
                raise Unavailable from None
            raise
        finally:
            _unit.reset(token)
        for tell in unit.after_commit:
            tell()
        return result
    raise AssertionError("unreachable")


async def settle() -> None:
    """Waits for what must not be cut off: called before the database is closed."""
    while _running:
        await asyncio.wait(set(_running))


def violated(error: IntegrityError) -> str:
    """The name of the constraint that a write broke, or its table and columns on SQLite.

    The driver's own text may carry row data and is never shown.
    """
    cause = error.args[0] if error.args else error
    if isinstance(cause, asyncpg.IntegrityConstraintViolationError):
        return str(cause.constraint_name or "")
    return (
        str(cause)
        .removeprefix("UNIQUE constraint failed: ")
        .removeprefix("CHECK constraint failed: ")
    )

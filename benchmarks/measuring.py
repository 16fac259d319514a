"""Measuring: who is checked, warmed up alike, and asked in turn, round after round."""

import asyncio
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import asyncpg

from benchmarks import load, processor
from benchmarks.answers import OF_ONE, leaves
from benchmarks.contenders import Contender
from benchmarks.serving import Server
from benchmarks.signing import Person, Session

_WARMING_CONNECTIONS = 8


class WrongAnswer(Exception):
    """A server answered other leaf values than PostgreSQL builds: nothing is measured then."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Over how many practitioners, and how long. ``warm`` and ``seconds`` are of each query."""

    people: int
    warm: float
    seconds: float
    rounds: int
    connections: tuple[int, ...] = (8, 64)


@dataclass(frozen=True, slots=True)
class Sample:
    """One stretch of one query. Processor time and latencies are milliseconds a request."""

    round: int
    contender: str
    query: str
    connections: int
    requests: int
    per_second: float
    cpu_ms: float
    # The database's own; none for SQLite, which runs inside the server
    database_ms: float
    p50_ms: float
    p99_ms: float

    def as_json(self) -> dict[str, Any]:
        return {name: _rounded(value) for name, value in asdict(self).items()}


@dataclass
class Asked:
    """A contender with its running server; builds requests that are signed in."""

    contender: Contender
    server: Server
    people: Sequence[str]
    session: Session | None = None

    def requests(self, query: str) -> list[bytes]:
        document = self.contender.documents()[query]
        asked = [{"id": person} for person in self.people] if query in OF_ONE else [{}]
        return [self.request(document, variables) for variables in asked]

    def request(self, document: str, variables: Mapping[str, str]) -> bytes:
        headers = self.session.headers(self.server) if self.session is not None else {}
        return load.request_of(self.server.port, document, variables, headers)

    def queries(self, wanted: Sequence[str]) -> list[str]:
        """Those it is asked."""
        there = self.contender.documents()
        return [query for query in wanted if query in there and query not in self.contender.spared]


class Backends:
    """The processes with which a PostgreSQL on this machine serves one database."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.moved = True

    def seconds(self) -> dict[int, float]:
        """Their processor time; empty where the database is elsewhere."""
        pids = asyncio.run(self._pids())
        self.moved = processor.move(pids, processor.divided()[1]) and self.moved and bool(pids)
        return processor.seconds_of(pids)

    async def _pids(self) -> list[int]:
        connection = await asyncpg.connect(self._url)
        try:
            rows = await connection.fetch(
                """SELECT pid FROM pg_stat_activity
                   WHERE datname = current_database() AND pid <> pg_backend_pid()"""
            )
        finally:
            await connection.close()
        return [row["pid"] for row in rows if _is_postgres(row["pid"])]


def ask_all(
    contenders: Sequence[Contender],
    servers: Mapping[str, Server],
    persons: Mapping[str, Person],
    people: Sequence[str],
) -> list[Asked]:
    """Everybody, signed in who signs in: once on each database, since a code works once."""
    sessions: dict[tuple[bool, str], Session] = {}

    def session_of(one: Contender) -> Session | None:
        if one.person is None:
            return None
        return sessions.setdefault((one.on_sqlite, one.person), Session(persons[one.person]))

    return [Asked(one, servers[one.server], people, session_of(one)) for one in contenders]


def check(everybody: Sequence[Asked], expected: Mapping[str, list[list[str]]]) -> None:
    """Asks every query of everybody; raises WrongAnswer."""
    for asked in everybody:
        for query in asked.queries(tuple(expected)):
            requests = asked.requests(query)
            for request, right in zip(requests, expected[query], strict=True):
                found = leaves(query, load.ask(asked.server.port, request))
                if found != right:
                    raise WrongAnswer(
                        f"{asked.contender.name}, {query}:\n{found[:80]}\n{right[:80]}"
                    )


def measure(
    everybody: Sequence[Asked], backends: Backends, queries: Sequence[str], pace: Pace
) -> list[Sample]:
    """Warms everybody up alike, then asks them in turn."""
    for asked, query in _turns(everybody, queries, 0):
        tell(f"warming up  {query:8} {asked.contender.name}")
        requests = asked.requests(query)
        load.run(asked.server.port, requests, _WARMING_CONNECTIONS, pace.warm)
    samples = []
    for number in range(pace.rounds):
        for connections in pace.connections:
            for asked, query in _turns(everybody, queries, number):
                if connections > (8 if query == "load" else asked.contender.most_connections):
                    continue
                requests = asked.requests(query)
                sample = stretch(
                    asked, backends, query, requests, connections, pace.seconds, number
                )
                samples.append(sample)
                tell(
                    f"round {number + 1}/{pace.rounds}  {query:8} {connections:3} connections  "
                    f"{asked.contender.name:24} {sample.cpu_ms:8.3f} ms CPU "
                    f"{sample.per_second:9.1f} req/s  p99 {sample.p99_ms:8.2f} ms"
                )
    return samples


def stretch(
    asked: Asked,
    backends: Backends,
    query: str,
    requests: Sequence[bytes],
    connections: int,
    seconds: float,
    number: int = 0,
) -> Sample:
    """One stretch of load on one server."""
    server, database = asked.server.seconds(), backends.seconds()
    loaded = load.run(asked.server.port, requests, connections, seconds)
    cpu = processor.spent_between(server, asked.server.seconds())
    database_cpu = processor.spent_between(database, backends.seconds())
    return Sample(
        round=number,
        contender=asked.contender.name,
        query=query,
        connections=connections,
        requests=loaded.requests,
        per_second=loaded.requests / loaded.seconds,
        cpu_ms=cpu / loaded.requests * 1_000,
        database_ms=database_cpu / loaded.requests * 1_000,
        p50_ms=loaded.percentile(0.5) * 1_000,
        p99_ms=loaded.percentile(0.99) * 1_000,
    )


def _turns(
    everybody: Sequence[Asked], queries: Sequence[str], number: int
) -> Iterator[tuple[Asked, str]]:
    """Query by query, everybody in turn; each round begins with another."""
    begin = number % len(everybody)
    for query in queries:
        for asked in (*everybody[begin:], *everybody[:begin]):
            if query in asked.queries(queries):
                yield asked, query


def _is_postgres(pid: int) -> bool:
    """Whether a process of this number here is the database's: it may run on another machine."""
    try:
        return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip() == "postgres"
    except OSError:
        return False


def _rounded(value: Any) -> Any:
    return round(value, 4) if isinstance(value, float) else value


def tell(text: str) -> None:
    """A line about the progress, beside the results."""
    sys.stderr.write(text + "\n")

"""How the cabinet's cost grows: with the rows an answer holds, and with those the tables hold."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import load
from benchmarks.measuring import Asked, Backends, Pace, Sample, stretch, tell
from benchmarks.rows import add_people, copy_to_sqlite

_CONNECTIONS = 8
# Rows returned, as pages: so many times so many departments with so many shifts each. The last
# is over the limits, and is asked of a server with higher ones.
_PAGES = {10: (1, 1, 9), 100: (1, 1, 99), 1_000: (1, 10, 99), 10_000: (2, 50, 99)}
_QUERIES = ("home", "roster", "tiny")


@dataclass(frozen=True, slots=True)
class Grown:
    """A stretch of load, and the size that was varied: rows returned, or practitioners kept."""

    of: str
    size: int
    sample: Sample

    def as_json(self) -> dict[str, Any]:
        return {"of": self.of, "size": self.size, **self.sample.as_json()}


def by_rows(asked: Asked, backends: Backends, pace: Pace) -> list[Grown]:
    """From ten rows returned to ten thousand."""
    found = []
    for size, pages in _PAGES.items():
        request = asked.request(document_of(*pages), {})
        load.run(asked.server.port, [request], _CONNECTIONS, pace.warm)
        sample = stretch(asked, backends, "shifts", [request], _CONNECTIONS, pace.seconds)
        found.append(_grown("rows returned", size, sample))
    return found


def by_practitioners(
    everybody: Sequence[Asked],
    backends: Backends,
    pace: Pace,
    sizes: Sequence[int],
    *,
    url: str,
    sqlite: Path,
) -> list[Grown]:
    """The same queries while practitioners are added; the first of the sizes is there."""
    found = []
    there = sizes[0]
    for size in sizes:
        if size > there:
            tell(f"adding practitioners: {size}")
            asyncio.run(add_people(url, there, size))
            asyncio.run(copy_to_sqlite(url, sqlite, first=there + 1))
            there = size
        for query in _QUERIES:
            for asked in everybody:
                requests = asked.requests(query)
                load.run(asked.server.port, requests, _CONNECTIONS, pace.warm)
                sample = stretch(asked, backends, query, requests, _CONNECTIONS, pace.seconds)
                found.append(_grown("practitioners", size, sample))
    return found


def document_of(times: int, departments: int, shifts: int) -> str:
    """A document that returns ``times * departments * (1 + shifts)`` rows."""
    page = (
        f"departments(first: {departments}) {{ nodes {{ id shifts(first: {shifts}) "
        "{ nodes { id startsAt endsAt kind status } } } }"
    )
    return "{ " + " ".join(f"page{number}: {page}" for number in range(times)) + " }"


def _grown(of: str, size: int, sample: Sample) -> Grown:
    tell(
        f"{size:9} {of:14} {sample.query:8} {sample.contender:24} {sample.cpu_ms:8.3f} ms CPU "
        f"{sample.p50_ms:8.2f} ms"
    )
    return Grown(of, size, sample)

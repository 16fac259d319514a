"""Figures: medians with their spread, ratios within a round, and what the targets ask of them."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.contenders import OURS, PEERS
from benchmarks.measuring import Sample

Value = Callable[[Sample], float]


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of some values, with the least and the largest."""

    middle: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Iterable[float]) -> "Spread":
        found = sorted(values)
        return cls(median(found), found[0], found[-1])


@dataclass(frozen=True, slots=True)
class Target:
    """What was set out to be reached: a value of ours over a peer's, at most or at least.

    Without ``peer`` the best of the peers is meant.
    """

    query: str
    what: str
    connections: int
    limit: float
    ours: str = OURS
    peer: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """A target with the ratio found, and the peer it was found against."""

    target: Target
    peer: str
    ratio: Spread

    @property
    def met(self) -> bool:
        if self.target.what == "per_second":
            return self.ratio.middle >= self.target.limit
        return self.ratio.middle <= self.target.limit


# What holds for the organisation's administrator holds for whoever sees one department.
_ON_POSTGRESQL = (OURS, "cabinet-limited")
_EVERY = (*_ON_POSTGRESQL, "cabinet-sqlite", "cabinet-sqlite-limited")
TARGETS = (
    *(
        target
        for ours in _ON_POSTGRESQL
        for target in (
            Target("home", "cpu_ms", 8, 0.5, ours),
            Target("roster", "cpu_ms", 8, 0.25, ours),
            Target("tiny", "cpu_ms", 8, 1.5, ours, "mercurius"),
            Target("tiny", "cpu_ms", 8, 0.75, ours, "postgraphile"),
        )
    ),
    Target("tiny", "cpu_ms", 8, 1.0, "cabinet-sqlite", "mercurius"),
    Target("tiny", "cpu_ms", 8, 1.0, "cabinet-sqlite-limited", "mercurius"),
    *(
        Target(query, what, connections, 1.0, ours)
        for ours in _EVERY
        for query in ("home", "roster")
        for what in ("per_second", "p99_ms")
        for connections in (8, 64)
    ),
)


class Figures:
    """The samples of one run, by who was asked what, over how many connections."""

    def __init__(self, samples: Sequence[Sample]) -> None:
        self._samples: dict[tuple[str, str, int], list[Sample]] = {}
        for sample in samples:
            key = (sample.contender, sample.query, sample.connections)
            self._samples.setdefault(key, []).append(sample)

    def spread(self, contender: str, query: str, connections: int, value: Value) -> Spread | None:
        """Over the rounds; None where it was not measured."""
        found = self._samples.get((contender, query, connections))
        return Spread.of(value(sample) for sample in found) if found else None

    def ratio(
        self, one: str, other: str, query: str, connections: int, value: Value
    ) -> Spread | None:
        """One's value over the other's, round by round, so that a slow minute hits both."""
        ones = self._samples.get((one, query, connections), [])
        others = {s.round: s for s in self._samples.get((other, query, connections), [])}
        ratios = [value(s) / value(others[s.round]) for s in ones if s.round in others]
        return Spread.of(ratios) if ratios else None

    def queries(self, wanted: Sequence[str]) -> list[str]:
        """Those that anybody was asked."""
        asked = {query for (_, query, _) in self._samples}
        return [query for query in wanted if query in asked]

    def verdicts(self) -> list[Verdict]:
        """What became of the targets; those without samples are left out."""
        found = []
        for target in TARGETS:
            value = value_of(target.what)
            peer = target.peer or self._best(target, value)
            if peer is None:
                continue
            ratio = self.ratio(target.ours, peer, target.query, target.connections, value)
            if ratio is not None:
                found.append(Verdict(target, peer, ratio))
        return found

    def _best(self, target: Target, value: Value) -> str | None:
        found = {}
        for peer in PEERS:
            spread = self.spread(peer, target.query, target.connections, value)
            if spread is not None:
                found[peer] = spread.middle
        if not found:
            return None
        return (max if target.what == "per_second" else min)(found, key=found.__getitem__)


def value_of(name: str) -> Value:
    """Reads one of a sample's numbers by its name."""

    def read(sample: Sample) -> float:
        found: float = getattr(sample, name)
        return found

    return read

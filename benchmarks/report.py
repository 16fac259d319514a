"""What is written of a run: numbers as JSON, tables, the plot, and the README's part."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.answers import QUERIES
from benchmarks.contenders import CONTENDERS, OURS, UNLIMITED
from benchmarks.figures import Figures, Spread, Verdict, value_of
from benchmarks.growth import Grown
from benchmarks.measuring import Sample
from benchmarks.plot import plotted

_BEGIN, _END = "<!-- bench -->", "<!-- /bench -->"
_WHAT = {
    "home": "one practitioner's home screen, 113 leaf values",
    "roster": "fifty practitioners with licences and shifts, 2,550 leaf values",
    "tiny": "one practitioner's id, name and specialty",
    "load": "shifts counted by department",
}
_VALUES = {"cpu_ms": "CPU", "per_second": "requests a second", "p99_ms": "p99"}


@dataclass(frozen=True)
class Run:
    """A run: what was measured, and on what."""

    about: Mapping[str, str]
    samples: Sequence[Sample]
    growth: Sequence[Grown]
    megabytes: Mapping[str, float]
    # What was not measured, and why, in sentences.
    missing: Sequence[str]


def write(run: Run, folder: Path, name: str, readme: Path | None) -> None:
    """Writes ``name``.json, .md and .svg into a folder, and the README's part where it has one."""
    folder.mkdir(exist_ok=True)
    figures = Figures(run.samples)
    queries = figures.queries(QUERIES)
    (folder / f"{name}.json").write_text(_as_json(run), encoding="utf-8")
    (folder / f"{name}.md").write_text(_page(run, figures, queries, name), encoding="utf-8")
    (folder / f"{name}.svg").write_text(plotted(figures, queries, connections=8), encoding="utf-8")
    if readme is not None:
        text = readme.read_text(encoding="utf-8")
        readme.write_text(with_part(text, _readme_part(run, figures, queries, name)), "utf-8")


def with_part(text: str, part: str) -> str:
    """A text whose part between the marks is another; raises ValueError where there are none."""
    before, begin, rest = text.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise ValueError(f"no {_BEGIN} … {_END} to write between")
    return f"{before}{_BEGIN}\n{part}{_END}{after}"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; the first column is text, the others numbers."""
    lines = ["| " + " | ".join(head) + " |", "|---" + "|--:" * (len(head) - 1) + "|"]
    lines += ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def _page(run: Run, figures: Figures, queries: Sequence[str], name: str) -> str:
    parts = ["# The benchmark\n", _about(run)]
    parts += [f"Not measured: {sentence}\n" for sentence in run.missing]
    parts += ["## Targets\n", _targets(figures.verdicts())]
    parts.append(f"![CPU a request]({name}.svg)\n")
    for query in queries:
        parts += [f"## {query}: {_WHAT[query]}\n", _of_query(run, figures, query)]
    if run.growth:
        parts += ["## Growth\n", _growth(run.growth)]
    return "\n".join(parts)


def _about(run: Run) -> str:
    lines = "\n".join(f"- {name}: {value}" for name, value in run.about.items())
    return (
        f"{lines}\n\nTimes are milliseconds: a median over the rounds, and in brackets the least "
        "and the largest. CPU is user and system time of the server's process a request, at 8 "
        "connections; PostgreSQL's own stands beside it, and SQLite's is within. × is a server's "
        "CPU over the cabinet's in the same round. All servers were asked in turn, on a core of "
        "their own; the load and PostgreSQL ran beside. The cabinet is signed in, with directives, "
        "row scopes and limits on; the peers check nothing.\n"
    )


def _of_query(run: Run, figures: Figures, query: str) -> str:
    rows = []
    for one in CONTENDERS:

        def cell(what: str, connections: int, name: str = one.name, digits: int = 3) -> str:
            spread = figures.spread(name, query, connections, value_of(what))
            return _spread(spread, digits)

        if figures.spread(one.name, query, 8, value_of("cpu_ms")) is None:
            continue
        ratio = figures.ratio(one.name, OURS, query, 8, value_of("cpu_ms"))
        rows.append(
            [
                one.label,
                cell("cpu_ms", 8),
                _spread(ratio, 2),
                "" if one.on_sqlite else cell("database_ms", 8),
                cell("per_second", 8),
                cell("p50_ms", 8),
                cell("p99_ms", 8),
                cell("per_second", 64),
                cell("p50_ms", 64),
                cell("p99_ms", 64),
                f"{run.megabytes[one.server]:.0f}" if one.server in run.megabytes else "",
            ]
        )
    head = ["server", "CPU", "×", "PostgreSQL", "req/s, 8", "p50", "p99", "req/s, 64", "p50", "p99"]
    return table([*head, "MB"], rows)


def _targets(verdicts: Sequence[Verdict]) -> str:
    labels = {one.name: one.label for one in CONTENDERS}
    rows = []
    for verdict in verdicts:
        target = verdict.target
        bound = "≥" if target.what == "per_second" else "≤"
        rows.append(
            [
                f"{target.query}: {_VALUES[target.what]} at {target.connections} connections",
                f"{labels[target.ours]} / {labels[verdict.peer]}",
                _spread(verdict.ratio, 3),
                f"{bound} {target.limit:g}",
                "met" if verdict.met else "**missed**",
            ]
        )
    return table(["target", "of", "ratio", "wanted", ""], rows)


def _growth(growth: Sequence[Grown]) -> str:
    labels = {one.name: one.label for one in (*CONTENDERS, UNLIMITED)}
    on_sqlite = {one.name: one.on_sqlite for one in CONTENDERS} | {UNLIMITED.name: False}
    rows = [
        [
            f"{grown.size:,} {grown.of}: {grown.sample.query}",
            labels[grown.sample.contender],
            _number(grown.sample.cpu_ms, 3),
            "" if on_sqlite[grown.sample.contender] else _number(grown.sample.database_ms, 3),
            _number(grown.sample.p50_ms, 3),
            _number(grown.sample.p99_ms, 3),
        ]
        for grown in growth
    ]
    return table(["size", "server", "CPU", "PostgreSQL", "p50", "p99"], rows)


def _readme_part(run: Run, figures: Figures, queries: Sequence[str], name: str) -> str:
    rows = []
    for one in CONTENDERS:
        cells = []
        for query in queries:
            spread = figures.spread(one.name, query, 8, value_of("cpu_ms"))
            ratio = figures.ratio(one.name, OURS, query, 8, value_of("cpu_ms"))
            cells.append(
                f"{_number(spread.middle, 3)} ({_number(ratio.middle, 2)} ×)"
                if spread and ratio
                else ""
            )
        if any(cells):
            rows.append([one.label, *cells])
    return (
        f"\n![CPU a request](benchmarks/results/{name}.svg)\n\n"
        + table(["CPU ms a request", *queries], rows)
        + f"\n{run.about['machine']}. Spread, latency, throughput, memory, growth and the targets: "
        f"[benchmarks/results/{name}.md](benchmarks/results/{name}.md).\n\n"
    )


def _as_json(run: Run) -> str:
    told: dict[str, Any] = {
        "about": dict(run.about),
        "missing": list(run.missing),
        "megabytes": {name: round(value) for name, value in run.megabytes.items()},
        "samples": [sample.as_json() for sample in run.samples],
        "growth": [grown.as_json() for grown in run.growth],
    }
    return json.dumps(told, ensure_ascii=False, indent=1) + "\n"


def _spread(spread: Spread | None, digits: int) -> str:
    if spread is None:
        return ""
    middle, low, high = (_number(v, digits) for v in (spread.middle, spread.low, spread.high))
    return middle if low == high else f"{middle} ({low}–{high})"


def _number(value: float, digits: int) -> str:
    """So many digits that count, and never an exponent."""
    return f"{value:,.0f}" if value >= 10 ** (digits - 1) else f"{value:.{digits}g}"

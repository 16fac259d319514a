"""The benchmark's pure parts: spreads, ratios within a round, targets, and what is written."""

import json
import socket
import threading
from pathlib import Path

import pytest

from benchmarks import load, report
from benchmarks.answers import leaves
from benchmarks.contenders import CONTENDERS, OURS
from benchmarks.figures import Figures, Spread, value_of
from benchmarks.growth import Grown, document_of
from benchmarks.measuring import Sample

CPU = value_of("cpu_ms")


def sample(contender: str, query: str = "home", **values: float) -> Sample:
    numbers = {
        "cpu_ms": 1.0,
        "per_second": 100.0,
        "database_ms": 0.5,
        "p50_ms": 2.0,
        "p99_ms": 4.0,
        **{name: value for name, value in values.items() if name not in ("round", "connections")},
    }
    return Sample(
        round=int(values.get("round", 0)),
        contender=contender,
        query=query,
        connections=int(values.get("connections", 8)),
        requests=1_000,
        **numbers,
    )


def test_a_spread_is_the_median_with_the_least_and_the_largest() -> None:
    assert Spread.of([3.0, 1.0, 2.0]) == Spread(2.0, 1.0, 3.0)


def test_ratios_are_taken_within_a_round() -> None:
    # The second round was slow for everybody: no ratio tells of it.
    figures = Figures(
        [
            sample(OURS, cpu_ms=1.0, round=0),
            sample("apollo", cpu_ms=3.0, round=0),
            sample(OURS, cpu_ms=10.0, round=1),
            sample("apollo", cpu_ms=30.0, round=1),
        ]
    )
    assert figures.ratio("apollo", OURS, "home", 8, CPU) == Spread(3.0, 3.0, 3.0)
    assert figures.spread("apollo", "home", 8, CPU) == Spread(16.5, 3.0, 30.0)
    assert figures.ratio("mercurius", OURS, "home", 8, CPU) is None


def test_a_target_is_held_against_the_best_peer() -> None:
    figures = Figures(
        [
            sample(OURS, cpu_ms=1.0, per_second=90.0),
            sample("apollo", cpu_ms=4.0, per_second=80.0),
            sample("mercurius", cpu_ms=1.5, per_second=100.0),
            # No peer: however cheap, it is not held against us.
            sample("reference", cpu_ms=0.1, per_second=900.0),
        ]
    )
    found = {
        (v.target.what, v.target.connections): (v.peer, round(v.ratio.middle, 2), v.met)
        for v in figures.verdicts()
    }
    assert found == {
        ("cpu_ms", 8): ("mercurius", 0.67, False),
        ("per_second", 8): ("mercurius", 0.9, False),
        ("p99_ms", 8): ("mercurius", 1.0, True),
    }


def test_leaves_are_values_in_order_whatever_holds_them() -> None:
    ours = {"practitioner": {"id": "1", "shifts": {"nodes": [{"at": "2026-12-01T08:00:00Z"}]}}}
    theirs = {"p": {"rowId": "1", "shiftsList": [{"at": "2026-12-01T11:00:00+03:00"}]}}
    assert leaves("home", ours) == leaves("home", theirs) == ["1", "2026-12-01T08:00:00+00:00"]
    assert leaves("home", {"practitioner": None}) == ["None"]


def test_groups_have_no_order() -> None:
    assert leaves("load", [{"id": "b", "count": 2}, {"id": "a", "count": 1}]) == [
        *("a", "1"),
        *("b", "2"),
    ]


def test_the_readme_keeps_what_is_outside_the_marks() -> None:
    text = "before\n<!-- bench -->\nold\n<!-- /bench -->\nafter\n"
    assert report.with_part(text, "new\n") == (
        "before\n<!-- bench -->\nnew\n<!-- /bench -->\nafter\n"
    )
    with pytest.raises(ValueError, match="no <!-- bench -->"):
        report.with_part("no marks", "new")


def test_a_run_is_written_as_numbers_tables_and_a_plot(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text("<!-- bench --><!-- /bench -->", encoding="utf-8")
    samples = [sample(one.name, cpu_ms=1.0 + n) for n, one in enumerate(CONTENDERS)]
    run = report.Run(
        about={"machine": "a machine"},
        samples=samples,
        growth=[Grown("rows returned", 10, samples[0])],
        megabytes={"cabinet": 99.6},
        missing=["something."],
    )

    report.write(run, tmp_path / "results", "latest", readme)

    told = json.loads((tmp_path / "results" / "latest.json").read_text(encoding="utf-8"))
    assert [one["contender"] for one in told["samples"]] == [one.name for one in CONTENDERS]
    page = (tmp_path / "results" / "latest.md").read_text(encoding="utf-8")
    assert "Not measured: something." in page
    assert "| Mercurius, JIT | 5 | 5 | 0.5 | 100 | 2 | 4 |  |  |  |  |" in page
    assert "| 10 rows returned: home | Cabinet, administrator | 1 | 0.5 | 2 | 4 |" in page
    plot = (tmp_path / "results" / "latest.svg").read_text(encoding="utf-8")
    assert plot.count("<line") == len(CONTENDERS)
    assert "| Mercurius, JIT | 5 (5 ×) |" in readme.read_text(encoding="utf-8")


def test_growth_asks_for_as_many_rows_as_it_says() -> None:
    document = document_of(2, 50, 99)
    assert document.count("departments(first: 50)") == 2
    assert document.count("shifts(first: 99)") == 2


def served(answers: list[bytes]) -> int:
    """A port where each connection is given these pieces for each request; then it is closed."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with listener:
            connection, _ = listener.accept()
            with connection:
                while connection.recv(65_536):
                    for piece in answers:
                        connection.sendall(piece)

    threading.Thread(target=serve, daemon=True).start()
    port: int = listener.getsockname()[1]
    return port


WHOLE = b'HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n{"data": null}'


@pytest.mark.parametrize(
    "answers",
    [
        [WHOLE],
        [WHOLE[:30], WHOLE[30:]],
        [
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n",
            b'e\r\n{"data": null}\r\n0\r\n\r\n',
        ],
    ],
)
def test_the_load_reads_an_answer_however_it_comes(answers: list[bytes]) -> None:
    loaded = load.run(served(answers), [b"request"], connections=1, seconds=0.05)
    assert loaded.requests > 0
    assert loaded.percentile(0.5) <= loaded.percentile(0.99) <= loaded.seconds


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n",
        b'HTTP/1.1 200 OK\r\ncontent-length: 13\r\n\r\n{"errors":[]}',
    ],
)
def test_the_load_does_not_count_errors(answer: bytes) -> None:
    with pytest.raises(load.BadAnswer):
        load.run(served([answer]), [b"request"], connections=1, seconds=0.05)

"""The whole benchmark: rows, servers, checks, measurements, and what is written of them.

python -m benchmarks [--quick] [--million] [--only cabinet,mercurius] [--queries home,tiny]

CABINET_BENCH_DATABASE_URL, or CABINET_TEST_DATABASE_URL, names the PostgreSQL server to use
(postgres://user@host/database); a database of the benchmark's own is made there and dropped.
"""

import argparse
import asyncio
import os
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from benchmarks import answers, processor, rows
from benchmarks.contenders import CONTENDERS, Contender, servers
from benchmarks.measuring import Backends, Pace, Sample, ask_all, check, measure
from benchmarks.serving import serving
from benchmarks.signing import Person

QUICK = Pace(warm=0.5, seconds=0.5, rounds=1)
WHOLE = Pace(warm=4.0, seconds=2.0, rounds=3)


def main() -> None:
    options = _options()
    url = os.environ.get("CABINET_BENCH_DATABASE_URL") or os.environ.get(
        "CABINET_TEST_DATABASE_URL"
    )
    if not url:
        sys.exit("Set CABINET_BENCH_DATABASE_URL=postgres://user@host/database: a server to use.")
    with tempfile.TemporaryDirectory() as folder, processor.on(processor.divided()[1]):
        asyncio.run(_run(options, url, Path(folder)))


if __name__ == "__main__":
    main()

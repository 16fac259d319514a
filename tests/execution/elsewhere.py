"""The same world over SQLite, in a process of its own: two dialects never share one.

Reads a line of JSON for each operation, who asks among them, and answers with what it printed.
"""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from schema.build import build
from tests.api import serving
from tests.execution.asking import Both, Executors
from tests.generated import Operation
from tests.schema.conftest import ROOMY
from tests.still import still

_LIMIT = 2**26  # bytes of a line


class Elsewhere:
    """A client of that process."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def ask(self, name: str, operation: Operation) -> tuple[bytes, bool]:
        """The answer, and whether it was planned."""
        assert self._process.stdin is not None and self._process.stdout is not None
        line = json.dumps([name, operation.text, operation.variables])
        self._process.stdin.write(f"{line}\n".encode())
        found = await asyncio.wait_for(self._process.stdout.readline(), 60)
        assert found, "the process over SQLite ended"
        text, planned = json.loads(found)
        return text.encode(), planned


@asynccontextmanager
async def elsewhere(url: str, home: Path) -> AsyncIterator[Elsewhere]:
    """Starts the process over a migrated SQLite database, until the block ends."""
    environment = {k: v for k, v in os.environ.items() if k != "CABINET_TEST_DATABASE_URL"}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.execution.elsewhere", url, str(home)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=environment,
        cwd=Path(__file__).parents[2],
        limit=_LIMIT,
    )
    try:
        yield Elsewhere(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        assert await asyncio.wait_for(process.wait(), 60) == 0

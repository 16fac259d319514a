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

from server.migrating import migrate_database
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
async def elsewhere(directory: Path) -> AsyncIterator[Elsewhere]:
    """Starts the process over a database in a directory, until the block ends."""
    environment = {k: v for k, v in os.environ.items() if k != "CABINET_TEST_DATABASE_URL"}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.execution.elsewhere", str(directory)),
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


async def _serve(url: str, home: Path) -> None:
    executors = Executors()
    async with serving(url, home, limits=ROOMY) as api:
        world = await still(api)
        people = {
            name: Both(api.services, viewer, executors) for name, viewer in world.viewers.items()
        }
        while line := await asyncio.to_thread(sys.stdin.readline):
            name, text, variables = json.loads(line)
            asks = people[name]
            before = asks.plans
            answer = await asks.planned(Operation(text, variables))
            told = json.dumps([answer.decode(), asks.plans > before])
            sys.stdout.write(f"{told}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    directory = Path(sys.argv[1])
    url = f"sqlite://{directory / 'cabinet.sqlite3'}"
    asyncio.run(migrate_database(url))
    asyncio.run(_serve(url, directory / "home"))

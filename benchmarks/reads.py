"""What a read costs, planned and by the reference executor: CPU per request, in one process.

python -m benchmarks.reads                       SQLite, in a file of its own
python -m benchmarks.reads postgres://…/empty    an empty PostgreSQL database
"""

import asyncio
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from auth.rights import Rights
from auth.viewer import Place, Viewer
from core.clock import utc_now
from core.settings import Limits
from execution.engine import Engine
from execution.requests import Request
from models.course import Enrolment
from models.database import opened
from models.practitioner import Practitioner
from models.role import Role
from schema.build import build
from schema.context import Context
from server.migrating import migrate_database
from tests import factories as make
from tests.execution.telling import HOME, ROSTER

TINY = "query($id: ID!) { practitioner(id: $id) { id lastName specialty { name } } }"
PEOPLE = 200


async def _populate() -> tuple[Viewer, list[Practitioner]]:
    organisation = await make.organisation()
    departments = [await make.department(organisation) for _ in range(3)]
    specialty = await make.specialty()
    courses = [await make.course(organisation, seats=10_000) for _ in range(5)]
    workers = []
    now = utc_now()
    for number in range(PEOPLE):
        where = departments[number % 3]
        worker = await make.practitioner(where, specialty=specialty)
        workers.append(worker)
        for _ in range(3):
            await make.licence(worker, specialty=specialty)
        for day in range(12):
            start = now + timedelta(days=day + 1)
            await make.shift(
                where, practitioner=worker, starts_at=start, ends_at=start + timedelta(hours=4)
            )
        for course in courses:
            await Enrolment.create(organisation=organisation, course=course, practitioner=worker)
    rights: Rights = build().views[Role.ADMIN].rights
    return Viewer(rights, now, places=(Place(organisation.id),)), workers


async def _measure(engine: Engine, viewer: Viewer, request: Request, times: int) -> float:
    for _ in range(5):
        await engine.execute(request, Context(viewer))
    before = time.process_time()
    for _ in range(times):
        await engine.execute(request, Context(viewer))
    return (time.process_time() - before) / times * 1_000


async def _run(url: str) -> None:
    await migrate_database(url)
    async with opened(url):
        viewer, workers = await _populate()
        planned = Engine(build(), Limits())
        reference = Engine(build(), Limits(), planned=False)
        identity = {"id": str(workers[0].id)}
        for name, request, times in (
            ("home", Request(HOME, identity), 200),
            ("roster", Request(ROSTER, {"first": 50}), 30),
            ("tiny", Request(TINY, identity), 500),
        ):
            assert (await planned.execute(request, Context(viewer))).text is not None
            ours = await _measure(planned, viewer, request, times)
            theirs = await _measure(reference, viewer, request, times // 5)
            sys.stdout.write(f"{name:8} {ours:8.3f} ms {theirs:8.2f} ms {theirs / ours:6.1f} x\n")


def main() -> None:
    if len(sys.argv) > 1:
        asyncio.run(_run(sys.argv[1]))
        return
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_run(f"sqlite://{Path(folder) / 'reads.sqlite3'}"))


if __name__ == "__main__":
    main()

"""The cabinet's server with one thing changed: the reference executor, or higher limits.

python -m benchmarks.variants reference     every read runs in the ordinary executor
python -m benchmarks.variants unlimited     documents of ten thousand rows are let through
"""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import uvicorn
from starlette.applications import Starlette

from core.settings import Limits, Settings
from execution.engine import Engine
from schema.build import build
from server.application import application
from server.environment import settings


def main() -> None:
    found = settings()
    if sys.argv[1] == "unlimited":
        app = application(replace(found, limits=Limits(cost=20_000)))
    else:
        app = application(found)
        serve = app.router.lifespan_context

        @asynccontextmanager
        async def by_reference(app: Starlette) -> AsyncIterator[None]:
            async with serve(app):
                engine = Engine(build(), found.limits, planned=False)
                app.state.services = replace(app.state.services, engine=engine)
                yield

        app.router.lifespan_context = by_reference
    run(app, found)


def run(app: Starlette, found: Settings) -> None:
    """Serves by uvicorn as it is."""
    uvicorn.run(
        app,
        host=found.host,
        port=found.port,
        log_level="warning",
        access_log=False,
        server_header=False,
    )


if __name__ == "__main__":
    main()

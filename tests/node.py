"""The scripts in tests/npm, run by Node as processes of their own."""

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.live import ROOT

NPM = ROOT / "tests" / "npm"


def program() -> str:
    """The program that runs the scripts; without it the test is skipped, and fails in CI."""
    program = shutil.which("node")
    if program and (NPM / "node_modules").is_dir():
        return program
    why = "there is no `node`" if program is None else "run `npm ci` in tests/npm"
    if os.environ.get("CI") == "true":
        pytest.fail(f"{why}, and in CI the JavaScript clients are tested")
    pytest.skip(f"THE JAVASCRIPT CLIENTS ARE NOT TESTED: {why}")


@asynccontextmanager
async def running(
    node: str, script: str, **environment: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        node,
        script,
        cwd=NPM,
        env={"PATH": os.environ["PATH"], **environment},
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def line(process: asyncio.subprocess.Process) -> Any:
    assert process.stdout is not None
    async with asyncio.timeout(20):
        return json.loads(await process.stdout.readline())

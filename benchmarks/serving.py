"""Servers as processes of their own: started on one core, ready, and stopped."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks import load, processor

ROOT = Path(__file__).parent.parent
_START_SECONDS = 90.0


class NotStarted(Exception):
    """A server ended before it answered, or never did; the text ends its log."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server that answers at a port of the loopback interface."""

    pid: int
    port: int

    def seconds(self) -> dict[int, float]:
        return processor.seconds_of(processor.tree(self.pid))


@contextmanager
def serving(
    name: str, command: Sequence[str], environment: Mapping[str, str], log: Path
) -> Iterator[Server]:
    """The server until the block ends, alone with its like on the first core of ``divided``."""
    port = _free_port()
    with processor.on(processor.divided()[0]), log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **environment, "HOST": "127.0.0.1", "PORT": str(port)},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        _ready(name, process, port, log)
        yield Server(process.pid, port)
    finally:
        _stop(process)


def _ready(name: str, process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    request = load.request_of(port, "{ __typename }", {}, {})
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until:
        if process.poll() is not None:
            break
        try:
            load.ask(port, request)
            return
        except OSError:
            time.sleep(0.1)
    raise NotStarted(f"{name} did not start:\n{log.read_text(errors='replace')[-2_000:]}")


def _stop(process: "subprocess.Popen[bytes]") -> None:
    """The server with whatever it started: it leads a group of its own."""
    for kind in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, kind)
        with suppress(subprocess.TimeoutExpired):
            process.wait(20)
            return


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port

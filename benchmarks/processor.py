"""Processor time and cores, as Linux tells and sets them under /proc."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")


def tree(pid: int) -> list[int]:
    """A process and its descendants."""
    found = [pid]
    for parent in found:
        for children in (_PROC / str(parent) / "task").glob("*/children"):
            found += [int(child) for child in children.read_text().split()]
    return found


def seconds_of(pids: Iterable[int]) -> dict[int, float]:
    """User and system time of each process, all its threads; a process that is gone is left out."""
    spent = {}
    for pid in pids:
        try:
            stat = (_PROC / str(pid) / "stat").read_text()
        except (FileNotFoundError, ProcessLookupError):
            continue
        # The name in brackets may hold spaces: count from behind it.
        fields = stat.rpartition(")")[2].split()
        spent[pid] = (int(fields[11]) + int(fields[12])) / _TICKS
    return spent


def spent_between(before: dict[int, float], after: dict[int, float]) -> float:
    """Seconds of processor time; a process that is new began at nothing."""
    return sum(seconds - before.get(pid, 0.0) for pid, seconds in after.items())


def resident_megabytes(pids: Iterable[int]) -> float:
    total = 0
    for pid in pids:
        for line in (_PROC / str(pid) / "status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                total += int(line.split()[1])
    return total / 1024


@cache
def divided() -> tuple[set[int], set[int]]:
    """The core for the server measured, and those for the database and the load.

    They are those that the process had when it first asked; one core only is shared.
    """
    cores = sorted(os.sched_getaffinity(0))
    return {cores[-1]}, set(cores[:-1]) or set(cores)


@contextmanager
def on(cores: set[int]) -> Iterator[None]:
    """Within the block this process runs on these cores, and so does what it starts, for good."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def move(pids: Iterable[int], cores: set[int]) -> bool:
    """Moves running processes to cores; False where that is not allowed."""
    for pid in pids:
        try:
            os.sched_setaffinity(pid, cores)
        except ProcessLookupError:
            continue
        except PermissionError:
            return False
    return True


def described() -> str:
    """The processor, the number of cores and the memory, as a line for readers."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in (_PROC / "cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        "unknown processor",
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    cores = len(set().union(*divided()))
    return f"{model}, {cores} {'core' if cores == 1 else 'cores'}, {memory:.0f} GB"

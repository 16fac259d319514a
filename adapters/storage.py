"""The storage of files: contents under names of ours, whole or not there at all."""

import asyncio
import os
import re
import secrets
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Protocol, Self

_NAME = re.compile(r"[0-9a-f]{32}")
_DRAFT = ".draft"
# A draft as old as this belongs to a process that is no more.
_ABANDONED_SECONDS = 3_600


class FileMissing(Exception):
    """There is no file by that name."""


class Draft(Protocol):
    """A file that is being written; unless it is kept, nothing of it stays."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...

    async def write(self, part: bytes) -> None:
        """Adds a part; raises OSError where there is no room."""

    async def read(self) -> bytes:
        """All that was written."""

    async def keep(self) -> str:
        """Keeps what was written, and gives the name under which it is read from now on."""


class Storage(Protocol):
    """Where contents lie. Names are of 32 hexadecimal digits, and nobody's to choose."""

    def draft(self) -> Draft:
        """A new file, to be written in an ``async with``."""

    async def read(self, name: str) -> bytes:
        """The whole content; raises FileMissing."""

    async def delete(self, name: str) -> None:
        """Deletes a file, if there is one."""

    async def tidy(self) -> None:
        """Deletes what processes that were killed left half-written."""


class DirectoryStorage:
    """Keeps each file in a private directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)

    def draft(self) -> Draft:
        return _DirectoryDraft(self._directory)

    async def read(self, name: str) -> bytes:
        try:
            return await asyncio.to_thread(self._path(name).read_bytes)
        except FileNotFoundError:
            raise FileMissing(name) from None

    async def delete(self, name: str) -> None:
        await asyncio.to_thread(self._path(name).unlink, missing_ok=True)

    async def tidy(self) -> None:
        await asyncio.to_thread(self._tidy)

    def _tidy(self) -> None:
        before = time.time() - _ABANDONED_SECONDS
        for path in self._directory.glob(f"*{_DRAFT}"):
            with suppress(FileNotFoundError):
                if path.stat().st_mtime < before:
                    path.unlink()

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise FileMissing(name)
        return self._directory / name


class _DirectoryDraft:
    """Written under another name, and renamed once it is on the disk."""

    _file: BinaryIO

    def __init__(self, directory: Path) -> None:
        self._name = secrets.token_hex(16)
        self._directory = directory
        self._path = directory / f"{self._name}{_DRAFT}"
        self._is_kept = False

    async def __aenter__(self) -> Self:
        self._file = await asyncio.to_thread(self._open)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if not self._is_kept:
            await asyncio.to_thread(self._drop)

    async def write(self, part: bytes) -> None:
        await asyncio.to_thread(self._file.write, part)

    async def read(self) -> bytes:
        return await asyncio.to_thread(self._read)

    async def keep(self) -> str:
        await asyncio.to_thread(self._keep)
        self._is_kept = True
        return self._name

    def _open(self) -> BinaryIO:
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        return os.fdopen(descriptor, "wb")

    def _read(self) -> bytes:
        self._file.flush()
        return self._path.read_bytes()

    def _keep(self) -> None:
        with self._file as file:
            file.flush()
            os.fsync(file.fileno())
        self._path.rename(self._directory / self._name)
        directory = os.open(self._directory, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)

    def _drop(self) -> None:
        # What is still to be flushed may find no room, as the rest did not.
        with suppress(OSError):
            self._file.close()
        self._path.unlink(missing_ok=True)

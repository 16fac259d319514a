"""Sealing of secrets and identity documents at rest, under a rotating key."""

import fcntl
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


class SealBroken(Exception):
    """A sealed value was altered, or its key is gone."""


class Vault:
    """Seals text with the newest key and opens it with any of them."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._take(keys)

    def _take(self, keys: Sequence[bytes]) -> None:
        known = [Fernet(key) for key in keys]
        self._newest, self._any = known[0], MultiFernet(known)

    def _look(self) -> None:
        """Takes up keys that have come since; a vault of its own keys has none to come."""

    def seal(self, text: str) -> str:
        self._look()
        return self._newest.encrypt(text.encode()).decode()

    def open(self, sealed: str) -> str:
        """The sealed text; raises SealBroken."""
        self._look()
        return _opened(self._any, sealed)

    def is_newest(self, sealed: str) -> bool:
        """Whether a value was sealed with the newest key."""
        self._look()
        try:
            _opened(self._newest, sealed)
        except SealBroken:
            return False
        return True


def _opened(key: Fernet | MultiFernet, sealed: str) -> str:
    try:
        return key.decrypt(sealed.encode()).decode()
    except InvalidToken as broken:
        raise SealBroken from broken


class KeyFile:
    """A file of keys that is read again when it has changed: a server needs no restart."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._version: tuple[int, int] | None = None

    def news(self) -> bytes | None:
        """What stands in it, where that is new; where there is no file, nothing is."""
        with suppress(OSError):
            version = _version(self._path)
            if version != self._version:
                content = self._path.read_bytes()
                self._version = version
                return content
        return None


class _FiledVault(Vault):
    """A vault that takes up new keys as they come into its file."""

    def __init__(self, path: Path) -> None:
        self._file = KeyFile(path)
        self._look()

    def _look(self) -> None:
        if (content := self._file.news()) is not None:
            self._take(content.split())


def _version(path: Path) -> tuple[int, int]:
    status = os.stat(path)  # noqa: PTH116  # with every value: pathlib takes three times as long
    return status.st_mtime_ns, status.st_ino


def open_vault(path: Path) -> Vault:
    """The vault whose keys stand in a file, newest first; the file is made on the first start."""
    read_or_make(path, Fernet.generate_key)
    return _FiledVault(path)


def add_key(path: Path) -> bool:
    """Puts a new key first, unless older ones are not retired yet: whether it did."""
    read_or_make(path, Fernet.generate_key)
    with alone(path):
        keys = path.read_bytes().split()
        if len(keys) > 1:
            return False
        write_private(path, b"\n".join([Fernet.generate_key(), *keys]) + b"\n")
        return True


def retire_keys(path: Path) -> int:
    """Drops every key but the newest, and tells how many; what they sealed cannot be opened."""
    with alone(path):
        newest, *others = path.read_bytes().split()
        if others:
            write_private(path, newest + b"\n")
        return len(others)


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """One process at a time: of two that write, one would lose the key of the other."""
    descriptor = os.open(path.with_name(f"{path.name}.lock"), os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def read_or_make(path: Path, make: Callable[[], bytes]) -> bytes:
    """The bytes of a private file, made once even when several processes start together."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        draft = _draft(path, make())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass  # another process was first; its key is the key
        finally:
            draft.unlink()
    return path.read_bytes()


def write_private(path: Path, content: bytes) -> None:
    """Replaces a private file as a whole: whoever reads it meanwhile reads the old or the new."""
    _draft(path, content).replace(path)


def _draft(path: Path, content: bytes) -> Path:
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return draft

"""Sealing of secrets and identity documents at rest, under a rotating key."""

import os
from collections.abc import Callable
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


class SealBroken(Exception):
    """A sealed value was altered, or its key is gone."""


class Vault:
    """Seals text with the newest key and opens it with any of them."""

    def __init__(self, keys: list[bytes]) -> None:
        self._fernet = MultiFernet([Fernet(key) for key in keys])

    def seal(self, text: str) -> str:
        return self._fernet.encrypt(text.encode()).decode()

    def open(self, sealed: str) -> str:
        """The sealed text; raises SealBroken."""
        try:
            return self._fernet.decrypt(sealed.encode()).decode()
        except InvalidToken as broken:
            raise SealBroken from broken


def open_vault(path: Path) -> Vault:
    """The vault whose keys stand in a file, newest first; the file is made on the first start."""
    return Vault(read_or_make(path, Fernet.generate_key).split())


def read_or_make(path: Path, make: Callable[[], bytes]) -> bytes:
    """The bytes of a private file, made once even when several processes start together."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not path.exists():
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(make())
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass  # another process was first; its key is the key
        finally:
            draft.unlink()
    return path.read_bytes()

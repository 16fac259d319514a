"""Variables of the environment, read as what they mean."""

import os
from pathlib import Path
from urllib.parse import urlsplit

# To these nothing leaves the machine, so that nobody can listen.
LOOPBACK = ("127.0.0.1", "::1", "localhost")


class SettingInvalid(ValueError):
    """A setting in the environment cannot be used; the text says which."""


def text(name: str, usual: str = "") -> str:
    return os.environ.get(name, usual)


def number(name: str, usual: int, *, most: int, least: int = 1) -> int:
    found = os.environ.get(name, str(usual))
    if not found.isdecimal() or not least <= int(found) <= most:
        raise SettingInvalid(f"{name} must be a number from {least} to {most}, not {found!r}")
    return int(found)


def several(name: str) -> tuple[str, ...]:
    """What stands between commas, spaces around it forgiven."""
    return tuple(filter(None, map(str.strip, text(name).split(","))))


def path(name: str) -> Path | None:
    found = os.environ.get(name)
    return Path(found).absolute() if found else None


def is_safe(address: str) -> bool:
    """Whether nobody can listen to what is said to an address: by TLS, or on this machine."""
    parts = urlsplit(address)
    is_local = parts.scheme == "http" and parts.hostname in LOOPBACK
    return bool(parts.hostname) and (parts.scheme == "https" or is_local)

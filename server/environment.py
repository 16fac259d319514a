"""The environment, read once into the settings: the only place that reads it."""

import os
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from auth.viewer import Place, Viewer
from core.clock import utc_now
from core.places import Places, PlacesInvalid, read_places
from core.settings import SessionTimes, Settings
from models.role import Role
from schema.build import build

HOME = Path(__file__).parent.parent / "var"


class SettingInvalid(ValueError):
    """A setting in the environment cannot be used; the text says which."""


def settings() -> Settings:
    """The settings; raises SettingInvalid."""
    home = Path(os.environ.get("CABINET_HOME", str(HOME))).absolute()
    url = os.environ.get("CABINET_DATABASE_URL") or f"sqlite://{home / 'cabinet.sqlite3'}"
    trusted = os.environ.get("CABINET_TRUSTED_OPERATIONS")
    return Settings(
        database_url=url,
        home=home,
        production=os.environ.get("CABINET_PRODUCTION", "") in ("1", "true", "yes"),
        host=os.environ.get("HOST", "127.0.0.1"),
        port=_number("PORT", 8000, most=65_535),
        proxies=_several("CABINET_PROXIES"),
        trusted_operations=Path(trusted) if trusted else None,
        language=os.environ.get("CABINET_LANGUAGE", "ru"),
        origins=_several("CABINET_ORIGINS"),
        redis_url=_redis(),
        places=_places(),
        sessions=SessionTimes(
            idle=timedelta(minutes=_number("CABINET_SESSION_IDLE_MINUTES", 15, most=120)),
            absolute=timedelta(hours=_number("CABINET_SESSION_HOURS", 12, most=24)),
        ),
    )


def _number(name: str, usual: int, *, most: int) -> int:
    text = os.environ.get(name, str(usual))
    if not text.isdecimal() or not 0 < int(text) <= most:
        raise SettingInvalid(f"{name} must be a number from 1 to {most}, not {text!r}")
    return int(text)


def _several(name: str) -> tuple[str, ...]:
    return tuple(filter(None, os.environ.get(name, "").split(",")))


def _redis() -> str | None:
    url = os.environ.get("CABINET_REDIS_URL") or None
    if url is not None and not url.startswith(("redis://", "rediss://", "unix://")):
        # The address itself may hold a password.
        raise SettingInvalid("CABINET_REDIS_URL must be an address such as redis://host:6379/0")
    return url


def _places() -> Places:
    path = os.environ.get("CABINET_PLACES")
    try:
        return read_places(Path(path)) if path else Places()
    except (OSError, PlacesInvalid) as error:
        raise SettingInvalid(f"CABINET_PLACES cannot be read: {error}") from None


def system_viewer(organisation_id: UUID) -> Viewer:
    """The viewer on whose behalf the command line works in one organisation."""
    rights = build().views[Role.ADMIN].rights
    return Viewer(
        rights=rights, now=utc_now(), places=(Place(organisation_id),), held=(Role.ADMIN,)
    )

"""The environment, read once into the settings: the only place that reads it."""

import os
from pathlib import Path
from uuid import UUID

from auth.viewer import Place, Viewer
from core.clock import utc_now
from core.settings import Passkeys, Settings, Signatures
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
    port = _number("PORT", 8000)
    return Settings(
        database_url=url,
        home=home,
        production=os.environ.get("CABINET_PRODUCTION", "") in ("1", "true", "yes"),
        host=os.environ.get("HOST", "127.0.0.1"),
        port=port,
        proxies=_listed("CABINET_PROXIES"),
        trusted_operations=Path(trusted) if trusted else None,
        language=os.environ.get("CABINET_LANGUAGE", "ru"),
        passkeys=_passkeys(port),
        signatures=_signatures(),
    )


def _passkeys(port: int) -> Passkeys:
    domain = os.environ.get("CABINET_PASSKEY_DOMAIN")
    if domain is None:
        return Passkeys(origins=(f"http://localhost:{port}",))
    origins = _listed("CABINET_PASSKEY_ORIGINS") or (f"https://{domain}",)
    return Passkeys(domain=domain, origins=origins)


def _signatures() -> Signatures:
    authorities = os.environ.get("CABINET_SIGNATURE_AUTHORITIES")
    return Signatures(
        Path(authorities).absolute() if authorities else None,
        _listed("CABINET_SIGNATURE_REVOCATIONS"),
    )


def _listed(name: str) -> tuple[str, ...]:
    return tuple(filter(None, os.environ.get(name, "").split(",")))


def _number(name: str, usual: int) -> int:
    text = os.environ.get(name, str(usual))
    if not text.isdecimal() or not 0 < int(text) < 65_536:
        raise SettingInvalid(f"{name} must be a number from 1 to 65535, not {text!r}")
    return int(text)


def system_viewer(organisation_id: UUID) -> Viewer:
    """The viewer on whose behalf the command line works in one organisation."""
    rights = build().views[Role.ADMIN].rights
    return Viewer(
        rights=rights, now=utc_now(), places=(Place(organisation_id),), held=(Role.ADMIN,)
    )

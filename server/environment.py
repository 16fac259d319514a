"""The environment, read once into the settings: the only place that reads it."""

import os
import shlex
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

from auth.viewer import Place, Viewer
from core.clock import utc_now
from core.places import Places, PlacesInvalid, read_places
from core.settings import EsiaSettings, Passkeys, SessionTimes, Settings, Signatures
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
    port = _number("PORT", 8000, most=65_535)
    return Settings(
        database_url=url,
        home=home,
        production=os.environ.get("CABINET_PRODUCTION", "") in ("1", "true", "yes"),
        host=os.environ.get("HOST", "127.0.0.1"),
        port=port,
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
        passkeys=_passkeys(port),
        signatures=_signatures(),
        esia=_esia(),
    )


def _esia() -> EsiaSettings | None:
    client = os.environ.get("CABINET_ESIA_CLIENT")
    if not client:
        return None
    standard = os.environ.get("CABINET_ESIA_OPENID_ISSUER")
    address = os.environ.get("CABINET_ESIA_ADDRESS", "https://esia.gosuslugi.ru")
    # ESIA names itself with http, though it answers by https alone.
    usual = f"http://{urlsplit(address).netloc}/"
    found = EsiaSettings(
        issuer=standard or os.environ.get("CABINET_ESIA_ISSUER", usual),
        client_id=client,
        redirect_uri=os.environ.get("CABINET_ESIA_REDIRECT", ""),
        address=None if standard else address,
        client_secret=os.environ.get("CABINET_ESIA_SECRET", ""),
        key=_path("CABINET_ESIA_KEY"),
        certificate=_path("CABINET_ESIA_CERTIFICATE"),
        sign_command=tuple(shlex.split(os.environ.get("CABINET_ESIA_SIGN_COMMAND", ""))),
        provider_certificate=_path("CABINET_ESIA_PROVIDER_CERTIFICATE"),
        authorities=_path("CABINET_ESIA_AUTHORITIES"),
    )
    if not found.redirect_uri:
        raise SettingInvalid("CABINET_ESIA_REDIRECT is needed beside CABINET_ESIA_CLIENT")
    if not _is_safe(standard or address):
        raise SettingInvalid("Gosuslugi must be asked by https, but for this machine itself")
    if standard:
        if not (found.client_secret or found.key):
            raise SettingInvalid("CABINET_ESIA_SECRET or CABINET_ESIA_KEY is needed")
    elif found.provider_certificate is None or not (
        found.sign_command or (found.key and found.certificate)
    ):
        raise SettingInvalid(
            "CABINET_ESIA_PROVIDER_CERTIFICATE is needed, and CABINET_ESIA_KEY with "
            "CABINET_ESIA_CERTIFICATE, or CABINET_ESIA_SIGN_COMMAND"
        )
    return found


def _path(name: str) -> Path | None:
    text = os.environ.get(name)
    return Path(text) if text else None


def _is_safe(address: str) -> bool:
    parts = urlsplit(address)
    return parts.scheme == "https" or (
        parts.scheme == "http" and parts.hostname in ("127.0.0.1", "::1", "localhost")
    )


def _passkeys(port: int) -> Passkeys:
    domain = os.environ.get("CABINET_PASSKEY_DOMAIN")
    if domain is None:
        return Passkeys(origins=(f"http://localhost:{port}",))
    origins = _several("CABINET_PASSKEY_ORIGINS") or (f"https://{domain}",)
    return Passkeys(domain=domain, origins=origins)


def _signatures() -> Signatures:
    authorities = os.environ.get("CABINET_SIGNATURE_AUTHORITIES")
    return Signatures(
        Path(authorities).absolute() if authorities else None,
        _several("CABINET_SIGNATURE_REVOCATIONS"),
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

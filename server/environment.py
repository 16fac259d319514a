"""The environment, read once into the settings."""

from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from uuid import UUID

from auth.breached import ListInvalid, open_breached
from auth.viewer import Place, Viewer
from core.clock import utc_now
from core.places import Places, PlacesInvalid, read_places
from core.settings import SessionTimes, Settings, SignInLimits
from core.translation import LANGUAGES
from models.role import Role
from schema.build import build
from server import outside_environment as outside
from server.variables import SettingInvalid, number, path, several, text

HOME = Path(__file__).parent.parent / "var"


def settings(port: int | None = None) -> Settings:
    """The settings; raises SettingInvalid."""
    home = Path(text("CABINET_HOME", str(HOME))).absolute()
    url = text("CABINET_DATABASE_URL") or f"sqlite://{home / 'cabinet.sqlite3'}"
    port = port or number("PORT", 8000, most=65_535)
    return Settings(
        database_url=url,
        home=home,
        production=text("CABINET_PRODUCTION") in ("1", "true", "yes"),
        host=text("HOST", "127.0.0.1"),
        port=port,
        proxies=_proxies(),
        trusted_operations=path("CABINET_TRUSTED_OPERATIONS"),
        language=_language(),
        origins=several("CABINET_ORIGINS"),
        redis_url=_redis(),
        places=_places(),
        sessions=SessionTimes(
            idle=timedelta(minutes=number("CABINET_SESSION_IDLE_MINUTES", 15, most=120)),
            absolute=timedelta(hours=number("CABINET_SESSION_HOURS", 12, most=24)),
        ),
        sign_in=SignInLimits(
            password_age=_password_age(),
            breached=_breached(),
            totp_steps=number("CABINET_TOTP_STEPS", 1, least=0, most=1),
        ),
        passkeys=outside.passkeys(port),
        signatures=outside.signatures(),
        esia=outside.esia(),
        mail=outside.mail_gateway(),
        sms=outside.sms_gateway(),
    )


def _proxies() -> tuple[str, ...]:
    found = several("CABINET_PROXIES")
    try:
        widest = min((ip_network(proxy).prefixlen for proxy in found), default=1)
    except ValueError:
        widest = 0
    if not widest:
        # Who is believed whoever they are comes from a new address with each guess.
        raise SettingInvalid("CABINET_PROXIES must be addresses or networks of proxies, by commas")
    return found


def _language() -> str:
    found = text("CABINET_LANGUAGE", LANGUAGES[0])
    if found not in LANGUAGES:
        raise SettingInvalid(f"CABINET_LANGUAGE must be {' or '.join(LANGUAGES)}")
    return found


def _password_age() -> timedelta | None:
    if text("CABINET_PASSWORD_DAYS") == "never":
        return None
    return timedelta(days=number("CABINET_PASSWORD_DAYS", 365, most=3_650))


def _breached() -> Path | None:
    found = path("CABINET_BREACHED_PASSWORDS")
    try:
        open_breached(found)
    except (OSError, ListInvalid):
        raise SettingInvalid(
            "CABINET_BREACHED_PASSWORDS must be a list of SHA-1 hashes in their order"
        ) from None
    return found


def _redis() -> str | None:
    url = text("CABINET_REDIS_URL") or None
    if url is not None and not url.startswith(("redis://", "rediss://", "unix://")):
        # The address itself may hold a password.
        raise SettingInvalid("CABINET_REDIS_URL must be an address such as redis://host:6379/0")
    return url


def _places() -> Places:
    found = path("CABINET_PLACES")
    try:
        return read_places(found) if found is not None else Places()
    except (OSError, PlacesInvalid) as error:
        raise SettingInvalid(f"CABINET_PLACES cannot be read: {error}") from None


def system_viewer(organisation_id: UUID) -> Viewer:
    """The viewer on whose behalf the command line works in one organisation."""
    rights = build().views[Role.ADMIN].rights
    return Viewer(
        rights=rights, now=utc_now(), places=(Place(organisation_id),), held=(Role.ADMIN,)
    )

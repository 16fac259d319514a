"""The environment, read once into the settings: the only place that reads it."""

import os
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

from auth.viewer import Place, Viewer
from core.clock import utc_now
from core.settings import MailGateway, MailSecurity, Settings, SmsGateway
from models.identifiers import EmailInvalid, email
from models.role import Role
from schema.build import build

HOME = Path(__file__).parent.parent / "var"
# To these nothing leaves the machine, so that nobody can listen.
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


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
        port=_number("PORT", 8000),
        proxies=tuple(filter(None, os.environ.get("CABINET_PROXIES", "").split(","))),
        trusted_operations=Path(trusted) if trusted else None,
        language=os.environ.get("CABINET_LANGUAGE", "ru"),
        mail=_mail_gateway(),
        sms=_sms_gateway(),
    )


def _mail_gateway() -> MailGateway | None:
    host = os.environ.get("CABINET_SMTP_HOST")
    if not host:
        return None
    try:
        sender = email(os.environ.get("CABINET_MAIL_FROM", ""))
    except EmailInvalid:
        raise SettingInvalid("CABINET_MAIL_FROM must be the address that mail comes from") from None
    named = os.environ.get("CABINET_SMTP_SECURITY") or MailSecurity.STARTTLS
    if named not in list(MailSecurity):
        raise SettingInvalid("CABINET_SMTP_SECURITY must be tls, starttls or none")
    security, user = MailSecurity(named), os.environ.get("CABINET_SMTP_USER", "")
    if security is MailSecurity.NONE and user and host not in _LOOPBACK:
        raise SettingInvalid("CABINET_SMTP_SECURITY is none: anybody could read the password")
    authorities = os.environ.get("CABINET_SMTP_CA")
    if authorities and not Path(authorities).is_file():
        raise SettingInvalid("CABINET_SMTP_CA must be a file of certificates (PEM)")
    return MailGateway(
        host=host,
        port=_number("CABINET_SMTP_PORT", 465 if security is MailSecurity.TLS else 587),
        sender=sender,
        security=security,
        user=user,
        password=os.environ.get("CABINET_SMTP_PASSWORD", ""),
        authorities=Path(authorities) if authorities else None,
    )


def _sms_gateway() -> SmsGateway | None:
    address = os.environ.get("CABINET_SMS_URL")
    if not address:
        return None
    parts = urlsplit(address)
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    if not is_safe or not parts.hostname:
        raise SettingInvalid("CABINET_SMS_URL must begin with https://, or lead to this machine")
    return SmsGateway(address, os.environ.get("CABINET_SMS_TOKEN", ""))


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

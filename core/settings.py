"""The settings: one frozen value, built once in ``server`` and passed down."""

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Limits:
    """What a request may cost. Sources: OWASP GraphQL cheat sheet, GraphQL Armor's defaults."""

    body_bytes: int = 256 * 1024
    tokens: int = 1_000
    depth: int = 10
    aliases: int = 15
    directives: int = 10
    cost: int = 5_000
    errors: int = 5
    operation_seconds: float = 10.0
    socket_init_seconds: float = 5.0
    socket_operations: int = 20
    sockets_per_session: int = 5
    sockets: int = 1_000
    socket_message_bytes: int = 64 * 1024


@dataclass(frozen=True, slots=True)
class SessionTimes:
    """How long a sign-in lasts. Source: OWASP ASVS 5.0, chapter V7; NIST 800-63B AAL2."""

    access: timedelta = timedelta(minutes=10)
    idle: timedelta = timedelta(minutes=15)
    absolute: timedelta = timedelta(hours=12)
    per_account: int = 5
    leeway: timedelta = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class SignInLimits:
    """How many failures are too many, for one account and for one address."""

    failures: int = 5
    window: timedelta = timedelta(minutes=15)
    address_failures: int = 50


class MailSecurity(StrEnum):
    """TLS from the first byte, after STARTTLS (both required, certificates checked), or none."""

    TLS = "tls"
    STARTTLS = "starttls"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class MailGateway:
    """An SMTP server, and the address that mail comes from."""

    host: str
    sender: str
    port: int = 587
    security: MailSecurity = MailSecurity.STARTTLS
    user: str = ""
    password: str = field(default="", repr=False)
    # Certificates of authorities beside the system's own (PEM).
    authorities: Path | None = None


@dataclass(frozen=True, slots=True)
class SmsGateway:
    """An HTTP gateway of SMS, and the bearer token that it knows us by."""

    address: str
    token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that differs between one installation and another."""

    database_url: str
    home: Path
    production: bool = False
    host: str = "127.0.0.1"
    port: int = 8000
    language: str = "ru"
    # Addresses of proxies whose X-Forwarded-For is believed; nobody's unless said.
    proxies: tuple[str, ...] = ()
    # A list of operations: where it is given, no others run.
    trusted_operations: Path | None = None
    # By what mail and SMS are sent; where there is nothing, a server in production sends none,
    # and any other shows them in the outbox.
    mail: MailGateway | None = None
    sms: SmsGateway | None = None
    limits: Limits = field(default_factory=Limits)
    sessions: SessionTimes = field(default_factory=SessionTimes)
    sign_in: SignInLimits = field(default_factory=SignInLimits)

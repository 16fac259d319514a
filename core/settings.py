"""The settings: one frozen value, built once in ``server`` and passed down."""

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from core.places import Places


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
    # Origins of pages, beside the server's own, from which cookies are taken: a proxy's that
    # tells another Host.
    origins: tuple[str, ...] = ()
    # Redis that keeps the counts of rate limits for all workers; else the database does.
    redis_url: str | None = None
    # Where addresses are, in words, for the lists of sessions.
    places: Places = field(default_factory=Places)
    limits: Limits = field(default_factory=Limits)
    sessions: SessionTimes = field(default_factory=SessionTimes)
    sign_in: SignInLimits = field(default_factory=SignInLimits)

"""The settings: one frozen value, built once in ``server`` and passed down."""

from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
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
    upload_bytes: int = 10 * 1024 * 1024
    upload_seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class SessionTimes:
    """How long a sign-in lasts. Source: OWASP ASVS 5.0, chapter V7; NIST 800-63B AAL2."""

    access: timedelta = timedelta(minutes=10)
    idle: timedelta = timedelta(minutes=15)
    absolute: timedelta = timedelta(hours=12)
    per_account: int = 5
    leeway: timedelta = timedelta(seconds=30)

    @property
    def touch(self) -> timedelta:
        """How often the use of a session is noted, however busy it is."""
        return min(timedelta(minutes=1), self.idle / 15)

    @property
    def unseen(self) -> timedelta:
        """How long after the use noted last it is over: what came since may not be noted."""
        return self.idle + self.touch


@dataclass(frozen=True, slots=True)
class SignInLimits:
    """How many failures are too many, for one account and for one address.

    After the second failure the next attempt waits for ``pause``, and then each time for twice
    as long. A password older than ``password_age`` has expired; without one, none ever does.
    ``breached`` is a list of passwords known from breaches: see ``auth.breached``. An
    authenticator's code is taken so many steps before and after its own (``totp_steps``).
    """

    failures: int = 5
    window: timedelta = timedelta(minutes=15)
    address_failures: int = 50
    pause: timedelta = timedelta(seconds=1)
    password_age: timedelta | None = timedelta(days=365)
    breached: Path | None = None
    totp_steps: int = 1


@dataclass(frozen=True, slots=True)
class Passkeys:
    """Where passkeys hold (WebAuthn, 5.1.2): a domain, its pages, and the name browsers show."""

    domain: str = "localhost"
    origins: tuple[str, ...] = ("http://localhost:8000",)
    name: str = "Кабинет медицинского работника"


@dataclass(frozen=True, slots=True)
class Signatures:
    """Whose certificates are trusted, and where it is told which of them are revoked.

    ``authorities`` is a directory of PEM files; without one nobody signs in by a signature.
    ``revocations`` are files and addresses of lists of revoked certificates.
    """

    authorities: Path | None = None
    revocations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EsiaSettings:
    """Signing in through Gosuslugi: the provider, and how this installation is known to it.

    Files are PEM. What a provider needs of them is checked where the environment is read.
    """

    # As it stands in ID tokens.
    issuer: str
    client_id: str
    # Where people come back to with a code: a page of the frontend.
    redirect_uri: str
    # Where ESIA answers; without it the provider is a standard one, found by its issuer.
    address: str | None = None
    # What this installation proves itself with: a secret (a standard provider only), a key (for
    # ESIA with its certificate), or a program that signs (ESIA only).
    client_secret: str = field(default="", repr=False)
    key: Path | None = None
    certificate: Path | None = None
    sign_command: tuple[str, ...] = ()
    # The certificate with whose key ESIA signs ID tokens.
    provider_certificate: Path | None = None
    # Authorities trusted for TLS beside the usual ones.
    authorities: Path | None = None
    # All that one step of the sign-in asks of the provider is answered within so long.
    seconds: float = 5.0


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
    # Origins of pages, beside the server's own, from which cookies are taken: a proxy's that
    # tells another Host.
    origins: tuple[str, ...] = ()
    # Redis that keeps the counts of rate limits for all workers; else the database does.
    redis_url: str | None = None
    # Where addresses are, in words, for the lists of sessions.
    places: Places = field(default_factory=Places)
    # By what mail and SMS are sent; where there is nothing, a server in production sends none,
    # and any other shows them in the outbox.
    mail: MailGateway | None = None
    sms: SmsGateway | None = None
    limits: Limits = field(default_factory=Limits)
    sessions: SessionTimes = field(default_factory=SessionTimes)
    sign_in: SignInLimits = field(default_factory=SignInLimits)
    # The mutations of whoever has not signed in are answered at multiples of this.
    even_time: timedelta = timedelta(milliseconds=50)
    passkeys: Passkeys = field(default_factory=Passkeys)
    signatures: Signatures = field(default_factory=Signatures)
    esia: EsiaSettings | None = None

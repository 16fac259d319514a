"""Mail over a real SMTP server on loopback: what is handed over, and what its answers mean."""

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from adapters.deliverers import Deferred, Letter, NotDelivered, Refused, Unreachable
from adapters.mail import Smtp, mail_of
from core.settings import MailGateway, MailSecurity
from tests.gateways import MailServer, mail_server, silent_server
from tests.live import free_port

pytestmark = pytest.mark.any_database

SENDER = "cabinet@hospital.example"
LETTER = Letter(
    id=UUID("0190d5a0-0000-7000-8000-000000000001"),
    to="anna@example.org",
    subject="Код для кабинета",
    body="Ваш код: 123456",
    written_at=datetime(2026, 3, 2, 9, 0, tzinfo=UTC),
)


def smtp(port: int, *, seconds: float = 5, **values: Any) -> Smtp:
    settings = {"security": MailSecurity.NONE, **values}
    gateway = MailGateway(host="127.0.0.1", sender=SENDER, port=port, **settings)
    return Smtp(gateway, seconds=seconds)


async def test_mail_arrives_whole_with_an_id_that_stays() -> None:
    async with mail_server() as server:
        for _ in range(2):
            await smtp(server.port).deliver(LETTER)

    first, second = server.taken
    assert (first["From"], first["To"], first["Subject"]) == (SENDER, LETTER.to, LETTER.subject)
    assert first.get_content().strip() == LETTER.body
    assert first["Date"] == "Mon, 02 Mar 2026 09:00:00 +0000"
    assert first["Auto-Submitted"] == "auto-generated"
    assert first["Message-ID"] == second["Message-ID"] == f"<{LETTER.id}@hospital.example>"
    assert server.to == [LETTER.to] * 2


@pytest.mark.parametrize(
    ("recipient", "data", "outcome", "told"),
    [
        ("550 no such user", "250 OK", Refused, "SMTP 550"),
        ("451 greylisted", "250 OK", Deferred, "SMTP 451"),
        ("421 closing", "250 OK", Unreachable, "SMTP 421"),
        ("530 sign in", "250 OK", Unreachable, "SMTP 530"),
        ("250 OK", "554 looks bad", Refused, "SMTP 554"),
        ("250 OK", "452 full", Deferred, "SMTP 452"),
    ],
)
async def test_each_refusal_has_its_meaning_and_tells_nothing_of_the_message(
    recipient: str, data: str, outcome: type[NotDelivered], told: str
) -> None:
    async with mail_server() as server:
        server.recipient_answer, server.data_answer = recipient, data
        with pytest.raises(outcome, match=f"^{told}$"):
            await smtp(server.port).deliver(LETTER)
    assert server.taken == []


async def test_an_address_that_is_none_is_refused_before_anything_is_sent() -> None:
    for wrong in ("anna", "anna@example.org\r\nBcc: all@example.org", ""):
        with pytest.raises(Refused):
            mail_of(Letter(LETTER.id, wrong, "s", "b", LETTER.written_at), SENDER)


def test_a_cyrillic_domain_is_addressed_by_its_ascii_name() -> None:
    letter = Letter(LETTER.id, "anna@больница.рф", "s", "b", LETTER.written_at)
    assert mail_of(letter, SENDER)["To"] == "anna@xn--80abvlke3d3b.xn--p1ai"


async def test_a_server_that_is_not_there_or_silent_is_unreachable() -> None:
    with pytest.raises(Unreachable):
        await smtp(free_port()).deliver(LETTER)
    async with silent_server() as port:
        with pytest.raises(Unreachable):
            await smtp(port, seconds=0.2).deliver(LETTER)


async def test_a_server_that_thinks_too_long_is_unreachable() -> None:
    async with mail_server() as server:
        server.thinks = 1
        with pytest.raises(Unreachable):
            await smtp(server.port, seconds=0.2).deliver(LETTER)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of this machine's, its key in the same file; it vouches for itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail.test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "mail.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path


def tls_of(certificate: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    return context


USER: dict[str, Any] = {"user": "cabinet", "password": "a secret"}
STARTTLS: dict[str, Any] = {"security": MailSecurity.STARTTLS}


async def deliver_by_tls(certificate: Path, **values: Any) -> MailServer:
    users = (("cabinet", "a secret"),)
    async with mail_server(tls=tls_of(certificate), users=users) as server:
        await smtp(server.port, **{**STARTTLS, **values}).deliver(LETTER)
    return server


async def test_the_password_goes_by_tls_to_a_server_that_is_known(certificate: Path) -> None:
    server = await deliver_by_tls(certificate, authorities=certificate, **USER)
    assert server.is_encrypted == [True]


async def test_a_certificate_of_nobody_known_is_not_trusted(certificate: Path) -> None:
    with pytest.raises(Unreachable):
        await deliver_by_tls(certificate, **USER)


async def test_a_wrong_password_is_no_fault_of_the_message(certificate: Path) -> None:
    wrong = {**USER, "password": "another"}
    with pytest.raises(Unreachable, match="SMTP 535"):
        await deliver_by_tls(certificate, authorities=certificate, **wrong)


async def test_nothing_is_sent_in_the_open_where_tls_is_asked_for() -> None:
    async with mail_server() as server:
        with pytest.raises(Unreachable):
            await smtp(server.port, **STARTTLS).deliver(LETTER)
    assert server.taken == []


def test_a_password_is_not_shown_where_settings_are() -> None:
    gateway = MailGateway("mail.test", SENDER, user="cabinet", password="a secret")
    assert "a secret" not in repr(gateway)

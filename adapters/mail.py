"""Mail by SMTP, one connection for each message."""

import ssl
from contextlib import suppress
from email.message import EmailMessage
from email.utils import format_datetime

from aiosmtplib import (
    SMTP,
    SMTPDataError,
    SMTPException,
    SMTPRecipientsRefused,
    SMTPResponseException,
)
from email_validator import EmailNotValidError, validate_email

from adapters.deliverers import Deferred, Letter, NotDelivered, Refused, Unreachable
from core.settings import MailGateway, MailSecurity

_SECONDS = 15.0
# What is said while a message is offered, and is not about it: closing down, sign in first.
_NOT_OF_THE_MESSAGE = (421, 530)


class Smtp:
    """Hands mail to an SMTP server (RFC 5321)."""

    def __init__(self, gateway: MailGateway, *, seconds: float = _SECONDS) -> None:
        self._gateway = gateway
        self._seconds = seconds
        self._tls: ssl.SSLContext | None = None
        if gateway.security is not MailSecurity.NONE:
            self._tls = ssl.create_default_context()
            if gateway.authorities is not None:
                self._tls.load_verify_locations(gateway.authorities)

    async def deliver(self, letter: Letter) -> None:
        """Hands a message over; raises Refused, Deferred or Unreachable.

        One is taken when the server has answered for all of it; what comes after does not matter.
        """
        mail = mail_of(letter, self._gateway.sender)
        client = self._client()
        try:
            await client.connect()
            await client.send_message(mail)
        except (SMTPException, OSError, TimeoutError) as error:
            raise _outcome(error) from None
        else:
            with suppress(SMTPException, OSError, TimeoutError):
                await client.quit(timeout=1)
        finally:
            client.close()

    async def close(self) -> None:
        """Nothing is open between messages."""

    def _client(self) -> SMTP:
        gateway = self._gateway
        return SMTP(
            hostname=gateway.host,
            port=gateway.port,
            username=gateway.user or None,
            password=gateway.password or None,
            # What the machine calls itself is nothing to servers elsewhere.
            local_hostname=_domain(gateway.sender),
            timeout=self._seconds,
            use_tls=gateway.security is MailSecurity.TLS,
            start_tls=gateway.security is MailSecurity.STARTTLS,
            tls_context=self._tls,
        )


def mail_of(letter: Letter, sender: str) -> EmailMessage:
    """A message as mail (RFC 5322); raises Refused where no mail can be addressed so.

    Its Message-ID is made from its id: programs of mail show one that came twice once.
    """
    try:
        to = validate_email(letter.to, check_deliverability=False, allow_smtputf8=False).ascii_email
    except EmailNotValidError:
        raise Refused("the address is none") from None
    mail = EmailMessage()
    mail["From"] = sender
    mail["To"] = to
    mail["Subject"] = letter.subject
    mail["Date"] = format_datetime(letter.written_at)
    mail["Message-ID"] = f"<{letter.id}@{_domain(sender)}>"
    # RFC 3834: nobody's holiday answers it.
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(letter.body)
    return mail


def _domain(address: str) -> str:
    return address.rpartition("@")[2].encode("idna").decode()


def _outcome(error: Exception) -> NotDelivered:
    if isinstance(error, SMTPRecipientsRefused):
        return _of_message(error.recipients[0].code)
    if isinstance(error, SMTPDataError):
        return _of_message(error.code)
    if isinstance(error, SMTPResponseException):
        return Unreachable(f"SMTP {error.code}")
    return Unreachable(type(error).__name__)


def _of_message(code: int) -> NotDelivered:
    """What an answer to a recipient or to the content means (RFC 5321, 4.2.1)."""
    told = f"SMTP {code}"
    if code in _NOT_OF_THE_MESSAGE:
        return Unreachable(told)
    return Refused(told) if code >= 500 else Deferred(told)

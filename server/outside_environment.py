"""What the environment says of the outside world: mail, SMS, Gosuslugi, passkeys, signatures."""

import shlex
from urllib.parse import urlsplit

from core.settings import (
    EsiaSettings,
    MailGateway,
    MailSecurity,
    Passkeys,
    Signatures,
    SmsGateway,
)
from models.identifiers import EmailInvalid, email
from server.variables import LOOPBACK, SettingInvalid, is_safe, number, path, several, text


def mail_gateway() -> MailGateway | None:
    host = text("CABINET_SMTP_HOST")
    if not host:
        return None
    try:
        sender = email(text("CABINET_MAIL_FROM"))
    except EmailInvalid:
        raise SettingInvalid("CABINET_MAIL_FROM must be the address that mail comes from") from None
    named = text("CABINET_SMTP_SECURITY") or MailSecurity.STARTTLS
    if named not in list(MailSecurity):
        raise SettingInvalid("CABINET_SMTP_SECURITY must be tls, starttls or none")
    security, user = MailSecurity(named), text("CABINET_SMTP_USER")
    if security is MailSecurity.NONE and user and host not in LOOPBACK:
        raise SettingInvalid("CABINET_SMTP_SECURITY is none: anybody could read the password")
    authorities = path("CABINET_SMTP_CA")
    if authorities is not None and not authorities.is_file():
        raise SettingInvalid("CABINET_SMTP_CA must be a file of certificates (PEM)")
    return MailGateway(
        host=host,
        port=number("CABINET_SMTP_PORT", 465 if security is MailSecurity.TLS else 587, most=65_535),
        sender=sender,
        security=security,
        user=user,
        password=text("CABINET_SMTP_PASSWORD"),
        authorities=authorities,
    )


def sms_gateway() -> SmsGateway | None:
    address = text("CABINET_SMS_URL")
    if not address:
        return None
    if not is_safe(address):
        raise SettingInvalid("CABINET_SMS_URL must begin with https://, or lead to this machine")
    return SmsGateway(address, text("CABINET_SMS_TOKEN"))


def esia() -> EsiaSettings | None:
    client = text("CABINET_ESIA_CLIENT")
    if not client:
        return None
    standard = text("CABINET_ESIA_OPENID_ISSUER")
    address = text("CABINET_ESIA_ADDRESS", "https://esia.gosuslugi.ru")
    # ESIA names itself with http, though it answers by https alone.
    usual = f"http://{urlsplit(address).netloc}/"
    found = EsiaSettings(
        issuer=standard or text("CABINET_ESIA_ISSUER", usual),
        client_id=client,
        redirect_uri=text("CABINET_ESIA_REDIRECT"),
        address=None if standard else address,
        client_secret=text("CABINET_ESIA_SECRET"),
        key=path("CABINET_ESIA_KEY"),
        certificate=path("CABINET_ESIA_CERTIFICATE"),
        sign_command=tuple(shlex.split(text("CABINET_ESIA_SIGN_COMMAND"))),
        provider_certificate=path("CABINET_ESIA_PROVIDER_CERTIFICATE"),
        authorities=path("CABINET_ESIA_AUTHORITIES"),
    )
    if not found.redirect_uri:
        raise SettingInvalid("CABINET_ESIA_REDIRECT is needed beside CABINET_ESIA_CLIENT")
    if not is_safe(standard or address):
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


def passkeys(port: int) -> Passkeys:
    domain = text("CABINET_PASSKEY_DOMAIN")
    if not domain:
        return Passkeys(origins=(f"http://localhost:{port}",))
    origins = several("CABINET_PASSKEY_ORIGINS") or (f"https://{domain}",)
    return Passkeys(domain=domain, origins=origins)


def signatures() -> Signatures:
    return Signatures(
        path("CABINET_SIGNATURE_AUTHORITIES"), several("CABINET_SIGNATURE_REVOCATIONS")
    )

"""Gateways in the environment: what is read, and what is refused before anything is sent."""

from pathlib import Path

import pytest

from core.settings import MailGateway, MailSecurity, SmsGateway
from server.environment import settings
from server.variables import SettingInvalid

pytestmark = pytest.mark.any_database

MAIL = {"CABINET_SMTP_HOST": "mail.test", "CABINET_MAIL_FROM": "Cabinet@Hospital.example"}


def given(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    for name, value in values.items():
        monkeypatch.setenv(name, value)


def test_there_are_none_unless_said() -> None:
    assert (settings().mail, settings().sms) == (None, None)


def test_mail_goes_by_starttls_unless_said(monkeypatch: pytest.MonkeyPatch) -> None:
    given(monkeypatch, **MAIL)
    assert settings().mail == MailGateway("mail.test", "cabinet@hospital.example")
    given(
        monkeypatch,
        CABINET_SMTP_SECURITY="tls",
        CABINET_SMTP_USER="cabinet",
        CABINET_SMTP_PASSWORD="a secret",
        CABINET_SMTP_CA=__file__,
    )
    assert settings().mail == MailGateway(
        host="mail.test",
        sender="cabinet@hospital.example",
        port=465,
        security=MailSecurity.TLS,
        user="cabinet",
        password="a secret",
        authorities=Path(__file__),
    )


def test_sms_go_by_https_or_to_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for address in ("https://sms.test/v1", "http://127.0.0.1:8001/", "http://localhost/"):
        given(monkeypatch, CABINET_SMS_URL=address, CABINET_SMS_TOKEN="a token")
        assert settings().sms == SmsGateway(address, "a token")


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"CABINET_MAIL_FROM": "nobody"}, "CABINET_MAIL_FROM"),
        ({"CABINET_SMTP_SECURITY": "ssl"}, "CABINET_SMTP_SECURITY"),
        ({"CABINET_SMTP_SECURITY": "none", "CABINET_SMTP_USER": "u"}, "CABINET_SMTP_SECURITY"),
        ({"CABINET_SMTP_PORT": "mail"}, "CABINET_SMTP_PORT"),
        ({"CABINET_SMTP_CA": "/nowhere.pem"}, "CABINET_SMTP_CA"),
        ({"CABINET_SMS_URL": "http://sms.test/"}, "CABINET_SMS_URL"),
        ({"CABINET_SMS_URL": "sms.test"}, "CABINET_SMS_URL"),
        ({"CABINET_SMS_URL": "https://"}, "CABINET_SMS_URL"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(
    values: dict[str, str], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given(monkeypatch, **{**MAIL, **values})
    with pytest.raises(SettingInvalid, match=name):
        settings()

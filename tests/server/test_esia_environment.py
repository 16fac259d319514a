"""The environment: what Gosuslugi needs is asked for at the start, and named if it is missing."""

from pathlib import Path

import pytest

from core.settings import EsiaSettings
from server.environment import settings
from server.variables import SettingInvalid

pytestmark = pytest.mark.any_database

BACK = "https://cabinet.example.org/gosuslugi"
USUAL = {
    "CABINET_ESIA_CLIENT": "CABINET",
    "CABINET_ESIA_REDIRECT": BACK,
    "CABINET_ESIA_PROVIDER_CERTIFICATE": "/etc/cabinet/esia.pem",
    "CABINET_ESIA_KEY": "/etc/cabinet/key.pem",
    "CABINET_ESIA_CERTIFICATE": "/etc/cabinet/certificate.pem",
}
STANDARD = {
    "CABINET_ESIA_CLIENT": "cabinet",
    "CABINET_ESIA_REDIRECT": BACK,
    "CABINET_ESIA_OPENID_ISSUER": "https://login.example.org",
    "CABINET_ESIA_SECRET": "secret",
}


def read(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str]) -> EsiaSettings | None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return settings().esia


def test_without_a_client_gosuslugi_is_not_set_up(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(monkeypatch, {"CABINET_ESIA_REDIRECT": BACK}) is None


def test_esia_is_the_usual_provider(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(monkeypatch, USUAL) == EsiaSettings(
        issuer="http://esia.gosuslugi.ru/",
        client_id="CABINET",
        redirect_uri=BACK,
        address="https://esia.gosuslugi.ru",
        key=Path("/etc/cabinet/key.pem"),
        certificate=Path("/etc/cabinet/certificate.pem"),
        provider_certificate=Path("/etc/cabinet/esia.pem"),
    )


def test_a_program_may_sign_in_place_of_a_key(monkeypatch: pytest.MonkeyPatch) -> None:
    program = "/usr/bin/sign --key 'the key'"
    signing = {"CABINET_ESIA_KEY": "", "CABINET_ESIA_SIGN_COMMAND": program}
    found = read(monkeypatch, USUAL | signing)
    assert found is not None
    assert (found.key, found.sign_command) == (None, ("/usr/bin/sign", "--key", "the key"))


def test_a_standard_provider_is_found_by_its_issuer(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(monkeypatch, STANDARD) == EsiaSettings(
        issuer="https://login.example.org",
        client_id="cabinet",
        redirect_uri=BACK,
        client_secret="secret",
    )


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        (USUAL | {"CABINET_ESIA_REDIRECT": ""}, "CABINET_ESIA_REDIRECT"),
        (USUAL | {"CABINET_ESIA_PROVIDER_CERTIFICATE": ""}, "CABINET_ESIA_PROVIDER_CERTIFICATE"),
        (USUAL | {"CABINET_ESIA_CERTIFICATE": ""}, "CABINET_ESIA_CERTIFICATE"),
        (USUAL | {"CABINET_ESIA_ADDRESS": "http://esia.gosuslugi.ru"}, "https"),
        (STANDARD | {"CABINET_ESIA_SECRET": ""}, "CABINET_ESIA_SECRET"),
        (STANDARD | {"CABINET_ESIA_OPENID_ISSUER": "http://login.example.org"}, "https"),
    ],
)
def test_what_is_missing_or_unsafe_is_named(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], named: str
) -> None:
    with pytest.raises(SettingInvalid, match=named):
        read(monkeypatch, environment)

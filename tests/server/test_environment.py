"""The environment: what it says of sessions, cookies, Redis and places, and what it may not say."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from core.settings import SessionTimes
from models.account import Account
from resolvers.own_password import has_expired
from server.environment import settings
from server.variables import SettingInvalid
from tests import factories as make

NAMES = (
    "CABINET_BREACHED_PASSWORDS",
    "CABINET_LANGUAGE",
    "CABINET_ORIGINS",
    "CABINET_PASSWORD_DAYS",
    "CABINET_PLACES",
    "CABINET_PROXIES",
    "CABINET_REDIS_URL",
    "CABINET_SESSION_HOURS",
    "CABINET_SESSION_IDLE_MINUTES",
    "CABINET_TOTP_STEPS",
)


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
    return monkeypatch


def test_every_setting_is_documented() -> None:
    root = Path(__file__).parents[2]
    sources = (path.read_text(encoding="utf-8") for path in (root / "server").glob("*.py"))
    names = {name for text in sources for name in re.findall(r'"(CABINET_[A-Z_]+)"', text)}
    told = (root / "docs" / "operations.md").read_text(encoding="utf-8")
    assert names and {name for name in names if f"`{name}`" not in told} == set()


def test_without_anything_said_all_is_as_usual(environment: pytest.MonkeyPatch) -> None:
    found = settings()
    assert (found.origins, found.redis_url, found.sessions) == ((), None, SessionTimes())
    assert found.places.of("127.0.0.1") == ""


def test_what_is_said_is_taken(environment: pytest.MonkeyPatch, tmp_path: Path) -> None:
    places = tmp_path / "places.csv"
    places.write_text("127.0.0.0/8,эта машина\n", encoding="utf-8")
    environment.setenv("CABINET_ORIGINS", "http://localhost:5173, https://cabinet.example.org")
    environment.setenv("CABINET_PROXIES", "10.0.0.1, 2001:db8::/32")
    environment.setenv("CABINET_REDIS_URL", "rediss://:secret@redis.example.org:6380/1")
    environment.setenv("CABINET_SESSION_IDLE_MINUTES", "30")
    environment.setenv("CABINET_SESSION_HOURS", "8")
    environment.setenv("CABINET_PLACES", str(places))

    found = settings()

    assert found.origins == ("http://localhost:5173", "https://cabinet.example.org")
    assert found.proxies == ("10.0.0.1", "2001:db8::/32")
    assert found.redis_url == "rediss://:secret@redis.example.org:6380/1"
    assert found.sessions == SessionTimes(idle=timedelta(minutes=30), absolute=timedelta(hours=8))
    assert found.places.of("127.0.0.1") == "эта машина"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CABINET_REDIS_URL", "redis.example.org:6379?secret"),
        ("CABINET_SESSION_IDLE_MINUTES", "0"),
        ("CABINET_SESSION_IDLE_MINUTES", "121"),
        ("CABINET_SESSION_HOURS", "25"),
        ("CABINET_SESSION_HOURS", "twelve"),
        ("CABINET_PLACES", "nowhere.csv"),
        # Everybody would say from where they come.
        ("CABINET_PROXIES", "*"),
        ("CABINET_PROXIES", "0.0.0.0/0"),
        # It would be believed of nobody, and all would count as one.
        ("CABINET_PROXIES", "10.0.0.1,proxy.example.org"),
        ("CABINET_PROXIES", "10.0.0.1/8"),
        ("CABINET_PASSWORD_DAYS", "0"),
        ("CABINET_TOTP_STEPS", "2"),
        ("CABINET_LANGUAGE", "fr"),
        ("CABINET_BREACHED_PASSWORDS", "nowhere.txt"),
        ("CABINET_BREACHED_PASSWORDS", __file__),
    ],
)
def test_what_cannot_be_used_is_named(
    environment: pytest.MonkeyPatch, name: str, value: str
) -> None:
    environment.setenv(name, value)

    with pytest.raises(SettingInvalid, match=name) as refused:
        settings()

    assert "secret" not in str(refused.value)


def test_passwords_need_not_age(environment: pytest.MonkeyPatch) -> None:
    assert settings().sign_in.password_age == timedelta(days=365)
    environment.setenv("CABINET_PASSWORD_DAYS", "never")
    age = settings().sign_in.password_age

    assert age is None
    assert not has_expired(Account(password_hash="x"), make.NOW, age)


def test_a_code_may_be_left_its_thirty_seconds(environment: pytest.MonkeyPatch) -> None:
    assert settings().sign_in.totp_steps == 1
    environment.setenv("CABINET_TOTP_STEPS", "0")
    assert settings().sign_in.totp_steps == 0

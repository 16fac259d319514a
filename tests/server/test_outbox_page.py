"""The page of the outbox: codes for a newcomer at this machine, and for nobody else."""

import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from core.settings import MailGateway, SmsGateway
from models.factor import Channel
from tests.api import serving
from tests.server.outboxes import EMAIL, PHONE, put

HERE = {"host": "localhost:8000"}


async def page(
    database_url: str,
    home: Path,
    *,
    headers: dict[str, str] = HERE,
    client: tuple[str, int] = ("127.0.0.1", 50_000),
    **options: Any,
) -> httpx.Response:
    async with serving(database_url, home, **options) as api:
        await put(api.services.vault, body="Ваш код: <b>123456</b>")
        await put(api.services.vault, Channel.EMAIL, deliver=False)
        transport = httpx.ASGITransport(app=api.app, client=client)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as asking:
            return await asking.get("/outbox", headers=headers)


async def test_a_newcomer_reads_the_codes_that_were_sent(database_url: str, tmp_path: Path) -> None:
    answer = await page(database_url, tmp_path)

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "Ваш код: &lt;b&gt;123456&lt;/b&gt;" in answer.text
    assert PHONE in answer.text and EMAIL in answer.text
    assert "Исходящие сообщения" in answer.text
    assert "не отправляется" in answer.text


async def test_it_runs_no_script_and_no_style_but_its_own(
    database_url: str, tmp_path: Path
) -> None:
    answer = await page(database_url, tmp_path)

    policy = answer.headers["content-security-policy"]
    (nonce,) = re.findall(r"'nonce-([^']+)'", policy)
    assert policy.startswith("default-src 'none'; style-src 'nonce-")
    assert "script" not in policy and "unsafe" not in policy
    assert f'<style nonce="{nonce}">' in answer.text
    assert "<script" not in answer.text
    assert answer.headers["cache-control"] == "no-store"


async def test_it_speaks_the_language_of_who_asks(database_url: str, tmp_path: Path) -> None:
    answer = await page(database_url, tmp_path, headers={**HERE, "accept-language": "en"})
    assert "Outgoing messages" in answer.text
    assert '<html lang="en">' in answer.text


@pytest.mark.any_database
@pytest.mark.parametrize(
    "options",
    [
        {"production": True},
        {"mail": MailGateway("mail.test", "cabinet@hospital.example")},
        {"sms": SmsGateway("https://sms.test")},
    ],
)
async def test_there_is_none_in_production_nor_where_messages_are_sent(
    options: dict[str, Any], database_url: str, tmp_path: Path
) -> None:
    answer = await page(database_url, tmp_path, **options)
    assert answer.status_code == 404
    assert "123456" not in answer.text


@pytest.mark.any_database
@pytest.mark.parametrize(
    ("headers", "client"),
    [
        (HERE, ("192.0.2.7", 50_000)),
        ({"host": "cabinet.example.org"}, ("127.0.0.1", 50_000)),
        # A name of somebody's that leads to this machine.
        ({"host": "localhost.example.org:8000"}, ("127.0.0.1", 50_000)),
        # A proxy on this machine that passes the name on.
        ({**HERE, "x-forwarded-for": "198.51.100.7"}, ("127.0.0.1", 50_000)),
        ({**HERE, "forwarded": "for=198.51.100.7"}, ("127.0.0.1", 50_000)),
    ],
)
async def test_nobody_elsewhere_sees_it(
    headers: dict[str, str], client: tuple[str, int], database_url: str, tmp_path: Path
) -> None:
    answer = await page(database_url, tmp_path, headers=headers, client=client)
    assert answer.status_code == 404
    assert "123456" not in answer.text

"""SMS over a real HTTP gateway on loopback: what is handed over, and what its answers mean."""

import asyncio
from datetime import UTC, datetime
from uuid import UUID

import pytest

from adapters.deliverers import Deferred, Deliverer, Letter, NotDelivered, Refused, Unreachable
from adapters.sms import HttpSms
from core.settings import SmsGateway
from tests.gateways import SmsServer, Taken, silent_server, sms_server
from tests.live import free_port

pytestmark = pytest.mark.any_database

LETTER = Letter(
    id=UUID("0190d5a0-0000-7000-8000-000000000002"),
    to="+79001234567",
    subject="",
    body="Код для входа: 123456",
    written_at=datetime(2026, 3, 2, 9, 0, tzinfo=UTC),
)


async def delivered(address: str, token: str = "", *, seconds: float = 5) -> None:
    sms: Deliverer = HttpSms(SmsGateway(address, token), seconds=seconds)
    try:
        await sms.deliver(LETTER)
    finally:
        await sms.close()


def answering(server: SmsServer, status: int) -> None:
    async def answer(_taken: Taken) -> int:
        return status

    server.answer = answer


async def test_an_sms_is_handed_over_with_its_id_and_our_token() -> None:
    async with sms_server() as server:
        await delivered(server.address, "a token")

    content = {"id": str(LETTER.id), "to": LETTER.to, "text": LETTER.body}
    assert server.taken == [Taken(content, str(LETTER.id), "Bearer a token")]


@pytest.mark.parametrize("status", [200, 201, 202, 204, 409])
async def test_what_is_taken_now_or_was_before_is_delivered(status: int) -> None:
    async with sms_server() as server:
        answering(server, status)
        await delivered(server.address)
    assert len(server.taken) == 1


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (400, Refused),
        (410, Refused),
        (413, Refused),
        (422, Refused),
        (425, Deferred),
        (429, Deferred),
        (302, Unreachable),
        (401, Unreachable),
        (403, Unreachable),
        (404, Unreachable),
        (500, Unreachable),
        (503, Unreachable),
    ],
)
async def test_each_refusal_has_its_meaning(status: int, outcome: type[NotDelivered]) -> None:
    async with sms_server() as server:
        answering(server, status)
        with pytest.raises(outcome, match=f"^HTTP {status}$"):
            await delivered(server.address)


async def test_a_gateway_that_is_not_there_silent_or_slow_is_unreachable() -> None:
    with pytest.raises(Unreachable):
        await delivered(f"http://127.0.0.1:{free_port()}/")
    async with silent_server() as port:
        with pytest.raises(Unreachable):
            await delivered(f"http://127.0.0.1:{port}/", seconds=0.2)
    async with sms_server() as server:

        async def slow(_taken: Taken) -> int:
            await asyncio.sleep(1)
            return 200

        server.answer = slow
        with pytest.raises(Unreachable):
            await delivered(server.address, seconds=0.2)


def test_a_token_is_not_shown_where_settings_are() -> None:
    assert "a token" not in repr(SmsGateway("https://sms.test", "a token"))

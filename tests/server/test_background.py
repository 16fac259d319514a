"""What a server does beside answering: it sends, and a gateway that hangs keeps it from nothing."""

import asyncio
import time
from datetime import timedelta
from pathlib import Path

import httpx

from core.clock import utc_now
from core.settings import SmsGateway
from models.database import opened
from models.message import Message, MessageState
from server.background import working
from tests.api import serving
from tests.gateways import Taken, sms_server
from tests.live import LiveServer
from tests.server.outboxes import put, vault_at


async def test_cabinet_serve_sends(live_server: LiveServer, database_url: str) -> None:
    vault = vault_at(live_server.log.parent)
    async with opened(database_url):
        message = await put(vault, body="Ваш код: 123456", now=utc_now())
        async with asyncio.timeout(10):
            # Another process sends it.
            while (await Message.get(id=message.id)).state is not MessageState.SENT:  # noqa: ASYNC110
                await asyncio.sleep(0.1)
    async with httpx.AsyncClient() as client:
        page = await client.get(f"{live_server.url}/outbox")
    assert "Ваш код: 123456" in page.text


async def test_a_server_stops_though_a_gateway_hangs(database_url: str, tmp_path: Path) -> None:
    reached = asyncio.Event()

    async def hang(_taken: Taken) -> int:
        reached.set()
        await asyncio.sleep(30)
        return 200

    async with sms_server() as server:
        server.answer = hang
        gateway = SmsGateway(server.address)
        async with serving(database_url, tmp_path, sms=gateway) as api:
            await put(api.services.vault, now=utc_now() - timedelta(seconds=1))
            async with asyncio.timeout(10), working(api.services):
                await reached.wait()
                begun = time.monotonic()
    assert time.monotonic() - begun < 5


async def test_a_server_deletes_what_is_over(database_url: str, tmp_path: Path) -> None:
    async with serving(database_url, tmp_path) as api:
        old = await put(api.services.vault, now=utc_now() - timedelta(days=8), deliver=False)
        async with working(api.services), asyncio.timeout(10):
            # A task of the server's deletes it.
            while await Message.exists(id=old.id):  # noqa: ASYNC110
                await asyncio.sleep(0.02)

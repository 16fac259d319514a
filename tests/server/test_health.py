"""`/health`: each part as it is known, without a secret, and 503 while the database is down."""

import asyncio
from datetime import timedelta
from typing import Any

from tortoise.connection import get_connections

from auth.rights import Rights
from auth.viewer import Viewer
from core.clock import utc_now
from models.message import Message
from models.notice import ServicePart
from models.role import Role
from resolvers.notices import tell_outage, tell_recovery
from tests.api import Api
from tests.server.outboxes import put

# What is not configured is no part.
WELL = {"DATABASE": "OK", "EMAIL": "OK", "SMS": "OK", "FILES": "OK"}


async def health(api: Api, *, anew: bool = False) -> tuple[int, Any]:
    if anew:
        # What was found out is kept for a second.
        await asyncio.sleep(1.05)
    answer = await api.client.get("/health")
    return answer.status_code, answer.json()


def system() -> Viewer:
    return Viewer(rights=Rights(Role.ADMIN), now=utc_now())


async def test_an_outage_of_one_part_leaves_the_others_well(api: Api) -> None:
    assert await health(api) == (200, {"status": "ok", "parts": WELL})
    await tell_outage(system(), ServicePart.SMS)
    down = await health(api, anew=True)
    await tell_recovery(system(), ServicePart.SMS)

    assert down == (200, {"status": "ok", "parts": {**WELL, "SMS": "DOWN"}})
    assert await health(api, anew=True) == (200, {"status": "ok", "parts": WELL})


async def test_messages_that_nobody_sends_are_told(api: Api) -> None:
    long_ago = utc_now() - timedelta(minutes=2)
    await put(api.services.vault, now=long_ago)
    assert await health(api) == (200, {"status": "ok", "parts": {**WELL, "SMS": "DEGRADED"}})


async def test_without_the_database_nothing_else_is_known(api: Api) -> None:
    table = Message._meta.db_table
    database = get_connections().get("default")
    await database.execute_query(f"ALTER TABLE {table} RENAME TO away")
    try:
        down = await health(api)
    finally:
        await database.execute_query(f"ALTER TABLE away RENAME TO {table}")

    assert down == (503, {"status": "down", "parts": {"DATABASE": "DOWN"}})
    assert await health(api, anew=True) == (200, {"status": "ok", "parts": WELL})


async def test_the_database_is_asked_once_a_second_whoever_asks(api: Api) -> None:
    assert (await health(api))[1]["parts"] == WELL
    await tell_outage(system(), ServicePart.SMS)
    every = await asyncio.gather(*(health(api) for _ in range(20)))
    assert [told["parts"] for _, told in every] == [WELL] * 20

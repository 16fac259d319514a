"""The stories' hospital. At the end of each story the audit chain holds, entry by entry."""

from collections.abc import AsyncIterator

import pytest

from auth.audit import verify
from models.audit import AuditEntry
from tests.api import Api
from tests.journeys.hospital import Hospital, founded


@pytest.fixture
async def hospital(api: Api) -> AsyncIterator[Hospital]:
    yield await founded(api)
    assert [found async for found in verify()] == [await AuditEntry.all().count()]

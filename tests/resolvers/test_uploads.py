"""Uploads: announced so often, stored and claimed once, and forgotten after a day."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from adapters.storage import DirectoryStorage, FileMissing
from auth.file_addresses import AddressInvalid
from auth.gate import Gate
from auth.limits import TooManyAttempts
from auth.rows import NotFound
from core.errors import Problems
from models.database import unit_of_work
from models.upload import Upload, UploadPurpose
from resolvers.uploads import (
    Announced,
    Content,
    claim_uploads,
    prune_uploads,
    request_upload,
    store_upload,
)
from tests.auth import entrance
from tests.factories import NOW
from tests.resolvers.callers import problems_of

DAY = timedelta(days=1)


@pytest.fixture
async def gate(database: str, tmp_path: Path) -> AsyncIterator[Gate]:
    gate = entrance.gate(tmp_path)
    yield gate
    gate.passwords.close()


async def announce(gate: Gate, now: datetime = NOW, **values: Any) -> Announced:
    values = {"file_name": "Скан.pdf", "size": 9, "media_type": "application/pdf", **values}
    return await request_upload(
        entrance.visitor(now, values.pop("address", "192.0.2.1")),
        gate=gate,
        settings=entrance.settings(Path()),
        purpose=UploadPurpose.TICKET,
        **values,
    )


async def store(upload: Upload, name: str = "a" * 32, now: datetime = NOW) -> None:
    content = Content(name, "sealed", "0" * 64)
    await store_upload(entrance.visitor(now), upload=upload, content=content)


@unit_of_work
async def claim(*ids: UUID, now: datetime = NOW) -> list[Upload]:
    return await claim_uploads(entrance.visitor(now), ids, UploadPurpose.TICKET, "attachments")


async def test_every_wrong_value_is_named_at_once(gate: Gate) -> None:
    with pytest.raises(Problems) as refused:
        await announce(gate, file_name=" ", size=10 * 1024 * 1024 + 1, media_type="image/png")

    assert problems_of(refused) == [
        ("REQUIRED", "file_name"),
        ("OUT_OF_RANGE", "size"),
        ("FILE_NOT_PDF", "media_type"),
    ]
    assert await Upload.all().count() == 0


@pytest.mark.parametrize(
    "name",
    [
        "../../etc/passwd",
        "..\\..\\boot.ini",
        "/etc/passwd",
        "a\0.pdf",
        "a\x07.pdf",
        "scan\u202efdp.exe",
        "a" * 201,
    ],
)
async def test_a_name_leads_nowhere_and_hides_nothing(gate: Gate, name: str) -> None:
    with pytest.raises(Problems) as refused:
        await announce(gate, file_name=name)

    code = "TOO_LONG" if len(name) > 200 else "FIELD_INVALID"
    assert problems_of(refused) == [(code, "file_name")]


async def test_twenty_are_announced_a_day_from_an_address(gate: Gate) -> None:
    for _ in range(20):
        await announce(gate)

    with pytest.raises(TooManyAttempts):
        await announce(gate)
    await announce(gate, address="192.0.2.2")
    await announce(gate, NOW + DAY)


async def test_of_two_who_store_at_once_one_does(gate: Gate) -> None:
    upload = (await announce(gate)).upload

    answers = await asyncio.gather(
        *(store(upload, letter * 32) for letter in "abcdef"), return_exceptions=True
    )

    assert sum(answer is None for answer in answers) == 1
    assert sum(isinstance(answer, AddressInvalid) for answer in answers) == 5


async def test_of_fifty_who_claim_a_file_at_once_one_does(gate: Gate) -> None:
    upload = (await announce(gate)).upload
    await store(upload)

    answers = await asyncio.gather(*(claim(upload.id) for _ in range(50)), return_exceptions=True)

    assert sum(isinstance(answer, list) for answer in answers) == 1
    assert sum(isinstance(answer, NotFound) for answer in answers) == 49
    assert await Upload.all().count() == 0


async def test_files_are_claimed_all_or_none(gate: Gate) -> None:
    first, second = [(await announce(gate)).upload for _ in range(2)]
    await store(first)

    with pytest.raises(NotFound):
        await claim(first.id, second.id)
    await store(second, "b" * 32)

    assert [one.id for one in await claim(second.id, first.id)] == [second.id, first.id]


async def test_what_nobody_claims_within_a_day_goes_with_its_content(
    gate: Gate, tmp_path: Path
) -> None:
    storage = DirectoryStorage(tmp_path / "files")
    async with storage.draft() as draft:
        await draft.write(b"content")
        name = await draft.keep()
    old, never_came = [(await announce(gate)).upload for _ in range(2)]
    await store(old, name)
    young = (await announce(gate, NOW + timedelta(hours=1))).upload

    with pytest.raises(NotFound):
        await claim(old.id, now=NOW + DAY)
    assert await prune_uploads(storage, now=NOW + DAY - timedelta(seconds=1)) == 0
    assert await prune_uploads(storage, now=NOW + DAY) == 2

    assert [row.id for row in await Upload.all()] == [young.id]
    with pytest.raises(FileMissing):
        await storage.read(name)
    assert never_came.storage_name is None

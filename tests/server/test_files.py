"""Files over a real port: what is taken, and what a stranger sends instead."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from adapters.storage import Draft, Storage
from auth.file_addresses import FileAddress, signed
from core.clock import utc_now
from core.settings import Limits
from models.account import Account, AccountState
from models.grant import RoleGrant
from models.role import Role
from models.upload import Upload
from resolvers.uploads import ADDRESS_LASTS
from server.services import Services
from tests.api import Api
from tests.live import ListeningApi, listening
from tests.pdfs import bomb, locked, pdf
from tests.server.people import somebody

ANNOUNCING = """
    mutation($size: Int!) {
      requestUpload(
        purpose: TICKET, fileName: "Скан.pdf", size: $size, mediaType: "application/pdf"
      ) { uploadId address errors { code field } }
    }
"""
SLOW = 1.0


@pytest.fixture
async def slow_api(database_url: str, tmp_path: Path) -> AsyncIterator[ListeningApi]:
    """The application that waits for a file for a second only."""
    limits = replace(Limits(), upload_seconds=SLOW)
    async with listening(database_url, tmp_path / "home", limits=limits) as api:
        yield api


class Watched:
    """A storage that counts how many drafts were read and are neither kept nor dropped yet."""

    def __init__(self, inner: Storage) -> None:
        self._inner = inner
        self._now = self.most = 0

    def draft(self) -> Draft:
        draft = self._inner.draft()
        read, keep = draft.read, draft.keep

        async def reading() -> bytes:
            self._now += 1
            self.most = max(self.most, self._now)
            return await read()

        async def keeping() -> str:
            self._now -= 1
            return await keep()

        draft.read, draft.keep = reading, keeping  # type: ignore[method-assign]
        return draft

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


async def announced(api: Api, size: int, token: str | None = None) -> str:
    """The address for a file of so many bytes."""
    found = (await api.ask(ANNOUNCING, token, size=size)).data["requestUpload"]
    assert found["errors"] == []
    address: str = found["address"]
    return address


async def put(api: Api, address: str, content: Any, **headers: str) -> tuple[int, str]:
    """The status, and the code of what is wrong."""
    response = await api.client.put(
        address, content=content, headers={"accept-language": "en", **headers}
    )
    if response.status_code == 204:
        return 204, ""
    (error,) = response.json()["errors"]
    assert error["message"] != error["extensions"]["code"]
    return response.status_code, error["extensions"]["code"]


async def sending(
    api: ListeningApi, address: str, header: str
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection over which the head of a PUT was sent."""
    parts = urlsplit(api.url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(f"PUT {address} HTTP/1.1\r\nhost: x\r\n{header}\r\n\r\n".encode())
    return reader, writer


def files_of(services: Services) -> list[Path]:
    return sorted((services.settings.home / "files").iterdir())


async def test_a_file_is_taken_once_and_lies_sealed(listening_api: ListeningApi) -> None:
    content = pdf(b"passport" * 20_000)
    address = await announced(listening_api, len(content))

    async def in_parts() -> AsyncIterator[bytes]:
        for start in range(0, len(content), 10_000):
            yield content[start : start + 10_000]

    assert await put(listening_api, address, in_parts()) == (204, "")
    assert await put(listening_api, address, content) == (403, "FILE_ADDRESS_INVALID")

    (path,) = files_of(listening_api.services)
    upload = await Upload.get()
    assert path.name == upload.storage_name
    assert b"passport" not in path.read_bytes()
    assert upload.key_sealed is not None
    assert upload.sha256 is not None


async def test_of_ten_who_put_to_one_address_one_does(listening_api: ListeningApi) -> None:
    content = pdf()
    address = await announced(listening_api, len(content))

    answers = await asyncio.gather(*(put(listening_api, address, content) for _ in range(10)))

    assert sorted(status for status, _ in answers) == [204] + [403] * 9
    assert len(files_of(listening_api.services)) == 1


HOSTILE = {
    "picture": (b"\x89PNG\r\n\x1a\n" + pdf(), 422),
    "page": (b"<html><script>alert(1)</script></html>", 422),
    "head alone": (b"%PDF-1.7\n" + b"\0" * 4_000, 422),
    "shorter than a head": (b"%PD", 422),
    "cut off": (pdf()[:-40], 422),
    "password": (locked(), 422),
    "bomb": (bomb(600), 422),
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_what_is_no_pdf_is_refused(listening_api: ListeningApi, name: str) -> None:
    content, status = HOSTILE[name]
    address = await announced(listening_api, len(content))

    assert await put(listening_api, address, content) == (status, "FILE_NOT_PDF")

    assert files_of(listening_api.services) == []
    assert (await Upload.get()).stored_at is None
    # What was not taken may be sent again, as it should be.
    assert await put(listening_api, address, content) == (status, "FILE_NOT_PDF")


async def test_a_file_is_sent_ten_times_at_the_most(listening_api: ListeningApi) -> None:
    """To read one costs more than to send it, and whoever sends has announced it once."""
    broken = HOSTILE["cut off"][0]
    address = await announced(listening_api, len(broken))

    answers = await asyncio.gather(*(put(listening_api, address, broken) for _ in range(12)))

    assert Counter(answers) == {(422, "FILE_NOT_PDF"): 10, (429, "TOO_MANY_ATTEMPTS"): 2}


async def test_files_that_wait_to_be_read_are_in_no_memory(api: Api) -> None:
    storage: Any = Watched(api.services.storage)
    api.app.state.services = replace(api.services, storage=storage)
    content = pdf(b"x" * 1_000)
    addresses = [await announced(api, len(content)) for _ in range(6)]

    answers = await asyncio.gather(*(put(api, address, content) for address in addresses))

    assert answers == [(204, "")] * 6
    assert storage.most == 2


async def test_no_more_and_no_fewer_bytes_than_announced_are_taken(
    listening_api: ListeningApi,
) -> None:
    content = pdf()
    address = await announced(listening_api, len(content) - 1)
    longer = await announced(listening_api, len(content) + 1)

    async def without_a_length() -> AsyncIterator[bytes]:
        yield content[:100]
        yield content[100:]

    assert await put(listening_api, address, content) == (413, "TOO_LARGE")
    assert await put(listening_api, address, without_a_length()) == (413, "TOO_LARGE")
    assert await put(listening_api, longer, content) == (400, "FILE_INCOMPLETE")
    assert files_of(listening_api.services) == []


async def test_nobody_announces_more_than_ten_megabytes(listening_api: ListeningApi) -> None:
    for size in (0, -1, 10 * 1024 * 1024 + 1, 2**31 - 1):
        found = (await listening_api.ask(ANNOUNCING, size=size)).data["requestUpload"]
        assert found == {
            "uploadId": None,
            "address": None,
            "errors": [{"code": "OUT_OF_RANGE", "field": "size"}],
        }


async def test_an_endless_body_is_cut_off(listening_api: ListeningApi) -> None:
    address = await announced(listening_api, len(pdf()))
    reader, writer = await sending(listening_api, address, "transfer-encoding: chunked")
    writer.write(b"400\r\n%PDF-" + b"x" * 1019 + b"\r\n")

    async with asyncio.timeout(5):
        head = await reader.readuntil(b"\r\n")
        await reader.read()

    assert head.startswith(b"HTTP/1.1 413")
    writer.close()


async def test_a_slow_body_is_not_waited_for(slow_api: ListeningApi) -> None:
    content = pdf()
    address = await announced(slow_api, len(content))
    reader, writer = await sending(slow_api, address, f"content-length: {len(content)}")

    async def in_drops() -> None:
        for mark in content:
            writer.write(bytes([mark]))
            await asyncio.sleep(0.1)

    begun = time.monotonic()
    dropping = asyncio.create_task(in_drops())
    async with asyncio.timeout(SLOW + 2):
        status = await reader.readuntil(b"\r\n")
    dropping.cancel()
    writer.close()

    assert status.startswith(b"HTTP/1.1 408")
    assert time.monotonic() - begun > SLOW - 0.1
    assert files_of(slow_api.services) == []


async def test_whoever_hangs_up_leaves_nothing_behind(listening_api: ListeningApi) -> None:
    content = pdf(b"x" * 100_000)
    address = await announced(listening_api, len(content))
    _, writer = await sending(listening_api, address, f"content-length: {len(content)}")
    writer.write(content[:50_000])
    await writer.drain()
    async with asyncio.timeout(5):
        while not files_of(listening_api.services):  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)

    writer.close()

    async with asyncio.timeout(5):
        while files_of(listening_api.services):  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.01)
    assert await put(listening_api, address, content) == (204, "")


async def test_an_address_that_was_not_signed_for_it_takes_nothing(
    listening_api: ListeningApi,
) -> None:
    content = pdf()
    first, second = [await announced(listening_api, len(content)) for _ in range(2)]
    path, query = first.split("?")
    other_path, other_query = second.split("?")
    upload = await Upload.all().order_by("created_at").first()
    assert upload is not None
    over = signed(
        listening_api.services.gate.hashes,
        FileAddress("PUT", upload.id, utc_now() - ADDRESS_LASTS, Role.VISITOR, None, None),
    )

    for wrong in (
        path,
        f"{path}?{other_query}",
        f"{other_path}?{query}",
        first.replace("role=VISITOR", "role=OPERATOR"),
        f"{first}0",
        over,
        f"/files/..%5c..%5ckeys%5cvault.key?{query}",
        f"/files/%00?{query}",
    ):
        assert await put(listening_api, wrong, content) == (403, "FILE_ADDRESS_INVALID"), wrong
        assert (await listening_api.client.get(wrong)).status_code == 403, wrong
    for nowhere in (f"/files/..%2f..%2fkeys%2fvault.key?{query}", f"/files/?{query}"):
        assert await put(listening_api, nowhere, content) == (404, "NOT_FOUND"), nowhere
    for method in ("POST", "DELETE", "PATCH"):
        answer = await listening_api.client.request(method, first, content=content)
        assert answer.status_code == 405
    assert files_of(listening_api.services) == []


async def test_an_address_ends_with_the_account_that_it_was_signed_for(
    listening_api: ListeningApi,
) -> None:
    person = await somebody(Role.DOCTOR)
    token = await listening_api.token(person.account, Role.DOCTOR)
    address = await announced(listening_api, len(pdf()), token)

    await Account.filter(id=person.account.id).update(state=AccountState.CLOSED)

    assert await put(listening_api, address, pdf()) == (403, "FILE_ADDRESS_INVALID")


async def test_an_address_ends_with_the_session_that_it_was_given_to(
    listening_api: ListeningApi,
) -> None:
    person = await somebody(Role.DOCTOR)
    token = await listening_api.token(person.account, Role.DOCTOR)
    address = await announced(listening_api, len(pdf()), token)

    await listening_api.ask("mutation { signOut { errors { code } } }", token=token)

    assert await put(listening_api, address, pdf()) == (403, "FILE_ADDRESS_INVALID")


async def test_what_is_brought_is_taken_whatever_role_one_has_by_then(
    listening_api: ListeningApi,
) -> None:
    person = await somebody(Role.DOCTOR)
    token = await listening_api.token(person.account, Role.DOCTOR)
    address = await announced(listening_api, len(pdf()), token)

    await RoleGrant.filter(account_id=person.account.id).update(revoked_at=utc_now())

    assert (await put(listening_api, address, pdf()))[0] == 204

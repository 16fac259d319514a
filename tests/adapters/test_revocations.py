"""Lists of revoked certificates: from where they come, how long they are kept, and what is none."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from adapters.revocations import KEPT, LARGEST, TRIED_AGAIN, RevocationLists
from tests.certificates import authority

pytestmark = pytest.mark.any_database

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ROOT = authority(now=NOW)
PEM = ROOT.revocations()
DER = x509.load_pem_x509_crl(PEM).public_bytes(Encoding.DER)
Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Source:
    """Where a list is asked for: its address, how often it was, and what it answers."""

    url: str
    answer: Answer
    asked: int = 0


def whole(body: bytes, status: str = "200 OK", headers: str = "") -> Answer:
    async def answer(writer: asyncio.StreamWriter) -> None:
        head = f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
        writer.write(head.encode() + body)

    return answer


async def silence(_writer: asyncio.StreamWriter) -> None:
    await asyncio.sleep(60)


async def drop_by_drop(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        writer.write(b"0")
        await writer.drain()
        await asyncio.sleep(0.05)


@asynccontextmanager
async def serving(answer: Answer) -> AsyncIterator[Source]:
    found = Source("", answer)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        found.asked += 1
        try:
            await reader.readuntil(b"\r\n\r\n")
            await found.answer(writer)
            await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    found.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/root.crl"
    try:
        yield found
    finally:
        server.close()


async def count(lists: RevocationLists, now: datetime = NOW) -> int:
    return len(await lists.current(now))


@pytest.mark.parametrize("data", [PEM, DER], ids=["PEM", "DER"])
async def test_a_list_comes_from_a_file_and_from_an_address(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "root.crl"
    path.write_bytes(data)
    async with serving(whole(data)) as source:
        found = await RevocationLists([str(path), source.url]).current(NOW)

    assert [one.dump() for one in found] == [DER, DER]


def of(*lists: tuple[str, list[int], int], until: datetime = NOW + timedelta(days=30)) -> bytes:
    """A PEM file of lists: whose each is, what it revokes, and how many days ago it was made."""
    key, text = ec.generate_private_key(ec.SECP256R1()), b""
    for name, serials, days in lists:
        made = NOW - timedelta(days=days)
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .last_update(made)
            .next_update(until)
        )
        for serial in serials:
            revoked = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(made)
            builder = builder.add_revoked_certificate(revoked.build())
        text += builder.sign(key, SHA256()).public_bytes(Encoding.PEM)
    return text


async def revoked(lists: RevocationLists, now: datetime = NOW) -> list[list[int]]:
    parts = [one["tbs_cert_list"] for one in await lists.current(now)]
    found = [part["revoked_certificates"].native or () for part in parts]
    return [[int(entry["user_certificate"]) for entry in entries] for entries in found]


async def test_a_file_may_hold_several_lists(tmp_path: Path) -> None:
    path = tmp_path / "all.pem"
    path.write_bytes(of(("Root", [], 1), ("Sub", [77], 1)))
    lists = RevocationLists([str(path)])
    assert await revoked(lists) == [[], [77]]
    assert await lists.are_whole(NOW)


async def test_a_file_that_was_replaced_is_taken_up_at_once(tmp_path: Path) -> None:
    path = tmp_path / "sub.pem"
    path.write_bytes(of(("Sub", [], 2)))
    lists = RevocationLists([str(path)])
    assert await revoked(lists) == [[]]
    path.write_bytes(of(("Sub", [77], 1)))
    assert await revoked(lists) == [[77]]


async def test_an_older_list_takes_nothing_back(tmp_path: Path) -> None:
    path = tmp_path / "sub.pem"
    path.write_bytes(of(("Sub", [77], 1)))
    lists = RevocationLists([str(path)])
    assert await revoked(lists) == [[77]]
    path.write_bytes(of(("Sub", [], 2), ("Other", [], 9)))
    assert await revoked(lists) == [[77], []]
    # Of two in one file the newer counts, whichever comes first.
    path.write_bytes(of(("Sub", [77, 78], 0), ("Sub", [], 2)))
    assert await revoked(lists) == [[77, 78]]


async def test_a_list_is_kept_for_a_quarter_of_an_hour(tmp_path: Path) -> None:
    async with serving(whole(DER)) as source:
        lists = RevocationLists([source.url])
        await asyncio.gather(*(count(lists) for _ in range(20)))
        assert source.asked == 1
        await count(lists, NOW + KEPT - timedelta(seconds=1))
        assert source.asked == 1
        await count(lists, NOW + KEPT)
        assert source.asked == 2


async def test_a_list_that_ends_is_asked_for_at_once() -> None:
    ends = NOW + timedelta(minutes=2)
    async with serving(whole(of(("Sub", [], 1), until=ends))) as source:
        lists = RevocationLists([source.url])
        assert await lists.are_whole(NOW)
        # There is no newer one yet: it is asked for in turns, and not by everybody.
        assert not await lists.are_whole(ends)
        assert not await lists.are_whole(ends + TRIED_AGAIN / 2)
        assert source.asked == 2
        source.answer = whole(of(("Sub", [77], 0)))
        assert await lists.are_whole(ends + TRIED_AGAIN)
        assert await revoked(lists, ends + TRIED_AGAIN) == [[77]]


async def test_the_last_list_is_kept_where_no_other_can_be_had() -> None:
    async with serving(whole(DER)) as source:
        lists = RevocationLists([source.url])
        assert await count(lists) == 1
        source.answer = whole(b"", "503 Service Unavailable")
        later = NOW + KEPT
        assert [await count(lists, later) for _ in range(3)] == [1, 1, 1]
        # Not asked again by each who waits, but soon.
        assert source.asked == 2
        await count(lists, later + TRIED_AGAIN)
        assert source.asked == 3


@pytest.mark.parametrize(
    "answer",
    [
        whole(b"", "404 Not Found"),
        whole(DER, "302 Found", "Location: /other.crl\r\n"),
        whole(b"<html>it works</html>"),
        whole(DER[:-1]),
        whole(ROOT.pem),
    ],
    ids=["none", "elsewhere", "a page", "cut off", "a certificate"],
)
async def test_what_is_no_list_is_none(answer: Answer) -> None:
    async with serving(answer) as source:
        assert await count(RevocationLists([source.url])) == 0
        assert source.asked == 1


@pytest.mark.parametrize("answer", [silence, drop_by_drop])
async def test_an_address_that_is_slow_keeps_nobody_waiting(answer: Answer) -> None:
    async with serving(answer) as source:
        lists = RevocationLists([source.url], timeout=0.3)
        async with asyncio.timeout(2):
            assert await asyncio.gather(*(count(lists) for _ in range(10))) == [0] * 10
        assert source.asked == 1


async def test_nobody_there_is_no_list(tmp_path: Path) -> None:
    sources = ["http://127.0.0.1:1/root.crl", "http://[", str(tmp_path / "missing"), str(tmp_path)]

    assert await count(RevocationLists(sources)) == 0


async def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "large"
    with path.open("wb") as file:
        file.truncate(LARGEST + 1)

    assert await count(RevocationLists([str(path)])) == 0


async def test_of_an_answer_without_end_no_more_is_read_than_a_list_may_have() -> None:
    sent = 0

    async def without_end(writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            writer.write(b"0" * 1024 * 1024)
            await writer.drain()
            sent += 1024 * 1024

    async with serving(without_end) as source:
        assert await count(RevocationLists([source.url])) == 0

    # What stands in the buffers between is not read.
    assert sent + 1024 * 1024 >= LARGEST and sent < LARGEST + 16 * 1024 * 1024

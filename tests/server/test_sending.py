"""Sending: what becomes of messages when a gateway takes, refuses or hangs, and who sends what."""

import asyncio
import os
import signal
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from core.sealing import Vault
from core.settings import MailGateway, MailSecurity, Settings, SmsGateway
from models.audit import AuditEntry
from models.factor import Channel
from models.message import Message, MessageState
from models.notice import NoticeKind, ServiceNotice
from server.sending import CLAIM, OUTAGE, TOGETHER, WAITS, Sending, deliverers_of
from tests.factories import NOW
from tests.gateways import MailServer, SmsServer, Taken, mail_server, sms_server
from tests.live import ROOT, free_port
from tests.server.outboxes import EMAIL, PHONE, Clock, put, sending_sms, vault_at

SENDER = "Кабинет медработника"
QUEUED, SENT, FAILED = MessageState.QUEUED, MessageState.SENT, MessageState.FAILED


@pytest.fixture
def vault(database: str, tmp_path: Path) -> Vault:
    return vault_at(tmp_path)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def answering(server: SmsServer, *statuses: int) -> None:
    """The gateway answers these in turn, the last one ever after."""
    left = list(statuses)

    async def answer(_taken: Taken) -> int:
        return left.pop(0) if len(left) > 1 else left[0]

    server.answer = answer


async def test_what_is_due_is_sent_once(vault: Vault, clock: Clock) -> None:
    message = await put(vault)
    await put(vault, now=NOW + timedelta(seconds=1))
    async with sms_server() as server, sending_sms(vault, server.address, clock) as sending:
        first = await sending.send_due()
        again = await sending.send_due()

    assert (first, again) == (Counter({SENT: 1}), Counter())
    (taken,) = server.taken
    assert taken.content == {
        "id": str(message.id),
        "to": PHONE,
        "text": f"{SENDER}. Ваш код: 123456",
    }
    await message.refresh_from_db()
    assert (message.state, message.attempts, message.sent_at) == (SENT, 1, NOW)


async def test_mail_and_sms_go_their_own_ways(vault: Vault, clock: Clock) -> None:
    await put(vault, Channel.EMAIL, body="письмо")
    await put(vault, Channel.SMS, body="сообщение")
    async with mail_server() as mail, sms_server() as sms:
        settings = Settings(
            database_url="",
            home=Path(),
            mail=plain_mail(mail),
            sms=SmsGateway(sms.address),
        )
        sending = Sending(vault, deliverers_of(settings), clock=clock)
        assert await sending.send_due() == Counter({SENT: 2})
        await sending.close()

    assert [taken.content["text"] for taken in sms.taken] == [f"{SENDER}. сообщение"]
    assert [(one["To"], one.get_content().strip()) for one in mail.taken] == [(EMAIL, "письмо")]


def plain_mail(server: MailServer) -> MailGateway:
    return MailGateway(
        "127.0.0.1", "cabinet@hospital.example", server.port, security=MailSecurity.NONE
    )


async def test_a_withheld_message_is_never_sent(vault: Vault, clock: Clock) -> None:
    message = await put(vault, deliver=False)
    async with sms_server() as server, sending_sms(vault, server.address, clock) as sending:
        assert await sending.send_due() == Counter()

    await message.refresh_from_db()
    assert (server.taken, message.state) == ([], MessageState.WITHHELD)


async def test_the_next_try_waits_longer_each_time_and_the_last_is_the_end(
    vault: Vault, clock: Clock
) -> None:
    message = await put(vault)
    waited = []
    async with sms_server() as server, sending_sms(vault, server.address, clock) as sending:
        answering(server, 429)
        for _ in WAITS:
            assert await sending.send_due() == Counter({QUEUED: 1})
            await message.refresh_from_db()
            waited.append(message.next_at - clock.now)
            clock.now = message.next_at - timedelta(seconds=1)
            assert await sending.send_due() == Counter()
            clock.go_on(seconds=1)
        last = await sending.send_due()

    await message.refresh_from_db()
    assert waited == list(WAITS)
    assert last == Counter({FAILED: 1})
    assert (message.state, message.attempts, message.error) == (FAILED, len(WAITS) + 1, "HTTP 429")
    assert set(server.ids) == {str(message.id)}


async def test_a_gateway_that_is_away_for_a_weekend_loses_nothing(
    vault: Vault, clock: Clock
) -> None:
    messages = [await put(vault), await put(vault)]
    async with sms_server() as server, sending_sms(vault, server.address, clock) as sending:
        answering(server, 503)
        for _ in range(63):
            await sending.send_due()
            clock.go_on(hours=1)
        answering(server, 202)
        server.taken.clear()
        clock.go_on(hours=2)
        assert await sending.send_due() == Counter({SENT: 2})

    assert {taken.content["id"] for taken in server.taken} == {str(one.id) for one in messages}


async def test_a_code_is_given_up_when_it_is_over(vault: Vault, clock: Clock) -> None:
    ends = NOW + timedelta(minutes=10)
    late, failing, unending = [
        await put(vault, now=NOW + timedelta(minutes=minutes), expires_at=expires_at)
        for minutes, expires_at in ((0, NOW), (0, ends), (0, None))
    ]
    async with sms_server() as server, sending_sms(vault, server.address, clock) as sending:
        answering(server, 429)
        while clock.now < ends:
            await sending.send_due()
            clock.go_on(seconds=10)

    for message in (late, failing, unending):
        await message.refresh_from_db()
    assert (late.state, late.attempts, late.error) == (FAILED, 0, "it has expired")
    # The fourth try would be half an hour after the third.
    assert (failing.state, failing.attempts, failing.error) == (FAILED, 4, "HTTP 429")
    assert (unending.state, unending.attempts) == (QUEUED, 4)


async def test_what_is_refused_for_good_is_given_up_at_once(vault: Vault, clock: Clock) -> None:
    message = await put(vault)
    async with sms_server() as server, sending_sms(vault, server.address, clock) as sending:
        answering(server, 422)
        assert await sending.send_due() == Counter({FAILED: 1})

    await message.refresh_from_db()
    assert (message.state, message.error) == (FAILED, "HTTP 422")


async def test_a_gateway_that_hangs_is_not_waited_for(vault: Vault, clock: Clock) -> None:
    message = await put(vault)

    async def hang(_taken: Taken) -> int:
        await asyncio.sleep(30)
        return 200

    async with (
        sms_server() as server,
        sending_sms(vault, server.address, clock, seconds=0.2) as sending,
    ):
        server.answer = hang
        assert await sending.send_due() == Counter({QUEUED: 1})

    await message.refresh_from_db()
    assert (message.state, message.error) == (QUEUED, "it took too long")


async def test_a_message_that_cannot_be_opened_stops_no_other(vault: Vault, clock: Clock) -> None:
    broken = await put(vault)
    await Message.filter(id=broken.id).update(body_sealed="not sealed")
    whole = await put(vault)
    async with sms_server() as server, sending_sms(vault, server.address, clock) as sending:
        assert await sending.send_due() == Counter({SENT: 1, QUEUED: 1})

    await broken.refresh_from_db()
    assert (server.ids, broken.error) == ([str(whole.id)], "SealBroken")


async def test_without_a_gateway_messages_are_shown_in_development_only(
    vault: Vault, clock: Clock
) -> None:
    for production, became in ((False, SENT), (True, QUEUED)):
        await put(vault)
        settings = Settings(database_url="", home=Path(), production=production)
        sending = Sending(vault, deliverers_of(settings), clock=clock)
        assert await sending.send_due() == Counter({became: 1})
    assert (await Message.get(state=QUEUED)).error == "no gateway is configured"


@pytest.mark.parametrize("production", [True, False])
async def test_a_server_in_production_says_at_its_start_what_it_cannot_send(
    vault: Vault, clock: Clock, caplog: pytest.LogCaptureFixture, production: bool
) -> None:
    settings = Settings(
        database_url="", home=Path(), sms=SmsGateway("https://sms.example"), production=production
    )
    sending = Sending(vault, deliverers_of(settings), clock=clock)
    sending.stop()
    await sending.run()
    said = ["EMAIL is sent by nothing: no gateway is configured"] if production else []
    assert caplog.messages == said
    await sending.close()


async def outages() -> list[tuple[str, str, bool]]:
    """The notices: part, who wrote it, and whether it is over."""
    rows = await ServiceNotice.filter(kind=NoticeKind.OUTAGE).order_by("created_at", "id")
    return [(row.part, row.source, row.ended_at is not None) for row in rows]


async def test_an_outage_is_told_once_and_ends_by_itself(vault: Vault, clock: Clock) -> None:
    for _ in range(OUTAGE + 4):
        await put(vault)
    async with sms_server() as server, sending_sms(vault, server.address, clock) as sending:
        answering(server, *[503] * (TOGETHER + 1), 202)
        await sending.send_due()
        begun = await outages()
        asked = len(server.taken)
        await sending.send_due()
        # A gateway that is down is asked by one message at a time.
        probed = len(server.taken) - asked
        clock.go_on(minutes=2)
        await sending.send_due()

    assert (begun, probed) == ([("SMS", "SMS", False)], 1)
    assert await outages() == [("SMS", "SMS", True)]
    notice = await ServiceNotice.get()
    assert notice.title_ru and notice.title_en and notice.text_ru and notice.text_en
    assert notice.title_ru != notice.title_en
    assert (notice.starts_at, notice.ended_at) == (NOW, NOW + timedelta(minutes=2))
    actions = [entry.action for entry in await AuditEntry.all().order_by("position")]
    assert actions == ["OUTAGE_BEGAN", "OUTAGE_ENDED"]


async def test_only_what_asked_the_gateway_tells_of_it(vault: Vault, clock: Clock) -> None:
    for _ in range(OUTAGE):
        await put(vault)
    async with sms_server() as server, sending_sms(vault, server.address, clock) as sending:
        answering(server, 503)
        await sending.send_due()
        broken = await put(vault)
        await Message.filter(id=broken.id).update(body_sealed="not sealed")
        await sending.send_due()

    await broken.refresh_from_db()
    assert broken.attempts == 1
    assert await outages() == [("SMS", "SMS", False)]


async def test_what_is_refused_for_itself_is_no_outage(vault: Vault, clock: Clock) -> None:
    for _ in range(OUTAGE + 1):
        await put(vault)
    async with sms_server() as server, sending_sms(vault, server.address, clock) as sending:
        answering(server, 422)
        await sending.send_due()
    assert await outages() == []


async def test_two_that_find_an_outage_tell_it_once(vault: Vault, clock: Clock) -> None:
    for _ in range(2 * TOGETHER):
        await put(vault)
    address = f"http://127.0.0.1:{free_port()}/"
    async with (
        sending_sms(vault, address, clock) as one,
        sending_sms(vault, address, clock) as other,
    ):
        await asyncio.gather(one.send_due(), other.send_due())
    assert await outages() == [("SMS", "SMS", False)]


async def test_run_sends_what_comes_until_it_is_stopped(vault: Vault, clock: Clock) -> None:
    async with sms_server() as server, sending_sms(vault, server.address, clock) as sending:
        taken = asyncio.Event()

        async def answer(_taken: Taken) -> int:
            taken.set()
            return 202

        server.answer = answer
        running = asyncio.create_task(sending.run())
        await put(vault)
        async with asyncio.timeout(5):
            await taken.wait()
            sending.stop()
            await running
    assert (await Message.get()).state is SENT


async def test_a_claim_keeps_others_away_and_runs_out(vault: Vault, clock: Clock) -> None:
    """What was claimed by a process that is gone is sent by another, when the claim is over."""
    message = await put(vault)
    reached = asyncio.Event()

    async def keep(_taken: Taken) -> int:
        reached.set()
        await asyncio.sleep(30)
        return 200

    async with (
        sms_server() as server,
        sending_sms(vault, server.address, clock) as gone,
        sending_sms(vault, server.address, clock) as other,
    ):
        server.answer = keep
        killed = asyncio.create_task(gone.send_due())
        await reached.wait()
        killed.cancel()
        server.answer = None
        clock.now = NOW + CLAIM - timedelta(seconds=1)
        early = await other.send_due()
        clock.go_on(seconds=1)
        late = await other.send_due()

    assert (early, late) == (Counter(), Counter({SENT: 1}))
    await message.refresh_from_db()
    assert (server.ids, message.attempts) == ([str(message.id)] * 2, 2)


async def test_a_failure_told_late_takes_nothing_back(vault: Vault, clock: Clock) -> None:
    """Somebody whose claim ran out learns of a failure after another has sent the message."""
    message = await put(vault)
    reached, go_on = asyncio.Event(), asyncio.Event()

    async def late(_taken: Taken) -> int:
        reached.set()
        await go_on.wait()
        return 503

    async with (
        sms_server() as server,
        sending_sms(vault, server.address, clock) as slow,
        sending_sms(vault, server.address, clock) as other,
    ):
        server.answer = late
        waiting = asyncio.create_task(slow.send_due())
        await reached.wait()
        server.answer = None
        clock.go_on(minutes=2)
        await other.send_due()
        go_on.set()
        await waiting

    await message.refresh_from_db()
    assert (message.state, message.error) == (SENT, "")


async def test_a_failure_told_late_ends_no_claim_of_another(vault: Vault, clock: Clock) -> None:
    """While another tries, the message is that other's: nobody third may send it as well."""
    await put(vault)
    under_way: list[asyncio.Event] = []
    arrived = asyncio.Semaphore(0)

    async def held(_taken: Taken) -> int:
        under_way.append(go_on := asyncio.Event())
        arrived.release()
        await go_on.wait()
        return 503

    async with (
        sms_server() as server,
        sending_sms(vault, server.address, clock) as slow,
        sending_sms(vault, server.address, clock) as other,
        sending_sms(vault, server.address, clock) as third,
    ):
        server.answer = held
        first = asyncio.create_task(slow.send_due())
        await arrived.acquire()
        clock.go_on(minutes=2)
        second = asyncio.create_task(other.send_due())
        await arrived.acquire()
        under_way[0].set()
        await first
        clock.go_on(seconds=30)
        assert await third.send_due() == Counter()
        under_way[1].set()
        await second


# A process that sends, as `cabinet send` does, with a clock that is ahead by so many seconds.
_PROCESS = """
import asyncio, sys
from datetime import timedelta
from core.clock import utc_now
from models.database import opened
from server.environment import settings
from server.sending import Sending, deliverers_of
from tests.server.outboxes import vault_at

async def main(ahead):
    found = settings()
    async with opened(found.database_url):
        clock = lambda: utc_now() + timedelta(seconds=ahead)
        await Sending(vault_at(found.home), deliverers_of(found), clock=clock).send_due()

asyncio.run(main(float(sys.argv[1])))
"""


async def process(database: str, home: Path, address: str, *, ahead: float = 0) -> Any:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        _PROCESS,
        str(ahead),
        cwd=ROOT,
        env={
            **os.environ,
            "CABINET_HOME": str(home),
            "CABINET_DATABASE_URL": database,
            "CABINET_SMS_URL": address,
            "PYTHONPATH": str(ROOT),
        },
    )


MANY = 200


async def test_killed_between_sending_and_marking_each_is_sent_at_least_once(
    vault: Vault, database: str, tmp_path: Path
) -> None:
    for number in range(MANY):
        await put(vault, body=str(number))
    kills = 4
    async with sms_server() as server:
        for round_ in range(kills + 1):
            sends = await process(database, tmp_path, server.address, ahead=120 * round_)
            kill_at = len(server.taken) + MANY // (kills + 1)

            async def killing(_taken: Taken, sends: Any = sends, at: int = kill_at) -> int:
                # Taken, and the sender will never know.
                if len(server.taken) >= at and sends.returncode is None:
                    os.kill(sends.pid, signal.SIGKILL)
                return 202

            server.answer = killing if round_ < kills else None
            code = await sends.wait()
            assert code == (-signal.SIGKILL if round_ < kills else 0)

    sent = Counter(server.ids)
    assert set(sent) == {str(row.id) for row in await Message.all()}
    assert await Message.filter(state=SENT).count() == MANY
    # No more twice than were under way when somebody was killed, each by its own id.
    assert 0 < sum(sent.values()) - MANY <= kills * TOGETHER
    assert all(taken.key == taken.content["id"] for taken in server.taken)


async def test_two_processes_never_send_the_same(
    vault: Vault, database: str, tmp_path: Path
) -> None:
    for number in range(60):
        await put(vault, body=str(number))
    async with sms_server() as server:

        async def slowly(_taken: Taken) -> int:
            await asyncio.sleep(0.05)
            return 202

        server.answer = slowly
        both = [await process(database, tmp_path, server.address) for _ in range(2)]
        assert [await sends.wait() for sends in both] == [0, 0]

    assert Counter(server.ids) == Counter(str(row.id) for row in await Message.all())
    assert set(server.at_once.values()) == {1}

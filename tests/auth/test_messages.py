"""The outbox: a message is there when what it tells of is, and nobody reads it in the rows."""

from pathlib import Path

import pytest

from auth.messages import put_message
from core.sealing import Vault, open_vault
from models.database import unit_of_work
from models.factor import Channel
from models.message import Message, MessageState
from tests.auth import entrance
from tests.factories import NOW

TO, SUBJECT, BODY = "anna@example.org", "Код для кабинета", "Ваш код: 123456"


@pytest.fixture
def vault(database: str, tmp_path: Path) -> Vault:
    return open_vault(tmp_path / "vault.keys")


async def put(vault: Vault) -> None:
    await put_message(
        entrance.visitor(), vault, Channel.EMAIL, TO, subject=SUBJECT, body=BODY, language="ru"
    )


async def test_a_message_waits_sealed(vault: Vault) -> None:
    await unit_of_work(put)(vault)

    row = await Message.get()
    opened = [vault.open(text) for text in (row.to_sealed, row.subject_sealed, row.body_sealed)]
    assert opened == [TO, SUBJECT, BODY]
    assert (row.state, row.attempts, row.next_at) == (MessageState.QUEUED, 0, NOW)
    assert not any(text in str(vars(row)) for text in opened)


@pytest.mark.parametrize(
    ("language", "sender"), [("ru", "Кабинет медработника"), ("en", "Medical worker's cabinet")]
)
async def test_an_sms_says_who_sends_it(vault: Vault, language: str, sender: str) -> None:
    @unit_of_work
    async def put_sms() -> Message:
        return await put_message(
            entrance.visitor(), vault, Channel.SMS, "+79001234567", body=BODY, language=language
        )

    assert vault.open((await put_sms()).body_sealed) == f"{sender}. {BODY}"


async def test_a_message_goes_with_the_work_that_failed(vault: Vault) -> None:
    @unit_of_work
    async def failing() -> None:
        await put(vault)
        raise LookupError

    with pytest.raises(LookupError):
        await failing()
    assert await Message.all().count() == 0


async def test_a_message_is_of_some_work(vault: Vault) -> None:
    with pytest.raises(RuntimeError):
        await put(vault)
    assert await Message.all().count() == 0

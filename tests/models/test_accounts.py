"""The rows of an account's life: kept as they were put in, and of one account where they must."""

from datetime import timedelta
from typing import Any

import pytest
from tortoise.exceptions import IntegrityError

from models.account import Account
from models.factor import Passkey, RecoveryCode
from models.identity import ExternalIdentity, Provider
from models.notice import NoticeKind, ServiceNotice
from models.ticket import Ticket, TicketDocument, TicketReason, TicketState
from tests import factories as make
from tests.factories import NOW

HOUR = timedelta(hours=1)


async def external(account: Account, subject: str) -> ExternalIdentity:
    return await ExternalIdentity.create(
        account=account, provider=Provider.ESIA, subject=subject, linked_at=NOW
    )


async def passkey(account: Account, **values: Any) -> Passkey:
    values = {"credential_id": "QUJD", "public_key": b"\x00\xff\x01", "name": "Ключ", **values}
    return await Passkey.create(account=account, created_at=NOW, **values)


async def test_an_identity_elsewhere_is_of_one_account_and_an_account_has_one(
    database: str,
) -> None:
    first, second = await make.account(), await make.account()
    await external(first, "1000")

    with pytest.raises(IntegrityError):
        await external(second, "1000")
    with pytest.raises(IntegrityError):
        await external(first, "1001")
    assert await external(second, "1001")


async def test_a_passkey_keeps_its_bytes_and_belongs_to_one_account(database: str) -> None:
    first, second = await make.account(), await make.account()
    await passkey(first)

    with pytest.raises(IntegrityError):
        await passkey(second)
    row = await Passkey.get()
    assert row.public_key == b"\x00\xff\x01"
    assert await passkey(second, credential_id="QUJE")


async def test_a_recovery_code_is_of_one_account(database: str) -> None:
    first, second = await make.account(), await make.account()
    await RecoveryCode.create(account=first, code_hash="0" * 64, created_at=NOW)

    with pytest.raises(IntegrityError):
        await RecoveryCode.create(account=second, code_hash="0" * 64, created_at=NOW)


async def test_a_ticket_of_nobody_s_keeps_its_documents(database: str) -> None:
    ticket = await Ticket.create(
        contact_sealed="sealed",
        contact_hash="1" * 64,
        reason=TicketReason.ACCOUNT_LOCKED,
        text="Не могу войти",
        error_text="ACCOUNT_LOCKED",
        created_at=NOW,
    )
    await TicketDocument.create(
        ticket=ticket,
        file_name="паспорт.pdf",
        size=12,
        media_type="application/pdf",
        storage_name="a1",
        sha256="2" * 64,
        created_at=NOW,
    )

    found, document = await Ticket.get(), await TicketDocument.get()
    assert (found.state, found.account_id, found.version) == (TicketState.NEW, None, 1)
    assert found.number.startswith("TK-")
    assert (document.ticket_id, document.file_name) == (found.id, "паспорт.pdf")


@pytest.mark.parametrize(
    ("values", "holds"),
    [
        ({}, True),
        ({"starts_at": NOW + HOUR}, False),
        ({"ends_at": NOW + HOUR}, True),
        ({"ends_at": NOW}, False),
        ({"ended_at": NOW}, False),
    ],
)
async def test_a_notice_holds_until_it_is_over(
    database: str, values: dict[str, Any], holds: bool
) -> None:
    values = {"starts_at": NOW, **values}
    await ServiceNotice.create(
        kind=NoticeKind.OUTAGE,
        part="ESIA",
        title_ru="Госуслуги не отвечают",
        title_en="Gosuslugi does not answer",
        source="ESIA",
        created_at=NOW,
        **values,
    )

    assert (await ServiceNotice.get()).holds_at(NOW) is holds

"""Pruning: what is over goes, in batches, and what still counts stays."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from adapters.storage import DirectoryStorage
from core.ids import uuid7
from core.sealing import Vault
from core.settings import SessionTimes, SignInLimits
from models.account import RefreshToken, Session, SignInFailure, SignInMethod
from models.factor import Challenge, ChallengePurpose, Channel, CodePurpose, SentCode
from models.hit import Hit
from models.message import Message, MessageState
from models.role import Role
from models.upload import Upload, UploadPurpose
from server import pruning
from server.pruning import Pruning
from tests import factories as make
from tests.factories import NOW
from tests.server.outboxes import put, vault_at

TIMES, LIMITS = SessionTimes(), SignInLimits()
Prune = Callable[[], Awaitable[dict[str, int]]]


@pytest.fixture
def vault(database: str, tmp_path: Path) -> Vault:
    return vault_at(tmp_path)


@pytest.fixture
def prune(tmp_path: Path) -> Prune:
    return Pruning(TIMES, LIMITS, DirectoryStorage(tmp_path / "files"), clock=lambda: NOW).prune


async def session(account_id: UUID, **ago: timedelta) -> Session:
    """A session of an account, begun a year ago; ``ago`` moves its times."""
    back = {"started_at": timedelta(days=365), "seen_at": timedelta(), "expires_at": timedelta()}
    times: dict[str, Any] = {name: NOW - time for name, time in {**back, **ago}.items()}
    found = await Session.create(account_id=account_id, active_role=Role.CITIZEN, **times)
    await RefreshToken.create(session=found, token_hash=uuid7().hex, issued_at=NOW)
    return found


async def test_sessions_go_a_month_after_their_end_with_their_tokens(
    database: str, prune: Prune
) -> None:
    account = await make.account()
    month, less = timedelta(days=30, seconds=1), timedelta(days=29)
    for over in ("ended_at", "expires_at"):
        await session(account.id, **{over: month})
    await session(account.id, seen_at=month + TIMES.idle, expires_at=-timedelta(hours=1))
    kept = [
        await session(account.id, ended_at=less),
        await session(account.id, expires_at=less, seen_at=less),
        await session(account.id, expires_at=-timedelta(hours=1)),
    ]

    assert (await prune())["session"] == 3

    assert {row.id for row in await Session.all()} == {row.id for row in kept}
    assert {row.session_id for row in await RefreshToken.all()} == {row.id for row in kept}


async def test_the_last_session_of_an_account_stays(database: str, prune: Prune) -> None:
    account, other = await make.account(), await make.account()
    long_ago = {"ended_at": timedelta(days=200)}
    await session(account.id, **long_ago)
    kept = [await session(account.id, **long_ago), await session(other.id, **long_ago)]
    # Nobody signed in for a script's.
    script = await session(account.id, **long_ago)
    await Session.filter(id=script.id).update(method=SignInMethod.SCRIPT)

    assert (await prune())["session"] == 2

    assert {row.id for row in await Session.all()} == {row.id for row in kept}


async def test_messages_go_a_week_after_unless_they_wait(vault: Vault, prune: Prune) -> None:
    old, new = NOW - timedelta(days=7, seconds=1), NOW - timedelta(days=6)
    for state in MessageState:
        for moment in (old, new):
            message = await put(vault, now=moment)
            await Message.filter(id=message.id).update(state=state)

    assert (await prune())["message"] == 3

    left = {(row.state, row.created_at) for row in await Message.all()}
    assert left == {(state, new) for state in MessageState} | {(MessageState.QUEUED, old)}


async def test_codes_challenges_hits_and_failures_go_when_they_count_no_more(
    database: str, prune: Prune
) -> None:
    day, hour, second = timedelta(days=1), timedelta(hours=1), timedelta(seconds=1)
    for age in (day + second, day - second):
        await SentCode.create(
            handle_hash=uuid7().hex,
            key_hash="k",
            purpose=CodePurpose.SIGN_IN,
            channel=Channel.SMS,
            contact_hash="c",
            contact_sealed="s",
            code_hash="h",
            sent_at=NOW - age,
            expires_at=NOW - age,
            resend_at=NOW - age,
        )
    for age in (hour + second, hour - second):
        await Challenge.create(
            purpose=ChallengePurpose.PASSKEY,
            value_hash=uuid7().hex,
            payload_sealed="s",
            expires_at=NOW - age,
        )
    for age in (timedelta(), -second):
        await Hit.create(key_hash="k", at=NOW - day, ends_at=NOW - age)
    for age in (LIMITS.window, LIMITS.window - second):
        await SignInFailure.create(login_hash="l", address="a", at=NOW - age)
    for age in (day, day - second):
        await Upload.create(
            purpose=UploadPurpose.TICKET,
            file_name="скан.pdf",
            media_type="application/pdf",
            size=1,
            created_at=NOW - age,
        )

    assert await prune() == {
        "upload": 1,
        "sent_code": 1,
        "challenge": 1,
        "hit": 1,
        "message": 0,
        "sign_in_failure": 1,
        "session": 0,
    }
    assert await SentCode.all().count() == 1
    assert await Challenge.all().count() == 1
    assert await Hit.all().count() == 1
    assert await SignInFailure.all().count() == 1
    assert await Upload.all().count() == 1


async def test_much_goes_in_small_batches(
    vault: Vault, prune: Prune, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pruning, "_BATCH", 2)
    for _ in range(5):
        message = await put(vault, now=NOW - timedelta(days=8))
        await Message.filter(id=message.id).update(state=MessageState.SENT)

    assert (await prune())["message"] == 5
    assert await Message.all().count() == 0

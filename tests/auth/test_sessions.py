"""From a token to a viewer: what is held now, by one look-up where it can be."""

import asyncio
import logging
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from auth.gate import Gate
from auth.recognition import RoleNotHeld
from auth.sessions import SessionExpired, Sessions
from auth.tokens import TokenExpired, TokenInvalid
from auth.viewer import Place, Viewer, Visit
from core.settings import SessionTimes
from models.account import Account, AccountState, Session
from models.change import ChangeKind
from models.database import settle, unit_of_work
from models.feed import Feed, announce
from models.grant import RoleGrant
from models.organisation import Organisation
from models.practitioner import Position, Profession
from models.role import Role
from resolvers.grants import revoke_role
from resolvers.sessions import (
    SignedIn,
    access_token,
    end_session,
    open_session,
    sign_out,
    switch_role,
)
from tests import factories as make
from tests.auth import entrance
from tests.auth.entrance import RIGHTS
from tests.factories import NOW
from tests.models.test_feed import until_fresh

MINUTE = timedelta(minutes=1)
ROOT = Path(__file__).parents[2]

_OTHER_PROCESS = """
import asyncio, sys
from datetime import UTC, datetime
from uuid import UUID
from models.account import Session
from models.change import ChangeKind
from models.database import opened, unit_of_work
from models.feed import announce

@unit_of_work
async def end(account, session):
    await Session.filter(id=session).update(ended_at=datetime.now(UTC))
    announce(ChangeKind.SESSION, account_id=UUID(account))

async def main():
    async with opened(sys.argv[1]):
        await end(*sys.argv[2:])

asyncio.run(main())
"""


@dataclass
class House:
    """A hospital with one doctor who is an administrator too, and their open session."""

    gate: Gate
    sessions: Sessions
    feed: Feed
    organisation: Organisation
    account: Account
    signed_in: SignedIn

    @property
    def token(self) -> str:
        return self.signed_in.access_token

    async def viewer(self, **values: Any) -> Viewer:
        return await self.sessions.viewer(
            values.pop("token", self.token),
            in_use=values.pop("in_use", True),
            visit=Visit(**{"now": NOW, **values}),
        )


@asynccontextmanager
async def house(url: str, home: Path, *roles: Role, hears: bool = True) -> AsyncIterator[House]:
    gate = entrance.gate(home)
    organisation = await make.organisation(zone="Asia/Vladivostok")
    person = await entrance.person(gate, organisation, *(roles or (Role.DOCTOR, Role.ADMIN)))
    signed_in = await open_session(entrance.visitor(), gate=gate, account=person.account)
    feed = Feed(url)
    sessions = Sessions(gate.signer, entrance.settings(home), RIGHTS, feed)
    task = asyncio.create_task(feed.run())
    if hears:
        await until_fresh(feed)
    else:
        task.cancel()
    try:
        yield House(gate, sessions, feed, organisation, person.account, signed_in)
    finally:
        await settle()
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        gate.passwords.close()


class Statements(logging.Handler):
    """Counts what is sent to the database."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.sent: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.sent.append(record.getMessage())

    def __enter__(self) -> "Statements":
        self._log = logging.getLogger("tortoise.db_client")
        self._level = self._log.level
        self._log.setLevel(logging.DEBUG)
        self._log.addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._log.setLevel(self._level)
        self._log.removeHandler(self)


async def test_nobody_is_a_visitor(database: str, tmp_path: Path) -> None:
    async with house(database, tmp_path) as home:
        viewer = await home.sessions.viewer(
            None, Visit(NOW, address="192.0.2.7", device="Firefox", language="en")
        )

        assert viewer == Viewer(
            rights=RIGHTS[Role.VISITOR],
            now=NOW,
            held=(Role.VISITOR,),
            language="en",
            address="192.0.2.7",
            device="Firefox",
        )
        with pytest.raises(RoleNotHeld):
            await home.sessions.viewer(None, Visit(NOW, role="ADMIN"))


async def test_what_is_proved_acts_at_once(database: str, tmp_path: Path) -> None:
    async with house(database, tmp_path) as home:
        await Account.filter(id=home.account.id).update(confirmed_at=None)
        await Session.filter(id=home.signed_in.session.id).update(factor_at=None)
        session = await Session.get(id=home.signed_in.session.id)
        before = await home.viewer(token=access_token(home.gate, session, NOW))

        @unit_of_work
        async def prove() -> None:
            await Account.filter(id=home.account.id).update(confirmed_at=NOW)
            await Session.filter(id=home.signed_in.session.id).update(factor_at=NOW + MINUTE)
            announce(ChangeKind.SESSION, account_id=home.account.id)

        await prove()
        session = await Session.get(id=home.signed_in.session.id)
        after = await home.viewer(token=access_token(home.gate, session, NOW))

    proved = [(one.is_confirmed, one.factor_at, one.is_shown_again) for one in (before, after)]
    assert proved == [(False, None, False), (True, NOW + MINUTE, True)]


async def test_a_token_gives_the_whole_viewer(database: str, tmp_path: Path) -> None:
    async with house(database, tmp_path) as home:
        ward, other, left = [await make.department(home.organisation) for _ in range(3)]
        person = await make.practitioner(ward, account=home.account, profession=Profession.DOCTOR)
        title = await make.specialty()
        for department, ends_on in ((other, None), (left, NOW.date() - timedelta(days=2))):
            await Position.create(
                organisation=home.organisation,
                practitioner=person,
                department=department,
                title=title,
                rate="0.50",
                starts_on=NOW.date() - timedelta(days=30),
                ends_on=ends_on,
            )

        viewer = await home.viewer(address="192.0.2.7", device="Firefox", language="en")

        assert viewer == Viewer(
            rights=RIGHTS[Role.DOCTOR],
            now=NOW,
            account_id=home.account.id,
            session_id=home.signed_in.session.id,
            practitioner_id=person.id,
            profession=Profession.DOCTOR,
            departments=(ward.id, other.id),
            places=(Place(home.organisation.id),),
            held=(Role.DOCTOR, Role.ADMIN),
            is_confirmed=True,
            factor_at=NOW,
            zone="Asia/Vladivostok",
            language="en",
            address="192.0.2.7",
            device="Firefox",
        )


async def test_without_grants_a_person_is_a_citizen(database: str, tmp_path: Path) -> None:
    async with house(database, tmp_path) as home:
        person = await entrance.person(home.gate)
        signed_in = await open_session(entrance.visitor(), gate=home.gate, account=person.account)

        viewer = await home.viewer(token=signed_in.access_token)

        assert (viewer.role, viewer.held, viewer.places) == (Role.CITIZEN, (Role.CITIZEN,), ())


async def test_another_role_for_one_request_has_its_own_places(
    database: str, tmp_path: Path
) -> None:
    async with house(database, tmp_path, Role.DOCTOR) as home:
        ward = await make.department(home.organisation)
        await make.grant(home.account, Role.ADMIN, home.organisation, department=ward)

        admin = await home.viewer(role="ADMIN")
        doctor = await home.viewer()

        assert (admin.role, admin.places) == (
            Role.ADMIN,
            (Place(home.organisation.id, ward.id),),
        )
        assert (doctor.role, doctor.places) == (Role.DOCTOR, (Place(home.organisation.id),))
        assert admin.held == doctor.held == (Role.DOCTOR, Role.ADMIN)


@pytest.mark.parametrize("role", ["NURSE", "VISITOR", "CITIZEN", "KING", "admin", "", "\ud800"])
async def test_a_role_not_held_and_an_unknown_one_answer_alike(
    database: str, tmp_path: Path, role: str
) -> None:
    async with house(database, tmp_path) as home:
        with pytest.raises(RoleNotHeld) as refused:
            await home.viewer(role=role)

        assert refused.value.field == "role"
        # Whatever was asked for, the roles to go on in are named.
        assert refused.value.values == {"held": (Role.DOCTOR, Role.ADMIN)}


ROLES_ASKED = (None, "ADMIN") * 10


async def test_a_hit_sends_nothing_to_the_database(database: str, tmp_path: Path) -> None:
    async with house(database, tmp_path) as home:
        first = await home.viewer()
        with Statements() as statements:
            second = await home.viewer(now=NOW + timedelta(seconds=30), language="en")
            other = await home.viewer(role="ADMIN")

    assert statements.sent == []
    assert (first.role, second.role, other.role) == (Role.DOCTOR, Role.DOCTOR, Role.ADMIN)
    assert (second.now, second.language) == (NOW + timedelta(seconds=30), "en")


async def test_who_comes_while_rows_are_read_waits_for_them(database: str, tmp_path: Path) -> None:
    async with house(database, tmp_path) as home:
        with Statements() as statements:
            viewers = await asyncio.gather(*(home.viewer(role=role) for role in ROLES_ASKED))

    assert sum('FROM "session"' in text for text in statements.sent) == 1
    assert [viewer.role for viewer in viewers] == [Role.DOCTOR, Role.ADMIN] * 10


async def test_who_leaves_ends_the_reading_for_nobody_else(database: str, tmp_path: Path) -> None:
    async with house(database, tmp_path) as home:
        leaving, staying = (asyncio.create_task(home.viewer()) for _ in range(2))
        await asyncio.sleep(0)
        leaving.cancel()

        assert (await staying).role is Role.DOCTOR
        assert home.sessions._readings == {}


async def test_who_comes_after_a_change_waits_for_nothing_older(
    database: str, tmp_path: Path
) -> None:
    async with house(database, tmp_path) as home:
        before = asyncio.create_task(home.viewer())
        await asyncio.sleep(0)
        home.sessions._hear(None)
        with Statements() as statements:
            await asyncio.gather(before, home.viewer())

    # Both read the session.
    assert sum('FROM "session"' in text for text in statements.sent) == 2


async def test_a_silent_feed_means_that_rows_are_read(database: str, tmp_path: Path) -> None:
    async with house(database, tmp_path, hears=False) as home:
        await home.viewer()
        await Session.filter(id=home.signed_in.session.id).update(ended_at=NOW)

        with pytest.raises(SessionExpired):
            await home.viewer()


async def test_what_was_read_while_the_feed_was_silent_is_not_kept(
    database: str, tmp_path: Path
) -> None:
    async with house(database, tmp_path, hears=False) as home:
        await home.viewer()

        assert home.sessions._entries == {}


async def test_signing_out_acts_at_once(database: str, tmp_path: Path) -> None:
    async with house(database, tmp_path) as home:
        viewer = await home.viewer()

        await sign_out(viewer)

        with pytest.raises(SessionExpired):
            await home.viewer()


async def test_ending_one_session_leaves_the_other(database: str, tmp_path: Path) -> None:
    async with house(database, tmp_path) as home:
        other = await open_session(entrance.visitor(), gate=home.gate, account=home.account)
        viewer = await home.viewer()
        await home.viewer(token=other.access_token)

        await end_session(viewer, id=other.session.id)

        assert (await home.viewer()).account_id == home.account.id
        with pytest.raises(SessionExpired):
            await home.viewer(token=other.access_token)


async def test_a_revoked_grant_acts_at_once(database: str, tmp_path: Path) -> None:
    async with house(database, tmp_path) as home:
        await home.viewer()
        chief = await entrance.admin_of(home.organisation)
        grant = await RoleGrant.get(account=home.account, role=Role.DOCTOR)

        await revoke_role(chief, id=grant.id)

        # Nothing changes silently: the active role is gone, and another must be asked for.
        with pytest.raises(RoleNotHeld):
            await home.viewer()
        assert (await home.viewer(role="ADMIN")).held == (Role.ADMIN,)


async def test_a_switched_role_acts_at_once_on_old_tokens_too(
    database: str, tmp_path: Path
) -> None:
    async with house(database, tmp_path) as home:
        viewer = await home.viewer()

        switched = await switch_role(viewer, gate=home.gate, role=Role.ADMIN)

        assert (await home.viewer()).role is Role.ADMIN
        assert (await home.viewer(token=switched.access_token)).role is Role.ADMIN
        assert (await home.viewer(role="DOCTOR")).role is Role.DOCTOR


async def test_another_process_ends_a_session_within_a_second(
    database: str, tmp_path: Path
) -> None:
    async with house(database, tmp_path) as home:
        await home.viewer()
        arguments = [database, str(home.account.id), str(home.signed_in.session.id)]
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", _OTHER_PROCESS, *arguments, cwd=ROOT
        )
        assert await asyncio.wait_for(process.wait(), 30) == 0
        committed_at = time.monotonic()

        with pytest.raises(SessionExpired):
            while time.monotonic() - committed_at < 1:
                await home.viewer()
                await asyncio.sleep(0.01)


async def test_a_change_without_an_account_empties_the_cache(database: str, tmp_path: Path) -> None:
    @unit_of_work
    async def announce_to_all() -> None:
        announce(ChangeKind.SESSION)

    async with house(database, tmp_path) as home:
        await home.viewer()
        await announce_to_all()

        assert (home.sessions._entries, home.sessions._of_account) == ({}, {})


@pytest.mark.parametrize("state", [AccountState.CLOSED, AccountState.LOCKED])
async def test_a_closed_or_locked_account_has_no_sessions(
    database: str, tmp_path: Path, state: AccountState
) -> None:
    @unit_of_work
    async def shut() -> None:
        await Account.filter(id=home.account.id).update(state=state)
        announce(ChangeKind.SESSION, account_id=home.account.id)

    async with house(database, tmp_path) as home:
        await home.viewer()
        await shut()

        with pytest.raises(SessionExpired):
            await home.viewer()


async def test_a_stranger_who_fails_to_sign_in_throws_nobody_out(
    database: str, tmp_path: Path
) -> None:
    async with house(database, tmp_path) as home:
        await Account.filter(id=home.account.id).update(
            state=AccountState.LOCKED, locked_until=NOW + 15 * MINUTE
        )

        assert (await home.viewer()).account_id == home.account.id


async def test_a_grant_ends_and_another_begins_on_time(database: str, tmp_path: Path) -> None:
    async with house(database, tmp_path, Role.ADMIN) as home:
        moment = NOW + timedelta(seconds=20)
        await RoleGrant.filter(account=home.account).update(ends_at=moment)
        await make.grant(home.account, Role.NURSE, home.organisation, starts_at=moment)

        assert (await home.viewer()).held == (Role.ADMIN,)
        assert (await home.viewer(now=moment - timedelta(seconds=1))).held == (Role.ADMIN,)
        with pytest.raises(RoleNotHeld):
            await home.viewer(now=moment)
        assert (await home.viewer(now=moment, role="NURSE")).held == (Role.NURSE,)


async def test_positions_begin_at_midnight_of_the_organisation(
    database: str, tmp_path: Path
) -> None:
    async with house(database, tmp_path) as home:
        ward, other = [await make.department(home.organisation) for _ in range(2)]
        person = await make.practitioner(ward, account=home.account)
        # Midnight in Vladivostok is 14:00 UTC.
        midnight = NOW.replace(hour=14)
        await Position.create(
            organisation=home.organisation,
            practitioner=person,
            department=other,
            title=await make.specialty(),
            rate="0.50",
            starts_on=NOW.date() + timedelta(days=1),
        )
        late = await open_session(
            entrance.visitor(midnight - timedelta(seconds=10)),
            gate=home.gate,
            account=home.account,
        )

        before = await home.viewer(token=late.access_token, now=midnight - timedelta(seconds=5))
        after = await home.viewer(token=late.access_token, now=midnight)

        assert (before.departments, after.departments) == ((ward.id,), (ward.id, other.id))


async def test_an_idle_session_expires_and_a_used_one_lives(database: str, tmp_path: Path) -> None:
    async with house(database, tmp_path) as home:
        session = home.signed_in.session

        def token_at(minutes: int) -> str:
            moment = NOW + minutes * MINUTE
            return access_token(home.gate, session, moment)

        for minutes in (14, 28):
            now = NOW + minutes * MINUTE
            await home.viewer(token=token_at(minutes), now=now)
            await settle()
        assert (await Session.get(id=session.id)).seen_at == NOW + 28 * MINUTE

        with pytest.raises(SessionExpired):
            # It may have been in use until just before the next use were noted.
            await home.viewer(token=token_at(44), now=NOW + 44 * MINUTE)


@pytest.mark.parametrize("step", [3, 20, 59])
async def test_a_session_in_use_does_not_end(database: str, tmp_path: Path, step: int) -> None:
    times = SessionTimes(idle=MINUTE)
    async with house(database, tmp_path) as home:
        settings = replace(entrance.settings(tmp_path), sessions=times)
        sessions = Sessions(home.gate.signer, settings, RIGHTS, home.feed)
        for seconds in range(0, 181, step):
            now = NOW + timedelta(seconds=seconds)
            assert (await sessions.viewer(home.token, Visit(now))).account_id == home.account.id
            await settle()

        with pytest.raises(SessionExpired):
            await sessions.viewer(home.token, Visit(now + times.unseen))


async def test_last_use_is_noted_once_a_minute(database: str, tmp_path: Path) -> None:
    async with house(database, tmp_path) as home:
        seen = []
        for seconds in (0, 30, 59, 60, 90, 119, 120):
            await home.viewer(now=NOW + timedelta(seconds=seconds))
            await settle()
            session = await Session.get(id=home.signed_in.session.id)
            seen.append(int((session.seen_at - NOW).total_seconds()))

    assert seen == [0, 0, 0, 60, 60, 60, 120]


async def test_looking_again_keeps_no_idle_session_alive(database: str, tmp_path: Path) -> None:
    async with house(database, tmp_path) as home:
        session = home.signed_in.session
        end = NOW + 16 * MINUTE

        async def look(seconds: int) -> Viewer:
            now = end - timedelta(seconds=seconds)
            token = access_token(home.gate, session, now)
            return await home.viewer(token=token, now=now, in_use=False)

        for seconds in (600, 300, 60, 1):
            assert (await look(seconds)).session_id == session.id
            await settle()

        assert (await Session.get(id=session.id)).seen_at == NOW
        with pytest.raises(SessionExpired):
            await look(0)


async def test_an_old_session_expires_however_busy(database: str, tmp_path: Path) -> None:
    async with house(database, tmp_path) as home:
        session = home.signed_in.session
        end = NOW + timedelta(hours=12)
        # So lately that its next use is noted after its end.
        await Session.filter(id=session.id).update(seen_at=end - MINUTE / 2)
        token = access_token(home.gate, session, end - MINUTE)

        assert await home.viewer(token=token, now=end - timedelta(seconds=1))
        with pytest.raises(SessionExpired):
            await home.viewer(token=token, now=end)


async def test_an_expired_token_says_whether_its_session_lives(
    database: str, tmp_path: Path
) -> None:
    async with house(database, tmp_path) as home:
        later = NOW + 11 * MINUTE
        await home.viewer()

        with pytest.raises(TokenExpired):
            await home.viewer(now=later)
        await sign_out(await home.viewer())
        with pytest.raises(SessionExpired):
            await home.viewer(now=later)


async def test_a_wrong_token_is_never_a_visitor(database: str, tmp_path: Path) -> None:
    async with house(database, tmp_path) as home:
        other = await make.account()
        issue = home.gate.signer.issue
        wrong = [
            "",
            "a.b.c",
            "é",
            "x" * 5_000,
            home.token[:-2],
            issue(other.id, home.account.id, Role.ADMIN, NOW),
            issue(home.signed_in.session.id, other.id, Role.ADMIN, NOW),
        ]
        for token in wrong:
            with pytest.raises(TokenInvalid):
                await home.viewer(token=token)


async def test_the_tokens_role_is_only_a_hint(database: str, tmp_path: Path) -> None:
    async with house(database, tmp_path) as home:
        session = home.signed_in.session
        token = home.gate.signer.issue(
            session.id, home.account.id, Role.INSPECTOR, NOW, factor_at=session.factor_at
        )

        assert (await home.viewer(token=token)).role is Role.DOCTOR


async def test_the_cache_is_bounded(database: str, tmp_path: Path) -> None:
    async with house(database, tmp_path) as home:
        small = Sessions(home.gate.signer, entrance.settings(tmp_path), RIGHTS, home.feed, size=3)
        for _ in range(10):
            await small.viewer(access_token(home.gate, home.signed_in.session, NOW), Visit(NOW))

        assert len(small._entries) == 3
        assert sum(len(keys) for keys in small._of_account.values()) == 3


async def test_a_revocation_while_rows_are_read_is_not_overwritten(
    database: str, tmp_path: Path
) -> None:
    async with house(database, tmp_path) as home:
        viewer = await home.viewer()
        reads = [asyncio.create_task(home.viewer()) for _ in range(5)]
        fresh = [
            asyncio.create_task(
                home.viewer(token=access_token(home.gate, home.signed_in.session, NOW))
            )
            for _ in range(20)
        ]
        await sign_out(viewer)
        await asyncio.gather(*reads, *fresh, return_exceptions=True)

        assert home.sessions._entries == {}
        with pytest.raises(SessionExpired):
            await home.viewer()

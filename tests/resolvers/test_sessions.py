"""Sessions: refreshed, switched, listed, ended."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path

import pytest

from auth.gate import Gate
from auth.recognition import RoleNotHeld
from auth.rows import NotFound
from auth.sessions import SessionExpired
from auth.viewer import Viewer
from core.places import Places
from models.account import Account, AccountState, RefreshToken, Session
from models.audit import AuditEntry
from models.change import Change, ChangeKind
from models.grant import RoleGrant
from models.role import Role
from resolvers.refreshing import RefreshInvalid, refresh_session
from resolvers.sessions import (
    SignedIn,
    end_session,
    living_sessions,
    open_session,
    sign_out,
    switch_role,
)
from tests import factories as make
from tests.auth import entrance
from tests.auth.entrance import RIGHTS, visitor
from tests.factories import NOW

LATER = NOW + timedelta(minutes=5)


@pytest.fixture
async def gate(database: str, tmp_path: Path) -> AsyncIterator[Gate]:
    gate = entrance.gate(tmp_path)
    yield gate
    gate.passwords.close()


async def signed_in(gate: Gate, *roles: Role) -> SignedIn:
    organisation = await make.organisation()
    person = await entrance.person(gate, organisation, *roles)
    return await open_session(visitor(), gate=gate, account=person.account)


def viewer_of(opened: SignedIn) -> Viewer:
    return Viewer(
        rights=RIGHTS[opened.session.active_role],
        now=LATER,
        account_id=opened.account.id,
        session_id=opened.session.id,
        held=opened.held,
    )


async def changes() -> list[tuple[object, ...]]:
    return [(row.kind, row.account_id, row.subject_id) for row in await Change.all()]


async def test_a_refresh_token_gives_new_tokens_and_keeps_the_session(gate: Gate) -> None:
    opened = await signed_in(gate, Role.DOCTOR)

    refreshed = await refresh_session(visitor(LATER), gate=gate, refresh_token=opened.refresh_token)

    assert refreshed.session.id == opened.session.id
    assert refreshed.refresh_token != opened.refresh_token
    assert refreshed.access_token != opened.access_token
    assert refreshed.access_expires_at == LATER + timedelta(minutes=10)
    row = await Session.get()
    assert [row.seen_at, row.expires_at, row.ended_at] == [LATER, opened.session.expires_at, None]
    assert (await AuditEntry.get(action="SESSION_REFRESHED")).account_id == opened.account.id


async def test_the_tokens_themselves_are_not_kept(gate: Gate) -> None:
    opened = await signed_in(gate, Role.DOCTOR)

    (row,) = await RefreshToken.all()

    assert opened.refresh_token not in row.token_hash
    assert len(row.token_hash) == 64


async def test_a_refresh_token_used_twice_ends_the_session_for_both(gate: Gate) -> None:
    opened = await signed_in(gate, Role.DOCTOR)
    stolen = opened.refresh_token
    refreshed = await refresh_session(visitor(LATER), gate=gate, refresh_token=stolen)

    with pytest.raises(RefreshInvalid) as refused:
        await refresh_session(visitor(LATER), gate=gate, refresh_token=stolen)

    assert refused.value.field == "refresh_token"
    assert (await Session.get()).ended_at == LATER
    assert await changes() == [(ChangeKind.SESSION, opened.account.id, opened.session.id)]
    entry = await AuditEntry.get(action="SESSION_ENDED")
    assert entry.details == {"reason": "REFRESH_TOKEN_REUSED"}
    with pytest.raises(SessionExpired):
        await refresh_session(visitor(LATER), gate=gate, refresh_token=refreshed.refresh_token)


async def test_of_one_refresh_token_sent_at_once_one_wins_and_the_session_ends(gate: Gate) -> None:
    opened = await signed_in(gate, Role.DOCTOR)

    answers = await asyncio.gather(
        *(
            refresh_session(visitor(LATER), gate=gate, refresh_token=opened.refresh_token)
            for _ in range(5)
        ),
        return_exceptions=True,
    )

    assert sorted(type(answer).__name__ for answer in answers) == ["RefreshInvalid"] * 4 + [
        "SignedIn"
    ]
    assert (await Session.get()).ended_at == LATER


@pytest.mark.parametrize("token", ["", "unknown", "\0", "\ud800", "x" * 10_000])
async def test_an_unknown_refresh_token_is_refused(gate: Gate, token: str) -> None:
    with pytest.raises(RefreshInvalid):
        await refresh_session(visitor(), gate=gate, refresh_token=token)


async def test_an_access_token_refreshes_nothing(gate: Gate) -> None:
    opened = await signed_in(gate, Role.DOCTOR)

    with pytest.raises(RefreshInvalid):
        await refresh_session(visitor(), gate=gate, refresh_token=opened.access_token)


@pytest.mark.parametrize("minutes", [16, 60 * 12])
async def test_an_idle_or_old_session_is_not_refreshed(gate: Gate, minutes: int) -> None:
    opened = await signed_in(gate, Role.DOCTOR)
    later = NOW + timedelta(minutes=minutes)

    with pytest.raises(SessionExpired):
        await refresh_session(visitor(later), gate=gate, refresh_token=opened.refresh_token)


async def test_a_closed_account_is_not_refreshed(gate: Gate) -> None:
    opened = await signed_in(gate, Role.DOCTOR)
    await Account.filter(id=opened.account.id).update(state=AccountState.CLOSED)

    with pytest.raises(SessionExpired):
        await refresh_session(visitor(LATER), gate=gate, refresh_token=opened.refresh_token)


async def test_a_role_is_switched_both_ways_in_one_session(gate: Gate) -> None:
    opened = await signed_in(gate, Role.DOCTOR, Role.ADMIN)
    viewer = viewer_of(opened)

    admin = await switch_role(viewer, gate=gate, role=Role.ADMIN)
    assert (await Session.get()).active_role is Role.ADMIN
    assert (await Account.get(id=opened.account.id)).last_role is Role.ADMIN
    doctor = await switch_role(viewer, gate=gate, role=Role.DOCTOR)

    assert (await Session.get()).active_role is Role.DOCTOR
    claims = [
        gate.signer.read(token, LATER)
        for token in (opened.access_token, admin.access_token, doctor.access_token)
    ]
    assert [claim.role for claim in claims] == ["DOCTOR", "ADMIN", "DOCTOR"]
    assert {claim.session_id for claim in claims} == {opened.session.id}
    assert len({claim.token_id for claim in claims}) == 3
    assert (admin.held, admin.session.active_role) == ((Role.DOCTOR, Role.ADMIN), Role.ADMIN)
    assert await changes() == [(ChangeKind.SESSION, opened.account.id, opened.session.id)] * 2
    entries = await AuditEntry.filter(action="ROLE_SWITCHED").order_by("position")
    assert [entry.details for entry in entries] == [
        {"before": "DOCTOR", "after": "ADMIN"},
        {"before": "ADMIN", "after": "DOCTOR"},
    ]


@pytest.mark.parametrize("role", [Role.NURSE, Role.CITIZEN, Role.VISITOR, Role.ADMIN])
async def test_a_role_that_is_not_held_now_is_not_switched_to(gate: Gate, role: Role) -> None:
    opened = await signed_in(gate, Role.DOCTOR, Role.ADMIN)
    # The viewer was made before the grant was revoked.
    await RoleGrant.filter(role=Role.ADMIN).update(revoked_at=NOW)

    with pytest.raises(RoleNotHeld) as refused:
        await switch_role(viewer_of(opened), gate=gate, role=role)

    assert refused.value.field == "role"
    assert (await Session.get()).active_role is Role.DOCTOR
    assert await changes() == []


async def test_an_ended_session_switches_nothing(gate: Gate) -> None:
    opened = await signed_in(gate, Role.DOCTOR, Role.ADMIN)
    viewer = viewer_of(opened)
    await sign_out(viewer)

    with pytest.raises(SessionExpired):
        await switch_role(viewer, gate=gate, role=Role.ADMIN)


async def test_signing_out_ends_the_session_and_its_refresh_token(gate: Gate) -> None:
    opened = await signed_in(gate, Role.DOCTOR)

    session = await sign_out(viewer_of(opened))

    assert session.ended_at == LATER
    assert (await Session.get()).ended_at == LATER
    assert await changes() == [(ChangeKind.SESSION, opened.account.id, opened.session.id)]
    assert (await AuditEntry.get(action="SESSION_ENDED")).details == {"reason": "SIGNED_OUT"}
    with pytest.raises(SessionExpired):
        await refresh_session(visitor(LATER), gate=gate, refresh_token=opened.refresh_token)


async def test_one_ends_ones_own_sessions_and_nobody_elses(gate: Gate) -> None:
    mine, strangers = await signed_in(gate, Role.DOCTOR), await signed_in(gate, Role.DOCTOR)
    viewer = viewer_of(mine)

    with pytest.raises(NotFound) as refused:
        await end_session(viewer, id=strangers.session.id)
    assert refused.value.field == "id"
    assert (await Session.get(id=strangers.session.id)).ended_at is None

    assert (await end_session(viewer, id=mine.session.id)).ended_at == LATER
    again = await end_session(viewer, id=mine.session.id)
    assert again.ended_at == LATER


async def test_the_list_holds_ones_own_living_sessions(gate: Gate) -> None:
    mine, _strangers = await signed_in(gate, Role.DOCTOR), await signed_in(gate, Role.DOCTOR)
    others = [await open_session(visitor(), gate=gate, account=mine.account) for _ in range(3)]
    await Session.filter(id=others[0].session.id).update(ended_at=NOW)
    await Session.filter(id=others[1].session.id).update(seen_at=NOW - timedelta(minutes=16))

    rows = await living_sessions(viewer_of(mine), gate=gate)

    assert {row.id for row in rows} == {mine.session.id, others[2].session.id}


async def test_a_session_tells_where_it_was_opened_as_far_as_that_is_known(gate: Gate) -> None:
    home = Places({ip_network("192.0.2.0/24"): "Городская больница № 1"})
    opened = await signed_in(replace(gate, places=home), Role.DOCTOR)
    abroad = visitor(address="198.51.100.1")
    await open_session(abroad, gate=replace(gate, places=home), account=opened.account)

    rows = await Session.all().order_by("id")

    assert [(row.address, row.place) for row in rows] == [
        ("192.0.2.1", "Городская больница № 1"),
        ("198.51.100.1", ""),
    ]


async def test_a_session_in_a_chosen_role_must_be_held(gate: Gate) -> None:
    opened = await signed_in(gate, Role.DOCTOR, Role.ADMIN)

    chosen = await open_session(visitor(), gate=gate, account=opened.account, role=Role.ADMIN)

    assert chosen.session.active_role is Role.ADMIN
    with pytest.raises(RoleNotHeld):
        await open_session(visitor(), gate=gate, account=opened.account, role=Role.NURSE)

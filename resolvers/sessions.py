"""Sessions: opened, switched to another role, listed and ended."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from tortoise.queryset import QuerySet

from auth.audit import record
from auth.devices import device_token
from auth.gate import Gate
from auth.keys import digest
from auth.recognition import RoleNotHeld
from auth.rows import lock, visible
from auth.sessions import SessionExpired, grants_of, held_roles, is_open, is_over
from auth.tokens import TokenInvalid
from auth.viewer import Viewer
from core.addresses import spelled
from core.errors import Problem
from models.account import Account, RefreshToken, Session, SignInMethod
from models.change import ChangeKind
from models.database import unit_of_work
from models.factor import Challenge, SentCode
from models.feed import announce
from models.role import Role
from resolvers.accounts import person_of
from resolvers.alerts import Alert, alert
from resolvers.forms import reason_of


class AccountClosed(Problem):
    """The account was closed or locked by the service: write to support."""

    code = "ACCOUNT_CLOSED"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session with its tokens, which are shown once; a renewed one gives no device's."""

    session: Session
    account: Account
    held: tuple[Role, ...]
    access_token: str
    access_expires_at: datetime
    # Empty for a script's session, which cannot be renewed.
    refresh_token: str
    device_token: str | None = None


@dataclass(frozen=True, slots=True)
class Switched:
    """A session in its new role, with the token that says so."""

    session: Session
    held: tuple[Role, ...]
    access_token: str
    access_expires_at: datetime


@unit_of_work
async def open_session(
    viewer: Viewer,
    *,
    gate: Gate,
    account: Account,
    role: Role | None = None,
    method: SignInMethod = SignInMethod.TOTP,
    device: str | None = None,
) -> SignedIn:
    """A session of a person whose factors the caller has checked; the oldest gives way.

    It begins in ``role``, which must be held, or else in the one used last. ``method`` is the
    factor shown just now. Its tokens go where the viewer keeps them, and a session that was kept
    there before ends. Unless it is done with a known ``device``, the owner is told, in the
    language of the sign-in before. Every way of signing in ends here. Raises AccountClosed.
    """
    now = viewer.now
    # One at a time, so that nobody opens a sixth session beside the fifth.
    account = await Account.filter(id=account.id).select_for_update(no_key=True).get()
    if not is_open(account, production=gate.production):
        raise AccountClosed
    held = held_roles(await grants_of(account.id, now), now)
    if role is None:
        role = account.last_role if account.last_role in held else held[0]
    if role not in held:
        raise RoleNotHeld("role")
    await _end_replaced(viewer)
    await _make_room(viewer, account, gate)
    # By its name a browser is not known: strangers have the same one, and its next version another.
    if device is None and await _has_signed_in(account):
        await alert(viewer, gate=gate, account=account, what=Alert.NEW_DEVICE)
    account.language = viewer.language
    session = await _new_session(
        viewer,
        account,
        role,
        gate,
        method=method,
        # What was shown to Gosuslugi, it does not say: no factor of ours.
        factor_at=None if method is SignInMethod.ESIA else now,
        in_cookies=viewer.cookies is not None,
        place=gate.places.of(viewer.address)[:200],
    )
    account.last_role = role
    await account.save(update_fields=["last_role", "language"])
    refresh_token = await new_refresh_token(session, now)
    record(
        viewer._replace(account_id=account.id),
        "SIGNED_IN",
        session,
        about=await person_of(account.id),
        organisation=account.organisation_id,
        role=role.value,
        # The session itself is deleted one day.
        method=method.value,
    )
    return SignedIn(
        session=session,
        account=account,
        held=held,
        access_token=access_token(gate, session, now),
        access_expires_at=now + gate.times.access,
        refresh_token=refresh_token,
        device_token=device_token(gate.hashes, account.id, now),
    )


@unit_of_work
async def script_token(viewer: Viewer, *, gate: Gate, account: Account, role: Role) -> str:
    """An access token for a script that acts in a held role: nobody signed in for it.

    There is one such session for each role, used again while it lives. It cannot be renewed, and
    takes the room of none of the person's own. Raises RoleNotHeld.
    """
    now = viewer.now
    account = await Account.filter(id=account.id).select_for_update(no_key=True).get()
    if role not in held_roles(await grants_of(account.id, now), now):
        raise RoleNotHeld("role")
    living = Session.filter(
        account_id=account.id, active_role=role, refresh_tokens__id__isnull=True, **_living(now)
    )
    for session in await living.order_by("-started_at", "-id"):
        if not is_over(session, gate.times, now):
            session.seen_at = now
            await session.save(update_fields=["seen_at"])
            break
    else:
        session = await _new_session(viewer, account, role, gate, method=SignInMethod.SCRIPT)
    person = viewer._replace(account_id=account.id)
    about, home = await person_of(account.id), account.organisation_id
    record(person, "SCRIPT_TOKEN_ISSUED", session, about=about, organisation=home, role=role.value)
    return access_token(gate, session, now)


async def _new_session(
    viewer: Viewer, account: Account, role: Role, gate: Gate, **values: Any
) -> Session:
    return await Session.create(
        account_id=account.id,
        active_role=role,
        started_at=viewer.now,
        seen_at=viewer.now,
        expires_at=viewer.now + gate.times.absolute,
        device=viewer.device[:200],
        address=spelled(viewer.address),
        **values,
    )


async def _has_signed_in(account: Account) -> bool:
    before = Session.filter(account_id=account.id).exclude(method=SignInMethod.SCRIPT)
    return await before.exists()


def _living(now: datetime) -> dict[str, Any]:
    return {"ended_at__isnull": True, "expires_at__gt": now}


async def _make_room(viewer: Viewer, account: Account, gate: Gate) -> None:
    now = viewer.now
    living = [
        session
        # Those that cannot be renewed are a script's.
        for session in await Session.filter(
            account_id=account.id, refresh_tokens__id__isnull=False, **_living(now)
        )
        .distinct()
        .order_by("-started_at", "-id")
        if not is_over(session, gate.times, now)
    ]
    for session in living[gate.times.per_account - 1 :]:
        await close_session(viewer._replace(account_id=account.id), session, "TOO_MANY")


async def _end_replaced(viewer: Viewer) -> None:
    """Ends the session that the browser's cookies held until now, whoever's it was."""
    if viewer.cookies is None or viewer.cookies.refresh_hash is None:
        return
    link = await RefreshToken.get_or_none(token_hash=viewer.cookies.refresh_hash)
    if link is None:
        return
    session = await Session.filter(id=link.session_id).select_for_update(no_key=True).get()
    if session.in_cookies and session.ended_at is None:
        await close_session(viewer._replace(account_id=session.account_id), session, "REPLACED")


def access_token(gate: Gate, session: Session, now: datetime) -> str:
    """A token for what the session is now; another role or factor asks for another one."""
    return gate.signer.issue(
        session.id, session.account_id, session.active_role, now, factor_at=session.factor_at
    )


async def new_refresh_token(session: Session, now: datetime) -> str:
    """The next link of a session's chain, in the caller's unit of work."""
    token = secrets.token_urlsafe(32)
    await RefreshToken.create(session_id=session.id, token_hash=digest(token), issued_at=now)
    return token


@unit_of_work
async def switch_role(viewer: Viewer, *, gate: Gate, role: Role) -> Switched:
    """Another held role for the whole session, and for the next sign-in; raises RoleNotHeld."""
    # The account before the session, as in signing in: nobody waits in a circle.
    await Account.filter(id=viewer.account_id).select_for_update(no_key=True).only("id")
    session = await own_session(viewer)
    held = held_roles(await grants_of(session.account_id, viewer.now), viewer.now)
    if role not in held:
        raise RoleNotHeld("role")
    before, session.active_role = session.active_role, role
    await session.save(update_fields=["active_role"])
    await Account.filter(id=session.account_id).update(last_role=role)
    record(
        viewer,
        "ROLE_SWITCHED",
        session,
        about=viewer.practitioner_id,
        before=before.value,
        after=role.value,
    )
    announce(ChangeKind.SESSION, account_id=session.account_id, subject_id=session.id)
    return Switched(
        session=session,
        held=held,
        access_token=access_token(gate, session, viewer.now),
        access_expires_at=viewer.now + gate.times.access,
    )


@unit_of_work
async def sign_out(viewer: Viewer) -> Session:
    """Ends the viewer's own session."""
    return await close_session(viewer, await own_session(viewer), "SIGNED_OUT")


@unit_of_work
async def end_session(viewer: Viewer, *, id: UUID) -> Session:
    """Ends a visible session; one that has ended stays as it is."""
    session = await lock(viewer, Session, id, "id")
    if session.ended_at is not None:
        record(viewer, "SESSION_ENDED", session, reason="AGAIN")
        return session
    return await close_session(viewer, session, "ENDED_BY_PERSON")


@unit_of_work
async def end_other_sessions(viewer: Viewer) -> int:
    """Ends every living session of the viewer's account but the one that asks; how many."""
    # The account before its sessions, as in signing in: nobody waits in a circle.
    await Account.filter(id=viewer.account_id).select_for_update(no_key=True).only("id")
    own = await own_session(viewer)
    others = (
        await Session.filter(account_id=own.account_id, **_living(viewer.now))
        .exclude(id=own.id)
        .order_by("id")
        .select_for_update(no_key=True)
    )
    for session in others:
        await close_session(viewer, session, "ENDED_BY_PERSON")
    record(viewer, "OTHER_SESSIONS_ENDED", own, about=viewer.practitioner_id, count=len(others))
    return len(others)


@unit_of_work
async def end_sessions_of(viewer: Viewer, *, account_id: UUID, reason: str) -> Account:
    """Ends every session of a visible account, for whoever is responsible for it.

    Raises NotFound, ReasonNeeded, Problems.
    """
    account = await lock(viewer, Account, account_id, "account_id")
    text = reason_of(reason)
    await end_sessions(viewer, account.id, reason="ENDED_BY_STAFF")
    about = await person_of(account.id)
    record(viewer, "SESSIONS_ENDED", account, about=about, reason=text)
    return account


async def end_sessions(
    viewer: Viewer, account_id: UUID, *, reason: str, keep: UUID | None = None
) -> None:
    """Ends the open sessions of an account but for one, in the caller's unit of work."""
    open_ones = Session.filter(account_id=account_id, ended_at__isnull=True)
    for session in await open_ones.order_by("id").select_for_update(no_key=True):
        if session.id != keep:
            await close_session(viewer, session, reason)


async def end_everything(viewer: Viewer, account_id: UUID, *, reason: str) -> None:
    """Ends an account's sessions, and whatever was begun for it: codes on their way, challenges."""
    unused = {"account_id": account_id, "used_at__isnull": True}
    await SentCode.filter(**unused).update(used_at=viewer.now)
    await Challenge.filter(**unused).update(used_at=viewer.now)
    await end_sessions(viewer, account_id, reason=reason)


def living_sessions(viewer: Viewer, *, gate: Gate) -> QuerySet[Session]:
    """The visible sessions that still live, the newest first."""
    return (
        visible(viewer, Session)
        .filter(
            ended_at__isnull=True,
            expires_at__gt=viewer.now,
            seen_at__gt=viewer.now - gate.times.unseen,
        )
        .order_by("-started_at", "-id")
    )


async def own_session(viewer: Viewer) -> Session:
    """The viewer's session, locked and still living; raises SessionExpired, TokenInvalid."""
    if viewer.session_id is None:
        raise TokenInvalid
    session = (
        await Session.filter(id=viewer.session_id, account_id=viewer.account_id)
        .select_for_update(no_key=True)
        .get_or_none()
    )
    if session is None or session.ended_at is not None:
        raise SessionExpired
    return session


async def close_session(viewer: Viewer, session: Session, reason: str) -> Session:
    """Ends a session that the caller has locked, in the caller's unit of work."""
    session.ended_at = viewer.now
    await session.save(update_fields=["ended_at"])
    account = await Account.get(id=session.account_id)
    record(
        viewer,
        "SESSION_ENDED",
        session,
        about=await person_of(account.id),
        organisation=account.organisation_id,
        reason=reason,
    )
    announce(ChangeKind.SESSION, account_id=session.account_id, subject_id=session.id)
    return session

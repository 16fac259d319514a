"""Refreshing: new tokens of a session for old ones, each of which works once (decision 0021)."""

from datetime import timedelta

from auth.audit import record
from auth.gate import Gate
from auth.keys import digest
from auth.sessions import SessionExpired, grants_of, held_roles, is_open, is_over
from auth.viewer import Viewer
from core.errors import Problem
from models.account import Account, RefreshToken, Session, SignInMethod
from models.database import unit_of_work
from resolvers.accounts import person_of
from resolvers.forms import Required
from resolvers.sessions import SignedIn, access_token, close_session, new_refresh_token

# Within it the pages of a browser may renew their session at the same time without ending it.
GRACE = timedelta(seconds=10)


class RefreshInvalid(Problem):
    """The refresh token is not ours, or was used before: then its session has ended."""

    code = "REFRESH_INVALID"


class CookiesOutOfReach(Problem):
    """The session is kept in cookies, and where this was asked none can be set: ask by POST."""

    code = "COOKIES_OUT_OF_REACH"


class RefreshRaced(Problem):
    """Another page of the browser has renewed the session just now: its cookies are there."""

    code = "REFRESH_RACED"


async def refresh_session(
    viewer: Viewer, *, gate: Gate, refresh_token: str | None = None
) -> SignedIn:
    """New tokens for old; a browser's old one comes in its cookie, and not as an argument.

    A token that comes twice was stolen from somebody: the session ends. Raises RefreshInvalid,
    RefreshRaced, SessionExpired, and Required where there is no token.
    """
    refreshed = await _refresh(viewer, gate, _shown(viewer, refresh_token))
    # Raised after the unit, so that the end of the session is committed.
    if isinstance(refreshed, Problem):
        raise refreshed
    return refreshed


def _shown(viewer: Viewer, refresh_token: str | None) -> str:
    """The digest of the refresh token that came with a request."""
    if viewer.cookies is None:
        if refresh_token is None:
            raise Required("refresh_token")
        return digest(refresh_token)
    if refresh_token is not None or viewer.cookies.refresh_hash is None:
        raise RefreshInvalid("refresh_token")
    return viewer.cookies.refresh_hash


@unit_of_work
async def _refresh(viewer: Viewer, gate: Gate, token_hash: str) -> SignedIn | Problem:
    now = viewer.now
    link = await RefreshToken.get_or_none(token_hash=token_hash)
    if link is None:
        # Nobody's: a line in the audit would only let strangers fill it.
        return RefreshInvalid("refresh_token")
    session = await Session.filter(id=link.session_id).select_for_update(no_key=True).get()
    account = await Account.get(id=session.account_id)
    person = viewer._replace(account_id=account.id)
    organisation, about = account.organisation_id, await person_of(account.id)

    def refused(problem: Problem, reason: str) -> Problem:
        record(
            person,
            "REFRESH_REFUSED",
            session,
            about=about,
            organisation=organisation,
            reason=reason,
        )
        return problem

    if session.in_cookies is (viewer.cookies is None):
        return refused(RefreshInvalid("refresh_token"), "KEPT_ELSEWHERE")
    unused = await RefreshToken.filter(id=link.id, used_at__isnull=True).update(used_at=now)
    if not unused:
        if session.ended_at is not None:
            return refused(RefreshInvalid("refresh_token"), "REUSED")
        # Whoever was first may have used it after the link was read here.
        await link.refresh_from_db(fields=["used_at"])
        if session.in_cookies and link.used_at is not None and now < link.used_at + GRACE:
            return refused(RefreshRaced("refresh_token"), "RACED")
        await close_session(person, session, "REFRESH_TOKEN_REUSED")
        return RefreshInvalid("refresh_token")
    is_closed = not is_open(account, production=gate.production)
    if is_closed or is_over(session, gate.times, now):
        return refused(SessionExpired("refresh_token"), "SESSION_OVER")
    session.seen_at = now
    await session.save(update_fields=["seen_at"])
    record(person, "SESSION_REFRESHED", session, about=about, organisation=organisation)
    return await _next_tokens(viewer, gate, session, account)


async def renew_shown(viewer: Viewer, *, gate: Gate, session: Session) -> SignedIn:
    """New tokens of the viewer's session in which a factor was shown; those from before are void.

    In the caller's unit of work, which has locked the session. Raises CookiesOutOfReach.
    """
    if viewer.cookies is not None and viewer.cookies.refresh_hash is None:
        raise CookiesOutOfReach
    void = RefreshToken.filter(session_id=session.id, used_at__isnull=True)
    await void.update(used_at=viewer.now)
    return await _next_tokens(viewer, gate, session, await Account.get(id=session.account_id))


async def _next_tokens(viewer: Viewer, gate: Gate, session: Session, account: Account) -> SignedIn:
    now = viewer.now
    can_be_renewed = session.method is not SignInMethod.SCRIPT
    return SignedIn(
        session=session,
        account=account,
        held=held_roles(await grants_of(account.id, now), now),
        access_token=access_token(gate, session, now),
        access_expires_at=now + gate.times.access,
        refresh_token=await new_refresh_token(session, now) if can_be_renewed else "",
    )

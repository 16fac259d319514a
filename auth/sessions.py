"""Sessions on the hot path: from an access token to the viewer, by one look-up where it can be.

An entry of the cache ends with the earliest of its token, its session, the idle limit, a grant
and the day, and at once when the change feed tells of its account: who confirms an account, or
notes a factor shown in a session, announces that. While the feed is silent
for a second, and for whatever the cache does not hold, the rows are read.
"""

import asyncio
import hashlib
import logging
import time
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from datetime import time as day_time
from uuid import UUID
from zoneinfo import ZoneInfo

from tortoise.exceptions import BaseORMException
from tortoise.expressions import Q

from auth.recognition import Acting, Entry, RoleNotHeld
from auth.rights import Rights
from auth.tokens import LARGEST, Signer, TokenExpired, TokenInvalid
from auth.viewer import Place, Viewer, Visit
from core.clock import day_of
from core.errors import Problem, Unavailable
from core.settings import SessionTimes, Settings
from models.account import Account, AccountState, Session
from models.change import Change, ChangeKind
from models.database import reads_apart, unit_of_work
from models.feed import Feed
from models.grant import RoleGrant
from models.practitioner import Position, Practitioner
from models.role import Role

# The order in which a role is chosen where the person has chosen none.
PREFERENCE = (
    Role.DOCTOR,
    Role.NURSE,
    Role.ADMIN,
    Role.INSPECTOR,
    Role.OPERATOR,
    Role.ANALYST,
    Role.CITIZEN,
)
_ZONE = "Europe/Moscow"

_log = logging.getLogger(__name__)


class SessionExpired(Problem):
    """The session is over: ended, idle for too long, or too old. Sign in again."""

    code = "SESSION_EXPIRED"


def held_roles(grants: Iterable[RoleGrant], now: datetime) -> tuple[Role, ...]:
    """The roles of living grants in the order of preference; without any, a citizen."""
    living = {grant.role for grant in grants if grant.holds_at(now)}
    return tuple(role for role in PREFERENCE if role in living) or (Role.CITIZEN,)


async def grants_of(account_id: UUID, now: datetime) -> list[RoleGrant]:
    """The grants that hold now or will, oldest first, with their organisations."""
    return (
        await RoleGrant.filter(
            Q(ends_at__isnull=True) | Q(ends_at__gt=now),
            account_id=account_id,
            revoked_at__isnull=True,
        )
        .order_by("starts_at", "id")
        .select_related("organisation")
    )


def is_over(session: Session, times: SessionTimes, now: datetime) -> bool:
    return (
        session.ended_at is not None
        or session.expires_at <= now
        or session.seen_at + times.unseen <= now
    )


def is_open(account: Account, *, production: bool) -> bool:
    """Whether the account's sessions live. In production those of the demo do not.

    A lock after failed sign-ins (which has an end) keeps nobody out who is in: otherwise a
    stranger who knows the telephone number could throw its owner out.
    """
    if account.is_demo and production:
        return False
    if account.state is AccountState.LOCKED:
        return account.locked_until is not None
    return account.state is AccountState.ACTIVE


class Sessions:
    """Who asks: built once by the server, asked for every request."""

    def __init__(
        self,
        signer: Signer,
        settings: Settings,
        rights: Mapping[Role, Rights],
        feed: Feed,
        *,
        size: int = 10_000,
    ) -> None:
        self._signer = signer
        self._times = settings.sessions
        self._production = settings.production
        self._rights = rights
        self._feed = feed
        self._size = size
        self._entries: OrderedDict[bytes, Entry] = OrderedDict()
        self._of_account: dict[UUID, set[bytes]] = {}
        # Moves with every change heard: what was read before it is not kept after it.
        self._changes = 0
        # Under way: by key, the changes heard before, and whether it is a use.
        self._readings: dict[tuple[bytes, int, bool], asyncio.Task[Entry]] = {}
        self._touching: set[UUID] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        feed.listen(self._hear)

    async def viewer(self, token: str | None, visit: Visit, *, in_use: bool = True) -> Viewer:
        """The viewer of a request; the visit's role is another held one for this request alone.

        ``in_use`` is false where nobody did anything, as when a socket is looked at again
        because of an event: that keeps no idle session alive. The visit's ``cookies`` say that the
        token came in one: what is kept in cookies is worth nothing elsewhere, and the other way
        round.

        Raises TokenInvalid (also TokenExpired: refresh it), SessionExpired, RoleNotHeld about
        ``role``. Without a token the viewer is a visitor; a wrong one never is.
        """
        found = self.known(token, visit)
        if found is None:
            # Without a token there is one.
            assert token is not None
            entry = await self._entry_of(_key(token), token, visit.now, in_use)
            found = entry.viewer(visit)
        return found

    async def imagined(self, account: Account, role: Role, visit: Visit) -> Viewer:
        """The viewer that an account would be in a role, in a session that there is not.

        To see how reads would go and nothing else: no token leads to it, and nothing is written.
        Raises RoleNotHeld about ``role``.
        """
        now = visit.now
        session = Session(account=account, active_role=role, started_at=now, seen_at=now)
        session.expires_at = session.factor_at = now
        entry = await self._entry(session, now, now)
        return entry.viewer(visit._replace(role=role.value))

    def known(self, token: str | None, visit: Visit) -> Viewer | None:
        """The same where no rows have to be read for it; else None."""
        if token is None:
            if visit.role is not None and visit.role != Role.VISITOR:
                raise RoleNotHeld("role")
            return Viewer(
                rights=self._rights[Role.VISITOR],
                now=visit.now,
                held=(Role.VISITOR,),
                language=visit.language,
                address=visit.address,
                device=visit.device,
                cookies=visit.cookies,
            )
        entry = self._entries.get(_key(token))
        if entry is None or entry.until <= visit.now or not self._feed.fresh(time.monotonic()):
            return None
        return entry.viewer(visit)

    async def _entry_of(self, key: bytes, token: str, now: datetime, in_use: bool) -> Entry:
        """Reads the rows, or waits for whoever reads them for this token and knows as much."""
        if not self._feed.fresh(time.monotonic()) or reads_apart():
            return await self._read(key, token, now, in_use)
        asked = (key, self._changes, in_use)
        reading = self._readings.get(asked)
        if reading is None:
            reading = asyncio.create_task(self._read(key, token, now, in_use))
            self._readings[asked] = reading
            reading.add_done_callback(lambda done: self._forget(asked, done))
        # Whoever leaves does not end it for the others.
        return await asyncio.shield(reading)

    def _forget(self, asked: tuple[bytes, int, bool], reading: "asyncio.Task[Entry]") -> None:
        del self._readings[asked]
        if not reading.cancelled():
            # Where everybody has left, nobody else looks.
            reading.exception()

    async def _read(self, key: bytes, token: str, now: datetime, in_use: bool) -> Entry:
        keeps = self._feed.fresh(time.monotonic())
        changes = self._changes
        expired: TokenExpired | None = None
        try:
            claims = self._signer.read(token, now)
        except TokenExpired as error:
            # Whether to refresh it or to sign in again, the session tells.
            expired, claims = error, error.claims
        session = await Session.get_or_none(
            id=claims.session_id, account_id=claims.account_id
        ).select_related("account__organisation")
        if session is None:
            raise TokenInvalid
        account = session.account
        if is_over(session, self._times, now) or not is_open(account, production=self._production):
            raise SessionExpired
        if expired is not None:
            raise expired
        if claims.factor_at != session.factor_at:
            # Whoever stole it before a factor was shown again has gained nothing by that.
            raise TokenExpired(claims)
        entry = await self._entry(session, claims.expires_at, now)
        if _is_to_note(session, self._times, now):
            if not in_use:
                # Kept, it would hide the next request from the noting of its use.
                return entry
            await self._touch(session.id, now)
        if keeps and changes == self._changes:
            self._keep(key, entry)
        return entry

    async def _entry(self, session: Session, expires_at: datetime, now: datetime) -> Entry:
        grants = await grants_of(session.account_id, now)
        person = await Practitioner.get_or_none(account_id=session.account_id)
        positions = (
            await Position.filter(practitioner_id=person.id).order_by("id") if person else []
        )
        living = [grant for grant in grants if grant.holds_at(now)]
        organisation = session.account.organisation
        zone = organisation.zone if organisation else _ZONE
        held = held_roles(grants, now)
        acting: dict[str | None, Acting] = {}
        for role in held:
            of_role = [grant for grant in living if grant.role is role]
            zone_of_role = of_role[0].organisation.zone if of_role else zone
            acting[role.value] = Acting(
                rights=self._rights[role],
                places=_places(of_role),
                zone=zone_of_role,
                departments=_departments(person, positions, now, zone_of_role),
            )
        # Nobody is a citizen beside another role: who has been given one goes on in it.
        active = held[0] if session.active_role is Role.CITIZEN else session.active_role
        if active.value in acting:
            acting[None] = acting[active.value]
        noted_at = now if _is_to_note(session, self._times, now) else session.seen_at
        ends = [
            expires_at + self._signer.leeway,
            session.expires_at,
            # The rows are read again when there is a use to note.
            noted_at + self._times.touch,
            *(_next_day(now, part.zone) for part in acting.values()),
            *(grant.ends_at for grant in living if grant.ends_at is not None),
            *(grant.starts_at for grant in grants if grant.starts_at > now),
        ]
        return Entry(
            until=min(ends),
            account_id=session.account_id,
            session_id=session.id,
            practitioner_id=person.id if person else None,
            profession=person.profession if person else None,
            held=held,
            is_confirmed=session.account.confirmed_at is not None,
            factor_at=session.factor_at,
            is_shown_again=session.is_shown_again,
            in_cookies=session.in_cookies,
            acting=acting,
        )

    def _keep(self, key: bytes, entry: Entry) -> None:
        self._drop(key)
        while len(self._entries) >= self._size:
            self._drop(next(iter(self._entries)))
        self._entries[key] = entry
        self._of_account.setdefault(entry.account_id, set()).add(key)

    def _drop(self, key: bytes) -> None:
        entry = self._entries.pop(key, None)
        if entry is None:
            return
        keys = self._of_account[entry.account_id]
        keys.discard(key)
        if not keys:
            del self._of_account[entry.account_id]

    def _hear(self, change: Change | None) -> None:
        if change is not None and change.kind is not ChangeKind.SESSION:
            return
        self._changes += 1
        if change is None or change.account_id is None:
            self._entries.clear()
            self._of_account.clear()
            return
        for key in list(self._of_account.get(change.account_id, ())):
            self._drop(key)

    async def _touch(self, session_id: UUID, now: datetime) -> None:
        """Moves ``seen_at`` beside the request: reads go on where nothing can be written."""
        if session_id in self._touching:
            return
        self._touching.add(session_id)
        task = asyncio.create_task(self._move_seen_at(session_id, now))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        # Lets the task begin its unit of work, for which the closing of the database waits.
        await asyncio.sleep(0)

    async def _move_seen_at(self, session_id: UUID, now: datetime) -> None:
        try:
            await _see(session_id, now)
        except (Unavailable, BaseORMException, OSError) as error:
            _log.warning("a session's last use was not noted (%s)", type(error).__name__)
        finally:
            self._touching.discard(session_id)


@unit_of_work
async def _see(session_id: UUID, now: datetime) -> None:
    await Session.filter(id=session_id, ended_at__isnull=True, seen_at__lt=now).update(seen_at=now)


def _key(token: str) -> bytes:
    """What a token is kept under; raises TokenInvalid where it can be none."""
    if len(token) > LARGEST or not token.isascii():
        raise TokenInvalid
    return hashlib.blake2b(token.encode(), digest_size=32).digest()


def _is_to_note(session: Session, times: SessionTimes, now: datetime) -> bool:
    return session.seen_at + times.touch <= now


def _places(grants: Sequence[RoleGrant]) -> tuple[Place, ...]:
    places = (Place(grant.organisation_id, grant.department_id) for grant in grants)
    return tuple(dict.fromkeys(places))


def _departments(
    person: Practitioner | None, positions: Sequence[Position], now: datetime, zone: str
) -> tuple[UUID, ...]:
    if person is None:
        return ()
    today = day_of(now, zone)
    held = [position.department_id for position in positions if position.is_held_on(today)]
    main = [person.department_id] if person.department_id else []
    return tuple(dict.fromkeys([*main, *held]))


def _next_day(now: datetime, zone: str) -> datetime:
    """The next midnight, when positions begin and end."""
    tomorrow = day_of(now, zone) + timedelta(days=1)
    return datetime.combine(tomorrow, day_time.min, ZoneInfo(zone))

"""Sessions, as clients see them: how they are opened, go on, and end."""

from typing import Any

from auth.proofs import proves_less
from auth.rows import asked
from auth.viewer import Viewer, Visit
from models.account import Session as SessionRow
from models.account import SignInMethod
from models.conditions import NEVER, Compare, Condition
from models.role import Role
from resolvers import refreshing, second_step, sessions, sign_in
from resolvers.pages import Term
from resolvers.pending import Pending
from schema.accounts import OWN, recommended
from schema.context import Context
from schema.directives import EVERYONE, SIGNED_IN, visible
from schema.factors import LATELY, SENT
from schema.operations import Returned, mutation, query, row
from schema.tokens import ACCESS, REFRESH
from schema.views import column, computed, enum_of, object_of, view_of

enum_of(SignInMethod)


def _is_current(viewer: Viewer) -> dict[bool, Condition]:
    if viewer.session_id is None:
        return {True: NEVER}
    return {True: Compare("id", "eq", asked(viewer, "session_id"))}


@view_of(
    SessionRow,
    visible(*SIGNED_IN, rows=OWN),
    order=(Term("started_at", descending=True),),
    many="sessions",
)
class Session:
    """One sign-in of one's own."""

    id = column("ID", visible(*SIGNED_IN), says="Its id.")
    active_role = column("Role", visible(*SIGNED_IN), says="The role it acts in.")
    started_at = column("datetime", visible(*SIGNED_IN), says="When it began.")
    seen_at = column("datetime", visible(*SIGNED_IN), says="When it was last used, to a minute.")
    expires_at = column("datetime", visible(*SIGNED_IN), says="When it ends at the latest.")
    ended_at = column("datetime | None", visible(*SIGNED_IN), says="When it was ended.")
    device = column("str", visible(*SIGNED_IN), says="The program it was opened with.")
    address = column("str", visible(*SIGNED_IN), says="The address it was opened from.")
    place = column(
        "str", visible(*SIGNED_IN), says="Where that is, in words; empty where it is not known."
    )
    method = column(
        "SignInMethod", visible(*SIGNED_IN), says="The factor with which it was opened."
    )
    is_current = computed(
        "bool",
        visible(*SIGNED_IN),
        says="Whether it is the one that asks.",
        value=lambda row, context: row.id == context.viewer.session_id,
        where=_is_current,
    )


@query(
    "openSessions",
    "list[Session]",
    visible(*SIGNED_IN),
    says="One's own sessions that live now, the newest first.",
)
async def open_sessions(context: Context) -> list[SessionRow]:
    return await sessions.living_sessions(context.viewer, gate=context.services["gate"])


async def _signed_in(result: Any, context: Context) -> Any:
    """The viewer that the new token stands for; the rest of the operation goes on as it.

    Not where it has proved less than who asks: the proofs were asked before the operation ran.
    """
    asked = context.viewer
    found = await context.services["sessions"].viewer(
        result.access_token,
        Visit(
            asked.now,
            address=asked.address,
            device=asked.device,
            language=asked.language,
            cookies=asked.cookies,
        ),
    )
    if proves_less(found, asked):
        return None
    context.act_as(found)
    return found


_VIEWER = Returned(
    "Viewer | None",
    "Who one is now; empty where that person has proved less than who asks.",
    _signed_in,
)
# What a person gets who goes on in another role.
SWITCHED = {**ACCESS, "viewer": _VIEWER}

# What every way of signing in comes to.
SIGNED_IN_PAYLOAD = {
    **ACCESS,
    **REFRESH,
    "viewer": _VIEWER,
    "device_token": Returned(
        "str | None",
        "To be kept for the account's next `signIn` on this device, which failures of others do not"
        " hold up then; good for 180 days. Empty where it is kept in a cookie.",
        lambda result, _: None if result.session.in_cookies else result.device_token,
    ),
    "recommendations": Returned(
        "list[Recommendation] | None",
        "What had better be done for the account's safety, the most urgent first.",
        lambda result, context: recommended(result.account.id, context),
    ),
}


@object_of(visible(Role.VISITOR))
class PendingSignIn:
    """A sign-in whose password was right, and that waits for a second factor."""

    handle = computed(
        "str",
        visible(Role.VISITOR),
        says="To be given back with a factor; shown once.",
        value=lambda pending, _: pending.handle,
    )
    expires_at = computed(
        "datetime",
        visible(Role.VISITOR),
        says="Until when it waits.",
        value=lambda pending, _: pending.expires_at,
    )
    factors = computed(
        "list[OfferedFactor]",
        visible(Role.VISITOR),
        says="The factors to choose from.",
        value=lambda pending, _: pending.factors,
    )


def _opened(returned: Returned) -> Returned:
    """The same of an opened session, and nothing of a sign-in that waits."""

    def value(result: Any, context: Context) -> Any:
        return None if isinstance(result, Pending) else returned.value(result, context)

    return Returned(returned.type, returned.says, value)


mutation(
    sign_in.sign_in,
    visible(Role.VISITOR),
    says=(
        "Signs in with a phone or e-mail, the password, and the authenticator's code; without a "
        "code, begins a sign-in that another factor finishes."
    ),
    returns={
        **{name: _opened(returned) for name, returned in SIGNED_IN_PAYLOAD.items()},
        "pending": Returned(
            "PendingSignIn | None",
            "What waits for a second factor, where no code was given.",
            lambda result, _: result if isinstance(result, Pending) else None,
        ),
    },
    sensitive=True,
)
mutation(
    second_step.send_sign_in_code,
    visible(Role.VISITOR),
    says="Sends a code by SMS to whose sign-in waits.",
    returns=SENT,
    sensitive=True,
)
mutation(
    second_step.finish_sign_in,
    visible(Role.VISITOR),
    says="Finishes a sign-in that waits, with the code of one of its factors.",
    returns=SIGNED_IN_PAYLOAD,
    sensitive=True,
)
mutation(
    refreshing.refresh_session,
    visible(*EVERYONE),
    says="Renews the tokens of a session; a browser's refresh token comes in its cookie.",
    returns={**ACCESS, **REFRESH, "viewer": _VIEWER},
    sensitive=True,
)
mutation(
    sessions.switch_role,
    visible(*SIGNED_IN),
    says="Goes on in another held role, without signing in again.",
    returns=SWITCHED,
)
mutation(sessions.sign_out, visible(*SIGNED_IN), says="Ends this session.")
mutation(
    sessions.end_session,
    visible(*SIGNED_IN),
    LATELY,
    says="Ends one of one's own sessions.",
    returns=row("Session"),
)
mutation(
    sessions.end_other_sessions,
    visible(*SIGNED_IN),
    LATELY,
    says="Ends all of one's own sessions but this one.",
    returns={"ended": Returned("int | None", "How many there were.", lambda count, _: count)},
)

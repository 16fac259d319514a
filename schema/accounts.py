"""Accounts, sessions, role grants and the audit trail, as clients see them."""

from typing import Any
from uuid import UUID

from auth.proofs import proves_less
from auth.rights import Scope
from auth.rows import asked
from auth.viewer import Viewer, Visit
from models.account import Account as AccountRow
from models.account import AccountState, ConfirmedBy, SignInMethod
from models.account import Session as SessionRow
from models.audit import AuditEntry as AuditEntryRow
from models.conditions import NEVER, Compare, Condition, IsNull, every, some
from models.grant import RoleGrant as RoleGrantRow
from models.role import Role
from resolvers import accounts, grants, refreshing, second_step, sessions, sign_in
from resolvers.pages import Term
from resolvers.pending import Pending
from resolvers.recommendations import recommendations_for
from resolvers.second_factors import factors_of, recovery_codes_left
from schema.context import Context
from schema.directives import EVERYONE, SIGNED_IN, discloses, visible
from schema.factors import LATELY, SENT
from schema.names import register
from schema.operations import Returned, given, input_of, mutation, query, row
from schema.tokens import ACCESS, REFRESH
from schema.views import (
    column,
    computed,
    enum_of,
    member,
    object_of,
    row_by,
    text_beyond,
    to_one,
    view_of,
)

enum_of(AccountState)
enum_of(ConfirmedBy)
enum_of(SignInMethod)
register("Role", Role)

DOCTOR, NURSE, ADMIN = Role.DOCTOR, Role.NURSE, Role.ADMIN
CITIZEN, INSPECTOR, OPERATOR = Role.CITIZEN, Role.INSPECTOR, Role.OPERATOR
OWN = Scope.OWN
KEEPERS = (ADMIN, OPERATOR)


def _is_current(viewer: Viewer) -> dict[bool, Condition]:
    if viewer.session_id is None:
        return {True: NEVER}
    return {True: Compare("id", "eq", asked(viewer, "session_id"))}


def _holds(viewer: Viewer) -> dict[bool, Condition]:
    now = asked(viewer, "now")
    lasting = some(IsNull("ends_at"), Compare("ends_at", "gt", now))
    return {True: every(IsNull("revoked_at"), Compare("starts_at", "lte", now), lasting)}


async def _recommended(account_id: UUID, context: Context) -> Any:
    return await recommendations_for(
        account_id, settings=context.services["settings"], now=context.viewer.now
    )


@view_of(
    AccountRow,
    visible(*SIGNED_IN, rows=OWN),
    visible(*KEEPERS, rows=Scope.ALL),
    order=(Term("created_at"),),
    one="account",
    many="accounts",
)
class Account:
    """An account with which a person signs in."""

    id = column("ID", visible(*SIGNED_IN), says="Its id.")
    public_id = column("str", visible(*SIGNED_IN), says="The number to quote to support.")
    state = column("AccountState", visible(*SIGNED_IN), says="Whether it can be used.")
    locked_until = column("datetime | None", visible(*SIGNED_IN), says="Until when it waits.")
    confirmed_at = column("datetime | None", visible(*SIGNED_IN), says="When it was confirmed.")
    confirmed_by = column(
        "ConfirmedBy | None",
        visible(*SIGNED_IN),
        says="How; empty also where that was not kept yet.",
    )
    email = column("str | None", visible(*SIGNED_IN, rows=OWN), says="The e-mail to sign in with.")
    phone = column("str | None", visible(*SIGNED_IN, rows=OWN), says="The phone to sign in with.")
    last_role = column(
        "Role | None",
        visible(*SIGNED_IN, rows=OWN),
        says="The role in which the next session begins.",
    )
    password_changed_at = column(
        "datetime | None", visible(*SIGNED_IN, rows=OWN), says="When the password was last changed."
    )
    factors = computed(
        "list[OfferedFactor] | None",
        visible(*SIGNED_IN, rows=OWN),
        says="Its second factors.",
        value=lambda account, _: factors_of(account),
    )
    recovery_codes_left = computed(
        "int | None",
        visible(*SIGNED_IN, rows=OWN),
        says="How many recovery codes are left.",
        value=lambda account, _: recovery_codes_left(account.id),
    )
    recommendations = computed(
        "list[Recommendation] | None",
        visible(*SIGNED_IN, rows=OWN),
        says="What had better be done for its safety, the most urgent first.",
        value=lambda account, context: _recommended(account.id, context),
    )
    created_at = column("datetime", visible(*SIGNED_IN), says="When it was opened.")


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


@view_of(
    RoleGrantRow,
    visible(DOCTOR, NURSE, CITIZEN, rows=OWN),
    visible(ADMIN, INSPECTOR, rows=Scope.ALL),
    order=(Term("granted_at", descending=True),),
    one="roleGrant",
    many="roleGrants",
)
class RoleGrant:
    """A role granted to an account, perhaps limited to a department and a period."""

    id = column("ID", visible(DOCTOR, NURSE, CITIZEN, ADMIN, INSPECTOR), says="Its id.")
    role = column("Role", visible(DOCTOR, NURSE, CITIZEN, ADMIN, INSPECTOR), says="Which role.")
    account = to_one("Account | None", visible(DOCTOR, NURSE, CITIZEN, ADMIN), says="To whom.")
    department = to_one(
        "Department | None",
        visible(DOCTOR, NURSE, ADMIN, INSPECTOR),
        says="Where; empty for the whole organisation.",
    )
    starts_at = column(
        "datetime", visible(DOCTOR, NURSE, CITIZEN, ADMIN, INSPECTOR), says="Since when."
    )
    ends_at = column(
        "datetime | None", visible(DOCTOR, NURSE, CITIZEN, ADMIN, INSPECTOR), says="Until when."
    )
    granted_at = column(
        "datetime", visible(DOCTOR, NURSE, CITIZEN, ADMIN, INSPECTOR), says="When it was granted."
    )
    revoked_at = column(
        "datetime | None",
        visible(DOCTOR, NURSE, CITIZEN, ADMIN, INSPECTOR),
        says="When it was revoked.",
    )
    granted_by = to_one("Account | None", visible(ADMIN), says="Who granted it.")
    revoked_by = to_one("Account | None", visible(ADMIN), says="Who revoked it.")
    holds = computed(
        "bool",
        visible(DOCTOR, NURSE, CITIZEN, ADMIN, INSPECTOR),
        says="Whether it holds now.",
        value=lambda row, context: row.holds_at(context.viewer.now),
        where=_holds,
    )
    version = column("int", visible(ADMIN), says="To be given back by an edit.")


@view_of(
    AuditEntryRow,
    visible(DOCTOR, NURSE, rows=OWN),
    visible(INSPECTOR, rows=Scope.ALL),
    order=(Term("at", descending=True),),
    many="auditTrail",
)
class AuditEntry:
    """What was done or looked at. A worker sees who looked at them."""

    id = column("ID", visible(DOCTOR, NURSE, INSPECTOR), says="Its id.")
    at = column("datetime", visible(DOCTOR, NURSE, INSPECTOR), says="When.")
    action = column("str", visible(DOCTOR, NURSE, INSPECTOR), says="What was done.")
    role = column("Role", visible(DOCTOR, NURSE, INSPECTOR), says="In which role.")
    subject_type = column("str", visible(DOCTOR, NURSE, INSPECTOR), says="To what kind of row.")
    subject_id = column("ID | None", visible(DOCTOR, NURSE, INSPECTOR), says="To which row.")
    by = row_by(
        "Practitioner | None",
        visible(DOCTOR, NURSE, INSPECTOR),
        says="Who did it, where that worker's file exists for the viewer.",
        of="account_id",
        at="account_id",
    )
    actor = text_beyond(
        "str | None",
        visible(DOCTOR, NURSE, INSPECTOR),
        discloses("the public id of the account that acted"),
        says="The public id of the account that did it; empty for a visitor.",
        model=AccountRow,
        of="account_id",
        shows="public_id",
    )
    reason = member(
        "str | None",
        visible(DOCTOR, NURSE, INSPECTOR),
        says="The reason that was given.",
        of="details",
        key="reason",
    )
    field = member(
        "str | None",
        visible(DOCTOR, NURSE, INSPECTOR),
        says="The one field that was looked at, of a REVEALED value.",
        of="details",
        key="field",
    )
    about = to_one("Practitioner | None", visible(DOCTOR, NURSE, INSPECTOR), says="About whom.")
    # One chain holds the entries of every organisation.
    position = column(
        "int",
        visible(INSPECTOR),
        discloses("how many entries everybody has"),
        says="Its place in the chain.",
    )
    previous_hash = column(
        "str",
        visible(INSPECTOR),
        discloses("a digest of the entry before, whosever it is"),
        says="The hash of the entry before.",
    )
    hash = column(
        "str",
        visible(INSPECTOR),
        discloses("a digest of every entry before"),
        says="SHA-256 over the entry and the hash before.",
    )


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
        lambda result, context: _recommended(result.account.id, context),
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
mutation(
    sessions.end_sessions_of,
    visible(*KEEPERS),
    says="Ends every session of another's account, such as of one whose telephone was stolen.",
    returns=row("Account"),
)
mutation(
    grants.grant_role,
    visible(ADMIN),
    says="Grants a role, perhaps limited to a department and a period.",
    returns=row("RoleGrant"),
)


@input_of(visible(ADMIN))
class LimitRoleInput:
    """The limits to set; one that is left out stays, and null lifts it."""

    department_id = given("ID | None", says="The only department in which the role holds.")
    ends_at = given("datetime | None", says="When it ends.")


mutation(
    grants.limit_role,
    visible(ADMIN),
    says="Limits a granted role to a department, or to an end.",
    input="LimitRoleInput",
    returns=row("RoleGrant"),
)
mutation(
    grants.revoke_role,
    visible(ADMIN),
    says="Revokes a role at once, on open sessions too. The last admin stays.",
    returns=row("RoleGrant"),
)
mutation(
    accounts.unlock_account,
    visible(OPERATOR),
    says="Ends the lock that failed sign-ins brought about.",
    returns=row("Account"),
)

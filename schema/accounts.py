"""Accounts, as clients see them, and what operators and administrators do to another's."""

from typing import Any
from uuid import UUID

from auth.rights import Scope
from models.account import Account as AccountRow
from models.account import AccountState, ConfirmedBy
from models.identity import Identity
from models.role import Role
from resolvers import accounts, sessions
from resolvers.esia import esia_linked_at
from resolvers.pages import Term
from resolvers.recommendations import recommendations_for
from resolvers.second_factors import factors_of, recovery_codes_left
from schema.context import Context
from schema.directives import SIGNED_IN, visible
from schema.names import register
from schema.operations import mutation, row
from schema.views import column, computed, enum_of, view_of

enum_of(AccountState)
enum_of(ConfirmedBy)
register("Role", Role)

OWN = Scope.OWN
KEEPERS = (Role.ADMIN, Role.OPERATOR)


async def recommended(account_id: UUID, context: Context) -> Any:
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
    esia_linked_at = computed(
        "datetime | None",
        visible(*SIGNED_IN, rows=OWN),
        says="Since when it is linked with Gosuslugi; empty where it is not.",
        value=lambda account, _: esia_linked_at(account.id),
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
        value=lambda account, context: recommended(account.id, context),
    )
    identity = computed(
        "StatedIdentity | None",
        visible(*SIGNED_IN, rows=OWN),
        says="Whose it is, in their own words: see `stateIdentity`.",
        value=lambda account, _: Identity.get_or_none(account_id=account.id),
    )
    created_at = column("datetime", visible(*SIGNED_IN), says="When it was opened.")


mutation(
    sessions.end_sessions_of,
    visible(*KEEPERS),
    says="Ends every session of another's account, such as of one whose telephone was stolen.",
    returns=row("Account"),
)
mutation(
    accounts.unlock_account,
    visible(Role.OPERATOR),
    says="Ends the lock that failed sign-ins brought about.",
    returns=row("Account"),
)

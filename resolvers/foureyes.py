"""Four eyes: nobody approves what is their own while somebody else could (decision 0008)."""

from typing import Any
from uuid import UUID

from tortoise.expressions import Q
from tortoise.queryset import QuerySet

from auth.viewer import Viewer
from core.errors import Problem
from models.account import Account, AccountState
from models.grant import RoleGrant
from models.role import Role


class SelfApproval(Problem):
    """The row is the caller's own, and another administrator can approve it."""

    code = "SELF_APPROVAL"


class OtherOperatorNeeded(Problem):
    """The account is the caller's own, or what is done takes two operators, and there are two."""

    code = "OTHER_OPERATOR_NEEDED"


# An invitation that nobody took up approves nothing. A lock passes, and anybody can bring it
# about by wrong passwords: it must not make the other administrator the only one.
_TAKEN_UP = (AccountState.ACTIVE, AccountState.LOCKED)


async def check_other_eyes(
    viewer: Viewer, *, organisation_id: UUID | None, department_id: UUID | None, field: str = "id"
) -> dict[str, Any]:
    """Details for the audit entry of approving one's own row in a place.

    Raises SelfApproval while somebody else's administration covers that place.
    """
    covers = Q(department_id__isnull=True) | Q(department_id=department_id)
    if await _others(viewer, Role.ADMIN, covers & Q(organisation_id=organisation_id)).exists():
        raise SelfApproval(field)
    return {"only_administrator": True}


async def check_other_operator(viewer: Viewer, account: Account, field: str) -> dict[str, Any]:
    """Details for the audit entry of doing both halves of what opens somebody else's account.

    Any other operator of its organisation will do, whichever department they are limited to; of
    anywhere, where the account belongs to none. Raises OtherOperatorNeeded about ``field`` while
    there is one.
    """
    home = account.organisation_id
    theirs = Q() if home is None else Q(organisation_id=home)
    if await _others(viewer, Role.OPERATOR, theirs).exists():
        raise OtherOperatorNeeded(field)
    return {"only_operator": True}


def _others(viewer: Viewer, role: Role, where: Q) -> QuerySet[RoleGrant]:
    """The living grants of a role to anybody else."""
    return RoleGrant.filter(
        where,
        Q(ends_at__isnull=True) | Q(ends_at__gt=viewer.now),
        role=role,
        starts_at__lte=viewer.now,
        revoked_at__isnull=True,
        account__state__in=_TAKEN_UP,
    ).exclude(account_id=viewer.account_id)

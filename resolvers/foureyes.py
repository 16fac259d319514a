"""Four eyes: nobody approves what is their own while somebody else could (decision 0008)."""

from typing import Any
from uuid import UUID

from tortoise.expressions import Q

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
_CALLED = {Role.ADMIN: "administrator", Role.OPERATOR: "operator"}


async def check_other_eyes(
    viewer: Viewer,
    *,
    organisation_id: UUID | None,
    department_id: UUID | None,
    role: Role = Role.ADMIN,
    field: str = "id",
) -> dict[str, Any]:
    """Details for the audit entry of approving one's own row in a place.

    Raises SelfApproval while somebody else's administration, or other ``role``, covers that place.
    """
    now = viewer.now
    others = RoleGrant.filter(
        Q(department_id__isnull=True) | Q(department_id=department_id),
        Q(ends_at__isnull=True) | Q(ends_at__gt=now),
        role=role,
        organisation_id=organisation_id,
        starts_at__lte=now,
        revoked_at__isnull=True,
        account__state__in=_TAKEN_UP,
    )
    if await others.exclude(account_id=viewer.account_id).exists():
        raise SelfApproval(field)
    return {f"only_{_CALLED[role]}": True}


async def check_other_operator(viewer: Viewer, account: Account, field: str) -> dict[str, Any]:
    """Details for the audit entry of doing both halves of what opens somebody else's account.

    Raises OtherOperatorNeeded about ``field`` while there is another operator.
    """
    try:
        return await check_other_eyes(
            viewer,
            organisation_id=account.organisation_id or viewer.organisation_id,
            department_id=None,
            role=Role.OPERATOR,
        )
    except SelfApproval:
        raise OtherOperatorNeeded(field) from None

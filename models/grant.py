"""A role granted to an account: where it holds, since when, until when, and by whom."""

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from tortoise import fields

from models.fields import Moment
from models.role import Role
from models.row import Row

if TYPE_CHECKING:
    from models.account import Account
    from models.organisation import Department, Organisation


class RoleGrant(Row):
    """A role within an organisation, perhaps limited to a department and a period."""

    account: fields.ForeignKeyRelation["Account"] = fields.ForeignKeyField(
        "models.Account", related_name="grants", on_delete=fields.CASCADE, db_index=True
    )
    account_id: UUID
    organisation: fields.ForeignKeyRelation["Organisation"] = fields.ForeignKeyField(
        "models.Organisation", related_name="grants", on_delete=fields.RESTRICT, db_index=True
    )
    organisation_id: UUID
    department: fields.ForeignKeyNullableRelation["Department"] = fields.ForeignKeyField(
        "models.Department",
        related_name="grants",
        null=True,
        on_delete=fields.RESTRICT,
        db_index=True,
    )
    department_id: UUID | None
    role = fields.CharEnumField(Role, max_length=20)
    starts_at = Moment()
    ends_at = Moment(null=True)
    granted_by: fields.ForeignKeyNullableRelation["Account"] = fields.ForeignKeyField(
        "models.Account", related_name=False, null=True, on_delete=fields.RESTRICT
    )
    granted_by_id: UUID | None
    granted_at = Moment(auto_now_add=True)
    revoked_at = Moment(null=True)
    revoked_by: fields.ForeignKeyNullableRelation["Account"] = fields.ForeignKeyField(
        "models.Account", related_name=False, null=True, on_delete=fields.RESTRICT
    )
    revoked_by_id: UUID | None
    version = fields.IntField(default=1)

    class Meta:
        table = "role_grant"

    def holds_at(self, moment: datetime) -> bool:
        return (
            self.revoked_at is None
            and self.starts_at <= moment
            and (self.ends_at is None or moment < self.ends_at)
        )

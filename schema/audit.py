"""The audit trail, as clients see it."""

from auth.rights import Scope
from models.account import Account as AccountRow
from models.audit import AuditEntry as AuditEntryRow
from models.role import Role
from resolvers.pages import Term
from schema.directives import discloses, visible
from schema.views import column, member, row_by, text_beyond, to_one, view_of

DOCTOR, NURSE, INSPECTOR = Role.DOCTOR, Role.NURSE, Role.INSPECTOR


@view_of(
    AuditEntryRow,
    visible(DOCTOR, NURSE, rows=Scope.OWN),
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

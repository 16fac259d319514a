"""Shifts, duties and wishes about days, as clients see them."""

from collections.abc import AsyncIterator
from typing import Any

from auth.rights import Scope
from auth.rows import asked
from auth.viewer import Viewer
from models.change import ChangeKind
from models.conditions import Compare, Condition, every
from models.role import Role
from models.shift import DayWish as DayWishRow
from models.shift import Shift as ShiftRow
from models.shift import ShiftKind, ShiftStatus
from resolvers import shifts
from resolvers.pages import Term
from schema.changes import changed_rows
from schema.context import Context
from schema.directives import ANALYSED, EVERYONE, OVERSEEN, confirmed, visible
from schema.kinds import dictionary_of
from schema.operations import mutation, row, subscription
from schema.views import column, computed, enum_of, to_one, view_of

DOCTOR, NURSE, ADMIN, INSPECTOR = Role.DOCTOR, Role.NURSE, Role.ADMIN, Role.INSPECTOR
READERS = (DOCTOR, NURSE, ADMIN, INSPECTOR)
_NOT_NURSES = visible(*(role for role in EVERYONE if role is not NURSE))

enum_of(ShiftKind, HOME_DUTY=_NOT_NURSES, CONSULTATION=_NOT_NURSES)
enum_of(ShiftStatus)
dictionary_of(
    ShiftKind,
    visible(*READERS, Role.ANALYST),
    says="The kinds of shifts that exist for the role.",
)


def _statuses(viewer: Viewer) -> dict[ShiftStatus, Condition]:
    now = asked(viewer, "now")
    meaning: dict[ShiftStatus, Condition] = {
        status: Compare("state", "eq", status.value)
        for status in ShiftStatus
        if status is not ShiftStatus.DONE
    }
    approved = meaning[ShiftStatus.APPROVED]
    meaning[ShiftStatus.DONE] = every(approved, Compare("ends_at", "lte", now))
    meaning[ShiftStatus.APPROVED] = every(approved, Compare("ends_at", "gt", now))
    return meaning


@view_of(
    ShiftRow,
    visible(DOCTOR, NURSE, rows=Scope.DEPARTMENT),
    visible(ADMIN, INSPECTOR, rows=Scope.ALL),
    OVERSEEN,
    ANALYSED,
    confirmed(),
    order=(Term("starts_at"),),
    one="shift",
    many="shifts",
)
class Shift:
    """A stretch of work in a department: open, or somebody's."""

    id = column("ID", visible(*READERS), says="Its id.")
    kind = column("ShiftKind", visible(*READERS), OVERSEEN, ANALYSED, says="What work it is.")
    department = to_one("Department | None", visible(*READERS), OVERSEEN, ANALYSED, says="Where.")
    practitioner = to_one(
        "Practitioner | None", visible(*READERS), says="Whose; nobody's when open."
    )
    profession = column(
        "Profession | None",
        visible(*READERS),
        OVERSEEN,
        says="Who may take it; empty when any clinical worker may.",
    )
    starts_at = column("datetime", visible(*READERS), OVERSEEN, ANALYSED, says="When it begins.")
    ends_at = column("datetime", visible(*READERS), says="When it is over.")
    hours = computed(
        "Decimal",
        visible(*READERS),
        OVERSEEN,
        ANALYSED,
        says="How long it is, in hours.",
        value=lambda row, _: row.hours,
        span=("starts_at", "ends_at"),
    )
    status = computed(
        "ShiftStatus",
        visible(*READERS),
        OVERSEEN,
        ANALYSED,
        says="Where it stands; DONE once an approved shift is over.",
        value=lambda row, context: row.status_at(context.viewer.now),
        where=_statuses,
    )
    note = column(
        "str | None",
        visible(DOCTOR, NURSE, rows=Scope.OWN),
        visible(ADMIN),
        says="A note to the shift.",
    )
    absence_reason = column(
        "str | None",
        visible(DOCTOR, NURSE, rows=Scope.OWN),
        visible(ADMIN),
        says="Why the worker was absent.",
    )
    decision_reason = column(
        "str | None",
        visible(DOCTOR, NURSE, rows=Scope.OWN),
        visible(ADMIN),
        says="Why it was declined or cancelled.",
        filter=False,
    )
    decided_at = column(
        "datetime | None", visible(*READERS), says="When it was approved or declined."
    )
    version = column("int", visible(*READERS), says="Grows with every change.")


@view_of(
    DayWishRow,
    visible(DOCTOR, NURSE, rows=Scope.OWN),
    visible(ADMIN, rows=Scope.ALL),
    confirmed(),
    order=(Term("day"),),
)
class DayWish:
    """A worker's wish to be free on a day, or of one kind of shift on it."""

    id = column("ID", visible(DOCTOR, NURSE, ADMIN), says="Its id.")
    practitioner = to_one("Practitioner | None", visible(DOCTOR, NURSE, ADMIN), says="Whose wish.")
    day = column("date", visible(DOCTOR, NURSE, ADMIN), says="The day.")
    weight = column("int", visible(DOCTOR, NURSE, ADMIN), says="How much it matters: 1 and up.")


mutation(
    shifts.plan_shift,
    visible(ADMIN),
    says=(
        "Plans a shift: somebody's, or open for whoever asks. Somebody's may have begun or be "
        "over, so that work is entered late; an open one lies ahead."
    ),
    returns=row("Shift"),
)
mutation(
    shifts.request_shift,
    visible(DOCTOR, NURSE),
    says="Asks for an open shift. Of two who ask at once, one gets it.",
    returns=row("Shift"),
)
mutation(
    shifts.withdraw_shift_request,
    visible(DOCTOR, NURSE),
    says="Takes a request back: the shift is open again.",
    returns=row("Shift"),
)
mutation(
    shifts.update_shift_note,
    visible(DOCTOR, NURSE),
    says="Changes the note to one's own shift.",
    returns=row("Shift"),
)
mutation(
    shifts.approve_shift,
    visible(ADMIN),
    says="Approves a requested or planned shift; one's own only where nobody else can.",
    returns=row("Shift"),
)
mutation(
    shifts.decline_shift,
    visible(ADMIN),
    says="Declines a request; the work itself is open again.",
    returns=row("Shift"),
)
mutation(
    shifts.cancel_shift,
    visible(ADMIN),
    says="Cancels a shift that has not begun.",
    returns=row("Shift"),
)


@subscription(
    "shiftChanged",
    "Shift",
    visible(DOCTOR, NURSE),
    says="One's own shifts, each time one is planned, decided, cancelled or changed.",
)
def shift_changed(context: Context) -> AsyncIterator[Any]:
    return changed_rows(context, ChangeKind.SHIFT, ShiftRow)

"""Positions: the posts that a worker holds, apart from the person (DOMAIN G1)."""

from datetime import date
from decimal import Decimal
from uuid import UUID

from tortoise.expressions import Q

from auth.audit import record
from auth.rows import NotFound, existing, lock
from auth.viewer import Viewer
from core.errors import Problem
from models.change import ChangeKind
from models.database import unit_of_work
from models.feed import announce
from models.organisation import POSITIONS, DictionaryEntry
from models.practitioner import EmploymentType, Position, Practitioner, PractitionerStatus
from resolvers.forms import DatesReversed, day, hundredths, read, refuse
from resolvers.organisations import WEEKLY_NORM
from resolvers.standing import PractitionerDismissed, department_of
from resolvers.versions import next_version


class MainPositionHeld(Problem):
    """The worker has a main position for these days already; there is one at a time."""

    code = "MAIN_POSITION_HELD"


class PositionEnded(Problem):
    """The position has ended."""

    code = "POSITION_ENDED"


# The part of a full post that one position may be.
RATES = (Decimal("0.1"), Decimal("1.5"))


@unit_of_work
async def add_position(
    viewer: Viewer,
    *,
    practitioner_id: UUID,
    department_id: UUID,
    title_id: UUID,
    rate: Decimal,
    starts_on: date,
    ends_on: date | None = None,
    employment: EmploymentType = EmploymentType.MAIN,
    weekly_norm: Decimal | None = None,
) -> Position:
    """Gives a worker a post; their department is that of the main one.

    ``weekly_norm`` is that of a listed post: hours a week of the full one.

    Raises NotFound, PractitionerDismissed, MainPositionHeld, and Problems: OutOfRange,
    DateTooEarly, DatesReversed, NotFound.
    """
    # The person's row is locked, so two main positions cannot be added side by side.
    person = await lock(viewer, Practitioner, practitioner_id, "practitioner_id")
    if person.status is PractitionerStatus.DISMISSED:
        raise PractitionerDismissed("practitioner_id")
    problems: list[Problem] = []
    values = read(
        {"rate": rate, "weekly_norm": weekly_norm, "starts_on": starts_on, "ends_on": ends_on},
        {"rate": hundredths(*RATES), "weekly_norm": WEEKLY_NORM, "starts_on": day, "ends_on": day},
        problems=problems,
    )
    if ends_on is not None and ends_on < starts_on:
        problems.append(DatesReversed("ends_on"))
    problems += await _wrong_references(viewer, person, department_id, title_id)
    refuse(problems)
    if employment is EmploymentType.MAIN and await _has_main(person, starts_on, ends_on):
        raise MainPositionHeld("employment")

    position = await Position.create(
        organisation_id=person.organisation_id,
        practitioner_id=person.id,
        department_id=department_id,
        title_id=title_id,
        employment=employment,
        **values,
    )
    if employment is EmploymentType.MAIN and position.is_held_on(viewer.today):
        await _move(person, department_id)
    record(viewer, "POSITION_ADDED", position, about=person.id)
    return position


@unit_of_work
async def end_position(viewer: Viewer, *, id: UUID, ends_on: date) -> Position:
    """Sets the last day of a position. Raises NotFound, PositionEnded, DatesReversed."""
    position = await lock(viewer, Position, id)
    if position.ends_on is not None and position.ends_on < viewer.today:
        raise PositionEnded("id")
    if ends_on < position.starts_on:
        raise DatesReversed("ends_on")
    # A later day could run into the next main position: a position is added for that.
    if position.ends_on is not None and ends_on > position.ends_on:
        raise PositionEnded("ends_on")
    position.ends_on = ends_on
    await position.save(update_fields=["ends_on"])
    record(viewer, "POSITION_ENDED", position, about=position.practitioner_id)
    return position


async def _wrong_references(
    viewer: Viewer, person: Practitioner, department_id: UUID, title_id: UUID
) -> list[Problem]:
    problems: list[Problem] = []
    try:
        await department_of(viewer, person.organisation_id, department_id)
    except NotFound as missing:
        problems.append(missing)
    titles = existing(viewer, DictionaryEntry).filter(oid=POSITIONS)
    if not await titles.filter(id=title_id).exists():
        problems.append(NotFound("title_id"))
    return problems


async def _has_main(person: Practitioner, starts_on: date, ends_on: date | None) -> bool:
    """Whether a main position of the person shares a day with the period."""
    held = Position.filter(
        Q(ends_on__isnull=True) | Q(ends_on__gte=starts_on),
        practitioner_id=person.id,
        employment=EmploymentType.MAIN,
    )
    if ends_on is not None:
        held = held.filter(starts_on__lte=ends_on)
    return await held.exists()


async def _move(person: Practitioner, department_id: UUID) -> None:
    if person.department_id == department_id:
        return
    person.department_id = department_id
    next_version(person)
    await person.save()
    if person.account_id is not None:
        announce(ChangeKind.SESSION, account_id=person.account_id, subject_id=person.id)

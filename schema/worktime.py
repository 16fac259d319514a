"""Worked time, as clients see it: an object of numbers that a worker has for any period."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from auth.viewer import Viewer
from models.practitioner import Practitioner
from models.role import Role
from resolvers.worktime import period_of, worked_times
from schema.context import Context
from schema.directives import visible
from schema.fields import argument
from schema.views import computed, object_of

READERS = (Role.DOCTOR, Role.NURSE, Role.ADMIN, Role.INSPECTOR)
PERIOD = (
    argument("from", "date", "The first day, in the organisation's zone."),
    argument("to", "date", "The last day; at most a year after the first."),
)


@object_of(visible(*READERS))
class WorkedTime:
    """What a worker has worked in a period: approved shifts that are over, as far as within it."""

    hours = computed(
        "Decimal",
        visible(*READERS),
        says="Hours worked; a duty at home counts half.",
        value=lambda worked, _: worked.hours,
    )
    night_hours = computed(
        "Decimal",
        visible(*READERS),
        says="Those of them between 22:00 and 06:00 in the organisation's zone.",
        value=lambda worked, _: worked.night_hours,
    )
    home_duty_hours = computed(
        "Decimal",
        visible(*READERS),
        says="Hours of duty at home, in full; half of them are in `hours`.",
        value=lambda worked, _: worked.home_duty_hours,
    )
    norm = computed(
        "Decimal | None",
        visible(*READERS),
        says=(
            "Hours to be worked in the whole period: for each position held, weekly norm / 5 × "
            "rate for every Monday to Friday; public holidays are not taken off. Empty where no "
            "position is held, or a rate is not known."
        ),
        value=lambda worked, _: worked.norm,
    )
    overtime = computed(
        "Decimal | None",
        visible(*READERS),
        says="Hours over the norm of the whole period; empty where that is.",
        value=lambda worked, _: worked.overtime,
    )
    shifts = computed(
        "int",
        visible(*READERS),
        says="Shifts that began in the period: one over midnight counts once.",
        value=lambda worked, _: worked.shifts,
    )


def check_period(_viewer: Viewer, given: Mapping[str, Any]) -> None:
    """Raises PeriodOutOfRange."""
    period_of(given["from"], given["to"])


async def worked_time_of(person: Practitioner, context: Context, **days: date) -> Any:
    """A worker's time; read at once for all of whom the same period is asked."""
    period = period_of(days["from"], days["to"])

    async def read(people: list[Practitioner]) -> Any:
        return await worked_times(people, period, context.viewer.now)

    return await context.loaders.each(("worked time", period), read, person)

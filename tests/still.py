"""The world as it always is: its ids, codes and moments are the same in every run and database."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from tortoise import fields

from auth.viewer import Place, Viewer, Visit
from core.clock import utc_now
from models.fields import Text
from tests.api import Api
from tests.execution.perturbing import write
from tests.factories import NOW
from tests.schema.sight import Snapshot
from tests.world import PEOPLE, Person, world


class Still:
    """Everybody who asks, as viewers of one moment, and the rows there are."""

    def __init__(self, api: Api, viewers: dict[str, Viewer], rows: Snapshot) -> None:
        self.api = api
        self.viewers = viewers
        self.rows = rows


async def still(api: Api) -> Still:
    """Makes that world in an empty database."""
    begun = utc_now()
    made = await world(api.services.vault, now=NOW)
    viewers = {name: await _viewer(api, made.people[name]) for name in PEOPLE}
    found = await Snapshot.read()
    settled = _Settled(found, begun, utc_now())
    rows = Snapshot({model: [settled.row(row) for row in of] for model, of in found.rows.items()})
    await write(rows)
    return Still(api, {name: settled.viewer(viewer) for name, viewer in viewers.items()}, rows)


async def _viewer(api: Api, person: Person) -> Viewer:
    token = None
    if person.account is not None:
        token = await api.token(person.account, person.role, now=NOW)
    return await api.services.sessions.viewer(token, Visit(NOW, language="en"))


class _Settled:
    """Rows with ids of their number, and with what was random or of this moment made the same."""

    def __init__(self, found: Snapshot, begun: datetime, ended: datetime) -> None:
        self._present = (begun, ended)
        self._numbers: dict[UUID, int] = {}
        self._ids: dict[UUID, UUID] = {}
        for kind, rows in enumerate(found.rows.values(), 1):
            # Rows stand in the order in which they were made.
            for number, row in enumerate(rows, 1):
                self._numbers[row.id] = number
                self._ids[row.id] = UUID(f"019{kind:05d}-0000-7000-8000-{number:012d}")

    def row(self, row: Any) -> Any:
        number = self._numbers[row.id]
        for column in type(row)._meta.fields_db_projection:
            kind, value = type(row)._meta.fields_map[column], getattr(row, column)
            if isinstance(value, UUID):
                setattr(row, column, self._ids.get(value, UUID(int=number)))
            elif isinstance(kind, Text) and callable(kind.default):
                setattr(row, column, f"{value[:3]}{number:04d}-0000")
            elif column in ("hash", "previous_hash"):
                # They were of rows with other ids.
                setattr(row, column, f"{number - (column != 'hash'):064x}")
            elif isinstance(kind, fields.DatetimeField) and self._is_present(value):
                setattr(row, column, NOW - timedelta(minutes=number % 7))
        return row

    def _is_present(self, value: datetime | None) -> bool:
        begun, ended = self._present
        return value is not None and begun <= value <= ended

    def viewer(self, viewer: Viewer) -> Viewer:
        changed: dict[str, Any] = {
            name: self._ids[value]
            for name in ("account_id", "session_id", "practitioner_id")
            if (value := getattr(viewer, name)) is not None
        }
        return viewer._replace(
            departments=tuple(self._ids[each] for each in viewer.departments),
            places=tuple(
                Place(
                    self._ids[place.organisation_id],
                    None if place.department_id is None else self._ids[place.department_id],
                )
                for place in viewer.places
            ),
            **changed,
        )

"""Batching of reads within one request: rows by id, and pages by parent."""

from collections.abc import Callable, Hashable
from typing import Any
from uuid import UUID

from strawberry.dataloader import DataLoader
from tortoise.models import Model
from tortoise.queryset import QuerySet

from auth.rows import visible
from auth.viewer import Viewer
from resolvers.pages import Page, Slice, counts_by, pages_by


class Loaders:
    """The loaders of one request, made when first asked for."""

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        self._loaders: dict[Hashable, DataLoader[Any, Any]] = {}

    async def one(self, model: type[Model], row_id: UUID | None) -> Any:
        """The row with an id, where it exists for the viewer; else None."""
        if row_id is None:
            return None

        async def load(ids: list[UUID]) -> list[Model | None]:
            found = {row.pk: row for row in await visible(self._viewer, model).filter(id__in=ids)}
            return [found.get(key) for key in ids]

        return await self._loader(model, load).load(row_id)

    async def related(
        self, key: Hashable, rows: Callable[[], QuerySet[Any]], column: str, value: UUID | None
    ) -> Any:
        """The row of ``rows`` whose column has a value, read for all that ask under one key."""
        if value is None:
            return None

        async def load(values: list[UUID]) -> list[Any]:
            found = {
                getattr(row, column): row
                for row in await rows().filter(**{f"{column}__in": values})
            }
            return [found.get(each) for each in values]

        return await self._loader((key, column), load).load(value)

    async def each(self, key: Hashable, read: Callable[[list[Any]], Any], wanted: Any) -> Any:
        """What ``read`` finds for one row or value, read at once for all that ask under one key."""

        async def load(all_wanted: list[Any]) -> list[Any]:
            found = await read(all_wanted)
            return [found[each] for each in all_wanted]

        return await self._loader(key, load).load(wanted)

    async def page(
        self, call: Hashable, rows: Callable[[], QuerySet[Any]], by: str, parent: UUID, part: Slice
    ) -> Page[Any]:
        """A page of the parent's rows; ``call`` names the place in the document that asks."""

        async def load(parents: list[UUID]) -> list[Page[Any]]:
            pages = await pages_by(rows(), by, parents, part)
            return [pages[key] for key in parents]

        found: Page[Any] = await self._loader((call, "page"), load).load(parent)
        return found

    async def count(
        self, call: Hashable, rows: Callable[[], QuerySet[Any]], by: str, parent: UUID
    ) -> int:
        """How many rows the parent has."""

        async def load(parents: list[UUID]) -> list[int]:
            counts = await counts_by(rows(), by, parents)
            return [counts[key] for key in parents]

        return int(await self._loader((call, "count"), load).load(parent))

    def _loader(self, key: Hashable, load: Any) -> DataLoader[Any, Any]:
        if key not in self._loaders:
            self._loaders[key] = DataLoader(load_fn=load)
        return self._loaders[key]

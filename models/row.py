"""What every row is: a key, its own name for messages, and folded columns kept in step."""

from typing import Any

from tortoise.models import Model, ModelMeta

from models.fields import Folded, Key


class _RowMeta(ModelMeta):
    """Keeps docstrings out of the tables' comments: rewording one is no migration."""

    def __new__(cls, name: str, bases: tuple[type, ...], attrs: dict[str, Any]) -> type:
        row = super().__new__(cls, name, bases, attrs)
        row._meta.table_description = ""  # type: ignore[attr-defined]  # untyped in Tortoise
        return row


class Row(Model, metaclass=_RowMeta):
    """A row with a time-ordered id."""

    id = Key()

    class Meta:
        abstract = True

    async def save(self, *args: Any, update_fields: Any = None, **kwargs: Any) -> None:
        """Saves, and takes the folded companions of the named columns along."""
        if update_fields is not None:
            named = set(update_fields)
            named |= {
                name
                for name, field in self._meta.fields_map.items()
                if isinstance(field, Folded) and named & set(field.of)
            }
            update_fields = sorted(named)
        await super().save(*args, update_fields=update_fields, **kwargs)  # type: ignore[misc]

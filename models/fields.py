"""The column types of ours: what makes SQLite and PostgreSQL store and order alike."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from tortoise import fields
from tortoise.models import Model

from core.ids import uuid7
from core.text import fold


class Key(fields.UUIDField[UUID]):
    """The primary key of every row: a UUID of version 7."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"primary_key": True, "default": uuid7, **options})


class Text(fields.CharField[str]):
    """Text that orders by code point on every database (SQLite's BINARY, PostgreSQL's "C")."""

    class _db_postgres:
        def __init__(self, field: "Text") -> None:
            self.field = field

        @property
        def SQL_TYPE(self) -> str:
            return f'VARCHAR({self.field.max_length}) COLLATE "C"'


class Folded(Text):
    """The folded form of one or more other columns of its row, kept by every save.

    Whatever is assigned to it is ignored for a row; in a filter the value is folded.
    """

    def __init__(self, of: tuple[str, ...], max_length: int = 400, **options: Any) -> None:
        super().__init__(max_length=max_length, **{"default": "", **options})
        self.of = of

    def to_db_value(self, value: Any, instance: type[Model] | Model) -> Any:
        if isinstance(instance, Model):
            value = " ".join(getattr(instance, name) or "" for name in self.of)
            value = fold(value)[: self.max_length]
            setattr(instance, self.model_field_name, value)
            return value
        return fold(value) if isinstance(value, str) else value


class Json(fields.JSONField[Any]):
    """JSON in one canonical form, whatever encoders happen to be installed."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"encoder": canonical_json, "decoder": json.loads, **options})


def canonical_json(value: object) -> str:
    """Sorted keys, no spaces, no escapes for Cyrillic."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"))


class Moment(fields.DatetimeField[datetime]):
    """An instant: UTC, whole seconds. A foreign offset is turned into UTC before it is stored."""

    def to_db_value(self, value: Any, instance: type[Model] | Model) -> Any:
        value = super().to_db_value(value, instance)
        if isinstance(value, datetime):
            value = value.astimezone(UTC).replace(microsecond=0)
        return value


class Amount(fields.DecimalField[Decimal]):
    """A decimal number that keeps its places, so that every database prints ``0.50`` alike."""

    def to_db_value(self, value: Any, instance: type[Model] | Model) -> Any:
        return super().to_db_value(self._quantized(value), instance)

    def to_python_value(self, value: Any) -> Any:
        return self._quantized(super().to_python_value(value))

    def _quantized(self, value: Any) -> Any:
        if value is None:
            return None
        return Decimal(value).quantize(Decimal(1).scaleb(-self.decimal_places))

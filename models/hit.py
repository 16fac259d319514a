"""Hits: the counted events of rate limits, where these are kept in the database."""

from models.fields import Moment, Text
from models.row import Row


class Hit(Row):
    """One event that counts against a limit until it ends."""

    # A keyed hash of the limit's name and of whom it is for.
    key_hash = Text(max_length=64)
    at = Moment()
    ends_at = Moment(db_index=True)

    class Meta:
        table = "hit"
        indexes = (("key_hash", "at"),)

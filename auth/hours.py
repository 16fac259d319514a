"""The clock of the house: on it people are told until when they wait."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from auth.viewer import Viewer
from models.organisation import Organisation


async def on_our_clock(viewer: Viewer, moment: datetime) -> datetime:
    """A moment on the clock of the house, whoever asks.

    Where there are several organisations it is the usual one: the zone of an account's own would
    tell strangers where it belongs, and that it exists.
    """
    homes = await Organisation.all().limit(2)
    zone: str = homes[0].zone if len(homes) == 1 else viewer.zone
    return moment.astimezone(ZoneInfo(zone))


def whole_minute(moment: datetime) -> datetime:
    """The whole minute in which a moment has come: nobody is told to come back too soon."""
    return moment + timedelta(seconds=-moment.second % 60)

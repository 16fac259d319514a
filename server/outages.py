"""Outages: failures of a part in a row, told to everybody once there are too many."""

from collections import Counter
from datetime import datetime

from auth.rights import Rights
from auth.viewer import Viewer
from models.notice import ServicePart
from models.role import Role
from resolvers.notices import tell_outage, tell_recovery


class Outages:
    """Counts what one process finds out about parts; ``after`` so many failures a part is out."""

    def __init__(self, after: int) -> None:
        self._after = after
        self._failures: Counter[ServicePart] = Counter()

    def is_out(self, part: ServicePart) -> bool:
        return self._failures[part] >= self._after

    async def note(self, part: ServicePart, works: bool, now: datetime) -> None:
        """Notes one success or failure, and opens or ends the notice of an outage."""
        viewer = Viewer(rights=Rights(Role.ADMIN), now=now)
        if works:
            self._failures[part] = 0
            await tell_recovery(viewer, part)
            return
        self._failures[part] += 1
        if self.is_out(part):
            await tell_outage(viewer, part)

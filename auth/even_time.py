"""Even time: a stranger's mutation is answered at one of few moments, whatever it came to.

What is done for a contact that somebody has and for one that nobody has differs by hundredths of
a millisecond where all else is made alike, by what the database does for a foreign key. Whoever
asks often enough sees that; on a grid as wide as a sign-in takes, the moments are the same.
"""

import asyncio
from datetime import timedelta


class EvenTime:
    """Counts from its making; ``wait`` ends at a whole number of ``step``."""

    def __init__(self, step: timedelta) -> None:
        self._step = step.total_seconds()
        self._began = asyncio.get_running_loop().time()

    async def wait(self) -> None:
        """Waits for the next moment of the grid; without a step for nothing."""
        if self._step:
            took = asyncio.get_running_loop().time() - self._began
            await asyncio.sleep(self._step - took % self._step)

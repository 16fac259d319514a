"""What a server does beside answering: sends, deletes what is over, and looks at its parts."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from server.pruning import Pruning
from server.sending import Sending, deliverers_of
from server.services import Services
from server.watching import Watching

# So long a message on its way may take when the server stops; its claim runs out after that.
_GRACE_SECONDS = 2.0


@asynccontextmanager
async def working(services: Services) -> AsyncIterator[None]:
    """Does it until the block ends."""
    settings = services.settings
    sending = Sending(services.vault, deliverers_of(settings))
    sends = asyncio.create_task(sending.run())
    prunes = asyncio.create_task(
        Pruning(settings.sessions, settings.sign_in, services.storage).run()
    )
    watches = asyncio.create_task(Watching(services).run())
    try:
        yield
    finally:
        sending.stop()
        prunes.cancel()
        watches.cancel()
        await asyncio.wait({sends}, timeout=_GRACE_SECONDS)
        sends.cancel()
        await asyncio.gather(sends, prunes, watches, return_exceptions=True)
        await sending.close()

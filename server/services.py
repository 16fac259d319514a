"""The services: everything that lives as long as the server, built once from the settings."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from adapters.oidc import Client
from adapters.signatures import NOBODY, SignatureVerifier
from adapters.storage import DirectoryStorage, Storage
from auth.gate import Gate, open_gate
from auth.sessions import Sessions
from auth.viewer import Viewer
from core.sealing import Vault, open_vault
from core.settings import Settings
from execution.engine import Engine
from execution.persisted import Operations
from models.database import opened, settle
from models.feed import Feed
from models.role import Role
from schema.build import build
from schema.context import Context


@dataclass(frozen=True)
class Services:
    """What requests are served with."""

    settings: Settings
    vault: Vault
    gate: Gate
    signatures: SignatureVerifier
    feed: Feed
    sessions: Sessions
    engine: Engine
    storage: Storage
    # Gosuslugi, where this installation is known to it.
    esia: Client | None = None

    def context(self, viewer: Viewer) -> Context:
        return Context(viewer, self._named)

    @cached_property
    def _named(self) -> dict[str, Any]:
        """What resolvers name as keywords."""
        return {
            "settings": self.settings,
            "vault": self.vault,
            "gate": self.gate,
            "signatures": self.signatures,
            "sessions": self.sessions,
            "feed": self.feed,
            "esia": self.esia,
        }


def closed_to(settings: Settings) -> frozenset[Role]:
    """The roles that may not introspect their view."""
    return frozenset({Role.VISITOR} if settings.production else ())


@asynccontextmanager
async def services_of(
    settings: Settings,
    operations: Operations | None = None,
    signatures: SignatureVerifier = NOBODY,
    esia: Client | None = None,
) -> AsyncIterator[Services]:
    """The services over an open database, until the block ends.

    ``operations`` are the trusted ones, where no others shall run. ``esia`` is closed at the end.
    """
    schema = build()
    rights = {role: view.rights for role, view in schema.views.items()}
    async with opened(settings.database_url):
        feed = Feed(settings.database_url)
        listening = asyncio.create_task(feed.run())
        vault = open_vault(settings.home / "keys" / "vault.key")
        gate = open_gate(settings, vault)
        try:
            yield Services(
                settings=settings,
                vault=vault,
                gate=gate,
                signatures=signatures,
                feed=feed,
                sessions=Sessions(gate.signer, settings, rights, feed),
                engine=Engine(
                    schema,
                    settings.limits,
                    closed_to=closed_to(settings),
                    operations=operations,
                ),
                storage=DirectoryStorage(settings.home / "files"),
                esia=esia,
            )
        finally:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
            await settle()
            if esia is not None:
                await esia.close()
            await gate.limiter.close()

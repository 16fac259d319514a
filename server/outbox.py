"""The commands of the outbox: ``cabinet send`` sends what is due, ``cabinet outbox`` shows it."""

import asyncio
from collections import Counter
from typing import Annotated

import typer
from rich.console import Console

from auth.viewer import Viewer
from core.clock import utc_now
from core.sealing import open_vault
from core.settings import Settings
from models.database import opened, settle
from models.message import MessageState
from models.role import Role
from resolvers.outbox import Told, newest_messages, reveal_messages
from schema.build import build
from server.environment import settings
from server.sending import Sending, deliverers_of

_SHOWN = 20


def send_command() -> None:
    """Send what is due in the outbox, once. `cabinet serve` does so all the time.

    Exit code 1 where something must be tried again or was given up.
    """
    became = asyncio.run(_send(settings()))
    sent, later, failed = (
        became[state] for state in (MessageState.SENT, MessageState.QUEUED, MessageState.FAILED)
    )
    Console().print(f"Sent: {sent}. To be tried again: {later}. Given up: {failed}.")
    if later or failed:
        raise typer.Exit(1)


async def _send(found: Settings) -> Counter[MessageState]:
    async with opened(found.database_url):
        sending = Sending(open_vault(found.home / "keys" / "vault.key"), deliverers_of(found))
        try:
            return await sending.send_due()
        finally:
            await sending.close()
            await settle()


def outbox_command(
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many messages.")] = _SHOWN,
    reveal: Annotated[
        str | None,
        typer.Option(
            metavar="REASON",
            help="In production: show what is in them; the reason is kept in the audit trail.",
        ),
    ] = None,
) -> None:
    """Show the newest messages; in production without what is in them."""
    out = Console()
    shown = asyncio.run(_read(settings(), limit, reveal))
    for told in shown:
        head = (
            f"{told.created_at:%Y-%m-%d %H:%M:%S}Z",
            told.channel,
            told.state,
            told.to,
            told.error and f"({told.attempts}: {told.error})",
        )
        lines = (" ".join(filter(None, head)), told.subject, told.body)
        text = "\n  ".join(filter(None, lines))
        out.print(text, soft_wrap=True, highlight=False, markup=False)
    if not shown:
        out.print("The outbox is empty.")


async def _read(found: Settings, limit: int, reason: str | None) -> list[Told]:
    async with opened(found.database_url):
        vault = open_vault(found.home / "keys" / "vault.key")
        if not found.production or reason is None:
            return await newest_messages(vault, limit=limit, with_content=not found.production)
        viewer = Viewer(rights=build().views[Role.ADMIN].rights, now=utc_now())
        return await reveal_messages(viewer, vault, limit=limit, reason=reason)

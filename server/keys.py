"""The commands ``cabinet keys``: the keys that seal, and those that sign tokens, are rotated."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from auth.keys import retire_signing_keys, rotate_signing_keys
from auth.viewer import Viewer
from core.clock import utc_now
from core.sealing import add_key, open_vault, retire_keys
from core.settings import Settings
from models.database import opened
from models.role import Role
from resolvers.resealing import note_key_added, note_keys_retired, reseal
from schema.build import build
from server.environment import settings
from server.migrating import migrate_database

keys = typer.Typer(
    help="The keys that seal secrets and documents, and sign tokens.", no_args_is_help=True
)

out = Console()
err = Console(stderr=True)


@keys.callback()
def _keys() -> None:
    # With one command alone typer would leave its name out.
    pass


@keys.command()
def rotate(
    add_only: Annotated[
        bool,
        typer.Option("--add-only", help="Add the key and stop: to copy it to other machines."),
    ] = False,
    retire: Annotated[
        bool,
        typer.Option("--retire", help="Add none, and in the end drop every key but the newest."),
    ] = False,
    signing: Annotated[
        bool, typer.Option("--signing", help="The keys that sign access tokens, and no others.")
    ] = False,
) -> None:
    """Add a key, and seal every value anew with it. Begun again, it goes on where it was.

    While an older key is not retired no other is added, and whatever it sealed stays readable.
    Backups from before need the key that is retired. A key that signs is added at any time, and
    of the older ones two stay.
    """
    if add_only and (retire or signing):
        raise typer.BadParameter("--add-only goes with neither --retire nor --signing.")
    found = settings()
    asyncio.run(migrate_database(found.database_url))
    if signing:
        asyncio.run(_rotate_signing(found, retire=retire))
        return
    path = found.home / "keys" / "vault.key"
    if not asyncio.run(_rotate(found, path, add_only=add_only, retire=retire)):
        err.print("[red]Some values can be opened with no key: nothing was retired.[/]")
        raise typer.Exit(1)


async def _rotate_signing(found: Settings, *, retire: bool) -> None:
    path = found.home / "keys" / "signing.keys"
    async with opened(found.database_url):
        if retire:
            dropped = retire_signing_keys(path)
            await note_keys_retired(_viewer(), "SIGNING", dropped)
            out.print(f"Keys retired: {dropped}. Tokens that they signed are renewed.")
        else:
            rotate_signing_keys(path)
            await note_key_added(_viewer(), "SIGNING")
            out.print("A key was added: new access tokens are signed with it.")


def _viewer() -> Viewer:
    return Viewer(rights=build().views[Role.ADMIN].rights, now=utc_now())


async def _rotate(found: Settings, path: Path, *, add_only: bool, retire: bool) -> bool:
    """Whether every value can be opened."""
    viewer = _viewer()
    async with opened(found.database_url):
        if not retire:
            await _add(viewer, path)
        if add_only:
            return True
        vault = open_vault(path)
        broken = 0
        async for model in reseal(viewer, vault=vault):
            out.print(f"{model.name:<20} {model.values} values, {model.anew} sealed anew")
            if model.broken:
                err.print(f"[red]{model.name}: {model.broken} values can be opened with no key[/]")
            broken += model.broken
        if retire and not broken:
            dropped = retire_keys(path)
            await note_keys_retired(viewer, "VAULT", dropped)
            out.print(f"Keys retired: {dropped}")
        return broken == 0


async def _add(viewer: Viewer, path: Path) -> None:
    if add_key(path):
        await note_key_added(viewer, "VAULT")
        out.print("A key was added: new values are sealed with it.")
    else:
        out.print("An older key is not retired yet: no key was added.")

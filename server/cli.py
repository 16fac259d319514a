"""The command line: serve, migrate, demo, import, outbox, schema, token, keys, audit."""

import asyncio
import gc
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import asyncpg
import pyotp
import typer
from rich.console import Console
from rich.markup import escape
from tortoise.exceptions import DBConnectionError, OperationalError

from adapters.esia import EsiaMisconfigured
from adapters.signatures import AuthoritiesInvalid
from auth import audit as trail
from auth.audit import Break
from auth.gate import open_gate
from auth.viewer import Viewer
from core.clock import utc_now
from core.errors import Problem
from core.sealing import open_vault
from core.settings import Settings
from core.translation import message
from execution.problems import Refused
from execution.requests import Request
from models.database import DatabaseUrlInvalid, opened
from models.role import Role
from resolvers.demo import DemoAccount, DemoNotEmpty, demo_accounts, load_demo
from resolvers.founding import found_organisation
from schema.build import build
from schema.printing import permissions_of, printed, printed_for
from server import outbox_page
from server.application import PAGE, application
from server.checking_operations import checked
from server.demo_tokens import NotDemo, demo_token
from server.environment import settings
from server.explaining import NotExplained, explained
from server.importing import import_command
from server.keys import keys
from server.listening import listen
from server.migrating import migrate_database
from server.outbox import outbox_command, send_command
from server.trusted_operations import ListInvalid
from server.variables import SettingInvalid

T = TypeVar("T")

app = typer.Typer(
    name="cabinet",
    help="The medical worker's cabinet: a GraphQL backend with roles by directive.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
audit = typer.Typer(help="The audit trail.", no_args_is_help=True)
app.add_typer(audit, name="audit")
operations = typer.Typer(help="Lists of operations.", no_args_is_help=True)
app.add_typer(operations, name="operations")
app.add_typer(keys, name="keys")
app.command("import")(import_command)
app.command("outbox")(outbox_command)
app.command("send")(send_command)

out = Console()
err = Console(stderr=True)


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="The address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="The port to listen on.")] = None,
) -> None:
    """Serve GraphQL and the GraphiQL page. Migrates the database first."""
    found = _settings(port)
    try:
        served = application(found, works=True)
    except (ListInvalid, AuthoritiesInvalid, EsiaMisconfigured) as error:
        _fail(str(error))
        raise
    asyncio.run(migrate_database(found.database_url))
    if found.production and _in_database(found, demo_accounts):
        err.print("[yellow]There are demo accounts here: in production nobody signs in to them.[/]")
    if found.trusted_operations is None and not (PAGE / "index.html").exists():
        err.print("[yellow]The GraphiQL page is not built: run `make web`.[/] The API serves on.")
    # The views of the roles live as long as the process: looking through them for garbage, which
    # the collector does now and then, would keep every request waiting for a tenth of a second.
    build()
    gc.collect()
    gc.freeze()
    listen(served, host or found.host, found)


@app.command()
def migrate() -> None:
    """Bring the database to the newest migration."""
    asyncio.run(migrate_database(_settings().database_url))
    out.print("The database is up to date.")


@app.command()
def demo(
    if_empty: Annotated[
        bool, typer.Option("--if-empty", help="Do nothing when there are rows.")
    ] = False,
) -> None:
    """Fill an empty database with an organisation to try things on, and show its accounts."""
    found = _settings()
    if found.production:
        _fail("This is production: demo accounts, whose passwords everybody knows, are not for it.")
    asyncio.run(migrate_database(found.database_url))
    try:
        with err.status("Loading the demo organisation…"):
            accounts = _in_database(found, lambda: load_demo_into(found))
    except DemoNotEmpty:
        if not if_empty:
            _fail("The database is not empty: the demo data would mix with real rows.")
        accounts = _in_database(found, demo_accounts)
    _show(accounts, found)


async def load_demo_into(found: Settings) -> list[DemoAccount]:
    gate = open_gate(found, open_vault(found.home / "keys" / "vault.key"))
    return await load_demo(gate=gate, now=utc_now(), hash_password=gate.passwords.hash)


def _show(accounts: list[DemoAccount], found: Settings) -> None:
    if not accounts:
        return
    # Not a table: whatever is to be copied must stand whole, on a narrow terminal too.
    out.print("[bold]Demo accounts[/]")
    for account in accounts:
        roles = ", ".join(role.value for role in account.roles) or Role.CITIZEN.value
        out.print(f"\n  {account.name} [dim]({roles})[/]")
        for name, value in (
            ("login", account.login),
            ("password", account.password),
            ("TOTP secret", account.totp_secret),
            ("code now", pyotp.TOTP(account.totp_secret).now()),
        ):
            out.print(f"    {name:<12} {value}", soft_wrap=True, highlight=False)
    address = f"http://{found.host}:{found.port}"
    out.print(f"\nGraphiQL  [bold]{address}/graphiql[/]", soft_wrap=True, highlight=False)
    out.print(f"GraphQL   {address}/graphql", soft_wrap=True, highlight=False)
    if outbox_page.is_served(found):
        out.print(f"Messages  {address}{outbox_page.PATH}", soft_wrap=True, highlight=False)
    out.print("\nTry: sign in as the doctor, run an example, then switch to ADMIN in the header.")
    out.print("A token for a script: cabinet token --role DOCTOR")


@app.command()
def organisation(
    name: Annotated[str, typer.Argument(help="Its name.")],
    admin: Annotated[str, typer.Option(help="The e-mail of its first administrator.")],
    zone: Annotated[str, typer.Option(help="Its IANA time zone, or UTC.")] = "Europe/Moscow",
    ogrn: Annotated[str | None, typer.Option(help="Its ОГРН.")] = None,
) -> None:
    """Found an organisation and invite its first administrator."""
    found = _settings()
    asyncio.run(migrate_database(found.database_url))
    viewer = Viewer(rights=build().views[Role.ADMIN].rights, now=utc_now())
    founded = _in_database(
        found,
        lambda: found_organisation(viewer, name=name, admin_email=admin, zone=zone, ogrn=ogrn),
    )
    out.print(f"Founded: {founded.organisation.name}")
    out.print(f"The invitation of {founded.invited.account.email}, good for 72 hours:")
    out.print(f"  {founded.invited.code}", highlight=False)
    out.print("Open the account by beginInvitation and acceptInvitation, then sign in.")


@app.command()
def schema(
    role: Annotated[
        Role | None, typer.Option(help="The view of this role only.", case_sensitive=False)
    ] = None,
    write: Annotated[bool, typer.Option("--write", help="Write schema.graphql.")] = False,
) -> None:
    """Print the schema: whole, with its directives, or as one role sees it."""
    text = printed(build()) if role is None else printed_for(build(), role)
    if write:
        Path("schema.graphql").write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(text)


@app.command()
def permissions(
    write: Annotated[bool, typer.Option("--write", help="Write docs/permissions.md.")] = False,
) -> None:
    """Print the permission matrix: every field by every role."""
    text = permissions_of(build())
    if write:
        Path("docs/permissions.md").write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(text)


@app.command()
def token(
    role: Annotated[Role, typer.Option(help="The role to act in.", case_sensitive=False)],
) -> None:
    """Print an access token of a demo account that acts in a role. Demo accounts only."""
    found = _settings()
    try:
        sys.stdout.write(_in_database(found, lambda: demo_token(found, role)) + "\n")
    except NotDemo as error:
        _fail(str(error))


def _variables(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise typer.BadParameter('An object of JSON is needed, such as {"first": 5}.')
    return found


def _refusal(error: dict[str, Any]) -> str:
    """Why a document is refused, and at which value of it."""
    place = error["extensions"].get("field")
    return f"Refused: {error['message']}" + (f" ({place})" if place else "")


@app.command()
def explain(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="A document.")
    ],
    role: Annotated[Role, typer.Option(help="The role that asks.", case_sensitive=False)],
    variables: Annotated[
        Any, typer.Option(help="The variables.", parser=_variables, metavar="JSON")
    ] = "{}",
    operation: Annotated[str | None, typer.Option(help="The one meant, of several.")] = None,
    account: Annotated[
        str | None, typer.Option(help="The public id of who asks; else a demo account.")
    ] = None,
) -> None:
    """Show how a query is read: its statement and the database's plan, or why it has none.

    Nothing is run or written for an account, and no row of anybody's is shown.
    """
    found = _settings()
    try:
        request = Request(file.read_text(encoding="utf-8"), variables, operation)
        told = asyncio.run(explained(found, role, request, account))
    except UnicodeDecodeError:
        _fail(f"{file} is not text in UTF-8.")
        raise
    except (NotDemo, NotExplained, ValueError) as error:
        _fail(str(error))
        raise
    except Refused as refused:
        _fail("\n".join(map(_refusal, refused.errors)))
        raise
    sys.stdout.write(told + "\n")


@operations.command()
def check(
    file: Annotated[Path, typer.Argument(help="A list of operations with their hashes.")],
) -> None:
    """Show which roles can run each operation of a list, and whether as one statement."""
    found = _settings()

    async def every() -> bool:
        whole = True
        async for told, runs in checked(found, file):
            sys.stdout.write(told + "\n")
            whole = whole and runs
        return whole

    try:
        whole = asyncio.run(every())
    except ListInvalid as error:
        _fail(str(error))
        raise
    if not whole:
        raise typer.Exit(1)


@audit.command()
def verify() -> None:
    """Walk the audit chain and name every place where it does not hold."""

    async def walk() -> tuple[int, list[Break]]:
        count, breaks = 0, []
        async for found in trail.verify():
            if isinstance(found, Break):
                breaks.append(found)
            else:
                count = found
        return count, breaks

    count, breaks = _in_database(_settings(), walk)
    for found in breaks:
        err.print(f"[red]entry {found.position}: {found.what}[/]")
    if breaks:
        raise typer.Exit(1)
    out.print(f"The chain of {count} entries holds.")


def _settings(port: int | None = None) -> Settings:
    try:
        return settings(port)
    except SettingInvalid as error:
        _fail(str(error))
        raise


def _in_database(found: Settings, work: Callable[[], Awaitable[T]]) -> T:
    async def run() -> T:
        async with opened(found.database_url):
            return await work()

    return asyncio.run(run())


def _fail(text: str) -> None:
    err.print(f"[red]{escape(text)}[/]", soft_wrap=True, highlight=False)
    raise typer.Exit(1)


def main() -> None:
    """The entry point of ``cabinet``: what a person can mend is one sentence, not a traceback."""
    try:
        app()
    except Problem as problem:
        text = message("ru", problem.code, **problem.values)
    except (DatabaseUrlInvalid, SettingInvalid) as error:
        text = str(error)
    except (DBConnectionError, OSError, asyncpg.PostgresError) as error:
        text = f"The database does not answer, or refuses: {type(error).__name__}."
    except OperationalError as error:
        text = f"The database cannot be used ({error}): perhaps `cabinet migrate` was not run yet."
    else:
        return
    err.print(f"[red]{escape(text)}[/]", soft_wrap=True, highlight=False)
    sys.exit(1)

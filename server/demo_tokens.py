"""Access tokens of demo accounts for scripts and examples: never of anybody else's."""

from auth.gate import open_gate
from auth.rights import Rights
from auth.sessions import grants_of, held_roles
from auth.viewer import Viewer
from core.clock import utc_now
from core.sealing import open_vault
from core.settings import Settings
from models.account import Account
from models.role import Role
from resolvers.sessions import open_session


class NotDemo(Exception):
    """There is no demo account that holds the role."""


async def demo_token(settings: Settings, role: Role) -> str:
    """An access token of the first demo account that holds a role, acting in it."""
    now = utc_now()
    gate = open_gate(settings, open_vault(settings.home / "keys" / "vault.key"))
    for account in await Account.filter(is_demo=True).order_by("created_at", "id"):
        if role in held_roles(await grants_of(account.id, now), now):
            viewer = Viewer(rights=Rights(role), now=now, account_id=account.id)
            chosen = account.last_role
            opened = await open_session(viewer, gate=gate, account=account, role=role)
            # A token for a script chooses no role for the person's next sign-in.
            await Account.filter(id=account.id).update(last_role=chosen)
            return opened.access_token
    raise NotDemo(
        f"No demo account holds {role.value}: run `cabinet demo` on an empty database first."
    )

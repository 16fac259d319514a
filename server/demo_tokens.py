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
from resolvers.sessions import script_token


class NotDemo(Exception):
    """There is no demo account that holds the role."""


async def demo_token(settings: Settings, role: Role) -> str:
    """An access token of the first demo account that holds a role, acting in it; raises NotDemo."""
    if settings.production:
        raise NotDemo("This is production: nobody signs in to a demo account here.")
    now = utc_now()
    gate = open_gate(settings, open_vault(settings.home / "keys" / "vault.key"))
    known: set[Role] = set()
    for account in await Account.filter(is_demo=True).order_by("created_at", "id"):
        held = held_roles(await grants_of(account.id, now), now)
        if role in held:
            viewer = Viewer(rights=Rights(role), now=now, device="cabinet token")
            return await script_token(viewer, gate=gate, account=account, role=role)
        known.update(held)
    if not known:
        raise NotDemo("There are no demo accounts: run `cabinet demo` on an empty database first.")
    names = ", ".join(each.value for each in Role if each in known)
    raise NotDemo(f"No demo account holds {role.value}; there are accounts for {names}.")

"""What the tests of signing in share: a gate, rights in every role, and people with factors."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pyotp

from auth.gate import Gate, open_gate
from auth.rights import Rights, RowRights, Scope
from auth.rows import REACH
from auth.viewer import Viewer
from core.sealing import open_vault
from core.settings import Settings
from models.account import Account
from models.organisation import Organisation
from models.role import Role
from resolvers.accounts import create_account
from tests import factories as make

PASSWORD = "тихий омут 42 кита"
WIDE = (Role.ADMIN, Role.INSPECTOR, Role.OPERATOR)


def _rights(role: Role) -> Rights:
    if role is Role.VISITOR:
        return Rights(role)
    if role in WIDE:
        return Rights(role, {model: RowRights(frozenset({Scope.ALL})) for model in REACH})
    own = {model: RowRights(frozenset({Scope.OWN})) for model, reach in REACH.items() if reach.own}
    return Rights(role, own)


RIGHTS = {role: _rights(role) for role in Role}


def settings(home: Path) -> Settings:
    return Settings(database_url="", home=home)


def gate(home: Path) -> Gate:
    return open_gate(settings(home), open_vault(home / "keys" / "vault.keys"))


def visitor(now: datetime = make.NOW, address: str = "192.0.2.1") -> Viewer:
    return Viewer(
        rights=RIGHTS[Role.VISITOR],
        now=now,
        held=(Role.VISITOR,),
        address=address,
        device="Firefox",
    )


@dataclass
class Person:
    """Somebody with both factors in hand."""

    account: Account
    secret: str

    @property
    def login(self) -> str:
        return str(self.account.email)

    def code(self, now: datetime) -> str:
        return pyotp.TOTP(self.secret).at(now)


async def person(
    gate: Gate, organisation: Organisation | None = None, *roles: Role, **values: str
) -> Person:
    """An account with the usual password, and grants of roles in an organisation."""
    secret = pyotp.random_base32()
    number = make._next()
    account = await create_account(
        visitor(),
        gate=gate,
        password=PASSWORD,
        totp_secret=secret,
        organisation_id=organisation.id if organisation else None,
        email=values.get("email", f"somebody{number}@example.org"),
        phone=values.get("phone", f"+7901{number:07d}"),
    )
    for role in roles:
        assert organisation is not None
        await make.grant(account, role, organisation)
    return Person(account, secret)


async def admin_of(organisation: Organisation, **values: object) -> Viewer:
    """An administrator of a whole organisation, or of the department named."""
    account = await make.account(organisation)
    await make.grant(account, Role.ADMIN, organisation)
    return await make.viewer(
        Role.ADMIN,
        account=account,
        organisation=organisation,
        rights=RIGHTS[Role.ADMIN],
        **values,
    )

"""The people of the server's tests: somebody who holds roles, with a file in the registry."""

from dataclasses import dataclass

from models.account import Account
from models.organisation import Department, Organisation
from models.practitioner import Practitioner
from models.role import Role
from tests import factories as make


@dataclass
class Somebody:
    """An account with a file, and where it works."""

    account: Account
    practitioner: Practitioner
    organisation: Organisation
    department: Department


async def somebody(*roles: Role, beside: Somebody | None = None) -> Somebody:
    """A person who holds these roles, alone in an organisation or beside a colleague."""
    organisation = beside.organisation if beside else await make.organisation()
    department = beside.department if beside else await make.department(organisation)
    account = await make.account(organisation)
    practitioner = await make.practitioner(department, account=account)
    for role in roles:
        await make.grant(account, role, organisation)
    return Somebody(account, practitioner, organisation, department)

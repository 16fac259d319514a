"""An organisation is founded with one administrator, who is invited."""

import pytest

from auth import audit
from auth.rights import Rights
from auth.viewer import Viewer
from models.account import Account, AccountState, Invitation
from models.grant import RoleGrant
from models.organisation import Organisation
from models.role import Role
from resolvers.forms import IdentityUnavailable
from resolvers.founding import ZoneUnknown, found_organisation
from tests import factories as make


def someone() -> Viewer:
    return Viewer(rights=Rights(Role.ADMIN), now=make.NOW)


async def test_its_administrator_is_invited_and_holds_the_whole_of_it(database: str) -> None:
    founded = await found_organisation(
        someone(), name=" ГКБ № 1 ", admin_email=" Head@Example.org ", zone="Asia/Omsk"
    )

    account = await Account.get()
    assert (account.email, account.state) == ("head@example.org", AccountState.INVITED)
    assert (await Organisation.get()).name == "ГКБ № 1"
    grant = await RoleGrant.get()
    assert grant.role is Role.ADMIN
    assert grant.department_id is None
    assert await RoleGrant.filter(ends_at__isnull=True).count() == 1
    assert (await Invitation.get()).account_id == founded.invited.account.id
    assert [found async for found in audit.verify()] == [1]


async def test_a_wrong_zone_or_a_taken_address_founds_nothing(database: str) -> None:
    await make.account(email="head@example.org")
    for zone in ("Europe/Atlantis", "EET", "CET", "MET", "WET", "localtime", ""):
        with pytest.raises(ZoneUnknown):
            await found_organisation(someone(), name="А", admin_email="new@example.org", zone=zone)
    with pytest.raises(IdentityUnavailable):
        await found_organisation(
            someone(), name="А", admin_email="head@example.org", zone="Europe/Moscow"
        )

    assert await Organisation.all().count() == 0

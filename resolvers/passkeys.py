"""Passkeys of one's own: added, named and removed."""

from typing import Any
from uuid import UUID

from tortoise.exceptions import IntegrityError

from auth import challenges
from auth.audit import record
from auth.challenges import LIFETIME
from auth.gate import Gate
from auth.passkeys import Asked, PasskeyInvalid, check_made, creation_options, read_made
from auth.rows import lock
from auth.viewer import Viewer
from core.errors import Problem
from core.settings import Settings
from models.account import Account
from models.database import unit_of_work
from models.factor import ChallengePurpose, Passkey, SecondFactor
from resolvers.alerts import Alert, alert
from resolvers.forms import read, refuse, text
from resolvers.second_factors import check_another_stays

MOST = 10
_CHECKS = {"name": text(100)}


class TooManyPasskeys(Problem):
    """An account has ten passkeys at most: remove one that is not used any more."""

    code = "TOO_MANY_PASSKEYS"


@unit_of_work
async def begin_passkey(viewer: Viewer, *, gate: Gate, settings: Settings) -> Asked:
    """Asks a browser for a new passkey of the viewer's, in this session; raises TooManyPasskeys."""
    account = await Account.get(id=viewer.account_id)
    known = await Passkey.filter(account_id=account.id).order_by("id")
    if len(known) >= MOST:
        raise TooManyPasskeys
    begun = await challenges.begin(
        viewer,
        gate=gate,
        purpose=ChallengePurpose.PASSKEY_REGISTRATION,
        account_id=account.id,
        session_id=viewer.session_id,
    )
    record(viewer, "PASSKEY_BEGUN", account, about=viewer.practitioner_id)
    options = creation_options(
        settings.passkeys,
        challenge=begun.value,
        account_id=account.id,
        login=account.email or account.phone or account.public_id,
        known=known,
        lifetime=LIFETIME,
    )
    return Asked(options, begun.challenge.expires_at)


async def add_passkey(
    viewer: Viewer, *, gate: Gate, settings: Settings, name: str, credential: str
) -> Passkey:
    """Adds the passkey that a browser made.

    Raises Required, TooLong, TextInvalid about the name, PasskeyInvalid, ChallengeInvalid about
    the credential, TooManyPasskeys.
    """
    problems: list[Problem] = []
    values = read({"name": name}, _CHECKS, required=["name"], problems=problems)
    challenge = ""
    try:
        made = read_made(credential, "credential")
        challenge = made.challenge
        values |= check_made(settings.passkeys, made, "credential")
    except Problem as problem:
        problems.append(problem)
    refuse(problems)
    return await _add(viewer, gate, challenge, values)


@unit_of_work
async def _add(viewer: Viewer, gate: Gate, value: str, values: dict[str, Any]) -> Passkey:
    # One at a time, so that nobody adds an eleventh beside the tenth.
    account = await Account.filter(id=viewer.account_id).select_for_update(no_key=True).get()
    challenge = await challenges.find(
        viewer,
        purpose=ChallengePurpose.PASSKEY_REGISTRATION,
        value=value,
        account_id=account.id,
        session_id=viewer.session_id,
        field="credential",
    )
    await challenges.use(viewer, challenge, "credential")
    if await Passkey.filter(account_id=account.id).count() >= MOST:
        raise TooManyPasskeys
    try:
        passkey = await Passkey.create(account_id=account.id, created_at=viewer.now, **values)
    except IntegrityError:
        # An authenticator makes each one anew: this one is known, and whose is not told.
        raise PasskeyInvalid("credential") from None
    record(viewer, "PASSKEY_ADDED", passkey, about=viewer.practitioner_id)
    await alert(viewer, gate=gate, account=account, what=Alert.FACTOR_ADDED)
    return passkey


@unit_of_work
async def rename_passkey(viewer: Viewer, *, id: UUID, name: str) -> Passkey:
    """Another name for one's passkey; raises NotFound, Required, TooLong, TextInvalid."""
    problems: list[Problem] = []
    values = read({"name": name}, _CHECKS, required=["name"], problems=problems)
    refuse(problems)
    passkey = await lock(viewer, Passkey, id, "id")
    passkey.name = values["name"]
    await passkey.save(update_fields=["name"])
    record(viewer, "PASSKEY_RENAMED", passkey, about=viewer.practitioner_id)
    return passkey


@unit_of_work
async def remove_passkey(viewer: Viewer, *, gate: Gate, id: UUID) -> Passkey:
    """Removes one's passkey, but not the last second factor; raises NotFound, LastFactor."""
    # The account first: of two who remove the last two at once, one is refused.
    account = await Account.filter(id=viewer.account_id).select_for_update(no_key=True).get()
    passkey = await lock(viewer, Passkey, id, "id")
    if await Passkey.filter(account_id=account.id).count() == 1:
        await check_another_stays(account, SecondFactor.PASSKEY)
    await passkey.delete()
    record(viewer, "PASSKEY_REMOVED", passkey, about=viewer.practitioner_id)
    await alert(viewer, gate=gate, account=account, what=Alert.FACTOR_REMOVED)
    return passkey

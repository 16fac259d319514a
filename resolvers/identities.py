"""Who the owner of an account is, in their own words: at registering or afterwards, and mended."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from auth.audit import record
from auth.gate import Gate
from auth.identities import set_number
from auth.limits import Limit
from auth.viewer import Viewer
from core.errors import Problem
from models import identifiers
from models.account import Account
from models.change import ChangeKind
from models.database import current_unit, unit_of_work
from models.feed import announce
from models.identity import Identity
from resolvers.alerts import Alert, alert
from resolvers.forms import Check, complete, name, past, read, refuse, written_day
from resolvers.owned_numbers import lose_stated
from resolvers.standing import closed_file_of
from resolvers.versions import next_version


class UnderAge(Problem):
    """Somebody who may not yet act for themselves."""

    code = "UNDER_AGE"


# Full capacity to act: Civil Code, article 21.
_ADULT = 18
NEEDED = ("last_name", "first_name", "birth_date", "passport", "inn")

# What is stated is compared with the registry, and is not to be tried out there.
STATING = Limit("state identity", 5, timedelta(days=1))


async def state_identity(viewer: Viewer, *, gate: Gate, **values: Any) -> Account:
    """Says who the viewer is, and proves nothing.

    Who has said so before mends it: what stood on those words falls, and is confirmed anew. Every
    contact is told, the first time too: the passport opens the account at a visit. Raises
    AlreadyAttached where the registry says it, TooManyAttempts, and Problems: Required, TooLong,
    TextInvalid, DateInvalid, DateInFuture, DateTooEarly, UnderAge and those of
    ``models.identifiers``.
    """
    problems: list[Problem] = []
    form = read(
        complete(values, NEEDED), identity_checks(viewer), required=NEEDED, problems=problems
    )
    refuse(problems)
    await gate.limiter.hit(viewer, STATING, str(viewer.account_id))
    return await _state(viewer, gate, form)


@unit_of_work
async def _state(viewer: Viewer, gate: Gate, form: dict[str, Any]) -> Account:
    account = await Account.filter(id=viewer.account_id).select_for_update(no_key=True).get()
    await closed_file_of(account)
    found = Identity.filter(account_id=account.id).select_for_update(no_key=True)
    identity = await found.get_or_none()
    if identity is None:
        await save_identity(gate, account.id, form)
        record(viewer, "IDENTITY_STATED", account)
        await alert(viewer, gate=gate, account=account, what=Alert.IDENTITY_STATED)
        return account
    lose_stated(gate, account, identity)
    _write(gate, identity, form)
    next_version(identity)
    await identity.save()
    await account.save(update_fields=["confirmed_at", "confirmed_by"])
    record(viewer, "IDENTITY_STATED", account, again=True)
    announce(ChangeKind.SESSION, account_id=account.id, subject_id=account.id)
    await alert(viewer, gate=gate, account=account, what=Alert.IDENTITY_STATED)
    return account


def identity_checks(viewer: Viewer) -> dict[str, Check]:
    """How each value is read."""
    return {
        "last_name": name(120),
        "first_name": name(120),
        "patronymic": name(120),
        "birth_date": _birth_date(viewer),
        "passport": identifiers.russian_passport,
        "inn": identifiers.inn_of_person,
    }


async def save_identity(
    gate: Gate, account_id: UUID, form: dict[str, Any], specialty_id: UUID | None = None
) -> None:
    """Keeps what was read, in the caller's unit of work; the INN is claimed and not bound."""
    current_unit()
    identity = Identity(account_id=account_id, specialty_id=specialty_id)
    _write(gate, identity, form)
    await identity.save(force_create=True)


def _write(gate: Gate, identity: Identity, form: dict[str, Any]) -> None:
    names = ("last_name", "first_name", "patronymic", "birth_date")
    identity.update_from_dict({name: form.get(name) for name in names})
    set_number(gate, identity, "passport", form["passport"])
    # Without its hash it keeps nobody out.
    identity.update_from_dict({"inn_sealed": gate.vault.seal(form["inn"]), "inn_hash": None})


def _birth_date(viewer: Viewer) -> Check:
    today = viewer.today

    def check(value: str, field: str) -> date:
        born: date = past(today)(written_day(value, field), field)
        had_birthday = (today.month, today.day) >= (born.month, born.day)
        if today.year - born.year - (not had_birthday) < _ADULT:
            raise UnderAge(field, age=_ADULT)
        return born

    return check

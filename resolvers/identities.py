"""Who the owner of an account is, in their own words: stated once, at registering or afterwards."""

from datetime import date
from typing import Any
from uuid import UUID

from auth.audit import record
from auth.gate import Gate
from auth.identities import set_number
from auth.viewer import Viewer
from core.errors import Problem
from models import identifiers
from models.account import Account
from models.database import current_unit, unit_of_work
from models.identity import Identity
from resolvers.forms import Check, complete, name, past, read, refuse, written_day
from resolvers.standing import closed_file_of


class UnderAge(Problem):
    """Somebody who may not yet act for themselves."""

    code = "UNDER_AGE"


class IdentityStated(Problem):
    """The account says whose it is already."""

    code = "IDENTITY_STATED"


# Full capacity to act: Civil Code, article 21.
_ADULT = 18
NEEDED = ("last_name", "first_name", "birth_date", "passport", "inn")


async def state_identity(viewer: Viewer, *, gate: Gate, **values: Any) -> Account:
    """Says who the viewer is, where the account was opened without it; proves nothing.

    Raises IdentityStated, AlreadyAttached where the registry says it, and Problems: Required,
    TooLong, TextInvalid, DateInvalid, DateInFuture, DateTooEarly, UnderAge and those of
    ``models.identifiers``.
    """
    problems: list[Problem] = []
    form = read(
        complete(values, NEEDED), identity_checks(viewer), required=NEEDED, problems=problems
    )
    refuse(problems)
    return await _state(viewer, gate, form)


@unit_of_work
async def _state(viewer: Viewer, gate: Gate, form: dict[str, Any]) -> Account:
    account = await Account.filter(id=viewer.account_id).select_for_update(no_key=True).get()
    await closed_file_of(account)
    if await Identity.exists(account_id=account.id):
        raise IdentityStated
    await save_identity(gate, account.id, form)
    record(viewer, "IDENTITY_STATED", account)
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
    identity = Identity(
        account_id=account_id,
        last_name=form["last_name"],
        first_name=form["first_name"],
        patronymic=form.get("patronymic"),
        birth_date=form["birth_date"],
        specialty_id=specialty_id,
        # Without its hash it keeps nobody out.
        inn_sealed=gate.vault.seal(form["inn"]),
    )
    set_number(gate, identity, "passport", form["passport"])
    await identity.save(force_create=True)


def _birth_date(viewer: Viewer) -> Check:
    today = viewer.today

    def check(value: str, field: str) -> date:
        born: date = past(today)(written_day(value, field), field)
        had_birthday = (today.month, today.day) >= (born.month, born.day)
        if today.year - born.year - (not had_birthday) < _ADULT:
            raise UnderAge(field, age=_ADULT)
        return born

    return check

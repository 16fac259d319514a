"""Whose a SNILS or an INN is: one account's at a time, and rather his who has proved it.

Anybody can state a number. It is proved by the registry's file of the account, and to whoever has
looked at it: an operator who holds the document, or Gosuslugi (decision 0020).
"""

from typing import Literal

from auth.audit import record
from auth.gate import Gate
from auth.identities import number_hash, set_number
from auth.viewer import Viewer
from core.errors import Problem
from models.account import Account, AccountState, ConfirmedBy
from models.database import current_unit
from models.identity import Identity
from models.practitioner import Practitioner
from resolvers.accounts import person_of
from resolvers.alerts import Alert, alert
from resolvers.same_person import has_same_name
from resolvers.sessions import end_sessions
from resolvers.versions import next_version

Kind = Literal["snils", "inn"]

# Which confirmations prove a number: Gosuslugi tells us no INN.
PROVING: dict[Kind, tuple[ConfirmedBy, ...]] = {
    "snils": (ConfirmedBy.VISIT, ConfirmedBy.ESIA),
    "inn": (ConfirmedBy.VISIT,),
}
# These stand on what the owner said, and fall with it.
_STATED = (ConfirmedBy.SMS, ConfirmedBy.EMAIL, None)


class InnTaken(Problem):
    """The INN is another's; whose it is, nobody is told."""

    code = "INN_TAKEN"


class SnilsBound(Problem):
    """The SNILS is another's; whose it is, nobody is told."""

    code = "SNILS_TAKEN"


_TAKEN: dict[Kind, type[Problem]] = {"snils": SnilsBound, "inn": InnTaken}


async def owners_of(gate: Gate, kind: Kind, number: str) -> list[Account]:
    """The accounts that have proved a number: those of the registry's files, or else another."""
    by_file = await _owners_by_file(kind, number)
    by_proof = await provers_of(gate, kind, number)
    return by_file or by_proof


async def _owners_by_file(kind: Kind, number: str) -> list[Account]:
    attached = Account.filter(**{f"practitioner__{kind}": number})
    # An invitation that nobody took up is nobody's account.
    return await attached.exclude(state=AccountState.INVITED)


async def provers_of(gate: Gate, kind: Kind, number: str) -> list[Account]:
    """The account, if any, to which a number is bound by who has looked at it."""
    return await Account.filter(
        confirmed_at__isnull=False,
        confirmed_by__in=list(PROVING[kind]),
        **{f"identity__{kind}_hash": number_hash(gate, kind, number)},
    )


async def bind_number(
    viewer: Viewer,
    gate: Gate,
    account: Account,
    identity: Identity,
    kind: Kind,
    number: str,
    *,
    way: ConfirmedBy,
) -> None:
    """Makes a number the account's, which the caller has locked; the caller saves the identity.

    ``way`` is how the number came. One that is proved is taken over from who only stated it.
    Raises InnTaken, SnilsBound. Saving may still raise IntegrityError: of two at once, one was
    first.
    """
    current_unit()
    is_in_file = await _is_in_file(account, kind, number)
    is_proved = is_in_file or way in PROVING[kind]
    if not is_in_file:
        await _check_registry(identity, kind, number, is_proved=is_proved)
    bound = Identity.filter(**{f"{kind}_hash": number_hash(gate, kind, number)})
    holder = await bound.exclude(account_id=account.id).get_or_none()
    if holder is not None:
        if not is_proved:
            raise _TAKEN[kind](kind)
        await _take_over(viewer, gate, holder, kind, number)
    set_number(gate, identity, kind, number)


async def _check_registry(identity: Identity, kind: Kind, number: str, *, is_proved: bool) -> None:
    """What the registry knows to be another's is not stated by anybody.

    A proof goes beyond the names of a file, which may be old, and not beyond its account.
    """
    if await _owners_by_file(kind, number):
        raise _TAKEN[kind](kind)
    for file in await Practitioner.filter(**{kind: number}):
        if not (is_proved or has_same_name(file, identity)):
            raise _TAKEN[kind](kind)


async def _is_in_file(account: Account, kind: Kind, number: str) -> bool:
    return await Practitioner.filter(account_id=account.id, **{kind: number}).exists()


async def lose_numbers_of(gate: Gate, account: Account, file: Practitioner) -> list[Kind]:
    """Takes from an account the numbers that only a file, which it leaves, has proved to be its.

    The caller has locked the account, and saves it. Tells which numbers these were.
    """
    current_unit()
    found = Identity.filter(account_id=account.id).select_for_update(no_key=True)
    identity = await found.get_or_none()
    if identity is None:
        return []
    lost: list[Kind] = []
    for kind in PROVING:
        number: str | None = getattr(file, kind)
        if number is None or account.confirmed_by in PROVING[kind]:
            continue
        if getattr(identity, f"{kind}_hash") == number_hash(gate, kind, number):
            lost.append(kind)
    if lost:
        await _lose(gate, account, identity, *lost)
    return lost


def lose_stated(gate: Gate, account: Account, identity: Identity) -> None:
    """Takes out what was bound to who is now said to be another, and what stood on it.

    A visit compared a document that is another by now. Gosuslugi knows the SNILS, whatever its
    owner is called, and an organisation its own worker. The caller has locked both rows, and saves
    them.
    """
    if account.confirmed_by is ConfirmedBy.ESIA:
        return
    set_number(gate, identity, "snils", None)
    if account.confirmed_by is not ConfirmedBy.INVITATION:
        account.update_from_dict({"confirmed_at": None, "confirmed_by": None})


async def _lose(gate: Gate, account: Account, identity: Identity, *kinds: Kind) -> None:
    """Takes numbers out, and in the account, which the caller saves, what stood on them."""
    for kind in kinds:
        set_number(gate, identity, kind, None)
    next_version(identity)
    await identity.save()
    if account.confirmed_by in _STATED:
        account.update_from_dict({"confirmed_at": None, "confirmed_by": None})


async def _take_over(viewer: Viewer, gate: Gate, holder: Identity, kind: Kind, number: str) -> None:
    """Takes a number from who only stated it; raises InnTaken, SnilsBound where it was proved."""
    account = await Account.filter(id=holder.account_id).select_for_update(no_key=True).get()
    is_proved = account.confirmed_by in PROVING[kind] and account.confirmed_at is not None
    if is_proved or await _is_in_file(account, kind, number):
        raise _TAKEN[kind](kind)
    identity = await Identity.filter(id=holder.id).select_for_update(no_key=True).get()
    if getattr(identity, f"{kind}_hash") != getattr(holder, f"{kind}_hash"):
        return  # Another was first: saving tells who has it now.
    await _lose(gate, account, identity, kind)
    await account.save(update_fields=["confirmed_at", "confirmed_by"])
    await end_sessions(viewer, account.id, reason="NUMBER_TAKEN_OVER")
    about = await person_of(account.id)
    record(viewer, "NUMBER_TAKEN_OVER", account, about=about, number=kind)
    what = Alert.INN_TAKEN_OVER if kind == "inn" else Alert.SNILS_TAKEN_OVER
    await alert(viewer, gate=gate, account=account, what=what)

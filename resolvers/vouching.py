"""Whose account it is for whom Gosuslugi vouches: by SNILS, or where none is known, by name."""

from uuid import UUID

from adapters.oidc import Vouched
from auth.gate import Gate
from auth.identities import number_hash
from auth.viewer import Viewer
from core.errors import Problem
from core.text import fold
from models.account import Account, ConfirmedBy
from models.identity import Identity
from models.practitioner import Practitioner
from resolvers.owned_numbers import bind_number, owners_of


class EsiaSubjectMismatch(Problem):
    """The account there is another person's than the one here."""

    code = "ESIA_SUBJECT_MISMATCH"


async def owner_of(gate: Gate, snils: str | None) -> UUID | None:
    """The one confirmed account whose owner has proved a SNILS.

    A SNILS that somebody only stated of themselves links nobody: whoever stated another's first
    would share that person's account. The owner of such an account signs in and links it.
    """
    if snils is None:
        return None
    found = [
        account.id
        for account in await owners_of(gate, "snils", snils)
        if account.confirmed_at is not None
    ]
    # Two organisations may know one person by two accounts: which, they say by linking it.
    return found[0] if len(found) == 1 else None


async def is_known(viewer: Viewer, gate: Gate, account: Account, person: Vouched) -> bool:
    """Whether it is known here who the account's owner is; raises EsiaSubjectMismatch.

    A SNILS is compared; where there is none yet, the name and day of birth, and it is bound: raises
    SnilsBound, IntegrityError where it is another account's.
    """
    file = await Practitioner.get_or_none(account_id=account.id)
    identity = await Identity.get_or_none(account_id=account.id)
    hashed = number_hash(gate, "snils", person.snils) if person.snils is not None else None
    stated = [(file.snils, person.snils)] if file is not None and file.snils is not None else []
    if identity is not None and identity.snils_hash is not None:
        stated.append((identity.snils_hash, hashed))
    if any(here != there for here, there in stated):
        raise EsiaSubjectMismatch
    if stated or identity is None:
        return bool(stated)
    here = (fold(identity.last_name), fold(identity.first_name), identity.birth_date)
    if here != (fold(person.last_name or ""), fold(person.first_name or ""), person.birth_date):
        raise EsiaSubjectMismatch
    if person.snils is None:
        return False
    esia = ConfirmedBy.ESIA
    await bind_number(viewer, gate, account, identity, "snils", person.snils, way=esia)
    await identity.save(update_fields=["snils_sealed", "snils_hash"])
    return True

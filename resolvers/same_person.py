"""Whether a file of the staff registry and what somebody says of themselves are of one person.

What only one side knows says nothing; what both know must be the same.
"""

from auth.gate import Gate
from auth.identities import number_of
from core.text import fold
from models.identity import Identity
from models.practitioner import Practitioner


def has_same_name(file: Practitioner, identity: Identity) -> bool:
    """Whether the names and the birth date agree."""
    names = (
        (file.last_name, identity.last_name),
        (file.first_name, identity.first_name),
        (file.middle_name, identity.patronymic),
    )
    folded = [(fold(theirs), fold(own)) for theirs, own in names if theirs and own]
    return _agree(*folded, (file.birth_date, identity.birth_date))


def has_same_numbers(
    gate: Gate, file: Practitioner, identity: Identity, *, snils: str | None
) -> bool:
    """Whether SNILS, INN and passport agree; ``snils`` is the person's, bound or only given.

    Where a bound SNILS or the INN agrees, which are for life, the passport may have been renewed
    since the registry wrote it down.
    """
    lasting = (
        (file.snils, number_of(gate, identity, "snils")),
        (file.inn, number_of(gate, identity, "inn")),
    )
    pairs: list[tuple[object, object]] = [(file.snils, snils), *lasting]
    if not any(None not in pair for pair in lasting):
        known = gate.vault.open(file.passport_sealed) if file.passport_sealed else None
        pairs.append((known, number_of(gate, identity, "passport")))
    return _agree(*pairs)


def _agree(*pairs: tuple[object, object]) -> bool:
    return all(theirs == own for theirs, own in pairs if theirs is not None and own is not None)

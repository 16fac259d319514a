"""Numbers of a person's documents: sealed to be read, hashed under a key to be found again."""

from typing import Literal, get_args

from auth.gate import Gate
from models.identity import Identity

Number = Literal["inn", "snils", "passport"]
NUMBERS: tuple[Number, ...] = get_args(Number)


def number_hash(gate: Gate, kind: Number, number: str) -> str:
    """Under what a normal number is found in the column ``{kind}_hash``."""
    return gate.hashes.hash(kind, number)


def set_number(gate: Gate, identity: Identity, kind: Number, number: str | None) -> None:
    """Puts a normal number into a row that the caller saves; None clears it.

    Saving raises IntegrityError where another account has the same INN or SNILS.
    """
    sealed = hashed = None
    if number is not None:
        sealed, hashed = gate.vault.seal(number), number_hash(gate, kind, number)
    identity.update_from_dict({f"{kind}_sealed": sealed, f"{kind}_hash": hashed})


def number_of(gate: Gate, identity: Identity, kind: Number) -> str | None:
    """A number as it was put in."""
    sealed: str | None = getattr(identity, f"{kind}_sealed")
    return None if sealed is None else gate.vault.open(sealed)

"""What names a person, and is therefore guessed first when it stands in a password."""

import re
from datetime import date

from auth.gate import Gate
from auth.identities import NUMBERS, number_of
from models.account import Account
from models.identity import Identity
from models.organisation import Organisation
from models.practitioner import Practitioner

# Shorter ones stand in every other word.
_SHORTEST = 3


# How people write the day of their birth, when they leave out what stands between.
_DAYS = ("%d%m%Y", "%Y%m%d", "%d%m%y")


async def own_words(gate: Gate, account: Account) -> tuple[str, ...]:
    """The names, numbers and birth date of an account's owner, as far as they are known, its logins
    and organisation.
    """
    identity = await Identity.get_or_none(account_id=account.id)
    person = await Practitioner.get_or_none(account_id=account.id)
    organisation = await Organisation.get_or_none(id=account.organisation_id)
    known: list[str | date | None] = []
    if identity is not None:
        known += [identity.last_name, identity.first_name, identity.patronymic]
        known += [number_of(gate, identity, kind) for kind in NUMBERS]
        known.append(identity.birth_date)
    if person is not None:
        known += [person.last_name, person.first_name, person.middle_name]
        known += [person.snils, person.inn, person.birth_date]
        if person.passport_sealed is not None:
            known.append(gate.vault.open(person.passport_sealed))
    return words_in(
        account.email, account.phone, *known, organisation.name if organisation else None
    )


def words_in(*known: str | date | None) -> tuple[str, ...]:
    """The texts that are given, what stands before an @, each word of them, and days as digits."""
    texts = [text for text in known if isinstance(text, str) and text]
    days = [day.strftime(form) for day in known if isinstance(day, date) for form in _DAYS]
    parts = [text.partition("@")[0] for text in texts]
    words = [word for part in parts for word in re.findall(r"[^\W\d_]+", part)]
    return (*texts, *days, *parts, *(word for word in words if len(word) >= _SHORTEST))

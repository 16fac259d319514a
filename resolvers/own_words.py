"""What names a person, and is therefore guessed first when it stands in a password."""

import re

from models.account import Account
from models.identity import Identity
from models.organisation import Organisation
from models.practitioner import Practitioner

# Shorter ones stand in every other word.
_SHORTEST = 3


async def own_words(account: Account) -> tuple[str, ...]:
    """The names of an account's owner, as far as they are known, its logins and organisation."""
    identity = await Identity.get_or_none(account_id=account.id)
    person = await Practitioner.get_or_none(account_id=account.id)
    organisation = await Organisation.get_or_none(id=account.organisation_id)
    names: list[str | None] = []
    if identity is not None:
        names += [identity.last_name, identity.first_name, identity.patronymic]
    if person is not None:
        names += [person.last_name, person.first_name, person.middle_name]
    return words_in(
        account.email, account.phone, *names, organisation.name if organisation else None
    )


def words_in(*texts: str | None) -> tuple[str, ...]:
    """The texts that are given, what stands before an @, and each word of them."""
    given = [text for text in texts if text]
    parts = [text.partition("@")[0] for text in given]
    words = [word for part in parts for word in re.findall(r"[^\W\d_]+", part)]
    return (*given, *parts, *(word for word in words if len(word) >= _SHORTEST))

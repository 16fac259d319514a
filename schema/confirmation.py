"""Confirmation of accounts, by a code or in person, as clients see it."""

from collections.abc import Callable

from core.text import mask
from models.role import Role
from resolvers import confirmation, lost_contacts, visits
from resolvers.visits import Found
from schema.context import Context
from schema.directives import SIGNED_IN, visible
from schema.operations import Returned, mutation, row
from schema.sent_codes import SENT
from schema.views import computed, object_of

OPERATOR = Role.OPERATOR

mutation(
    confirmation.request_confirmation,
    visible(*SIGNED_IN),
    says="Sends a code that confirms one's own account, to the phone or e-mail that it has.",
    returns=SENT,
    sensitive=True,
)
mutation(
    confirmation.confirm_account,
    visible(*SIGNED_IN),
    says="Confirms one's own account by that code, and binds INN and SNILS to it.",
    returns=row("Account"),
    sensitive=True,
)


def _name(given: str, registered: str) -> Callable[[Found, Context], str | None]:
    """A name of the account's owner: what they gave, or else what stands in their file."""

    def value(found: Found, _: Context) -> str | None:
        if found.identity is not None:
            return getattr(found.identity, given)  # type: ignore[no-any-return]
        return getattr(found.file, registered, None)

    return value


def _birth_date(found: Found, _: Context) -> str | None:
    told = found.identity or found.file
    born = told.birth_date if told is not None else None
    return mask(born.isoformat(), 2) if born is not None else None


def _phone(found: Found, _: Context) -> str | None:
    return mask(found.account.phone, 4) if found.account.phone else None


@object_of(visible(OPERATOR))
class FoundAccount:
    """An account as an operator sees it who has its owner before them."""

    public_id = computed(
        "str",
        visible(OPERATOR),
        says="The number to quote.",
        value=lambda found, _: found.account.public_id,
    )
    state = computed(
        "AccountState",
        visible(OPERATOR),
        says="Whether it can be used.",
        value=lambda found, _: found.account.state,
    )
    confirmed_at = computed(
        "datetime | None",
        visible(OPERATOR),
        says="When it was confirmed.",
        value=lambda found, _: found.account.confirmed_at,
    )
    confirmed_by = computed(
        "ConfirmedBy | None",
        visible(OPERATOR),
        says="How; by SMS and EMAIL the owner only stated who they are.",
        value=lambda found, _: found.account.confirmed_by,
    )
    last_name = computed(
        "str | None",
        visible(OPERATOR),
        says="Family name, as the owner gave it, or else the registry.",
        value=_name("last_name", "last_name"),
    )
    first_name = computed(
        "str | None",
        visible(OPERATOR),
        says="Given name, as the owner gave it, or else the registry.",
        value=_name("first_name", "first_name"),
    )
    patronymic = computed(
        "str | None",
        visible(OPERATOR),
        says="Patronymic, as the owner gave it, or else the registry.",
        value=_name("patronymic", "middle_name"),
    )
    birth_date = computed(
        "str | None", visible(OPERATOR), says="Date of birth: the day alone.", value=_birth_date
    )
    phone = computed(
        "str | None", visible(OPERATOR), says="The phone: its last digits.", value=_phone
    )


mutation(
    visits.find_account,
    visible(OPERATOR),
    says="Finds accounts by exactly one of public id, document and phone. Always audited.",
    returns={
        "found": Returned(
            "list[FoundAccount] | None", "The accounts found.", lambda found, _: found
        )
    },
    sensitive=True,
)
mutation(
    visits.confirm_in_person,
    visible(OPERATOR),
    says="Confirms the account of a visitor whose passport was checked. Always audited.",
    returns={
        "found": Returned(
            "FoundAccount | None", "The account, as it is now.", lambda found, _: found
        )
    },
    sensitive=True,
)
mutation(
    lost_contacts.begin_contact_replacement,
    visible(OPERATOR),
    says="Sends a code to the new contact of a visitor whose document was checked. Always audited.",
    returns=SENT,
    sensitive=True,
)
mutation(
    lost_contacts.replace_contact,
    visible(OPERATOR),
    says="Replaces a lost contact by that code, which the visitor reads out. Always audited.",
    returns={
        "found": Returned(
            "FoundAccount | None", "The account, as it is now.", lambda found, _: found
        )
    },
    sensitive=True,
)

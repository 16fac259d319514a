"""Journey 7, at the desk: who has lost a contact comes in with a document and is helped."""

from typing import Any

import pytest

from models.account import Account, AccountState, Session
from models.audit import AuditEntry
from models.factor import SentCode
from models.role import Role
from tests import factories as make
from tests.auth.entrance import PASSWORD
from tests.journeys.hospital import Caller, Hospital, sign_in
from tests.journeys.newcomers import PASSPORT, PHONE, SENT, confirmed_newcomer, other_than
from tests.journeys.outbox import code_in, received
from tests.journeys.test_tickets import filed, ticket_of

NEW_PHONE, NEW_EMAIL = "+79267654321", "new@example.org"
REASON = "Паспорт проверен в центре обслуживания"


def public_id(person: Caller) -> str:
    assert person.account is not None
    return person.account.public_id


async def read_out(
    hospital: Hospital, operator: Caller, person: Caller, contact: str = NEW_PHONE, **values: Any
) -> dict[str, str]:
    """The handle that the operator has, and the code that the visitor reads out."""
    stated = {"publicId": public_id(person), "document": PASSPORT, "contact": contact, **values}
    begun = await operator.does("beginContactReplacement", SENT, **stated)
    return {"handle": begun["handle"], "code": code_in((await received(hospital.api, contact))[-1])}


async def replaced(
    hospital: Hospital, operator: Caller, person: Caller, contact: str = NEW_PHONE, **values: Any
) -> Any:
    given = await read_out(hospital, operator, person, contact, **values)
    return await operator.does(
        "replaceContact", "found { publicId phone lastName }", **given, reason=REASON
    )


async def employed(hospital: Hospital, **values: Any) -> Caller:
    """A worker from before: invited, with an authenticator, and no contact that was ever shown."""
    person = await hospital.signing_in(Role.DOCTOR)
    assert person.account is not None
    sealed = hospital.api.services.vault.seal(PASSPORT)
    await make.practitioner(
        hospital.therapy,
        account=person.account,
        **{"last_name": "Иванова", "passport_sealed": sealed, **values},
    )
    return person


async def test_a_lost_telephone_is_replaced_at_a_visit(hospital: Hospital) -> None:
    person, operator = await confirmed_newcomer(hospital), await hospital.staff(Role.OPERATOR)
    recovering = await hospital.visitor().does("requestRecovery", "handle", contact=PHONE)
    to_old = code_in((await received(hospital.api, PHONE))[-1])

    payload = await replaced(hospital, operator, person)

    found = {"publicId": public_id(person), "phone": "+•••••••4321", "lastName": "Ёлкина"}
    assert payload == {"found": found}
    row = await Account.get(id=person.account_id)
    assert (row.phone, row.phone_confirmed_at is not None) == (NEW_PHONE, True)
    assert (await person.answer("{ viewer { activeRole } }")).codes == ["SESSION_EXPIRED"]
    told = (await received(hospital.api, PHONE))[-1]
    assert "support has replaced a contact" in told
    assert public_id(person) in told
    # What was on its way to whoever has the old telephone now is worth nothing.
    assert await hospital.visitor().refused(
        "resetPassword", handle=recovering["handle"], code=to_old, password="другой омут 43 сома"
    ) == [("CODE_REUSED", "code")]
    entry = await AuditEntry.get(action="CONTACT_REPLACED")
    assert (entry.account_id, entry.subject_id) == (operator.account_id, person.account_id)
    assert entry.details == {"field": "phone", "reason": REASON, "only_operator": True}

    visitor = hospital.visitor()
    waiting = await visitor.does("signIn", "pending { handle }", login=NEW_PHONE, password=PASSWORD)
    handle = waiting["pending"]["handle"]
    await visitor.does("sendSignInCode", handle=handle)
    code = code_in((await received(hospital.api, NEW_PHONE))[-1])
    await visitor.does("finishSignIn", "accessToken", handle=handle, factor="SMS", code=code)


async def test_a_telephone_that_opens_the_account_takes_two_operators(hospital: Hospital) -> None:
    """Or one of them could have the password reset, and its code and the factor's come to them."""
    person = await confirmed_newcomer(hospital)
    first, second = [await hospital.staff(Role.OPERATOR) for _ in range(2)]
    given = await read_out(hospital, first, person)

    assert await first.refused("replaceContact", **given, reason=REASON) == [
        ("OTHER_OPERATOR_NEEDED", "handle")
    ]
    assert (await Account.get(id=person.account_id)).phone == PHONE
    await second.does("replaceContact", **given, reason=REASON)

    entry = await AuditEntry.get(action="CONTACT_REPLACED")
    assert (entry.account_id, entry.details) == (
        second.account_id,
        {"field": "phone", "reason": REASON},
    )
    # An address is no factor.
    await replaced(hospital, first, person, NEW_EMAIL)


async def test_a_telephone_that_a_reset_would_make_a_factor_takes_two_as_well(
    hospital: Hospital,
) -> None:
    """Or one of them could act upon a ticket that a colleague has taken, and enter alone."""
    person = await employed(hospital)
    first, _ = [await hospital.staff(Role.OPERATOR) for _ in range(2)]
    given = await read_out(hospital, first, person)

    assert await first.refused("replaceContact", **given, reason=REASON) == [
        ("OTHER_OPERATOR_NEEDED", "handle")
    ]


@pytest.mark.parametrize("where", ["one department", "another", "another organisation"])
async def test_another_operator_is_one_wherever_they_are_limited_to(
    hospital: Hospital, where: str
) -> None:
    """Who belongs nowhere is within reach of every operator: any of them is another."""
    person = await confirmed_newcomer(hospital)
    first = await hospital.staff(Role.OPERATOR, department=hospital.therapy)
    if where == "another organisation":
        account = await make.account(other := await make.organisation())
        await make.grant(account, Role.OPERATOR, other, starts_at=make.NOW)
    else:
        ward = hospital.therapy if where == "one department" else hospital.surgery
        await hospital.staff(Role.OPERATOR, department=ward)
        organisation = hospital.organisation
        await Account.filter(id=person.account_id).update(organisation_id=organisation.id)
        await make.practitioner(hospital.therapy, account=person.account)
    given = await read_out(hospital, first, person)

    assert await first.refused("replaceContact", **given, reason=REASON) == [
        ("OTHER_OPERATOR_NEEDED", "handle")
    ]


async def test_a_worker_whose_authenticator_is_lost_comes_back(hospital: Hospital) -> None:
    """With the passport of the registry's file; then the ticket goes its way."""
    person = await employed(hospital)
    first, second = [await hospital.staff(Role.OPERATOR) for _ in range(2)]
    number = await filed(hospital.visitor(), reason="SECOND_FACTOR_LOST")
    ticket = (await ticket_of(first, number))["id"]
    await first.does("takeTicket", id=ticket)
    reset = {"id": person.account_id, "ticketId": ticket, "reason": REASON}
    assert await second.refused("resetFactors", **reset) == [("CONTACT_UNCONFIRMED", "id")]

    found = (
        await first.does("findAccount", "found { lastName publicId }", publicId=public_id(person))
    )["found"]
    assert found == [{"lastName": "Иванова", "publicId": public_id(person)}]
    given = await read_out(hospital, second, person)
    # Else one of them could act upon a ticket of their own making that a colleague has taken.
    assert await second.refused("replaceContact", **given, reason=REASON) == [
        ("OTHER_OPERATOR_NEEDED", "handle")
    ]
    await first.does("replaceContact", "found { publicId }", **given, reason=REASON)
    for old in ("+79001234567", "anna.petrova@example.org"):
        assert "служба поддержки заменила контакт" in (await received(hospital.api, old))[-1]
    await second.does("resetFactors", **reset)

    visitor = hospital.visitor()
    waiting = await visitor.does(
        "signIn", "pending { handle factors { kind } }", login=NEW_PHONE, password=PASSWORD
    )
    assert waiting["pending"]["factors"] == [{"kind": "SMS"}]
    handle = waiting["pending"]["handle"]
    await visitor.does("sendSignInCode", handle=handle)
    code = code_in((await received(hospital.api, NEW_PHONE))[-1])
    await visitor.does("finishSignIn", "accessToken", handle=handle, factor="SMS", code=code)


async def test_an_address_is_replaced_and_the_telephone_stays(hospital: Hospital) -> None:
    person, operator = await employed(hospital), await hospital.staff(Role.OPERATOR)

    await replaced(hospital, operator, person, NEW_EMAIL)

    row = await Account.get(id=person.account_id)
    assert (row.email, row.phone) == (NEW_EMAIL, "+79001234567")
    assert row.email_confirmed_at is not None
    await sign_in(person, NEW_EMAIL)


async def test_every_wrong_field_is_named(hospital: Hospital) -> None:
    person, operator = await employed(hospital), await hospital.staff(Role.OPERATOR)
    wrong = {"publicId": " ", "document": "4510", "contact": "нет"}
    assert await operator.refused("beginContactReplacement", **wrong) == [
        ("REQUIRED", "publicId"),
        ("PASSPORT_FORMAT", "document"),
        ("EMAIL_INVALID", "contact"),
    ]
    given = await read_out(hospital, operator, person)
    wrong = {"handle": given["handle"], "code": other_than(given["code"]), "reason": "ок"}
    assert await operator.refused("replaceContact", **wrong) == [
        ("CODE_INVALID", "code"),
        ("REASON_REQUIRED", "reason"),
    ]
    await operator.does("replaceContact", **given, reason=REASON)
    assert await operator.refused("replaceContact", **given, reason=REASON) == [
        ("CODE_REUSED", "code")
    ]


async def test_nothing_is_replaced_for_whom_the_document_does_not_show(hospital: Hospital) -> None:
    person, operator = await employed(hospital), await hospital.staff(Role.OPERATOR)
    elsewhere = await make.account(await make.organisation())
    nameless = await make.account(hospital.organisation)
    invited = await make.account(hospital.organisation, state=AccountState.INVITED)
    stated = {"document": PASSPORT, "contact": NEW_PHONE}
    assert operator.account is not None
    for account, problem in (
        (elsewhere, ("NOT_FOUND", "publicId")),
        (invited, ("NOT_FOUND", "publicId")),
        (operator.account, ("SELF_APPROVAL", "publicId")),
        (nameless, ("DOCUMENT_UNKNOWN", "publicId")),
    ):
        given = {**stated, "publicId": account.public_id}
        assert await operator.refused("beginContactReplacement", **given) == [problem]
    given = {**stated, "publicId": public_id(person), "document": "4510 123457"}
    for _ in range(5):
        assert await operator.refused("beginContactReplacement", **given) == [
            ("DOCUMENT_MISMATCH", "document")
        ]
    given["document"] = PASSPORT
    assert await operator.refused("beginContactReplacement", **given) == [
        ("TOO_MANY_ATTEMPTS", None)
    ]
    assert await SentCode.all().count() == 0
    refused = await AuditEntry.filter(action="REPLACEMENT_REFUSED").order_by("-position").first()
    assert refused is not None
    assert refused.details == {"reason": "DOCUMENT_MISMATCH", "account": public_id(person)}


async def test_a_contact_of_somebody_else_is_told_to_whom_its_code_comes(
    hospital: Hospital,
) -> None:
    person, operator = await employed(hospital), await hospital.staff(Role.OPERATOR)
    await make.account(phone=NEW_PHONE)
    given = await read_out(hospital, operator, person)

    assert await operator.refused("replaceContact", **given, reason=REASON) == [
        ("IDENTITY_UNAVAILABLE", "handle")
    ]
    row = await Account.get(id=person.account_id)
    assert [row.phone, row.phone_confirmed_at] == ["+79001234567", None]
    assert await AuditEntry.filter(action="CONTACT_REPLACED").count() == 0


async def test_a_telephone_of_one_department_is_replaced_there(hospital: Hospital) -> None:
    """The operator of another department enters no code for it either."""
    person = await employed(hospital)
    first = await hospital.staff(Role.OPERATOR, department=hospital.therapy)
    given = await read_out(hospital, first, person)
    stranger = await hospital.staff(Role.OPERATOR, department=hospital.surgery)
    assert await stranger.refused("replaceContact", **given, reason=REASON) == [
        ("NOT_FOUND", "handle")
    ]
    second = await hospital.staff(Role.OPERATOR, department=hospital.therapy)
    await second.does("replaceContact", **given, reason=REASON)


async def test_an_operator_of_elsewhere_ends_nothing_that_was_begun(hospital: Hospital) -> None:
    person, operator = await employed(hospital), await hospital.staff(Role.OPERATOR)
    await sign_in(person, "+79001234567")
    given = await read_out(hospital, operator, person)
    account = await make.account(other := await make.organisation())
    await make.grant(account, Role.OPERATOR, other, starts_at=make.NOW)
    token = await hospital.api.token(account, Role.OPERATOR)
    stranger = Caller(hospital.api, token, account)

    assert await stranger.refused("replaceContact", **given, reason=REASON) == [
        ("NOT_FOUND", "handle")
    ]
    assert await Session.filter(account_id=person.account_id, ended_at=None).count() == 1


@pytest.mark.any_database
async def test_only_operators_replace_contacts(hospital: Hospital) -> None:
    admin = await hospital.admin()
    await admin.unknown(
        'mutation { replaceContact(handle: "1", code: "1", reason: "1") { errors { code } } }'
    )

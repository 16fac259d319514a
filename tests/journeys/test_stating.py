"""Whoever said something wrong of themselves, or is called otherwise by now, says it anew."""

from typing import Any

import pytest

from models.account import Account, ConfirmedBy
from models.audit import AuditEntry
from models.identity import Identity
from models.practitioner import Practitioner
from models.role import Role
from tests.journeys.hospital import Caller, Hospital, mutation_document, was_shown
from tests.journeys.newcomers import (
    FORM,
    INN,
    OTHER_INN,
    PASSPORT,
    PHONE,
    SNILS,
    confirmed_newcomer,
    newcomer,
    outbox,
)
from tests.journeys.test_attaching_a_role import GONE_ON, asked, registered

SLIP = "4510 123465"
STATED = {
    name: FORM[name]
    for name in ("lastName", "firstName", "patronymic", "birthDate", "passport", "inn")
}
REASON = "Паспорт проверен в центре обслуживания"


async def states(person: Caller, **values: Any) -> None:
    await was_shown(person)
    await person.does("stateIdentity", "account { confirmedAt }", input={**STATED, **values})


async def visits(hospital: Hospital, person: Caller) -> dict[str, Any]:
    """What an operator sends who holds the visitor's passport."""
    account = await Account.get(id=person.account_id)
    return {
        "publicId": account.public_id,
        "document": PASSPORT,
        "snils": SNILS,
        "inn": INN,
        "reason": REASON,
    }


async def test_a_slip_at_registering_keeps_nobody_from_a_visit_and_a_role(
    hospital: Hospital,
) -> None:
    await registered(hospital)
    person = await newcomer(hospital, passport=SLIP, birthDate="1985-04-21")
    operator = await hospital.staff(Role.OPERATOR)
    visit = await visits(hospital, person)
    assert await operator.refused("confirmInPerson", **visit) == [("DOCUMENT_MISMATCH", "document")]
    assert await person.refused("requestRole", input={"snils": SNILS}) == [
        ("NOT_IN_REGISTRY", "input.snils")
    ]

    await states(person)

    account = await Account.get(id=person.account_id)
    assert "was told who its owner is" in (await outbox(hospital, str(account.phone)))[-1]
    entry = await AuditEntry.get(action="IDENTITY_STATED")
    assert (entry.subject_id, entry.details) == (person.account_id, {"again": True})
    await operator.does("confirmInPerson", **visit)
    attached = await person.does(
        "attachRole", GONE_ON, **await asked(hospital, person, snils=SNILS)
    )
    assert attached["viewer"]["activeRole"] == "DOCTOR"
    # From now on the registry says it.
    await was_shown(person)
    assert await person.refused("stateIdentity", input=STATED) == [("ALREADY_ATTACHED", None)]


async def test_what_is_said_for_the_first_time_is_told_to_every_contact(
    hospital: Hospital,
) -> None:
    person = await hospital.citizen()
    contacts = {"phone": PHONE, "email": "citizen@example.org"}
    await Account.filter(id=person.account_id).update(**contacts)

    await states(person)

    for contact in contacts.values():
        assert "указано, кто его владелец" in (await outbox(hospital, contact))[-1]


@pytest.mark.parametrize("way", [ConfirmedBy.SMS, ConfirmedBy.VISIT])
async def test_what_stood_on_the_words_falls_with_them(
    hospital: Hospital, way: ConfirmedBy
) -> None:
    person = await confirmed_newcomer(hospital)
    await Account.filter(id=person.account_id).update(confirmed_by=way)

    await states(person, inn=OTHER_INN, lastName="Берёзкина")

    unconfirmed = {"confirmed_at": None, "confirmed_by": None}
    assert await Account.filter(id=person.account_id, **unconfirmed).exists()
    unbound = {"snils_hash": None, "inn_hash": None, "last_name": "Берёзкина"}
    assert await Identity.filter(account_id=person.account_id, **unbound).exists()
    seen = await person.sees("{ viewer { account { confirmedAt } } }")
    assert seen == {"viewer": {"account": {"confirmedAt": None}}}
    # The numbers are free for whose they are.
    await confirmed_newcomer(hospital, "+79267654321")


async def test_what_gosuslugi_told_stays(hospital: Hospital) -> None:
    person = await confirmed_newcomer(hospital)
    await Account.filter(id=person.account_id).update(confirmed_by=ConfirmedBy.ESIA)
    before = await Identity.get(account_id=person.account_id)

    await states(person, passport="4520 654321")

    account = await Account.get(id=person.account_id)
    assert (account.confirmed_at is not None, account.confirmed_by) == (True, ConfirmedBy.ESIA)
    identity = await Identity.get(account_id=person.account_id)
    assert identity.snils_hash == before.snils_hash
    assert identity.passport_hash != before.passport_hash


async def test_a_session_alone_does_not_say_whose_the_account_is(hospital: Hospital) -> None:
    person = await newcomer(hospital)
    given = {"input": {**STATED, "passport": SLIP}}
    answer = await person.answer(mutation_document("stateIdentity", "", given), given)
    assert answer.codes == ["FACTOR_NOT_FRESH"]


async def test_what_the_registry_knows_is_not_tried_out(hospital: Hospital) -> None:
    person = await newcomer(hospital)
    for day in range(1, 6):
        await states(person, birthDate=f"1985-04-{day:02}")
    assert await person.refused("stateIdentity", input=STATED) == [("TOO_MANY_ATTEMPTS", None)]


async def test_a_visitor_is_known_by_the_passport_that_the_registry_wrote_down(
    hospital: Hospital,
) -> None:
    """Who is attached says nothing anew: the personnel department does."""
    file = await registered(hospital, inn=INN)
    person = await newcomer(hospital, passport=SLIP)
    await person.does("attachRole", GONE_ON, **await asked(hospital, person, snils=SNILS))
    sealed = hospital.api.services.vault.seal(PASSPORT)
    await Practitioner.filter(id=file.id).update(passport_sealed=sealed)

    operator = await hospital.staff(Role.OPERATOR)
    visit = await visits(hospital, person)
    assert await operator.refused("confirmInPerson", **{**visit, "document": "4520 654321"}) == [
        ("DOCUMENT_MISMATCH", "document")
    ]
    payload = await operator.does("confirmInPerson", "found { confirmedBy }", **visit)
    assert payload == {"found": {"confirmedBy": "VISIT"}}


async def test_whom_the_organisation_has_confirmed_is_not_sent_to_say_who_they_are(
    hospital: Hospital,
) -> None:
    doctor, operator = await hospital.doctor(), await hospital.staff(Role.OPERATOR)
    visit = await visits(hospital, doctor)
    assert await operator.refused("confirmInPerson", **visit) == [("ALREADY_CONFIRMED", None)]


WORDS = "{ viewer { account { identity { lastName birthDate passport inn snils } } } }"


async def test_what_one_said_is_read_by_oneself_and_numbers_by_their_end(
    hospital: Hospital,
) -> None:
    person = await confirmed_newcomer(hospital)
    told = (await person.answer(WORDS)).data["viewer"]["account"]["identity"]
    assert told == {
        "lastName": FORM["lastName"],
        "birthDate": FORM["birthDate"],
        "passport": "•••• ••3456",
        "inn": "••••••••2259",
        "snils": f"•••••••{SNILS.replace(' ', '').replace('-', '')[-4:]}",
    }
    operator = await hospital.staff(Role.OPERATOR)
    found = "query($id: ID!) { account(id: $id) { publicId identity { lastName } } }"
    answer = await operator.answer(found, {"id": str(person.account_id)})
    assert answer.data["account"]["identity"] is None
    # Who says nothing has said nothing.
    assert (await operator.answer(WORDS)).data["viewer"]["account"]["identity"] is None

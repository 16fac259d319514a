"""Journey 7: a ticket by somebody locked out, with documents; the operator who helps."""

import re
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from core.clock import utc_now
from core.ids import uuid7
from models.account import Account, AccountState, Session
from models.audit import AuditEntry
from models.factor import Passkey, RecoveryCode
from models.grant import RoleGrant
from models.role import Role
from models.ticket import Ticket, TicketDocument, TicketState
from models.upload import Upload
from tests import factories as make
from tests.api import Api
from tests.auth.entrance import PASSWORD
from tests.journeys.hospital import Caller, Hospital, journal, sign_in, waited
from tests.journeys.outbox import received
from tests.pdfs import pdf

PHONE, EMAIL = "+79001234567", "anna.petrova@example.org"
STRANGER = "stranger@example.org"
PDF = "application/pdf"
TICKET = {
    "contact": "8 900 123-45-67",
    "reason": "ACCOUNT_LOCKED",
    "text": "Не могу войти со вчерашнего дня.",
}


async def uploaded(caller: Caller, content: bytes = b"", name: str = "Паспорт.pdf") -> str:
    """The id of a file that was announced and sent."""
    content = content or pdf()
    given = {"purpose": "TICKET", "fileName": name, "size": len(content), "mediaType": PDF}
    announced = await caller.does("requestUpload", "uploadId address expiresAt", **given)
    response = await caller.api.client.put(announced["address"], content=content)
    assert response.status_code == 204, response.text
    upload_id: str = announced["uploadId"]
    return upload_id


async def filed(caller: Caller, **values: Any) -> str:
    """The number of a ticket with a document."""
    given = {**TICKET, "attachments": [await uploaded(caller)], **values}
    number: str = (await caller.does("fileTicket", "number", input=given))["number"]
    return number


async def ticket_of(operator: Caller, number: str) -> Any:
    found = await operator.sees(
        "query ($number: String!) { tickets(filter: {number: {eq: $number}}) { nodes {"
        " id number reason state contact text errorText answer account { id publicId state }"
        " documents { nodes { id fileName size mediaType } } } } }",
        number=number,
    )
    (ticket,) = found["tickets"]["nodes"]
    return ticket


async def fetched(caller: Caller, document_id: str) -> httpx.Response:
    opened = await caller.does("openDocument", "address expiresAt", id=document_id)
    return await caller.api.client.get(opened["address"])


async def test_somebody_locked_out_is_let_in_by_an_operator_who_has_seen_a_document(
    hospital: Hospital,
) -> None:
    person = await hospital.signing_in(Role.DOCTOR)
    operator, visitor = await hospital.staff(Role.OPERATOR), hospital.visitor()
    assert person.account is not None
    for _ in range(5):
        await visitor.refused("signIn", login=EMAIL, password="не тот", code="000000")
        await waited()
    right = {"login": EMAIL, "password": PASSWORD, "code": person.code()}
    (told,) = await visitor.told("signIn", language="ru", **right)
    # Which is another for each login: support knows whose it is while the lock lasts.
    public_id = person.account.public_id
    assert public_id not in told
    quoted = told.split()[-1].rstrip(".")

    number = await filed(
        visitor, contact="other@example.org", errorText=told, publicId=f" {quoted.lower()} "
    )
    assert re.fullmatch(r"TK-[0-9A-Z]{4}-[0-9A-Z]{4}", number)
    ticket = await ticket_of(operator, number)
    account = {"id": str(person.account_id), "publicId": public_id, "state": "LOCKED"}
    documents = ticket.pop("documents")["nodes"]
    assert ticket == {
        "id": ticket["id"],
        "number": number,
        "reason": "ACCOUNT_LOCKED",
        "state": "NEW",
        "contact": "•••••@••••••e.org",
        "text": TICKET["text"],
        "errorText": told,
        "answer": None,
        "account": account,
    }
    assert [(one["fileName"], one["size"], one["mediaType"]) for one in documents] == [
        ("Паспорт.pdf", len(pdf()), PDF)
    ]
    response = await fetched(operator, documents[0]["id"])
    assert (response.status_code, response.content) == (200, pdf())

    await operator.does("takeTicket", "ticket { state }", id=ticket["id"])
    reason = {"reason": f"Паспорт сверен, {number}"}
    unlocked = await operator.does("unlockAccount", "account { state }", id=account["id"], **reason)
    assert unlocked == {"account": {"state": "ACTIVE"}}
    answer = "Вход открыт, войдите прежним паролем."
    done = await operator.does(
        "answerTicket", "ticket { state answer }", id=ticket["id"], answer=answer
    )
    assert done == {"ticket": {"state": "ANSWERED", "answer": answer}}
    assert await received(hospital.api, "other@example.org") == [
        f"Ответ на обращение {number}: {answer}"
    ]
    await sign_in(person, PHONE, seconds=30)

    inspector = await hospital.inspector()
    seen = await inspector.sees("{ auditTrail { nodes { action actor reason } } }")
    acted = {(one["action"], one["actor"], one["reason"]) for one in seen["auditTrail"]["nodes"]}
    assert operator.account is not None
    who = operator.account.public_id
    assert {
        ("DOCUMENT_OPENED", who, None),
        ("TICKET_TAKEN", who, None),
        ("ACCOUNT_UNLOCKED", who, reason["reason"]),
        ("TICKET_ANSWERED", who, None),
    } <= acted


@pytest.mark.parametrize("reason", ["ACCOUNT_LOCKED", "SECOND_FACTOR_LOST", "CONTACT_LOST"])
async def test_what_is_a_persons_own_is_asked_for_with_a_document(
    hospital: Hospital, reason: str
) -> None:
    visitor = hospital.visitor()
    assert await visitor.refused("fileTicket", input={**TICKET, "reason": reason}) == [
        ("DOCUMENT_REQUIRED", "input.attachments")
    ]
    assert await Ticket.all().count() == 0


@pytest.mark.parametrize("reason", ["SIGN_IN_ERROR", "OTHER"])
async def test_a_question_needs_no_document(hospital: Hospital, reason: str) -> None:
    given = {**TICKET, "reason": reason}
    await hospital.visitor().does("fileTicket", "number", input=given)


async def test_every_wrong_field_of_a_ticket_is_named_at_once(hospital: Hospital) -> None:
    given = {
        "contact": "не телефон",
        "reason": "ACCOUNT_LOCKED",
        "text": " ",
        "errorText": "о" * 2001,
        "publicId": "ID-1",
    }
    assert sorted(await hospital.visitor().refused("fileTicket", input=given)) == [
        ("DOCUMENT_REQUIRED", "input.attachments"),
        ("EMAIL_INVALID", "input.contact"),
        ("PUBLIC_ID_FORMAT", "input.publicId"),
        ("REQUIRED", "input.text"),
        ("TOO_LONG", "input.errorText"),
    ]


@pytest.mark.parametrize("mutation", ["fileTicket", "checkTicket", "requestRecovery"])
async def test_a_telephone_to_which_no_sms_comes_is_told(hospital: Hospital, mutation: str) -> None:
    """Or the answer, or the code, would be waited for in vain."""
    landline = "8 (495) 765-43-21"
    given: dict[str, dict[str, Any]] = {
        "fileTicket": {"input": {**TICKET, "reason": "OTHER", "contact": landline}},
        "checkTicket": {"number": "TK-7F3K-29QD", "contact": landline},
        "requestRecovery": {"contact": landline},
    }
    (told,) = await hospital.visitor().refused(mutation, **given[mutation])
    assert told[0] == "PHONE_LANDLINE"
    assert told[1] in ("contact", "input.contact")


async def test_a_ticket_of_somebody_unknown_is_answered_alike(hospital: Hospital) -> None:
    person = await hospital.signing_in()
    assert person.account is not None
    known = await filed(hospital.visitor())
    by_id = await filed(hospital.visitor(), contact=EMAIL, publicId=person.account.public_id)
    unknown = await filed(hospital.visitor(), contact="nobody@example.org", publicId="ID-0000-0000")

    owners = {ticket.number: ticket.account_id for ticket in await Ticket.all()}
    assert owners == {known: person.account_id, by_id: person.account_id, unknown: None}


async def test_whoever_is_signed_in_files_a_ticket_of_their_own(hospital: Hospital) -> None:
    doctor = await hospital.doctor()

    await doctor.does("fileTicket", "number", input={**TICKET, "reason": "OTHER"})

    assert (await Ticket.get()).account_id == doctor.account_id


async def test_a_ticket_is_asked_after_by_its_number_and_its_contact(hospital: Hospital) -> None:
    visitor, operator = hospital.visitor(), await hospital.staff(Role.OPERATOR)
    number = await filed(visitor)
    shows = "state createdAt decidedAt"

    seen = await visitor.does(
        "checkTicket", shows, number=number.lower().replace("-", " "), contact=PHONE
    )
    wrong = [
        await visitor.tries("checkTicket", shows, number=one, contact=contact)
        for one, contact in ((number, EMAIL), ("TK-0000-0000", PHONE), ("x" * 300, PHONE))
    ]
    ticket = await ticket_of(operator, number)
    await operator.does("takeTicket", id=ticket["id"])
    await operator.does("refuseTicket", id=ticket["id"], reason="Документ не читается")
    after = await visitor.does("checkTicket", "state", number=number, contact=PHONE)

    assert (seen["state"], seen["decidedAt"]) == ("NEW", None)
    assert after == {"state": "REFUSED"}
    assert [[(e["code"], e["field"]) for e in one["errors"]] for one in wrong] == [
        [("NOT_FOUND", "number")]
    ] * 3
    assert wrong[0] == wrong[1] == wrong[2]
    assert await received(hospital.api, PHONE) == [
        f"Кабинет медработника. По обращению {number} отказано: Документ не читается"
    ]


@pytest.mark.parametrize("mutation", ["answerTicket", "refuseTicket"])
async def test_a_ticket_is_answered_in_the_language_of_its_account(
    hospital: Hospital, mutation: str
) -> None:
    person, visitor = await hospital.signing_in(), hospital.visitor()
    await Account.filter(id=person.account_id).update(language="en")
    operator = await hospital.staff(Role.OPERATOR)
    said = {"answer" if mutation == "answerTicket" else "reason": "Please see your mailbox."}
    for contact in (PHONE, "nobody@example.org"):
        ticket = await ticket_of(operator, await filed(visitor, contact=contact))
        await operator.does("takeTicket", id=ticket["id"])
        await operator.does(mutation, id=ticket["id"], **said)

    (told,) = await received(hospital.api, PHONE)
    assert told.isascii()
    # Of whom nothing is known the installation's language is the best guess.
    (guessed,) = await received(hospital.api, "nobody@example.org")
    assert not guessed.isascii()


async def test_no_language_tells_whose_number_a_stranger_quotes(hospital: Hospital) -> None:
    """The number that a locked login told leads the operator to an account, if there is one."""
    person, visitor = await hospital.signing_in(), hospital.visitor()
    await Account.filter(id=person.account_id).update(language="en")
    operator = await hospital.staff(Role.OPERATOR)
    assert person.account is not None
    number = await filed(visitor, contact=STRANGER, publicId=person.account.public_id)
    ticket = await ticket_of(operator, number)
    assert ticket["account"]["id"] == str(person.account_id)
    await operator.does("takeTicket", id=ticket["id"])
    await operator.does("answerTicket", id=ticket["id"], answer="Смотрите раздел «Вход»")

    assert await received(hospital.api, STRANGER) == [
        f"Ответ на обращение {number}: Смотрите раздел «Вход»"
    ]


async def test_a_ticket_goes_its_way_once(hospital: Hospital) -> None:
    operator = await hospital.staff(Role.OPERATOR)
    ticket = (await ticket_of(operator, await filed(hospital.visitor())))["id"]
    # An answer may be a word: it is no reason.
    answer = {"id": ticket, "answer": "Да."}

    assert await operator.refused("answerTicket", **answer) == [("TICKET_STATE", "id")]
    await operator.does("takeTicket", id=ticket)
    assert await operator.refused("takeTicket", id=ticket) == [("TICKET_STATE", "id")]
    assert await operator.refused("answerTicket", id=ticket, answer=" ") == [("REQUIRED", "answer")]
    await operator.does("answerTicket", **answer)
    for step, rest in (("answerTicket", answer), ("refuseTicket", {"reason": "Нет документа"})):
        assert await operator.refused(step, **{"id": ticket, **rest}) == [("TICKET_STATE", "id")]
    assert len(await received(hospital.api, PHONE)) == 1


async def test_tickets_are_found_by_their_state_and_reason(hospital: Hospital) -> None:
    operator, visitor = await hospital.staff(Role.OPERATOR), hospital.visitor()
    locked = await filed(visitor)
    other = await filed(visitor, reason="OTHER")
    await operator.does("takeTicket", id=(await ticket_of(operator, other))["id"])

    found = await operator.sees(
        "{ new: tickets(filter: {state: {eq: NEW}}) { nodes { number } }"
        " other: tickets(filter: {reason: {eq: OTHER}}) { nodes { number } }"
        " last: tickets(order: [{field: CREATED_AT, direction: DESC}]) { totalCount } }"
    )

    assert found == {
        "new": {"nodes": [{"number": locked}]},
        "other": {"nodes": [{"number": other}]},
        "last": {"totalCount": 2},
    }


async def elsewhere(hospital: Hospital) -> tuple[Hospital, Caller]:
    """Another hospital, and its operator."""
    other = replace(hospital, organisation=await make.organisation(name="Другая больница"))
    return other, await other.staff(Role.OPERATOR)


async def test_a_ticket_of_an_organisation_s_own_is_nothing_to_other_operators(
    hospital: Hospital,
) -> None:
    await hospital.signing_in(Role.DOCTOR)
    operator = await hospital.staff(Role.OPERATOR)
    _, stranger = await elsewhere(hospital)
    number = await filed(hospital.visitor())
    ticket = await ticket_of(operator, number)
    (document,) = ticket["documents"]["nodes"]

    assert await stranger.sees("{ tickets { totalCount nodes { id } } }") == {
        "tickets": {"totalCount": 0, "nodes": []}
    }
    one = "query ($id: ID!) { ticket(id: $id) { id documents { totalCount } } }"
    assert await stranger.sees(one, id=ticket["id"]) == {"ticket": None}
    denied = [("NOT_FOUND", "id")]
    assert await stranger.refused("openDocument", id=document["id"]) == denied
    assert await stranger.refused("takeTicket", id=ticket["id"]) == denied
    await operator.does("takeTicket", id=ticket["id"])
    answer = {"id": ticket["id"], "answer": "Сделано, войдите."}
    assert await stranger.refused("answerTicket", **answer) == denied
    refusal = {"id": ticket["id"], "reason": "Документ не читается"}
    assert await stranger.refused("refuseTicket", **refusal) == denied
    assert (await Ticket.get()).state is TicketState.IN_REVIEW
    assert await received(hospital.api, PHONE) == []


async def test_an_address_of_a_document_ends_with_the_place_it_was_signed_for(
    hospital: Hospital,
) -> None:
    await hospital.signing_in(Role.DOCTOR)
    operator = await hospital.staff(Role.OPERATOR)
    (document,) = (await ticket_of(operator, await filed(hospital.visitor())))["documents"]["nodes"]
    opened = await operator.does("openDocument", "address", id=document["id"])
    other, _ = await elsewhere(hospital)

    await RoleGrant.filter(account_id=operator.account_id).update(
        organisation_id=other.organisation.id
    )

    assert (await hospital.api.client.get(opened["address"])).status_code == 403


async def test_whoever_belongs_nowhere_is_every_operator_s(hospital: Hospital) -> None:
    await make.account(phone=PHONE)
    _, operator = await elsewhere(hospital)
    for contact in ("8 900 123-45-67", "nobody@example.org"):
        ticket = await ticket_of(operator, await filed(hospital.visitor(), contact=contact))
        (document,) = ticket["documents"]["nodes"]
        assert (await fetched(operator, document["id"])).status_code == 200
        await operator.does("takeTicket", id=ticket["id"])


async def test_nobody_but_an_operator_knows_of_tickets(hospital: Hospital) -> None:
    number = await filed(hospital.visitor())
    row = await Ticket.get(number=number)
    for caller in (
        hospital.visitor(),
        await hospital.doctor(),
        await hospital.admin(),
        await hospital.inspector(),
        await hospital.citizen(),
    ):
        error = await caller.unknown("{ tickets { totalCount } }")
        assert "tickets" in error["message"]
        error = await caller.unknown(f'mutation {{ takeTicket(id: "{row.id}") {{ __typename }} }}')
        assert "takeTicket" in error["message"]


async def test_a_document_is_saved_and_never_shown_and_only_while_its_address_is_good(
    hospital: Hospital,
) -> None:
    operator = await hospital.staff(Role.OPERATOR)
    number = await filed(hospital.visitor())
    (document,) = (await ticket_of(operator, number))["documents"]["nodes"]

    opened = await operator.does("openDocument", "address", id=document["id"])
    address = opened["address"]
    response = await hospital.api.client.get(address)
    assert response.headers["content-disposition"] == (
        "attachment; filename=\"document.pdf\"; filename*=UTF-8''"
        "%D0%9F%D0%B0%D1%81%D0%BF%D0%BE%D1%80%D1%82.pdf"
    )
    headers = response.headers
    assert (headers["content-type"], headers["x-content-type-options"]) == (PDF, "nosniff")
    assert headers["cache-control"] == "no-store"
    assert "default-src 'none'" in headers["content-security-policy"]
    # Neither another document nor another deed nor another time is what was signed.
    query = parse_qs(urlsplit(address).query)
    other = (await TicketDocument.get()).ticket_id
    later = str(int(query["until"][0]) + 600)
    for wrong in (
        address.replace(document["id"], str(other)),
        address.replace(query["until"][0], later),
        address.replace("role=OPERATOR", "role=ADMIN"),
        address.replace(str(operator.account_id), str(other)),
        address.split("?")[0],
        address[:-1],
    ):
        assert (await hospital.api.client.get(wrong)).status_code == 403, wrong
    assert (await hospital.api.client.put(address, content=pdf())).status_code == 403

    # Whoever is no operator any more has no use of it.
    await RoleGrant.filter(account_id=operator.account_id).update(revoked_at=utc_now())
    assert (await hospital.api.client.get(address)).status_code == 403


async def test_a_file_is_one_tickets_and_its_senders(hospital: Hospital) -> None:
    doctor, visitor = await hospital.doctor(), hospital.visitor()
    own, once = await uploaded(doctor), await uploaded(visitor)
    given = {**TICKET, "reason": "OTHER"}

    await visitor.does("fileTicket", "number", input={**given, "attachments": [once, once]})

    for caller, attachment in ((visitor, own), (visitor, once), (doctor, once)):
        assert await caller.refused("fileTicket", input={**given, "attachments": [attachment]}) == [
            ("NOT_FOUND", "input.attachments")
        ]
    assert await Ticket.all().count() == 1
    assert await Upload.all().count() == 1


async def test_a_file_that_never_came_is_not_attached(hospital: Hospital) -> None:
    visitor = hospital.visitor()
    announced = await visitor.does(
        "requestUpload", "uploadId", purpose="TICKET", fileName="a.pdf", size=9, mediaType=PDF
    )
    attachments = [announced["uploadId"]]
    assert await visitor.refused("fileTicket", input={**TICKET, "attachments": attachments}) == [
        ("NOT_FOUND", "input.attachments")
    ]


async def test_no_more_than_five_documents_and_so_many_tickets(hospital: Hospital) -> None:
    visitor = hospital.visitor()
    many = [str(uuid7()) for _ in range(6)]
    assert await visitor.refused("fileTicket", input={**TICKET, "attachments": many}) == [
        ("OUT_OF_RANGE", "input.attachments")
    ]
    given = {**TICKET, "reason": "OTHER"}
    answers = [await visitor.refused("fileTicket", input=given) for _ in range(6)]
    assert answers == [[]] * 5 + [[("TOO_MANY_ATTEMPTS", None)]]


async def test_a_stranger_closes_support_to_nobody(hospital: Hospital) -> None:
    """Five tickets of a contact a day, and not of everybody who writes it down."""
    given = {**TICKET, "reason": "OTHER"}
    transport = httpx.ASGITransport(app=hospital.api.app, client=("192.0.2.66", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        stranger = Caller(Api(hospital.api.app, client))
        answers = [await stranger.refused("fileTicket", input=given) for _ in range(6)]
    assert answers[-1] == [("TOO_MANY_ATTEMPTS", None)]

    await hospital.visitor().does("fileTicket", "number", input=given)


async def lost(hospital: Hospital) -> tuple[Caller, str]:
    """Somebody with a confirmed telephone who has lost the second factor, and their ticket."""
    person = await hospital.signing_in(Role.DOCTOR)
    await sign_in(person, PHONE)
    await Account.filter(id=person.account_id).update(phone_confirmed_at=utc_now())
    await RecoveryCode.create(account_id=person.account_id, code_hash="0", created_at=utc_now())
    await Passkey.create(
        account_id=person.account_id,
        credential_id="x",
        public_key=b"x",
        name="Ключ",
        created_at=utc_now(),
    )
    return person, await filed(hospital.visitor(), reason="SECOND_FACTOR_LOST")


async def test_lost_factors_are_taken_away_by_a_ticket_in_review(hospital: Hospital) -> None:
    person, number = await lost(hospital)
    operator, second = [await hospital.staff(Role.OPERATOR) for _ in range(2)]
    ticket = await ticket_of(operator, number)
    given = {"id": person.account_id, "ticketId": ticket["id"], "reason": "Паспорт сверен"}

    assert await operator.refused("resetFactors", **given) == [("TICKET_STATE", "ticketId")]
    await operator.does("takeTicket", id=ticket["id"])
    # Whoever looked at the documents does not act upon them alone.
    assert await operator.refused("resetFactors", **given) == [
        ("OTHER_OPERATOR_NEEDED", "ticketId")
    ]
    await second.does("resetFactors", "account { state }", **given)

    row = await Account.get(id=person.account_id)
    assert row.totp_sealed is None
    assert row.sms_factor
    assert row.password_hash is not None
    assert await Passkey.all().count() + await RecoveryCode.all().count() == 0
    assert await Session.filter(account_id=row.id, ended_at__isnull=True).count() == 0
    for to in (PHONE, EMAIL):
        assert "removed the second factor" in (await received(hospital.api, to))[-1]
    entry = await AuditEntry.get(action="FACTORS_RESET")
    assert entry.details == {"ticket": number, "reason": "Паспорт сверен"}


async def test_where_there_is_one_operator_that_is_written_down(hospital: Hospital) -> None:
    person, number = await lost(hospital)
    operator = await hospital.staff(Role.OPERATOR)
    ticket = (await ticket_of(operator, number))["id"]
    await operator.does("takeTicket", id=ticket)

    given = {"id": person.account_id, "ticketId": ticket, "reason": "Паспорт сверен"}
    await operator.does("resetFactors", "account { state }", **given)

    entry = await AuditEntry.get(action="FACTORS_RESET")
    assert entry.details["only_operator"] is True


async def test_factors_are_not_taken_away_without_what_shows_whose_they_are(
    hospital: Hospital,
) -> None:
    person, number = await lost(hospital)
    operator = await hospital.staff(Role.OPERATOR)
    mine = await ticket_of(operator, number)
    other = await ticket_of(operator, await filed(hospital.visitor(), contact="x@example.org"))
    question = {**TICKET, "reason": "OTHER"}
    bare = await hospital.visitor().does("fileTicket", "number", input=question)
    plain = await ticket_of(operator, bare["number"])
    for ticket in (mine, other, plain):
        await operator.does("takeTicket", id=ticket["id"])
    given = {"id": person.account_id, "ticketId": mine["id"], "reason": "Паспорт сверен"}

    refused = [
        await operator.refused("resetFactors", **{**given, **changed})
        for changed in (
            {"ticketId": other["id"]},
            {"ticketId": plain["id"]},
            {"reason": " "},
            {"id": operator.account_id},
        )
    ]
    await Account.filter(id=person.account_id).update(phone_confirmed_at=None)
    refused.append(await operator.refused("resetFactors", **given))

    assert refused == [
        [("NOT_FOUND", "ticketId")],
        [("DOCUMENT_REQUIRED", "ticketId")],
        [("REASON_REQUIRED", "reason")],
        [("OTHER_OPERATOR_NEEDED", "id")],
        [("CONTACT_UNCONFIRMED", "id")],
    ]
    assert (await Account.get(id=person.account_id)).totp_sealed is not None
    assert "FACTORS_RESET" not in [action for action, _, _ in await journal()]


async def test_an_operator_helps_a_citizen_who_belongs_nowhere(hospital: Hospital) -> None:
    citizen = await make.account(state=AccountState.LOCKED, phone=PHONE)
    operator = await hospital.staff(Role.OPERATOR)
    ticket = await ticket_of(operator, await filed(hospital.visitor()))

    assert ticket["account"]["id"] == str(citizen.id)
    await operator.does("unlockAccount", id=citizen.id, reason="Паспорт сверен")

    assert (await Account.get(id=citizen.id)).state is AccountState.ACTIVE
    admin = await hospital.admin()
    assert await admin.sees("query ($id: ID!) { account(id: $id) { id } }", id=citizen.id) == {
        "account": None
    }

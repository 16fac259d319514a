"""Journey 8: signing in through Gosuslugi, against ESIA as it is imitated on loopback.

What the standard asks is tried with a real OpenID provider in ``test_openid_provider``.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from adapters.oidc import PATIENCE_SECONDS
from auth.identities import number_of, set_number
from auth.keys import digest
from core.clock import utc_now
from models.account import Account, AccountState, ConfirmedBy, Session, SignInMethod
from models.audit import AuditEntry
from models.change import ChangeKind
from models.database import unit_of_work
from models.factor import Challenge
from models.feed import announce
from models.identity import ExternalIdentity, Identity
from models.message import Message
from models.notice import NoticeKind, ServiceNotice
from resolvers import esia as resolver
from server.watching import Watching
from tests import factories as make
from tests.api import Api, serving
from tests.auth.entrance import PASSWORD
from tests.gosuslugi import Gosuslugi, came_back, gosuslugi
from tests.journeys.hospital import (
    Caller,
    Hospital,
    confirms,
    journal,
    mutation_document,
    use_up,
    was_shown,
)
from tests.journeys.messages import code_for, messages

SNILS, OTHER_SNILS = "11223344595", "08765430300"
ANNA, STRANGER = "1000299654", "1000299655"
SHOWS = "accessToken refreshToken viewer { activeRole roles }"


def person(snils: str = SNILS, **told: Any) -> dict[str, Any]:
    """What Gosuslugi tells of a person."""
    names = {"firstName": "Анна", "lastName": "Петрова", "birthDate": "02.01.1980"}
    return {**names, "trusted": True, "snils": snils, **told}


@pytest.fixture
async def service(tmp_path: Path) -> AsyncIterator[Gosuslugi]:
    async with gosuslugi(tmp_path) as service:
        service.people[ANNA] = person()
        service.people[STRANGER] = person(OTHER_SNILS)
        yield service


@pytest.fixture
async def api(service: Gosuslugi, database_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    async with serving(database_url, tmp_path / "home", esia=service.settings) as client:
        yield client


async def begun(caller: Caller) -> Any:
    shown = "address binding expiresAt"
    if caller.token:
        return await caller.does("beginEsiaLinking", shown)
    return await caller.does("beginEsia", shown)


async def back(caller: Caller, who: str = ANNA) -> dict[str, str]:
    """What a browser finishes with: what it kept, and what it came back with."""
    begins = await begun(caller)
    return {"binding": begins["binding"], **await came_back(begins["address"], who)}


async def finished(hospital: Hospital, who: str = ANNA) -> Caller:
    """Somebody who signed in just now."""
    visitor = hospital.visitor()
    payload = await visitor.does("finishEsia", SHOWS, **await back(visitor, who))
    assert payload["viewer"]["activeRole"] in payload["viewer"]["roles"]
    return Caller(hospital.api, payload["accessToken"])


async def account_of(caller: Caller) -> str:
    seen = await caller.sees("{ viewer { account { id } } }")
    found: str = seen["viewer"]["account"]["id"]
    return found


async def refused(caller: Caller, who: str = ANNA) -> list[tuple[str, str | None]]:
    return await caller.refused("finishEsia", **await back(caller, who))


async def registered(hospital: Hospital, **values: Any) -> Account:
    """An account whose owner said who they are."""
    account = await make.account(**values)
    identity = Identity(
        account=account, last_name="Петрова", first_name="Анна", birth_date=date(1980, 1, 2)
    )
    set_number(hospital.api.services.gate, identity, "snils", SNILS)
    await identity.save()
    return account


async def employed(hospital: Hospital, **values: Any) -> Account:
    """An account of a worker whose SNILS the registry knows."""
    account = await make.account(**values)
    department = await make.department(await make.organisation())
    await make.practitioner(department, account=account, snils=SNILS)
    return account


async def test_a_worker_is_linked_by_snils_and_signs_in_ever_after(
    hospital: Hospital, service: Gosuslugi
) -> None:
    doctor = await hospital.doctor(snils=SNILS)

    first = await finished(hospital)
    service.people[ANNA] = person(OTHER_SNILS)  # from now on the link tells who it is
    again = await finished(hospital)

    for caller in (first, again):
        assert await account_of(caller) == str(doctor.account_id)
        role = await caller.sees("{ viewer { activeRole } }")
        assert role == {"viewer": {"activeRole": "DOCTOR"}}
    link = await ExternalIdentity.get()
    assert (link.account_id, link.subject) == (doctor.account_id, ANNA)
    sessions = await Session.filter(method=SignInMethod.ESIA)
    assert [session.account_id for session in sessions] == [doctor.account_id] * 2
    done = [action for action, _, about in await journal() if about in (None, doctor.file_id)]
    signed_in = ["SIGNED_IN"]  # the first is the doctor's of the story
    assert done == [
        *signed_in,
        *["ESIA_BEGUN", "ESIA_LINKED", *signed_in],
        *["ESIA_BEGUN", *signed_in],
    ]


async def test_coming_back_on_a_known_device_is_no_news_to_the_owner(hospital: Hospital) -> None:
    await hospital.doctor(snils=SNILS)
    visitor = hospital.visitor()
    given = await back(visitor)
    signed_in = await visitor.does("finishEsia", "deviceToken", **given)
    told = await messages(hospital)

    given = await back(visitor)
    await visitor.does("finishEsia", SHOWS, **given, deviceToken=signed_in["deviceToken"])
    assert await messages(hospital) == told
    await finished(hospital)
    assert len(await messages(hospital)) == len(told) + 1


async def test_a_snils_that_somebody_only_stated_links_nobody(hospital: Hospital) -> None:
    """Else a stranger who stated it first would share the account of its owner."""
    await registered(hospital)
    assert await refused(hospital.visitor()) == [("ESIA_NOT_LINKED", None)]
    assert await ExternalIdentity.all().count() == 0


async def test_who_came_in_person_is_linked_by_snils(hospital: Hospital) -> None:
    account = await registered(hospital, confirmed_by=ConfirmedBy.VISIT)
    assert await account_of(await finished(hospital)) == str(account.id)


async def test_the_registry_is_believed_before_what_somebody_said(hospital: Hospital) -> None:
    await registered(hospital)
    doctor = await hospital.doctor(snils=SNILS)
    assert await account_of(await finished(hospital)) == str(doctor.account_id)


@pytest.mark.any_database
async def test_the_owner_is_told_of_the_new_way_in(hospital: Hospital) -> None:
    account = await employed(hospital)
    await finished(hospital)
    sent = await Message.get()
    open_ = hospital.api.services.vault.open
    assert open_(sent.to_sealed) == account.email
    assert account.public_id in open_(sent.body_sealed)


@pytest.mark.parametrize(
    "values",
    [
        None,
        {"confirmed_at": None},
        {"state": AccountState.INVITED},
    ],
)
async def test_where_nobody_has_the_snils_one_is_told_to_register(
    hospital: Hospital, values: dict[str, Any] | None
) -> None:
    if values is not None:
        await employed(hospital, **values)
    visitor = hospital.visitor()

    texts = await visitor.told("finishEsia", language="ru", **await back(visitor))

    assert await refused(visitor) == [("ESIA_NOT_LINKED", None)]
    assert "зарегистрируйтесь" in texts[0]
    assert (await ExternalIdentity.all().count(), await Session.all().count()) == (0, 0)
    assert (await journal())[-1][0] == "SIGN_IN_FAILED"


async def test_of_two_accounts_of_a_person_neither_is_guessed(hospital: Hospital) -> None:
    await hospital.doctor(snils=SNILS)
    elsewhere = await make.organisation()
    other = await make.account(elsewhere)
    await make.practitioner(await make.department(elsewhere), account=other, snils=SNILS)
    assert await refused(hospital.visitor()) == [("ESIA_NOT_LINKED", None)]


async def test_only_a_confirmed_account_of_gosuslugi_signs_in(
    hospital: Hospital, service: Gosuslugi
) -> None:
    await hospital.doctor(snils=SNILS)
    await finished(hospital)
    for who in (ANNA, STRANGER):
        service.people[who]["trusted"] = False
        assert await refused(hospital.visitor(), who) == [("ESIA_NOT_TRUSTED", None)]


async def test_a_passing_lock_keeps_no_owner_out_and_a_closed_account_does(
    hospital: Hospital,
) -> None:
    account = await employed(
        hospital, state=AccountState.LOCKED, locked_until=utc_now() + timedelta(minutes=10)
    )
    await finished(hospital)
    for state in (AccountState.LOCKED, AccountState.CLOSED):
        await Account.filter(id=account.id).update(state=state, locked_until=None)
        assert await refused(hospital.visitor()) == [("ACCOUNT_CLOSED", None)]


async def test_who_registers_anew_at_gosuslugi_goes_on(
    hospital: Hospital, service: Gosuslugi
) -> None:
    await hospital.doctor(snils=SNILS)
    await finished(hospital)
    service.people = {STRANGER: person()}

    await finished(hospital, STRANGER)

    assert (await ExternalIdentity.get()).subject == STRANGER


async def test_what_another_browser_began_is_finished_by_nobody_else(hospital: Hospital) -> None:
    await hospital.doctor(snils=SNILS)
    mine, theirs = hospital.visitor(), hospital.visitor()
    own, other = await back(mine), await back(theirs)
    mismatch = [("ESIA_STATE_MISMATCH", "state")]

    # A stranger lures a browser to the address at which the stranger's own sign-in ends.
    lured = {**other, "binding": own["binding"]}
    assert await mine.refused("finishEsia", **lured) == mismatch
    assert await mine.refused("finishEsia", **{**lured, "binding": "x" * 43}) == mismatch
    # The stranger puts a code that was meant for another into their own sign-in.
    stolen = {**other, "code": own["code"]}
    assert await theirs.refused("finishEsia", **stolen) == [("ESIA_REFUSED", "code")]
    assert await Session.filter(method=SignInMethod.ESIA).count() == 0


async def test_coming_back_works_once_and_soon(hospital: Hospital) -> None:
    await hospital.doctor(snils=SNILS)
    visitor = hospital.visitor()
    first = await back(visitor)
    late = await back(visitor)
    waiting, now = Challenge.filter(value_hash=digest(late["binding"])), utc_now()
    left = (await waiting.get()).expires_at - now
    assert timedelta(minutes=9) < left <= timedelta(minutes=10)
    await waiting.update(expires_at=now)

    await visitor.does("finishEsia", **first)

    for given in (first, late):
        assert await visitor.refused("finishEsia", **given) == [("ESIA_STATE_MISMATCH", "state")]


async def test_each_sign_in_has_secrets_of_its_own(hospital: Hospital) -> None:
    begins = [await begun(hospital.visitor()) for _ in range(2)]
    asked = [dict(parse_qsl(urlsplit(one["address"]).query)) for one in begins]
    for name in ("state", "nonce", "code_challenge"):
        assert len({one[name] for one in asked}) == 2
    assert len({one["binding"] for one in begins}) == 2
    assert all(one["code_challenge_method"] == "S256" for one in asked)
    # What the browser keeps to itself goes nowhere with it.
    assert not any(one["binding"] in one["address"] for one in begins)


async def test_a_session_by_gosuslugi_ends_as_any_other(hospital: Hospital) -> None:
    await hospital.doctor(snils=SNILS)
    visitor = hospital.visitor()
    shown = await visitor.does("finishEsia", SHOWS, **await back(visitor))
    session = await Session.get(method=SignInMethod.ESIA)
    assert session.expires_at - session.started_at == timedelta(hours=12)
    await Session.filter(id=session.id).update(expires_at=utc_now())

    # Gosuslugi is not asked whether it may go on: one goes there again.
    renewing = {"refreshToken": shown["refreshToken"]}
    assert await visitor.refused("refreshSession", **renewing) == [
        ("SESSION_EXPIRED", "refreshToken")
    ]
    await finished(hospital)


async def test_what_is_empty_is_named_at_once(hospital: Hospital) -> None:
    fields = ("binding", "state", "code")
    given = dict.fromkeys(fields, "")
    assert await hospital.visitor().refused("finishEsia", **given) == [
        ("REQUIRED", field) for field in fields
    ]


@pytest.mark.any_database
@pytest.mark.parametrize("code", ["x" * 4_097, "код", "a\nb"])
async def test_a_code_that_is_none_is_not_passed_on(
    hospital: Hospital, service: Gosuslugi, code: str
) -> None:
    visitor = hospital.visitor()
    service.instead["te"] = is_garbage  # would be an outage
    given = {**await back(visitor), "code": code}
    assert await visitor.refused("finishEsia", **given) == [("ESIA_REFUSED", "code")]


async def test_fifty_at_once_are_one_sign_in(hospital: Hospital) -> None:
    await hospital.doctor(snils=SNILS)
    visitor = hospital.visitor()
    given = await back(visitor)

    answers = await asyncio.gather(*(visitor.tries("finishEsia", **given) for _ in range(50)))

    codes = [problem["code"] for answer in answers for problem in answer["errors"]]
    assert codes == ["ESIA_STATE_MISMATCH"] * 49
    assert await Session.filter(method=SignInMethod.ESIA).count() == 1


async def test_several_first_sign_ins_at_once_make_one_link(hospital: Hospital) -> None:
    await hospital.doctor(snils=SNILS)
    visitor = hospital.visitor()
    given = [await back(visitor) for _ in range(10)]

    answers = await asyncio.gather(*(visitor.tries("finishEsia", **one) for one in given))

    assert [answer["errors"] for answer in answers] == [[]] * 10
    assert (await ExternalIdentity.get()).subject == ANNA


async def test_an_outage_is_told_of_until_it_is_over(
    hospital: Hospital, service: Gosuslugi
) -> None:
    await hospital.doctor(snils=SNILS)
    now = utc_now()
    announced = await ServiceNotice.create(
        kind=NoticeKind.PLANNED,
        part="ESIA",
        title_ru="Работы",
        title_en="Work",
        starts_at=now,
        source="ID-0000-0000",
        created_at=now,
    )
    visitor = hospital.visitor()
    for fault in (hangs, is_garbage):
        service.instead["te"] = fault
        assert await refused(visitor) == [("SERVICE_UNAVAILABLE", None)]
    outage = await ServiceNotice.get(kind=NoticeKind.OUTAGE)
    service.instead = {}

    await finished(hospital)

    assert (outage.part, outage.source) == ("ESIA", "ESIA")
    assert outage.holds_at(outage.starts_at)
    assert outage.title_ru == "Не работает вход через Госуслуги"
    assert outage.title_en == "Signing in through Gosuslugi does not work"
    await outage.refresh_from_db()
    await announced.refresh_from_db()
    assert outage.ended_at is not None and announced.ended_at is None
    done = [action for action, _, _ in await journal()]
    assert (done.count("OUTAGE_BEGAN"), done.count("OUTAGE_ENDED")) == (1, 1)


async def test_that_its_page_is_shown_ends_no_outage_of_another_kind(
    hospital: Hospital, service: Gosuslugi
) -> None:
    visitor = hospital.visitor()
    service.instead["te"] = is_garbage
    assert await refused(visitor) == [("SERVICE_UNAVAILABLE", None)]

    await Watching(hospital.api.services).look()

    assert (await ServiceNotice.get()).ended_at is None


async def test_a_page_that_hangs_keeps_nobody_waiting(
    hospital: Hospital, service: Gosuslugi
) -> None:
    service.instead["ac"] = hangs
    async with asyncio.timeout(PATIENCE_SECONDS + 3):
        answers = await asyncio.gather(
            *(hospital.visitor().refused("beginEsia") for _ in range(10))
        )
    assert answers == [[("SERVICE_UNAVAILABLE", None)]] * 10
    assert await ServiceNotice.all().count() == 1


async def test_many_failures_at_once_are_one_outage(hospital: Hospital, service: Gosuslugi) -> None:
    visitor = hospital.visitor()
    given = [await back(visitor) for _ in range(10)]
    service.instead["te"] = is_garbage
    await asyncio.gather(*(visitor.tries("finishEsia", **one) for one in given))
    assert await ServiceNotice.all().count() == 1


async def test_what_gosuslugi_refuses_is_no_outage(hospital: Hospital) -> None:
    visitor = hospital.visitor()
    given = {**await back(visitor), "code": "made-up"}
    assert await visitor.refused("finishEsia", **given) == [("ESIA_REFUSED", "code")]
    assert await ServiceNotice.all().count() == 0


async def test_whatever_gosuslugi_answers_its_outage_is_over(
    hospital: Hospital, service: Gosuslugi
) -> None:
    visitor = hospital.visitor()
    service.instead["te"] = is_garbage
    assert await refused(visitor) == [("SERVICE_UNAVAILABLE", None)]
    service.instead = {}

    given = {**await back(visitor), "code": "made-up"}
    assert await visitor.refused("finishEsia", **given) == [("ESIA_REFUSED", "code")]

    assert (await ServiceNotice.get()).ended_at is not None


@pytest.mark.parametrize("error", ["invalid_client", "invalid_request", "unauthorized_client"])
async def test_settings_that_gosuslugi_refuses_are_told_by_health_and_to_nobody_else(
    hospital: Hospital, service: Gosuslugi, caplog: pytest.LogCaptureFixture, error: str
) -> None:
    async def refuses(_request: Request) -> Response:
        return JSONResponse({"error": error}, 401 if error == "invalid_client" else 400)

    async def health() -> Any:
        seen = await hospital.visitor().sees("{ serviceStatus { parts { part health } } }")
        return {one["part"]: one["health"] for one in seen["serviceStatus"]["parts"]}["ESIA"]

    await hospital.doctor(snils=SNILS)
    service.instead["te"] = refuses
    assert await refused(hospital.visitor()) == [("SERVICE_UNAVAILABLE", None)]
    wrong = await health()
    logged = [one.getMessage() for one in caplog.records if one.levelno == logging.ERROR]
    service.instead = {}
    await finished(hospital)

    assert (wrong, await health()) == ("DOWN", "OK")
    assert logged == [f"Gosuslugi takes no requests of this installation: {error}"]
    assert await ServiceNotice.all().count() == 0


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        ("access_denied", ("ESIA_CANCELLED", None)),
        ("temporarily_unavailable", ("SERVICE_UNAVAILABLE", None)),
        ("invalid_scope", ("ESIA_REFUSED", "error")),
        ("\n<b>", ("ESIA_REFUSED", "error")),
    ],
)
async def test_who_comes_back_without_a_code_is_told_why(
    hospital: Hospital, error: str, problem: tuple[str, str | None]
) -> None:
    visitor, doctor = hospital.visitor(), await hospital.doctor(snils=SNILS)
    for caller, name in ((visitor, "finishEsia"), (doctor, "linkEsia")):
        given = {**await back(caller), "error": error}
        del given["code"]
        assert await caller.refused(name, **given) == [problem]
        # It was tried once, as with a code.
        assert await caller.refused(name, **given) == [("ESIA_STATE_MISMATCH", "state")]
    # A browser says it, so it is no proof of an outage.
    assert await ServiceNotice.all().count() == 0
    done = [action for action, _, _ in await journal()]
    assert done.count("SIGN_IN_FAILED") == done.count("ESIA_LINK_FAILED") == 2


async def hangs(_request: Request) -> Response:
    await asyncio.sleep(30)
    return Response()


async def is_garbage(_request: Request) -> Response:
    return PlainTextResponse("<html>Ведутся работы</html>")


async def test_too_many_from_one_address_wait(hospital: Hospital) -> None:
    visitor = hospital.visitor()
    given = await back(visitor)
    await use_up(hospital.api, resolver.BEGINNING, resolver.FINISHING)
    assert await visitor.refused("beginEsia") == [("TOO_MANY_ATTEMPTS", None)]
    assert await visitor.refused("finishEsia", **given) == [("TOO_MANY_ATTEMPTS", None)]


@pytest.mark.any_database
async def test_an_operation_tries_one_code(hospital: Hospital) -> None:
    one = 'finishEsia(binding: "a", state: "b", code: "c") { errors { code } }'
    answer = await hospital.visitor().answer(f"mutation {{ a: {one} b: {one} }}")
    assert answer.codes == ["ONE_SENSITIVE_FIELD"]


@unit_of_work
async def unconfirmed(caller: Caller) -> None:
    await Account.filter(id=caller.account_id).update(confirmed_at=None)
    announce(ChangeKind.SESSION, account_id=caller.account_id)


async def citizen(hospital: Hospital, **said: Any) -> Caller:
    """Somebody unconfirmed, who said their name and no SNILS."""
    caller = await hospital.citizen()
    names = {"last_name": " ПЕТРОВА", "first_name": "Анна", "birth_date": date(1980, 1, 2)}
    await Identity.create(account_id=caller.account_id, **{**names, **said})
    await unconfirmed(caller)
    return caller


async def test_linking_binds_the_snils_and_confirms_the_account(hospital: Hospital) -> None:
    caller = await citizen(hospital)

    linked = await caller.does("linkEsia", "account { confirmedAt }", **await back(caller))

    assert linked["account"]["confirmedAt"] is not None
    identity = await Identity.get()
    assert number_of(hospital.api.services.gate, identity, "snils") == SNILS
    # The next request of the same session has it already.
    assert (await caller.answer("{ applications { totalCount } }")).codes == []
    assert await account_of(await finished(hospital)) == str(caller.account_id)


@pytest.mark.parametrize(
    "said", [{"last_name": "Иванова"}, {"birth_date": date(1981, 1, 2)}, {"birth_date": None}]
)
async def test_another_person_s_gosuslugi_confirms_nobody(
    hospital: Hospital, said: dict[str, Any]
) -> None:
    caller = await citizen(hospital, **said)

    refusals = await caller.refused("linkEsia", **await back(caller))

    assert refusals == [("ESIA_SUBJECT_MISMATCH", None)]
    identity = await Identity.get()
    assert identity.snils_hash is None
    assert await ExternalIdentity.all().count() == 0
    assert (await Account.get(id=caller.account_id)).confirmed_at is None


async def test_a_worker_links_nobody_but_themselves(hospital: Hospital) -> None:
    doctor = await hospital.doctor(snils=SNILS)
    mismatch = [("ESIA_SUBJECT_MISMATCH", None)]
    assert await doctor.refused("linkEsia", **await back(doctor, STRANGER)) == mismatch
    await doctor.does("linkEsia", "account { id }", **await back(doctor))


async def test_one_who_is_linked_elsewhere_is_not_linked_again(hospital: Hospital) -> None:
    doctor = await hospital.doctor(snils=SNILS)
    await finished(hospital)
    other = await hospital.citizen()
    taken = [("IDENTITY_UNAVAILABLE", None)]
    assert await other.refused("linkEsia", **await back(other)) == taken
    # Nor is a SNILS bound that is another account's.
    await doctor.does("unlinkEsia")
    await registered(hospital)
    third = await citizen(hospital)
    assert await third.refused("linkEsia", **await back(third)) == taken
    assert await ExternalIdentity.all().count() == 0


async def test_linking_takes_the_snils_from_who_only_stated_it(hospital: Hospital) -> None:
    stranger = await registered(hospital)
    caller = await citizen(hospital)

    await caller.does("linkEsia", "account { id }", **await back(caller))

    assert (await Account.get(id=caller.account_id)).confirmed_by is ConfirmedBy.ESIA
    assert (await Identity.get(account_id=stranger.id)).snils_hash is None
    assert (await Account.get(id=stranger.id)).confirmed_at is None


async def test_linking_proves_what_the_owner_only_stated(hospital: Hospital) -> None:
    caller = await citizen(hospital)
    identity = await Identity.get(account_id=caller.account_id)
    set_number(hospital.api.services.gate, identity, "snils", SNILS)
    await identity.save()
    await Account.filter(id=caller.account_id).update(
        confirmed_at=utc_now(), confirmed_by=ConfirmedBy.SMS
    )
    await caller.does("linkEsia", "account { id }", **await back(caller))
    assert (await Account.get(id=caller.account_id)).confirmed_by is ConfirmedBy.ESIA


async def test_a_linking_is_finished_by_the_session_that_began_it(hospital: Hospital) -> None:
    doctor, other = await hospital.doctor(snils=SNILS), await hospital.doctor()
    mismatch = [("ESIA_STATE_MISMATCH", "state")]
    given = await back(doctor)
    assert await other.refused("linkEsia", **given) == mismatch
    assert await hospital.visitor().refused("finishEsia", **given) == mismatch
    assert await doctor.refused("linkEsia", **await back(hospital.visitor())) == mismatch


async def test_linking_needs_a_factor_shown_lately(hospital: Hospital) -> None:
    doctor = await hospital.doctor(snils=SNILS)
    given = await back(doctor)
    await was_shown(doctor, minutes=11)
    # Before the person is sent there: what they would come back with lasts less than a code by SMS.
    for name in ("beginEsiaLinking", "unlinkEsia"):
        answer = await doctor.answer(mutation_document(name, "", {}), {})
        assert answer.codes == ["FACTOR_NOT_FRESH"]
    await was_shown(doctor, minutes=21)
    answer = await doctor.answer(mutation_document("linkEsia", "", given), given)
    assert answer.codes == ["FACTOR_NOT_FRESH"]
    # The way there and back began with a factor.
    await was_shown(doctor, minutes=19)
    await doctor.does("linkEsia", "account { id }", **given)


async def test_gosuslugi_is_no_factor_of_ours(hospital: Hospital) -> None:
    person = await hospital.signing_in()
    await make.practitioner(hospital.therapy, account=person.account, snils=SNILS)
    caller = await finished(hospital)
    assert (await Session.get()).factor_at is None
    document = "mutation { createRecoveryCodes { codes } }"
    assert (await caller.answer(document)).codes == ["FACTOR_NOT_FRESH"]

    await confirms(caller, code=person.code())

    assert len((await caller.does("createRecoveryCodes", "codes"))["codes"]) == 10


async def test_who_has_gosuslugi_alone_adds_a_factor_by_their_confirmed_number(
    hospital: Hospital,
) -> None:
    phone = "+79001234567"
    hashed = await hospital.api.services.gate.passwords.hash(PASSWORD)
    account = await employed(hospital, phone=phone, password_hash=hashed)
    caller = await finished(hospital)
    assert await caller.refused("sendFactorCode") == [("FACTOR_UNAVAILABLE", None)]
    await Account.filter(id=account.id).update(phone_confirmed_at=utc_now())

    sent = await caller.does("sendFactorCode", "handle")
    given = {"handle": sent["handle"], "code": await code_for(hospital, phone)}
    await confirms(caller, factor="SMS", **given)
    await caller.does("setSmsFactor", enabled=True)

    assert (await Account.get(id=account.id)).sms_factor


async def test_gosuslugi_is_taken_off_an_account(hospital: Hospital) -> None:
    doctor = await hospital.doctor(snils=SNILS)
    await doctor.does("linkEsia", "account { id }", **await back(doctor))
    for _ in range(2):  # once more changes nothing
        await doctor.does("unlinkEsia", "account { id }")
    assert await ExternalIdentity.all().count() == 0
    assert await Message.all().count() == 2


async def test_what_its_owner_took_off_gosuslugi_opens_no_more_until_it_is_linked_again(
    hospital: Hospital, service: Gosuslugi
) -> None:
    doctor = await hospital.doctor(snils=SNILS)
    linked = "{ viewer { account { esiaLinkedAt } } }"
    await finished(hospital)
    assert (await doctor.sees(linked))["viewer"]["account"]["esiaLinkedAt"] is not None

    await doctor.does("unlinkEsia", "account { esiaLinkedAt }")

    assert await refused(hospital.visitor()) == [("ESIA_NOT_LINKED", None)]
    # Nor by an account there that was opened anew with the same SNILS.
    service.people["2000"] = person()
    assert await refused(hospital.visitor(), "2000") == [("ESIA_NOT_LINKED", None)]
    assert (await doctor.sees(linked))["viewer"]["account"]["esiaLinkedAt"] is None

    given = await back(doctor)
    shown = await doctor.does("linkEsia", "account { esiaLinkedAt }", **given)
    assert shown["account"]["esiaLinkedAt"] is not None
    assert await account_of(await finished(hospital)) == str(doctor.account_id)


async def test_one_that_was_never_linked_is_closed_to_gosuslugi_all_the_same(
    hospital: Hospital,
) -> None:
    doctor = await hospital.doctor(snils=SNILS)
    await doctor.does("unlinkEsia")
    assert await refused(hospital.visitor()) == [("ESIA_NOT_LINKED", None)]


async def test_of_signing_in_and_unlinking_at_once_nothing_is_linked_after(
    hospital: Hospital,
) -> None:
    doctor = await hospital.doctor(snils=SNILS)
    visitor = hospital.visitor()
    given = [await back(visitor) for _ in range(3)]

    await asyncio.gather(
        doctor.does("unlinkEsia"),
        *(visitor.tries("finishEsia", "", **one) for one in given),
    )

    assert await ExternalIdentity.all().count() == 0
    assert await refused(visitor) == [("ESIA_NOT_LINKED", None)]


async def test_nothing_that_opens_a_door_is_kept_or_journaled(
    hospital: Hospital, service: Gosuslugi
) -> None:
    await employed(hospital)
    visitor = hospital.visitor()
    given = await back(visitor)
    begun_with = service.codes[given["code"]]

    await visitor.does("finishEsia", **given)

    kept = [*await AuditEntry.all(), *await Challenge.all(), *await ExternalIdentity.all()]
    text = " ".join(str(vars(row)) for row in kept)
    for secret in (*given.values(), begun_with["nonce"], SNILS):
        assert secret not in text


async def test_where_gosuslugi_is_not_set_up_one_is_told_so(
    database_url: str, tmp_path: Path
) -> None:
    async with serving(database_url, tmp_path / "home") as api:
        visitor = Caller(api)
        unavailable = [("SERVICE_UNAVAILABLE", None)]
        given = {"binding": "a", "state": "b", "code": "c"}
        assert await visitor.refused("beginEsia") == unavailable
        assert await visitor.refused("finishEsia", **given) == unavailable
        assert await ServiceNotice.all().count() == 0

"""Journey 9: signing in by an electronic signature, and showing one in a session."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from auth.audit import verify
from auth.identities import set_number
from core.clock import utc_now
from core.settings import Signatures
from models.account import Account, AccountState, ConfirmedBy, Session, SignInMethod
from models.audit import AuditEntry
from models.factor import Challenge
from models.identity import Identity
from resolvers.signatures import SHOWING
from tests import factories as make
from tests.api import serving
from tests.certificates import DAY, FOR_PEOPLE, Authority, Signing, authority
from tests.journeys.hospital import Caller, Hospital, founded, use_up, was_shown
from tests.journeys.messages import messages

# What is tried here, no database decides.
pytestmark = pytest.mark.any_database

SNILS, INN = "11223344595", "500100732259"
OTHER_SNILS = "08765430300"
SHOWS = "accessToken refreshToken viewer { activeRole roles }"


@dataclass
class Signing9:
    """A hospital that trusts an authority, with the file of its list."""

    hospital: Hospital
    root: Authority
    revocations: Path

    async def to_sign(self, caller: Caller | None = None) -> dict[str, str]:
        """A text for signing in, or for whom it is a factor in their session."""
        shows = "challenge text expiresAt"
        asked: dict[str, str]
        if caller is None:
            asked = await self.hospital.visitor().does("beginSignatureSignIn", shows)
        else:
            asked = await caller.does("beginSignatureConfirmation", shows)
        return asked

    async def signed(self, person: Signing, caller: Caller | None = None) -> dict[str, str]:
        """A text given out, and what to answer with."""
        asked = await self.to_sign(caller)
        return {"challenge": asked["challenge"], "signature": person.sign(asked["text"])}

    async def refusal(self, person: Signing) -> list[tuple[str, str | None]]:
        answer = await self.signed(person)
        return await self.hospital.visitor().refused("signInBySignature", **answer)


@pytest.fixture
async def signing(database_url: str, tmp_path: Path) -> AsyncIterator[Signing9]:
    root = authority("Удостоверяющий центр «Пример»")
    (tmp_path / "authorities").mkdir()
    (tmp_path / "authorities" / "root.pem").write_bytes(root.pem)
    revocations = tmp_path / "root.crl"
    revocations.write_bytes(root.revocations())
    settings = Signatures(tmp_path / "authorities", (str(revocations),))
    async with serving(database_url, tmp_path / "home", signatures=settings) as api:
        yield Signing9(await founded(api), root, revocations)
        assert [found async for found in verify()] == [await AuditEntry.all().count()]


async def told(hospital: Hospital, account: Account, **numbers: str) -> Identity:
    """What a person said of themselves when they registered."""
    identity = Identity(account_id=account.id, last_name="Петрова", first_name="Анна")
    for kind, number in numbers.items():
        set_number(hospital.api.services.gate, identity, kind, number)  # type: ignore[arg-type]  # a name of a number
    await identity.save(force_create=True)
    return identity


async def test_a_worker_signs_in_by_the_snils_of_the_registry(signing: Signing9) -> None:
    doctor = await signing.hospital.doctor(snils=SNILS)
    person = signing.root.person(snils=SNILS, inn=INN, purposes=FOR_PEOPLE)

    asked = await signing.to_sign()
    answer = {"challenge": asked["challenge"], "signature": person.sign(asked["text"])}
    payload = await signing.hospital.visitor().does("signInBySignature", SHOWS, **answer)

    assert payload["viewer"] == {"activeRole": "DOCTOR", "roles": ["DOCTOR"]}
    entered = Caller(signing.hospital.api, payload["accessToken"])
    seen = await entered.sees("{ me { id } shifts { totalCount } }")
    assert seen["me"]["id"] == str(doctor.file_id)
    session = await Session.filter(account_id=doctor.account_id).order_by("-started_at").first()
    assert session is not None
    methods = {one.method for one in await Session.filter(account_id=doctor.account_id)}
    assert SignInMethod.SIGNATURE in methods
    entry = await AuditEntry.get(action="SIGNATURE_ACCEPTED")
    assert (entry.about_id, set(entry.details)) == (doctor.file_id, {"certificate"})


async def test_a_signature_on_a_known_device_is_no_news_to_its_owner(signing: Signing9) -> None:
    await signing.hospital.doctor(snils=SNILS)
    person = signing.root.person(snils=SNILS, inn=INN, purposes=FOR_PEOPLE)

    async def enters(**given: str) -> str:
        asked = await signing.to_sign()
        given |= {"challenge": asked["challenge"], "signature": person.sign(asked["text"])}
        visitor = signing.hospital.visitor()
        return str((await visitor.does("signInBySignature", "deviceToken", **given))["deviceToken"])

    token = await enters()
    told = await messages(signing.hospital)
    await enters(deviceToken=token)
    assert await messages(signing.hospital) == told
    await enters()
    assert len(await messages(signing.hospital)) == len(told) + 1


async def test_what_is_signed_says_what_it_is_for(signing: Signing9) -> None:
    first, second = await signing.to_sign(), await signing.to_sign()

    assert first["text"] != second["text"]
    assert re.fullmatch(
        r"Signing in to the medical worker's cabinet \(localhost\)\.\n"
        r"Time: \d{4}-\d\d-\d\d \d\d:\d\d:\d\d \(Europe/Moscow\)\.\n"
        r"Number: SG(-[0-9A-Z]{4}){4}\.",
        first["text"],
    )


@pytest.mark.parametrize("kind", ["snils", "inn"])
@pytest.mark.parametrize("way", [*ConfirmedBy, None])
async def test_a_number_that_somebody_only_stated_signs_nobody_in(
    signing: Signing9, kind: str, way: ConfirmedBy | None
) -> None:
    """Else whoever stated it first would have its owner sign in to their account."""
    citizen = await signing.hospital.citizen()
    account = Account.filter(id=citizen.account_id)
    number = {"snils": SNILS, "inn": INN}[kind]
    await told(signing.hospital, await account.get(), **{kind: number})
    await account.update(confirmed_by=way)

    answer = await signing.signed(signing.root.person(**{kind: number}))  # type: ignore[arg-type]  # a number of the subject
    payload = await signing.hospital.visitor().tries("signInBySignature", SHOWS, **answer)

    # An operator looks at both, and Gosuslugi tells of a SNILS.
    if way is ConfirmedBy.VISIT or (way is ConfirmedBy.ESIA and kind == "snils"):
        assert payload["viewer"] == {"activeRole": "CITIZEN", "roles": ["CITIZEN"]}
    else:
        assert [problem["code"] for problem in payload["errors"]] == ["SUBJECT_MISMATCH"]


async def test_a_certificate_of_nobody_here_is_a_mismatch(signing: Signing9) -> None:
    await signing.hospital.doctor(snils=OTHER_SNILS)
    refusal = [("SUBJECT_MISMATCH", "signature")]

    assert await signing.refusal(signing.root.person(snils=SNILS)) == refusal
    assert await signing.refusal(signing.root.person()) == refusal
    entry = await AuditEntry.filter(action="SIGNATURE_REFUSED").first()
    assert entry is not None
    assert entry.details["reason"] == "SUBJECT_MISMATCH"


async def test_numbers_that_disagree_are_a_mismatch(signing: Signing9) -> None:
    doctor = await signing.hospital.doctor(snils=SNILS, inn=INN)
    refusal = [("SUBJECT_MISMATCH", "signature")]

    # Digits that are nobody's INN say nothing.
    assert await signing.refusal(signing.root.person(snils=SNILS, inn="500100732260")) == []
    assert await signing.refusal(signing.root.person(snils=SNILS, inn="773173084809")) == refusal
    # What another has said of themselves is nothing beside the registry.
    citizen = await signing.hospital.citizen()
    await told(signing.hospital, await Account.get(id=citizen.account_id), snils=SNILS)
    assert await signing.refusal(signing.root.person(snils=SNILS)) == []
    sessions = Session.filter(method=SignInMethod.SIGNATURE)
    assert {one.account_id for one in await sessions} == {doctor.account_id}


async def test_of_one_person_with_two_accounts_nobody_says_which_is_meant(
    signing: Signing9,
) -> None:
    await signing.hospital.doctor(snils=SNILS)
    other = await make.organisation()
    account = await make.account(other)
    await make.practitioner(await make.department(other), account=account, snils=SNILS)

    assert await signing.refusal(signing.root.person(snils=SNILS)) == [
        ("SUBJECT_MISMATCH", "signature")
    ]


async def test_an_expired_certificate_is_told_with_when_and_where_to_renew_it(
    signing: Signing9,
) -> None:
    await signing.hospital.doctor(snils=SNILS)
    person = signing.root.person(snils=SNILS, until=-DAY)
    answer = await signing.signed(person)
    visitor = signing.hospital.visitor()

    assert await visitor.refused("signInBySignature", **answer) == [
        ("CERTIFICATE_EXPIRED", "signature")
    ]
    (english,) = await visitor.told("signInBySignature", **answer)
    (russian,) = await visitor.told("signInBySignature", language="ru", **answer)
    moment = person.certificate.not_valid_after_utc + timedelta(hours=3)
    assert english == (
        f"The certificate of the signature held until {moment:%Y-%m-%d %H:%M} (Europe/Moscow)."
        " Get a new one from «Удостоверяющий центр «Пример»», and sign in another way until then."
    )
    assert russian.startswith(f"Сертификат подписи действовал до {moment:%H:%M %d.%m.%Y}")
    assert await Session.filter(method=SignInMethod.SIGNATURE).count() == 0


async def test_a_revoked_certificate_and_an_unknown_authority_are_told_apart(
    signing: Signing9,
) -> None:
    await signing.hospital.doctor(snils=SNILS)
    person = signing.root.person(snils=SNILS)
    signing.revocations.write_bytes(signing.root.revocations(person.certificate))

    assert await signing.refusal(person) == [("CERTIFICATE_REVOKED", "signature")]
    stranger = authority("Удостоверяющий центр «Пример»").person(snils=SNILS)
    assert await signing.refusal(stranger) == [("CERTIFICATE_UNTRUSTED", "signature")]


async def test_without_a_list_of_revoked_certificates_nobody_enters(signing: Signing9) -> None:
    await signing.hospital.doctor(snils=SNILS)
    signing.revocations.unlink()

    assert await signing.refusal(signing.root.person(snils=SNILS)) == [
        ("SERVICE_UNAVAILABLE", "signature")
    ]


async def test_a_signature_opens_one_session_and_of_its_own_text_alone(signing: Signing9) -> None:
    await signing.hospital.doctor(snils=SNILS)
    person = signing.root.person(snils=SNILS)
    first, second = await signing.signed(person), await signing.signed(person)
    visitor = signing.hospital.visitor()

    mixed = {"challenge": first["challenge"], "signature": second["signature"]}
    assert await visitor.refused("signInBySignature", **mixed) == [
        ("SIGNATURE_INVALID", "signature")
    ]
    await visitor.does("signInBySignature", SHOWS, **first)
    for challenge in (first["challenge"], "nonsense", ""):
        answer = {"challenge": challenge, "signature": first["signature"]}
        assert await visitor.refused("signInBySignature", **answer) == [
            ("CHALLENGE_INVALID", "challenge")
        ]


async def test_a_text_is_to_be_signed_within_five_minutes(signing: Signing9) -> None:
    await signing.hospital.doctor(snils=SNILS)
    answer = await signing.signed(signing.root.person(snils=SNILS))
    await Challenge.filter(used_at__isnull=True).update(expires_at=utc_now())

    assert await signing.hospital.visitor().refused("signInBySignature", **answer) == [
        ("CHALLENGE_INVALID", "challenge")
    ]


async def test_only_a_confirmed_account_that_is_open_is_entered(signing: Signing9) -> None:
    doctor = await signing.hospital.doctor(snils=SNILS)
    person = signing.root.person(snils=SNILS)
    account = Account.filter(id=doctor.account_id)

    await account.update(confirmed_at=None)
    assert await signing.refusal(person) == [("ACCOUNT_UNCONFIRMED", "signature")]
    await account.update(confirmed_at=utc_now(), state=AccountState.CLOSED)
    assert await signing.refusal(person) == [("SUBJECT_MISMATCH", "signature")]
    # Locked until an operator helps; and by failed passwords, which keep no owner out.
    await account.update(state=AccountState.LOCKED)
    assert await signing.refusal(person) == [("SUBJECT_MISMATCH", "signature")]
    await account.update(locked_until=utc_now() + timedelta(minutes=15))
    assert await signing.refusal(person) == []
    assert (await account.get()).state is AccountState.ACTIVE


async def test_where_no_authority_is_configured_it_is_not_offered(hospital: Hospital) -> None:
    assert await hospital.visitor().refused("beginSignatureSignIn") == [
        ("SERVICE_UNAVAILABLE", None)
    ]


async def test_a_signature_is_a_factor_for_what_asks_for_a_fresh_one(signing: Signing9) -> None:
    doctor = await signing.hospital.doctor(snils=SNILS)
    person = signing.root.person(snils=SNILS)
    await was_shown(doctor, minutes=60)

    answer = await signing.signed(person, doctor)
    shows = "session { isCurrent } accessToken"
    shown = await doctor.does("confirmFactorBySignature", shows, **answer)
    doctor.token = shown["accessToken"]

    session = await Session.get(account_id=doctor.account_id)
    assert session.factor_at is not None and session.factor_at > utc_now() - timedelta(minutes=1)
    assert await doctor.refused("confirmFactorBySignature", **answer) == [
        ("CHALLENGE_INVALID", "challenge")
    ]


async def test_another_s_signature_and_a_text_for_another_purpose_are_no_factor(
    signing: Signing9,
) -> None:
    doctor = await signing.hospital.doctor(snils=SNILS)
    await signing.hospital.nurse(snils=OTHER_SNILS)
    other = signing.root.person(snils=OTHER_SNILS)
    person = signing.root.person(snils=SNILS)

    answer = await signing.signed(other, doctor)
    assert await doctor.refused("confirmFactorBySignature", **answer) == [
        ("SUBJECT_MISMATCH", "signature")
    ]
    # A text for signing in, and one of the session for the other way round.
    refusal = [("CHALLENGE_INVALID", "challenge")]
    for_entering = await signing.signed(person)
    assert await doctor.refused("confirmFactorBySignature", **for_entering) == refusal
    in_session = await signing.signed(person, doctor)
    visitor = signing.hospital.visitor()
    assert await visitor.refused("signInBySignature", **in_session) == refusal


async def test_one_operation_shows_one_signature(signing: Signing9) -> None:
    call = 'signInBySignature(challenge: "a", signature: "b") { errors { code } }'

    answer = await signing.hospital.visitor().answer(f"mutation {{ a: {call} b: {call} }}")

    assert answer.codes == ["ONE_SENSITIVE_FIELD"]


async def test_an_address_has_so_many_tries(signing: Signing9) -> None:
    visitor = signing.hospital.visitor()
    refused = await visitor.refused("signInBySignature", challenge="a", signature="b")
    assert refused == [("CHALLENGE_INVALID", "challenge")]
    await use_up(signing.hospital.api, SHOWING)

    assert await visitor.refused("signInBySignature", challenge="a", signature="b") == [
        ("TOO_MANY_ATTEMPTS", None)
    ]
    assert await AuditEntry.filter(action="SIGNATURE_REFUSED").count() == 1

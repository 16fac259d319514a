"""Signatures: whose they are, and everything by which one is refused."""

import asyncio
import base64
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.name import _ASN1Type

from adapters.signatures import (
    NOBODY,
    AuthoritiesInvalid,
    CertificateExpired,
    CertificateNotYetValid,
    CertificateRevoked,
    CertificateUnsuitable,
    CertificateUntrusted,
    CmsVerifier,
    Signatory,
    SignatureAlgorithmUnsupported,
    SignatureInvalid,
    open_verifier,
)
from core.errors import Problem, ServiceUnavailable
from core.settings import Signatures
from tests.certificates import (
    DAY,
    FOR_PEOPLE,
    FOR_SERVERS,
    NOT_FOR_SIGNING,
    Authority,
    Key,
    Signing,
    authority,
    new_key,
    rsa_key,
)

pytestmark = pytest.mark.any_database

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
TEXT = "Вход в кабинет: Zk3v"
SNILS, INN = "11223344595", "500100732259"
_PEM = serialization.Encoding.PEM


@dataclass
class Trust:
    """A directory of authorities, and the files of their lists."""

    root: Authority
    directory: Path
    lists: list[Path]

    def verifier(self) -> CmsVerifier:
        sources = tuple(str(path) for path in self.lists)
        return open_verifier(Signatures(self.directory, sources))

    def publish(self, authority: Authority, data: bytes | None = None) -> None:
        path = self.directory.parent / f"{len(self.lists)}.crl"
        path.write_bytes(authority.revocations() if data is None else data)
        self.lists.append(path)

    async def signatory(self, signature: str, text: str = TEXT, now: datetime = NOW) -> Signatory:
        return await self.verifier().signatory(signature, text.encode(), now=now, field="signature")

    async def refusal(self, signature: str, text: str = TEXT, now: datetime = NOW) -> Problem:
        with pytest.raises(Problem) as refused:
            await self.signatory(signature, text, now)
        assert refused.value.field == "signature"
        return refused.value


@pytest.fixture
def trust(tmp_path: Path) -> Trust:
    root = authority(now=NOW)
    directory = tmp_path / "authorities"
    directory.mkdir()
    (directory / "root.pem").write_bytes(root.pem)
    made = Trust(root, directory, [])
    made.publish(root)
    return made


KEYS = {
    "RSA": rsa_key,
    "P-256": new_key,
    "P-384": lambda: ec.generate_private_key(ec.SECP384R1()),
}


@pytest.mark.parametrize("digest", [hashes.SHA256(), hashes.SHA384(), hashes.SHA512()])
@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
async def test_a_signature_tells_whose_it_is(
    trust: Trust, key: "type[Key]", digest: hashes.HashAlgorithm
) -> None:
    person = trust.root.person(snils=SNILS, inn=INN, key=key(), purposes=FOR_PEOPLE)

    signatory = await trust.signatory(person.sign(TEXT, digest))

    fingerprint = person.certificate.fingerprint(hashes.SHA256()).hex()
    assert signatory == Signatory(fingerprint, SNILS, INN)


@pytest.mark.parametrize(
    "kind", [_ASN1Type.UTF8String, _ASN1Type.PrintableString, _ASN1Type.NumericString]
)
async def test_numbers_are_read_however_they_are_encoded(trust: Trust, kind: _ASN1Type) -> None:
    person = trust.root.person(snils=SNILS, inn=INN, kind=kind)

    signatory = await trust.signatory(person.sign(TEXT))

    assert (signatory.snils, signatory.inn) == (SNILS, INN)


async def test_an_organisation_s_inn_is_none_of_a_person_s(trust: Trust) -> None:
    person = trust.root.person(snils="11223344500", inn="007707083893")

    signatory = await trust.signatory(person.sign(TEXT))

    assert (signatory.snils, signatory.inn) == (None, None)


async def test_a_signature_may_come_in_armour(trust: Trust) -> None:
    signature = trust.root.person(snils=SNILS).sign(TEXT)
    lines = "\n".join(signature[start : start + 64] for start in range(0, len(signature), 64))

    for name in ("CMS", "PKCS7"):
        armoured = f"-----BEGIN {name}-----\n{lines}\n-----END {name}-----\n"
        assert (await trust.signatory(armoured)).snils == SNILS


async def test_an_authority_between_needs_a_list_of_the_one_above_and_its_own(
    trust: Trust,
) -> None:
    between = trust.root.below()
    signature = between.person(snils=SNILS).sign(TEXT)

    assert type(await trust.refusal(signature)) is ServiceUnavailable
    trust.publish(between)
    assert (await trust.signatory(signature)).snils == SNILS


async def test_without_what_leads_to_the_authority_it_is_not_trusted(trust: Trust) -> None:
    between = trust.root.below()
    trust.publish(between)
    person = between.person(snils=SNILS)
    person.chain = []

    assert type(await trust.refusal(person.sign(TEXT))) is CertificateUntrusted


async def test_a_text_that_was_altered_is_not_what_was_signed(trust: Trust) -> None:
    signature = trust.root.person(snils=SNILS).sign(TEXT)

    assert type(await trust.refusal(signature, TEXT + " ")) is SignatureInvalid


async def test_a_signature_by_another_key_is_refused(trust: Trust) -> None:
    person = trust.root.person(snils=SNILS)
    forged = Signing(person.certificate, new_key())

    assert type(await trust.refusal(forged.sign(TEXT))) is SignatureInvalid


async def test_a_signature_that_carries_its_text_is_refused(trust: Trust) -> None:
    signature = trust.root.person(snils=SNILS).sign(TEXT, detached=False)

    assert type(await trust.refusal(signature)) is SignatureInvalid


async def test_anybody_s_certificate_is_not_trusted(trust: Trust) -> None:
    # By the same name, and expired too: that it has is nobody's to tell.
    stranger = authority(now=NOW)
    trust.publish(stranger)

    for person in (stranger.person(snils=SNILS), stranger.person(snils=SNILS, until=-DAY)):
        assert type(await trust.refusal(person.sign(TEXT))) is CertificateUntrusted


async def test_a_person_gives_out_no_certificates(trust: Trust) -> None:
    person = trust.root.person(snils=SNILS)
    as_authority = Authority(person.certificate, person.key, [person.certificate], NOW)
    trust.publish(as_authority)

    problem = await trust.refusal(as_authority.person(snils="11223344595").sign(TEXT))

    assert type(problem) is CertificateUntrusted


async def test_an_authority_itself_signs_nobody_in(trust: Trust) -> None:
    between = trust.root.below()
    for one in (trust.root, between):
        signature = Signing(one.certificate, one.key, one.chain).sign(TEXT)
        assert type(await trust.refusal(signature)) is CertificateUnsuitable


async def test_when_a_certificate_expired_is_told_and_who_renews_it(trust: Trust) -> None:
    signature = trust.root.person(snils=SNILS, until=2 * DAY).sign(TEXT)

    assert (await trust.signatory(signature, now=NOW + 2 * DAY - timedelta(seconds=1))).snils
    problem = await trust.refusal(signature, now=NOW + 2 * DAY + timedelta(seconds=1))

    assert type(problem) is CertificateExpired
    assert problem.values == {"expired_at": NOW + 2 * DAY, "issuer": "Головной УЦ"}


async def test_a_certificate_holds_no_sooner_than_it_says(trust: Trust) -> None:
    signature = trust.root.person(snils=SNILS, since=DAY).sign(TEXT)

    problem = await trust.refusal(signature)

    assert (type(problem), problem.values) == (CertificateNotYetValid, {"since": NOW + DAY})


async def test_an_authority_that_has_expired_vouches_for_nobody(trust: Trust) -> None:
    between = trust.root.below(until=DAY)
    trust.publish(between)
    signature = between.person(snils=SNILS).sign(TEXT)

    assert (await trust.signatory(signature)).snils == SNILS
    problem = await trust.refusal(signature, now=NOW + DAY + timedelta(hours=1))
    assert type(problem) is CertificateUntrusted


async def test_a_revoked_certificate_is_refused(trust: Trust) -> None:
    person = trust.root.person(snils=SNILS)
    trust.lists[0].write_bytes(trust.root.revocations(person.certificate))

    assert type(await trust.refusal(person.sign(TEXT))) is CertificateRevoked


async def test_a_revoked_authority_vouches_for_nobody(trust: Trust) -> None:
    between = trust.root.below()
    trust.publish(between)
    trust.lists[0].write_bytes(trust.root.revocations(between.certificate))

    problem = await trust.refusal(between.person(snils=SNILS).sign(TEXT))

    assert type(problem) is CertificateUntrusted


@pytest.mark.parametrize("forger", [new_key, rsa_key])
async def test_a_list_that_anybody_made_keeps_nobody_out_when_it_is_gone(
    trust: Trust, forger: Callable[[], Key]
) -> None:
    good, revoked = (trust.root.person(snils=SNILS) for _ in range(2))
    genuine, older = trust.root.revocations(revoked.certificate), NOW - 2 * DAY
    verifier = trust.verifier()

    async def answer(person: Signing) -> Signatory | type[Problem]:
        try:
            return await verifier.signatory(person.sign(TEXT), TEXT.encode(), now=NOW, field="")
        except Problem as problem:
            return type(problem)

    # Its date is such that no later one would be newer.
    forged = replace(trust.root, key=forger()).revocations(at=NOW + 999 * DAY)
    trust.lists[0].write_bytes(forged)
    assert await answer(good) is ServiceUnavailable
    assert not await verifier.works(NOW)
    trust.lists[0].write_bytes(genuine)
    assert isinstance(await answer(good), Signatory)
    assert await answer(revoked) is CertificateRevoked
    # Nor does one of the authority's own from before bring anybody back, the forged one between.
    for written in (forged, trust.root.revocations(at=older)):
        trust.lists[0].write_bytes(written)
        assert await answer(revoked) is CertificateRevoked
        assert isinstance(await answer(good), Signatory)


async def test_without_a_list_that_holds_nobody_is_accepted(trust: Trust) -> None:
    signature = trust.root.person(snils=SNILS).sign(TEXT)
    stranger = authority(now=NOW)
    for data in (
        trust.root.revocations(at=NOW - 10 * DAY, lasts=9 * DAY),
        # By an authority of the same name, signed by its own key.
        stranger.revocations(),
        b"",
        b"\x30\x03\x02\x01\x01",
        b"<html>it works!</html>",
    ):
        trust.lists[0].write_bytes(data)
        assert type(await trust.refusal(signature)) is ServiceUnavailable
    trust.lists[0].unlink()
    assert type(await trust.refusal(signature)) is ServiceUnavailable


async def test_a_certificate_that_is_not_for_signing_is_refused(trust: Trust) -> None:
    for person in (
        trust.root.person(snils=SNILS, usage=NOT_FOR_SIGNING),
        trust.root.person(snils=SNILS, purposes=FOR_SERVERS),
    ):
        assert type(await trust.refusal(person.sign(TEXT))) is CertificateUnsuitable


async def test_what_is_no_longer_safe_is_refused(trust: Trust) -> None:
    small = rsa.generate_private_key(public_exponent=65537, key_size=1024)

    problem = await trust.refusal(trust.root.person(snils=SNILS, key=small).sign(TEXT))

    assert type(problem) is SignatureAlgorithmUnsupported


@pytest.mark.parametrize("oid", ["2a850307010101030200", "2a850307010102020000"])
async def test_gost_is_named_as_what_is_not_verified_here(trust: Trust, oid: str) -> None:
    """The identifiers of SHA-256 are overwritten by others as long, of GOST R 34.10-2012 kind."""
    der = base64.b64decode(trust.root.person(snils=SNILS).sign(TEXT))
    sha256 = bytes.fromhex("0609608648016503040201")
    assert der.count(sha256) == 2
    altered = der.replace(sha256, bytes.fromhex("0609") + bytes.fromhex(oid)[:9])

    problem = await trust.refusal(base64.b64encode(altered).decode())

    assert type(problem) is SignatureAlgorithmUnsupported


@pytest.mark.parametrize(
    "signature",
    ["", "nonsense", "Ж", "\0", "AAAA", "MAA=", "MIACAQE=", "A" * 40_000, "\ud800"],
)
async def test_what_is_no_signature_is_refused(trust: Trust, signature: str) -> None:
    assert type(await trust.refusal(signature)) is SignatureInvalid


async def test_whatever_is_cut_off_or_altered_is_refused(trust: Trust) -> None:
    der = base64.b64decode(trust.root.person(snils=SNILS).sign(TEXT))
    verifier = trust.verifier()

    async def passes(data: bytes) -> bool:
        signature = base64.b64encode(data).decode()
        try:
            await verifier.signatory(signature, TEXT.encode(), now=NOW, field="signature")
        except Problem:
            return False
        return True

    assert await passes(der)
    assert not any([await passes(der[:length]) for length in range(0, len(der), 7)])
    # One bit in each byte: what is not signed, such as the version, may be anything.
    signed = [
        place
        for place in range(len(der))
        if await passes(der[:place] + bytes([der[place] ^ 0x10]) + der[place + 1 :])
    ]
    assert len(signed) < len(der) // 20


async def test_where_no_authority_is_configured_nothing_is_verified(trust: Trust) -> None:
    signature = trust.root.person(snils=SNILS).sign(TEXT)

    assert open_verifier(Signatures()) is NOBODY
    with pytest.raises(ServiceUnavailable):
        await NOBODY.signatory(signature, TEXT.encode(), now=NOW, field="signature")


async def test_many_signatures_at_once_are_verified_one_after_another(trust: Trust) -> None:
    people = [trust.root.person(snils=SNILS), trust.root.person(inn=INN)] * 10
    verifier = trust.verifier()

    signers = await asyncio.gather(
        *(
            verifier.signatory(person.sign(TEXT), TEXT.encode(), now=NOW, field="signature")
            for person in people
        )
    )

    assert [(signatory.snils, signatory.inn) for signatory in signers] == [
        (SNILS, None),
        (None, INN),
    ] * 10


def test_authorities_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    root = authority(now=NOW)
    (tmp_path / "empty").mkdir()
    for name, data in (
        ("person", root.person(snils=SNILS).certificate.public_bytes(_PEM)),
        ("wrong", b"nonsense"),
    ):
        (tmp_path / name).mkdir()
        (tmp_path / name / "one.pem").write_bytes(data)

    for name in ("missing", "empty", "person", "wrong"):
        with pytest.raises(AuthoritiesInvalid, match=name):
            open_verifier(Signatures(tmp_path / name))

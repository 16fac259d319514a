"""Electronic signatures: a detached CMS signature (RFC 5652) over a text, and whose it is.

A certificate must lead to one of the configured authorities, hold now, be made for signing, and
be on no list of revoked certificates (RFC 5280, by pyHanko); each certificate below an authority
must have such a list. RSA and ECDSA are verified. GOST R 34.10-2012 is not: decision 0023.
"""

import asyncio
import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from asn1crypto import cms, core, crl, pem, x509
from cryptography.hazmat.primitives import hashes
from pyhanko.sign.general import SignedDataCerts, extract_signer_info
from pyhanko.sign.validation.generic_cms import (
    extract_certs_for_validation,
    validate_sig_integrity,
)
from pyhanko.sign.validation.settings import KeyUsageConstraints
from pyhanko_certvalidator import CertificateValidator, ValidationContext
from pyhanko_certvalidator.errors import (
    DisallowedAlgorithmError,
    ExpiredError,
    InsufficientRevinfoError,
    InvalidCertificateError,
    NotYetValidError,
    PathError,
    RevokedError,
    ValidationError,
)
from pyhanko_certvalidator.policy_decl import (
    CertRevTrustPolicy,
    RevocationCheckingPolicy,
    RevocationCheckingRule,
)

from adapters.revocations import RevocationLists
from core.errors import Problem, ServiceUnavailable
from core.settings import Signatures
from models import identifiers

# Of the text of a signature; one with its chain has some 5 KB.
LARGEST = 32 * 1024
# Certificates that come with a signature: paths are looked for among them.
_MOST_CERTIFICATES = 8
_DIGESTS: dict[str, hashes.HashAlgorithm] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
_ALGORITHMS = frozenset({"rsassa_pkcs1v15", "rsassa_pss", "ecdsa"})
# In bits: what OWASP ASVS 5.0 (appendix C) still takes.
_SMALLEST_KEY = {"rsa": 2048, "rsassa_pss": 2048, "ec": 256}
# Authentication, mail, and documents (RFC 9336); qualified certificates name one of the first two.
_USAGE = KeyUsageConstraints(
    key_usage={"digital_signature", "non_repudiation"},
    extd_key_usage={"client_auth", "email_protection", "1.3.6.1.5.5.7.3.36"},
    explicit_extd_key_usage_required=False,
)
_EVERY_LIST = CertRevTrustPolicy(
    RevocationCheckingPolicy(
        ee_certificate_rule=RevocationCheckingRule.CRL_REQUIRED,
        intermediate_ca_cert_rule=RevocationCheckingRule.CRL_REQUIRED,
    )
)
# Order 795 of the Federal Security Service, 2011: the numbers of a person in a subject.
_SNILS = "1.2.643.100.3"
_INN = "1.2.643.3.131.1.1"
_ARMOUR = re.compile(r"-----(?:BEGIN|END) (?:CMS|PKCS7)-----")


class SignatureInvalid(Problem):
    """Not a detached signature, or not of this text."""

    code = "SIGNATURE_INVALID"


class SignatureAlgorithmUnsupported(Problem):
    """Signed in a way that is not verified here, or no longer safe."""

    code = "SIGNATURE_ALGORITHM_UNSUPPORTED"


class CertificateUntrusted(Problem):
    """The certificate leads to none of the authorities trusted here."""

    code = "CERTIFICATE_UNTRUSTED"


class CertificateUnsuitable(Problem):
    """The certificate was not made for signing."""

    code = "CERTIFICATE_UNSUITABLE"


class CertificateExpired(Problem):
    """The certificate held until ``expired_at``; ``issuer`` gives out a new one."""

    code = "CERTIFICATE_EXPIRED"


class CertificateNotYetValid(Problem):
    """The certificate holds from ``since`` on."""

    code = "CERTIFICATE_NOT_YET_VALID"


class CertificateRevoked(Problem):
    """The authority has revoked the certificate."""

    code = "CERTIFICATE_REVOKED"


class AuthoritiesInvalid(ValueError):
    """The configured authorities cannot be used; the text says why."""


@dataclass(frozen=True, slots=True)
class Signatory:
    """Whom a certificate names. ``certificate`` is its SHA-256 in hexadecimal digits."""

    certificate: str
    snils: str | None
    inn: str | None


class SignatureVerifier(Protocol):
    """Tells who signed a text."""

    @property
    def is_ready(self) -> bool:
        """Whether anything can be verified: whether authorities are configured."""

    async def works(self, now: datetime) -> bool:
        """Whether what is verified with is all there: without it nobody's signature is taken."""

    async def signatory(
        self, signature: str, text: bytes, *, now: datetime, field: str
    ) -> Signatory:
        """Whose detached signature it is: Base64 of DER, or PEM.

        Raises the problems of this module about ``field``, and ServiceUnavailable where nothing
        can be verified.
        """


class CmsVerifier:
    """Verifies by X.509 certificates that lead to ``authorities``.

    Without authorities nothing is verified: ServiceUnavailable.
    """

    def __init__(self, authorities: Sequence[x509.Certificate], lists: RevocationLists) -> None:
        self._authorities = authorities
        self._lists = lists
        # asn1crypto reads a value when it is asked for: no two threads may read one at once.
        self._turn = asyncio.Lock()

    @property
    def is_ready(self) -> bool:
        return bool(self._authorities)

    async def works(self, now: datetime) -> bool:
        return self.is_ready and await self._lists.are_whole(now)

    async def signatory(
        self, signature: str, text: bytes, *, now: datetime, field: str
    ) -> Signatory:
        if not self.is_ready:
            raise ServiceUnavailable(field)
        certificates = await asyncio.to_thread(_signed_by, signature, text, field)
        lists = await self._lists.current(now)
        async with self._turn:
            return await asyncio.to_thread(
                _accepted, certificates, self._authorities, lists, now=now, field=field
            )


# Where no authority is configured.
NOBODY = CmsVerifier((), RevocationLists(()))


def open_verifier(settings: Signatures) -> CmsVerifier:
    """The verifier of an installation; raises AuthoritiesInvalid."""
    if settings.authorities is None:
        return NOBODY
    authorities = read_authorities(settings.authorities)
    return CmsVerifier(authorities, RevocationLists(settings.revocations, authorities))


def read_authorities(directory: Path) -> list[x509.Certificate]:
    """The certificates in the PEM files of a directory, each trusted as an authority.

    Raises AuthoritiesInvalid.
    """
    found = []
    try:
        paths = sorted(path for path in directory.iterdir() if path.suffix in (".pem", ".crt"))
        for path in paths:
            found += _authorities_in(path)
    except OSError as error:
        raise AuthoritiesInvalid(f"{error.filename}: {error.strerror}") from None
    if not found:
        raise AuthoritiesInvalid(f"{directory}: no certificate of an authority (*.pem, *.crt)")
    return found


def _authorities_in(path: Path) -> list[x509.Certificate]:
    found = []
    try:
        for _, _, der in pem.unarmor(path.read_bytes(), multiple=True):
            certificate = x509.Certificate.load(der, strict=True)
            if not certificate.ca:
                raise AuthoritiesInvalid(f"{path}: not the certificate of an authority")
            found.append(certificate)
    except (ValueError, TypeError) as error:
        if isinstance(error, AuthoritiesInvalid):
            raise
        raise AuthoritiesInvalid(f"{path}: not certificates in PEM") from None
    return found


def _signed_by(signature: str, text: bytes, field: str) -> SignedDataCerts:
    """The certificates of a signature that is of this text, the signer's among them."""
    try:
        return _of_text(_signed_data(signature), text, field)
    except Problem:
        raise
    except Exception:
        # asn1crypto reads a value when it is asked for, and raises whatever it then meets.
        raise SignatureInvalid(field) from None


def _signed_data(signature: str) -> cms.SignedData:
    if len(signature) > LARGEST:
        raise ValueError("too large")
    try:
        der = base64.b64decode("".join(_ARMOUR.sub("", signature).split()), validate=True)
    except binascii.Error as error:
        raise ValueError("not Base64") from error
    content = cms.ContentInfo.load(der, strict=True)
    if content["content_type"].native != "signed_data":
        raise ValueError("not signed data")
    signed: cms.SignedData = content["content"]
    return signed


def _of_text(signed: cms.SignedData, text: bytes, field: str) -> SignedDataCerts:
    content = signed["encap_content_info"]
    if content["content"] is not core.VOID or len(signed["certificates"]) > _MOST_CERTIFICATES:
        raise SignatureInvalid(field)
    info = extract_signer_info(signed)
    digest = info["digest_algorithm"]["algorithm"].native
    if digest not in _DIGESTS or _algorithm(info["signature_algorithm"]) not in _ALGORITHMS:
        raise SignatureAlgorithmUnsupported(field)
    certificates = extract_certs_for_validation(signed)
    key = certificates.signer_cert.public_key
    if key.algorithm not in _SMALLEST_KEY or key.bit_size < _SMALLEST_KEY[key.algorithm]:
        raise SignatureAlgorithmUnsupported(field)
    hashed = hashes.Hash(_DIGESTS[digest])
    hashed.update(text)
    intact, valid = validate_sig_integrity(
        info,
        certificates.signer_cert,
        expected_content_type=content["content_type"].native,
        actual_digest=hashed.finalize(),
    )
    if not (intact and valid):
        raise SignatureInvalid(field)
    return certificates


def _algorithm(algorithm: cms.SignedDigestAlgorithm) -> str | None:
    try:
        found: str = algorithm.signature_algo
    except ValueError:
        return None
    return found


def _accepted(
    certificates: SignedDataCerts,
    authorities: Sequence[x509.Certificate],
    lists: Sequence[crl.CertificateList],
    *,
    now: datetime,
    field: str,
) -> Signatory:
    """Whom the signer's certificate names, once it is found good."""
    try:
        certificate = certificates.signer_cert
        if certificate.ca:
            raise CertificateUnsuitable(field)
        context = ValidationContext(
            trust_roots=[one for one in authorities if one.not_valid_after > now],
            other_certs=certificates.other_certs,
            moment=now,
            crls=lists,
            revinfo_policy=_EVERY_LIST,
            time_tolerance=timedelta(0),
        )
        _validate(certificate, context, field)
        return _signatory_of(certificate)
    except Problem:
        raise
    except Exception:
        # The same as of a signature: a certificate is anybody's until it is found good.
        raise CertificateUntrusted(field) from None


def _validate(certificate: x509.Certificate, context: ValidationContext, field: str) -> None:
    validator = CertificateValidator(certificate, validation_context=context)
    try:
        asyncio.run(validator.async_validate_path())
    except (PathError, ValidationError) as error:
        raise _problem(error, certificate, field) from None
    try:
        _USAGE.validate(certificate)
    except InvalidCertificateError:
        raise CertificateUnsuitable(field) from None


def _problem(error: Exception, certificate: x509.Certificate, field: str) -> Problem:
    if isinstance(error, DisallowedAlgorithmError):
        return SignatureAlgorithmUnsupported(field)
    # Root first: whose signature is not an authority's is not told when it expired.
    if isinstance(error, ExpiredError) and error.is_ee_cert:
        issuer = certificate.issuer.native.get("common_name", "")
        return CertificateExpired(field, expired_at=error.expired_dt, issuer=issuer)
    if isinstance(error, NotYetValidError) and error.is_ee_cert:
        return CertificateNotYetValid(field, since=error.valid_from)
    if isinstance(error, RevokedError) and error.is_ee_cert:
        return CertificateRevoked(field)
    if isinstance(error, InsufficientRevinfoError):
        return ServiceUnavailable(field)
    return CertificateUntrusted(field)


def _signatory_of(certificate: x509.Certificate) -> Signatory:
    return Signatory(
        certificate=certificate.sha256.hex(),
        snils=_number(certificate, _SNILS),
        inn=_number(certificate, _INN),
    )


def _number(certificate: x509.Certificate, oid: str) -> str | None:
    """A number of the subject in its normal form; an organisation's INN is none of a person's."""
    found = {
        str(part["value"].native)
        for parts in certificate.subject.chosen
        for part in parts
        if part["type"].dotted == oid
    }
    if len(found) != 1:
        return None
    read = identifiers.snils if oid == _SNILS else identifiers.inn_of_person
    try:
        return read(found.pop())
    except Problem:
        return None

"""Certificate authorities of the tests' own: certificates, lists of revoked ones, signatures."""

import base64
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

SNILS = ObjectIdentifier("1.2.643.100.3")
INN = ObjectIdentifier("1.2.643.3.131.1.1")
DAY = timedelta(days=1)
Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

# Making a key of RSA takes as long as all the rest of a test.
_RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def new_key() -> Key:
    return ec.generate_private_key(ec.SECP256R1())


def rsa_key() -> Key:
    return _RSA


@dataclass
class Signing:
    """Somebody who signs: a certificate, its key, and what leads from it to an authority."""

    certificate: x509.Certificate
    key: Key
    chain: list[x509.Certificate] = field(default_factory=list)

    def sign(self, text: str, digest: Any = None, *, detached: bool = True) -> str:
        """A signature of a text, as Base64 of DER."""
        builder = pkcs7.PKCS7SignatureBuilder().set_data(text.encode())
        builder = builder.add_signer(self.certificate, self.key, digest or hashes.SHA256())
        for certificate in self.chain:
            builder = builder.add_certificate(certificate)
        options = [pkcs7.PKCS7Options.Binary]
        if detached:
            options.append(pkcs7.PKCS7Options.DetachedSignature)
        return base64.b64encode(builder.sign(serialization.Encoding.DER, options)).decode()


@dataclass
class Authority:
    """An authority that gives out certificates, and tells which of them are revoked."""

    certificate: x509.Certificate
    key: Key
    chain: list[x509.Certificate] = field(default_factory=list)
    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.PEM)

    def below(self, name: str = "Промежуточный УЦ", **values: Any) -> "Authority":
        """An authority under this one."""
        key = new_key()
        usage = _usage(key_cert_sign=True, crl_sign=True, digital_signature=True)
        made = _certificate(self, _name(name), key, usage=usage, ca=True, **values)
        return Authority(made, key, [made, *self.chain], self.now)

    def person(
        self,
        *,
        snils: str | None = None,
        inn: str | None = None,
        kind: _ASN1Type = _ASN1Type.UTF8String,
        key: Key | None = None,
        **values: Any,
    ) -> Signing:
        """A person's certificate with numbers in its subject."""
        parts = [x509.NameAttribute(NameOID.COMMON_NAME, "Петрова Анна Сергеевна")]
        for oid, number in ((SNILS, snils), (INN, inn)):
            if number is not None:
                parts.append(x509.NameAttribute(oid, number, kind))
        key = key or new_key()
        values = {"usage": _usage(digital_signature=True), **values}
        return Signing(_certificate(self, x509.Name(parts), key, **values), key, self.chain)

    def revocations(
        self, *revoked: x509.Certificate, at: datetime | None = None, lasts: timedelta = 7 * DAY
    ) -> bytes:
        """The list of those revoked, as PEM."""
        at = at or self.now - DAY
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(self.certificate.subject)
            .last_update(at)
            .next_update(at + lasts)
        )
        for one in revoked:
            entry = x509.RevokedCertificateBuilder().serial_number(one.serial_number)
            builder = builder.add_revoked_certificate(entry.revocation_date(at).build())
        return builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def authority(name: str = "Головной УЦ", *, now: datetime | None = None) -> Authority:
    """An authority under nobody."""
    now, key = now or datetime.now(UTC).replace(microsecond=0), new_key()
    usage = _usage(key_cert_sign=True, crl_sign=True, digital_signature=True)
    made = _certificate(None, _name(name), key, usage=usage, ca=True, now=now)
    return Authority(made, key, [], now)


def _certificate(
    issuer: Authority | None,
    subject: x509.Name,
    key: Key,
    *,
    usage: x509.KeyUsage,
    purposes: tuple[ObjectIdentifier, ...] = (),
    ca: bool = False,
    now: datetime | None = None,
    since: timedelta = -30 * DAY,
    until: timedelta = 365 * DAY,
    digest: Any = None,
) -> x509.Certificate:
    now = issuer.now if issuer is not None else now
    assert now is not None
    issued_by = issuer.certificate.subject if issuer is not None else subject
    signing = issuer.key if issuer is not None else key
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issued_by)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + since)
        .not_valid_after(now + until)
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key()),
            critical=False,
        )
    )
    if purposes:
        builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
    return builder.sign(signing, digest or hashes.SHA256())


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _usage(**allowed: bool) -> x509.KeyUsage:
    names = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**{name: allowed.get(name, False) for name in names})


NOT_FOR_SIGNING = _usage(key_encipherment=True)
FOR_SERVERS = (ExtendedKeyUsageOID.SERVER_AUTH,)
FOR_PEOPLE = (ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.EMAIL_PROTECTION)

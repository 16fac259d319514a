"""An authenticator in software (WebAuthn, 6), and the browser before it: what a passkey answers."""

import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url, encode_cbor

ORIGIN = "http://localhost:8000"
PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


@dataclass
class Authenticator:
    """Keeps one passkey, and does what it is told, wrong things too."""

    origin: str = ORIGIN
    # Signed for, where it is not the domain of the options.
    domain: str = ""
    flags: int = PRESENT | VERIFIED
    count: int = 0
    # Whether it counts: those that are kept by many devices at once do not.
    counts: bool = True
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    account: bytes = b""

    def create(self, options: str, **changed: Any) -> str:
        """The answer to creation options; ``changed`` are fields of the client's data."""
        asked = json.loads(options)
        self.account = base64url_to_bytes(asked["user"]["id"])
        data = self._data(asked["rp"]["id"], ATTESTED) + self._attested()
        attestation = {"fmt": "none", "attStmt": {}, "authData": data}
        response = {
            "clientDataJSON": self._client_data("webauthn.create", asked, changed),
            "attestationObject": bytes_to_base64url(encode_cbor(attestation)),
            "transports": ["internal", "hybrid"],
        }
        return self._credential(response)

    def get(self, options: str, **changed: Any) -> str:
        """The answer to request options."""
        asked = json.loads(options)
        self.count += self.counts
        data = self._data(asked["rpId"], 0)
        client_data = self._client_data("webauthn.get", asked, changed)
        digest = hashlib.sha256(base64url_to_bytes(client_data)).digest()
        signature = self.key.sign(data + digest, ec.ECDSA(hashes.SHA256()))
        response = {
            "clientDataJSON": client_data,
            "authenticatorData": bytes_to_base64url(data),
            "signature": bytes_to_base64url(signature),
            "userHandle": bytes_to_base64url(self.account) if self.account else None,
        }
        return self._credential(response)

    def _credential(self, response: dict[str, Any]) -> str:
        name = bytes_to_base64url(self.credential_id)
        return json.dumps({"id": name, "rawId": name, "type": "public-key", "response": response})

    def _client_data(self, kind: str, asked: dict[str, Any], changed: dict[str, Any]) -> str:
        data = {
            "type": kind,
            "challenge": asked["challenge"],
            "origin": self.origin,
            "crossOrigin": False,
            **changed,
        }
        return bytes_to_base64url(json.dumps(data).encode())

    def _data(self, domain: str, more: int) -> bytes:
        digest = hashlib.sha256((self.domain or domain).encode()).digest()
        return digest + bytes([self.flags | more]) + self.count.to_bytes(4, "big")

    def _attested(self) -> bytes:
        point = self.key.public_key().public_numbers()
        # ES256 on P-256 (RFC 9053).
        key = encode_cbor(
            {
                1: 2,
                3: -7,
                -1: 1,
                -2: point.x.to_bytes(32, "big"),
                -3: point.y.to_bytes(32, "big"),
            }
        )
        length = len(self.credential_id).to_bytes(2, "big")
        return bytes(16) + length + self.credential_id + key

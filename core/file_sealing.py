"""Sealing of files at rest: each under a key of its own, which the vault seals in turn.

Whatever rotates the vault's key seals these keys anew, and leaves the files as they are.
"""

import base64
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import GCM

from core.sealing import SealBroken

_KEY_BYTES = 32
_NONCE_BYTES = 12


class FileSealer:
    """Seals one file as it comes, by AES-256 in GCM: nonce, content, tag."""

    def __init__(self) -> None:
        key, nonce = secrets.token_bytes(_KEY_BYTES), secrets.token_bytes(_NONCE_BYTES)
        # To be sealed by the vault and kept beside the file's name.
        self.key = base64.b64encode(key).decode()
        self._head = nonce
        self._encryptor = Cipher(AES(key), GCM(nonce)).encryptor()

    def seal(self, part: bytes) -> bytes:
        """The sealed form of the next part."""
        head, self._head = self._head, b""
        return head + self._encryptor.update(part)

    def finish(self) -> bytes:
        """What comes behind the last part."""
        return self.seal(b"") + self._encryptor.finalize() + self._encryptor.tag


def opened(key: str, sealed: bytes) -> bytes:
    """The content of a sealed file; raises SealBroken where it was altered, or cut off."""
    nonce, rest = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
    try:
        return AESGCM(base64.b64decode(key)).decrypt(nonce, rest, None)
    except (InvalidTag, ValueError) as broken:
        raise SealBroken from broken

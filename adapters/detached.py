"""Detached signatures that this installation makes: with a key of its own, or by a program."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509 import Certificate

from adapters.fetching import NotAnswered


class Signer(Protocol):
    """Signs as PKCS#7 (RFC 5652): DER, without the content, with the certificate."""

    async def sign(self, content: bytes) -> bytes: ...


class KeySigner:
    """Signs with a key in memory: RSA or ECDSA, SHA-256."""

    def __init__(
        self, certificate: Certificate, key: RSAPrivateKey | EllipticCurvePrivateKey
    ) -> None:
        self._certificate = certificate
        self._key = key

    async def sign(self, content: bytes) -> bytes:
        builder = pkcs7.PKCS7SignatureBuilder().set_data(content)
        return builder.add_signer(self._certificate, self._key, hashes.SHA256()).sign(
            serialization.Encoding.DER,
            [pkcs7.PKCS7Options.DetachedSignature, pkcs7.PKCS7Options.Binary],
        )


class ProgramSigner:
    """Signs by a program that reads the content and writes the signature.

    For GOST R 34.10-2012 and keys in hardware: what signs by them is certified, and not a library
    of Python. The caller bounds its time.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command

    async def sign(self, content: bytes) -> bytes:
        """Raises NotAnswered where the program fails."""
        pipe, nowhere = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command, stdin=pipe, stdout=pipe, stderr=nowhere
            )
        except OSError as error:
            raise NotAnswered(f"the signing program: {error.strerror}") from None
        try:
            signature, _ = await process.communicate(content)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode != 0 or not signature:
            raise NotAnswered(f"the signing program ended with {process.returncode}")
        return signature

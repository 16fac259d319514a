"""Files sealed at rest: opened by their own key, and by nothing else."""

import pytest

from core.file_sealing import FileSealer, opened
from core.sealing import SealBroken


def sealed(*parts: bytes) -> tuple[str, bytes]:
    sealer = FileSealer()
    body = b"".join(map(sealer.seal, parts))
    return sealer.key, body + sealer.finish()


@pytest.mark.parametrize("parts", [(), (b"",), (b"one",), (b"one", b"", b"two" * 10_000)])
def test_a_file_opens_as_it_was(parts: tuple[bytes, ...]) -> None:
    key, body = sealed(*parts)

    assert opened(key, body) == b"".join(parts)


def test_the_same_file_looks_otherwise_each_time() -> None:
    (key, body), (other_key, other) = sealed(b"passport" * 100), sealed(b"passport" * 100)

    assert b"passport" not in body
    assert key != other_key
    assert body[12:] != other[12:]


def test_what_was_altered_cut_off_or_is_anothers_does_not_open() -> None:
    key, body = sealed(b"content")
    other_key, _ = sealed(b"content")
    for wrong_key, wrong in (
        (key, body[:-1]),
        (key, body[:12] + bytes([body[12] ^ 1]) + body[13:]),
        (key, b""),
        (key, body + b"x"),
        (other_key, body),
    ):
        with pytest.raises(SealBroken):
            opened(wrong_key, wrong)

"""Keys are made once, kept private, and rotate."""

import stat
from pathlib import Path

from auth.keys import open_hash_key, open_signing_keys, rotate_signing_keys


def test_signing_keys_are_made_once_and_private(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "signing.keys"

    first = open_signing_keys(path)

    assert [len(key.secret) for key in first] == [32]
    assert open_signing_keys(path) == first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_rotated_key_comes_first_and_the_oldest_goes(tmp_path: Path) -> None:
    path = tmp_path / "signing.keys"
    (first,) = open_signing_keys(path)

    second, *_ = rotate_signing_keys(path)
    third, *_ = rotate_signing_keys(path)
    fourth, *_ = rotate_signing_keys(path)

    assert open_signing_keys(path) == (fourth, third, second)
    assert first not in (fourth, third, second)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    names = {file.name for file in tmp_path.iterdir()}
    assert names == {"signing.keys", "signing.keys.lock"}


def test_hashes_depend_on_key_purpose_and_text(tmp_path: Path) -> None:
    one, other = open_hash_key(tmp_path / "one"), open_hash_key(tmp_path / "other")

    hashes = {
        one.hash("login", "a"),
        one.hash("login", "b"),
        one.hash("id", "a"),
        other.hash("login", "a"),
    }

    assert len(hashes) == 4
    assert open_hash_key(tmp_path / "one").hash("login", "a") == one.hash("login", "a")


def test_a_readable_code_is_stable_and_looks_like_the_others(tmp_path: Path) -> None:
    key = open_hash_key(tmp_path / "one")

    code = key.readable_code("ID", "public id", "a")

    assert code == key.readable_code("ID", "public id", "a")
    assert code != key.readable_code("ID", "public id", "b")
    assert [len(part) for part in code.split("-")] == [2, 4, 4]

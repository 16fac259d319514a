"""The vault: the newest key seals, every key opens, and a running server hears of new ones."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from core.sealing import SealBroken, add_key, open_vault, retire_keys


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys" / "vault.key"


def test_a_new_key_seals_and_the_old_one_opens(path: Path) -> None:
    vault = open_vault(path)
    old = vault.seal("4510 123456")

    assert add_key(path)

    # The same vault, which nobody opened anew.
    new = vault.seal("4510 123456")
    assert (vault.open(old), vault.open(new)) == ("4510 123456", "4510 123456")
    assert (vault.is_newest(old), vault.is_newest(new)) == (False, True)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_server_opens_what_another_sealed_with_a_key_it_has_not_seen(path: Path) -> None:
    server, command = open_vault(path), open_vault(path)
    add_key(path)

    assert server.open(command.seal("secret")) == "secret"


def test_no_key_is_added_while_an_older_one_is_not_retired(path: Path) -> None:
    open_vault(path)

    assert [add_key(path), add_key(path)] == [True, False]
    assert (retire_keys(path), retire_keys(path)) == (1, 0)
    assert add_key(path)


def test_of_many_who_add_a_key_at_once_one_does(path: Path) -> None:
    open_vault(path)

    with ThreadPoolExecutor(8) as threads:
        added = list(threads.map(lambda _: add_key(path), range(20)))

    assert added.count(True) == 1
    assert len(path.read_bytes().split()) == 2


def test_what_a_retired_key_sealed_is_closed_for_good(path: Path) -> None:
    vault = open_vault(path)
    old = vault.seal("secret")
    add_key(path)
    new = vault.seal("secret")
    retire_keys(path)

    with pytest.raises(SealBroken):
        vault.open(old)
    assert vault.open(new) == "secret"


def test_a_vault_goes_on_without_its_file(path: Path) -> None:
    vault = open_vault(path)
    sealed = vault.seal("secret")
    path.unlink()

    assert vault.open(sealed) == "secret"
